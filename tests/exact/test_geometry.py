from fractions import Fraction

import numpy as np
import pytest

from milpcount.errors import DomainError
from milpcount.exact.geometry import ExactBox, Point, Rows, common_multipliers

INF = float("inf")


def box(*sides: tuple[float, float]) -> ExactBox:
    return ExactBox.of([a for a, _ in sides], [b for _, b in sides])


def test_points_convert_both_ways() -> None:
    point = Point.of([0.5, -3.0])
    assert point.fractions() == [Fraction(1, 2), -3]
    assert point.floats().tolist() == [0.5, -3.0]


def test_rows_are_evaluated_exactly() -> None:
    rows = Rows.of([[0.1, 1.0], [-0.1, -1.0]])
    assert np.sign(rows.at(Point.of([-0.1]))).tolist() == [0, 0]
    third = Point.of(np.array([Fraction(-1, 3)], dtype=object))
    assert np.sign(rows.at(third)).tolist() == [-1, 1]


def test_rows_can_be_stacked_and_taken() -> None:
    rows = Rows.stack([Rows.of([[0.5, 1.0]]), Rows.of([[3.0, 4.0], [0.0, 0.0]])])
    assert len(rows) == 3
    assert rows.dimension == 1
    assert rows.floats().tolist() == [[0.5, 1.0], [3.0, 4.0], [0.0, 0.0]]
    assert rows.is_zero().tolist() == [False, False, True]
    assert rows.take([2, 0]).floats().tolist() == [[0.0, 0.0], [0.5, 1.0]]


@pytest.mark.parametrize(
    ("row", "maximum"), [([1, 2, 0], 3), ([1, -2, 0], 1), ([0, 0, 5], 20), ([0, 1, -1], 4)]
)
def test_the_maximum_over_a_box(row: list[int], maximum: int) -> None:
    assert box((0, 1), (-3, 4)).maximum(np.array(row, dtype=object)) == maximum


def test_the_maximum_with_fractional_sides() -> None:
    sides = box((0.25, 0.75))
    row = np.array([1, 1], dtype=object)
    assert sides.maximum(row) == Fraction(7, 4)
    assert sides.is_positive(row)
    assert sides.is_nowhere_positive(-row)


def test_the_maximum_towards_infinity_is_none() -> None:
    half = box((0, INF), (-INF, INF))
    assert half.maximum(np.array([0, 1, 0], dtype=object)) is None
    assert half.maximum(np.array([0, 0, 1], dtype=object)) is None
    assert half.maximum(np.array([7, -1, 0], dtype=object)) == 7
    assert not half.is_positive(np.array([1, -1, 0], dtype=object))
    assert half.is_positive(np.array([1, 1, 0], dtype=object))


def test_a_positive_minimum_must_not_be_zero() -> None:
    assert not box((0, 1)).is_positive(np.array([0, 1], dtype=object))


def test_inside_is_strict_and_contained_is_not() -> None:
    sides = box((0, 1), (-INF, 0.5))
    corner, inner = Point.of([0.0, 0.5]), Point.of([2.0**-60, -1e300])
    assert sides.contains(corner)
    assert not sides.contains_inside(corner)
    assert sides.contains_inside(inner)
    assert not sides.contains(Point.of([1.0 + 2**-52, 0.0]))


def test_the_middle_is_inside_every_box() -> None:
    sides = box((0, 1), (-INF, -5), (3, INF), (-INF, INF))
    assert sides.middle.floats().tolist() == [0.5, -6.0, 4.0, 0.0]
    assert sides.contains_inside(sides.middle)


@pytest.mark.parametrize("side", [(1.0, 1.0), (2.0, 1.0), (INF, INF)])
def test_a_box_without_interior_is_refused(side: tuple[float, float]) -> None:
    with pytest.raises(DomainError, match="parameter 1: it has no interior"):
        box((0, 1), side)


def test_nan_is_refused() -> None:
    with pytest.raises(DomainError, match="nan"):
        box((0, float("nan")))


def test_multipliers_are_brought_to_one_denominator() -> None:
    assert common_multipliers([1, 1, 3], [1, 2, 4]) == [4, 2, 3]
