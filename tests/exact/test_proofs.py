from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milpcount.exact.geometry import ExactBox, Point, Rows
from milpcount.exact.program import decide
from milpcount.exact.proofs import is_proof_of_empty, prove_empty, prove_witness

INF = float("inf")
UNIT = ExactBox.of([-1.0, -1.0], [1.0, 1.0])
# x < y, y < z, z < x on the plane x + y + z = 0: empty, and only exact multipliers prove it.
CYCLE = Rows.of([[0.0, -1.0, 1.0], [0.0, -1.0, -2.0], [0.0, 2.0, 1.0]])


def top(rows: Rows, signs: list[int], box: ExactBox, multipliers: tuple[int, ...]) -> Fraction:
    """Return the combination's largest value on the box: independent of the code under test."""
    table = [
        [Fraction(v, q) for v in row]
        for row, q in zip(rows.values.tolist(), rows.denominators, strict=True)
    ]
    total = [
        sum(m * s * row[k] for m, s, row in zip(multipliers, signs, table, strict=True))
        for k in range(rows.dimension + 1)
    ]
    lower, upper = box.floats
    value = total[0]
    for slope, low, high in zip(total[1:], lower, upper, strict=True):
        if slope:
            side = high if slope > 0 else low
            assert np.isfinite(side)
            value += slope * Fraction(side)
    return value


integer_cells = st.integers(1, 4).flatmap(
    lambda d: st.lists(
        st.tuples(st.lists(st.integers(-4, 4), min_size=d + 1, max_size=d + 1), st.booleans()),
        min_size=1,
        max_size=8,
    )
)


@given(integer_cells)
@settings(max_examples=200, deadline=None)
def test_certificates_hold_and_can_be_rebuilt_from_floats(cell: list) -> None:
    rows = Rows.of([[v / 4 for v in row] for row, _ in cell])
    signs = [1 if positive else -1 for _, positive in cell]
    d = rows.dimension
    box = ExactBox.of([-1.0] * d, [2.0] * d)
    verdict = decide(rows, signs, box)
    if verdict.multipliers is None:
        assert verdict.witness is not None
        again = prove_witness(rows, signs, box, verdict.witness.floats())
        assert again is not None
        return
    assert min(verdict.multipliers) >= 0 < max(verdict.multipliers)
    assert top(rows, signs, box, verdict.multipliers) <= 0
    hint = np.array(verdict.multipliers, dtype=float)
    rebuilt = prove_empty(rows, signs, box, hint / hint.sum())
    assert rebuilt is not None
    assert min(rebuilt) >= 0 < max(rebuilt)
    assert top(rows, signs, box, rebuilt) <= 0


def test_a_hint_with_rounding_noise_becomes_exact() -> None:
    hint = [1 / 3 + 1e-13, 1 / 3, 1 / 3 - 1e-13]
    assert prove_empty(CYCLE, [1, 1, 1], UNIT, hint) == (1, 1, 1)


def test_noise_on_rows_that_take_no_part_is_dropped() -> None:
    rows = Rows.stack([CYCLE, Rows.of([[0.5, 1.0, 0.0]])])
    assert prove_empty(rows, [1, 1, 1, 1], UNIT, [1.0, 1.0, 1.0, 1e-14]) == (1, 1, 1, 0)


def test_a_contact_with_the_boxs_side_needs_the_value_too() -> None:
    rows = Rows.of([[-3.0, 1.0, 1.0], [1.0, 0.0, -1.0]])
    box = ExactBox.of([0.0, 0.0], [2.0, 5.0])
    assert prove_empty(rows, [1, 1], box, [0.7, 0.7 * (1 + 1e-12)]) == (1, 1)


def test_multipliers_refer_to_true_values() -> None:
    rows = Rows.stack([Rows.of([[0.0, 0.25]]), Rows.of([[0.0, -1.0]])])
    found = prove_empty(rows, [1, 1], ExactBox.of([-1.0], [1.0]), [4.0, 1.0])
    assert found == (4, 1)


