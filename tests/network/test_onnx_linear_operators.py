"""Linear operators and shrinkage of ONNX: known answers, and onnx's reference implementation."""

import re

import numpy as np
import pytest

from milpcount.errors import FileFormatError, NetworkError
from milpcount.network import Network
from milpcount.network.onnx_reader import read_onnx

onnx = pytest.importorskip("onnx")
RNG = np.random.default_rng(11)


def agrees(path, shape, *, rows=5, box=3.0) -> Network:
    """Check a network against the reference implementation; return it."""
    from onnx.reference import ReferenceEvaluator

    net, session = read_onnx(path), ReferenceEvaluator(str(path))
    for _ in range(rows):
        x = RNG.uniform(-box, box, size=(1, *shape))
        (expected,) = session.run(None, {session.input_names[0]: x})
        np.testing.assert_allclose(net(x.ravel()), np.ravel(expected), rtol=1e-6, atol=1e-6)
    return net


LINEAR_MODES = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")


def test_resize_by_hand(write_onnx):
    rows = [("Resize", "x roi scales", "y", {"mode": "linear"})]
    constants = {"roi": np.zeros(0), "scales": np.array([1.0, 1.0, 2.0])}
    net = read_onnx(write_onnx(rows, constants, ["N", 1, 2], dtype=np.float32))
    # half_pixel: at -1/4, 1/4, 3/4, 5/4
    expected = [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]]
    np.testing.assert_array_equal(net.output.weight, expected)
    rows = [("Resize", "x roi scales", "y", {"nearest_mode": "floor"})]
    net = read_onnx(write_onnx(rows, constants, ["N", 1, 2], dtype=np.float32))
    np.testing.assert_array_equal(net.output.weight, [[1, 0], [1, 0], [1, 0], [0, 1]])


def test_weights_of_thirds_are_not_rounded(write_onnx):
    rows = [("Resize", "x roi none sizes", "v", {"mode": "linear",
             "coordinate_transformation_mode": "align_corners"}), ("Relu", "v", "y")]  # fmt: skip
    constants = {"roi": np.zeros(0), "none": np.zeros(0), "sizes": np.array([1, 1, 4])}
    net = read_onnx(write_onnx(rows, constants, ["N", 1, 2]))
    integers, q = net.layers[0].affine.exact()
    assert (integers[:, 1:] * 3 == q * np.array([[3, 0], [2, 1], [1, 2], [0, 3]])).all()


@pytest.mark.parametrize("kind", LINEAR_MODES)
@pytest.mark.parametrize("mode", ["linear", "nearest"])
@pytest.mark.parametrize("scales", [[1, 1, 2, 3], [1, 1, 0.5, 1.5], [1, 1, 0.6, 1]], ids=str)
def test_resize(write_onnx, kind, mode, scales):
    rows = [("Resize", "x roi scales", "y", {"mode": mode, "coordinate_transformation_mode": kind})]
    constants = {"roi": np.zeros(0), "scales": np.array(scales, dtype=np.float32)}
    if kind == "align_corners" and 0.6 in scales:
        pytest.skip("the reference aligns with a size that is no integer")
    agrees(write_onnx(rows, constants, ["N", 2, 4, 6]), (2, 4, 6))


