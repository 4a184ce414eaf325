"""A fixed batch is several inputs, not one: the network of one row is read, or none."""

import json

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import NetworkError
from milpcount.network import Dense, Layer, Network, maxout, relu
from milpcount.network.batch import without_batch
from milpcount.network.onnx_reader import read_onnx

pytest.importorskip("onnx")
RNG = np.random.default_rng(5)
W = np.array([[1.0, -2.0, 3.0], [0.0, 1.0, -1.0], [2.0, 2.0, 0.0], [-1.0, 0.5, 4.0]])
B = np.array([1.0, -1.0, 0.0, 2.0])
W1 = np.array([[1.0, 2.0, -1.0, 0.0], [3.0, 0.0, 1.0, -2.0]])
B1 = np.array([0.5, -0.5])
CONSTANTS = {"W": W, "b": B, "W1": W1, "b1": B1}
GEMM = ("Gemm", "x W b", "v", {"transB": 1})
END = [("Relu", "v", "h"), ("Gemm", "h W1 b1", "y", {"transB": 1})]


def test_a_network_exported_for_two_inputs_at_once(shared_data):
    folder = shared_data / "field"
    expected = json.loads((folder / "expected.json").read_text())["fixed_batch2.onnx"]
    net = Network.load(folder / "fixed_batch2.onnx")
    assert net.architecture == "2-5-5-1"
    found = mc.count(net, mc.Box(*expected["box"]), mc.ExactTree())
    assert found.lower == found.upper == expected["activation_regions"] == 8


# name: (rows that make v from x, further constants)
BATCHES = {
    "Gemm": ([GEMM], {}),
    "MatMul, then Add": (
        [("MatMul", "x Wt", "u"), ("Add", "b u", "v")],
        {"Wt": W.T},
    ),
    "a normalisation that no float64 matrix is": (
        [("Sub", "x mean", "t"), ("Div", "t three", "u"), ("Gemm", "u W b", "v", {"transB": 1})],
        {"mean": [0.1, 0.2, 0.3], "three": np.array(3.0)},
    ),
    "matrices in a row that are none": (
        [("MatMul", "x thirds", "u"), ("Gemm", "u W b", "v", {"transB": 1})],
        {"thirds": np.array([[1.0, 2.0, 4.0], [0.0, 1.0, 8.0], [1.0, 0.0, 0.5]]) / 3},
    ),
    "rows that become columns": (
        [
            ("Transpose", "x", "t", {"perm": [1, 0]}),
            ("MatMul", "W t", "u"),
            ("Add", "u column", "s"),
            ("Transpose", "s", "v", {"perm": [1, 0]}),
        ],
        {"column": B[:, None]},
    ),
    "cut apart and joined": (
        [
            ("Slice", "x zero one axis", "first"),
            ("Slice", "x one three axis", "rest"),
            ("Concat", "first rest", "u", {"axis": 0}),
            ("Gemm", "u W b", "v", {"transB": 1}),
        ],
        {
            "zero": np.array([0]),
            "one": np.array([1]),
            "three": np.array([3]),
            "axis": np.array([0]),
        },
    ),
}


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_is_the_network_of_one_row(write_onnx, name, size):
    rows, further = BATCHES[name]
    one = read_onnx(write_onnx(rows + END, CONSTANTS | further, [1, 3]))
    net = read_onnx(write_onnx(rows + END, CONSTANTS | further, [size, 3]))
    assert net.fingerprint == one.fingerprint and net.architecture == "3-4-2"
    assert net.notes == (
        f"a fixed batch of {size} was left out: its rows never meet and are treated alike",
    )


def test_units_as_columns(write_onnx, small):
    rows = [
        ("Transpose", "x", "t", {"perm": [1, 0]}),
        ("MatMul", "W t", "u"),
        ("Add", "u c", "v"),
        ("Relu", "v", "h"),
        ("MatMul", "W1 h", "s"),
        ("Add", "s c1", "y"),
    ]
    constants = {"W": W, "c": B[:, None], "W1": W1, "c1": B1[:, None]}
    assert read_onnx(write_onnx(rows, constants, [2, 3])).fingerprint == small.fingerprint


