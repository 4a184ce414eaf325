"""Convolutions and poolings as dense maps, against PyTorch; and what is refused, by name."""

import re

import numpy as np
import pytest

from milpcount.errors import FileFormatError, NetworkError
from milpcount.network import Network
from milpcount.network.onnx_reader import read_onnx

pytest.importorskip("onnx")
RNG = np.random.default_rng(3)


def images(rows: list, constants: dict, shape: list[int], write_onnx) -> tuple:
    """Return random images, and what the one layer of units in the file makes of them."""
    net = read_onnx(write_onnx([*rows, ("Relu", "v", "y")], constants, ["N", *shape]))
    x = RNG.normal(size=(5, *shape))
    return x, net(x.reshape(5, -1))


CONVOLUTIONS = [
    {},
    {"strides": [2, 1]},
    {"pads": [1, 2, 1, 2], "strides": [2, 3]},
    {"dilations": [2, 1], "pads": [1, 0, 1, 0]},
    {"group": 2},
]


@pytest.mark.parametrize("attributes", CONVOLUTIONS, ids=str)
def test_convolution(write_onnx, attributes):
    torch = pytest.importorskip("torch")
    weight = RNG.normal(size=(4, 4 // attributes.get("group", 1), 3, 2))
    bias = RNG.normal(size=4)
    rows = [("Conv", "x w b", "v", attributes)]
    x, found = images(rows, {"w": weight, "b": bias}, [4, 6, 7], write_onnx)
    expected = torch.nn.functional.conv2d(
        *map(torch.from_numpy, (x, weight, bias)),
        stride=attributes.get("strides", 1),
        padding=attributes.get("pads", [0, 0])[:2],
        dilation=attributes.get("dilations", 1),
        groups=attributes.get("group", 1),
    )
    np.testing.assert_allclose(found, expected.relu().numpy().reshape(5, -1), atol=1e-13)


def test_convolution_padded_to_the_same_size(write_onnx):
    torch = pytest.importorskip("torch")
    weight = RNG.normal(size=(2, 3, 4, 3))
    rows = [("Conv", "x w", "v", {"auto_pad": "SAME_UPPER"})]
    x, found = images(rows, {"w": weight}, [3, 5, 6], write_onnx)
    # torch pads the end when the total is odd, as SAME_UPPER does
    expected = torch.nn.functional.conv2d(
        torch.from_numpy(np.pad(x, [(0, 0), (0, 0), (1, 2), (1, 1)])), torch.from_numpy(weight)
    )
    np.testing.assert_allclose(found, expected.relu().numpy().reshape(5, -1), atol=1e-13)


@pytest.mark.parametrize("counted", [0, 1])
@pytest.mark.parametrize("strides", [[1, 1], [2, 3]])
@pytest.mark.parametrize("pads", [[0, 0], [1, 1]])
def test_average_pool(write_onnx, counted, strides, pads):
    torch = pytest.importorskip("torch")
    attributes = {"kernel_shape": [3, 2], "strides": strides, "pads": pads * 2}
    rows = [("AveragePool", "x", "v", {**attributes, "count_include_pad": counted})]
    x, found = images(rows, {}, [2, 6, 7], write_onnx)
    expected = torch.nn.functional.avg_pool2d(
        torch.from_numpy(x), (3, 2), strides, pads, count_include_pad=bool(counted)
    )
    np.testing.assert_allclose(found, expected.relu().numpy().reshape(5, -1), atol=1e-14)


def test_means_over_pixels(write_onnx):
    for rows in (
        [("GlobalAveragePool", "x", "v")],
        [("ReduceMean", "x", "v", {"axes": [2, 3]})],
    ):
        x, found = images(rows, {}, [2, 3, 4], write_onnx)
        np.testing.assert_allclose(found, np.maximum(x.mean(axis=(2, 3)), 0), atol=1e-15)


def test_padding_with_a_constant_is_an_offset(write_onnx):
    rows = [("Pad", "x width three", "v")]
    constants = {"width": np.array([0, 0, 0, 2]), "three": 3.0}
    net = read_onnx(write_onnx([*rows, ("Relu", "v", "y")], constants, ["N", 1]))
    np.testing.assert_array_equal(net(np.array([[7.0]])), [[7.0, 3.0, 3.0]])
    np.testing.assert_array_equal(net.layers[0].affine.weight[:, 0], [1, 0, 0])


def test_an_offset_hidden_in_an_attribute(write_onnx):
    rows = [("Pad", "x", "v", {"pads": [0, 0, 0, 2], "value": 3.0}), ("Relu", "v", "y")]
    net = read_onnx(write_onnx(rows, {}, ["N", 1], opset=9))
    np.testing.assert_array_equal(net(np.array([[7.0]])), [[7.0, 3.0, 3.0]])


GEMM = ("Gemm", "x W b", "v", {"transB": 1})
CONSTANTS = {"W": np.ones((2, 3)), "b": np.zeros(2)}
REFUSED = {
    "operator that is not piecewise linear": (
        [GEMM, ("Sin", "v", "y")],
        r"node 'y' \(Sin\): it is not piecewise linear: leave it out, as it comes last",
    ),
    "the same, inside": (
        [GEMM, ("Sigmoid", "v", "s"), ("Relu", "s", "y")],
        r"node 's' \(Sigmoid\): it is not piecewise linear, so .* to count; it is left out at the",
    ),
    "operator that is not implemented": (
        [GEMM, ("Sign", "v", "a"), ("Relu", "a", "y")],
        r"node 'a' \(Sign\): it is piecewise linear, but not implemented$",
    ),
    "operator that nobody knows": (
        [GEMM, ("Optional", "v", "o"), ("Relu", "o", "y")],
        r"\(Optional\): the operator is not known; known are Abs, Add, ",
    ),
    "smooth operator of another domain": (
        [GEMM, ("FastGelu", "v", "g", {"domain": "com.microsoft"}), ("Relu", "g", "y")],
        r"\(FastGelu\): it is not piecewise linear",
    ),
    "softmax before the end": (
        [GEMM, ("Softmax", "v", "s"), ("Relu", "s", "y")],
        r"node 's' \(Softmax\): it is not piecewise linear.*; it is left out at the end",
    ),
    "product of two values": (
        [GEMM, ("Mul", "v v", "y")],
        r"\(Mul\): .*product .* is not piecewise",
    ),
    "division by a value": ([GEMM, ("Div", "b v", "y")], r"\(Div\): .*quotient of .* is not piec"),
    "entries that the input chooses": (
        [GEMM, ("Gather", "b v", "y")],
        r"\(Gather\): its inputs \[1\] depend on .*: it is implemented where the others are",
    ),
    "rounding": ([GEMM, ("Cast", "v", "y", {"to": 7})], r"\(Cast\): a cast that rounds"),
    "shapes that do not fit": (
        [GEMM, ("MatMul", "v W3", "y")],
        r"node 'y' \(MatMul\) does not fit its inputs",
    ),
    "value that is not there": ([("Add", "x nothing", "y")], "its input 'nothing' is not defined"),
    "random numbers": (
        [("RandomNormal", "", "r", {"shape": [1, 3]}), ("Add", "x r", "y")],
        r"\(RandomNormal\): random numbers",
    ),
    "operator of another domain": (
        [("Relu", "x", "y", {"domain": "my.own"})],
        "operators of domain 'my.own'",
    ),
    "batch normalisation in training": (
        [GEMM, ("BatchNormalization", "v b b b b", "y", {"training_mode": 1})],
        "it is in training mode",
    ),
    "clipping to nothing": (
        [GEMM, ("Clip", "v high low", "y")],
        r"\(Clip\): clipping to \[1.0, 0.0\]: the bounds must increase",
    ),
    "output that does not depend on the input": (
        [("Add", "b b", "y")],
        "the output 'y' does not depend on the model's input",
    ),
    "further outputs of a node": (
        [GEMM, ("Dropout", "v", "d mask"), ("Mul", "d mask", "y")],
        r"node 'y' \(Mul\): its input 'mask' is not defined",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_node_and_its_type(write_onnx, name):
    rows, message = REFUSED[name]
    constants = CONSTANTS | {
        "W3": np.ones((3, 3)),
        "slopes": [0.1, 0.2],
        "low": 0.0,
        "high": 1.0,
    }
    with pytest.raises((FileFormatError, NetworkError), match=message) as caught:
        read_onnx(write_onnx(rows, constants, ["N", 3]))
    assert "\n" not in str(caught.value)


def test_network_without_units(write_onnx):
    net = read_onnx(write_onnx([("Gemm", "x W b", "y", {"transB": 1})], CONSTANTS, ["N", 3]))
    assert net.n_units == 0
    np.testing.assert_array_equal(net.output.weight, CONSTANTS["W"])


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_weights_that_are_not_finite(write_onnx, wrong):
    constants = {"W": np.array([[1.0, wrong, 0.0]]), "b": np.zeros(1)}
    with pytest.raises(NetworkError, match=rf"node 'v' \(Gemm\): .* holds {wrong}"):
        read_onnx(write_onnx([GEMM, ("Relu", "v", "y")], constants, ["N", 3]))


def test_weights_that_overflow_when_merged(write_onnx):
    rows = [("Mul", "x big", "u"), ("Mul", "u big", "v"), ("Relu", "v", "y")]
    with pytest.raises(NetworkError, match="holds inf"):
        read_onnx(write_onnx(rows, {"big": 1e200}, ["N", 2]))


@pytest.mark.parametrize("shape", [["N", "M"], ["N"], []])
def test_input_of_unknown_size(write_onnx, shape):
    with pytest.raises(FileFormatError, match=r"only the first .* may be unknown"):
        read_onnx(write_onnx([("Relu", "x", "y")], {}, shape))


def test_input_without_a_shape(write_onnx):
    with pytest.raises(FileFormatError, match="input 'x' has no shape"):
        read_onnx(write_onnx([("Relu", "x", "y")], {}, None))


def test_a_photograph_is_an_input(write_onnx):
    rows = [("Conv", "x w", "v", {"strides": [4, 4]}), ("Relu", "v", "y")]
    net = read_onnx(write_onnx(rows, {"w": np.ones((2, 3, 8, 8))}, ["N", 3, 224, 224]))
    assert net.architecture == "150528-6050"
    assert net.layers[0].affine.matrix.nnz == 6050 * 192
    with pytest.raises(NetworkError, match=r"a tensor of shape .* at most 1\.3e\+08 are allowed"):
        read_onnx(write_onnx(rows, {"w": np.ones((2, 3, 8, 8))}, ["N", 3, 22400, 22400]))


def test_one_output_of_several(write_onnx):
    rows = [("Relu", "x", "y"), ("Neg", "y", "z")]
    path = write_onnx(rows, {}, ["N", 3], outputs=["y", "z"])
    with pytest.raises(FileFormatError, match=re.escape("outputs ['y', 'z']: name one, with")):
        read_onnx(path)
    with pytest.raises(FileFormatError, match=re.escape("no output 'h': its outputs are ['y', ")):
        read_onnx(path, "h")
    net = Network.load(path, output="z")
    np.testing.assert_array_equal(net(np.array([1.0, -2.0, 3.0])), [-1.0, 0.0, -3.0])
    assert net.notes == ("the output 'z' was chosen among ['y', 'z']",)
    assert Network.load(path, output="y").output is None


def test_cut_anywhere_a_file_is_refused_or_complete(write_onnx, tmp_path):
    whole = write_onnx([GEMM, ("Relu", "v", "y")], CONSTANTS, ["N", 3])
    content, fingerprint = whole.read_bytes(), read_onnx(whole).fingerprint
    cut, refused = tmp_path / "cut.onnx", 0
    for length in range(len(content)):
        cut.write_bytes(content[:length])
        try:
            assert read_onnx(cut).fingerprint == fingerprint
        except FileFormatError:
            refused += 1
    assert refused == len(content)


def test_not_an_onnx_file(tmp_path):
    path = tmp_path / "text.onnx"
    path.write_text("this is no protobuf\n")
    with pytest.raises(FileFormatError, match="not a readable ONNX model") as caught:
        read_onnx(path)
    assert "\n" not in str(caught.value)
