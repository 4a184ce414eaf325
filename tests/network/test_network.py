"""Networks from arrays: what they compute, and what is refused at the border."""

from fractions import Fraction

import numpy as np
import pytest

from milpcount.errors import NetworkError
from milpcount.network import Dense, Layer, Network, leaky_relu, maxout, piecewise_linear, relu
from milpcount.network.activation import clip, parse_activation

W, B = [np.array([[1.0, -1.0], [2.0, 0.0]]), np.array([[1.0, 1.0]])], [np.zeros(2), np.zeros(1)]


def test_forward_by_hand():
    net = Network.from_arrays(W, B)
    x = np.array([[3.0, 1.0], [1.0, 3.0], [-1.0, 0.0]])
    np.testing.assert_array_equal(net(x), [[8.0], [2.0], [0.0]])
    np.testing.assert_array_equal(net.pattern(x), [[1, 1], [0, 1], [0, 0]])


def test_active_means_greater_than_zero():
    net = Network.from_arrays([np.eye(1)], [np.zeros(1)], output=False)
    np.testing.assert_array_equal(net.pattern(np.array([[-1.0], [0.0], [1e-300]])), [[0], [0], [1]])


def test_the_last_pair_is_a_hidden_layer_on_request():
    assert Network.from_arrays(W, B).architecture == "2-2-1"
    assert Network.from_arrays(W, B, output=False).widths == (2, 1)


def test_the_fingerprint_sees_everything_that_counts():
    prints = [
        Network.from_arrays(W, B).fingerprint,
        Network.from_arrays(W, B, output=False).fingerprint,
        Network.from_arrays(W, B, activation=leaky_relu(0.1)).fingerprint,
        Network.from_arrays(W, [B[0] + 1e-300, B[1]]).fingerprint,
        Network.from_arrays([W[0][:, ::-1], W[1]], B).fingerprint,
    ]
    assert len(set(prints)) == len(prints)


def test_an_affine_map_is_a_network_without_units():
    net = Network.from_arrays([[[1.0, 2.0]]], [[3.0]])
    assert (net.layers, net.n_inputs, net.n_units, net.widths) == ((), 2, 0, ())
    assert net.title == "2-1 (affine, no units)"
    np.testing.assert_array_equal(net([[1.0, 1.0], [0.0, 1.0]]), [[6.0], [5.0]])
    assert net.pattern(np.zeros((4, 2))).shape == (4, 0)
    assert net.fingerprint != Network.from_arrays([[[1.0, 2.0]]], [[3.0]], output=False).fingerprint


def test_minus_zero_is_zero():
    negative = Network.from_arrays([W[0] * -1 * -1, W[1]], [B[0] * -1, B[1]])
    assert np.signbit(B[0] * -1).all()
    assert negative.fingerprint == Network.from_arrays(W, B).fingerprint


