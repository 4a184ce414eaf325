"""A layer of units cuts cells.

What may cut a cell is found first (`candidates`); then the cells take their next unit each, round
by round, until none has any left. A part of a cell is cut by no unit that does not cut the cell.

A maximum is cut into the parts where one of its values is the largest: the cell, cut by the
differences to all other values, keeping one side. Of values that are the same on all of it the
first one has it.

A sign is *certain* if the value exceeds the bound on its error, or, where no bounds are kept, the
tolerance. Other signs are computed exactly where that can be done. Else, of a cell that has both
certain signs, what is not certain is taken for a corner on the line; a cell that has only one is
not cut, and the unit is counted as one that may do so.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from milpcount.limits import tick
from milpcount.sections.candidates import Candidates
from milpcount.sections.cells import Cells, joined
from milpcount.sections.corners import GrowingPoints, Points
from milpcount.sections.exact import ExactSigns, Pattern, Place, Vertex
from milpcount.sections.program import Program, Step
from milpcount.types import Array

UNKNOWN = 2
_AHEAD = 1 << 17
"""Signs that are looked at together to find the next unit; a wrong value costs speed only."""


@dataclass(eq=False)
class Cutter:
    """A layer of units, cutting a chunk of cells.

    Attributes
    ----------
    program : Program
    step : Step
    layer : int
        Its number among the layers of units, from 0.
    points : Points
    tolerance : float
        What a value must exceed to have a certain sign, where errors are not bounded.
    exact : ExactSigns or None
    patterns : ndarray of int, shape (.., units before), or None
        Of the cells before the layer, by their ``origin``.
    """

    program: Program
    step: Step
    layer: int
    points: Points
    tolerance: float
    exact: ExactSigns | None
    patterns: Array | None = None
    rigorous: bool = True
    resolved: dict[tuple[int, int, int, int], int] = field(default_factory=dict)
    packed: dict[int, Pattern] = field(default_factory=dict)
    known: dict[tuple[int, int, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.growing = GrowingPoints(self.points, self.step.reads[0])

    # One round ------------------------------------------------------------------------------------

    def round(self, cells: Cells, candidates: Candidates) -> Cells:
        """Return what becomes of cells when each takes the next candidate that may cut it."""
        meets = self._skip(cells, candidates)
        parts = []
        if not meets.all():
            parts.append(cells.taken(np.flatnonzero(~meets)))
            cells = cells.taken(np.flatnonzero(meets))
        at = cells.data["next"]
        cells.data["next"] = at + 1
        ranks = candidates.rank[at]
        for rank in np.unique(ranks):
            which = np.flatnonzero(ranks == rank)
            chosen = cells if len(which) == len(cells) else cells.taken(which)
            k = at[which]
            if rank == 1:
                parts += self._by_unit(
                    chosen, candidates.column[k], candidates.row[k], candidates.threshold[k]
                )
            else:
                parts += self._by_maximum(chosen, candidates.column[k], int(rank))
        return joined(parts)

    def _skip(self, cells: Cells, candidates: Candidates) -> Array:
        """Pass over candidates that do not cut their cells; return which cells have met one.

        Several are looked at together: most of what cuts a cell does not cut a small part of it.
        """
        corner, owner = cells.corner, cells.owner
        first, stop = cells.data["next"], cells.data["stop"]
        many = int(min(max(1, _AHEAD // len(corner)), (stop - first).max()))
        k = first[:, None] + np.arange(many)
        inside = k < stop[:, None]
        k = np.minimum(k, stop[:, None] - 1)
        columns, threshold = candidates.column[k], candidates.threshold[k][owner].ravel()
        points = np.repeat(corner, many)
        f, bound = self.values(points, columns[owner].ravel(), np.full(len(points), -1), threshold)
        zero = (f == 0) if self.growing.e is None else (f == 0) & (bound == 0)
        above, below = f > bound, f < -bound
        signs = (s.reshape(-1, many) for s in (above, below, ~(above | below | zero)))
        p, m, u = (np.logical_or.reduceat(s, cells.start[:-1], axis=0) for s in signs)
        may = ((p & m) | u | (candidates.rank[k] > 1)) & inside
        meets = may.any(axis=1)
        passed = np.where(meets, may.argmax(axis=1), np.minimum(many, stop - first))
        cells.data["next"] = first + passed
        return np.asarray(meets)

    def _by_unit(self, cells: Cells, column: Array, row: Array, threshold: Array) -> list[Cells]:
        rows = Rows(column, np.full(len(column), -1), row, threshold)
        signs, above, below = self.signs_of(cells, rows)
        both = np.flatnonzero(above & below)
        if not both.size:
            return [cells]
        cut, (s, crossing) = self._cut(cells, signs, rows, both)
        found = [cut.side(s, crossing, side) for side in (1, -1)]
        if both.size < len(cells):
            found.append(cells.taken(np.flatnonzero(~(above & below))))
        return found

    def _by_maximum(self, cells: Cells, column: Array, rank: int) -> list[Cells]:
        found = []
        for k in range(rank):
            part, first = cells, column
            for j in range(rank):
                if j == k or not len(part):
                    continue
                side = 1 if k < j else -1
                rows = Rows(
                    first + min(j, k),
                    first + max(j, k),
                    np.zeros(len(first), dtype=np.int64),
                    np.zeros(len(first)),
                )
                signs, above, below = self.signs_of(part, rows)
                larger, smaller = (above, below) if side == 1 else (below, above)
                both = np.flatnonzero(above & below)
                # Where the two are the same all over, the first one has it.
                whole = np.flatnonzero(~smaller & (larger | (k < j)))
                pieces, firsts = [part.taken(whole)], [first[whole]]
                if both.size:
                    cut, (s, crossing) = self._cut(part, signs, rows, both)
                    pieces.append(cut.side(s, crossing, side))
                    firsts.append(first[both])
                part, first = joined(pieces), np.concatenate(firsts)
            if len(part):
                found.append(part)
        return found

    # Signs ----------------------------------------------------------------------------------------

    def signs_of(self, cells: Cells, rows: "Rows") -> tuple[Array, Array, Array]:
        """Return the sign of each cell's row at its corners, and which cells have which signs."""
        owner = cells.owner
        a, b, threshold = rows.a[owner], rows.b[owner], rows.threshold[owner]
        f, bound = self.values(cells.corner, a, b, threshold)
        signs = np.where(f > bound, 1, np.where(f < -bound, -1, UNKNOWN)).astype(np.int64)
        zero = (f == 0) if self.growing.e is None else (f == 0) & (bound == 0)
        signs[zero] = 0
        begins = cells.start[:-1]
        unknown = signs == UNKNOWN
        if unknown.any():
            if self.exact is not None:
                for i in np.flatnonzero(unknown).tolist():
                    signs[i] = self.exact_sign(cells, int(owner[i]), int(cells.corner[i]), rows)
                unknown = signs == UNKNOWN
            if unknown.any():
                above, below = (np.logical_or.reduceat(signs == s, begins) for s in (1, -1))
                unsure = np.logical_or.reduceat(unknown, begins)
                # Where a cell is cut for certain, a corner of unknown sign is put on the line.
                self.rigorous &= not bool((unsure & above & below).any())
                cells.data["doubts"] = cells.data["doubts"] + (unsure & ~(above & below))
                signs[unknown] = 0
        above, below = (np.logical_or.reduceat(signs == s, begins) for s in (1, -1))
        return signs, above, below

    def values(self, points: Array, a: Array, b: Array, threshold: Array) -> tuple[Array, Any]:
        """Return rows at points, and what they must exceed to have a certain sign."""
        arrays, x, e = self.program.arrays, self.growing.x, self.growing.e
        f = arrays.entries(x, points, a)
        bound: Any = self.tolerance if e is None else arrays.entries(e, points, a)
        other = b >= 0
        if other.any():
            f = f - np.where(other, arrays.entries(x, points, b), 0.0)
            if e is not None:
                bound = bound + np.where(other, arrays.entries(e, points, b), 0.0)
        # A difference of two floats has the right sign, and is off by one roundoff.
        f = f - threshold
        return f, bound if e is None else bound * (1.0 + 1e-14)

    def exact_sign(self, cells: Cells, cell: int, point: int, rows: "Rows") -> int:
        """Return the sign of a cell's row at a point, in exact arithmetic; computed once.

        It is UNKNOWN where that would take too long.
        """
        assert self.exact is not None
        key = point, int(rows.a[cell]), int(rows.b[cell]), int(rows.row[cell])
        if key not in self.resolved:
            tick()
            place = self.place(cells, cell, key[1], key[2], float(rows.threshold[cell]))
            sign = self.exact.sign(place, self.growing.vertex(point))
            self.resolved[key] = UNKNOWN if sign is None else sign
        return self.resolved[key]

    def place(self, cells: Cells, cell: int, a: int, b: int, threshold: float) -> Place:
        """Return a row on a cell, for exact arithmetic."""
        assert self.patterns is not None
        origin = int(cells.data["origin"][cell])
        if origin not in self.packed:
            self.packed[origin] = Pattern.of(self.patterns[origin])
        return Place(self.layer, self.packed[origin], a, b, threshold)

    # Cuts -----------------------------------------------------------------------------------------

    def _cut(
        self, cells: Cells, signs: Array, rows: "Rows", both: Array
    ) -> tuple[Cells, tuple[Array, Array]]:
        """Return the cells that are cut, their signs, and the new points on their edges."""
        sizes = cells.sizes
        if both.size < len(cells):
            mask = np.zeros(len(cells), dtype=bool)
            mask[both] = True
            signs = signs[np.repeat(mask, sizes)]
            cells, rows = cells.taken(both), rows.taken(both)
        crossing = np.full(len(signs), -1, dtype=np.int64)
        at = np.flatnonzero(signs * cells.following(signs) == -1)
        crossing[at] = self._new_points(
            cells, rows, cells.owner[at], np.sort(cells.base[at], axis=1)
        )
        return cells, (signs, crossing)

    def _new_points(self, cells: Cells, rows: "Rows", owner: Array, base: Array) -> Array:
        """Return the points where rows are zero on the lines of bases; each is made once."""
        a, b, row = rows.a[owner], rows.b[owner], rows.row[owner]
        total = self.growing.x.shape[1]
        code = (a * (total + 1) + b + 1) * 8192 + row
        keys = list(zip(base[:, 0].tolist(), base[:, 1].tolist(), code.tolist(), strict=True))
        new: list[int] = []
        following = self.growing.n
        found = np.empty(len(keys), dtype=np.int64)
        for i, key in enumerate(keys):
            number = self.known.get(key)
            if number is None:
                number = self.known[key] = following + len(new)
                new.append(i)
            found[i] = number
        if new:
            ends = base[new]
            a, b, threshold = a[new], b[new], rows.threshold[owner[new]]
            p, d = self.values(ends[:, 0], a, b, threshold)
            q, e = self.values(ends[:, 1], a, b, threshold)
            zero = np.zeros(len(new))
            if self.growing.e is None:
                d = e = zero
            ids = self.growing.add(ends, p, q, d + zero, e + zero)
            self._put_on_line(ids, a, b, threshold)
            if self.points.vertices is not None:
                for i, (one, other) in zip(new, ends.tolist(), strict=True):
                    cell = int(owner[i])
                    place = self.place(
                        cells,
                        cell,
                        int(rows.a[cell]),
                        int(rows.b[cell]),
                        float(rows.threshold[cell]),
                    )
                    pair = self.growing.vertex(one), self.growing.vertex(other)
                    self.growing.vertices.append(Vertex(ends=pair, place=place))
        return found

    def _put_on_line(self, ids: Array, a: Array, b: Array, threshold: Array) -> None:
        """Set a row that is zero at new points to zero."""
        arrays, x, e = self.program.arrays, self.growing.x, self.growing.e
        scalar = b < 0
        arrays.put(x, ids[scalar], a[scalar], threshold[scalar])
        pair = ~scalar
        arrays.put(x, ids[pair], b[pair], arrays.entries(x, ids[pair], a[pair]))
        if e is not None:
            arrays.put(e, ids[scalar], a[scalar], 0.0)
            arrays.put(e, ids[pair], b[pair], arrays.entries(e, ids[pair], a[pair]))


@dataclass(frozen=True, eq=False)
class Rows:
    """One row for each cell: value a less value b, where b is not -1, less a threshold."""

    a: Array
    b: Array
    row: Array
    threshold: Array

    def taken(self, which: Array) -> "Rows":
        """Return the rows of some of the cells."""
        return Rows(self.a[which], self.b[which], self.row[which], self.threshold[which])
