"""OMLT's definitions: the function of their blocks, and their boxes, without rounding."""

from fractions import Fraction

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import DomainError, NetworkError

omlt = pytest.importorskip("omlt", reason="OMLT is not installed: pip install 'milpcount[omlt]'")
neuralnet = pytest.importorskip("omlt.neuralnet")
layers = pytest.importorskip("omlt.neuralnet.layer")
RNG = np.random.default_rng(5)
SCALING = omlt.OffsetScaling([0.1, -0.2], [0.3, 0.7], [1.5], [0.9])


def chain(*found, edges=None, **options):
    definition = neuralnet.NetworkDefinition(**options)
    for layer in found:
        definition.add_layer(layer)
    for a, b in edges or zip(range(len(found)), range(1, len(found)), strict=False):
        definition.add_edge(found[a], found[b])
    return definition


def dense(n, m, activation="relu", **options):
    weights, biases = RNG.normal(size=(n, m)), RNG.normal(size=m)
    return layers.DenseLayer([n], [m], weights, biases, activation=activation, **options)


def plain(**options):
    return chain(layers.InputLayer([2]), dense(2, 6), dense(6, 5), dense(5, 1, "linear"), **options)


def evaluated(definition, x):
    """Return what OMLT's own layers make of an input, scaled before and after."""
    first, *others = definition.layers
    scaling = definition.scaling_object
    if scaling is not None:
        x = list(scaling.get_scaled_input_expressions(dict(enumerate(x))).values())
    value = np.reshape(x, first.output_size)
    for layer in others:
        value = layer.eval_single_layer(value)
    value = np.ravel(value)
    if scaling is not None:
        found = scaling.get_unscaled_output_expressions(dict(enumerate(value)))
        value = [found[k] for k in range(value.size)]
    return value


def assert_same(definition, n_inputs):
    net = mc.Network.from_omlt(definition)
    for x in RNG.normal(size=(20, n_inputs)):
        np.testing.assert_allclose(net(x[None])[0], evaluated(definition, x), rtol=1e-9, atol=1e-12)
    return net


@pytest.mark.parametrize("scaling", [None, SCALING])
def test_dense_layers_compute_the_same(scaling):
    net = assert_same(plain(scaling_object=scaling), 2)
    assert net.architecture == "2-6-5-1"


def images(activation="relu", before="relu"):
    pool = layers.PoolingLayer2D(
        [2, 4, 5], [2, 2, 3], [2, 2], "max", (2, 2), 2, activation=activation
    )
    flat = layers.IndexMapper([2, 2, 3], [12])
    kernel = RNG.normal(size=(2, 1, 2, 2)).astype(np.float32)
    return chain(
        layers.InputLayer([1, 5, 6]),
        layers.ConvLayer2D([1, 5, 6], [2, 4, 5], [1, 1], kernel, activation=before),
        pool,
        dense(12, 3, input_index_mapper=flat),
        dense(3, 1, "linear"),
    )


@pytest.mark.parametrize(("activation", "before"), [("linear", "relu"), ("relu", "linear")])
def test_images_compute_the_same(activation, before):
    assert_same(images(activation, before), 30)  # the last windows reach beyond the image


def test_weights_act_on_the_last_axis():
    weights, biases = RNG.normal(size=(3, 2)), RNG.normal(size=2)
    wide = layers.DenseLayer([4, 3], [4, 2], weights, biases, activation="relu")
    assert_same(chain(layers.InputLayer([4, 3]), wide), 12)


def test_nothing_is_rounded():
    line = layers.DenseLayer([2], [1], np.array([[1.0], [3.0]]), np.array([0.25]))
    net = mc.Network.from_omlt(chain(layers.InputLayer([2]), line, scaling_object=SCALING))
    integers, denominator = net.output.exact()
    found = [Fraction(int(number), denominator) for number in integers[0]]
    a, b, c, d, e, f = map(Fraction, (0.1, 0.3, -0.2, 0.7, 1.5, 0.9))
    bias = (-a / b - 3 * c / d + Fraction(0.25)) * f + e
    assert found == [bias, f / b, 3 * f / d]


def test_counts_in_both_coordinates_are_one():
    scaled = plain(scaling_object=SCALING, scaled_input_bounds={0: (-1, 2), 1: (-3, 0.5)})
    inner = chain(*scaled.layers, scaled_input_bounds=scaled.scaled_input_bounds)
    count = mc.count(mc.Network.from_omlt(inner), mc.Box.from_omlt(inner))
    assert count.is_exact and count.lower > 5
    assert mc.count(mc.Network.from_omlt(scaled), mc.Box.from_omlt(scaled)).lower == count.lower


