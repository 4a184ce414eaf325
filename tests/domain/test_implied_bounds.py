"""Bounds that a polytope's rows imply hold on it, and leave it as it is."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

import milpcount as mc
from milpcount.domain.implied_bounds import with_implied_bounds
from milpcount.rationals import to_float
from tests.networks import random_network


def extremes(A, b):
    found = []
    for c in np.vstack([np.eye(A.shape[1]), -np.eye(A.shape[1])]):
        found.append(-linprog(-c, A_ub=A, b_ub=b, bounds=(None, None), method="highs").fun)
    n = A.shape[1]
    return -np.array(found[n:]), np.array(found[:n])


def simplex(rng, n):
    """Return rows of a bounded polytope with the origin inside, rotated and scaled."""
    normals = rng.normal(size=(n, n))
    A = np.vstack([normals, -normals.sum(axis=0, keepdims=True), rng.normal(size=(n, n))])
    return A * np.exp(rng.normal(size=(len(A), 1))), np.exp(rng.normal(size=len(A)))


@pytest.mark.parametrize("seed", range(20))
def test_they_hold_and_are_near(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 7))
    A, b = simplex(rng, n)
    inputs = with_implied_bounds(mc.Polytope(A, b).bind(n))
    assert inputs.is_boxed
    low, high = extremes(A, b)
    assert (inputs.lower <= low + 1e-9 * (high - low)).all()
    assert (inputs.upper >= high - 1e-9 * (high - low)).all()
    assert (inputs.width <= 1.1 * (high - low)).all()


def test_rows_of_one_entry_become_bounds_where_the_quotient_is_a_float():
    A = [[2.0, 0.0], [-1.0, 0.0], [0.0, 3.0], [0.0, -3.0]]
    inputs = with_implied_bounds(mc.Polytope(A, [1.0, 0.5, 1.0, 3.0]).bind(2))
    assert inputs.lower.tolist() == [-0.5, -1.0]
    assert inputs.upper[0] == 0.5
    assert inputs.upper[1] > 1 / 3  # a third is no float: the row stays, and a bound outside of it
    assert inputs.rows.tolist() == [[0.0, 3.0]]


@pytest.mark.parametrize(
    ("A", "b"),
    [
        ([[1.0, 0.0]], [1.0]),
        ([[1.0, 1.0], [-1.0, -1.0]], [1.0, 1.0]),
        ([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]], [1.0, 1.0, 0.0]),
        ([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [1.0, -1.0, 1.0, 1.0]),
        ([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]], [-1.0, -1.0, 1.0, 1.0]),
    ],
    ids=["half-plane", "strip", "half-strip", "flat", "empty"],
)
def test_other_sets_stay_as_they_are(A, b):
    inputs = mc.Polytope(A, b).bind(2)
    assert with_implied_bounds(inputs) is inputs


@pytest.mark.parametrize("seed", range(12))
def test_polytopes_hold_the_regions_that_they_hold(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    network = random_network(seed, n, (5, 4))
    if seed % 3 == 0:
        A, b = np.vstack([np.eye(n), -np.eye(n)]), np.ones(2 * n)
    else:
        A, b = simplex(rng, n)
        A, b = np.round(A * 4) / 4, np.round(b * 4 + 1) / 4
    polytope = mc.Polytope(A, b)
    for quantity in ("activation_regions", "activation_patterns"):
        counts = {
            mc.count(network, polytope, method, quantity=quantity).lower
            for method in (mc.RegionTree(), mc.ExactTree())
        }
        assert len(counts) == 1


def test_numbers_that_no_float_holds_are_left_alone():
    third = mc.Polytope([[Fraction(1, 3), 0], [0, 1], [-1, 0], [0, -1]], [Fraction(1, 7), 1, 1, 1])
    inputs = third.bind(2)
    assert inputs.exact is not None and to_float(1, 3) == inputs.rows[0, 0]
    assert with_implied_bounds(inputs) is inputs
