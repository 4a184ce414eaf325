"""From activation regions to linear regions: those with one affine map that share a facet are one.

Neighbours are found modulo a prime where that is certain and in exact arithmetic elsewhere; that
two regions share a facet is proved in exact arithmetic, or follows from their patterns.
"""

from collections.abc import Iterator, MutableSequence

import numpy as np

from milpcount.exact.evaluate import point_of
from milpcount.exact.geometry import Point
from milpcount.limits import tick
from milpcount.partition.candidates import CandidateFinder
from milpcount.partition.cells import Cells, Hyperplane, Pattern
from milpcount.partition.classes import PatternStore, is_same
from milpcount.partition.components import Components
from milpcount.result import Region

Array = np.ndarray

_SOME = 512
"""Pairs whose witnesses are read at a time."""


class Merging:
    """Joins the regions of each class of one affine map that share facets.

    Parameters
    ----------
    cells : Cells
    patterns : PatternStore
        Of all regions.
    regions : sequence of Region, optional
        The same regions with their witnesses, which save linear programs.
    finder : CandidateFinder, optional
        Without it all neighbours are found in exact arithmetic.

    Attributes
    ----------
    components : Components
        Of all regions; at every moment at least as many as there are linear regions.
    unlisted : int
        Neighbours with the same map that are regions and not among those given; none if those are
        all that there are. They are looked for only without `finder`.
    """

    def __init__(
        self,
        cells: Cells,
        patterns: PatternStore,
        regions: MutableSequence[Region] | None = None,
        finder: CandidateFinder | None = None,
    ) -> None:
        self.cells, self.patterns = cells, patterns
        self._regions, self._finder = regions, finder
        self.components = Components(len(patterns))
        self.unlisted = 0
        last, start = cells.exact.network.layers[-1], cells.exact.starts[-2]
        ranks = [kind.rank == 1 for kind in last.units]
        self._cut_in_two = np.concatenate([np.zeros(start, dtype=bool), ranks])

    def run(self, classes: list[Array]) -> Iterator[None]:
        """Join what belongs together; yield now and then.

        Parameters
        ----------
        classes : list of ndarray of int
            Regions with the same map, two or more each.
        """
        if not classes:
            return
        members = np.concatenate(classes)
        numbers = np.repeat(np.arange(len(classes)), [len(one) for one in classes])
        patterns = self.patterns.take(members)
        if self._finder is None:
            yield from self._exactly(members, numbers, patterns, np.arange(len(members)))
            return
        found = self._finder.find(patterns, numbers)
        # Nothing else depends on a unit of the last layer, so what two regions agree in is a convex
        # set that its breakpoint cuts in two: they share what is cut. A maximum cuts in many.
        free = self._cut_in_two[found.units]
        for i, j in members[found.pairs[free]].tolist():
            self.components.join(i, j)
        yield
        yield from self._prove(members, found.pairs[~free], found.units[~free])
        yield from self._exactly(members, numbers, patterns, found.unclear)

    def _prove(self, members: Array, pairs: Array, units: Array) -> Iterator[None]:
        """Join pairs of members that differ in a unit, if they share a facet."""
        for at in range(0, len(pairs), _SOME):
            some = members[pairs[at : at + _SOME]].tolist()
            left = [
                (i, j, unit)
                for (i, j), unit in zip(some, units[at : at + _SOME].tolist(), strict=True)
                if not self.components.same(i, j)
            ]
            points = self._points({k for i, j, _ in left for k in (i, j)})
            for i, j, unit in left:
                tick()
                if not self.components.same(i, j) and self._differ_by(i, j, unit, points):
                    self.components.join(i, j)
            yield

    def _differ_by(self, i: int, j: int, unit: int, points: dict[int, Point]) -> bool:
        """Return whether two regions share a facet on the row of the unit that tells them apart."""
        one, other = self.patterns.tuples(np.array([i, j]))
        behind = {plane.row for plane in self.cells.hyperplanes(other)}
        for plane in self.cells.hyperplanes(one):
            opposite = tuple(-v for v in plane.row)
            if unit not in plane.units or opposite not in behind:
                continue
            if i in points and j in points:
                if self.cells.is_crossed((one, other), plane.row, points[i], points[j]):
                    return True
            if self.cells.share_facet(one, other, plane.row):
                return True
        return False

    def _points(self, indices: set[int]) -> dict[int, Point]:
        if self._regions is None or not indices:
            return {}
        wanted = sorted(indices)
        regions = (
            self._regions.taken(wanted)
            if hasattr(self._regions, "taken")
            else [self._regions[i] for i in wanted]
        )
        inputs = self.cells.exact.inputs
        found = zip(wanted, (point_of(inputs, region) for region in regions), strict=True)
        return {i: point for i, point in found if point is not None}

    def _exactly(
        self, members: Array, numbers: Array, patterns: Array, which: Array
    ) -> Iterator[None]:
        """Join some members to all of their neighbours in their classes, found exactly."""
        if not len(which):
            return
        index: dict[tuple[int, Pattern], int] = {}
        for i, number, pattern in zip(
            members.tolist(), numbers.tolist(), map(tuple, patterns.tolist()), strict=True
        ):
            index[number, pattern] = i
        for at in which.tolist():
            own = tuple(patterns[at].tolist())
            for plane in self.cells.hyperplanes(own):
                tick()
                self._cross(own, plane, int(numbers[at]), int(members[at]), index)
            yield

    def _cross(
        self, own: Pattern, plane: Hyperplane, number: int, i: int,
        index: dict[tuple[int, Pattern], int],
    ) -> None:  # fmt: skip
        behind = self.cells.behind(own, plane.row)
        if behind is None:
            return
        j = index.get((number, behind))
        if j is None:
            if self._finder is None and self._is_new(own, behind, plane, number, index):
                self.unlisted += 1
        elif not self.components.same(i, j) and self.cells.share_facet(own, behind, plane.row):
            self.components.join(i, j)

    def _is_new(
        self, own: Pattern, behind: Pattern, plane: Hyperplane, number: int,
        index: dict[tuple[int, Pattern], int],
    ) -> bool:  # fmt: skip
        """Return whether a region that was not given lies behind a facet and has the same map."""
        exact = self.cells.exact
        if not is_same(exact.affine_map(own), exact.affine_map(behind)):
            return False
        return self.cells.point_between((own,), plane.row) is not None