def test_a_pyomo_block_computes_the_same():
    pyomo = pytest.importorskip("pyomo.environ")
    definition = plain(scaling_object=SCALING, scaled_input_bounds={0: (-9, 9), 1: (-9, 9)})
    net = mc.Network.from_omlt(definition)
    model = pyomo.ConcreteModel()
    model.net = omlt.OmltBlock()
    model.net.build_formulation(neuralnet.ReluBigMFormulation(definition))
    model.nothing = pyomo.Objective(expr=0 * model.net.outputs[0])
    for x in ([0.3, -0.4], [-1.0, 2.0]):
        for k, value in enumerate(x):
            model.net.inputs[k].fix(value)
        pyomo.SolverFactory("appsi_highs").solve(model)
        assert pyomo.value(model.net.outputs[0]) == pytest.approx(net([x])[0, 0], abs=1e-5)


def onnx_model():
    onnx = pytest.importorskip("onnx")
    helper, numbers = onnx.helper, onnx.numpy_helper.from_array
    sizes = {"W": (2, 4), "b": (4,), "V": (4, 1), "c": (1,)}
    arrays = {name: RNG.normal(size=size).astype(np.float32) for name, size in sizes.items()}
    nodes = [("MatMul", "xW", "p"), ("Add", "pb", "q"), ("Relu", "q", "r"), ("MatMul", "rV", "s"),
             ("Add", "sc", "y")]  # fmt: skip
    graph = helper.make_graph(
        [helper.make_node(kind, list(read), [made], name=made) for kind, read, made in nodes],
        "net",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["batch", 2])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["batch", 1])],
        [numbers(array, name) for name, array in arrays.items()],
    )
    opset = [helper.make_opsetid("", 13)]
    return onnx, helper.make_model(graph, opset_imports=opset, ir_version=8)


def test_a_model_of_its_onnx_reader(tmp_path):
    onnx, model = onnx_model()
    reader = pytest.importorskip("omlt.io.onnx")
    onnx.save(model, tmp_path / "net.onnx")
    definition = reader.load_onnx_neural_network(model)
    found, direct = mc.Network.from_omlt(definition), mc.Network.load(tmp_path / "net.onnx")
    assert found.fingerprint == direct.fingerprint


class Own(omlt.scaling.ScalingInterface):
    """One that scales differently, and swaps the inputs."""

    def get_scaled_input_expressions(self, x):
        return {0: np.float32(0.1) * x[1] - 0.3, 1: 2 - x[0] / 0.7}

    def get_unscaled_output_expressions(self, y):
        return {k: -(0.25 + y[k]) for k in y}


def test_scalings_of_the_users():
    definition = plain(scaling_object=Own(), scaled_input_bounds={0: (-1, 1), 1: (-1, 1)})
    assert_same(definition, 2)
    box = mc.Box.from_omlt(definition)
    tenth, factor = Fraction(float(np.float32(0.1))), Fraction(0.7)
    assert box.lower == [factor, (Fraction(0.3) - 1) / tenth]
    assert box.upper == [3 * factor, (Fraction(0.3) + 1) / tenth]


def test_bounds():
    bare = plain(unscaled_input_bounds={0: (0, 0.1), 1: (-1, 1)})
    assert mc.Box.from_omlt(bare).upper == [Fraction(0.1), 1]
    scaled = plain(scaling_object=SCALING, unscaled_input_bounds={0: (0, 0.1), 1: (-1, 1)})
    assert mc.Box.from_omlt(scaled).lower == [0, -1]
    scaled = plain(scaling_object=SCALING, scaled_input_bounds={0: (-1, 1), 1: (0, 1)})
    lower, upper = mc.Box.from_omlt(scaled).lower, mc.Box.from_omlt(scaled).upper
    assert lower == [Fraction(0.1) - Fraction(0.3), Fraction(-0.2)]
    assert upper == [Fraction(0.1) + Fraction(0.3), Fraction(0.7) + Fraction(-0.2)]


