"""Which piece every unit has on a cell, once nothing cuts any more."""

from typing import TYPE_CHECKING

import numpy as np

from milpcount.sections.cells import Cells
from milpcount.sections.cut import UNKNOWN, Rows
from milpcount.types import Array

if TYPE_CHECKING:
    from milpcount.sections.cut import Cutter


def pieces_of(cutter: "Cutter", cells: Cells) -> Array:
    """Return the piece of every unit on each cell, once nothing cuts any more."""
    x, e, arrays = cutter.growing.x[: cutter.growing.n], cutter.growing.e, cutter.program.arrays
    e = None if e is None else e[: cutter.growing.n]
    found = np.zeros((len(cells), cutter.step.width), dtype=np.int64)
    begins = cells.start[:-1]
    for group in cutter.step.groups:
        unit = group.activation
        columns = np.arange(x.shape[1])[group.values]
        if unit.is_maxout:
            won, lost = arrays.winners(x, e, group.values, unit.rank, cutter.tolerance)
            all_won = np.bitwise_and.reduceat(won[cells.corner], begins)
            # A value that loses at a corner is not the largest: mostly one is left.
            left = ((1 << unit.rank) - 1) & ~np.bitwise_or.reduceat(lost[cells.corner], begins)
            several = (all_won == 0) & ((left & (left - 1)) != 0)
            bits = np.where(all_won == 0, left, all_won)
            lowest = np.zeros(all_won.shape, dtype=np.int64)
            for k in reversed(range(unit.rank)):
                lowest[(bits >> k) & 1 == 1] = k
            for cell, window in zip(*np.nonzero(several), strict=True):
                first = int(columns[window * unit.rank])
                lowest[cell, window] = _winner(cutter, cells, int(cell), first, unit.rank)
            found[:, group.units] = lowest
            continue
        pieces = np.zeros((len(cells), len(columns)), dtype=np.int64)
        for number, row in enumerate(unit.rows):
            given = arrays.signs(x, e, group.values, row.threshold, cutter.tolerance)
            above, below, unknown = (
                np.logical_or.reduceat(sign[cells.corner], begins) for sign in given
            )
            for cell, place in zip(*np.nonzero(unknown & ~above & ~below), strict=True):
                above[cell, place] = _is_above(
                    cutter, cells, int(cell), int(columns[place]), number, row.threshold
                )
            pieces += above
        found[:, group.units] = pieces
    return found


def _is_above(
    cutter: "Cutter", cells: Cells, cell: int, column: int, row: int, threshold: float
) -> bool:
    """Return whether a value that floats do not tell is above a threshold on a cell."""
    corner = cells.corner[cells.start[cell] : cells.start[cell + 1]]
    if cutter.exact is None:
        at = np.full(len(corner), column)
        return bool(cutter.program.arrays.entries(cutter.growing.x, corner, at).mean() > threshold)
    n = len(cells)
    rows = Rows(np.full(n, column), np.full(n, -1), np.full(n, row), np.full(n, float(threshold)))
    # It does not cut the cell, so that one sign that is not zero tells.
    signs = (cutter.exact_sign(cells, cell, point, rows) for point in corner.tolist())
    return next((sign for sign in signs if sign in (-1, 1)), 0) > 0


def _winner(cutter: "Cutter", cells: Cells, cell: int, first: int, rank: int) -> int:
    """Return which value of a maximum is the largest on a cell where floats do not tell."""
    corner = cells.corner[cells.start[cell] : cells.start[cell + 1]]
    if cutter.exact is None:
        x = cutter.program.arrays
        total = [
            x.entries(cutter.growing.x, corner, np.full(len(corner), first + k)).sum()
            for k in range(rank)
        ]
        return int(np.argmax(total))
    for k in range(rank):
        if all(
            _wins(cutter, cells, cell, int(p), first, k, j) for j in range(rank) for p in corner
        ):
            return k
    raise AssertionError("a cell on which no value of a maximum is the largest")


def _wins(
    cutter: "Cutter", cells: Cells, cell: int, point: int, first: int, k: int, j: int
) -> bool:
    if j == k:
        return True
    a, b = first + min(j, k), first + max(j, k)
    f, bound = cutter.values(np.array([point]), np.array([a]), np.array([b]), np.zeros(1))
    if abs(f[0]) > np.max(bound):
        sign = 1 if f[0] > 0 else -1
    else:
        n = len(cells)
        rows = Rows(np.full(n, a), np.full(n, b), np.zeros(n, dtype=np.int64), np.zeros(n))
        sign = cutter.exact_sign(cells, cell, point, rows)
        if sign == UNKNOWN:
            sign = 1 if f[0] > 0 else -1
    return sign * (1 if k < j else -1) >= 0
