"""What is saved comes back as the same network; what is wrong with a file is said in one line."""

import json
import os
import re
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from milpcount.errors import FileFormatError, NetworkError, NotInstalledError
from milpcount.network import Layer, Network, leaky_relu, piecewise_linear, relu
from milpcount.network.activation import Activation, Piece, Row, clip
from milpcount.network.affine import Dense
from milpcount.network.files import load, save
from milpcount.network.onnx_reader import read_onnx

ANY = st.floats(allow_nan=False, allow_infinity=False)
MAXOUT = Activation(
    "the greater of two",
    2,
    (Row(0, 1, 0.0),),
    (Piece(1, 1.0, 0.0, ((0, -1),)), Piece(0, 1.0, 0.0, ((0, 1),))),
)


@st.composite
def bent(draw) -> Activation:
    """Any scalar activation, continuous or not."""
    breakpoints = sorted(draw(st.sets(st.integers(-5, 5), min_size=1, max_size=3)))
    numbers = st.lists(ANY, min_size=len(breakpoints) + 1, max_size=len(breakpoints) + 1)
    return piecewise_linear([t / 3 for t in breakpoints], draw(numbers), draw(numbers))


UNITS = st.one_of(
    st.just(relu()),
    ANY.filter(lambda slope: slope != 1).map(leaky_relu),
    st.just(clip(-1.0, 1.0)),
    st.just(piecewise_linear([0.5], [0.0, 1.0], [0.0, 0.0], "a name of my own")),
    st.just(MAXOUT),
    bent(),
)


@st.composite
def networks(draw) -> Network:
    """Any network of a few units, with any finite weights."""

    def affine(n_out: int, n_in: int) -> Dense:
        numbers = st.lists(ANY, min_size=n_out * n_in, max_size=n_out * n_in)
        bias = draw(st.lists(ANY, min_size=n_out, max_size=n_out))
        return Dense(np.reshape(draw(numbers), (n_out, n_in)), bias)

    sizes, layers = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4)), []
    for n_in, n_out in pairwise(sizes):
        unit = draw(UNITS)
        layers.append(Layer(affine(n_out * unit.rank, n_in), unit))
    output = affine(draw(st.integers(1, 2)), sizes[-1]) if draw(st.booleans()) else None
    return Network(tuple(layers), output)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=networks())
def test_any_network_comes_back_the_same(tmp_path_factory, network):
    path = tmp_path_factory.mktemp("npz") / "net.npz"
    save(network, path)
    again = load(path)
    assert again.fingerprint == network.fingerprint
    assert [y.activation for y in again.layers] == [y.activation for y in network.layers]
    assert (again.output is None) == (network.output is None)


def test_plain_arrays_mean_relu_after_all_but_the_last(tmp_path):
    path = tmp_path / "net.npz"
    np.savez(path, W0=[[1.0, -1.0]], b0=[0.0], W1=[[2.0]], b1=[1.0])
    net = load(path)
    assert net.architecture == "2-1-1"
    np.testing.assert_array_equal(net(np.array([[3.0, 1.0], [1.0, 3.0]])), [[5.0], [1.0]])


def test_float32_becomes_float64_exactly(tmp_path):
    path, weight = tmp_path / "net.npz", np.array([[0.1], [1 / 3]], np.float32)
    np.savez(path, W0=weight, b0=np.zeros(2, np.float32), W1=weight.T, b1=np.zeros(1, np.float16))
    stored = load(path).layers[0].affine.weight
    assert stored.dtype == np.float64
    np.testing.assert_array_equal(stored, weight.astype(np.float64))


def test_metadata_may_hold_notes(tmp_path, small):
    path = tmp_path / "net.npz"
    maps = {"W0": small.layers[0].affine.weight, "b0": small.layers[0].affine.bias}
    notes = {"output": False, "activations": ["leaky_relu(0.25)"], "accuracy": 0.98}
    np.savez(path, metadata=np.array(json.dumps(notes)), **maps)
    net = load(str(path))
    assert net.output is None
    assert net.layers[0].activation == leaky_relu(0.25)


GOOD = {"W0": np.ones((2, 3)), "b0": np.zeros(2), "W1": np.ones((1, 2)), "b1": np.zeros(1)}


