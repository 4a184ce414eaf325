"""Writes the blocks of a proof: the sides in some cells of a layer, and the clauses they cite."""

from collections.abc import Sequence

import numpy as np

from milpcount.limits import tick
from milpcount.proof import check
from milpcount.proof.archive import Archive
from milpcount.proof.clauses import Clauses, ExactClauses
from milpcount.tree.refutations import Projections
from milpcount.types import Array

_SHORT = 2.0**100
"""The largest multiplier in single precision that is tried."""


class Block:
    """A block that is made.

    Parameters
    ----------
    subject : check.Subject
    projections : Projections
    exact : ExactClauses
    layer : int
    patterns : ndarray of int, shape (k, units)
        A listed pattern for each way through the layer in the block's cells.
    heads : ndarray of int
        The first one of each cell.
    sides : tuple of (sides,) ndarray
        The pattern whose path each side leaves, the unit, and its piece.
    """

    def __init__(
        self,
        subject: check.Subject,
        projections: Projections,
        exact: ExactClauses,
        layer: int,
        patterns: Array,
        heads: Array,
        sides: tuple[Array, Array, Array],
    ) -> None:
        self._subject, self._exact, self._layer = subject, exact, layer
        self._patterns, self._heads, self._sides = patterns, heads, sides
        self._clauses = Clauses()
        row, unit, piece = sides
        # Neighbours have most of their paths in common.
        order = np.lexsort((piece, unit, row))
        self.refs = np.empty(row.size, dtype=np.int64)
        self.refs[order] = projections.refute(
            patterns, row[order], unit[order], piece[order], self._clauses.extend
        )
        self._exactly()
        self._mend()

    def write(self, archive: Archive, key: str) -> int:
        """Write the block; return a bound on what its sides leave open."""
        c = self._checked
        archive.put_integers(f"{key}cells", self._heads.size)
        archive.put_integers(f"{key}cell", c.cell)
        archive.put_integers(f"{key}size", c.size)
        archive.put_integers(f"{key}literals", 2 * c.row + (c.sign < 0))
        if c.lam.dtype == object:
            archive.put_text(f"{key}multipliers", c.lam.tolist())
        else:
            archive.put_floats(f"{key}multipliers", c.lam)
        archive.put_integers(f"{key}refs", self.refs)
        row, unit, piece = (x[self.refs < 0] for x in self._sides)
        left = 0
        for n in range(0, row.size, 64):
            tick()
            some = slice(n, n + 64)
            left += self._subject.left_open(self._patterns[row[some]], unit[some], piece[some])
        return int(left)

    def _exactly(self) -> None:
        """Decide the sides that have no clause yet; those that hold a pattern get -1."""
        known: dict[int, list[tuple[set[int], int]]] = {}
        rows, units, pieces = self._sides
        for side in np.flatnonzero(self.refs < -1).tolist():
            tick()
            row, unit, piece = int(rows[side]), int(units[side]), int(pieces[side])
            path = [*self._patterns[row, :unit].tolist(), piece]
            cell = known.setdefault(int(np.searchsorted(self._heads, row, side="right")), [])
            has = self._signs(path)
            self.refs[side] = next((c for literals, c in cell if literals <= has), -2)
            if self.refs[side] >= 0:
                continue
            found = self._exact.side(path[:-1], unit, piece)
            if found is None:
                self.refs[side] = -1
                continue
            self.refs[side] = self._clauses.add(row, *found)
            own = {v for v in found[0] if v >> 1 < self._exact.row_base[-1]}
            cell.append((own, int(self.refs[side])))

    def _signs(self, path: Sequence[int]) -> set[int]:
        """Return the literals of the pieces of the first units."""
        s = self._subject
        q, end = len(s.rows), int(np.searchsorted(s.unit_of, len(path)))
        asked = s.ask[np.arange(q, end), np.array(path)[s.unit_of[q:end]]]
        return set((2 * np.arange(end - q) + (asked < 0))[asked != 0].tolist())

    def _mend(self) -> None:
        """Give exact multipliers to clauses that float ones do not prove, short ones to others."""
        c, redo = self._assembled(), list[int]()
        fine = np.array(self._clauses.sure, dtype=bool)
        if not fine.all():
            given, of = c.lam, np.repeat(fine, c.size)
            # Packed more densely; and any multipliers will do.
            short = np.minimum(given, _SHORT).astype(np.float32).astype(float)
            c.lam = np.where(of, given, short)
            fine |= c.refuted()
            c.lam = np.where(np.repeat(fine, c.size), c.lam, given)
            self._clauses.multipliers = c.lam.tolist()
            fine |= c.refuted() if not fine.all() else False
        rest = np.flatnonzero(~fine)
        # Cell by cell: exact rows are kept of the last one alone.
        for number in rest[np.argsort(c.cell[rest], kind="stable")].tolist():
            tick()
            if c.refuted_exactly(number):
                continue
            e = slice(int(c.start[number]), int(c.start[number]) + int(c.size[number]))
            found = self._exact.repaired(
                self._patterns[self._clauses.row[number]].tolist(),
                self._clauses.literals[e], self._clauses.multipliers[e],
            )  # fmt: skip
            if found is None:
                redo.append(number)
            else:
                self._clauses.replace(e.start, found)
        if redo:
            self.refs[np.isin(self.refs, redo)] = -2
            self._exactly()
            self._clauses, new = self._clauses.taken(np.unique(self.refs[self.refs >= 0]))
            self.refs[self.refs >= 0] = new[self.refs[self.refs >= 0]]
        self._checked = self._assembled()

    def _assembled(self) -> check.Clauses:
        s, own = self._subject, self._clauses
        rows, literals = s.row0[-1] - len(s.rows), np.array(own.literals, dtype=np.int64)
        # Here the rows of units are numbered first, in proofs those of the domain.
        row = literals >> 1
        row += np.where(row < rows, len(s.rows), -rows)
        return check.Clauses(
            s, self._layer, self._patterns[self._heads],
            np.searchsorted(self._heads, own.row, side="right") - 1,
            np.array(own.size, dtype=np.int64), 2 * row + (literals & 1),
            np.array(own.multipliers, dtype=object if own.has_integers else float),
        )  # fmt: skip