BAD = {
    "nan": ([[[1.0, np.nan]]], [[0.0]], r"layer 1: weight holds nan at \(0, 1\)"),
    "inf": ([[[1.0]], [[1.0]]], [[0.0], [np.inf]], r"layer 2: bias holds inf at \(0,\)"),
    "a number too large": ([[[10**400]]], [[0.0]], "layer 1: weight is not an array of numbers"),
    "text": ([[["one"]]], [[0.0]], "layer 1: weight is not an array of numbers"),
    "complex": ([np.array([[1j]])], [[0.0]], "layer 1: weight is complex"),
    "ragged": ([[[1.0], [1.0, 2.0]]], [[0.0, 0.0]], "layer 1: weight is not an array"),
    "a weight of rank 1": ([[1.0, 2.0]], [[0.0]], r"weight has shape \(2,\): a 2-dim"),
    "a scalar bias": ([[[1.0]]], [0.0], r"bias has shape \(\): a 1-dim"),
    "a bias of another size": (
        [[[1.0]]],
        [[0.0, 1.0]],
        r"needs a bias of shape \(1,\), not \(2,\)",
    ),
    "no units": ([np.ones((0, 2))], [[]], "a layer needs at least one unit"),
    "no inputs": ([np.ones((2, 0))], [[0.0, 0.0]], "a layer needs at least one unit"),
    "a bias is missing": ([[[1.0]]], [], "1 weights need as many biases, not 0"),
    "no layers": ([], [], "the network has no layer: give hidden layers, or an affine output"),
    "shapes that do not chain": (
        [np.ones((2, 3)), np.ones((1, 3))],
        [np.zeros(2), np.zeros(1)],
        "layer 2 takes 3 inputs but the layer before it has 2 outputs: each weight must have",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arrays(name):
    weights, biases, message = BAD[name]
    with pytest.raises(NetworkError, match=message) as caught:
        Network.from_arrays(weights, biases)
    assert "\n" not in str(caught.value)


def test_tensors_that_need_a_gradient():
    torch = pytest.importorskip("torch")
    with pytest.raises(NetworkError, match="layer 1: weight is not an array of numbers: Can't"):
        Network.from_arrays([torch.ones(1, 1, requires_grad=True)], [[0.0]], output=False)


@pytest.mark.parametrize("x", [np.zeros(3), np.zeros((2, 1)), 0.0])
def test_points_of_another_dimension(x):
    net = Network.from_arrays(W, B)
    for use in (net, net.pattern):
        with pytest.raises(NetworkError, match="the last axis must have the network's 2 inputs"):
            use(x)


def test_weights_cannot_be_changed_afterwards():
    mine = W[0].copy()
    net = Network.from_arrays([mine, W[1]], B)
    mine[0, 0] = 99.0
    assert net.layers[0].affine.weight[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        net.layers[0].affine.weight[0, 0] = 99.0


V = np.array([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 7.0])


def test_activations_by_hand():
    np.testing.assert_array_equal(relu().apply(V), np.maximum(V, 0))
    np.testing.assert_array_equal(leaky_relu(0.5).apply(V), np.where(V > 0, V, V / 2))
    np.testing.assert_array_equal(clip(-1.0, 1.0).apply(V), np.clip(V, -1, 1))
    np.testing.assert_array_equal(clip(-np.inf, 1.0).apply(V), np.minimum(V, 1))
    np.testing.assert_array_equal(clip(-1.0, np.inf).apply(V), np.maximum(V, -1))
    np.testing.assert_array_equal(clip(-1.0, 1.0).pieces_at(V), [0, 0, 1, 1, 1, 1, 2])


def test_special_cases_are_the_rectifier_itself():
    assert leaky_relu(0.0) == clip(0.0, np.inf) == relu()
    assert relu().is_relu and not leaky_relu(0.1).is_relu


def test_equal_activations_have_equal_names():
    mine = piecewise_linear([np.float64(0.5)], [0, Fraction(1)], [-0.0, 0])
    assert mine == piecewise_linear([0.5], [0.0, 1.0], [0.0, 0.0])


@pytest.mark.parametrize(
    "activation", [relu(), leaky_relu(0.1), leaky_relu(-1.0), clip(-1.0, 1 / 3)], ids=str
)
def test_names_can_be_read_back(activation):
    assert parse_activation(activation.name) == activation


@pytest.mark.parametrize(
    "name",
    [
        *("", "tanh", "Relu", "relu(1)", "leaky_relu", "leaky_relu()", "leaky_relu(x)"),
        *("leaky_relu(0.1", "leaky_relu 0.1)", "piecewise_linear([0])"),
    ],
)
def test_names_that_are_not_known(name):
    with pytest.raises(NetworkError, match="is not known: allowed are relu, leaky_relu"):
        parse_activation(name)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: leaky_relu(1.0), "slope 1 is affine: leave the activation out"),
        (lambda: leaky_relu(np.nan), "every number must be finite"),
        (lambda: parse_activation("leaky_relu(1e999)"), "every number must be finite"),
        (lambda: clip(1.0, 1.0), r"clipping to \[1.0, 1.0\]: the bounds must increase"),
        (lambda: clip(np.nan, 1.0), "the bounds must increase"),
        (lambda: clip(-np.inf, np.inf), "one must be finite"),
        (lambda: piecewise_linear([1.0, 1.0], [0] * 3, [0] * 3), "they must increase"),
        (lambda: piecewise_linear([0.0], [1.0], [0.0]), "1 breakpoints need 2 slopes"),
        (lambda: Layer(Dense([[1.0]], [0.0]), maxout(2)), "do not divide into units of rank 2"),
    ],
)
def test_bad_activations(make, message):
    with pytest.raises(NetworkError, match=message):
        make()


def test_the_number_of_inputs_may_be_numpys():
    layer = Layer(Dense([[1.0]], [0.0]), relu(), [1])
    assert Network((layer,), inputs=np.int64(3)).n_inputs == 3
    for wrong in (0, True, 2.0):
        with pytest.raises(NetworkError, match="a positive integer is needed"):
            Network((layer,), inputs=wrong)
