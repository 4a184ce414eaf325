"""The parts of a union in exact numbers: where regions of two parts meet, and in which dimension.

All parts span one affine space, so a region's rows are the same functions of that space's
parameters in all of them. A *cell* is a region within a part, of full dimension. Let cells lie in
parts i and j.

* Cells of one region have a point inside of both, or they are on both sides of a hyperplane that
  bounds both parts, as the region itself is on both sides of it.
* Cells of two regions share a facet if and only if it lies on a hyperplane that bounds both
  *regions*: next to a point inside of a common facet is one region here and the other one there.

Each is one question: is there a point (of the hyperplane) where all rows of both cells that do not
vanish on it are positive?
"""

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.geometry import ExactBox
from milpcount.exact.inputs import ExactInputs
from milpcount.exact.program import attained, decide
from milpcount.limits import tick
from milpcount.partitions.cells import Cells, Row, inside, primitive, rows_of
from milpcount.partitions.union_part_forms import Part, in_space, objects
from milpcount.rationals import to_float
from milpcount.types import Array, Pattern


@dataclass(frozen=True, eq=False)
class Pair:
    """What two parts have in common, which may be of any dimension.

    Attributes
    ----------
    lower, upper : ndarray, dtype object, shape (d,)
        Integers over the denominator of all parts, or infinities.
    flat : tuple of int
        The parameters in which it has no extent.
    rows : tuple of Row
        Oblique ones of both.
    walls : tuple of Row
        Hyperplanes that bound both, the first part on their positive side, the other one on the
        other.
    """

    lower: Array
    upper: Array
    flat: tuple[int, ...]
    rows: tuple[Row, ...]
    walls: tuple[Row, ...]


