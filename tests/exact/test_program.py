from fractions import Fraction
from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milpcount.exact import program
from milpcount.exact.arithmetic import use_flint
from milpcount.exact.geometry import ExactBox, Point, Rows
from milpcount.exact.program import Verdict, attained, decide
from milpcount.exact.proofs import is_proof_of_empty

INF = float("inf")
small = st.integers(-3, 3)
cells_1d = st.lists(st.tuples(small, small, st.booleans()), min_size=1, max_size=6)
cells_2d = st.lists(st.tuples(small, small, small, st.booleans()), min_size=1, max_size=7)
BOX_1D, BOX_2D = ExactBox.of([-2.0], [1.0]), ExactBox.of([-1.0, -2.0], [2.0, 1.0])
BRAID = Rows.of([[0, 1, -1, 0], [0, 1, 0, -1], [0, 0, 1, -1]])
CUBE = ExactBox.of([-1.0] * 3, [1.0] * 3)


@pytest.fixture(params=["exact simplex", "float hints"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decide small cells by the exact simplex alone, and from hints."""
    columns = 1000 if request.param == "exact simplex" else 0
    monkeypatch.setattr(program, "_COLD_COLUMNS", columns)


def split(cell: list) -> tuple[Rows, list[int], list[bool]]:
    rows = Rows.of([list(entry[:-1]) for entry in cell])
    return rows, [1 if entry[-1] else -1 for entry in cell], [entry[-1] for entry in cell]


def vertices_1d(rows: list, box: ExactBox) -> list[tuple[Fraction, ...]]:
    low, high = (Fraction(v) for v in (box.floats[0][0], box.floats[1][0]))
    points = {low, high, *(Fraction(-c, a) for c, a in rows if a)}
    return [(t,) for t in sorted(points) if low <= t <= high]


def vertices_2d(rows: list, box: ExactBox) -> list[tuple[Fraction, ...]]:
    lower, upper = box.floats
    sides = [(-int(v), *e) for v in (lower[0], upper[0]) for e in [(1, 0)]]
    sides += [(-int(v), 0, 1) for v in (lower[1], upper[1])]
    found = set()
    for (c, a, b), (f, d, e) in combinations([*rows, *sides], 2):
        det = a * e - b * d
        if det:
            found.add((Fraction(b * f - c * e, det), Fraction(c * d - a * f, det)))
    inside = [
        p for p in found if all(low <= v <= up for v, low, up in zip(p, lower, upper, strict=True))
    ]
    return inside


def oracle(cell: list, box: ExactBox, vertices: list, strict: list[bool]) -> bool:
    """Return whether the cell has a point, from the vertices of its closure."""
    rows = [(tuple(e[:-1]), 1 if e[-1] else -1) for e in cell]

    def value(row: tuple, sign: int, p: tuple) -> Fraction:
        return sign * (row[0] + sum(a * v for a, v in zip(row[1:], p, strict=True)))

    closed = [p for p in vertices if all(value(r, s, p) >= 0 for r, s in rows)]
    if not closed:
        return False
    centre = tuple(sum(c) / Fraction(len(closed)) for c in zip(*closed, strict=True))
    return all(value(r, s, centre) > 0 for (r, s), t in zip(rows, strict, strict=True) if t)


def check(rows: Rows, signs: list[int], box: ExactBox, verdict: Verdict) -> None:
    if verdict.witness is not None:
        assert box.contains_inside(verdict.witness)
        values = rows.at(verdict.witness) * np.array(signs, dtype=object)
        assert all(v > 0 for v, s in zip(values, signs, strict=True) if s)
    else:
        assert verdict.multipliers is not None
        assert is_proof_of_empty(rows, signs, box, verdict.multipliers)
        assert verdict.support


def check_closed(rows: Rows, signs: list, strict: list, box: ExactBox, verdict: Verdict) -> None:
    if verdict.witness is not None:
        assert box.contains(verdict.witness)
        values = rows.at(verdict.witness) * np.array(signs, dtype=object)
        asked = [(v, t) for v, s, t in zip(values, signs, strict, strict=True) if s]
        assert all(v > 0 if t else v >= 0 for v, t in asked)
    else:
        assert verdict.multipliers is not None
        assert is_proof_of_empty(rows, signs, box, verdict.multipliers, strict)


@pytest.mark.usefixtures("way")
class TestLaws:
    @given(cells_1d)
    @settings(max_examples=150, deadline=None)
    def test_intervals(self, cell: list) -> None:
        rows, signs, strict = split(cell)
        points = vertices_1d([e[:-1] for e in cell], BOX_1D)
        gaps = [(a[0] + b[0]) / 2 for a, b in pairwise(points)]
        alive = any(
            all((s * (c + a * t)) > 0 for (c, a, _), s in zip(cell, signs, strict=True))
            for t in gaps
        )
        verdict = decide(rows, signs, BOX_1D)
        assert verdict.is_empty != alive
        check(rows, signs, BOX_1D, verdict)
        closed = attained(rows, signs, strict, BOX_1D)
        assert closed.is_empty != oracle(cell, BOX_1D, points, strict)
        check_closed(rows, signs, strict, BOX_1D, closed)

    @given(cells_2d)
    @settings(max_examples=200, deadline=None)
    def test_polygons(self, cell: list) -> None:
        rows, signs, strict = split(cell)
        points = vertices_2d([e[:-1] for e in cell], BOX_2D)
        verdict = decide(rows, signs, BOX_2D)
        # With every row and side strict, the centre of the closure's vertices decides.
        sides = [(1, 1, 0, True), (2, -1, 0, True), (2, 0, 1, True), (1, 0, -1, True)]
        everything = [*cell, *sides]
        alive = oracle(everything, BOX_2D, points, [True] * len(everything))
        assert verdict.is_empty != alive
        check(rows, signs, BOX_2D, verdict)
        closed = attained(rows, signs, strict, BOX_2D)
        assert closed.is_empty != oracle(cell, BOX_2D, points, strict)
        check_closed(rows, signs, strict, BOX_2D, closed)

    @given(cells_2d)
    @settings(max_examples=100, deadline=None)
    def test_all_of_the_plane(self, cell: list) -> None:
        rows, signs, _ = split(cell)
        plane = ExactBox.of([-INF, -INF], [INF, INF])
        # Every cell of these small integers meets a box that holds all vertices.
        large = ExactBox.of([-1e3, -1e3], [1e3, 1e3])
        verdict = decide(rows, signs, plane)
        assert verdict.is_empty == decide(rows, signs, large).is_empty
        check(rows, signs, plane, verdict)


@pytest.mark.usefixtures("way")
class TestKnown:
    def test_three_permutations_of_six_close_a_cycle(self) -> None:
        found = {s: decide(BRAID, s, CUBE) for s in product((1, -1), repeat=3)}
        empty = {s for s, v in found.items() if v.is_empty}
        assert empty == {(1, -1, 1), (-1, 1, -1)}
        assert all(found[s].multipliers == (1, 1, 1) for s in empty)

    def test_a_zero_row_with_a_sign_is_a_conflict_by_itself(self) -> None:
        rows = Rows.of([[1.0, 1.0], [0.0, 0.0]])
        verdict = decide(rows, [1, -1], BOX_1D)
        assert verdict.multipliers == (0, 1)
        assert verdict.support == (1,)
        assert not decide(rows, [1, 0], BOX_1D).is_empty

    def test_a_zero_row_may_be_closed(self) -> None:
        rows = Rows.of([[0.0, 0.0]])
        assert not attained(rows, [-1], [False], BOX_1D).is_empty
        assert attained(rows, [1], [True], BOX_1D).is_empty

    def test_a_constant_row_has_its_own_sign(self) -> None:
        rows = Rows.of([[2.0, 0.0]])
        assert not decide(rows, [1], BOX_1D).is_empty
        assert decide(rows, [-1], BOX_1D).multipliers == (1,)

    def test_a_single_point_is_attained_but_has_no_interior(self) -> None:
        rows = Rows.of([[0.0, 1.0], [0.0, -1.0]])
        assert decide(rows, [-1, -1], BOX_1D).is_empty
        point = attained(rows, [-1, -1], [False, False], BOX_1D).witness
        assert point is not None
        assert point.fractions() == [0]

    def test_a_corner_of_the_box_is_attained(self) -> None:
        rows = Rows.of([[-3.0, 1.0, 1.0], [0.0, 1.0, 0.0]])
        box = ExactBox.of([0.0, 0.0], [1.0, 2.0])
        corner = attained(rows, [1, 1], [False, True], box).witness
        assert corner is not None
        assert corner.fractions() == [1, 2]
        assert attained(rows, [1, 1], [True, True], box).is_empty

    def test_a_sliver_below_float_resolution_is_found(self) -> None:
        tiny = Fraction(1, 10**30)
        rows = Rows.of(np.array([[Fraction(-1, 3), 1], [Fraction(1, 3) + tiny, -1]], dtype=object))
        verdict = decide(rows, [1, 1], BOX_1D)
        assert verdict.witness is not None
        t = verdict.witness.fractions()[0]
        assert Fraction(1, 3) < t < Fraction(1, 3) + tiny
        turned = Rows.of(np.array([[Fraction(-1, 3), 1], [Fraction(1, 3), -1]], dtype=object))
        assert decide(turned, [1, 1], BOX_1D).is_empty

    def test_no_rows_leave_the_whole_box(self) -> None:
        verdict = decide(Rows.of(np.zeros((0, 3))), [], BOX_2D)
        assert verdict.witness is not None
        assert verdict.support == ()

    def test_half_bounded_boxes(self) -> None:
        quadrant = ExactBox.of([0.0, 0.0], [INF, INF])
        rows = Rows.of([[-1.0, -1.0, -1.0], [-9.0, 1.0, -1.0]])
        assert decide(rows, [1, 0], quadrant).multipliers == (1, 0)
        verdict = decide(rows, [-1, 1], quadrant)
        check(rows, [-1, 1], quadrant, verdict)
        assert not verdict.is_empty


def test_both_ways_agree_on_degenerate_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    outcomes = set()
    for _ in range(150):
        d, r = int(rng.integers(2, 7)), int(rng.integers(1, 14))
        rows = Rows.of(rng.integers(-2, 3, (r, d + 1)) / rng.choice([1.0, 3.0, 7.0]))
        lower = np.where(rng.random(d) < 0.2, -INF, -1.0 * rng.integers(0, 3, d))
        upper = np.where(rng.random(d) < 0.2, INF, rng.integers(1, 4, d) / 3)
        box, signs = ExactBox.of(lower, upper), rng.choice([-1, 0, 1], r).tolist()
        strict = (rng.random(r) < 0.4).tolist()
        found = []
        for columns in (0, 1000):
            monkeypatch.setattr(program, "_COLD_COLUMNS", columns)
            open_set, mixed = decide(rows, signs, box), attained(rows, signs, strict, box)
            check(rows, signs, box, open_set)
            check_closed(rows, signs, strict, box, mixed)
            found.append((open_set.is_empty, mixed.is_empty))
        assert found[0] == found[1]
        outcomes.add(found[0])
    assert outcomes == {(True, True), (True, False), (False, False)}


@pytest.mark.parametrize("seed", range(4))
def test_both_ways_agree_on_wide_cells(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    d, r = 40, 9
    rows = Rows.of(rng.normal(size=(r, d + 1)) * np.r_[3.0, np.ones(d)])
    box = ExactBox.of(np.zeros(d), np.ones(d))
    for _ in range(4):
        signs = rng.choice([-1, 1], r).tolist()
        verdicts = []
        for columns in (0, 1000):
            monkeypatch.setattr(program, "_COLD_COLUMNS", columns)
            verdicts.append(decide(rows, signs, box))
            check(rows, signs, box, verdicts[-1])
        assert verdicts[0].is_empty == verdicts[1].is_empty


def test_numbers_beyond_float64_are_decided_without_hints(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(program, "_COLD_COLUMNS", 0)
    huge = 10**400
    rows = Rows(np.array([[1 - huge, huge], [huge, -huge]], dtype=object), (1, 1))
    verdict = decide(rows, [1, 1], ExactBox.of([0.0], [2.0]))
    assert verdict.witness is not None
    assert 1 - Fraction(1, huge) < verdict.witness.fractions()[0] < 1


def test_the_engines_agree() -> None:
    pytest.importorskip("flint")
    rng = np.random.default_rng(3)
    rows = Rows.of(rng.integers(-3, 4, (12, 6)).astype(float))
    box = ExactBox.of([-1.0] * 5, [1.0] * 5)
    outcomes = []
    for signs in rng.choice([-1, 1], (30, 12)).tolist():
        outcomes.append(decide(rows, signs, box).is_empty)
        before = use_flint(False)
        try:
            verdict = decide(rows, signs, box)
        finally:
            use_flint(before)
        check(rows, signs, box, verdict)
        assert verdict.is_empty == outcomes[-1]
    assert len(set(outcomes)) == 2


def test_witnesses_are_floats_where_floats_suffice() -> None:
    verdict = decide(BRAID, [1, 1, 1], CUBE)
    assert verdict.witness is not None
    assert Point.of(verdict.witness.floats()).fractions() == verdict.witness.fractions()


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="3 rows of dimension 3 with 2 signs"):
        decide(BRAID, [1, 1], CUBE)
