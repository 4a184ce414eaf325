"""Regions as polytopes: their rows, which of these are facets, and what has a size, in float64."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import lcm

import numpy as np
from scipy.optimize import linprog
from scipy.spatial import ConvexHull, HalfspaceIntersection, QhullError

from milpcount.errors import OptionError
from milpcount.exact.arithmetic import solve
from milpcount.exact.geometry import ExactBox
from milpcount.exact.program import attained
from milpcount.limits import tick
from milpcount.partitions.cells import Cells, Row, inside, primitive, rows_of, sides
from milpcount.rationals import to_float
from milpcount.types import Array, Pattern

_THIN = 1e-6
"""Radius of a ball in a region, of its size, below which Qhull gets the exact vertices."""


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
        self.bounds: list[Row] = list(dict.fromkeys([*sides(box), *cells.domain_rows]))

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
        found = {row: () for row in self.bounds} | found
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
        return Halfspaces(0 - table[:, 1:], table[:, 0], tuple(units for _, units in rows))

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
        """Return centre and radius of a largest ball in a region, in float64, by a linear program.

        The radius is infinite where balls of any size fit. The solver's tolerance is about 1e-7, so
        of regions that are as thin the numbers say little.
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
        exact = self._exact_vertices(pattern)
        points = np.array([[float(v) for v in point] for point in exact])
        if self.dimension != 2:
            return points
        middle = [sum(column) / len(exact) for column in zip(*exact, strict=True)]
        # Differences first: thin regions keep their order.
        angles = [np.arctan2(float(y - middle[1]), float(x - middle[0])) for x, y in exact]
        return points[np.argsort(angles)]

    def volume(self, pattern: Pattern) -> float:
        """Return the volume of a region in the domain's parameters; infinite if not bounded.

        Float64, by Qhull; from the exact vertices where the region is too thin for that.
        """
        if not self.is_bounded(pattern):
            return np.inf
        if self.dimension == 1:
            low, high = sorted(v[0] for v in self._exact_vertices(pattern))
            return float(high - low)
        rows = self.halfspaces(pattern, irredundant=False, exact=False)
        centre, radius = self.ball(pattern)
        room = (rows.b - rows.A @ centre) / np.linalg.norm(rows.A, axis=1)
        if radius > 0 and room.min() > radius / 2:
            shifted = np.concatenate([rows.A, -(rows.b - rows.A @ centre)[:, None]], axis=1)
            try:
                corners = HalfspaceIntersection(shifted, np.zeros(self.dimension)).intersections
                if radius > _THIN * np.abs(corners).max():
                    return float(ConvexHull(corners).volume)
            except QhullError:
                pass
        return self._exact_volume(pattern)

    def _exact_vertices(self, pattern: Pattern) -> list[list[Fraction]]:
        if not self.is_bounded(pattern):
            raise OptionError("the region is not bounded: it has no list of vertices that makes it")
        rows = [row for row, _ in self.exact_rows(pattern, irredundant=True)]
        found: dict[tuple[int, ...], None] = {}
        for chosen in combinations(rows, self.dimension):
            tick()
            solved = solve([list(row[1:]) for row in chosen], [[-row[0]] for row in chosen])
            if solved is None:
                continue
            point = primitive([solved[1], *(v[0] for v in solved[0])])
            if all(sum(a * p for a, p in zip(row, point, strict=True)) >= 0 for row in rows):
                found[point] = None
        return [[Fraction(p, q) for p in point] for q, *point in found]

    def _exact_volume(self, pattern: Pattern) -> float:
        """Return the volume from the vertices, mapped so that a large simplex of them is plain.

        The map is affine and exact, so what is thin becomes round, and its determinant is known.
        """
        points, d = self._exact_vertices(pattern), self.dimension
        origin = points[0]
        rays = [[a - b for a, b in zip(p, origin, strict=True)] for p in points[1:]]
        best: list[list[Fraction]] = []
        largest = Fraction(0)
        for chosen in combinations(rays, d):
            size = abs(determinant(chosen))
            if size > largest:
                best, largest = list(chosen), size
        scale = lcm(*(v.denominator for ray in [*best, *rays] for v in ray))
        matrix = [[int(ray[k] * scale) for ray in best] for k in range(d)]
        solved = solve(matrix, [[int(ray[k] * scale) for ray in rays] for k in range(d)])
        assert solved is not None
        table = np.array([[to_float(v, solved[1]) for v in row] for row in solved[0]]).T
        corners = np.concatenate([np.zeros((1, d)), table])
        return float(ConvexHull(corners).volume) * float(largest)


def determinant(rows: Sequence[Sequence[Fraction]]) -> Fraction:
    """Return the determinant of a small matrix, by its first row."""
    if not rows:
        return Fraction(1)
    rest = [list(row) for row in rows[1:]]
    return sum(
        (
            (-1) ** k * value * determinant([row[:k] + row[k + 1 :] for row in rest])
            for k, value in enumerate(rows[0])
            if value
        ),
        Fraction(0),
    )


def floats(table: Array) -> Array:
    """Return rows of integers in float64, each scaled by a power of two so that it fits."""
    found = []
    for row in table.tolist():
        scale = 1 << max(0, max((int(v).bit_length() for v in row), default=0) - 1)
        found.append([to_float(int(v), scale) for v in row])
    return np.array(found, dtype=np.float64).reshape(table.shape)
