"""Linear regions and decision boundaries of unions: polygons, known numbers, proofs, limits."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import milpcount as mc
from tests.partition.two_inputs import classifiers
from tests.partition.union_truth import NAMES, difference

LINEAR, CLOSED, CUT, PIECES = (NAMES[i] for i in (1, 2, 4, 5))
IDENTITY = mc.Network.from_arrays(
    [[[1.0], [-1.0]], [[1.0, 0.0], [0.0, 1.0]], [[1.0, -1.0]]], [[0, 0], [0, 0], [0]]
)
SIGN = mc.Network.from_arrays([[[1.0], [-1.0]]], [[5, 5]], output=False)
"""Decides by the sign of its input, within one region near 0."""


def number(network, parts, quantity, method=None):
    result = mc.count(network, mc.Union(parts), method or mc.ExactTree(), quantity=quantity)
    assert result.is_exact, str(result)
    return result.lower


@pytest.mark.parametrize("method", [mc.ExactTree(), mc.RegionTree()], ids=["exact", "tree"])
def test_against_polygons(method):
    some = enumerate(classifiers(12, seed=3))
    assert not [d for k, (label, net) in some if (d := difference(label, net, k, method))]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([mc.Box(-2, 0.5), mc.Box(-1, 3)], (1, 1)),
        ([mc.Box(-2, 0), mc.Box(0, 3)], (1, 1)),
        ([mc.Box(-2, -1), mc.Box(-0.5, 3)], (2, 2)),
        ([mc.Box(-2, -1), mc.Box(-1 + 2.0**-52, 3)], (2, 2)),
        ([mc.Box(3, 4), mc.Box(-2, -1), mc.Box(0, 1), mc.Box(1, 2)], (3, 3)),
    ],
)
def test_parts_of_a_line(parts, expected):
    assert tuple(number(IDENTITY, parts, name) for name in (LINEAR, CLOSED)) == expected
    assert number(IDENTITY, parts, "affine_pieces") == 1


@pytest.mark.parametrize("units", [True, False])
def test_parts_that_touch_in_a_corner_or_an_edge(units):
    """Closed linear regions meet in a corner; open ones need what has the dimension less one."""
    layers = [[[1.0, 0, 0]], [[1.0]]] if units else [[[1.0, 0, 0]]]
    network = mc.Network.from_arrays(layers, [[9.0], [0]] if units else [[9.0]])
    cube = mc.Box(0, 1)
    for moved, expected in (
        ([1, 1, 1], (2, 1)), ([1, 1, 0.5], (2, 1)), ([1, 0.5, 0.5], (1, 1)), ([1.5, 0, 0], (2, 2)),
    ):  # fmt: skip
        other = mc.Box(moved, np.add(moved, 1))
        found = tuple(number(network, [cube, other], name) for name in (LINEAR, CLOSED))
        assert found == expected, moved


def test_parts_in_a_plane_of_more_inputs():
    """Boxes that fix an input at a number that is no float64."""
    network = mc.Network.from_arrays([np.eye(3), [[1.0, 1.0, 1.0]]], [np.zeros(3), [0.0]])
    parts = [mc.Box([Fraction(1, 3), low, -1], [Fraction(1, 3), low + 1, 1]) for low in (-1, 0, 2)]
    assert number(network, parts[:2], LINEAR) == 4
    assert number(network, parts, LINEAR) == 6
    assert number(network, parts, CLOSED) == 6


def test_all_of_space_and_a_part_of_it():
    assert number(IDENTITY, [mc.Unbounded(), mc.Box(0, 1)], LINEAR) == 1
    halves = [mc.Polytope([[1.0]], [0.0]), mc.Polytope([[-1.0]], [0.0])]
    assert number(IDENTITY, halves, LINEAR) == 1
    assert number(IDENTITY, halves, LINEAR, mc.RegionTree()) == 1


@pytest.mark.parametrize("quantity", [CUT, PIECES])
def test_boundaries_between_parts(quantity):
    assert number(SIGN, [mc.Box(-2, 0), mc.Box(0, 3)], quantity) == 1
    assert number(SIGN, [mc.Box(-2, 1), mc.Box(-1, 3)], quantity) == 1
    assert number(SIGN, [mc.Box(-2, -1), mc.Box(1, 3)], quantity) == 0


def test_results_prove_themselves():
    for k, (_, network) in enumerate(classifiers(6, seed=5)):
        parts = [mc.Box(-2, 0), mc.Box([0, -1], 1), mc.Box(0.5, 2)]
        for name in NAMES:
            result = mc.count(network, mc.Union(parts), mc.ExactTree(), quantity=name,
                              keep_regions=True)  # fmt: skip
            proof = result.verify()
            assert proof, f"{k}: {name}: {proof}"
            assert proof.n_counted == result.lower or name == "activation_regions"


def test_a_list_that_lacks_a_region_proves_less():
    union = mc.Union([mc.Box(-2, -1), mc.Box(-0.5, 3)])
    result = mc.count(IDENTITY, union, mc.ExactTree(), quantity=LINEAR, keep_regions=True)
    assert result.lower == 2
    assert result.verify()
    some = replace(result, regions=result.regions[:1])
    assert some.verify().sets == 1
    assert not some.verify()


def test_limits_keep_bounds():
    random = np.random.default_rng(4)
    network = mc.Network.from_arrays(
        [random.normal(size=(9, 3)), random.normal(size=(4, 9))],
        [random.normal(size=9), np.zeros(4)],
    )
    union = mc.Union([mc.Box(-1, 0.25), mc.Box(0, 1), mc.Box(2, 3)])
    for name in (LINEAR, CLOSED, CUT, PIECES):
        whole = mc.count(network, union, quantity=name)
        some = mc.count(network, union, mc.ExactTree(), quantity=name,
                        limits=mc.Limits(regions=5))  # fmt: skip
        assert whole.is_exact
        assert some.status is mc.Status.REGION_LIMIT
        assert 5 <= some.lower <= whole.lower <= some.upper


def test_a_bound_holds_for_parts_that_are_apart():
    """One unit has two regions at most on a convex set, on five that are apart as many each."""
    network = mc.Network.from_arrays([[[1.0]], [[1.0]]], [[0.0], [0.0]])
    apart = mc.Union([mc.Box(2 * k, 2 * k + 1) for k in range(5)])
    stopped = mc.count(network, apart, mc.ExactTree(), quantity=LINEAR,
                       limits=mc.Limits(seconds=1e-6))  # fmt: skip
    assert stopped.upper >= 5
    assert mc.count(network, apart, mc.ExactTree(), quantity=LINEAR).lower == 5
