"""ONNX spells one dense network in many ways; all of them must load as the very same network."""

import numpy as np
import pytest

from milpcount.errors import FileFormatError
from milpcount.network import Network
from milpcount.network.activation import clip, leaky_relu
from milpcount.network.onnx_reader import read_onnx

pytest.importorskip("onnx")

W = np.array([[1.0, -2.0, 3.0], [0.0, 1.0, -1.0], [2.0, 2.0, 0.0], [-1.0, 0.5, 4.0]])
B = np.array([1.0, -1.0, 0.0, 2.0])
W1 = np.array([[1.0, 2.0, -1.0, 0.0], [3.0, 0.0, 1.0, -2.0]])
B1 = np.array([0.5, -0.5])
END = [("Relu", "v", "h"), ("Gemm", "h W1 b1", "y", {"transB": 1})]
LAST = {"W1": W1, "b1": B1}
INT = np.int64

# name: (rows that make v from x, constants, shape of x)
SPELLINGS = {
    "Gemm with the weight transposed before": (
        [("Gemm", "x W b", "v")],
        {"W": W.T, "b": B},
        ["N", 3],
    ),
    "Gemm with transB": ([("Gemm", "x W b", "v", {"transB": 1})], {"W": W, "b": B}, ["N", 3]),
    "Gemm with alpha and beta": (
        [("Gemm", "x W b", "v", {"transB": 1, "alpha": 0.5, "beta": 4.0})],
        {"W": 2 * W, "b": B / 4},
        ["N", 3],
    ),
    "Gemm with transA, input as a column": (
        [("Gemm", "x W b", "v", {"transA": 1})],
        {"W": W.T, "b": B},
        [3, 1],
    ),
    "Gemm without C, then Add": (
        [("Gemm", "x W", "u", {"transB": 1}), ("Add", "u b", "v")],
        {"W": W, "b": B},
        ["N", 3],
    ),
    "MatMul, then Add": (
        [("MatMul", "x W", "u"), ("Add", "b u", "v")],
        {"W": W.T, "b": B},
        [1, 3],
    ),
    "MatMul with the constant on the left": (
        [("MatMul", "W x", "u"), ("Add", "u b", "t"), ("Transpose", "t", "v", {"perm": [1, 0]})],
        {"W": W, "b": B[:, None]},
        [3, 1],
    ),
    "MatMul of an input of rank 1": (
        [("MatMul", "W x", "u"), ("Add", "u b", "t"), ("Unsqueeze", "t zero", "v")],
        {"W": W, "b": B, "zero": np.array([0], INT)},
        [3],
    ),
    "Flatten of an image": (
        [("Flatten", "x", "u"), ("Gemm", "u W b", "v", {"transB": 1})],
        {"W": W, "b": B},
        [0, 1, 3, 1],
    ),
    "Reshape to a constant shape": (
        [("Reshape", "x shape", "u"), ("Gemm", "u W b", "v", {"transB": 1})],
        {"W": W, "b": B, "shape": np.array([-1, 3], INT)},
        ["N", 3, 1, 1],
    ),
    "Reshape to a shape that is cast": (
        [
            ("Cast", "short", "shape", {"to": 7}),
            ("Reshape", "x shape", "u"),
            ("Gemm", "u W b", "v", {"transB": 1}),
        ],
        {"W": W, "b": B, "short": np.array([1, -1], np.int32)},
        ["N", 1, 3],
    ),
    "Reshape to the batch of the input itself": (
        [
            ("Shape", "x", "s"),
            ("Gather", "s zero", "n", {"axis": 0}),
            ("Concat", "n minus", "shape", {"axis": 0}),
            ("Reshape", "x shape", "u"),
            ("Gemm", "u W b", "v", {"transB": 1}),
        ],
        {"W": W, "b": B, "zero": np.array([0], INT), "minus": np.array([-1], INT)},
        ["N", 3, 1],
    ),
    "Squeeze": (
        [("Squeeze", "x axis", "u"), ("Gemm", "u W b", "v", {"transB": 1})],
        {"W": W, "b": B, "axis": np.array([2], INT)},
        ["N", 3, 1],
    ),
    "input scaled by Sub and Mul": (
        [("Sub", "x mean", "t"), ("Mul", "t scale", "u"), ("Gemm", "u W b", "v", {"transB": 1})],
        {"W": W / 4, "b": B + W @ [2.0, 4.0, 8.0], "mean": [2.0, 4.0, 8.0], "scale": 4.0},
        ["N", 3],
    ),
    "input scaled by Div, subtracted from a constant": (
        [("Div", "x two", "t"), ("Sub", "zero t", "u"), ("Gemm", "u W b", "v", {"transB": 1})],
        {"W": -2 * W, "b": B, "two": 2.0, "zero": 0.0},
        ["N", 3],
    ),
    "Identity, Dropout and Cast": (
        [
            ("Identity", "x", "r"),
            ("Dropout", "r", "s mask"),
            ("Cast", "s", "t", {"to": 11}),
            ("Gemm", "t W b", "v", {"transB": 1}),
        ],
        {"W": W, "b": B},
        ["N", 3],
    ),
    "two affine maps in a row": (
        [("MatMul", "x twice", "t"), ("Neg", "t", "u"), ("Gemm", "u W b", "v", {"transB": 1})],
        {"W": W, "b": B, "twice": np.eye(3) * -1.0},
        ["N", 3],
    ),
    "BatchNormalization after it": (
        [
            ("Gemm", "x W b", "u", {"transB": 1}),
            ("BatchNormalization", "u scale shift mean var", "v", {"epsilon": 0.0}),
        ],
        {
            "W": W / 2,
            "b": np.zeros(4),
            "scale": np.full(4, 6.0),
            "shift": B - 2.0,
            "mean": np.full(4, -1.0),
            "var": np.full(4, 9.0),
        },
        ["N", 3],
    ),
    "Conv of one pixel": (
        [("Conv", "x W b", "u"), ("Flatten", "u", "v")],
        {"W": W[:, :, None, None], "b": B},
        ["N", 3, 1, 1],
    ),
    "cut apart and joined": (
        [
            ("Slice", "x zero one axis", "first"),
            ("Slice", "x one three axis", "rest"),
            ("Concat", "rest first", "u", {"axis": 1}),
            ("Gemm", "u W b", "v", {"transB": 1}),
        ],
        {
            "W": W[:, [1, 2, 0]],
            "b": B,
            **{"zero": np.array([0]), "one": np.array([1]), "three": np.array([3])},
            "axis": np.array([1]),
        },
        ["N", 3],
    ),
    "sum of two branches over one layer": (
        [
            ("MatMul", "x first", "s"),
            ("MatMul", "x second", "t"),
            ("Add", "s t", "u"),
            ("Add", "u b", "v"),
        ],
        {"first": W.T - 1, "second": np.ones((3, 4)), "b": B},
        ["N", 3],
    ),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_all_spellings_are_one_network(write_onnx, small, name):
    rows, constants, shape = SPELLINGS[name]
    path = write_onnx(rows + END, constants | LAST, shape)
    assert read_onnx(path).fingerprint == small.fingerprint
    path = write_onnx(rows + END, constants | LAST, shape, listed=True)  # initialisers as inputs
    assert read_onnx(path).fingerprint == small.fingerprint


@pytest.mark.parametrize("opset", [7, 9, 11, 14, 18, 21])
def test_operator_sets_old_and_new(write_onnx, small, opset):
    changed_since = {"Squeeze", "Unsqueeze", "Slice"}  # axes became an input
    for rows, constants, shape in SPELLINGS.values():
        if not changed_since & {row[0] for row in rows}:
            path = write_onnx(rows + END, constants | LAST, shape, opset=opset)
            assert read_onnx(path).fingerprint == small.fingerprint


def test_operator_set_too_old(write_onnx):
    with pytest.raises(FileFormatError, match=r"operator set 6, .* onnx\.version_converter"):
        read_onnx(write_onnx([("Relu", "x", "y")], {}, ["N", 3], opset=6))


def test_inputs_are_row_major_before_any_transpose(write_onnx):
    rows = [
        ("Transpose", "x", "t", {"perm": [0, 3, 1, 2]}),
        ("Flatten", "t", "u"),
        ("Gemm", "u W b", "v", {"transB": 1}),
        ("Relu", "v", "y"),
    ]
    weight = np.arange(24.0).reshape(2, 12) + 1
    net = read_onnx(write_onnx(rows, {"W": weight, "b": np.zeros(2)}, ["N", 2, 3, 2]))
    x = np.zeros((2, 3, 2))
    x[1, 2, 0] = 1.0  # row 1, column 2, channel 0: entry 5 once channels come first
    np.testing.assert_array_equal(net(x.ravel()), weight[:, 5])


@pytest.mark.parametrize("end", ["Softmax", "LogSoftmax", "Identity"])
def test_softmax_at_the_end_is_left_out(write_onnx, small, end):
    rows = [
        ("Gemm", "x W b", "v", {"transB": 1}),
        ("Relu", "v", "h"),
        ("Gemm", "h W1 b1", "z", {"transB": 1}),
        (end, "z", "y"),
    ]
    path = write_onnx(rows, {"W": W, "b": B, **LAST}, ["N", 3])
    assert read_onnx(path).fingerprint == small.fingerprint


def test_relu_after_the_output_makes_a_hidden_layer(write_onnx):
    rows = [*SPELLINGS["Gemm with transB"][0], *END[:-1], ("Gemm", "h W1 b1", "z", {"transB": 1})]
    path = write_onnx([*rows, ("Relu", "z", "y")], {"W": W, "b": B, **LAST}, ["N", 3])
    net = read_onnx(path)
    assert net.widths == (4, 2)
    assert net.output is None
    path = write_onnx(
        [*rows, ("Relu", "z", "r"), ("Neg", "r", "y")], {"W": W, "b": B, **LAST}, ["N", 3]
    )
    assert read_onnx(path).output is not None


def test_an_output_of_the_first_units_only(write_onnx):
    rows = [*SPELLINGS["Gemm with transB"][0], *END]
    constants = {"W": W, "b": B, "W1": np.eye(2, 4), "b1": np.zeros(2)}
    net = read_onnx(write_onnx(rows, constants, ["N", 3]))
    assert net.output is not None
    assert net.output.n_out == 2


ACTIVATIONS = {
    "LeakyRelu": ({"alpha": 0.25}, {}, leaky_relu(0.25)),
    "LeakyRelu by default": ({}, {}, leaky_relu(float(np.float32(0.01)))),
    "PRelu": ({}, {"slope": [0.25]}, leaky_relu(0.25)),
    "Clip": ({}, {"low": -1.0, "high": 2.0}, clip(-1.0, 2.0)),
    "Clip below": ({}, {"low": 0.0}, clip(0.0, np.inf)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_units(write_onnx, name):
    attributes, constants, expected = ACTIVATIONS[name]
    operator = name.split()[0]
    rows = [
        ("Gemm", "x W b", "v", {"transB": 1}),
        (operator, " ".join(["v", *constants]), "h", attributes),
        END[-1],
    ]
    net = read_onnx(write_onnx(rows, {"W": W, "b": B, **LAST, **constants}, ["N", 3]))
    assert net.layers[0].activation == expected
    assert net.fingerprint == Network.from_arrays([W, W1], [B, B1], activation=expected).fingerprint


def test_clip_bounds_as_attributes(write_onnx):
    rows = [
        ("Gemm", "x W b", "v", {"transB": 1}),
        ("Clip", "v", "h", {"min": 0.0, "max": 6.0}),
        END[-1],
    ]
    net = read_onnx(write_onnx(rows, {"W": W, "b": B, **LAST}, ["N", 3], opset=9, dtype=np.float32))
    assert net.layers[0].activation == clip(0.0, 6.0)


def test_float32_becomes_float64_exactly(write_onnx):
    weight = np.array([[0.1, 1 / 3, 1e-30]], np.float32)
    rows = [("Gemm", "x W b", "v", {"transB": 1}), ("Relu", "v", "y")]
    path = write_onnx(rows, {"W": weight, "b": np.zeros(1)}, ["N", 3], dtype=np.float32)
    np.testing.assert_array_equal(read_onnx(path).layers[0].affine.weight, weight.astype(float))
