"""What may cut cells: found for all units of a layer at once, from the signs at the corners."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from milpcount.sections.cells import Cells
from milpcount.types import Array

if TYPE_CHECKING:
    from milpcount.sections.cut import Cutter

_BLOCK = 1 << 25
"""Bytes of signs that are looked at together; a wrong value costs speed only."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """What may cut cells: for each cell a range of these arrays.

    Attributes
    ----------
    column : ndarray of int
        A unit's value, or the first of a maximum's.
    row : ndarray of int
        Which of its thresholds.
    threshold : ndarray
    rank : ndarray of int
        1 for units of one value.
    """

    column: Array
    row: Array
    threshold: Array
    rank: Array


def find(cutter: "Cutter", cells: Cells, *, keep_open: bool = False) -> tuple[Cells, Candidates]:
    """Return cells with the range of what may cut each, in ``next`` and ``stop``.

    Units whose sign is open are among it if they are kept; else they are counted in ``doubts``.
    """
    found: list[tuple[Array, Array, int, float, int]] = []
    doubts = cells.data["doubts"].copy()
    x, e, arrays = cutter.growing.x, cutter.growing.e, cutter.program.arrays
    for group in cutter.step.groups:
        unit = group.activation
        total = x.shape[1]
        columns = np.arange(total)[group.values]
        if unit.is_maxout:
            won, _ = arrays.winners(x, e, group.values, unit.rank, cutter.tolerance)
            for first, last in _blocks(cells, won.shape[1] * 8):
                at = cells.corner[cells.start[first] : cells.start[last]]
                places = cells.start[first:last] - cells.start[first]
                all_won = np.bitwise_and.reduceat(won[at], places)
                cell, window = np.nonzero(all_won == 0)
                found.append((cell + first, columns[window * unit.rank], 0, 0.0, unit.rank))
            continue
        for number, row in enumerate(unit.rows):
            signs = arrays.signs(x, e, group.values, row.threshold, cutter.tolerance)
            above, below, unknown = (np.packbits(s, axis=1) for s in signs)
            for first, last in _blocks(cells, above.shape[1]):
                at = cells.corner[cells.start[first] : cells.start[last]]
                places = cells.start[first:last] - cells.start[first]
                p, n, u = (
                    np.asarray(np.bitwise_or.reduceat(bits[at], places), dtype=np.uint8)
                    for bits in (above, below, unknown)
                )
                cut = p & n
                unsure = u & ~cut
                if keep_open:
                    cut |= unsure
                elif unsure.any():
                    each = np.unpackbits(unsure, axis=1)
                    doubts[first:last] += each.sum(axis=1, dtype=np.int64)
                some = np.flatnonzero(cut.any(axis=1))
                cell, column = np.nonzero(np.unpackbits(cut[some], axis=1)[:, : len(columns)])
                found.append((some[cell] + first, columns[column], number, row.threshold, 1))
    cell = np.concatenate([f[0] for f in found])
    order = np.argsort(cell, kind="stable")
    sizes = [len(f[0]) for f in found]
    given = Candidates(
        np.concatenate([f[1] for f in found])[order],
        np.repeat([f[2] for f in found], sizes)[order],
        np.repeat([f[3] for f in found], sizes)[order],
        np.repeat([f[4] for f in found], sizes)[order],
    )
    ends = np.searchsorted(cell[order], np.arange(len(cells) + 1))
    data = cells.data | {"next": ends[:-1], "stop": ends[1:], "doubts": doubts}
    return Cells(cells.start, cells.corner, cells.base, data), given


def _blocks(cells: Cells, bytes_of_corner: int) -> list[tuple[int, int]]:
    """Return ranges of cells whose corners' signs fit a block."""
    corners = max(1, _BLOCK // max(1, bytes_of_corner))
    found, first = [], 0
    while first < len(cells):
        last = int(np.searchsorted(cells.start, cells.start[first] + corners, side="right")) - 1
        last = min(max(last, first + 1), len(cells))
        found.append((first, last))
        first = last
    return found
