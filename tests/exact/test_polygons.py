"""Regions of a plane as polygons: exact, and together all of the domain."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.errors import DomainError
from milpcount.exact.polygons import area, clip, polygons
from tests.networks import random_network

SQUARE = [(Fraction(x), Fraction(y)) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]


def partition(network, domain):
    found = mc.count(network, domain, keep_regions=True).regions
    return polygons(network, domain.bind(network.n_inputs), [r.pattern for r in found])


def test_quadrants():
    network = mc.Network.from_arrays([[[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0]], output=False)
    found = partition(network, mc.Box(-1, 1))
    assert [area(p) for p in found] == [1, 1, 1, 1]
    assert all(len(p) == 4 for p in found)


def test_a_cut_square():
    # x + y >= 3/2 leaves a corner
    corner = clip(SQUARE, [-3, 2, 2])
    assert area(corner) == Fraction(1, 8)
    assert set(corner) == {(1, Fraction(1, 2)), (1, 1), (Fraction(1, 2), 1)}
    assert clip(SQUARE, [1, 0, 0]) == SQUARE
    assert clip(SQUARE, [-1, 0, 0]) == []


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_areas_add_up_to_the_domain(seed):
    network = random_network(seed, 2, (4, 3))
    found = partition(network, mc.Box(-1, 1))
    assert all(area(p) > 0 for p in found)
    assert sum(map(area, found)) == 4


def test_a_section_of_many_inputs():
    network = random_network(4, 9, (5, 5))
    rng = np.random.default_rng(0)
    section = mc.Section(rng.normal(size=9), rng.normal(size=(2, 9)), mc.Box(-2, 3))
    assert sum(map(area, partition(network, section))) == 25


def test_parallel_lines_close_together():
    network = mc.Network.from_arrays(
        [[[1.0, 0.0], [1.0, 0.0]]], [[0.25, 0.25 + 2.0**-50]], output=False
    )
    found = sorted(map(area, partition(network, mc.Box(-1, 1))))
    assert found[0] == Fraction(2, 2**50)
    assert sum(found) == 4


@pytest.mark.parametrize("domain", [mc.Unbounded(), mc.Polytope([[1.0, 1.0]], [1.0])])
def test_what_is_no_bounded_plane(domain):
    network = random_network(1, 2, (3,))
    with pytest.raises(DomainError, match="bounded plane"):
        polygons(network, domain.bind(2), [])
    with pytest.raises(DomainError, match="dimension 3"):
        polygons(random_network(1, 3, (3,)), mc.Box(0, 1).bind(3), [])


def test_a_pattern_without_region():
    network = mc.Network.from_arrays([[[1.0, 0.0]]], [[5.0]], output=False)
    with pytest.raises(DomainError, match="has no region"):
        polygons(network, mc.Box(0, 1).bind(2), [(0,)])
