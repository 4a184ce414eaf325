"""Files that come with the package."""

import json
from pathlib import Path

import pytest

import milpcount as mc
from milpcount import examples
from milpcount.errors import FileFormatError
from milpcount.network import shipped

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("sizes", ["2-20", "4-18", "11-11"])
def test_networks_trained_on_mnist_are_those_of_the_data(sizes):
    net = mc.Network.load(f"example:mnist-784-{sizes}.npz")
    there = mc.Network.load(ROOT / f"data/mnist22/784-{sizes}/seed0.npz")
    assert net.fingerprint == there.fingerprint


def test_the_manifest_is_that_of_the_data():
    mine = json.loads(shipped.located("example:manifest.json").read_text())["networks"]
    whole = json.loads((ROOT / "data/manifest.json").read_text())["networks"]
    known = {(entry["n1"], entry["seed"]): entry for entry in whole}
    for entry in mine:
        assert (shipped.FOLDER / entry["file"]).is_file()
        original = known[entry["n1"], entry["seed"]]
        assert entry == {**original, "file": entry["file"]}


def test_constructions():
    assert mc.Network.load("example:zigzag.nnet").fingerprint == examples.zigzag(2).fingerprint
    pytest.importorskip("onnx")
    folding = mc.Network.load("example:folding.onnx")
    assert folding.fingerprint == examples.folding(2, 2, 2).fingerprint


def test_a_name_that_is_not_there_lists_those_that_are():
    with pytest.raises(FileFormatError, match="example:zigzag: no such example; there are") as why:
        mc.Network.load("example:zigzag")
    assert "example:zigzag.nnet" in str(why.value)
    with pytest.raises(FileFormatError, match="no such example"):
        shipped.located("example:../__init__.py")


def test_other_paths_are_left_alone():
    assert shipped.located("net.npz") == Path("net.npz")
    assert shipped.located(Path("a/b")) == Path("a/b")


@pytest.mark.parametrize("name", shipped.names())
def test_every_file_is_small_and_documented(name):
    assert (shipped.FOLDER / name).stat().st_size < 50_000
    text = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    assert name.split("-")[0].split(".")[0] in text or name == "manifest.json"
