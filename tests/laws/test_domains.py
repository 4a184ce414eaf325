"""How counts on different domains relate."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from tests.networks import arrays, boxes, degenerate, generic, network, regions, sizes

FAST = settings(max_examples=40, deadline=None, derandomize=True)
MANY = settings(max_examples=800, deadline=None, derandomize=True)
SHAPES = sizes(units=14)
NETWORKS = st.one_of(generic(SHAPES), degenerate(SHAPES))
Case = tuple[mc.Network, mc.Box, st.DataObject]


def translation(net: mc.Network, box: mc.Box, data: st.DataObject) -> None:
    """Move the domain, and the first layer with it; short binary numbers keep that exact."""
    weights, biases = arrays(net)
    weights[0] = np.round(weights[0] * 1024) / 1024
    biases[0] = np.round(biases[0] * 1024) / 1024
    expected = regions(network(weights, biases), box)
    n = net.n_inputs
    shift = np.array(data.draw(st.lists(st.integers(-9, 9), min_size=n, max_size=n))) / 4
    biases[0] -= weights[0] @ shift
    moved = mc.Box(np.add(box.lower, shift), np.add(box.upper, shift))
    assert regions(network(weights, biases), moved) == expected


def parts(net: mc.Network, box: mc.Box, data: st.DataObject) -> None:
    """Split the box: a region may fall into both parts, and none is lost."""
    low, high = np.array(box.lower, float), np.array(box.upper, float)
    axis = data.draw(st.integers(0, net.n_inputs - 1))
    left, right = high.copy(), low.copy()
    left[axis] = right[axis] = low[axis] + (high[axis] - low[axis]) / 4
    halves = [regions(net, b) for b in (mc.Box(low, left), mc.Box(right, high))]
    whole = regions(net, box)
    assert max(halves) <= whole <= sum(halves)


def larger_domains(net: mc.Network, box: mc.Box, data: st.DataObject) -> None:
    """Each of a smaller box, the box, a larger one and all of space holds the one before."""
    low, high = np.array(box.lower, float), np.array(box.upper, float)
    smaller, larger = mc.Box(low / 2, high / 3), mc.Box(low - 1, high + 0.5)
    found = [regions(net, domain) for domain in (smaller, box, larger, mc.Unbounded())]
    assert found == sorted(found)


def a_section_through_all_axes(net: mc.Network, box: mc.Box, data: st.DataObject) -> None:
    """Parametrise the box by its axes in another order, some of them turned round."""
    n = net.n_inputs
    axes = np.eye(n)[data.draw(st.permutations(range(n)))]
    signs = np.array(data.draw(st.lists(st.sampled_from([-1, 1]), min_size=n, max_size=n)))
    directions = axes * signs[:, None]
    ends = directions @ np.array([box.lower, box.upper], float).T
    section = mc.Section(np.zeros(n), directions, mc.Box(ends.min(axis=1), ends.max(axis=1)))
    assert regions(net, section) == regions(net, box)


def a_section_from_a_corner(net: mc.Network, box: mc.Box, data: st.DataObject) -> None:
    """Parametrise the box by the unit cube."""
    low, sides = np.array(box.lower), np.subtract(box.upper, box.lower)
    section = mc.Section(low, np.diag(sides), mc.Box(0, 1))
    assert regions(net, section) == regions(net, box)


def rows_for_bounds(net: mc.Network, box: mc.Box, data: st.DataObject) -> None:
    """Write the box as a polyhedron."""
    n = net.n_inputs
    rows = np.r_[np.eye(n), -np.eye(n)]
    polytope = mc.Polytope(rows, np.r_[box.upper, np.negative(box.lower)])
    assert regions(net, polytope) == regions(net, box)


def polytope_in_a_box(net: mc.Network, box: mc.Box, data: st.DataObject) -> None:
    """Cut the box along a plane: a region may fall into both parts, and none is lost."""
    normal = [data.draw(st.integers(-2, 2)) for _ in range(net.n_inputs - 1)] + [1]
    middle = float(np.dot(normal, np.add(box.lower, box.upper))) / 2
    sides = [
        mc.Polytope([np.multiply(normal, sign)], [middle * sign], box.lower, box.upper)
        for sign in (-1, 1)
    ]
    halves = [regions(net, side) for side in sides]
    whole = regions(net, box)
    assert max(halves) <= whole <= sum(halves)


LAWS = [
    *(translation, parts, larger_domains, a_section_through_all_axes, a_section_from_a_corner),
    *(rows_for_bounds, polytope_in_a_box),
]
CASES = NETWORKS.flatmap(lambda net: st.tuples(st.just(net), boxes(net.n_inputs), st.data()))


@pytest.mark.parametrize("law", LAWS)
@FAST
@given(case=CASES)
def test_law(law: Callable[..., Any], case: Case) -> None:
    law(*case)


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS)
@MANY
@given(case=CASES)
def test_law_often(law: Callable[..., Any], case: Case) -> None:
    law(*case)
