"""Changes to the units that leave every count as it is."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.network import leaky_relu
from tests.networks import arrays, boxes, degenerate, generic, network, regions, sizes

FAST = settings(max_examples=40, deadline=None, derandomize=True)
MANY = settings(max_examples=800, deadline=None, derandomize=True)
SHAPES = sizes(units=14)
NETWORKS = st.one_of(generic(SHAPES), degenerate(SHAPES))
Law = Callable[[mc.Network, st.DataObject], mc.Network]


def permuted(net: mc.Network, data: st.DataObject) -> mc.Network:
    weights, biases = arrays(net)
    for layer, width in enumerate(net.widths):
        order = data.draw(st.permutations(range(width)))
        weights[layer], biases[layer] = weights[layer][order], biases[layer][order]
        if layer + 1 < len(weights):
            weights[layer + 1] = weights[layer + 1][:, order]
    return network(weights, biases)


def rescaled(net: mc.Network, data: st.DataObject) -> mc.Network:
    """Scale units by powers of two, which the next layer undoes exactly."""
    weights, biases = arrays(net)
    for layer, width in enumerate(net.widths):
        powers = data.draw(st.lists(st.integers(-8, 8), min_size=width, max_size=width))
        factors = 2.0 ** np.array(powers)
        weights[layer] *= factors[:, None]
        biases[layer] *= factors
        if layer + 1 < len(weights):
            weights[layer + 1] /= factors
    return network(weights, biases)


def rescaled_by_any_number(net: mc.Network, data: st.DataObject) -> mc.Network:
    """Scale units by 1 to 7, and the next layer as a whole: integers stay integers."""
    weights, biases = arrays(net)
    total = 1.0
    for layer, width in enumerate(net.widths):
        given_ = data.draw(st.lists(st.integers(1, 7), min_size=width, max_size=width))
        factors = np.array(given_, dtype=float)
        weights[layer] *= factors[:, None]
        biases[layer] *= factors * total
        total *= np.prod(factors)
        if layer + 1 < len(weights):
            weights[layer + 1] *= np.prod(factors) / factors
    return network(weights, biases)


def with_a_dead_unit(net: mc.Network, data: st.DataObject) -> mc.Network:
    """Add a unit that is never active on the box [-2, 2], or is identically zero."""
    weights, biases = arrays(net)
    layer = data.draw(st.integers(0, len(weights) - 1))
    if data.draw(st.booleans()):
        row, bias = np.zeros(weights[layer].shape[1]), data.draw(st.sampled_from([0.0, -1.0]))
    else:
        row = np.full(weights[layer].shape[1], 1.0 if layer == 0 else -1.0)
        bias = -7.0 if layer == 0 else 0.0
    weights[layer] = np.vstack([row, weights[layer]])
    biases[layer] = np.r_[bias, biases[layer]]
    if layer + 1 < len(weights):
        weights[layer + 1] = np.c_[np.ones(len(weights[layer + 1])), weights[layer + 1]]
    return network(weights, biases)


def with_a_copy(net: mc.Network, data: st.DataObject) -> mc.Network:
    """Add a copy of a unit; the two share what the unit gave to the next layer."""
    weights, biases = arrays(net)
    layer = data.draw(st.integers(0, len(weights) - 1))
    unit = data.draw(st.integers(0, net.widths[layer] - 1))
    scale = 2.0 ** data.draw(st.integers(-1, 1))
    weights[layer] = np.vstack([weights[layer], weights[layer][unit] * scale])
    biases[layer] = np.r_[biases[layer], biases[layer][unit] * scale]
    if layer + 1 < len(weights):
        half = weights[layer + 1][:, unit] / 2
        weights[layer + 1][:, unit] = half
        weights[layer + 1] = np.c_[weights[layer + 1], half / scale]
    return network(weights, biases)


LAWS = [permuted, rescaled, rescaled_by_any_number, with_a_dead_unit, with_a_copy]


def holds(law: Law, net: mc.Network, data: st.DataObject) -> None:
    box = data.draw(boxes(net.n_inputs))
    assert regions(law(net, data), box) == regions(net, box)


@pytest.mark.parametrize("law", LAWS)
@FAST
@given(net=NETWORKS, data=st.data())
def test_count_is_unchanged(law: Law, net: mc.Network, data: st.DataObject) -> None:
    holds(law, net, data)


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS)
@MANY
@given(net=NETWORKS, data=st.data())
def test_count_is_unchanged_often(law: Law, net: mc.Network, data: st.DataObject) -> None:
    holds(law, net, data)


ONE_LAYER = sizes(units=10, layers=1)


@FAST
@given(net=st.one_of(generic(ONE_LAYER), degenerate(ONE_LAYER)), data=st.data())
def test_of_one_layer_only_the_hyperplanes_count(net: mc.Network, data: st.DataObject) -> None:
    box = data.draw(boxes(net.n_inputs))
    (weight,), (bias,) = arrays(net)
    expected = regions(net, box)
    leaky = network([weight], [bias], leaky_relu(data.draw(st.sampled_from([-1.0, 0.01, 0.5]))))
    assert regions(leaky, box) == expected
    sides = data.draw(st.lists(st.sampled_from([-1, 1]), min_size=len(bias), max_size=len(bias)))
    turned = network([weight * np.array(sides)[:, None]], [bias * sides])
    assert regions(turned, box) == expected


@FAST
@given(net=NETWORKS, data=st.data())
def test_the_output_does_not_count(net: mc.Network, data: st.DataObject) -> None:
    box = data.draw(boxes(net.n_inputs))
    weights, biases = arrays(net)
    output = np.ones((2, net.widths[-1]))
    longer = mc.Network.from_arrays([*weights, output], [*biases, np.ones(2)])
    assert regions(longer, box) == regions(net, box)


@FAST
@given(net=NETWORKS, data=st.data())
def test_a_layer_more_cannot_lower_the_count(net: mc.Network, data: st.DataObject) -> None:
    box = data.draw(boxes(net.n_inputs))
    weights, biases = arrays(net)
    found = [regions(network(weights[:k], biases[:k]), box) for k in range(1, len(weights) + 1)]
    assert all(a <= b for a, b in pairwise(found))
