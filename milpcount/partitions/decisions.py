"""Where the decision of a classifier changes within activation regions.

Regions of `milpcount.network.decision.with_decision` are *cells*: a region of the classifier, and
the output that is the largest on this part of it. On a region all outputs are affine, so its cells
are convex, and their closures cover it. A region with several cells is cut by the decision
boundary. Two cells share a facet if there are no others; of three or more that is looked into.
"""

from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from itertools import combinations, islice
from typing import Protocol

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.inputs import ExactInputs
from milpcount.exact.rows import ExactNetwork
from milpcount.limits import tick
from milpcount.network import Network
from milpcount.network.decision import with_decision
from milpcount.partitions.cells import Cells
from milpcount.partitions.classes import PatternStore
from milpcount.partitions.facets import Facets
from milpcount.quantities import DECIDED, Quantity
from milpcount.result import Region

_BATCH = 4096
"""Patterns that are looked at together."""
_SOME = 512
"""Pairs of cells whose points are read at a time."""


def subject_of(network: Network, quantity: Quantity) -> Network:
    """Return the network whose activation regions a quantity is obtained from."""
    return with_decision(network) if quantity in DECIDED else network


class Adjacent(Protocol):
    """Tells whether two decisions share a facet in a region; see `milpcount.tree.output_order`."""

    programs: int

    def share_facet(self, region: Sequence[int], a: int, b: int, others: Sequence[int]) -> bool:
        """Return whether decisions a and b share a facet, given all others that are taken."""


class Decisions:
    """The cells of a classifier's activation regions, region by region.

    Cells are taken as they come (`take`); when all are there, `run` looks for facets.

    Parameters
    ----------
    network : Network
        With its decision, see `with_decision`.

    Attributes
    ----------
    n_cells : int
    cut : dict of bytes to list of int
        The cells of each region that has several, by the region's packed pattern.
    pieces : int
        Lower bound on the facets between cells: as a region is connected, those of k cells have k -
        1 at least. Their number, after `run`.
    programs : int
        Linear programs solved.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.patterns = PatternStore(network)
        self.n_cells, self.pieces, self.programs = 0, 0, 0
        pieces = [int(layer.n_pieces.max()) for layer in network.layers[:-1]]
        self._bits = max(pieces, default=2) <= 2
        self._first: dict[bytes, int] = {}
        self.cut: dict[bytes, list[int]] = {}

    @property
    def n_regions(self) -> int:
        """Activation regions of the classifier."""
        return len(self._first)

    def take(self, patterns: Iterable[Sequence[int]]) -> list[int]:
        """Take cells, given by their patterns; return those of regions that are known to be cut.

        A region may become known by its second cell: the first one is then returned with it.
        """
        waiting, found = iter(patterns), list[int]()
        while batch := list(islice(waiting, _BATCH)):
            tick()
            table = np.array(batch, dtype=np.int64)
            self.patterns.add(table)
            before = table[:, :-1]  # of a network without other units it has no columns
            packed = np.packbits(before > 0, axis=1) if self._bits else before.astype(np.int32)
            for row in packed:
                key = row.tobytes()
                index, self.n_cells = self.n_cells, self.n_cells + 1
                first = self._first.setdefault(key, index)
                if first == index:
                    continue
                self.pieces += 1
                if key in self.cut:
                    self.cut[key].append(index)
                    found.append(index)
                else:
                    self.cut[key] = [first, index]
                    found += [first, index]
        return found

    def run(
        self,
        inputs: InputSet | ExactInputs,
        regions: MutableSequence[Region] | None = None,
        orders: Callable[[list[int]], Adjacent | None] | None = None,
    ) -> Iterator[None]:
        """Find the pairs of cells that share a facet; yield now and then.

        Parameters
        ----------
        inputs : InputSet
        regions : sequence of Region, optional
            All cells that were taken, with their witnesses.
        orders : callable, optional
            Takes the decisions that will be asked about, and returns what tells whether two of them
            share a facet in a region, or None if it cannot; linear programs do without it.
        """
        several = [cells for cells in self.cut.values() if len(cells) > 2]
        if not several:
            return
        cells = Cells(ExactNetwork(self.network, inputs))
        facets = Facets(cells, self.patterns, regions)
        decided = [self._decided(members) for members in several]
        every = sorted({decision for own in decided for decision in own})
        adjacent = None if orders is None else orders(every)
        for group in _in_groups(several, decided):
            pairs = [pair for members, _ in group for pair in combinations(members, 2)]
            others = [own for members, own in group for _ in combinations(members, 2)]
            unit = self.network.n_units - 1
            proved = facets.crossed(np.array(pairs), np.full(len(pairs), unit))
            # Of k cells k - 1 facets were known, whichever they are.
            more = int(proved.sum()) - sum(len(members) - 1 for members, _ in group)
            for k in np.flatnonzero(~proved).tolist():
                tick()
                i, j = pairs[k]
                if adjacent is None:
                    more += facets.differ_by(i, j, unit)
                else:
                    (*region, a), (*_, b) = self.patterns.tuples(np.array([i, j]))
                    rest = [c for c in others[k] if c not in (a, b)]
                    more += adjacent.share_facet(region, a, b, rest)
                self.programs = cells.programs + (0 if adjacent is None else adjacent.programs)
                yield
            self.pieces += more

    def _decided(self, cells: list[int]) -> list[int]:
        """Return the decisions of cells."""
        return [pattern[-1] for pattern in self.patterns.tuples(np.array(cells))]

    def number(self, quantity: Quantity) -> int:
        """Return how many there are of a quantity, as far as is known."""
        return len(self.cut) if quantity is Quantity.BOUNDARY_REGIONS else self.pieces


def _in_groups(
    several: Sequence[list[int]], decided: Sequence[list[int]]
) -> Iterator[list[tuple[list[int], list[int]]]]:
    """Yield regions together that have some hundreds of pairs of cells."""
    group, size = list[tuple[list[int], list[int]]](), 0
    for members, own in zip(several, decided, strict=True):
        group.append((members, own))
        size += len(members) * (len(members) - 1) // 2
        if size >= _SOME:
            yield group
            group, size = [], 0
    if group:
        yield group