@pytest.mark.parametrize("nearest", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
def test_resize_to_sizes(write_onnx, nearest):
    rows = [("Resize", "x roi none sizes", "y", {"nearest_mode": nearest})]
    constants = {"roi": np.zeros(0), "none": np.zeros(0), "sizes": np.array([1, 2, 7, 3])}
    agrees(write_onnx(rows, constants, ["N", 2, 4, 6]), (2, 4, 6))


@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_upsample(write_onnx, mode):
    constants = {"scales": np.array([1, 1, 2, 2], dtype=np.float32)}
    for operator, opset in (("Upsample", 9), ("Resize", 10)):
        rows = [(operator, "x scales", "y", {"mode": mode})]
        net = read_onnx(write_onnx(rows, constants, ["N", 1, 2, 2], opset=opset))
        x = np.array([1.0, 3.0, 5.0, 7.0])
        is_nearest = mode == "nearest"
        if is_nearest:
            expected = x.reshape(2, 2).repeat(2, axis=0).repeat(2, axis=1)
        else:  # at 0, 1/2, 1 and beyond
            m = np.array([[1, 0], [0.5, 0.5], [0, 1], [0, 1]])
            expected = m @ x.reshape(2, 2) @ m.T
        np.testing.assert_array_equal(net(x), expected.ravel())


def test_resize_refused(write_onnx):
    constants = {"roi": np.zeros(0), "scales": np.array([1, 1, 2.0])}
    for attributes, message in (
        ({"mode": "cubic"}, "mode 'cubic' is not implemented"),
        ({"mode": "linear", "antialias": 1}, "antialias is not"),
        ({"coordinate_transformation_mode": "tf_crop_and_resize"}, "tf_crop_and_resize' is not"),
    ):
        rows = [("Resize", "x roi scales", "y", attributes)]
        with pytest.raises(FileFormatError, match=rf"node 'y' \(Resize\): .*{message}"):
            read_onnx(write_onnx(rows, constants, ["N", 1, 2]))


@pytest.mark.parametrize("edge, shift", [(0.5, 0.0), (1.0, 1.0), (0.5, 0.2), (0.0, 0.0)])
def test_shrink(write_onnx, edge, shift):
    rows = [("Shrink", "x", "y", {"lambd": edge, "bias": shift})]
    net = read_onnx(write_onnx(rows, {}, ["N", 3]))
    shift, edge = float(np.float32(shift)), float(np.float32(edge))
    for v in (-2.0, -edge, -edge / 2, 0.0, edge, np.nextafter(edge, 9), 2.0):
        expected = v + shift if v < -edge else v - shift if v > edge else 0.0
        assert net(np.array([v, 0, 0]))[0] == expected, v
    if edge:
        with pytest.raises(FileFormatError, match=r"lambd -1.0 with bias 0.0 is not implemented"):
            read_onnx(write_onnx([("Shrink", "x", "y", {"lambd": -1.0})], {}, ["N", 3]))


@pytest.mark.parametrize("counted", [0, 1])
@pytest.mark.parametrize("size", [5, 6, 7])
def test_average_pool_rounded_up(write_onnx, counted, size):
    torch = pytest.importorskip("torch")
    own = {"kernel_shape": [3], "strides": [2], "pads": [1, 1], "ceil_mode": 1}
    rows = [("AveragePool", "x", "y", {**own, "count_include_pad": counted})]
    net = read_onnx(write_onnx(rows, {}, ["N", 2, size], opset=19))
    x = RNG.normal(size=(4, 2, size))
    expected = torch.nn.functional.avg_pool1d(
        torch.from_numpy(x), 3, 2, 1, ceil_mode=True, count_include_pad=bool(counted)
    )
    found = net(x.reshape(4, -1))
    np.testing.assert_allclose(found, expected.numpy().reshape(4, -1), atol=1e-14)


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge", "wrap"])
def test_pad(write_onnx, mode):
    constants = {"width": np.array([0, 0, 2, 1, 0, 0, 1, 2])}
    rows = [("Pad", "x width", "y", {"mode": mode})]
    agrees(write_onnx(rows, constants, ["N", 2, 3, 4], opset=19), (2, 3, 4))


TRANSPOSED = [
    {},
    {"strides": [2, 3], "pads": [1, 0, 0, 1]},
    {"strides": [2, 2], "output_padding": [1, 1], "pads": [1, 1, 1, 1]},
    {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
    {"strides": [2, 2], "auto_pad": "SAME_LOWER"},
    {"strides": [2, 1], "auto_pad": "VALID"},
    {"dilations": [2, 1]},
]


@pytest.mark.parametrize("attributes", TRANSPOSED, ids=str)
def test_transposed_convolution(write_onnx, attributes):
    weight = RNG.normal(size=(4, 3, 3, 3))
    rows = [("ConvTranspose", "x w b", "y", attributes)]
    bias = RNG.normal(size=3)
    agrees(write_onnx(rows, {"w": weight, "b": bias}, ["N", 4, 3, 4]), (4, 3, 4))


def test_transposed_convolution_to_a_size(write_onnx):
    weight, own = RNG.normal(size=(4, 3, 3, 3)), {"strides": [3, 2]}
    found = []
    # The specification's formula: of an odd number the larger half comes first.
    for more in ({"output_shape": [8, 8]}, {"pads": [1, 1, 0, 0]}):
        path = write_onnx(
            [("ConvTranspose", "x w", "y", own | more)], {"w": weight}, ["N", 4, 3, 4]
        )
        found.append(read_onnx(path).fingerprint)
    assert found[0] == found[1]


def test_transposed_convolution_that_does_not_reach(write_onnx):
    rows = [("ConvTranspose", "x w", "y", {"output_shape": [7], "strides": [3]})]
    net = read_onnx(write_onnx(rows, {"w": np.ones((1, 1, 3))}, ["N", 1, 2]))
    np.testing.assert_array_equal(net(np.array([1.0, 2.0])), [1, 1, 1, 2, 2, 2, 0])
    rows = [("ConvTranspose", "x w", "y", {"output_shape": [99]})]
    with pytest.raises(FileFormatError, match=r"\(ConvTranspose\): its kernel reaches -9. beyond"):
        read_onnx(write_onnx(rows, {"w": np.ones((1, 1, 3))}, ["N", 1, 4]))


EQUATIONS = {
    "nij,jk->nik": {"A": (4, 5)},
    "nij,ij->n": {"A": (3, 4)},
    "nij->nji": {},
    "nij->ni": {},
    "nij,k->nkj": {"A": (2,)},
    "nij,jk": {"A": (4, 2)},
}


@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum(write_onnx, equation):
    constants = {name: RNG.normal(size=shape) for name, shape in EQUATIONS[equation].items()}
    rows = [("Einsum", " ".join(["x", *constants]), "y", {"equation": equation})]
    agrees(write_onnx(rows, constants, [1, 3, 4]), (3, 4))


def test_einsum_refused(write_onnx):
    rows = [("Einsum", "x x", "y", {"equation": "nij,nij->n"})]
    with pytest.raises(FileFormatError, match=r"\(Einsum\): a product of two such values is not"):
        read_onnx(write_onnx(rows, {}, [1, 3, 4]))
    rows = [("Einsum", "x", "y", {"equation": "n...->n"})]
    with pytest.raises(FileFormatError, match=re.escape("'n...->n' is not implemented")):
        read_onnx(write_onnx(rows, {}, [1, 3, 4]))


def test_constants_of_an_einsum_are_not_multiplied_with_rounding(write_onnx):
    rows = [("Einsum", "x A B", "y", {"equation": "nij,j,j->ni"})]
    exact = {"A": np.full(4, 3.0), "B": np.full(4, 0.25)}
    assert read_onnx(write_onnx(rows, exact, [1, 3, 4])).output is not None
    with pytest.raises(FileFormatError, match="products of its constants are not exact"):
        read_onnx(write_onnx(rows, {"A": np.full(4, 0.1), "B": np.full(4, 0.3)}, [1, 3, 4]))


@pytest.mark.parametrize("attributes", [{}, {"reverse": 1}, {"exclusive": 1, "reverse": 1}])
def test_running_sums(write_onnx, attributes):
    rows = [("CumSum", "x axis", "y", attributes)]
    agrees(write_onnx(rows, {"axis": np.array(2)}, ["N", 3, 4, 2], opset=14), (3, 4, 2))


def test_choice_by_a_constant(write_onnx):
    constants = {"which": np.array([[True, False, True]]), "two": np.array([[2.0, 3.0, 4.0]])}
    net = read_onnx(write_onnx([("Where", "which x two", "y")], constants, ["N", 3]))
    np.testing.assert_array_equal(net(np.array([5.0, 6.0, 7.0])), [5.0, 3.0, 7.0])


def test_sums_of_absolute_values(write_onnx):
    rows = [("ReduceL1", "x", "y", {"axes": [1], "keepdims": 0})]
    net = read_onnx(write_onnx(rows, {}, ["N", 3]))
    assert net(np.array([1.0, -2.0, 4.0])) == [7.0]


def test_triangle_and_scatter(write_onnx):
    agrees(write_onnx([("Trilu", "x", "y", {"upper": 0})], {}, ["N", 3, 3], opset=14), (3, 3))
    constants = {"at": np.array([[[0, 1], [0, 0]]]), "new": np.array([[7.0, 8.0]])}
    agrees(write_onnx([("ScatterND", "x at new", "y")], constants, ["N", 3], opset=16), (3,))


@pytest.mark.parametrize("trans", [(0, 0), (1, 0), (0, 1), (1, 1)])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_gemm(write_onnx, trans, place):
    rng, names = np.random.default_rng(0), ["A", "B", "C"]
    shapes = [(4, 3) if trans[0] else (3, 4), (2, 4) if trans[1] else (4, 2), (3, 2)]
    constants = {n: rng.normal(size=s) for n, s in zip(names, shapes, strict=True)}
    names[place] = "x"
    shape = shapes[place]
    own = {"transA": trans[0], "transB": trans[1], "alpha": 0.3, "beta": -0.7}
    del constants["ABC"[place]]
    rows = [("Squeeze", "z", "x"), ("Gemm", " ".join(names), "y", own)]
    agrees(write_onnx(rows, constants, [1, *shape], inputs=["z"]), shape)


SMOOTH = {
    "HardSwish": ({}, r"it is not piecewise linear.*quadratic between -3 and 3"),
    "Softplus": ({}, r"it is not piecewise linear.*it is smooth"),
    "LRN": ({"size": 3}, r"it is not piecewise linear.*it divides by a sum of squares"),
    "Sqrt": ({}, "it is not piecewise linear"),
}


@pytest.mark.parametrize("kind", SMOOTH)
def test_smooth_operators_inside(write_onnx, kind):
    own, message = SMOOTH[kind]
    with pytest.raises(FileFormatError, match=rf"node 'v' \({kind}\): {message}") as caught:
        read_onnx(write_onnx([(kind, "x", "v", own), ("Relu", "v", "y")], {}, ["N", 3, 2]))
    assert "\n" not in str(caught.value)


def test_steps_and_choices_inside(write_onnx):
    rows = [("Equal", "x b", "c"), ("Where", "c x b", "y")]
    with pytest.raises(FileFormatError, match=r"node 'c' \(Equal\): .*not implemented \(it comp"):
        read_onnx(write_onnx(rows, {"b": np.zeros(3)}, ["N", 3]))


def test_several_inputs(write_onnx):
    rows = [("MatMul", "x W", "v"), ("Add", "v z", "w"), ("Relu", "w", "y")]
    constants = {"W": np.array([[1.0, 2.0], [3.0, 4.0]])}
    net = read_onnx(write_onnx(rows, constants, ["N", 2], inputs=["x", "z"]))
    assert net.notes == ("several inputs are one, in this order: 'x' 0 to 1, 'z' 2 to 3",)
    np.testing.assert_array_equal(net(np.array([1.0, 1.0, -5.0, 1.0])), [0.0, 7.0])


def test_several_inputs_refused(write_onnx):
    rows = [("Add", "x z", "v"), ("Relu", "v", "y")]
    with pytest.raises(FileFormatError, match="several inputs, each with a first dimension of 2"):
        read_onnx(write_onnx(rows, {}, [2, 3], inputs=["x", "z"]))
    path = write_onnx(rows, {}, ["N", 3], inputs=["x", "z"])
    model = onnx.load(str(path))
    model.graph.input[1].type.tensor_type.elem_type = onnx.TensorProto.INT64
    onnx.save(model, str(path))
    with pytest.raises(FileFormatError, match=r"\['x', 'z'\], and 'z' is not one of real numbers"):
        read_onnx(path)


def test_a_mean_of_thirds_overflows_nothing(write_onnx):
    with pytest.raises(NetworkError, match="holds inf"):
        rows = [("Mul", "x big", "u"), ("Mul", "u big", "v"), ("CumSum", "v axis", "y")]
        read_onnx(write_onnx(rows, {"big": 1e200, "axis": np.array(1)}, ["N", 2], opset=14))


@pytest.mark.parametrize(("operator", "expected"), [("Conv", [12, 20, 52, 60]),
                                                   ("MaxPool", [6, 8, 16, 18])])  # fmt: skip
def test_constants_are_folded_right(write_onnx, operator, expected):
    """They are folded by onnx's own reference, which is wrong in some versions."""
    constants = {"image": np.arange(25.0).reshape(1, 1, 5, 5), "ones": np.ones((1, 1, 2, 2))}
    attributes = {"kernel_shape": [2, 2], "strides": [2, 2], "auto_pad": "VALID"}
    sources = "image ones" if operator == "Conv" else "image"
    rows = [(operator, sources, "c", attributes), ("Add", "x c", "s"), ("Relu", "s", "y")]
    net = read_onnx(write_onnx(rows, constants, ["N", 1, 2, 2]))
    np.testing.assert_array_equal(net(np.zeros(4)), expected)
