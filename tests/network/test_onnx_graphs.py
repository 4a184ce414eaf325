"""Graphs of layers, maxima and pooling: the network computes what onnx's reference does."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milpcount.network import Composite, Network
from milpcount.network.onnx_reader import read_onnx

onnx = pytest.importorskip("onnx")
RNG = np.random.default_rng(11)
GEMM = ("Gemm", "x W b", "v", {"transB": 1})
RELU = ("Relu", "v", "h")
CONSTANTS = {
    "W": RNG.normal(size=(4, 3)),
    "b": RNG.normal(size=4),
    "W1": RNG.normal(size=(4, 4)),
    "b1": RNG.normal(size=4),
    "W2": RNG.normal(size=(2, 4)),
    "c": np.array([0.0, 0.5, -np.inf, -1.0]),
    "zero": np.array(0.0),
    "slopes": np.array([0.25, 1.0, -0.5, 0.25]),
    "two": np.array([2, 2]),
    "last": np.array([-1]),
    "image": np.array([-1, 1, 2, 2]),
    "line": np.array([-1, 2, 2]),
    "channels": np.array([-1, 4, 1, 1]),
    "k": RNG.normal(size=(1, 3, 2, 2)),
    "k1": RNG.normal(size=(3, 2, 2)),
    "scale": RNG.uniform(0.3, 3, size=4),
    "mean": RNG.normal(size=4),
    "var": RNG.uniform(0.3, 3, size=4),
    "repeats": np.array([1, 2]),
    "wide": np.array([3, 4]),
    "pair": np.array([[0, 2], [3, 1]]),
}


def agrees(path, shape=(3,), **options) -> Network:
    """Return the network in a file after comparing it with onnx's reference."""
    net = read_onnx(path, **options)
    session = onnx.reference.ReferenceEvaluator(str(path))
    for x in RNG.normal(scale=2.0, size=(20, 1, *shape)):
        (expected,) = session.run(None, {"x": x})
        np.testing.assert_allclose(net(x.ravel()), expected.ravel(), rtol=1e-12, atol=1e-12)
    return net


# name: (rows after v = W x + b, widths)
GRAPHS = {
    "residual": ([RELU, ("Gemm", "h W1 b1", "u", {"transB": 1}), ("Add", "u v", "y")], (4,)),
    "preactivation": ([RELU, ("MatMul", "h W1", "u"), ("Add", "u h", "s"), ("Relu", "s", "y")],
                      (4, 4)),
    "Sub across layers": ([RELU, ("Sub", "h v", "d"), ("Relu", "d", "r"), ("Sub", "r x1", "y")],
                          (4, 4)),
    "Sum and Mean": ([RELU, ("Relu", "b", "c1"), ("Sum", "h v c1 h", "s"), ("Mean", "s h v", "y")],
                     (4,)),
    "dense": ([RELU, ("Concat", "h x v", "u", {"axis": 1}), ("Relu", "u", "y")], (4, 11)),
    "Split": ([("Split", "v", "p q", {"axis": 1}), ("Relu", "p", "r"), ("Add", "r q", "y")], (2,)),
    "branches": ([RELU, ("MatMul", "x V", "w"), ("Relu", "w", "g"), ("Concat", "g h", "u",
                 {"axis": 1}), ("Relu", "u", "y")], (4, 2, 6)),
    "Max of two": ([("MatMul", "v W1", "w"), ("Max", "v w", "y")], (4,)),
    "Max of layers": ([RELU, ("Max", "h v b", "y")], (4, 4)),
    "Max of rows and a column": ([("ReduceMax", "v", "m", {"axes": [1]}), ("Max", "v m", "y")],
                                 (1, 4)),
    "Min": ([RELU, ("MatMul", "h W1", "w"), ("Min", "w v h", "y")], (4, 4)),
    "Max with a number": ([("Max", "v zero", "y")], (4,)),
    "Max with numbers": ([("Max", "c v zero", "y")], (4,)),
    "Min with numbers": ([("Neg", "c", "d"), ("Min", "v d", "y")], (3,)),
    "Max of one": ([("Max", "v", "m"), ("Relu", "m", "y")], (4,)),
    "duplicates": ([("Max", "v v", "y")], (4,)),
    "Abs": ([("Abs", "v", "y")], (4,)),
    "PRelu": ([("PRelu", "v slopes", "y")], (3,)),
    "HardSigmoid": ([("HardSigmoid", "v", "y", {"alpha": 0.25, "beta": 0.5})], (4,)),
    "ThresholdedRelu": ([("ThresholdedRelu", "v", "y", {"alpha": 0.5})], (4,)),
    "ReduceMax": ([("ReduceMax", "v", "y", {"axes": [1], "keepdims": 0})], (1,)),
    "ReduceMin": ([RELU, ("Reshape", "h line", "u"), ("ReduceMin", "u", "y", {"axes": [-1]})],
                  (4, 2)),
    "MaxPool, then Relu": (
        [("Reshape", "v image", "i"), ("MaxPool", "i", "p", {"kernel_shape": [2, 1]}),
         ("Relu", "p", "y")], (2, 2)),
    "Relu, then MaxPool": (
        [RELU, ("Reshape", "h image", "i"),
         ("MaxPool", "i", "y", {"kernel_shape": [2, 2], "pads": [1, 0, 0, 1]})], (4, 3)),
    "MaxPool of one": (
        [("Reshape", "v image", "i"), ("MaxPool", "i", "p", {"kernel_shape": [1, 1]}),
         ("Relu", "p", "y")], (4,)),
    "GlobalMaxPool": ([("Reshape", "v image", "i"), ("GlobalMaxPool", "i", "y")], (1,)),
    "GlobalAveragePool": ([("Reshape", "v image", "i"), ("GlobalAveragePool", "i", "g"),
                           ("Relu", "g", "y")], (1,)),
    "ConvTranspose": (
        [("Reshape", "v image", "i"), ("ConvTranspose", "i k", "t", {"strides": [2, 1],
         "pads": [0, 1, 1, 0], "output_padding": [1, 0]}), ("Relu", "t", "y")], (24,)),
    "a block that is normalised": (
        [RELU, ("Reshape", "h channels", "i"),
         ("BatchNormalization", "i scale b mean var", "n"), ("Add", "n i", "s"),
         ("Relu", "s", "y")],
        (4, 4)),
    "Tile and Expand": ([("Tile", "v repeats", "t"), ("Relu", "t", "r"), ("Expand", "v wide", "e"),
                         ("ReduceSum", "e first", "s"), ("Concat", "s r", "y", {"axis": 1})], (8,)),
    "DepthToSpace": ([("Reshape", "v channels", "i"), ("DepthToSpace", "i", "d",
                     {"blocksize": 2}), ("Relu", "d", "y")], (4,)),
    "GatherElements": ([("Reshape", "v square", "s"), ("GatherElements", "s index", "g"),
                        ("Relu", "g", "y")], (2,)),
}  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
def test_graph(write_onnx, name):
    rows, widths = GRAPHS[name]
    constants = CONSTANTS | {
        "V": RNG.normal(size=(3, 2)),
        "x1": np.array(0.75),
        "first": np.array([0]),
        "square": np.array([2, 2]),
        "index": np.array([[0, 1]]),
    }
    used = {name for row in [GEMM, *rows] for name in row[1].split()}
    constants = {k: v for k, v in constants.items() if k in used}
    # Of older sets onnx's reference takes a batch normalisation to be in training.
    assert agrees(write_onnx([GEMM, *rows], constants, [1, 3], opset=15)).widths == widths


