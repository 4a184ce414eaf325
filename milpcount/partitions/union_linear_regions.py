"""Linear regions and closed linear regions of a union of parts, which need not be convex.

A *cell* is an activation region within one part. Two cells of one affine map are in one linear
region if they overlap or share a facet, whatever parts they are in, and in one closed linear region
if their closures have a point in common. (In the interior of the union, without what is of
codimension two, a path goes from cell to cell through overlaps and facets.) So a region that occurs
in parts that are apart is in several linear regions.
"""

from collections.abc import Iterator, MutableSequence, Sequence
from itertools import combinations, islice, product

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.rows import ExactNetwork
from milpcount.limits import tick
from milpcount.network import Network
from milpcount.partitions.candidates import CandidateFinder
from milpcount.partitions.cells import Cells
from milpcount.partitions.classes import MapClasses, PatternStore
from milpcount.partitions.closed_linear_regions import Touching
from milpcount.partitions.components import Components
from milpcount.partitions.counting import check_continuous
from milpcount.partitions.linear_regions import Merging
from milpcount.partitions.union_parts import Parts
from milpcount.quantities import Quantity
from milpcount.result import Region, taken
from milpcount.types import Array, Pattern

_BATCH = 4096
"""Patterns that are looked at together."""


class PartClasses:
    """Cells of a union joined to linear regions or closed linear regions.

    Cells are taken part by part (`take`); when all are there, `run` joins them.

    Parameters
    ----------
    network : Network
    hull : InputSet
        A convex set that holds all parts, of the same dimension.
    parts : list of InputSet
    quantity : Quantity
        Linear regions or closed linear regions.

    Attributes
    ----------
    maps : MapClasses
        Of the activation regions of the union: each is there once.
    places : list of list of tuple of int
        For each of them the parts that it has a cell in, and the numbers of the cells.
    n_cells : int
    lower : int
        Proved lower bound on the quantity.
    upper : int or None
        Proved upper bound, provided that all cells were given; None before `run`.
    known : dict of str to int
        The exact numbers of quantities that were found on the way, by their names.
    """

    def __init__(
        self, network: Network, hull: InputSet, parts: Sequence[InputSet], quantity: Quantity
    ) -> None:
        check_continuous(network)
        self.network, self.hull, self.inputs, self.quantity = network, hull, list(parts), quantity
        self.maps = MapClasses(network, hull)
        self.places: list[list[tuple[int, int]]] = []
        self.lower, self.n_cells = 0, 0
        self.upper: int | None = None
        self.known: dict[str, int] = {}
        self._index: dict[bytes, int] = {}
        self._cells = [list[int]() for _ in parts]
        self._regions_of = [list[int]() for _ in parts]
        self._programs = 0
        self._parts: Parts | None = None

    @property
    def programs(self) -> int:
        """Linear programs solved."""
        return self._programs + (0 if self._parts is None else self._parts.programs)

    def take(self, part: int, patterns: Iterator[Pattern]) -> list[int]:
        """Take cells of a part; return the numbers, in it, of regions that had not come before."""
        waiting, fresh = iter(patterns), list[int]()
        while batch := list(islice(waiting, _BATCH)):
            tick()
            table = np.array(batch, dtype=np.int64)
            new = list[Pattern]()
            for pattern, row in zip(batch, self.maps.patterns.pack(table), strict=True):
                region = self._index.setdefault(row.tobytes(), len(self._index))
                if region == len(self.places):
                    self.places.append([])
                    new.append(pattern)
                    fresh.append(len(self._cells[part]))
                self.places[region].append((part, self.n_cells))
                self._cells[part].append(self.n_cells)
                self._regions_of[part].append(region)
                self.n_cells += 1
            self.maps.add(new)
        self.lower = self.maps.lower
        return fresh

    def run(self, regions: Sequence[MutableSequence[Region] | None]) -> Iterator[None]:
        """Join the cells; yield now and then, with bounds that hold if all were given.

        Parameters
        ----------
        regions : sequence
            For each part the regions that were given, with their witnesses, if they are there.
        """
        self.upper = self.n_cells
        self.known = {Quantity.ACTIVATION_REGIONS.value: len(self.places)}
        cells = Cells(ExactNetwork(self.network, self.hull))
        classes = list[Array]()
        for members in self.maps.exactly(cells.exact, self.maps.shared()):
            classes.append(members)
            yield
        self.lower = len(self.places) - sum(len(members) - 1 for members in classes)
        self.known[Quantity.AFFINE_PIECES.value] = self.lower
        finder = CandidateFinder(self.network, self.hull) if self.network.n_units else None
        yield from self.join(cells, classes, regions, finder)

    def join(
        self,
        cells: Cells,
        classes: list[Array],
        regions: Sequence[MutableSequence[Region] | None],
        finder: CandidateFinder | None,
    ) -> Iterator[None]:
        """Join the cells, given the regions of the same map, two or more each.

        Parameters
        ----------
        cells : Cells
            Of the network on the set that holds all parts.
        classes : list of ndarray of int
        regions : sequence
            As in `run`.
        finder : CandidateFinder, optional
            Without it all neighbours are found in exact arithmetic.
        """
        components, parts = Components(self.n_cells), Parts(cells, self.inputs)
        self._parts = parts
        for _ in self._join_all(components, parts, classes, regions, finder):
            self.upper = components.count
            yield
        if self.quantity is Quantity.CLOSED_LINEAR_REGIONS:
            self.known[Quantity.LINEAR_REGIONS.value] = components.count
            for _ in self._touching(components, parts, classes):
                self.upper = components.count
                yield
        self.lower = self.upper = components.count
        self.known[self.quantity.value] = components.count

    def _join_all(
        self,
        components: Components,
        parts: Parts,
        classes: list[Array],
        regions: Sequence[MutableSequence[Region] | None],
        finder: CandidateFinder | None,
    ) -> Iterator[None]:
        number_of = np.full(len(self.places), -1)
        for number, members in enumerate(classes):
            number_of[members] = number
        for part in range(len(parts)):
            yield from self._within(components, part, number_of, regions[part], finder is not None)
        yield from self._same_region(components, parts, regions)
        for one, other in self._pairs(parts.cells, classes, number_of, finder):
            here, there = self._tuples([one, other])
            for (i, a), (j, b) in product(self.places[one], self.places[other]):
                if i != j and not components.same(a, b) and parts.share_facet(here, i, there, j):
                    components.join(a, b)
            yield

    def _within(
        self,
        components: Components,
        part: int,
        number_of: Array,
        regions: MutableSequence[Region] | None,
        is_fast: bool,
    ) -> Iterator[None]:
        """Join the cells of one part."""
        own, cells = np.array(self._regions_of[part], dtype=np.int64), self._cells[part]
        numbers = number_of[own]
        order = np.argsort(numbers, kind="stable")
        order = order[numbers[order] >= 0]
        cuts = np.flatnonzero(np.diff(numbers[order])) + 1
        classes = [one for one in np.split(order, cuts) if len(one) > 1]
        if not classes:
            return
        store, inputs = PatternStore(self.network), self.inputs[part]
        store.add(self.maps.patterns.take(own))
        finder = CandidateFinder(self.network, inputs) if is_fast else None
        exact, before = Cells(ExactNetwork(self.network, inputs)), self._programs
        merging = Merging(exact, store, regions, finder)
        for _ in merging.run(classes):
            self._programs = before + exact.programs
            yield
        for at, first in enumerate(merging.components.labels().tolist()):
            components.join(cells[at], cells[first])

    def _same_region(
        self,
        components: Components,
        parts: Parts,
        regions: Sequence[MutableSequence[Region] | None],
    ) -> Iterator[None]:
        """Join the cells that a region has in several parts."""
        near = [set(parts.near(i)) for i in range(len(parts))]
        for a, b in self._witnessed(parts, near, regions):
            components.join(a, b)
        yield
        for region, places in enumerate(self.places):
            if len(places) < 2:
                continue
            (pattern,) = self._tuples([region])
            for (i, a), (j, b) in combinations(places, 2):
                tick()
                if j not in near[i] or components.same(a, b):
                    continue
                if parts.are_one(pattern, i, j):
                    components.join(a, b)
                yield

    def _witnessed(
        self,
        parts: Parts,
        near: list[set[int]],
        regions: Sequence[MutableSequence[Region] | None],
    ) -> Iterator[tuple[int, int]]:
        """Yield cells of one region of which one holds the known point of the other."""
        space = parts.cells.exact.inputs
        if not space.takes_floats:
            return
        for i, own in enumerate(regions):
            others = [j for j in near[i] if j != i]
            if own is None or not others or not self._cells[i]:
                continue
            tick()
            points = np.full((len(self._cells[i]), space.dimension), np.nan)
            for k, region in enumerate(taken(own, range(len(points)))):
                if region.parameters is None and region.witness.dtype != object:
                    points[k] = region.witness[space.selected]
            for j in others:
                for k in np.flatnonzero(parts.holds(j, points)).tolist():
                    for part, cell in self.places[self._regions_of[i][k]]:
                        if part == j:
                            yield self._cells[i][k], cell

    def _pairs(
        self,
        cells: Cells,
        classes: list[Array],
        number_of: Array,
        finder: CandidateFinder | None,
    ) -> Iterator[tuple[int, int]]:
        """Yield all pairs of regions of one map that may share a facet, in the whole space."""
        if not classes:
            return
        members = np.concatenate(classes)
        patterns, unclear = self.maps.patterns.take(members), np.arange(len(members))
        if finder is not None:
            found = finder.find(patterns, number_of[members])
            unclear = found.unclear
            yield from members[found.pairs].tolist()
        for at in unclear.tolist():
            (own,) = self._tuples([int(members[at])])
            for plane in cells.hyperplanes(own):
                tick()
                behind = cells.behind(own, plane.row)
                if behind is None:
                    continue
                key = self.maps.patterns.pack(np.array([behind]))[0].tobytes()
                other = self._index.get(key)
                if other is not None and number_of[other] == number_of[members[at]]:
                    yield int(members[at]), other

    def _touching(
        self, components: Components, parts: Parts, classes: list[Array]
    ) -> Iterator[None]:
        """Join the cells of one map whose closures meet."""
        listed = {i for members in classes for i in members.tolist()}
        alone = [[i] for i, at in enumerate(self.places) if len(at) > 1 and i not in listed]
        near = [parts.near(i) for i in range(len(parts))]
        for members in [*(one.tolist() for one in classes), *alone]:
            by_part: dict[int, tuple[list[int], list[int]]] = {}
            for region in members:
                for part, cell in self.places[region]:
                    some, regions = by_part.setdefault(part, ([], []))
                    some.append(cell)
                    regions.append(region)
            for i, (one, here) in sorted(by_part.items()):
                for j in near[i]:
                    if j < i or j not in by_part:
                        continue
                    other, there = by_part[j]
                    touching = Touching(parts.between(i, j), components)
                    own = self.maps.patterns.take(np.array(here))
                    if i == j:
                        yield from touching.run(np.array(one), own)
                    else:
                        far = self.maps.patterns.take(np.array(there))
                        yield from touching.between(np.array(one), own, np.array(other), far)

    def _tuples(self, regions: list[int]) -> list[Pattern]:
        return self.maps.patterns.tuples(np.array(regions))
