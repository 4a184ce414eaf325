"""Exact decisions about cells: is there an interior point, is a pattern attained.

A cell is the set of parameters inside a box where ``signs[i] * rows[i] > 0`` for all i. The answer
is a point or Farkas multipliers, both exact. Floats only guess: what they suggest is proved in
`milpcount.exact.proofs`, and where no guess holds the exact simplex decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from milpcount.exact.arithmetic import reduced
from milpcount.exact.float_program import Hint, float_hint
from milpcount.exact.geometry import ExactBox, Point, Rows
from milpcount.exact.proofs import is_proof_of_empty, prove_empty, prove_witness
from milpcount.exact.simplex import Simplex, Vertex
from milpcount.limits import tick
from milpcount.rationals import to_float

# Up to so many columns the exact simplex is faster from scratch than a float solver's model.
_COLD_COLUMNS = 3


@dataclass(frozen=True, eq=False)
class Verdict:
    """An exact answer about a cell.

    Attributes
    ----------
    witness : Point or None
        A point of the cell; for `decide` strictly inside it and the box.
    multipliers : tuple of int or None
        Otherwise: one non-negative integer per row, not all zero, with
        ``sum(m * sign * row) <= 0`` on the whole box.
    """

    witness: Point | None = None
    multipliers: tuple[int, ...] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the cell has no point."""
        return self.witness is None

    @property
    def support(self) -> tuple[int, ...]:
        """The rows that take part in the proof of emptiness."""
        return tuple(i for i, m in enumerate(self.multipliers or ()) if m)


def decide(rows: Rows, signs: Sequence[int], box: ExactBox) -> Verdict:
    """Decide whether ``{t in box : signs[i] * rows[i](t) > 0 for all i}`` is empty.

    A set of strict inequalities that is not empty is full-dimensional.

    Parameters
    ----------
    rows : Rows
    signs : sequence of int, length r
        1, -1, or 0 for a row that does not matter. A row that is identically zero and has a sign
        is a conflict by itself.
    box : ExactBox
        With interior; sides may be infinite.

    Returns
    -------
    Verdict

    Raises
    ------
    ValueError
        If the lengths do not fit.
    OutOfTime
        If the deadline in force comes first.
    """
    _check(rows, signs, box)
    tick()
    used = [i for i, s in enumerate(signs) if s]
    conflict = next((i for i in used if not rows.values[i].any()), None)
    if conflict is not None:
        return Verdict(multipliers=_unit(conflict, len(rows)))
    middle = prove_witness(rows, signs, box, box.middle)
    if middle is not None:
        return Verdict(witness=_simplest(rows, signs, box, middle))
    cell = _Cell(rows, signs, used, box)
    hint = cell.hint() if box.dimension > _COLD_COLUMNS else None
    return (cell.from_hint(hint) if hint else None) or cell.solve(hint)


def attained(rows: Rows, signs: Sequence[int], strict: Sequence[bool], box: ExactBox) -> Verdict:
    """Decide whether a point of the closed box satisfies strict and closed inequalities.

    Parameters
    ----------
    rows : Rows
    signs : sequence of int, length r
        1, -1, or 0 for a row that does not matter.
    strict : sequence of bool, length r
        Whether ``signs[i] * rows[i]`` must be positive, or only not negative.
    box : ExactBox

    Returns
    -------
    Verdict
        The witness need not be interior. The multipliers' combination is negative on the box, or
        at most 0 with a positive multiplier on a strict row.

    Raises
    ------
    ValueError
        If the lengths do not fit.
    """
    _check(rows, signs, box)
    # A closed inequality on a row that is identically zero always holds.
    zero = rows.is_zero()
    needed = [s if t or not z else 0 for s, t, z in zip(signs, strict, zero, strict=True)]
    inside = decide(rows, needed, box)
    if inside.multipliers is None:
        return inside
    if is_proof_of_empty(rows, needed, box, inside.multipliers, strict):
        return inside
    used = [i for i, s in enumerate(needed) if s]
    return _Cell(rows, needed, used, box).attain([bool(strict[i]) for i in used])