def meta(**content) -> dict[str, np.ndarray]:
    return {"metadata": np.array(json.dumps(content))}


BAD_ARRAYS = {
    "no arrays": ({}, FileFormatError, r"keys \[\]: an .npz network has the keys W0, b0"),
    "a bias is missing": (GOOD | {"b1": None}, FileFormatError, r"keys \['W1'\]: an .npz"),
    "a layer is missing": (GOOD | {"W0": None, "b0": None}, FileFormatError, r"\['W1', 'b1'\]"),
    "an unknown array": (GOOD | {"mask0": np.ones(2)}, FileFormatError, "'mask0' is not known"),
    "a weight of rank 1": (GOOD | {"W1": np.ones(2)}, NetworkError, r"W1, b1: .* \(2,\)"),
    "a bias of another size": (GOOD | {"b0": np.zeros(3)}, NetworkError, r"W0, b0: .* \(3,\)"),
    "shapes do not chain": (
        GOOD | {"W1": np.ones((1, 3))},
        NetworkError,
        "layer 2 takes 3 inputs but the layer before it has 2 outputs",
    ),
    "nan": (
        GOOD | {"W0": np.array([[0, 0, 0], [0, np.nan, 0]])},
        NetworkError,
        r"W0, b0: weight holds nan at \(1, 1\)",
    ),
    "inf": (GOOD | {"b1": np.array([-np.inf])}, NetworkError, "W1, b1: bias holds -inf"),
    "complex": (GOOD | {"W0": np.ones((2, 3)) * 1j}, FileFormatError, "W0 has type complex128"),
    "text": (GOOD | {"b0": np.array(["a", "b"])}, FileFormatError, "b0 has type <U1"),
    "pickled objects": (
        GOOD | {"b0": np.array([{}, {}], dtype=object)},
        FileFormatError,
        "b0.npy holds Python objects",
    ),
    "metadata is not JSON": (
        GOOD | {"metadata": np.array("{")},
        FileFormatError,
        "metadata is not JSON",
    ),
    "metadata is a list": (
        GOOD | {"metadata": np.array("[]")},
        FileFormatError,
        "metadata is a list: an object is needed",
    ),
    "too few activations": (
        GOOD | meta(activations=[]),
        FileFormatError,
        "0 activations for 1 hidden layers",
    ),
    "activations are no list": (
        GOOD | meta(activations="relu"),
        FileFormatError,
        "activations 'relu': a list is needed",
    ),
    "an unknown activation": (
        GOOD | meta(activations=["tanh"]),
        NetworkError,
        "activation 'tanh' is not known: allowed are relu, leaky_relu",
    ),
    "half an activation": (
        GOOD | meta(activations=[{"name": "n", "rank": 1, "rows": []}]),
        FileFormatError,
        "cannot be read .*give a name or a table",
    ),
    "output is no truth value": (GOOD | meta(output=1), FileFormatError, "output 1: true or fal"),
    "slopes for other layers": (
        GOOD | {"leaky_alpha": np.full(3, 0.1)},
        FileFormatError,
        "3 activations for 1 hidden layers",
    ),
}


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_bad_arrays(tmp_path, name):
    arrays, error, message = BAD_ARRAYS[name]
    path = tmp_path / "net.npz"
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    with pytest.raises(error, match=message) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_cut_anywhere_an_archive_is_refused(tmp_path, small):
    whole, cut = tmp_path / "whole.npz", tmp_path / "cut.npz"
    save(small, whole)
    content = whole.read_bytes()
    for length in range(0, len(content), 7):
        cut.write_bytes(content[:length])
        with pytest.raises(FileFormatError, match=r"not a readable \.npz archive"):
            load(cut)


def test_flipped_bits_are_noticed(tmp_path, small):
    whole, broken = tmp_path / "whole.npz", tmp_path / "broken.npz"
    save(small, whole)
    content = whole.read_bytes()
    at = content.index(np.float64(3.0).tobytes())
    broken.write_bytes(content[:at] + b"\x01" + content[at + 1 :])
    with pytest.raises(FileFormatError, match="CRC"):
        load(broken)


