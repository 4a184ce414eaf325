"""Regions in exact arithmetic: their rows, what lies behind a facet, and whether two share one.

A region is given by its pattern. Its closure is the set of parameters of the domain where every row
that one of its units' pieces reads is not negative, each turned to be positive inside. Rows that
vanish identically on the region bound nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np

from milpcount.exact.geometry import ExactBox, Point, Rows
from milpcount.exact.program import attained, decide
from milpcount.exact.rows import ExactNetwork
from milpcount.limits import tick
from milpcount.network import Layer, UnitTable
from milpcount.types import Array, Pattern

Row = tuple[int, ...]
"""Integers without a common factor: constant and slopes, positive in a region."""

_KEPT = 64
"""Regions whose hyperplanes are remembered: one is asked for them once for each of its facets."""


@dataclass(frozen=True)
class Hyperplane:
    """A hyperplane that bounds a region, if only in a corner, and the units that vanish on it.

    Attributes
    ----------
    row : Row
        Positive in the region.
    units : tuple of int
        Those that read a row that is a multiple of it.
    """

    row: Row
    units: tuple[int, ...]


class Cells:
    """Regions of a network on an input set, in exact arithmetic.

    Parameters
    ----------
    exact : ExactNetwork
        Of units that are continuous: intervals of one number, or maxima.

    Attributes
    ----------
    programs : int
        Linear programs solved.
    """

    def __init__(self, exact: ExactNetwork) -> None:
        self.exact, self.programs = exact, 0
        self._tables = [layer.table for layer in exact.network.layers]
        self._planes: dict[Pattern, list[Hyperplane]] = {}
        self._implied = [implied_signs(layer) for layer in exact.network.layers]
        self.domain_rows = [primitive(row) for row in exact.inputs.rows.values.tolist()]

    def hyperplanes(self, pattern: Pattern) -> list[Hyperplane]:
        """Return the distinct hyperplanes among the rows of a region, in the order of units."""
        if pattern not in self._planes:
            if len(self._planes) >= _KEPT:
                self._planes.clear()
            self._planes[pattern] = self._hyperplanes(pattern)
        return self._planes[pattern]

    def _hyperplanes(self, pattern: Pattern) -> list[Hyperplane]:
        units: dict[Row, list[int]] = {}
        for layer, table in enumerate(self._tables):
            start = self.exact.starts[layer]
            asked = _asked(table, pattern[start : self.exact.starts[layer + 1]])
            rows = self.exact.rows(layer, pattern).values
            for place in np.flatnonzero(asked).tolist():
                values = rows[place].tolist()
                if any(values[1:]):
                    sign = int(asked[place])
                    row = primitive([sign * v for v in values])
                    units.setdefault(row, []).append(start + int(table.row_unit[place]))
        return [Hyperplane(row, tuple(dict.fromkeys(at))) for row, at in units.items()]

    def behind(self, pattern: Pattern, row: Row) -> Pattern | None:
        """Return the pattern right behind the facet that a region has on a hyperplane.

        Every unit computes a continuous function. So a row of the region and the row of the same
        unit behind the facet agree on it, and the latter is a multiple of the hyperplane's row,
        which tells its sign behind; or it does not vanish inside of the facet and keeps its sign.
        Units behind others may flip with them, also such that vanish on the whole region.

        Parameters
        ----------
        pattern : tuple of int
        row : Row
            One of the region's hyperplanes.

        Returns
        -------
        tuple of int or None
            If the region has no facet there it means nothing: it need not be the pattern of a
            region. None shows that there is no facet.
        """
        plane = np.array(row, dtype=object)
        pivot = next(j for j in range(1, len(row)) if row[j])
        found: list[int] = []
        for layer, table in enumerate(self._tables):
            start, stop = self.exact.starts[layer : layer + 2]
            kinds = table.kind + np.array(pattern[start:stop], dtype=np.int64)
            signs = self._implied[layer][kinds[table.row_unit], table.row_place]
            rows = self.exact.rows(layer, found).values
            # c * plane = row exactly if all products agree; then c has the sign of the pivots.
            along = ~(rows * plane[pivot] != np.outer(rows[:, pivot], plane)).any(axis=1)
            for place in np.flatnonzero(along).tolist():
                signs[place] = 1 if rows[place, pivot] * plane[pivot] < 0 else -1
            pieces = _pieces(self.exact.network.layers[layer], signs)
            if (pieces < 0).any():
                return None
            found += pieces.tolist()
        return tuple(found)

    def share_facet(self, one: Pattern, other: Pattern, row: Row) -> bool:
        """Return whether the closures of two regions meet in a facet on a hyperplane of both.

        They do if and only if some point of it is inside the domain and all rows of both regions
        that do not vanish on the hyperplane are positive there.
        """
        return self.point_between((one, other), row) is not None

    def point_between(self, patterns: Sequence[Pattern], row: Row) -> Point | None:
        """Return a point of a hyperplane inside of what regions have in common there, or None."""
        tick()
        self.programs += 1
        rows = [*self._others(patterns, row), *self.domain_rows]
        return inside(row, rows, self.exact.inputs.box)

    def _others(self, patterns: Sequence[Pattern], row: Row) -> list[Row]:
        """Return the rows of regions that do not vanish on a hyperplane."""
        own = (row, tuple(-v for v in row))
        planes = (plane.row for pattern in patterns for plane in self.hyperplanes(pattern))
        return list(dict.fromkeys(other for other in planes if other not in own))

    def touch(self, one: Sequence[Row], other: Sequence[Row]) -> bool:
        """Return whether two closed cells have a point of the closed domain in common."""
        tick()
        rows = list(dict.fromkeys([*one, *other, *self.domain_rows]))
        self.programs += 1
        if not rows:
            return True
        verdict = attained(rows_of(rows), (1,) * len(rows), (False,) * len(rows),
                           self.exact.inputs.box)  # fmt: skip
        return not verdict.is_empty

    def prefix_rows(self, pattern: Sequence[int]) -> list[Row]:
        """Return the rows of the first units of a pattern, which may end inside a layer."""
        found: dict[Row, None] = {}
        for layer, table in enumerate(self._tables):
            start, stop = self.exact.starts[layer : layer + 2]
            if len(pattern) <= start:
                break
            given = np.array(pattern[start:stop], dtype=np.int64)
            kinds = table.kind[: given.size] + given
            inside = table.row_unit < given.size
            places = np.flatnonzero(inside)
            asked = table.asks[kinds[table.row_unit[places]], table.row_place[places]]
            rows = self.exact.rows(layer, pattern[:start]).values
            for place, sign in zip(places.tolist(), asked.tolist(), strict=True):
                if sign and any(rows[place, 1:]):
                    found[primitive([sign * v for v in rows[place].tolist()])] = None
        return list(found)


def primitive(values: Sequence[int]) -> Row:
    """Return integers divided by what they have in common."""
    common = gcd(*values)
    return tuple(v // common for v in values) if common > 1 else tuple(values)


def _asked(table: UnitTable, pieces: Sequence[int]) -> Array:
    """Return the sign that the pieces of a layer's units ask of each of its rows, or 0."""
    kinds = table.kind + np.asarray(pieces, dtype=np.int64)
    return np.asarray(table.asks[kinds[table.row_unit], table.row_place])