POOLS = [
    {"kernel_shape": [2]},
    {"kernel_shape": [3], "strides": [2]},
    {"kernel_shape": [3], "pads": [1, 2]},
    {"kernel_shape": [2], "dilations": [3]},
    {"kernel_shape": [3], "strides": [2], "ceil_mode": 1},
    {"kernel_shape": [2, 3], "strides": [1, 2], "pads": [1, 1, 0, 1]},
    {"kernel_shape": [3, 2], "auto_pad": "SAME_UPPER"},
    {"kernel_shape": [3, 2], "auto_pad": "SAME_LOWER", "strides": [2, 1]},
    {"kernel_shape": [2, 2], "dilations": [2, 1], "ceil_mode": 1, "strides": [2, 2]},
]


@pytest.mark.parametrize("attributes", POOLS, ids=str)
def test_max_pool(write_onnx, attributes):
    torch = pytest.importorskip("torch")
    shape = [2, 5, 6][: 1 + len(attributes["kernel_shape"])]
    net = read_onnx(write_onnx([("MaxPool", "x", "y", attributes)], {}, [1, *shape]))
    x = RNG.normal(size=shape)
    kernel = attributes["kernel_shape"]
    strides = attributes.get("strides", [1] * len(kernel))
    gaps = attributes.get("dilations", [1] * len(kernel))
    pads = attributes.get("pads", [0] * 2 * len(kernel))
    if "auto_pad" in attributes:
        total = [max(0, (-(-n // s) - 1) * s + k - n) for n, s, k in
                 zip(shape[1:], strides, kernel, strict=True)]  # fmt: skip
        less, more = [t // 2 for t in total], [t - t // 2 for t in total]
        pads = less + more if attributes["auto_pad"] == "SAME_UPPER" else more + less
    sides = list(zip(pads[: len(kernel)], pads[len(kernel) :], strict=True))
    padded = np.pad(x, [(0, 0), *sides], constant_values=-np.inf)
    pool = torch.nn.functional.max_pool1d if len(kernel) == 1 else torch.nn.functional.max_pool2d
    expected = pool(torch.from_numpy(padded), kernel, strides, 0, gaps,
                    bool(attributes.get("ceil_mode", 0))).numpy()  # fmt: skip
    np.testing.assert_array_equal(net(x.ravel()), expected.ravel())


def test_windows_of_one_value_are_no_units(write_onnx):
    rows = [("MaxPool", "x", "y", {"kernel_shape": [2], "strides": [2], "ceil_mode": 1})]
    net = read_onnx(write_onnx(rows, {}, [1, 1, 3]))
    assert net.widths == (1,)
    np.testing.assert_array_equal(net(np.array([1.0, 4.0, -7.0])), [4.0, -7.0])


def test_equal_arguments_of_a_maximum_stay_two(write_onnx):
    net = read_onnx(write_onnx([("Max", "x x", "y")], {}, [1, 2]))
    assert net.layers[0].activation.rank == 2
    np.testing.assert_array_equal(net.pattern(np.array([[1.0, -1.0], [0.0, 2.0]])), 0)


def test_nodes_in_any_order(write_onnx):
    rows = [GEMM, RELU, ("Add", "h v", "s"), ("Relu", "s", "y")]
    constants = {"W": CONSTANTS["W"], "b": CONSTANTS["b"]}
    net, back = (read_onnx(write_onnx(r, constants, [1, 3])) for r in (rows, rows[::-1]))
    assert net.fingerprint == back.fingerprint


def test_nodes_in_a_circle(write_onnx):
    rows = [("Add", "x q", "p"), ("Relu", "p", "q"), ("Neg", "q", "y")]
    with pytest.raises(Exception, match=r"node 'p' \(Add\) depends on its own output"):
        read_onnx(write_onnx(rows, {}, [1, 3]))


@pytest.mark.parametrize("end", ["Sigmoid", "Tanh", "Softmax", "ArgMax"])
def test_smooth_ends_are_left_out(write_onnx, end):
    constants = {"W": CONSTANTS["W"], "b": CONSTANTS["b"], "one": np.array(1.0)}
    plain = read_onnx(write_onnx([GEMM, ("Relu", "v", "y")], constants, [1, 3]))
    ended = read_onnx(write_onnx([GEMM, RELU, (end, "h", "y")], constants, [1, 3]))
    assert ended.fingerprint == plain.fingerprint
    assert ended.notes == (f"left out at the end: {end}; counted is what comes before",)
    rows = [GEMM, RELU, (end, "h", "s"), ("Sub", "one s", "d"), ("Concat", "d s", "y", {"axis": 1})]
    both = read_onnx(write_onnx(rows, constants, [1, 3]))
    assert both.fingerprint == plain.fingerprint
    assert both.notes[0].startswith(f"left out at the end: {end}, Sub, Concat;")


def test_a_normalised_block_is_not_rounded(write_onnx):
    rows = [
        ("Relu", "x", "h"),
        ("BatchNormalization", "h scale shift mean var", "n", {"epsilon": 0.0}),
        ("Add", "n h", "s"),
        ("Add", "s x", "t"),
        ("Relu", "t", "y"),
    ]
    constants = {"scale": [0.3, 0.7], "shift": [0.1, 0.2], "mean": [0.7, -0.1], "var": [9.0, 25.0]}
    constants = {k: np.array(v) for k, v in constants.items()}
    net = read_onnx(write_onnx(rows, constants, [1, 2]))
    affine, reads = net.layers[1].affine, net.layers[1].reads
    assert isinstance(affine, Composite) and reads.tolist() == [0, 1, 2, 3]
    integers, q = affine.exact()
    for k, deviation in enumerate((3, 5)):
        factor = Fraction(constants["scale"][k]) / deviation
        offset = Fraction(constants["shift"][k]) - factor * Fraction(constants["mean"][k])
        row = [offset, 0, 0, 0, 0]
        row[1 + k], row[3 + k] = 1, 1 + factor
        assert [Fraction(int(v), q) for v in integers[k]] == row


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_sums_of_values_of_any_layers(tmp_path_factory, data):
    """A chain of blocks h = relu(W (sum of some values before) + c), of dyadic numbers."""
    helper, n = onnx.helper, 3
    names = ["x"]
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    nodes, tensors, points = [], [], [rng.integers(-8, 9, size=(10, n)) / 4]
    for k in range(data.draw(st.integers(1, 4))):
        chosen = data.draw(st.lists(st.integers(0, k), min_size=1, max_size=4))
        weight = rng.integers(-4, 5, size=(n, n)) / 2.0
        tensors.append(onnx.numpy_helper.from_array(weight, f"w{k}"))
        nodes.append(helper.make_node("Sum", [names[i] for i in chosen], [f"s{k}"]))
        nodes.append(helper.make_node("MatMul", [f"s{k}", f"w{k}"], [f"v{k}"]))
        nodes.append(helper.make_node("Relu", [f"v{k}"], [f"h{k}"]))
        points.append(np.maximum(sum(points[i] for i in chosen) @ weight, 0))
        names.append(f"h{k}")
    double = onnx.TensorProto.DOUBLE
    ends = [helper.make_tensor_value_info(name, double, [1, n]) for name in ("x", names[-1])]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], tensors)
    path = tmp_path_factory.mktemp("graph") / "g.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), str(path))
    np.testing.assert_array_equal(read_onnx(path)(points[0]), points[-1])