def test_a_bare_array_is_no_archive(tmp_path):
    path = tmp_path / "net.npz"
    with path.open("wb") as stream:
        np.save(stream, np.ones(3))
    with pytest.raises(FileFormatError, match=r"not a readable \.npz archive"):
        load(path)


@pytest.mark.parametrize("given", ["nowhere.npz", "folder", "text.txt", "none"])
def test_paths_that_are_no_networks(tmp_path, given):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.txt").touch()
    (tmp_path / "none").touch()
    with pytest.raises(FileFormatError, match=r"a network as \.npz, \.onnx, \.pt2 or") as caught:
        load(tmp_path / given)
    assert str(tmp_path / given) in str(caught.value)


@pytest.mark.parametrize("name", ["net.onnx", "net.nnet", "net", "net.npz.bak"])
def test_only_npz_is_written(tmp_path, small, name):
    with pytest.raises(FileFormatError, match=r"written as \.npz"):
        save(small, tmp_path / name)
    assert not any(tmp_path.iterdir())


def test_saving_into_a_folder_that_is_not_there(tmp_path, small):
    with pytest.raises(FileFormatError, match="cannot be written: No such file or directory"):
        save(small, tmp_path / "nowhere" / "net.npz")


def test_a_failed_save_leaves_the_old_file(tmp_path, small, monkeypatch):
    path = tmp_path / "net.npz"
    save(small, path)
    before = path.read_bytes()

    def half(stream, **arrays):
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", half)
    with pytest.raises(FileFormatError, match="No space left on device"):
        save(small, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_saving_replaces_and_leaves_nothing_else(tmp_path, small):
    path = tmp_path / "net.npz"
    path.write_text("old")
    save(small, path)
    assert load(path).fingerprint == small.fingerprint
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o666 & ~current_umask()


def test_the_same_network_gives_the_same_bytes(tmp_path, small):
    first, second = tmp_path / "a.npz", tmp_path / "b.npz"
    save(small, first)
    save(small, second)
    assert first.read_bytes() == second.read_bytes()


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_network_methods(tmp_path, small):
    path = Path(tmp_path / "NET.NPZ")
    small.save(path)
    assert Network.load(path).fingerprint == small.fingerprint


@pytest.mark.parametrize(
    ("module", "use", "command"),
    [
        ("onnx", read_onnx, "milpcount[onnx]"),
        ("torch", Network.from_torch, "milpcount[torch]"),
        ("sklearn", Network.from_sklearn, "milpcount[sklearn]"),
        ("omlt", Network.from_omlt, "milpcount[omlt]"),
    ],
)
def test_optional_packages_are_asked_for(monkeypatch, module, use, command):
    for name in [name for name in sys.modules if name.startswith(f"{module}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    needed = f"which is not installed: pip install '{command}'"
    with pytest.raises(NotInstalledError, match=re.escape(needed)):
        use(__file__)


def test_a_box_beside_the_network(tmp_path):
    arrays = {"W0": np.eye(2), "b0": np.zeros(2), "W1": np.ones((1, 2)), "b1": np.zeros(1)}
    np.savez(tmp_path / "plain.npz", **arrays)
    np.savez(tmp_path / "box.npz", **arrays, lo=-np.ones(2), hi=np.ones(2))
    plain, found = (Network.load(tmp_path / f"{name}.npz") for name in ("plain", "box"))
    assert found.fingerprint == plain.fingerprint
    assert found.notes == ("left out: the box lo, hi of the file; give the domain yourself",)
    np.savez(tmp_path / "wrong.npz", **arrays, lo=-np.ones(3), hi=np.ones(3))
    with pytest.raises(FileFormatError, match=r"lo and hi have shapes .*: the network has 2 inpu"):
        Network.load(tmp_path / "wrong.npz")
    np.savez(tmp_path / "half.npz", **arrays, lo=-np.ones(2))
    with pytest.raises(FileFormatError, match="'lo' is not known"):
        Network.load(tmp_path / "half.npz")


def test_reading_includes_the_fingerprint_which_takes_seconds_of_large_networks(small, tmp_path):
    assert "fingerprint" not in vars(small)
    small.save(tmp_path / "net.npz")
    assert "fingerprint" in vars(Network.load(tmp_path / "net.npz"))
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    assert "fingerprint" in vars(Network.from_torch(module))
