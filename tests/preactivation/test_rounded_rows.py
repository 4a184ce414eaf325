"""Intervals of rows whose numbers were rounded, or whose slopes cancel: they hold."""

from fractions import Fraction
from itertools import permutations

import numpy as np

import milpcount as mc
from milpcount.network import relu
from milpcount.network.affine import Dense, Elementwise
from milpcount.network.composite import compose
from milpcount.network.layer import Layer
from milpcount.preactivation.intervals import interval_bounds
from milpcount.preactivation.ranges import Box, Span


def test_a_bias_that_was_rounded_is_not_exact_where_nothing_is_read():
    third = compose([Dense([[1.0]], [1.0]), Elementwise([1.0], [0.0], [3.0])])
    dead = Layer(Dense([[-1.0]], [-1.0]), relu())
    net = mc.Network((dead, Layer(third, relu())))
    bounds = interval_bounds(net, mc.Box(0, 1).bind(1))
    assert (
        Fraction(float(bounds.lower[1][0])) <= Fraction(1, 3) <= Fraction(float(bounds.upper[1][0]))
    )


def test_a_slope_that_sums_to_zero_in_floats_is_none():
    line = Span(np.zeros(3), np.ones((3, 1)), Box(np.array([-np.inf]), np.array([np.inf])))
    zeros = 0
    for weight in permutations((1.0, 2.0**-60, -1.0)):
        found = line.times(np.array([weight]))
        assert found.lower[0] == -np.inf and found.upper[0] == np.inf
        zeros += weight[0] + weight[1] + weight[2] == 0
    assert zeros
