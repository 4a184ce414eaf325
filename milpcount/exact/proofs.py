"""Exact proofs from approximate hints: a point in a cell, or multipliers that show it empty.

A cell is the set of parameters inside a box where ``signs[i] * rows[i] > 0`` for all i. A sign of
0 asks nothing of its row. Multipliers refer to the rows' true values, denominators included.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from milpcount.exact.arithmetic import reduced, solve
from milpcount.exact.geometry import ExactBox, Point, Rows, common_multipliers
from milpcount.limits import tick
from milpcount.rationals import to_float, to_integers
from milpcount.types import Array

# Hints come from float64 solvers: what is below this share of its column is taken for zero. A
# wrong guess costs a proof that is not found, never a wrong one.
_ROUNDING = 1e-9
_SMALLEST_PIVOT = 1e-7


def prove_witness(rows: Rows, signs: Sequence[int], box: ExactBox, hint: Any) -> Point | None:
    """Return a point strictly inside the cell, near the hint, or None.

    Parameters
    ----------
    rows : Rows
    signs : sequence of int
        1, -1, or 0 for a row that does not matter.
    box : ExactBox
    hint : Point, or array_like of float or Fraction, shape (d,)
        Rows must be satisfied there; it may lie on the box, or outside by rounding.

    Returns
    -------
    Point or None
        The hint itself if that is inside. None proves nothing.
    """
    point = hint if isinstance(hint, Point) else _finite_point(hint)
    if point is None:
        return None
    wanted, of = _required(rows, signs)
    if box.contains_inside(point):
        return point if (_signed(wanted, of, point) > 0).all() else None
    clipped = _clip(point, box)
    values = _signed(wanted, of, clipped)
    if not (values > 0).all():
        return None
    return _towards_middle(clipped, values, _signed(wanted, of, box.middle), box)


def prove_empty(
    rows: Rows, signs: Sequence[int], box: ExactBox, hint: Any
) -> tuple[int, ...] | None:
    """Return Farkas multipliers that prove the cell empty, near the hint, or None.

    Parameters
    ----------
    rows : Rows
    signs : sequence of int
        1, -1, or 0 for a row that does not matter.
    box : ExactBox
    hint : array_like of float, shape (r,)
        Approximate multipliers; what is negative or not finite counts as 0.

    Returns
    -------
    tuple of int, length r, or None
        Non-negative, not all zero, with ``sum(m * sign * row) <= 0`` on the whole box. None proves
        nothing.
    """
    guess = np.asarray(hint, dtype=np.float64)
    usable = np.isfinite(guess) & (guess > 0) & (np.asarray(signs) != 0)
    guess = np.where(usable, guess, 0.0)
    if not guess.any():
        return None
    guess = guess / guess.max()
    support = np.flatnonzero(guess > _ROUNDING * _ROUNDING).tolist()
    cell = _SignedPart(rows, signs, support)
    rounded = to_integers(guess[support])[0].tolist()
    found = common_multipliers(rounded, cell.denominators)
    if not cell.is_proof(found, box):
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows proves nothing
            repaired = _repair(cell, guess[support], box)
        if repaired is None or not cell.is_proof(repaired, box):
            return None
        found = repaired
    return cell.expand(found, len(rows))


def is_proof_of_empty(
    rows: Rows,
    signs: Sequence[int],
    box: ExactBox,
    multipliers: Sequence[int],
    strict: Sequence[bool] | None = None,
) -> bool:
    """Return whether Farkas multipliers prove a cell empty.

    Parameters
    ----------
    rows : Rows
    signs : sequence of int
    box : ExactBox
    multipliers : sequence of int, length r
        As `prove_empty` returns them.
    strict : sequence of bool, length r, optional
        Which inequalities are strict (all of them by default). If no strict row takes part, the
        combination must be negative on the whole box.

    Returns
    -------
    bool
    """
    if len(multipliers) != len(rows) or any(m < 0 for m in multipliers):
        return False
    support = [i for i, m in enumerate(multipliers) if m and signs[i]]
    if not support:
        return False
    cell = _SignedPart(rows, signs, support)
    weights = common_multipliers([multipliers[i] for i in support], cell.denominators)
    top = box.scaled_maximum(cell.combine(weights))
    has_strict = strict is None or any(strict[i] for i in support)
    return top is not None and (top < 0 or (top == 0 and has_strict))


class _SignedPart:
    """Some rows of a cell, multiplied with their signs."""

    def __init__(self, rows: Rows, signs: Sequence[int], support: list[int]) -> None:
        self.support = support
        self.values = rows.values[support]
        negative = [k for k, i in enumerate(support) if signs[i] < 0]
        self.values[negative] = -self.values[negative]
        self.denominators = [rows.denominators[i] for i in support]

    def is_proof(self, weights: Sequence[int], box: ExactBox) -> bool:
        """Return whether the integer rows, so weighted, have a sum that is nowhere positive."""
        if any(w < 0 for w in weights) or not any(weights):
            return False
        return box.is_nowhere_positive(self.combine(weights))

    def combine(self, weights: Sequence[int]) -> Array:
        """Return the weighted sum of the integer rows, shape (1 + d,)."""
        return np.asarray(np.array(weights, dtype=object) @ self.values)

    def expand(self, weights: Sequence[int], n_rows: int) -> tuple[int, ...]:
        """Return multipliers of all rows, in terms of their true values."""
        true = reduced([w * q for w, q in zip(weights, self.denominators, strict=True)])
        out = [0] * n_rows
        for i, m in zip(self.support, true, strict=True):
            out[i] = m
        return tuple(out)


def _repair(cell: _SignedPart, guess: Array, box: ExactBox) -> list[int] | None:
    """Return weights that cancel exactly where the guess cancels nearly, or None.

    A cell that is empty, but whose closure is not, has multipliers only on a face: the combination
    must vanish in some columns and in its largest value, and no rounding of a guess does that.
    """
    part = Rows(cell.values, tuple(cell.denominators)).floats()
    if not np.isfinite(part).all():
        return None
    size = guess * np.abs(part).max(axis=1)
    keep = np.flatnonzero(size > _ROUNDING * size.max())
    weighted = part[keep] * guess[keep, None]
    cancels, at_bounds = _nearly_zero(weighted, box)
    if at_bounds is None:
        return None
    integers = cell.values[keep]
    top = integers[:, 0] * box.denominator + integers[:, 1:] @ at_bounds
    scales = [cell.denominators[k] * box.denominator for k in keep]
    near = np.array([to_float(int(v), q) for v, q in zip(top, scales, strict=True)]) * guess[keep]
    if not (np.isfinite(near).all() and np.isfinite(weighted.sum())):
        return None
    columns, floats = integers[:, 1:][:, cancels], weighted[:, 1:][:, cancels]
    if abs(near.sum()) <= _ROUNDING * np.abs(weighted).sum():
        columns = np.concatenate([columns, top[:, None]], axis=1)
        floats = np.concatenate([floats, near[:, None]], axis=1)
    rounded = to_integers(guess[keep])[0].tolist()
    start = common_multipliers(rounded, [cell.denominators[k] for k in keep])
    solved = _cancel(columns, floats, start)
    if solved is None:
        return None
    weights = [0] * len(cell.support)
    for k, w in zip(keep.tolist(), solved, strict=True):
        weights[k] = w
    return weights


def _nearly_zero(weighted: Array, box: ExactBox) -> tuple[Array, Array | None]:
    """Return the columns whose sum nearly cancels, and the bounds that the others choose.

    The bounds are 0 in the columns that cancel; None if a column pulls towards infinity.
    """
    slopes, size = weighted[:, 1:].sum(axis=0), np.abs(weighted[:, 1:]).sum(axis=0)
    zero = np.abs(slopes) <= _ROUNDING * size
    zero |= box.unbounded_below & box.unbounded_above
    chosen = np.where(slopes > 0, box.upper, box.lower)
    chosen[zero] = 0
    if any(v is None for v in chosen):
        return zero, None
    return zero & (size > 0), chosen


def _cancel(columns: Array, floats: Array, start: list[int]) -> list[int] | None:
    """Return weights near `start` whose combination of the integer columns is exactly zero.

    Only as many columns are solved for as there are independent ones; the caller checks the rest.
    """
    rows, chosen = _pivots(floats)
    if not rows:
        return None
    fixed = [i for i in range(len(start)) if i not in rows]
    matrix = columns[np.ix_(rows, chosen)].T.tolist()
    known = np.array([start[i] for i in fixed], dtype=object) @ columns[np.ix_(fixed, chosen)]
    solved = solve(matrix, [[-int(v)] for v in known])
    if solved is None:
        return None
    weights = [start[i] * solved[1] for i in range(len(start))]
    for i, value in zip(rows, solved[0], strict=True):
        weights[i] = value[0]
    return reduced(weights)


def _pivots(matrix: Array) -> tuple[list[int], list[int]]:
    """Return independent rows and columns, by elimination with complete pivoting.

    One row is always left out, for the multipliers are only determined up to a factor.
    """
    left = matrix / np.maximum(np.abs(matrix).sum(axis=0), np.finfo(float).tiny)
    rows: list[int] = []
    columns: list[int] = []
    while len(rows) < len(matrix) - 1 and left.size:
        tick()
        i, j = np.unravel_index(int(np.argmax(np.abs(left))), left.shape)
        if abs(left[i, j]) < _SMALLEST_PIVOT:
            break
        rows.append(int(i))
        columns.append(int(j))
        left = left - np.outer(left[:, j], left[i] / left[i, j])
        left[i], left[:, j] = 0.0, 0.0
    return rows, columns


def _finite_point(hint: Any) -> Point | None:
    try:
        return Point.of(hint)
    except (ValueError, OverflowError):
        return None


def _required(rows: Rows, signs: Sequence[int]) -> tuple[Rows, Array]:
    wanted = [i for i, s in enumerate(signs) if s]
    of = np.array([signs[i] for i in wanted], dtype=object)
    return (rows if len(wanted) == len(rows) else rows.take(wanted)), of


def _signed(rows: Rows, signs: Array, point: Point) -> Array:
    return np.asarray(rows.at(point) * signs)


def _clip(point: Point, box: ExactBox) -> Point:
    q = box.denominator
    out = point.numerators * q
    for j, (a, b) in enumerate(zip(box.lower, box.upper, strict=True)):
        if a is not None:
            out[j] = max(out[j], a * point.denominator)
        if b is not None:
            out[j] = min(out[j], b * point.denominator)
    return Point(out, point.denominator * q)


def _towards_middle(point: Point, values: Array, middle: Array, box: ExactBox) -> Point:
    """Return the point moved off the box's boundary, so little that no row loses its sign.

    Parameters
    ----------
    point : Point
        In the closed box.
    values, middle : ndarray of int
        The rows at the point, all positive, and in the middle of the box.
    """
    p, m = point.denominator, box.middle.denominator
    # A share 2^-k of the way keeps a row positive if 2^k > (value - middle) / value.
    ratios = ((v * m - c * p) // (v * m) for v, c in zip(values, middle, strict=True))
    k = max((max(0, int(r)) + 1).bit_length() for r in (*ratios, 1))
    numerators = point.numerators * (((1 << k) - 1) * m) + box.middle.numerators * p
    return Point(numerators, (p * m) << k)
