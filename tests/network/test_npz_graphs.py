"""Graphs as .npz files: what is saved is what is read, and nothing malformed gets in."""

import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from milpcount.errors import InputError
from milpcount.network import (
    Dense,
    Elementwise,
    Layer,
    Network,
    Sparse,
    compose,
    leaky_relu,
    maxout,
    piecewise_linear,
    relu,
)

RNG = np.random.default_rng(8)


def a_sparse(n_out, n_in, share=0.3):
    kept = RNG.random((n_out, n_in)) < share
    matrix = sparse.csr_array(np.where(kept, RNG.uniform(size=kept.shape), 0.0))
    return Sparse(matrix, RNG.normal(size=n_out))


def scaling(n):
    return Elementwise(RNG.normal(size=n), RNG.normal(size=n), RNG.uniform(0.3, 3, size=n))


def dense(n_out, n_in):
    return Dense(RNG.normal(size=(n_out, n_in)), RNG.normal(size=n_out))


MIXED = [relu(), relu(), maxout(2), leaky_relu(0.5), piecewise_linear([0, 1], [0, 1, 0], [0, 0, 1])]
NETWORKS = {
    "a residual block": lambda: Network.from_layers(
        2,
        [({0: np.eye(2)}, [0, 1], relu()), ({0: np.eye(2), 1: -np.eye(2)}, [1, 1], relu())],
        ({0: [[1, 0]], 2: [[1, 1]]}, [0.5]),
    ),
    "sparse": lambda: Network((Layer(a_sparse(8, 5), relu()),), a_sparse(2, 8)),
    "units that differ": lambda: Network((Layer(dense(6, 3), MIXED),), dense(1, 5)),
    "no output": lambda: Network(
        (Layer(a_sparse(4, 3), relu()), Layer(dense(2, 2), relu(), [0, 5])), inputs=3
    ),
    "sparse factors": lambda: Network(
        (
            Layer(compose([a_sparse(6, 4), scaling(6)]), relu()),
            Layer(compose([scaling(3), a_sparse(5, 3)]), MIXED[:2] + MIXED[3:] + [relu()],
                  [1, 4, 6]),
        ),
        compose([a_sparse(4, 2), scaling(4), dense(2, 4)]),
        ("a note",),
        [0, 12],
        4,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_saved_and_loaded(tmp_path, name):
    net = NETWORKS[name]()
    net.save(tmp_path / "net.npz")
    again = Network.load(tmp_path / "net.npz")
    assert again.fingerprint == net.fingerprint and again.title == net.title
    assert again.notes == net.notes and again.n_inputs == net.n_inputs
    x = RNG.normal(size=(20, net.n_inputs))
    np.testing.assert_array_equal(again(x), net(x))
    assert all(type(a) is type(b) for a, b in zip(again.maps, net.maps, strict=True))


def test_runs_of_activations(tmp_path):
    NETWORKS["units that differ"]().save(tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz") as arrays:
        metadata = json.loads(arrays["metadata"].item())
    assert metadata["activations"][0][:2] == [[2, "relu"], [1, "maxout(2)"]]
    assert "inputs" not in metadata  # it reads the layer before


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_any_graph(tmp_path_factory, seed, widths):
    rng = np.random.default_rng(seed)
    sizes, layers = [3], []
    for width in widths:
        chosen = rng.permutation(len(sizes))[: rng.integers(1, len(sizes) + 1)]
        weights = {int(k): rng.integers(-1, 2, size=(width, sizes[k])) for k in chosen}
        kinds = [MIXED[k] for k in rng.choice([0, 3, 4], size=width)]
        layers.append((weights, rng.normal(size=width), kinds))
        sizes.append(width)
    net = Network.from_layers(3, layers)
    path = tmp_path_factory.mktemp("any") / "net.npz"
    net.save(path)
    assert Network.load(path).fingerprint == net.fingerprint


def whole():
    """Return the arrays of a graph: a sparse layer on columns 0 and 2 of three inputs."""
    metadata = {"activations": ["relu"], "output": False, "inputs": 3}
    return {
        "metadata": metadata,
        "data0": np.array([1.0, 2.0, 3.0]),
        "indices0": np.array([0, 0, 1]),
        "indptr0": np.array([0, 1, 3]),
        "shape0": np.array([2, 2]),
        "b0": np.zeros(2),
        "reads0": np.array([0, 2]),
    }


def loaded(tmp_path, changes):
    arrays = whole() | changes
    arrays["metadata"] = np.array(json.dumps(arrays["metadata"]))
    path = tmp_path / "net.npz"
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
    return Network.load(path)


def test_a_graph_by_hand(tmp_path):
    net = loaded(tmp_path, {})
    np.testing.assert_array_equal(net(np.array([1.0, 9.0, 2.0])), [1.0, 8.0])


def meta(**changes):
    return {"metadata": whole()["metadata"] | changes}


MALFORMED = {
    "negative column read": ({"reads0": np.array([-1, 2])}, r"reads columns -1 to 2: those before"),
    "decreasing columns read": ({"reads0": np.array([2, 0])}, "in increasing order"),
    "column read twice": ({"reads0": np.array([2, 2])}, "in increasing order"),
    "column that is not there": ({"reads0": np.array([0, 3])}, r"those before it are 0 to 2"),
    "too many columns": ({"reads0": np.array([0, 1, 2])}, "of 2 inputs reads 3 columns"),
    "columns that are no integers": ({"reads0": np.array([0.0, 2.0])}, "must be integers"),
    "no number of inputs": (meta(inputs=None), "say how many inputs there are"),
    "no inputs": (meta(inputs=0), "with inputs 0: a positive integer"),
    "inputs as text": (meta(inputs="3"), "a positive integer is needed"),
    "very many inputs": (meta(inputs=10**12), "inputs: .* are the most"),
    "negative index": ({"indices0": np.array([0, -1, 1])}, "columns are 0 to 1"),
    "index out of range": ({"indices0": np.array([0, 0, 2])}, "columns are 0 to 1"),
    "index of 64 bits": ({"indices0": np.array([0, 0, 2**64 - 1], np.uint64)}, "columns are 0 to"),
    "decreasing indices": ({"indices0": np.array([0, 1, 0])}, "the columns of a row must increase"),
    "index twice": ({"indices0": np.array([0, 1, 1])}, "the columns of a row must increase"),
    "indices that are floats": ({"indices0": np.array([0.0, 0.0, 1.0])}, "a list of integers"),
    "indices in a table": ({"indices0": np.array([[0, 0, 1]])}, "a list of integers"),
    "indptr not from 0": ({"indptr0": np.array([1, 1, 3])}, "must rise from 0 to the 3 numbers"),
    "indptr that falls": ({"indptr0": np.array([0, 4, 3])}, "must rise from 0"),
    "indptr that ends early": ({"indptr0": np.array([0, 1, 2])}, "must rise from 0"),
    "indptr too long": ({"indptr0": np.array([0, 1, 3, 3])}, "one number more than there are rows"),
    "indptr empty": ({"indptr0": np.zeros(0, int)}, "one number more than there are rows"),
    "shape of one size": ({"shape0": np.array([2])}, "two positive sizes"),
    "shape without columns": ({"shape0": np.array([2, 0])}, "two positive sizes"),
    "very many columns": ({"shape0": np.array([2, 2**62])}, "columns of shape0: .* are the most"),
    "too few numbers": ({"data0": np.ones(2)}, "3 numbers are needed"),
    "numbers that are none": ({"data0": np.array([1.0, np.nan, 1.0])}, "holds nan"),
    "complex data": ({"data0": np.ones(3, complex)}, "float32 or float64"),
    "no bias": ({"b0": None}, "an .npz network has the keys"),
    "both kinds of matrix": ({"W0": np.eye(2)}, "an .npz network has the keys"),
    "too few units": (meta(activations=[[[1, "relu"]]]), "take 1 pre-activations: the map has 2"),
    "very many units": (meta(activations=[[[10**15, "relu"]]]), "the map has 2 outputs"),
    "a run that is none": (meta(activations=[[["relu", 2]]]), "runs .number of units, activation."),
    "a negative run": (meta(activations=[[[-1, "relu"], [3, "relu"]]]), "runs .number of units"),
    "no runs": (meta(activations=[[]]), "a layer has no activation"),
    "reads of no map": ({"reads1": np.array([0])}, "keys"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(tmp_path, name):
    changes, message = MALFORMED[name]
    with pytest.raises(InputError, match=message) as caught:
        loaded(tmp_path, changes)
    assert "\n" not in str(caught.value)


def test_without_one_of_its_arrays_a_graph_is_refused(tmp_path):
    net = NETWORKS["sparse factors"]()
    net.save(tmp_path / "net.npz")
    with zipfile.ZipFile(tmp_path / "net.npz") as archive:
        names = archive.namelist()
        contents = {name: archive.read(name) for name in names}
    for left_out in set(names) - {"metadata.npy"}:  # without it all units are rectifiers
        with zipfile.ZipFile(tmp_path / "less.npz", "w") as archive:
            for name in names:
                if name != left_out:
                    archive.writestr(name, contents[name])
        with pytest.raises(InputError):
            Network.load(tmp_path / "less.npz")