UNIT = {0: (0, 1), 1: (0, 1)}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, "no finite bounds for input 0"),
        ({"scaled_input_bounds": {0: (0, 1)}}, "no finite bounds for input 1"),
        ({"scaled_input_bounds": {0: (0, None), 1: (0, 1)}}, "no finite bounds for input 0"),
        ({"scaled_input_bounds": {0: (0, np.inf), 1: (0, 1)}}, "no finite bounds for input 0"),
        ({"scaled_input_bounds": {0: (1, 0), 1: (0, 1)}}, "input 0 is above its upper one"),
        ({"scaled_input_bounds": UNIT, "unscaled_input_bounds": UNIT | {0: (0, 2)}}, "two boxes"),
        (
            {
                "scaled_input_bounds": UNIT,
                "unscaled_input_bounds": UNIT,
                "scaling_object": SCALING,
            },
            "two boxes",
        ),
    ],
)
def test_bounds_that_are_refused(options, why):
    with pytest.raises(DomainError, match=why):
        mc.Box.from_omlt(plain(**options))


class Root(Own):
    def get_scaled_input_expressions(self, x):
        return {k: x[k] ** 0.5 for k in x}


class Mixed(Own):
    def get_scaled_input_expressions(self, x):
        return {0: x[0] + x[1], 1: x[1]}


class Double(Own):
    def get_scaled_input_expressions(self, x):
        return {0: x[0], 1: 2 * x[0]}


class Endless(Own):
    def get_scaled_input_expressions(self, x):
        return {k: x[k] * np.inf for k in x}


class OwnLayer(layers.DenseLayer):
    """Of the user: it need not compute what a dense layer does."""


I2 = layers.InputLayer([2])


@pytest.mark.parametrize(
    ("definition", "why"),
    [
        (lambda: chain(I2, dense(2, 1, "sigmoid")), "layer 1: activation 'sigmoid' of a DenseLay"),
        (lambda: chain(I2, dense(2, 2), dense(2, 1, "tanh")), "layer 2: activation 'tanh'"),
        (lambda: chain(I2, OwnLayer([2], [1], np.ones((2, 1)), np.ones(1))), "a OwnLayer is not"),
        (
            lambda: chain(I2, layers.GNNLayer([2], [2], np.eye(2), np.ones(2), N=2)),
            "a GNNLayer is not implemented: allowed are DenseLayer, ",
        ),
        (lambda: chain(I2, dense(2, 1), dense(2, 1), edges=[(0, 1), (0, 2)]), "branches"),
        (lambda: chain(dense(2, 1)), "has to begin with one InputLayer"),
        (lambda: chain(I2, layers.InputLayer([2]), dense(2, 1), edges=[(0, 2)]), "2 layers"),
        (lambda: neuralnet.NetworkDefinition(), "begins with 0 layers"),
        (lambda: chain(I2, dense(3, 1)), "takes an input of shape .3,., and gets .2,."),
        (
            lambda: chain(I2, layers.DenseLayer([2], [1], np.ones((3, 1)), np.ones(1))),
            "weights of shape",
        ),
        (
            lambda: chain(I2, layers.DenseLayer([2], [1], np.ones((2, 1)), np.ones(2))),
            "biases of shape",
        ),
        (
            lambda: chain(I2, layers.DenseLayer([2], [4], np.ones((2, 1)), np.ones(1))),
            "its output has shape",
        ),
        (
            lambda: chain(I2, layers.DenseLayer([2], [1], [[1], [2**53 + 1]], np.ones(1))),
            "no finite number that float64 holds",
        ),
        (
            lambda: chain(I2, layers.DenseLayer([2], [1], [[1], [np.nan]], np.ones(1))),
            "no finite number that float64 holds",
        ),
        (lambda: plain(scaling_object=Root()), "scaling of the inputs cannot be read"),
        (lambda: plain(scaling_object=Mixed()), "scaling of the inputs cannot be read"),
        (lambda: plain(scaling_object=Double()), "scaling of the inputs leaves some"),
        (lambda: plain(scaling_object=Endless()), "no finite float64 number"),
        (
            lambda: plain(scaling_object=omlt.OffsetScaling([0], [1], [0], [1])),
            "scaling of the inputs cannot be read .ValueError",
        ),
        (lambda: mc.Box(0, 1), "a Box is not implemented: give an omlt.neuralnet.NetworkDef"),
    ],
)
def test_what_is_refused(definition, why):
    with pytest.raises(NetworkError, match=why) as caught:
        mc.Network.from_omlt(definition())
    assert "\n" not in str(caught.value)


def test_verbs_name_the_reader():
    with pytest.raises(NetworkError, match=r"give mc\.Network\.from_omlt"):
        mc.count(plain(), mc.Box(0, 1))