@pytest.mark.parametrize("hint", [[0.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [np.nan] * 3, [np.inf] * 3])
def test_a_useless_hint_proves_nothing(hint: list[float]) -> None:
    assert prove_empty(CYCLE, [1, 1, 1], UNIT, hint) is None


def test_a_cell_with_points_cannot_be_proved_empty() -> None:
    assert prove_empty(CYCLE, [1, 1, -1], UNIT, [1.0, 1.0, 1.0]) is None


def test_an_unbounded_direction_must_cancel() -> None:
    rows = Rows.of([[-1.0, 3.0], [0.0, -1.0]])
    line = ExactBox.of([-INF], [INF])
    assert prove_empty(rows, [1, 1], line, [1.0, 3.0 + 1e-12]) == (1, 3)
    assert prove_empty(rows, [1, -1], line, [1.0, 1.0]) is None
    assert prove_empty(rows, [1, 1], ExactBox.of([-INF], [0.0]), [1.0, 0.0]) == (1, 0)


def test_a_sign_of_zero_asks_nothing() -> None:
    assert prove_empty(CYCLE, [1, 1, 0], UNIT, [1.0, 1.0, 1.0]) is None
    assert prove_witness(CYCLE, [0, 0, 0], UNIT, [0.5, 0.5]) is not None


def test_proofs_are_checked_independently_of_their_origin() -> None:
    assert is_proof_of_empty(CYCLE, [1, 1, 1], UNIT, (1, 1, 1))
    assert not is_proof_of_empty(CYCLE, [1, 1, 1], UNIT, (1, 1, 2))
    assert not is_proof_of_empty(CYCLE, [1, 1, 1], UNIT, (0, 0, 0))
    assert not is_proof_of_empty(CYCLE, [1, 1, 1], UNIT, (1, 1))
    assert not is_proof_of_empty(CYCLE, [-1, -1, -1], UNIT, (1, 1, -2))
    assert not is_proof_of_empty(CYCLE, [1, 1, 1], UNIT, (1, 1, 1), [False] * 3)
    assert is_proof_of_empty(CYCLE, [1, 1, 1], UNIT, (1, 1, 1), [False, True, False])


def test_a_hint_inside_is_returned_as_it_is() -> None:
    rows = Rows.of([[0.0, 1.0, 0.0]])
    point = prove_witness(rows, [1], UNIT, [2.0**-50, 0.0])
    assert point is not None
    assert point.floats().tolist() == [2.0**-50, 0.0]


@pytest.mark.parametrize("hint", [[1.0, 1.0], [1.0 + 1e-9, 1.0], [1.0, -5.0]])
def test_a_hint_on_the_box_is_moved_inside(hint: list[float]) -> None:
    rows = Rows.of([[-0.999, 1.0, 0.0]])
    point = prove_witness(rows, [1], UNIT, hint)
    assert point is not None
    assert UNIT.contains_inside(point)
    assert (rows.at(point) > 0).all()


@pytest.mark.parametrize("hint", [[0.0, 0.0], [-0.5, 0.0], [np.nan, 0.0], [np.inf, 0.0]])
def test_a_hint_that_is_not_in_the_cell_proves_nothing(hint: list[float]) -> None:
    assert prove_witness(Rows.of([[0.0, 1.0, 0.0]]), [1], UNIT, hint) is None


def test_a_rational_hint_is_taken_exactly() -> None:
    rows = Rows.of([[-1.0, 3.0, 0.0]])
    third = np.array([Fraction(1, 3), Fraction(0)], dtype=object)
    assert prove_witness(rows, [1], UNIT, third) is None
    above = Point.of(third + np.array([Fraction(1, 10**30), 0], dtype=object))
    assert prove_witness(rows, [1], UNIT, above) is above


def test_wide_degenerate_cells_are_proved_from_noisy_hints(engine: str) -> None:
    rng = np.random.default_rng(0)
    base = rng.integers(-99, 99, (6, 300)).astype(float) / 128
    rows = Rows.of(np.c_[np.zeros(6), base - np.roll(base, 1, axis=0)])
    box = ExactBox.of(np.zeros(300), np.ones(300))
    hint = 0.3 * (1 + 1e-12 * rng.normal(size=6))
    assert prove_empty(rows, [1] * 6, box, hint) == (1,) * 6
