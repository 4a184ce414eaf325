"""`milpcount regions`, and linear regions from the shell."""

import json

import numpy as np
import pytest
from scipy.io import loadmat

import milpcount as mc
from milpcount.cli.group import STOPPED
from milpcount.network import Dense


@pytest.fixture
def net(tmp_path):
    # ReLU(x), ReLU(-x), ReLU(y) and their sum: |x| + ReLU(y)
    network = mc.Network.from_arrays([[[1, 0], [-1, 0], [0, 1]], [[1, 1, 1]]], [[0, 0, 0], [0]])
    path = tmp_path / "net.npz"
    network.save(path)
    return path


@pytest.mark.parametrize("suffix", [".npz", ".parquet", ".mat", ".json", ".csv"])
def test_regions_into_a_file(invoke, net, tmp_path, suffix):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="no pyarrow is installed")
    target = tmp_path / f"regions{suffix}"
    done = invoke("regions", net, "--box", -1, 1, "-o", target)
    assert done.exit_code == 0, done.stderr
    assert "activation regions  4" in done.stdout and target.stat().st_size > 100
    if suffix in (".npz", ".parquet"):
        found = mc.load_partition(target, mc.Network.load(net))
        assert len(found) == 4 and found.result.verify()
    if suffix == ".mat":
        assert loadmat(target)["A"].shape == (4, 1)
    if suffix == ".json":
        law = json.loads(target.read_text())
        assert len(law["regions"]) == 4 and np.array(law["directions"]).tolist() == [[1, 0], [0, 1]]


def test_bounded_and_unbounded_regions(invoke, net):
    done = invoke("regions", net, "--unbounded")
    assert done.exit_code == 0 and "unbounded           4" in done.stdout
    assert "active units        1: 2, 2: 2" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--box", -1, 1, "-o", "regions.txt"), "ends in .npz, .parquet, .mat, .json"),
        (("-o", "regions.mat"), "--box"),
    ],
)
def test_what_is_refused(invoke, net, arguments, line):
    done = invoke("regions", net, *arguments)
    assert done.exit_code == 2 and line in done.stderr


@pytest.mark.parametrize(
    ("quantity", "count"),
    [
        ("linear_regions", 4),
        ("closed_linear_regions", 4),
        ("affine_pieces", 4),
        ("live_regions", 4),
    ],
)
def test_counts(invoke, net, tmp_path, quantity, count):
    target = tmp_path / "kept.npz"
    arguments = ("count", net, "--box", -1, 1, "--quantity", quantity)
    done = invoke(*arguments, "--json", "--keep", target)
    assert done.exit_code == 0
    record = json.loads(done.stdout)
    assert (record["lower"], record["upper"], record["quantity"]) == (f"{count}",) * 2 + (quantity,)
    proof = invoke("verify", target, net)
    assert proof.exit_code == 0 and f"lower bound {count} proved" in proof.stdout
    assert invoke(*arguments, "--regions", 2).exit_code == STOPPED


@pytest.mark.parametrize(("quantity", "count"), [("boundary_regions", 4), ("boundary_pieces", 4)])
def test_boundaries(invoke, net, tmp_path, quantity, count):
    # |x| + ReLU(y) - 1/2: the network decides 1 where that is positive
    whole = mc.Network.load(net)
    below = mc.Network(whole.layers, Dense([[1, 1, 1]], [-0.5]))
    path, target = tmp_path / "below.npz", tmp_path / "kept.npz"
    below.save(path)
    done = invoke("count", path, "--box", -1, 1, "--quantity", quantity, "--keep", target)
    assert done.exit_code == 0 and f"{quantity.replace('_', ' ')}  {count}   exact" in done.stdout
    proof = invoke("verify", target, path)
    assert proof.exit_code == 0 and f"lower bound {count} proved" in proof.stdout


def test_a_boundary_is_drawn(invoke, net, tmp_path):
    pytest.importorskip("matplotlib")
    target = tmp_path / "boundary.png"
    arguments = ("plot", "boundary", net, "--box", -1, 1, "-o", target)
    assert invoke(*arguments, "--threshold", 0.5).exit_code == 0
    assert target.read_bytes()[:4] == b"\x89PNG"
    wrong = invoke(*arguments, "--component", 1)
    assert wrong.exit_code == 2 and "only a function" in wrong.stderr
    wrong = invoke("plot", "function", *arguments[2:], "--threshold", 0.5)
    assert wrong.exit_code == 2 and "only a boundary" in wrong.stderr


def test_methods_are_compared(invoke, net):
    done = invoke("compare", net, "--box", -1, 1, "--quantity", "linear_regions", "--time", 30)
    assert done.exit_code == 0, done.stderr
