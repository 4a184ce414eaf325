"""Points next to the box's sides and inequalities that touch it, in exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from milpcount.exact.conditions import Conditions
from milpcount.exact.geometry import ExactBox, Rows
from milpcount.exact.proofs import is_proof_of_empty, prove_witness

BOX = ExactBox.of([0.0, 0.0], [1.0, 1.0])


@pytest.mark.parametrize("gap", [2.0**-k for k in (3, 20, 60, 300)])
def test_a_point_on_the_side_is_moved_less_than_to_the_next_row(gap):
    rows = Rows.of(np.array([[gap, -1.0, 0.0]]))  # x < gap
    point = prove_witness(rows, (1,), BOX, np.array([0.0, 0.5]))
    assert point is not None
    x = Fraction(int(point.numerators[0]), point.denominator)
    assert 0 < x < Fraction(gap)


def conditions(row, *, strict):
    return Conditions.of(Rows.of(np.array([row])), strict=strict)


@pytest.mark.parametrize("strict", [True, False])
def test_inequalities_that_touch_the_box(strict):
    # x >= 0 holds on the closed box, x > 0 does not; x <= 0 is met on its side, x < 0 nowhere.
    assert len(conditions([0.0, 1.0, 0.0], strict=strict).cutting(BOX)) == int(strict)
    assert conditions([0.0, -1.0, 0.0], strict=strict).fail_on(BOX) == strict
    assert len(conditions([0.5, 1.0, 0.0], strict=strict).cutting(BOX)) == 0
    assert conditions([-0.5, -1.0, 0.0], strict=strict).fail_on(BOX)
    assert not conditions([-0.5, 1.0, 0.0], strict=strict).fail_on(BOX)


def test_multipliers_that_are_negative_prove_nothing():
    rows = Rows.of(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))  # x > 0 and y > 0
    assert not is_proof_of_empty(rows, (1, 1), BOX, (-1, -1))
    assert not is_proof_of_empty(rows, (1, 1), BOX, (-1, 0))
    assert is_proof_of_empty(rows, (-1, 1), BOX, (1, 0))


def test_a_maximum_below_is_infinite_too():
    half = ExactBox.of([-np.inf, 0.0], [0.0, 1.0])
    down, up = Rows.of(np.array([[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]])).values
    assert half.maximum(down) is None and half.maximum(up) == 0
    whole = ExactBox.of([-np.inf, 0.0], [np.inf, 1.0])
    assert whole.maximum(down) is None and whole.maximum(up) is None