def test_units_of_zero_weights_stay_in_their_row(write_onnx):
    dead = W * [[1.0], [0.0], [1.0], [0.0]]
    rows = [GEMM, *END]
    one, two = (read_onnx(write_onnx(rows, CONSTANTS | {"W": dead}, [n, 3])) for n in (1, 2))
    assert two.fingerprint == one.fingerprint and two.architecture == "3-4-2"


def test_units_of_zero_weights_as_columns(write_onnx):
    dead = W * [[1.0], [0.0], [1.0], [0.0]]
    rows = [
        ("Transpose", "x", "t", {"perm": [1, 0]}),
        ("MatMul", "W t", "u"),
        ("Add", "u c", "v"),
        ("Relu", "v", "h"),
        ("MatMul", "W1 h", "y"),
    ]
    path = write_onnx(rows, {"W": dead, "c": B[:, None], "W1": W1}, [2, 3])
    with pytest.raises(NetworkError, match="fixed batch of 2"):  # where they belong is not known
        read_onnx(path)


def test_images(write_onnx):
    rows = [("Conv", "x w", "u"), ("Relu", "u", "h"), ("Flatten", "h", "f"), ("MatMul", "f m", "y")]
    constants = {"w": RNG.normal(size=(2, 1, 2, 2)), "m": RNG.normal(size=(8, 3))}
    one, four = (read_onnx(write_onnx(rows, constants, [n, 1, 3, 3])) for n in (1, 4))
    assert four.fingerprint == one.fingerprint and four.architecture == "9-8-3"


def test_a_batch_without_an_output_layer(write_onnx):
    one, two = (
        read_onnx(write_onnx([GEMM, ("Relu", "v", "y")], {"W": W, "b": B}, [n, 3])) for n in (1, 2)
    )
    assert two.fingerprint == one.fingerprint and two.output is None


def test_a_batch_of_an_affine_map_alone(write_onnx):
    rows = [("Gemm", "x W b", "y", {"transB": 1})]
    one, two = (read_onnx(write_onnx(rows, {"W": W, "b": B}, [n, 3])) for n in (1, 2))
    assert two.fingerprint == one.fingerprint and two.n_units == 0 and two.n_inputs == 3


# name: (rows, constants, shape, architecture)
ONE_INPUT = {
    "rows that are flattened": (
        [("Flatten", "x", "f", {"axis": 0}), ("MatMul", "f m", "u"), ("Relu", "u", "y")],
        {"m": RNG.normal(size=(15, 4))},
        [5, 3],
        "15-4",
    ),
    "rows that are reshaped": (
        [("Reshape", "x shape", "f"), ("MatMul", "f m", "u"), ("Relu", "u", "y")],
        {"m": RNG.normal(size=(6, 4)), "shape": np.array([1, -1])},
        [2, 3],
        "6-4",
    ),
    "a column": (
        [("MatMul", "W x", "u"), ("Relu", "u", "h"), ("MatMul", "W1 h", "y")],
        {"W": W, "W1": RNG.normal(size=(3, 4))},
        [3, 1],
        "3-4-3",
    ),
    "rows that meet in the output only": (
        [GEMM, ("Relu", "v", "h"), ("MatMul", "both h", "y")],
        {"W": W, "b": B, "both": np.ones((1, 2))},
        [2, 3],
        "6-8-4",
    ),
    "rows of a graph": (
        [("MatMul", "edges x", "t"), ("MatMul", "t Wt", "u"), ("Relu", "u", "y")],
        {"edges": np.array([[1.0, 1.0], [0.0, 1.0]]), "Wt": W.T},
        [2, 3],
        "6-8",
    ),
    "a vector": ([("MatMul", "W x", "u"), ("Relu", "u", "y")], {"W": W}, [3], "3-4"),
}


@pytest.mark.parametrize("name", ONE_INPUT)
def test_rows_that_meet_are_one_input(write_onnx, name):
    rows, constants, shape, architecture = ONE_INPUT[name]
    assert read_onnx(write_onnx(rows, constants, shape)).architecture == architecture


