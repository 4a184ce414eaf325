"""From activation regions to linear regions: those with one affine map that share a facet are one.

Neighbours are found modulo a prime where that is certain and in exact arithmetic elsewhere; that
two regions share a facet is proved in exact arithmetic, or follows from their patterns.
"""

from collections.abc import Iterator, MutableSequence

import numpy as np

from milpcount.limits import tick
from milpcount.partitions.candidates import CandidateFinder
from milpcount.partitions.cells import Cells, Hyperplane
from milpcount.partitions.classes import PatternStore, is_same
from milpcount.partitions.components import Components
from milpcount.partitions.facets import Facets
from milpcount.result import Region
from milpcount.types import Array, Pattern

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
    unlisted : set of int
        Classes of several components of which a neighbour with the same map is a region and not
        among those given; none if those are all that there are. They are looked for only without
        `finder`.
    """

    def __init__(
        self,
        cells: Cells,
        patterns: PatternStore,
        regions: MutableSequence[Region] | None = None,
        finder: CandidateFinder | None = None,
    ) -> None:
        self.cells, self.patterns = cells, patterns
        self._facets = Facets(cells, patterns, regions)
        self._finder = finder
        self.components = Components(len(patterns))
        self.unlisted = set[int]()

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
        free = self._facets.is_certain(found.units)
        for i, j in members[found.pairs[free]].tolist():
            self.components.join(i, j)
        yield
        yield from self._prove(members, found.pairs[~free], found.units[~free])
        yield from self._exactly(members, numbers, patterns, found.unclear)

    def _prove(self, members: Array, pairs: Array, units: Array) -> Iterator[None]:
        """Join pairs of members that differ in a unit, if they share a facet."""
        for at in range(0, len(pairs), _SOME):
            tick()
            some = members[pairs[at : at + _SOME]]
            apart = [not self.components.same(i, j) for i, j in some.tolist()]
            some, of = some[apart], units[at : at + _SOME][apart]
            proved = self._facets.crossed(some, of)
            for i, j in some[proved].tolist():
                self.components.join(i, j)
            for (i, j), unit in zip(some[~proved].tolist(), of[~proved].tolist(), strict=True):
                if not self.components.same(i, j) and self._facets.differ_by(i, j, unit):
                    self.components.join(i, j)
            yield

    def _exactly(
        self, members: Array, numbers: Array, patterns: Array, which: Array
    ) -> Iterator[None]:
        """Join some members to all of their neighbours in their classes, found exactly.

        Of a class that is one component no more is asked, not even whether the list lacks some.
        """
        if not len(which):
            return
        keys = (row.tobytes() for row in self.patterns.pack(patterns))
        places = zip(members.tolist(), numbers.tolist(), strict=True)
        index = dict(zip(keys, places, strict=True))
        ends = np.searchsorted(numbers, np.arange(numbers[-1] + 2))
        for number in np.unique(numbers[which]).tolist():
            own = members[ends[number] : ends[number + 1]].tolist()
            left = len({self.components.find(i) for i in own})
            beyond: list[tuple[Pattern, Pattern, Hyperplane]] = []
            for at in which[numbers[which] == number].tolist():
                if left == 1:
                    break
                before = self.components.count
                beyond += self._cross(tuple(patterns[at].tolist()), int(members[at]), number, index)
                left -= before - self.components.count
                yield
            if self._finder is None and left > 1:
                for pattern, behind, plane in beyond:
                    if self._is_new(pattern, behind, plane):
                        self.unlisted.add(number)
                        break
                    yield

    def _cross(
        self, own: Pattern, i: int, number: int, index: dict[bytes, tuple[int, int]]
    ) -> Iterator[tuple[Pattern, Pattern, Hyperplane]]:
        """Join a region to those behind its hyperplanes, if they are of one class and share them.

        Yields what lies behind and was not given.
        """
        for plane in self.cells.hyperplanes(own):
            tick()
            behind = self.cells.behind(own, plane.row)
            if behind is None:
                continue
            known = index.get(self.patterns.pack(np.array([behind]))[0].tobytes())
            if known is None:
                yield own, behind, plane
                continue
            j, other = known
            if other != number or self.components.same(i, j):
                continue
            if self.cells.share_facet(own, behind, plane.row):
                self.components.join(i, j)

    def _is_new(self, own: Pattern, behind: Pattern, plane: Hyperplane) -> bool:
        """Return whether a region that was not given lies behind a facet and has the same map."""
        exact = self.cells.exact
        if not is_same(exact.affine_map(own), exact.affine_map(behind)):
            return False
        return self.cells.point_between((own,), plane.row) is not None
