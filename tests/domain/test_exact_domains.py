"""Domains hold the numbers that were given, whatever float64 would make of them."""

from fractions import Fraction

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import DomainError

METHODS = (mc.RegionTree(), mc.ExactTree(), mc.BruteForce(), mc.SolutionPool())
BOXES = METHODS[:3]


def counts(net, domain, methods=METHODS, **options) -> set[int]:
    return {mc.count(net, domain, method, **options).lower for method in methods}


def one_layer(rows, biases) -> mc.Network:
    return mc.Network.from_arrays([rows], [biases], output=False)


def test_a_fixed_parameter_shifts_a_section_exactly():
    # On x1 = 0.1 t, x2 = t the last two terms cancel, though 0.1 * 3 rounds: the sign is x0's.
    net = one_layer([[1e-18, 1.0, -0.1]], [0.0])
    section = mc.Section([0, 0, 0], [[1, 0, 0], [0, 0.1, 1]], mc.Box([-1e3, 3], [1e3, 3]))
    assert counts(net, section) == {2}


@pytest.mark.parametrize("t", [3.0, 1 / 3, 1e5 / 7, 7e-9])
def test_two_units_that_vanish_on_the_same_line_of_a_section(t):
    net = one_layer([[1.0, 1.0, -0.1], [3.0, 3.0, -0.3]], [0.0, 0.0])
    section = mc.Section([0, 0, 0], [[1, 0, 0], [0, 0.1, 1]], mc.Box([-1, t], [1, t]))
    # 0.3 is not 3 * 0.1 in float64: the lines differ by t times the difference.
    slab = abs(Fraction(0.3) - 3 * Fraction(0.1)) * Fraction(t)
    assert slab != 0
    assert counts(net, section, BOXES) == {3}


def test_directions_that_differ_in_the_last_place_are_independent():
    section = mc.Section([0, 0], [[1, 1], [1, 1 + 2**-51]], mc.Box(-1, 1))
    assert counts(one_layer([[1, -1], [1, 1]], [0, 0]), section, BOXES) == {4}
    with pytest.raises(DomainError, match="linearly dependent"):
        mc.Section([0, 0, 0], [[0.1, 0.3, 0.7], [0.2, 0.6, 1.4]]).bind(3)
    with pytest.raises(DomainError, match="linearly dependent"):
        mc.Section([0, 0], [[1, 1], [0, 0]]).bind(2)


def test_fractions_in_a_box():
    # 3 x0 - 1 is zero where x0 is fixed at a third, so that both units follow the sign of x1.
    net = one_layer([[3, 1], [3, -1]], [-1, -1])
    third = Fraction(1, 3)
    box = mc.Box([third, -1], [third, 1])
    assert counts(net, box, BOXES) == {2}
    assert counts(net, box, BOXES, quantity="activation_patterns") == {3}
    rounded = mc.Box([1 / 3, -1], [1 / 3, 1])
    assert counts(net, rounded, BOXES) == {3}


def test_a_box_of_fractions_narrower_than_float64_tells():
    third = Fraction(1, 3)
    box = mc.Box([third, 0], [third + Fraction(1, 2**80), 1])
    inputs = box.bind(2)
    assert inputs.exact is not None
    assert inputs.width[0] == 2.0**-80
    # 3 (x0 - 1/3) - 1.5 * 2^-80 x1 changes its sign inside, 3 x0 - 1 does not.
    net = one_layer([[3, -1.5 * 2.0**-80], [3, 0]], [-1, -1])
    assert counts(net, box, BOXES) == {2}


def test_fractions_in_a_polytope():
    # x + y <= 1/3 and the unit x + y - 1/3 rounded up: never active inside
    third = Fraction(1, 3)
    up = float(np.nextafter(1 / 3, 1))
    assert Fraction(up) > third > Fraction(1 / 3)
    domain = mc.Polytope([[1, 1]], [third], 0, 1)
    assert counts(one_layer([[1, 1]], [-up]), domain, BOXES) == {1}
    assert counts(one_layer([[1, 1]], [-1 / 3]), domain, BOXES) == {2}


def test_large_integers_are_not_rounded():
    n = 2**53 + 1
    assert mc.Box(0, n).bind(1).exact is not None
    assert mc.Box(0, 2**53).bind(1).exact is None
    assert counts(one_layer([[1]], [-float(2**53)]), mc.Box(0, n), BOXES) == {2}


@pytest.mark.parametrize(
    "value", ["1/3", 10**400, 1j, None, {}, [[1, 2]], Fraction(1, 10**320)], ids=repr
)
def test_what_is_no_number_is_refused(value):
    with pytest.raises(DomainError):
        mc.Box(0, value).bind(1)