APART = {
    "a bias for each row": ([GEMM, ("Add", "v rows", "u"), ("Relu", "u", "y")], {}, "layer 1"),
    "a weight for each row": ([GEMM, ("Mul", "v rows", "u"), ("Relu", "u", "y")], {}, "layer 1"),
    "an output of one row": ([GEMM, *END[:1], ("Gather", "h first", "y", {"axis": 0})], {}, "er 2"),
    "an output of another sign": (
        [GEMM, *END[:1], ("Mul", "h sign", "y")],
        {"sign": np.array([[1.0], [-1.0]])},
        "layer 2",
    ),
}


@pytest.mark.parametrize("name", APART)
def test_rows_that_are_not_treated_alike(write_onnx, name):
    rows, further, layer = APART[name]
    further = {"rows": RNG.normal(size=(2, 4)), "first": np.array([0])} | further
    used = {source for row in rows for source in row[1].split()}
    constants = {k: v for k, v in (CONSTANTS | further).items() if k in used}
    with pytest.raises(NetworkError, match=f"fixed batch of 2, and .*{layer} does not") as caught:
        read_onnx(write_onnx(rows, constants, [2, 3]))
    assert "export the model with a dynamic batch axis or a batch of 1" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_large_batch(write_onnx):
    net = read_onnx(write_onnx([("Relu", "x", "y")], {}, [64, 784]))
    assert net.architecture == "784-784" and "fixed batch of 64" in net.notes[0]


def test_a_batch_too_large_to_read(write_onnx):
    path = write_onnx([("Relu", "x", "y")], {}, [1 << 20, 784])
    with pytest.raises(NetworkError, match="its first dimension, 1048576, is a batch, export the"):
        read_onnx(path)


GRAPHS = {
    "a skip": ([*END[:1], ("Add", "h v", "y")], {}),
    "a skip over a layer": (
        [*END[:1], ("Gemm", "h W1 b1", "u", {"transB": 1}), ("Concat", "u x", "y", {"axis": 1})],
        {},
    ),
    "branches": (
        [*END[:1], ("Relu", "x", "g"), ("Concat", "g h x", "y", {"axis": 1})],
        {},
    ),
    "a maximum of branches": (
        [("Gemm", "x W2 b", "w", {"transB": 1}), ("Max", "v w", "h"), END[1]],
        {"W2": -W[::-1]},
    ),
    "slopes": ([("PRelu", "v slopes", "h"), END[1]], {"slopes": [0.5, 0.25, 1.0, -1.0]}),
    "a skip that is normalised": (
        [("Div", "x three", "t"), ("Relu", "x", "g"), ("Sub", "g t", "y")],
        {"three": 3.0},
    ),
}


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("name", GRAPHS)
def test_a_batch_of_a_graph(write_onnx, name, size):
    rows, further = GRAPHS[name]
    one, net = (
        read_onnx(write_onnx([GEMM, *rows], CONSTANTS | further, [n, 3])) for n in (1, size)
    )
    assert net.fingerprint == one.fingerprint and "fixed batch" in net.notes[0]


def test_rows_that_meet_in_a_skip_are_one_input(write_onnx):
    rows = [("Relu", "x", "h"), ("Gather", "h swapped", "g"), ("Add", "g x", "y")]
    net = read_onnx(write_onnx(rows, {"swapped": np.array([1, 0])}, [2, 3]))
    assert net.n_inputs == 6 and not net.notes


def test_units_of_several_values():
    weight = RNG.normal(size=(4, 2))
    both = np.block([[weight, np.zeros((4, 2))], [np.zeros((4, 2)), weight]])
    net = Network((Layer(Dense(both, np.zeros(8)), maxout(2)),))
    one = without_batch(net, 2)
    assert one.architecture == "2-2"
    np.testing.assert_array_equal(one.layers[0].affine.weight, weight)
    # Values of one unit that come from two rows.
    mixed = Network((Layer(Dense(both[[0, 4, 1, 5]], np.zeros(4)), maxout(2)),))
    assert without_batch(mixed, 2) is mixed


def test_a_path_through_a_unit_that_depends_on_no_row():
    first = Dense(np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), [0.0, 1.0, 0.0, 1.0])
    # Each row uses the constant unit of the other one: alike, but not row by row.
    second = Dense([[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0]], [0.0, 0.0])
    net = Network((Layer(first, relu()), Layer(second, relu())))
    with pytest.raises(NetworkError, match="fixed batch of 2, and layer 2 does not treat"):
        without_batch(net, 2)
