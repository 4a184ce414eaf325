import numpy as np
import pytest

import milpcount as mc
from milpcount.bounds.architecture import parse
from milpcount.bounds.layers import Convolution, UnitLayer, of_network
from milpcount.errors import OptionError
from milpcount.network import Dense, Layer, leaky_relu, maxout, piecewise_linear, relu


@pytest.mark.parametrize(
    ("text", "n_inputs", "widths", "n_outputs"),
    [
        ("784-11-11-10", 784, (11, 11), 10),
        ("784-11-11:relu", 784, (11, 11), None),
        ("3072-4096x8", 3072, (4096,) * 8, None),
        ("3072-4096x8-10", 3072, (4096,) * 8, 10),
        ("28x28x1-100-10", 784, (100,), 10),
        (" 784 - 11 - 10 ", 784, (11,), 10),
        ("28x28x1-conv8@3x3/2-conv4@3x3-10", 784, (13 * 13 * 8, 11 * 11 * 4), 10),
        ("100x3-conv16@5-20-2", 300, (96 * 16, 20), 2),
    ],
)  # fmt: skip
def test_sizes(text, n_inputs, widths, n_outputs):
    found = parse(text)
    assert (found.n_inputs, found.widths, found.n_outputs) == (n_inputs, widths, n_outputs)
    assert found.is_rectifier and found.is_scalar and not found.is_ternary


def test_units():
    found = parse("8-5:maxout3-5x2:p2-4:relu")
    maxouts, steps, _, last = found.layers
    assert (maxouts.rank, maxouts.cuts, maxouts.is_maxout) == (3, 2, True)
    assert (steps.breakpoints, steps.cuts, steps.is_rectifier) == (2, 2, False)
    assert last == UnitLayer(4)
    assert not (found.is_rectifier or found.is_scalar or found.is_maxout)


def test_convolutions_and_ternary():
    conv = parse("5x4x3-conv2@2x3/2:p2").layers[0].convolution
    assert conv == Convolution((5, 4), (2, 1), 3, 2, (2, 3), 2)
    found = parse("ternary:1-8x4-1")
    assert found.is_ternary and "weights -1, 0, 1" in found.title


@pytest.mark.parametrize(
    "text",
    ["784-11-11-10", "3072-4096x2", "8-5:maxout3-5:p2-1", "6x6x1-conv2@3x3/2-conv1@2x2:p3-4"],
)
def test_the_title_says_what_is_counted(text):
    found = parse(text)
    for layer in found.layers:
        assert layer.text in found.title
    assert "output" in found.title


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("784-0-10", "a size of 0"),
        ("0-5-1", "a size of 0"),
        ("784-11:p-1-10", "negative or missing number at 'p-1'"),
        ("784-11:maxout-3", "negative or missing"),
        ("784--11-10", "negative or missing"),
        ("-5-4", "negative or missing"),
        ("784-11:p0-10", "a size of 0"),
        ("784-11:maxout1-10", "rank 1 is affine"),
        ("784-11:tanh-10", "'tanh' is not known"),
        ("784-eleven-10", "'eleven' is not known"),
        ("cat.png", "is not a size or a shape"),
        ("", "is not a size or a shape"),
        ("784", "there is no hidden layer"),
        ("784-11", "write 784-11:relu"),
        ("784-conv8@3x3", "a filter of 2 dimension"),
        ("4x1-conv8@5", "is larger than its input"),
        ("4x4x1-conv8@3x3/0", "a size of 0"),
        ("4-5-conv8@3", "a filter of 1 dimension"),
        ("784-11111111111-10", "too large"),
        ("784-11x20000", "20000 layers"),
        ("784-11x-10", "negative or missing"),
        ("784-11-", "negative or missing|is not known"),
    ],
)
def test_what_is_wrong_is_said_with_the_grammar(text, complaint):
    with pytest.raises(OptionError, match=complaint) as caught:
        parse(text)
    assert "INPUT-LAYER" in str(caught.value)


def test_of_networks():
    shifted = piecewise_linear([1.0], [0.0, 2.0], [0.5, -1.5])  # a rectifier, shifted and scaled
    step = piecewise_linear([0.0], [0.0, 0.0], [0.0, 1.0])
    units = [relu(), shifted, leaky_relu(0.1), step, maxout(3)]
    layers = tuple(Layer(Dense(np.ones((2 * u.rank, 2)), np.zeros(2 * u.rank)), u) for u in units)
    found = of_network(mc.Network(layers, Dense([[1.0, 1.0]], [0.0])))
    assert [y.is_rectifier for y in found.layers] == [True, True, False, False, False]
    assert [y.cuts for y in found.layers] == [1, 1, 1, 1, 2]
    assert (found.n_inputs, found.widths, found.n_outputs) == (2, (2,) * 5, 1)
