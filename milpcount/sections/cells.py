"""Cells as lists of corners, and what becomes of them when a line cuts them.

Cells are kept one after the other, as the rows of a sparse matrix are. A cell of a plane is a
convex polygon, its corners in order; one of a line is its two ends, a polygon of two corners and
two equal edges, so that the same rules serve both.

Every edge knows the *base* it lies on: the two points that were the ends of that edge, or of the
cut, when the layer began to cut. Where a unit is zero on the edge follows from its values at the
base, whatever has been cut off since: errors do not pile up from cut to cut.
"""

from dataclasses import dataclass

import numpy as np

from milpcount.types import Array


@dataclass(eq=False)
class Cells:
    """Cells, and what is known of each.

    Attributes
    ----------
    start : ndarray of int, shape (cells + 1,)
        Where the corners of each cell begin.
    corner : ndarray of int, shape (corners,)
        Numbers of points.
    base : ndarray of int, shape (corners, 2)
        Of the edge from a corner to the next one of its cell.
    data : dict of ndarray, each of shape (cells, ..)
        What parts of a cell inherit from it.
    """

    start: Array
    corner: Array
    base: Array
    data: dict[str, Array]

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def sizes(self) -> Array:
        """Number of corners of each cell."""
        return np.diff(self.start)

    @property
    def owner(self) -> Array:
        """The cell of each corner."""
        return np.repeat(np.arange(len(self)), self.sizes)

    def following(self, values: Array) -> Array:
        """Return, for each corner, what belongs to the next corner of its cell."""
        found = np.empty_like(values)
        found[:-1] = values[1:]
        found[self.start[1:] - 1] = values[self.start[:-1]]
        return found

    def rebased(self) -> "Cells":
        """Return the cells with every edge its own base, as a layer begins."""
        base = np.stack([self.corner, self.following(self.corner)], axis=1)
        return Cells(self.start, self.corner, base, self.data)

    def taken(self, which: Array) -> "Cells":
        """Return some of the cells."""
        sizes = self.sizes[which]
        start = np.concatenate([[0], np.cumsum(sizes)])
        at = (
            np.arange(start[-1])
            - np.repeat(start[:-1], sizes)
            + np.repeat(self.start[which], sizes)
        )
        data = {name: values[which] for name, values in self.data.items()}
        return Cells(start, self.corner[at], self.base[at], data)

    def numbered(self, places: Array) -> "Cells":
        """Return the cells with other numbers for their points."""
        return Cells(self.start, places[self.corner], places[self.base], self.data)

    def side(self, signs: Array, crossing: Array, side: int) -> "Cells":
        """Return the parts of cells on one side of their lines.

        Parameters
        ----------
        signs : ndarray of int, shape (corners,)
            -1, 0 or 1. Every cell has corners of both signs.
        crossing : ndarray of int, shape (corners,)
            The point where the edge from a corner to the next is cut; -1 where it is not.
        side : {-1, 1}

        Notes
        -----
        Going round a cell, a corner that is not on the other side is kept, and a point where an
        edge is cut follows it. Where the round leaves the side, from a corner on the line or a cut,
        it comes back at the next kept point: that edge is the cut, and is its own base.
        """
        s = signs * side
        after = self.following(s)
        keeps, cut = s >= 0, crossing >= 0
        number = keeps.astype(np.int64) + cut
        place = np.concatenate([[0], np.cumsum(number)])
        total = int(place[-1])
        corner, base = np.empty(total, dtype=np.int64), np.empty((total, 2), dtype=np.int64)
        leaves = np.zeros(total, dtype=bool)
        at = place[:-1][keeps]
        corner[at], base[at] = self.corner[keeps], self.base[keeps]
        leaves[at] = (s == 0)[keeps] & (after < 0)[keeps]
        at = (place[:-1] + keeps)[cut]
        corner[at], base[at] = crossing[cut], self.base[cut]
        leaves[at] = (s > 0)[cut]
        start = place[self.start]
        found = Cells(start, corner, base, self.data)
        follows = found.following(corner)
        base[leaves] = np.stack([corner[leaves], follows[leaves]], axis=1)
        # On a line the cut is a point: it is met on both edges, which are one.
        twice = leaves & (follows == corner)
        if twice.any():
            kept = ~twice
            start = np.concatenate([[0], np.cumsum(kept)])[start]
            found = Cells(start, corner[kept], base[kept], self.data)
        return found


def joined(parts: list[Cells]) -> Cells:
    """Return several lists of cells as one."""
    ends = np.cumsum([0, *(len(part.corner) for part in parts)])
    start = np.concatenate([[0], *(p.start[1:] + e for p, e in zip(parts, ends, strict=False))])
    data = {name: np.concatenate([part.data[name] for part in parts]) for name in parts[0].data}
    return Cells(
        start,
        np.concatenate([part.corner for part in parts]),
        np.concatenate([part.base for part in parts]),
        data,
    )
