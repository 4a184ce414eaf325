"""Where the decision of a classifier changes within activation regions of a union of parts.

A region of the union is all of its inputs with one pattern, in however many parts. Two decisions of
it share a facet in the union if they do in one part, or if a cell of the one in a part and a cell
of the other in another part do: see `milpcount.partitions.union_parts`.
"""

from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from itertools import combinations, islice, product

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.rows import ExactNetwork
from milpcount.limits import tick
from milpcount.network import Network
from milpcount.partitions.cells import Cells
from milpcount.partitions.classes import PatternStore
from milpcount.partitions.facets import Facets
from milpcount.partitions.union_parts import Parts
from milpcount.quantities import Quantity
from milpcount.result import Region

_BATCH = 4096
"""Patterns that are looked at together."""


class PartDecisions:
    """The cells of a classifier's activation regions in the parts of a union.

    Cells are taken part by part (`take`); when all are there, `run` looks for facets.

    Parameters
    ----------
    network : Network
        With its decision, see `milpcount.network.decision.with_decision`.
    hull : InputSet
        A convex set that holds all parts, of the same dimension.
    parts : list of InputSet

    Attributes
    ----------
    cells : dict of bytes to dict
        Of each region, by its packed pattern: for each decision the parts that it is taken in, and
        the numbers there of the cells.
    cut : set of bytes
        The regions that are known to be cut.
    pieces : int
        Lower bound on the pairs of decisions of a region that share a facet; their number, after
        `run`.
    """

    def __init__(self, network: Network, hull: InputSet, parts: Sequence[InputSet]) -> None:
        self.network, self.hull, self.inputs = network, hull, list(parts)
        self._stores = [PatternStore(network) for _ in parts]
        pieces = [int(layer.n_pieces.max()) for layer in network.layers[:-1]]
        self._bits = max(pieces, default=2) <= 2
        self.cells: dict[bytes, dict[int, dict[int, int]]] = {}
        self.cut: set[bytes] = set()
        self._most: dict[bytes, int] = {}
        self._here: dict[bytes, int] = {}
        self._part, self._programs = -1, 0
        self.n_cells, self.pieces = 0, 0
        self._parts: Parts | None = None

    @property
    def programs(self) -> int:
        """Linear programs solved."""
        return self._programs + (0 if self._parts is None else self._parts.programs)

    @property
    def n_regions(self) -> int:
        """Activation regions of the classifier in the union."""
        return len(self.cells)

    def take(self, part: int, patterns: Iterable[Sequence[int]]) -> list[int]:
        """Take cells of a part; return the numbers of those that are in no part before."""
        if part != self._part:
            self._part, self._here = part, {}
        waiting, fresh, store = iter(patterns), list[int](), self._stores[part]
        while batch := list(islice(waiting, _BATCH)):
            tick()
            table = np.array(batch, dtype=np.int64)
            first = len(store)
            store.add(table)
            before, decisions = table[:, :-1], table[:, -1].tolist()
            packed = np.packbits(before > 0, axis=1) if self._bits else before.astype(np.int32)
            for number, (row, decision) in enumerate(zip(packed, decisions, strict=True), first):
                key = row.tobytes()
                found = self.cells.setdefault(key, {}).setdefault(decision, {})
                if not found:
                    self.n_cells += 1
                    fresh.append(number)
                found[part] = number
                # A connected set of k decisions has k - 1 pairs that share facets, or more.
                pairs = self._here[key] = self._here.get(key, -1) + 1
                if pairs:
                    self.cut.add(key)
                if pairs > self._most.get(key, 0):
                    self._most[key] = pairs
                    self.pieces += 1
        return fresh

    def run(
        self, quantity: Quantity, regions: Sequence[MutableSequence[Region] | None]
    ) -> Iterator[None]:
        """Find the pairs of decisions that share a facet; yield now and then.

        Parameters
        ----------
        quantity : Quantity
            Of boundary regions one pair is enough.
        regions : sequence
            For each part the cells that were taken, with their witnesses, if they are there.
        """
        cells = Cells(ExactNetwork(self.network, self.hull))
        self._parts = Parts(cells, self.inputs)
        within = _Within(self, regions)
        every = quantity is Quantity.BOUNDARY_PIECES
        for key, decisions in self.cells.items():
            if len(decisions) < 2 or (not every and key in self.cut):
                continue
            shared = 0
            for a, b in combinations(sorted(decisions), 2):
                tick()
                if within.share(decisions, a, b) or self._across(decisions[a], decisions[b]):
                    shared += 1
                    if not every:
                        break
                self._programs = within.programs
                yield
            if shared:
                self.cut.add(key)
            self.pieces += shared - self._most.get(key, 0)

    def number(self, quantity: Quantity) -> int:
        """Return how many there are of a quantity, as far as is known."""
        return len(self.cut) if quantity is Quantity.BOUNDARY_REGIONS else self.pieces

    def _across(self, one: dict[int, int], other: dict[int, int]) -> bool:
        """Return whether two decisions of a region share a facet of cells in two parts."""
        assert self._parts is not None
        for (i, a), (j, b) in product(one.items(), other.items()):
            if i == j or self._parts.pair(i, j) is None:
                continue
            (here,) = self._stores[i].tuples(np.array([a]))
            (there,) = self._stores[j].tuples(np.array([b]))
            if self._parts.share_facet(here, i, there, j):
                return True
        return False


class _Within:
    """Whether two decisions of a region share a facet in one part."""

    def __init__(
        self, of: PartDecisions, regions: Sequence[MutableSequence[Region] | None]
    ) -> None:
        self._of, self._regions = of, regions
        self._facets: dict[int, Facets] = {}
        self._unit = of.network.n_units - 1

    @property
    def programs(self) -> int:
        """Linear programs solved."""
        return sum(facets.cells.programs for facets in self._facets.values())

    def share(self, decisions: dict[int, dict[int, int]], a: int, b: int) -> bool:
        """Return whether two decisions share a facet in some part."""
        both = decisions[a].keys() & decisions[b].keys()
        # The closures of two cells are all of the region there if it has no others.
        if any(sum(part in at for at in decisions.values()) == 2 for part in both):
            return True
        for part in both:
            here, there = decisions[a][part], decisions[b][part]
            pair = np.array([[here, there]])
            facets = self._of_part(part)
            if facets.crossed(pair, np.array([self._unit])).all():
                return True
            if facets.differ_by(here, there, self._unit):
                return True
        return False

    def _of_part(self, part: int) -> Facets:
        if part not in self._facets:
            exact = ExactNetwork(self._of.network, self._of.inputs[part])
            self._facets[part] = Facets(Cells(exact), self._of._stores[part], self._regions[part])
        return self._facets[part]