class _Cell:
    """The rows that matter, signed, and the program over them."""

    def __init__(self, rows: Rows, signs: Sequence[int], used: list[int], box: ExactBox) -> None:
        self.rows, self.signs, self.used, self.box = rows, signs, used, box
        self.values = rows.values[used] * np.array([signs[i] for i in used], dtype=object)[:, None]
        self.scales = [1 << max(int(v).bit_length() for v in row) for row in self.values]

    def hint(self) -> Hint | None:
        """Return what a float solver says; None if it fails."""
        floats = []
        for row, scale in zip(self.values.tolist(), self.scales, strict=True):
            tick()
            floats.append([to_float(v, scale) for v in row])
        return float_hint(np.array(floats), [1.0] * len(self.used), self.box)

    def from_hint(self, hint: Hint) -> Verdict | None:
        """Return the verdict that the hint proves, if it proves one."""
        point = prove_witness(self.rows, self.signs, self.box, hint.point)
        if point is not None:
            return Verdict(witness=_simplest(self.rows, self.signs, self.box, point))
        guess = np.zeros(len(self.rows))
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is no guess
            for i, m, scale in zip(self.used, hint.multipliers, self.scales, strict=True):
                guess[i] = m * to_float(self.rows.denominators[i], scale)
        multipliers = prove_empty(self.rows, self.signs, self.box, guess)
        return None if multipliers is None else Verdict(multipliers=multipliers)

    def solve(self, hint: Hint | None) -> Verdict:
        """Return the verdict of the exact simplex, started from the hint's basis if that holds."""
        simplex = Simplex(self.values, self.box, self.scales)
        if hint is None or not _warm(simplex, hint):
            simplex.start()
        return self._verdict(simplex) if simplex.run() else self._proof(simplex)

    def attain(self, strict: list[bool]) -> Verdict:
        """Return whether the strict rows can be positive while the others are not negative."""
        simplex = Simplex(self.values, self.box, self.scales, cap=0)
        simplex.start()
        if not simplex.run():
            return self._proof(simplex)
        # Every row is now non-negative and s is a bound at 0, out of the basis: from here on only
        # the strict rows are asked to grow.
        simplex.cap = 1
        simplex.set_scales([v if t else 0 for v, t in zip(self.scales, strict, strict=True)])
        if not any(strict) or simplex.run():
            return Verdict(witness=simplex.point())
        return self._proof(simplex)

    def _verdict(self, simplex: Simplex) -> Verdict:
        point = prove_witness(self.rows, self.signs, self.box, simplex.point())
        assert point is not None
        return Verdict(witness=_simplest(self.rows, self.signs, self.box, point))

    def _proof(self, simplex: Simplex) -> Verdict:
        assert simplex.multipliers is not None
        out = [0] * len(self.rows)
        for p, m in zip(simplex.vertex.tight, simplex.multipliers, strict=True):
            i = self.used[p]
            out[i] = m * self.rows.denominators[i]
        return Verdict(multipliers=tuple(reduced(out)))


def _warm(simplex: Simplex, hint: Hint) -> bool:
    """Set the simplex to the hint's basis; return whether that is a feasible vertex."""
    d, box = simplex.d, simplex.box
    if len(hint.tight) != len(hint.free) or d not in hint.free:
        return False
    at = np.where(hint.at_upper[:d], box.upper, box.lower)
    for j in range(d):
        if at[j] is None:
            other = box.lower[j] if hint.at_upper[j] else box.upper[j]
            at[j] = 0 if other is None else other
    simplex.set_vertex(Vertex(list(hint.tight), list(hint.free), np.append(at, 0)))
    return simplex.is_feasible()


def _simplest(rows: Rows, signs: Sequence[int], box: ExactBox, point: Point) -> Point:
    """Return the nearest float64 point if that is in the cell too, else the point itself."""
    rounded = prove_witness(rows, signs, box, point.floats())
    return rounded or point


def _unit(index: int, length: int) -> tuple[int, ...]:
    return tuple(int(i == index) for i in range(length))


def _check(rows: Rows, signs: Sequence[int], box: ExactBox) -> None:
    if len(signs) != len(rows) or rows.dimension != box.dimension:
        raise ValueError(
            f"{len(rows)} rows of dimension {rows.dimension} with {len(signs)} signs and a box of "
            f"dimension {box.dimension}: lengths and dimensions must agree"
        )