def implied_signs(layer: Layer) -> Array:
    """Return the signs that a layer's rows have on each piece, shape as `UnitTable.asks`.

    Of a unit of one number all are known. Of a maximum those that compare losing values are not,
    and 0; behind a facet the values that can win there are equal on it, so that rows between them
    are multiples of its own and known.
    """
    signs, base = layer.table.asks.copy(), 0
    for group in layer.groups:
        n = group.activation.n_pieces
        if group.activation.rank == 1:
            rows = len(group.activation.rows)
            signs[base : base + n, :rows] = np.where(np.arange(rows) < np.arange(n)[:, None], 1, -1)
        base += n
    return signs


def _pieces(layer: Layer, signs: Array) -> Array:
    """Return the only piece of each unit whose rows may have these signs, -1 if there is none.

    A sign of 0 is not known, and may be any.
    """
    table, found, base = layer.table, np.empty(layer.width, dtype=np.int64), 0
    starts = layer.row_starts
    for group in layer.groups:
        kind = group.activation
        units = np.arange(layer.width)[group.units]
        places = starts[units][:, None] + np.arange(len(kind.rows))
        asks = table.asks[base : base + kind.n_pieces, : len(kind.rows)]
        may = ~((signs[places][:, None, :] * asks) < 0).any(axis=2)
        found[units] = np.where(may.sum(axis=1) == 1, may.argmax(axis=1), -1)
        base += kind.n_pieces
    return found


def rows_of(rows: Sequence[Row]) -> Rows:
    """Return rows as `Rows`."""
    return Rows(np.array(rows, dtype=object), (1,) * len(rows))


def sides(box: ExactBox) -> list[Row]:
    """Return the finite sides of a box as rows that are positive inside."""
    d, q = box.dimension, box.denominator
    found = []
    for j in range(d):
        for value, sign in ((box.lower[j], 1), (box.upper[j], -1)):
            if value is not None:
                slopes = [sign * q * (k == j) for k in range(d)]
                found.append(primitive([-sign * int(value), *slopes]))
    return found


def inside(row: Row, rows: Sequence[Row], box: ExactBox) -> Point | None:
    """Return a point inside the box where one row is zero and the others are positive, or None.

    The parameter with the largest coefficient is eliminated; its bounds become rows of the others.
    """
    d = len(row) - 1
    at = max(range(1, d + 1), key=lambda j: abs(row[j]))
    pivot, sign = abs(row[at]), 1 if row[at] > 0 else -1
    low, high, q = box.lower[at - 1], box.upper[at - 1], box.denominator
    bounds = []
    if low is not None:
        bounds.append(tuple([-low, *(q if j == at else 0 for j in range(1, d + 1))]))
    if high is not None:
        bounds.append(tuple([high, *(-q if j == at else 0 for j in range(1, d + 1))]))
    # Where row = 0, another one is (other |row_at| - other_at sgn(row_at) row) / |row_at|.
    table = np.array([*rows, *bounds], dtype=object).reshape(-1, d + 1)
    plane = np.array(row, dtype=object) * sign
    table = table * pivot - np.outer(table[:, at], plane)
    keep = [j for j in range(d + 1) if j != at]
    reduced = [primitive(r) for r in table[:, keep].tolist()]
    if any(not any(r[1:]) and r[0] <= 0 for r in reduced):
        return None
    reduced = list(dict.fromkeys(r for r in reduced if any(r[1:])))
    if d == 1:
        point = Point(np.zeros(0, dtype=object), 1)
    else:
        rest = [j - 1 for j in keep[1:]]
        smaller = ExactBox(box.lower[rest], box.upper[rest], q)
        if reduced:
            verdict = decide(rows_of(reduced), (1,) * len(reduced), smaller)
            if verdict.witness is None:
                return None
            point = verdict.witness
        else:
            point = smaller.middle
    # Back: |row_at| t_at = -(plane_0 + the others).
    others = plane[keep[1:]] @ point.numerators if d > 1 else 0
    value = -(plane[0] * point.denominator + others)
    numerators = np.insert(point.numerators * pivot, at - 1, value)
    return Point(np.asarray(numerators, dtype=object), point.denominator * pivot)
