"""Where the decision of a classifier changes within activation regions.

Regions of `milpcount.network.decision.with_decision` are *cells*: a region of the classifier, and
the output that is the largest on this part of it. On a region all outputs are affine, so its cells
are convex, and their closures cover it. A region with several cells is cut by the decision
boundary. Two cells share a facet if there are no others; of three or more that is looked into.
"""

from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from itertools import combinations, islice

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
from milpcount.result import DECIDED, Quantity, Region

Array = np.ndarray

_BATCH = 4096
"""Patterns that are looked at together."""
_SOME = 512
"""Pairs of cells whose points are read at a time."""


def subject_of(network: Network, quantity: Quantity) -> Network:
    """Return the network whose activation regions a quantity is obtained from."""
    return with_decision(network) if quantity in DECIDED else network


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
    ) -> Iterator[None]:
        """Find the pairs of cells that share a facet; yield now and then.

        Parameters
        ----------
        inputs : InputSet
        regions : sequence of Region, optional
            All cells that were taken, with their witnesses.
        """
        several = [cells for cells in self.cut.values() if len(cells) > 2]
        if not several:
            return
        cells = Cells(ExactNetwork(self.network, inputs))
        facets = Facets(cells, self.patterns, regions)
        pairs = np.array([pair for members in several for pair in combinations(members, 2)])
        # Of k cells k - 1 facets were known, whichever they are.
        known = sum(len(members) - 1 for members in several)
        unit, shared = self.network.n_units - 1, 0
        for at in range(0, len(pairs), _SOME):
            tick()
            some = pairs[at : at + _SOME]
            proved = facets.crossed(some, np.full(len(some), unit))
            shared += int(proved.sum())
            shared += sum(facets.differ_by(i, j, unit) for i, j in some[~proved].tolist())
            self.programs = cells.programs
            yield
        self.pieces += shared - known

    def number(self, quantity: Quantity) -> int:
        """Return how many there are of a quantity, as far as is known."""
        return len(self.cut) if quantity is Quantity.BOUNDARY_REGIONS else self.pieces
