"""Exact primal simplex for the one linear program that cells ask for.

    maximise s   subject to   rows(t) >= s * scales,   t in a box,   s <= cap

with integer data. A vertex is described by its tight rows and as many free columns (variables
strictly between their bounds, or basic); all other variables sit at a bound. Each iteration solves
small systems of that size over the integers, so nothing is ever rounded, and Bland's rule
excludes cycling.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from milpcount.exact.arithmetic import solve
from milpcount.exact.geometry import ExactBox, Point
from milpcount.limits import tick
from milpcount.types import Array


@dataclass
class Vertex:
    """Where the simplex stands.

    Attributes
    ----------
    tight : list of int
        Rows that hold with equality.
    free : list of int
        As many columns; column d is s.
    at : ndarray of int, dtype object, shape (d + 1,)
        The bounds at which the other columns sit, times the box's denominator.
    """

    tight: list[int]
    free: list[int]
    at: Array


class Simplex:
    """The program, and the vertex that has been reached.

    Parameters
    ----------
    rows : ndarray of int, dtype object, shape (r, 1 + d)
        Constant and coefficients; every row is to be positive.
    box : ExactBox
    scales : sequence of int, length r
        Positive, or 0 for a row that only has to be non-negative once s >= 0 has been reached.
    cap : int
        Upper bound of s.
    """

    def __init__(self, rows: Array, box: ExactBox, scales: Sequence[int], cap: int = 1) -> None:
        self.n_rows, self.d = rows.shape[0], rows.shape[1] - 1
        self.box, self.cap = box, cap
        self.constant = rows[:, 0] * box.denominator
        self.matrix = np.empty((self.n_rows, self.d + 1), dtype=object)
        self.matrix[:, : self.d] = rows[:, 1:]
        self.set_scales(scales)
        self.pivots = 0
        self.multipliers: list[int] | None = None
        """Of the tight rows at the optimum."""

    def set_scales(self, scales: Sequence[int]) -> None:
        """Replace the scales; s must not be a free column unless the vertex is set anew."""
        self.scales = list(scales)
        self.matrix[:, self.d] = [-v for v in self.scales]

    def start(self) -> None:
        """Take the corner of the lower bounds, with s as large as it can be there."""
        at = np.empty(self.d + 1, dtype=object)
        for j, (a, b) in enumerate(zip(self.box.lower, self.box.upper, strict=True)):
            at[j] = a if a is not None else b if b is not None else 0
        at[self.d] = 0
        values = self.constant + self.matrix @ at
        worst = min(range(self.n_rows), key=lambda i: _Ratio(values[i], self.scales[i]))
        if values[worst] >= self.cap * self.scales[worst]:
            at[self.d] = self.cap
            self.set_vertex(Vertex([], [], at))
        else:
            self.set_vertex(Vertex([worst], [self.d], at))

    def set_vertex(self, vertex: Vertex) -> None:
        """Go on from a vertex, which must be feasible."""
        self.vertex = vertex
        vertex.at[vertex.free] = 0
        self.base = self.constant + self.matrix @ vertex.at

    def at_cap(self) -> bool:
        """Whether s sits at its upper bound."""
        return self.d not in self.vertex.free and self.vertex.at[self.d] == self.cap

    def run(self) -> bool:
        """Return whether s > 0 (or the cap) can be reached; if not, `multipliers` prove it.

        Raises
        ------
        OutOfTime
            If the deadline in force comes first.
        """
        if self.cap > 0 and self._is_positive():
            return True
        while not self.at_cap():
            tick()
            entering = self._entering()
            if entering is None:
                return False
            if self._advance(*entering) and self.cap > 0:
                return True
        return True

    def solution(self) -> tuple[list[int], int] | None:
        """Return the values of the free columns and their denominator; None if singular."""
        if not self.vertex.free:
            return [], 1
        solved = solve(self._core(), [[-int(self.base[i])] for i in self.vertex.tight])
        return None if solved is None else ([row[0] for row in solved[0]], solved[1])

    def _is_positive(self) -> bool:
        if self.d not in self.vertex.free:
            return bool(self.vertex.at[self.d] > 0)
        solved = self.solution()
        return solved is not None and solved[0][self.vertex.free.index(self.d)] > 0

    def is_feasible(self) -> bool:
        """Return whether the vertex exists and lies within all rows and bounds."""
        solved = self.solution()
        if solved is None:
            return False
        x, q = np.array(solved[0], dtype=object), solved[1]
        for j, value in zip(self.vertex.free, x, strict=True):
            low = None if j == self.d else self.box.lower[j]
            high = self.cap if j == self.d else self.box.upper[j]
            if (low is not None and value < low * q) or (high is not None and value > high * q):
                return False
        return bool((self.base * q + self.matrix[:, self.vertex.free] @ x >= 0).all())

    def point(self) -> Point:
        """Return the parameters at the vertex."""
        solved = self.solution()
        assert solved is not None
        numerators, q = solved
        values = self.vertex.at * q
        values[self.vertex.free] = numerators
        return Point(values[: self.d], q * self.box.denominator)

    def dual(self) -> list[int] | None:
        """Return multipliers of the tight rows, times a positive integer; None if singular.

        They make the combination of the rows stationary in every free column and weigh the scales
        to one, so they prove the optimum once no entry of `_entering` is left.
        """
        core, free = self._core(), self.vertex.free
        transposed = [list(column) for column in zip(*core, strict=True)]
        solved = solve(transposed, [[-int(j == self.d)] for j in free])
        return None if solved is None else [row[0] for row in solved[0]]

    def _core(self) -> list[list[int]]:
        free = self.vertex.free
        return [[row[j] for j in free] for row in map(self.matrix.__getitem__, self.vertex.tight)]

    def _entering(self) -> tuple[int, int] | None:
        """Return (column, direction) or (-1 - position of a tight row, 1); None at the optimum."""
        if self.d not in self.vertex.free:
            return self.d, 1
        multipliers = self.dual()
        assert multipliers is not None
        self.multipliers = multipliers
        gains = np.array(multipliers, dtype=object) @ self.matrix[self.vertex.tight]
        free = set(self.vertex.free)
        for j in np.flatnonzero(gains[: self.d] != 0).tolist():
            if j not in free and self._may_move(j, gain := 1 if gains[j] > 0 else -1):
                return j, gain
        leaving = [(self.vertex.tight[p], p) for p, m in enumerate(multipliers) if m < 0]
        return (-1 - min(leaving)[1], 1) if leaving else None

    def _may_move(self, j: int, direction: int) -> bool:
        bound = self.box.upper[j] if direction > 0 else self.box.lower[j]
        return bool(bound is None or self.vertex.at[j] != bound)

    def _advance(self, entering: int, direction: int) -> bool:
        """Move along an edge to the next vertex; return whether s is positive there."""
        v = self.vertex
        columns = [[-int(self.base[i])] for i in v.tight]
        for p, (i, row) in enumerate(zip(v.tight, columns, strict=True)):
            row.append(
                int(p == -1 - entering) if entering < 0 else -direction * self.matrix[i, entering]
            )
        solved = solve(self._core(), columns) if v.tight else ([], 1)
        assert solved is not None
        numerators, q = solved
        x, dx = [row[0] for row in numerators], [row[1] for row in numerators]
        best = self._ratio_test(entering, direction, x, dx, q)
        self.pivots += 1
        before = dict(zip(v.free, zip(x, dx, strict=True), strict=True)).get(
            self.d, (self.vertex.at[self.d] * q, direction * q)
        )
        self._exchange(entering, direction, best)
        # s is (before + step * slope) / q with step = top / bottom
        return bool(before[0] * best.bottom + best.top * before[1] > 0)

    def _ratio_test(
        self, entering: int, direction: int, x: list[int], dx: list[int], q: int
    ) -> "_Leaving":
        """Return the first bound that is met; ties go to s, then to the smallest index."""
        v, best = self.vertex, _Leaving(1, 0, 0, 0)
        for j, value, slope in zip(v.free, x, dx, strict=True):
            if j == self.d:
                limit: int | None = self.cap if slope > 0 else None
            else:
                limit = self.box.upper[j] if slope > 0 else self.box.lower[j]
            if slope and limit is not None:
                rank = -1 if j == self.d else j
                best = best.nearer(abs(limit * q - value), abs(slope), rank, limit)
        values = self.base * q
        slopes: Array = np.full(self.n_rows, 0, dtype=object)
        if v.free:
            values = values + self.matrix[:, v.free] @ np.array(x, dtype=object)
            slopes = self.matrix[:, v.free] @ np.array(dx, dtype=object)
        if entering >= 0:
            slopes = slopes + self.matrix[:, entering] * (direction * q)
            best = self._own_limit(entering, direction, q, best)
        tight = set(v.tight)
        for i in np.flatnonzero(slopes < 0).tolist():
            if i not in tight:
                best = best.nearer(values[i], -slopes[i], self.d + 1 + i, None)
        return best

    def _own_limit(self, j: int, direction: int, q: int, best: "_Leaving") -> "_Leaving":
        if j == self.d:
            limit: int | None = self.cap
        else:
            limit = self.box.upper[j] if direction > 0 else self.box.lower[j]
        if limit is None:
            return best
        rank = -1 if j == self.d else j
        return best.nearer(abs(limit - self.vertex.at[j]), 1, rank, limit)

    def _exchange(self, entering: int, direction: int, leaving: "_Leaving") -> None:
        v = self.vertex
        column = self.d if leaving.rank == -1 else leaving.rank
        if leaving.limit is not None and column == entering:
            self.base = self.base + self.matrix[:, column] * (leaving.limit - v.at[column])
            v.at[column] = leaving.limit
            return
        if entering >= 0:
            self.base = self.base - self.matrix[:, entering] * v.at[entering]
            v.at[entering] = 0
            v.free.append(entering)
        else:
            del v.tight[-1 - entering]
        if leaving.limit is not None:
            v.free.remove(column)
            v.at[column] = leaving.limit
            self.base = self.base + self.matrix[:, column] * leaving.limit
        else:
            v.tight.append(leaving.rank - self.d - 1)


@dataclass(frozen=True)
class _Leaving:
    """The nearest bound along an edge, at the step ``top / bottom`` (infinite if bottom is 0)."""

    top: int
    bottom: int
    rank: int
    limit: int | None

    def nearer(self, top: int, bottom: int, rank: int, limit: int | None) -> "_Leaving":
        difference = top * self.bottom - self.top * bottom
        if difference < 0 or (difference == 0 and self.bottom and rank < self.rank):
            return _Leaving(top, bottom, rank, limit)
        return self


class _Ratio:
    """A quotient that compares by cross-multiplication, without a common divisor."""

    __slots__ = ("bottom", "top")

    def __init__(self, top: int, bottom: int) -> None:
        self.top, self.bottom = top, bottom

    def __lt__(self, other: "_Ratio") -> bool:
        return self.top * other.bottom < other.top * self.bottom
