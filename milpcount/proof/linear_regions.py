"""Writes what shows linear regions and closed ones, once the regions themselves have been shown.

Regions of one map are joined by points that they share, and told apart by multipliers; see
`milpcount.proof.check_linear`. All is exact, and looks at each two regions of one map, until what
has been shown of others of the class shows it of them, too.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np

from milpcount.errors import ContradictionError
from milpcount.exact.geometry import ExactBox, Point
from milpcount.exact.inputs import ExactInputs
from milpcount.exact.program import Verdict, attained
from milpcount.limits import tick
from milpcount.partitions.cells import Row, inside, primitive, rows_of
from milpcount.proof import check, check_linear
from milpcount.proof.header import number_text
from milpcount.types import Array

Entry = tuple[int, int, Fraction]
"""Of a proof that two regions are apart: which one of them, the number of a row, its multiplier."""

_KEPT = 256
"""Regions whose rows are remembered: with many inputs they are large."""


class Further:
    """Joins regions of one map, and tells apart those that are not joined.

    Parameters
    ----------
    subject : check.Subject
    inputs : ExactInputs
    patterns : ndarray of int, shape (k, units)
        Of all regions, as the proof lists them.
    closed : bool
        Whether regions are one that meet anywhere, and not only those that share a facet.
    """

    def __init__(
        self, subject: check.Subject, inputs: ExactInputs, patterns: Array, closed: bool
    ) -> None:
        self._s, self._box, self._closed = subject, inputs.box, closed
        self._patterns, self._regions = patterns, check_linear.Regions(subject, patterns)
        self._planes: dict[int, dict[Row, tuple[int, Fraction]]] = {}

    def section(self, labels: Array) -> dict[str, Any]:
        """Return what the proof has for regions whose maps have these labels."""
        joined: list[Any] = []
        parent = list(range(len(labels)))
        order = np.argsort(labels, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
            members = group.tolist()
            for at, i in enumerate(members):
                for j in members[:at]:
                    if check_linear.root(parent, i) == check_linear.root(parent, j):
                        continue
                    tick()
                    found = self._shared(i, j)
                    if found is not None:
                        joined.append([i, j, [number_text(v) for v in found.fractions()]])
                        parent[check_linear.root(parent, i)] = check_linear.root(parent, j)
        roots = np.array([check_linear.root(parent, i) for i in range(len(parent))])
        apart = [self._told_apart(*one) for one in check_linear.classes(labels, roots)]
        return {"joined": joined, "apart": apart}

    def _told_apart(self, members: Array, left: Array) -> list[Any]:
        """Return proofs that regions of one map are apart, until no two are left."""
        found: list[Any] = []
        while left.any():
            tick()
            a, b = divmod(int(left.argmax()), len(members))
            i, j = int(members[a]), int(members[b])
            entries = self._apart(i, j)
            if entries is None:
                raise ContradictionError(
                    f"regions {i} and {j} are neither joined nor apart: please report this"
                )
            one, other = (
                self._regions.like(members, k, entries, side) for side, k in enumerate((i, j))
            )
            left &= ~(np.outer(one, other) | np.outer(other, one))
            found.append([i, j, [[side, r, number_text(m)] for side, r, m in entries]])
        return found

    # Points -------------------------------------------------------------------------------------

    def _shared(self, i: int, j: int) -> Point | None:
        """Return a point that shows that two regions are to be joined, or None."""
        one, other = self._hyperplanes(i), self._hyperplanes(j)
        rows = list(dict.fromkeys([*one, *other]))
        if self._closed:
            return _met(rows, [False] * len(rows), self._box).witness
        for row in one:
            behind = tuple(-v for v in row)
            if behind in other and one[row][0] >= len(self._s.rows):
                others = [r for r in rows if r not in (row, behind)]
                point = inside(row, others, self._box)
                if point is not None:
                    return point
        return None

    def _hyperplanes(self, i: int) -> dict[Row, tuple[int, Fraction]]:
        """Return a region's rows as primitive integers: the number of one, and its multiplier."""
        if i not in self._planes:
            if len(self._planes) >= _KEPT:
                del self._planes[next(iter(self._planes))]
            found: dict[Row, tuple[int, Fraction]] = {}
            for r, row in self._regions.rows(i).items():
                scale = lcm(*(v.denominator for v in row))
                integers = primitive([int(v * scale) for v in row])
                at = next(k for k, v in enumerate(integers) if v)
                found.setdefault(integers, (r, Fraction(integers[at]) / row[at]))
            self._planes[i] = found
        return self._planes[i]

    # Multipliers ---------------------------------------------------------------------------------

    def _apart(self, i: int, j: int) -> list[Entry] | None:
        """Return a proof that two regions are apart, or None."""
        one, other = self._hyperplanes(i), self._hyperplanes(j)
        where: dict[Row, Entry] = {row: (1, *at) for row, at in other.items()}
        where |= {row: (0, *at) for row, at in one.items()}
        rows = list(where)
        found = _met(rows, [False] * len(rows), self._box)
        if found.multipliers is not None:
            return _entries(rows, found.multipliers, where)
        total: dict[tuple[int, int], Fraction] = {}
        twice = [row for row in one if tuple(-v for v in row) in other]
        for row in [*twice, *(row for row in rows if row not in twice)]:
            behind = tuple(-v for v in row)
            if row in twice:
                more = [(0, *one[row]), (1, *other[behind])]
            else:
                strict = [r == row for r in rows]
                multipliers = _met(rows, strict, self._box).multipliers
                if multipliers is None:
                    continue
                more = _entries(rows, multipliers, where)
            for side, r, m in more:
                total[side, r] = total.get((side, r), Fraction()) + m
            entries = [(side, r, m) for (side, r), m in total.items()]
            if self._regions.apart(i, j, entries, self._closed):
                return entries
        return None


def _met(rows: Sequence[Row], strict: Sequence[bool], box: ExactBox) -> Verdict:
    """Decide whether rows have a point of the closed box where they are not negative."""
    return attained(rows_of(rows), (1,) * len(rows), strict, box)


def _entries(
    rows: Sequence[Row], multipliers: Sequence[int], where: dict[Row, Entry]
) -> list[Entry]:
    pairs = zip(rows, multipliers, strict=True)
    return [(where[row][0], where[row][1], where[row][2] * m) for row, m in pairs if m]
