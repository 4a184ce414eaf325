"""Small networks of every shape in the shared data: all load, and compute what the file says."""

import json

import numpy as np
import pytest

from milpcount.network import Network

onnx = pytest.importorskip("onnx")
RNG = np.random.default_rng(2)
GRAPHS = (
    *("abs_14_0", "branches_6_0", "branches_7_0", "clip_15_0", "concat_4_0", "concat_5_0"),
    *("leaky_16_0", "max_of_branches_8_0", "max_of_branches_9_0", "max_pool_10_0"),
    *("max_pool_11_0", "maxout2_12_0", "maxout3_13_0", "preactivation_2_0", "preactivation_3_0"),
    *("prelu_channel_17_0", "residual_0_0", "residual_1_0"),
)
FIELD = ("dense_concat", "fixed_batch2", "o_split", "prelu_channel", "residual_after")
TENSOR = onnx.TensorProto


def in_double(path, tmp_path):
    """Return the reference evaluator of a model with its numbers in float64."""
    model = onnx.load(str(path))
    for tensor in model.graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        if array.dtype == np.float32:
            tensor.CopyFrom(onnx.numpy_helper.from_array(array.astype(np.float64), tensor.name))
    for info in (*model.graph.input, *model.graph.output):
        info.type.tensor_type.elem_type = TENSOR.DOUBLE
    return onnx.reference.ReferenceEvaluator(model)


def agrees(net, path, tmp_path, rows=1):
    session = in_double(path, tmp_path)
    (name,) = session.input_names
    for x in RNG.uniform(-1, 1, size=(50, 1, net.n_inputs)):
        (expected,) = session.run(None, {name: np.repeat(x, rows, axis=0)})
        np.testing.assert_allclose(net(x[0]), np.ravel(expected[:1]), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs(shared_data, tmp_path, name):
    path = shared_data / "graphs" / f"{name}.onnx"
    agrees(Network.load(path), path, tmp_path)


def test_all_graphs_are_tested(shared_data):
    assert {f.removesuffix(".onnx") for f in json.loads(
        (shared_data / "graphs" / "expected.json").read_text()
    )} == set(GRAPHS)  # fmt: skip


@pytest.mark.parametrize("name", FIELD)
def test_files_as_frameworks_write_them(shared_data, tmp_path, name):
    path = shared_data / "field" / f"{name}.onnx"
    agrees(Network.load(path), path, tmp_path, rows=2 if name == "fixed_batch2" else 1)


def arrays(path):
    model = onnx.load(str(path))
    return {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}


def test_pooling_of_a_line_without_a_batch(shared_data):
    path = shared_data / "field" / "maxpool1d.onnx"
    net, own = Network.load(path), arrays(path)
    w0, b0, w1, b1 = (own[k] for k in ("0.weight", "0.bias", "2.weight", "2.bias"))
    x = RNG.uniform(-1, 1, size=(50, 2))
    pooled = (x @ w0.T.astype(float) + b0).reshape(50, -1, 2).max(axis=2)
    np.testing.assert_allclose(net(x), pooled @ w1.T + b1, rtol=1e-12, atol=1e-12)


def test_a_last_sigmoid(shared_data, tmp_path):
    path = shared_data / "field" / "o_final_Sigmoid.onnx"
    net = Network.load(path)
    session = in_double(path, tmp_path)
    for x in RNG.uniform(-1, 1, size=(50, 1, 2)):
        (expected,) = session.run(None, {"x": x})
        np.testing.assert_allclose(1 / (1 + np.exp(-net(x[0]))), expected[0], rtol=1e-12)
    assert net.notes == ("left out at the end: Sigmoid; counted is what comes before",)


def test_quantised_weights(shared_data):
    path = shared_data / "field" / "o_wdq.onnx"
    net, own = Network.load(path), arrays(path)
    model = onnx.load(str(path))
    (node,) = (n for n in model.graph.node if n.op_type == "DequantizeLinear")
    levels, scale, *zero = (own[name].astype(float) for name in node.input)
    weight = (levels - (zero[0] if zero else 0.0)) * scale
    (gemm,) = (n for n in model.graph.node if node.output[0] in n.input)
    transposed = {a.name: a.i for a in gemm.attribute}.get("transB", 0)
    found = [affine.weight for affine in net.maps]
    assert any(np.array_equal(w, weight if transposed else weight.T) for w in found)


@pytest.mark.parametrize("output", ["output_label", "output_probability"])
def test_a_classifier_with_labels(shared_data, output):
    path = shared_data / "field" / "skl_clf.onnx"
    net = Network.load(path, output=output)
    assert net.notes[0].startswith(f"the output '{output}' was chosen among ['output_label', ")
    assert net.notes[1].startswith("left out at the end: Sigmoid, ")
    own = arrays(path)
    x = RNG.uniform(-1, 1, size=(50, 2))
    values = x
    for k in range(3):
        values = values @ own["coefficient" + str(k or "")] + own["intercepts" + str(k or "")]
        values = np.maximum(values, 0) if k < 2 else values
    np.testing.assert_allclose(net(x), values, rtol=1e-12, atol=1e-12)
