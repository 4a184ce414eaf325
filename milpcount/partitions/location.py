"""The region of a point: by float64 where all signs are certain, exactly elsewhere."""

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.evaluate import parameters_of, pattern_at
from milpcount.exact.geometry import Point
from milpcount.partitions.cells import Cells
from milpcount.partitions.certified_signs import CertainRows
from milpcount.partitions.classes import PatternStore
from milpcount.types import Array

_SOME = 8192
_STEPS = (20, 60, 200, 700, 2000)
"""Powers of 1/2 by which a point is moved to see what is next to it."""


class Locator:
    """Finds the regions of points.

    Parameters
    ----------
    cells : Cells
    inputs : InputSet
    patterns : PatternStore
        Of all regions.
    """

    def __init__(self, cells: Cells, inputs: InputSet, patterns: PatternStore) -> None:
        self.cells, self.inputs = cells, inputs
        self._rows = CertainRows(cells.exact.network)
        self._patterns = patterns
        packed = patterns.packed
        self._index = {row.tobytes(): i for i, row in enumerate(packed)}

    def locate(self, points: Array) -> Array:
        """Return the index of a region whose closure holds each point, -1 outside of the domain.

        Parameters
        ----------
        points : ndarray, shape (k, n_inputs)
            Taken exactly. In a section they must lie in its plane exactly.

        Returns
        -------
        ndarray of int, shape (k,)
            Of several regions that meet in a point any may be given; a point with the pattern of a
            region is given that one.
        """
        if not self.cells.exact.network.n_units:
            return np.array([self._exactly(x) for x in points], dtype=np.int64)
        found = np.full(len(points), -1)
        within = self._certainly_within(points)
        for at in range(0, len(points), _SOME):
            some = points[at : at + _SOME]
            rows, patterns = self._rows.at(some)
            certain = (np.abs(rows.values) > rows.errors).all(axis=1) & within[at : at + _SOME]
            keys = self._patterns.pack(patterns)
            for k, (sure, key) in enumerate(zip(certain.tolist(), keys, strict=True)):
                index = self._index.get(key.tobytes()) if sure else None
                found[at + k] = self._exactly(some[k]) if index is None else index
        return found

    def _certainly_within(self, points: Array) -> Array:
        """Return which points are in the domain for sure: of plain boxes all that are."""
        inputs, exact = self.inputs, self.cells.exact.inputs
        if len(exact.rows) or not exact.takes_floats or inputs.exact is not None:
            return np.zeros(len(points), dtype=bool)
        selected = exact.selected
        assert selected is not None
        free = points[:, selected]
        within = (free >= inputs.lower) & (free <= inputs.upper)
        fixed = np.setdiff1d(np.arange(points.shape[1]), selected)
        return np.asarray(
            within.all(axis=1) & (points[:, fixed] == inputs.origin[fixed]).all(axis=1)
        )

    def _exactly(self, x: Array) -> int:
        exact = self.cells.exact
        t = parameters_of(exact.inputs, x)
        if t is None or not exact.inputs.box.contains(t):
            return -1
        if not (exact.inputs.rows.at(t) >= 0).all():
            return -1
        index = self._of_pattern(exact.inputs.to_input(t))
        if index is not None:
            return index
        # The point is on a boundary. On a short way to a generic point of the domain's interior
        # there is one region, whose closure holds the point.
        for target in self._targets():
            for power in _STEPS:
                near = _moved(t, target, power)
                index = self._of_pattern(exact.inputs.to_input(near))
                if index is not None and self._holds(index, t):
                    return index
        raise AssertionError("a point of the domain has a region next to it")

    def _of_pattern(self, x: Point) -> int | None:
        pattern = np.array([pattern_at(self.cells.exact.weights, x).pattern])
        return self._index.get(self._patterns.pack(pattern)[0].tobytes())

    def _holds(self, index: int, t: Point) -> bool:
        (pattern,) = self._patterns.tuples(np.array([index]))
        for plane in self.cells.hyperplanes(pattern):
            row = plane.row
            value = row[0] * t.denominator
            value += sum(a * int(p) for a, p in zip(row[1:], t.numerators, strict=True))
            if value < 0:
                return False
        return True

    def _targets(self) -> list[Point]:
        from milpcount.exact.program import decide

        inputs = self.cells.exact.inputs
        rows = inputs.rows
        inside = decide(rows, (1,) * len(rows), inputs.box).witness if len(rows) else None
        middle = inside or inputs.box.middle
        random = np.random.default_rng(1)
        found = []
        for shift in (3, 6, 12, 24, 48, 96):
            # A little off the middle, in a direction that no hyperplane is made for.
            moves = [int(v) for v in random.integers(-(2**20), 2**20, size=inputs.dimension)]
            moved = Point(
                middle.numerators * (1 << (20 + shift))
                + np.array(moves, dtype=object) * middle.denominator,
                middle.denominator << (20 + shift),
            )
            if inputs.box.contains_inside(moved) and (inputs.rows.at(moved) > 0).all():
                found.append(moved)
        return found


def _moved(t: Point, target: Point, power: int) -> Point:
    """Return a point 2^-power of the way from one to another."""
    whole = 1 << power
    numerators = t.numerators * target.denominator * (whole - 1) + target.numerators * t.denominator
    return Point(np.asarray(numerators), t.denominator * target.denominator * whole)
