"""Regions as polytopes: their rows, which of these are facets, and what has a size, in float64."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.optimize import linprog
from scipy.spatial import ConvexHull, HalfspaceIntersection, QhullError

from milpcount.errors import OptionError
from milpcount.exact.arithmetic import solve
from milpcount.exact.geometry import ExactBox
from milpcount.exact.program import attained
from milpcount.partitions.cells import Cells, Pattern, Row, inside, primitive, rows_of
from milpcount.rationals import to_float

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Halfspaces:
    """The closure of a region, ``A t <= b`` in the parameters t of the domain.

    Attributes
    ----------
    A : ndarray, shape (m, d)
        Float64, each row scaled by a power of two and rounded once; of dtype object (integers)
        where exact rows were asked for.
    b : ndarray, shape (m,)
    units : tuple of tuple of int
        For each row the units that vanish on it; none for the domain's own.
    """

    A: Array
    b: Array
    units: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.b)


class Polytopes:
    """The regions of a network on an input set as polytopes.

    Parameters
    ----------
    cells : Cells
    """

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        box = cells.exact.inputs.box
        self.box, self.dimension = box, box.dimension
        self._free = ExactBox(
            np.full(self.dimension, None, dtype=object),
            np.full(self.dimension, None, dtype=object),
            1,
        )
        self._bounds: list[Row] = list(dict.fromkeys([*_sides(box), *cells.domain_rows]))

    def exact_rows(
        self, pattern: Pattern, *, irredundant: bool
    ) -> list[tuple[Row, tuple[int, ...]]]:
        """Return the rows of a region, positive inside, and the units that vanish on each.

        Parameters
        ----------
        pattern : tuple of int
        irredundant : bool
            Only those that have a facet.
        """
        found = {plane.row: plane.units for plane in self.cells.hyperplanes(pattern)}
        found = {row: () for row in self._bounds} | found
        if not irredundant:
            return list(found.items())
        kept = []
        left = list(found)
        for row in list(found):
            others = [other for other in left if other != row]
            if inside(row, others, self._free) is None:
                left = others  # whatever is left out is implied by those that stay
            else:
                kept.append((row, found[row]))
        return kept

    def halfspaces(self, pattern: Pattern, *, irredundant: bool, exact: bool) -> Halfspaces:
        """Return the rows of a region as ``A t <= b``."""
        rows = self.exact_rows(pattern, irredundant=irredundant)
        table = np.array([row for row, _ in rows], dtype=object).reshape(-1, 1 + self.dimension)
        if not exact:
            table = floats(table)
        return Halfspaces(-table[:, 1:], table[:, 0], tuple(units for _, units in rows))

    def is_bounded(self, pattern: Pattern) -> bool:
        """Return whether a region is bounded, decided exactly.

        It is not if and only if a direction other than 0 decreases none of its rows.
        """
        if self.box.is_finite:
            return True
        ones = np.full(self.dimension, 1, dtype=object)
        cube = ExactBox(-ones, ones, 1)
        slopes = [
            primitive([0, *row[1:]]) for row, _ in self.exact_rows(pattern, irredundant=False)
        ]
        slopes = list(dict.fromkeys(row for row in slopes if any(row)))
        for j in range(self.dimension):
            for sign in (1, -1):
                ahead = tuple([0, *(sign * (k == j) for k in range(self.dimension))])
                rows = [ahead, *slopes]
                strict = (True, *(False for _ in slopes))
                if not attained(rows_of(rows), (1,) * len(rows), strict, cube).is_empty:
                    return False
        return True

    def ball(self, pattern: Pattern) -> tuple[Array, float]:
        """Return centre and radius of a largest ball in a region, in float64.

        The radius is infinite where balls of any size fit.
        """
        rows = self.halfspaces(pattern, irredundant=False, exact=False)
        norms = np.linalg.norm(rows.A, axis=1)
        table = np.concatenate([rows.A, norms[:, None]], axis=1)
        cost = np.zeros(self.dimension + 1)
        cost[-1] = -1.0
        bounds = [(None, None)] * self.dimension + [(0, None)]
        found = linprog(cost, A_ub=table, b_ub=rows.b, bounds=bounds)
        if found.status == 3 or (found.x is None and not len(rows)):
            return np.full(self.dimension, np.nan), np.inf
        if found.x is None:
            return np.full(self.dimension, np.nan), np.nan
        return found.x[:-1], float(found.x[-1])

    def vertices(self, pattern: Pattern) -> Array:
        """Return the vertices of a bounded region, shape (k, d), each rounded once.

        They are computed exactly from the facets: every choice of d facets is tried, so this is for
        few dimensions. In two dimensions they are in counterclockwise order.

        Raises
        ------
        OptionError
            If the region is not bounded.
        """
        if not self.is_bounded(pattern):
            raise OptionError("the region is not bounded: it has no list of vertices that makes it")
        d = self.dimension
        rows = [list(row) for row, _ in self.exact_rows(pattern, irredundant=True)]
        found: dict[tuple[tuple[int, ...], int], None] = {}
        for chosen in combinations(rows, d):
            solved = solve([row[1:] for row in chosen], [[-row[0]] for row in chosen])
            if solved is None:
                continue
            point, q = [v[0] for v in solved[0]], solved[1]
            if all(row[0] * q + sum(a * p for a, p in zip(row[1:], point, strict=True)) >= 0
                   for row in rows):  # fmt: skip
                scaled = primitive([q, *point])
                found[scaled[1:], scaled[0]] = None
        points = np.array([[to_float(p, q) for p in point] for point, q in found])
        if d != 2:
            return points
        middle = points.mean(axis=0)
        return points[np.argsort(np.arctan2(*(points - middle).T[::-1]))]

    def volume(self, pattern: Pattern) -> float:
        """Return the volume of a region in the domain's parameters; infinite if not bounded.

        Float64, by Qhull, from the exact vertices where Qhull cannot cut the rows.
        """
        if not self.is_bounded(pattern):
            return np.inf
        rows = self.halfspaces(pattern, irredundant=False, exact=False)
        if self.dimension == 1:
            ends = np.sort(self.vertices(pattern)[:, 0])
            return float(ends[-1] - ends[0])
        centre, radius = self.ball(pattern)
        try:
            if not radius > 0:
                raise QhullError("no room for an interior point")
            # Round the centre: thin regions keep their relative precision.
            shifted = np.concatenate([rows.A, -(rows.b - rows.A @ centre)[:, None]], axis=1)
            corners = HalfspaceIntersection(shifted, np.zeros(self.dimension)).intersections
            return float(ConvexHull(corners).volume)
        except QhullError:
            return float(ConvexHull(self.vertices(pattern), qhull_options="QJ").volume)


def floats(table: Array) -> Array:
    """Return rows of integers in float64, each scaled by a power of two so that it fits."""
    found = []
    for row in table.tolist():
        scale = 1 << max(0, max((int(v).bit_length() for v in row), default=0) - 1)
        found.append([to_float(int(v), scale) for v in row])
    return np.array(found, dtype=np.float64).reshape(table.shape)


def _sides(box: ExactBox) -> list[Row]:
    """Return the finite sides of a box as rows that are positive inside."""
    d, q = box.dimension, box.denominator
    found = []
    for j in range(d):
        for value, sign in ((box.lower[j], 1), (box.upper[j], -1)):
            if value is not None:
                slopes = [sign * q * (k == j) for k in range(d)]
                found.append(primitive([-sign * int(value), *slopes]))
    return found
