"""The graph of regions: which ones share a facet, and the units that change there."""

from collections.abc import Callable, MutableSequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from milpcount.limits import tick
from milpcount.partitions.candidates import CandidateFinder
from milpcount.partitions.cells import Cells
from milpcount.partitions.classes import PatternStore
from milpcount.partitions.facets import Facets
from milpcount.result import Region
from milpcount.types import Array

_SOME = 4096


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Pairs of regions that share a facet.

    Attributes
    ----------
    n_regions : int
    pairs : ndarray of int, shape (k, 2)
        Each pair once, lower index first, in order.
    units : ndarray of int, shape (k,)
        The first unit whose piece differs.
    """

    n_regions: int
    pairs: Array
    units: Array

    @property
    def graph(self) -> Any:
        """The symmetric matrix of the graph, a boolean `scipy.sparse.csr_array`."""
        i, j = self.pairs.T
        both = (np.concatenate([i, j]), np.concatenate([j, i]))
        shape = (self.n_regions, self.n_regions)
        return sparse.csr_array((np.ones(2 * len(i), dtype=bool), both), shape=shape)

    @property
    def degrees(self) -> Array:
        """Number of neighbours of each region, shape (n_regions,)."""
        return np.bincount(self.pairs.ravel(), minlength=self.n_regions)


def neighbours(
    cells: Cells,
    patterns: PatternStore,
    regions: MutableSequence[Region] | None,
    finder: CandidateFinder,
    wanted: Callable[[Array], Array] | None = None,
) -> Neighbours:
    """Return which regions of a partition share facets.

    Parameters
    ----------
    cells : Cells
    patterns : PatternStore
        Of all regions there are.
    regions : sequence of Region, optional
        With witnesses.
    finder : CandidateFinder
    wanted : callable, optional
        Takes pairs, shape (k, 2), and returns which of them are asked for; all by default.
    """
    count = len(patterns)
    every = patterns.take(np.arange(count))
    facets, found = Facets(cells, patterns, regions), set[tuple[int, int]]()
    candidates = finder.find(every, np.zeros(count, dtype=np.int64))
    pairs, units = candidates.pairs, candidates.units
    if wanted is not None:
        asked = wanted(pairs)
        pairs, units = pairs[asked], units[asked]
    free = facets.is_certain(units)
    found.update(map(tuple, pairs[free].tolist()))
    pairs, units = pairs[~free], units[~free]
    for at in range(0, len(pairs), _SOME):
        tick()
        some, of = pairs[at : at + _SOME], units[at : at + _SOME]
        proved = facets.crossed(some, of)
        found.update(map(tuple, some[proved].tolist()))
        for (i, j), unit in zip(some[~proved].tolist(), of[~proved].tolist(), strict=True):
            if facets.differ_by(i, j, unit):
                found.add((i, j))
    if len(candidates.unclear):
        index = {pattern: i for i, pattern in enumerate(map(tuple, every.tolist()))}
        for i in candidates.unclear.tolist():
            own = tuple(every[i].tolist())
            for plane in cells.hyperplanes(own):
                behind = cells.behind(own, plane.row)
                j = None if behind is None else index.get(behind)
                if j is None or (min(i, j), max(i, j)) in found:
                    continue
                if wanted is not None and not wanted(np.array([[i, j]]))[0]:
                    continue
                assert behind is not None
                if cells.share_facet(own, behind, plane.row):
                    found.add((min(i, j), max(i, j)))
    ordered = np.array(sorted(found), dtype=np.int64).reshape(-1, 2)
    differ = every[ordered[:, 0]] != every[ordered[:, 1]]
    return Neighbours(count, ordered, np.argmax(differ, axis=1) if len(ordered) else ordered[:, 0])
