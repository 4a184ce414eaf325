import json
from pathlib import Path

import numpy as np
import pytest

from experiments import check_data, files, mnist
from experiments.files import pack, problems, read_manifest, write_atomically
from milpcount.errors import FileFormatError, InputError
from milpcount.network.network import Network

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture
def copy(tmp_path):
    """A data folder of two of the networks."""
    manifest = read_manifest(DATA)
    entries = [e for e in manifest.pop("networks") if e["seed"] == 0 and e["n1"] in (1, 2)]
    for entry in entries:
        write_atomically(tmp_path / entry["file"], (DATA / entry["file"]).read_bytes())
    files.write_manifest(tmp_path, manifest, entries)
    return tmp_path


def test_the_networks_are_those_of_the_manifest():
    assert list(problems(DATA)) == []


def test_there_are_ten_networks_of_each_configuration():
    entries = read_manifest(DATA)["networks"]
    assert len(entries) == 210
    found = {(entry["n1"], entry["n2"], entry["seed"]) for entry in entries}
    assert found == {(n1, 22 - n1, seed) for n1 in range(1, 22) for seed in range(10)}
    assert len({entry["sha256"] for entry in entries}) == 210
    assert sum(entry["bytes"] for entry in entries) < 10_000_000
    assert len({(e["epochs"], e["batch_size"], e["learning_rate"]) for e in entries}) == 1


def test_networks_that_are_not_narrow_err_as_published():
    errors = [e["test_error"] for e in read_manifest(DATA)["networks"] if 8 <= e["n1"] <= 18]
    assert 0.04 < np.mean(errors) < 0.08


def test_the_package_reads_a_network():
    with np.load(DATA / files.network_file(6, 16, 0)) as archive:
        weights, biases = ([archive[f"{kind}{i}"] for i in range(3)] for kind in "Wb")
    network = Network.from_arrays(weights, biases)
    assert network.architecture == "784-6-16-10"
    assert Network.load(DATA / files.network_file(6, 16, 0)).fingerprint == network.fingerprint


def test_the_manifest_tells_the_errors_on_mnist():
    if not all((mnist.NEARBY / f"{file.name}.gz").is_file() for file in mnist.FILES):
        pytest.skip(f"needs the MNIST files in {mnist.NEARBY}")
    entries = [e for e in read_manifest(DATA)["networks"] if e["n1"] in (1, 11) and e["seed"] == 4]
    assert list(check_data.other_accuracy(DATA, entries, mnist.load_mnist(mnist.NEARBY))) == []
    wrong = [{**entries[0], "test_error": 0.5}]
    found = list(check_data.other_accuracy(DATA, wrong, mnist.load_mnist(mnist.NEARBY)))
    assert len(found) == 1 and "test_error" in found[0]


def test_a_copy_is_well(copy, capsys):
    assert list(problems(copy)) == []
    assert check_data.main(["--data", str(copy)]) == 0
    assert "784-2-20-10" in capsys.readouterr().out


def test_what_differs_is_named(copy, capsys):
    first, second = (entry["file"] for entry in read_manifest(copy)["networks"])
    content = (copy / first).read_bytes()
    (copy / first).write_bytes(content[:-1])
    (copy / second).rename((copy / second).with_name("seed7.npz"))
    found = list(problems(copy))
    assert any(first in line and "bytes" in line for line in found)
    assert any(first in line and "SHA-256" in line for line in found)
    assert any(second in line and "no such file" in line for line in found)
    assert any("seed7.npz: not in the manifest" in line for line in found)
    assert check_data.main(["--data", str(copy)]) == 1
    assert capsys.readouterr().out.splitlines() == found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.astype(np.float64), "not float32"),
        (lambda w: w[:, 1:], "shapes"),
        (lambda w: np.where(w == w[0, 0], np.float32("nan"), w), "not finite"),
    ],
)
def test_arrays_are_checked_behind_the_hash(copy, change, said):
    manifest = read_manifest(copy)
    entry = manifest.pop("networks")[0]
    with np.load(copy / entry["file"]) as archive:
        arrays = dict(archive)
    content = pack({**arrays, "W0": change(arrays["W0"])})
    (copy / entry["file"]).write_bytes(content)
    entry |= {"bytes": len(content), "sha256": files.sha256(content)}
    files.write_manifest(copy, manifest, [entry])
    assert any(said in line for line in problems(copy))


def test_a_folder_without_manifest(tmp_path, capsys):
    with pytest.raises(InputError, match=r"has no manifest\.json"):
        list(problems(tmp_path))
    assert check_data.main(["--data", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"networks": 3}', '{"networks": [{"n1": 1}]}'])
def test_a_manifest_that_is_none(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(FileFormatError, match="is not a manifest"):
        read_manifest(tmp_path)


def test_the_manifest_is_read_as_written(copy):
    text = (copy / "manifest.json").read_text()
    manifest = json.loads(text)
    files.write_manifest(copy, manifest, manifest.pop("networks")[::-1])
    assert (copy / "manifest.json").read_text() == text


def test_a_kill_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "folder" / "network.npz"
    write_atomically(path, b"old")

    def killed(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in path.parent.iterdir()] == ["network.npz"]


def test_the_same_arrays_give_the_same_bytes():
    arrays = {"W0": np.ones((2, 3), np.float32), "b0": np.zeros(2, np.float32)}
    assert pack(arrays) == pack(arrays)