class Parts:
    """The parts of a union.

    Parameters
    ----------
    cells : Cells
        Of the network on a convex set that holds all parts, in its parameters.
    parts : list of InputSet
        Each of full dimension in that set's space.

    Attributes
    ----------
    programs : int
        Linear programs solved.
    """

    def __init__(self, cells: Cells, parts: list[InputSet]) -> None:
        self.cells, self.programs = cells, 0
        self._d = cells.exact.inputs.dimension
        found = [in_space(ExactInputs.from_inputs(p), cells.exact.inputs) for p in parts]
        ends = [v for one in found for v in (*one.lower, *one.upper) if isinstance(v, Fraction)]
        self._q = lcm(1, *(v.denominator for v in ends))
        self._parts = [
            Part(self._whole(one.lower), self._whole(one.upper), one.rows) for one in found
        ]
        # Rounding keeps the order, so parts that are apart in float64 are apart.
        self._low = np.array([self._floats(p.lower) for p in self._parts]).reshape(-1, self._d)
        self._high = np.array([self._floats(p.upper) for p in self._parts]).reshape(-1, self._d)
        self._pairs: dict[tuple[int, int], Pair | None] = {}

    def __len__(self) -> int:
        return len(self._parts)

    def near(self, i: int) -> list[int]:
        """Return the parts whose boxes may have a point in common with that of a part."""
        apart = (self._low > self._high[i]) | (self._high < self._low[i])
        return np.flatnonzero(~apart.any(axis=1)).tolist()

    def holds(self, i: int, points: Array) -> Array:
        """Return which float64 points of the space are certainly inside of a part, shape (k,)."""
        if self._parts[i].rows:
            return np.zeros(len(points), dtype=bool)
        low = np.nextafter(self._low[i], np.inf)
        high = np.nextafter(self._high[i], -np.inf)
        return np.asarray(((points > low) & (points < high)).all(axis=1))

    def pair(self, i: int, j: int) -> Pair | None:
        """Return what two parts have in common, as far as their boxes say; None: no point."""
        if (i, j) not in self._pairs:
            self._pairs[i, j] = self._pair(i, j)
        return self._pairs[i, j]

    def is_cell(self, pattern: Pattern, i: int) -> bool:
        """Return whether a region has points inside of a part."""
        return self._overlap(pattern, i, i)

    def are_one(self, pattern: Pattern, i: int, j: int) -> bool:
        """Return whether the cells of a region in two parts overlap or share a facet."""
        pair = self.pair(i, j)
        if pair is None:
            return False
        if self._overlap(pattern, i, j):
            return True
        own = [plane.row for plane in self.cells.hyperplanes(pattern)]
        return any(self._is_crossed(wall, own, pair) for wall in pair.walls)

    def share_facet(self, one: Pattern, i: int, other: Pattern, j: int) -> bool:
        """Return whether cells of two regions, in two parts or in one, share a facet."""
        pair = self.pair(i, j)
        if pair is None:
            return False
        here = [plane.row for plane in self.cells.hyperplanes(one)]
        there = [plane.row for plane in self.cells.hyperplanes(other)]
        behind, both = set(there), [*here, *there]
        return any(self._is_crossed(row, both, pair) for row in here if _opposite(row) in behind)

    def between(self, i: int, j: int) -> "Between":
        """Return what `milpcount.partitions.closed_linear_regions` asks, about two parts."""
        return Between(self, i, j)

    def touch(self, rows: list[Row], pair: Pair) -> bool:
        """Return whether a point of two closed parts satisfies rows, which may be zero there."""
        tick()
        self.programs += 1
        flat = list(pair.flat)
        keep = [k for k in range(self._d) if k not in flat]
        table = np.array([*rows, *pair.rows], dtype=object).reshape(-1, 1 + self._d)
        # In these the point has given numbers, over the parts' denominator.
        fixed = table[:, 0] * self._q + table[:, [1 + k for k in flat]] @ pair.lower[flat]
        slopes = table[:, [1 + k for k in keep]] * self._q
        left = [primitive(row) for row in np.c_[fixed, slopes].tolist()]
        if any(row[0] < 0 and not any(row[1:]) for row in left):
            return False
        left = list(dict.fromkeys(row for row in left if any(row[1:])))
        if not left:
            return True
        verdict = attained(
            rows_of(left), (1,) * len(left), (False,) * len(left), self._box(pair, keep)
        )
        return not verdict.is_empty

    def _overlap(self, pattern: Pattern, i: int, j: int) -> bool:
        """Return whether a region has points inside of two parts."""
        pair = self.pair(i, j)
        if pair is None or pair.flat:
            return False
        tick()
        self.programs += 1
        own = (plane.row for plane in self.cells.hyperplanes(pattern))
        rows = list(dict.fromkeys([*own, *pair.rows]))
        if not rows:
            return True
        box = self._box(pair, list(range(self._d)))
        return not decide(rows_of(rows), (1,) * len(rows), box).is_empty

    def _is_crossed(self, plane: Row, rows: list[Row], pair: Pair) -> bool:
        """Return whether two parts have a point of a hyperplane in common, inside of all rows.

        Rows and sides that vanish on it are left out: which sides the cells are on is known.
        """
        tick()
        slopes = [k for k in range(self._d) if plane[1 + k]]
        lower, upper = pair.lower, pair.upper
        if len(slopes) == 1:  # it may be a side of the box
            k = slopes[0]
            at = Fraction(-plane[0] * self._q, plane[1 + k])
            if not lower[k] <= at <= upper[k] or any(flat != k for flat in pair.flat):
                return False
            lower, upper = lower.copy(), upper.copy()
            lower[k], upper[k] = -np.inf, np.inf
        elif pair.flat:
            return False
        own = (plane, _opposite(plane))
        others = [row for row in dict.fromkeys([*rows, *pair.rows]) if row not in own]
        box = ExactBox(_bounds(lower), _bounds(upper), self._q)
        self.programs += 1
        return inside(plane, others, box) is not None

    def _pair(self, i: int, j: int) -> Pair | None:
        one, other = self._parts[i], self._parts[j]
        lower = np.maximum(one.lower, other.lower)
        upper = np.minimum(one.upper, other.upper)
        if (lower > upper).any():
            return None
        flat = tuple(np.flatnonzero(lower == upper).tolist())
        walls = []
        if len(flat) == 1:
            k = flat[0]
            sign = 1 if one.lower[k] == lower[k] else -1
            at = int(lower[k])
            walls = [primitive([-sign * at, *(sign * self._q * (m == k) for m in range(self._d))])]
        elif not flat:
            behind = set(other.rows)
            walls = [row for row in one.rows if _opposite(row) in behind]
        rows = tuple(dict.fromkeys([*one.rows, *other.rows]))
        return Pair(lower, upper, flat, rows, tuple(walls))

    def _box(self, pair: Pair, keep: list[int]) -> ExactBox:
        return ExactBox(_bounds(pair.lower[keep]), _bounds(pair.upper[keep]), self._q)

    def _whole(self, ends: Array) -> Array:
        """Return bounds as integers over the common denominator."""
        found = [int(v * self._q) if isinstance(v, Fraction) else v for v in ends]
        return objects(found)

    def _floats(self, ends: Array) -> list[float]:
        return [to_float(v, self._q) if isinstance(v, int) else v for v in ends]


class Between:
    """Closed cells in two parts, for `milpcount.partitions.closed_linear_regions.Touching`."""

    def __init__(self, parts: Parts, i: int, j: int) -> None:
        self._parts, self._pair = parts, parts.pair(i, j)
        self.prefix_rows = parts.cells.prefix_rows

    def touch(self, one: list[Row], other: list[Row]) -> bool:
        """Return whether two closed cells have a point of both closed parts in common."""
        pair = self._pair
        return pair is not None and self._parts.touch(list(dict.fromkeys([*one, *other])), pair)


def _bounds(ends: Array) -> Array:
    """Return bounds as `ExactBox` has them."""
    return objects([v if isinstance(v, int) else None for v in ends])


def _opposite(row: Row) -> Row:
    return tuple(-v for v in row)
