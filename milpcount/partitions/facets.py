"""Whether two regions that differ in one unit share a facet."""

from collections.abc import MutableSequence

import numpy as np

from milpcount.partitions.cells import Cells
from milpcount.partitions.classes import PatternStore
from milpcount.partitions.crossings import Crossings
from milpcount.result import Region, taken
from milpcount.types import Array


class Facets:
    """Proves that pairs of regions share facets: in float64 where that does, or exactly.

    Parameters
    ----------
    cells : Cells
    patterns : PatternStore
        Of all regions; a region is its index.
    regions : sequence of Region, optional
        The same with their witnesses, which save linear programs.
    """

    def __init__(
        self,
        cells: Cells,
        patterns: PatternStore,
        regions: MutableSequence[Region] | None = None,
    ) -> None:
        self.cells, self.patterns, self._regions = cells, patterns, regions
        self._crossings = Crossings(cells.exact.network)
        last, start = cells.exact.network.layers[-1], cells.exact.starts[-2]
        ranks = [kind.rank == 1 for kind in last.units]
        self._cut_in_two = np.concatenate([np.zeros(start, dtype=bool), ranks])

    def is_certain(self, units: Array) -> Array:
        """Return for which units two regions that differ in nothing else share a facet, shape (k,).

        Nothing else depends on a unit of the last layer, so what the regions agree in is a convex
        set that the unit's breakpoint cuts in two. A maximum cuts in many.
        """
        return np.asarray(self._cut_in_two[units])

    def crossed(self, pairs: Array, units: Array) -> Array:
        """Return for which pairs a segment between their witnesses proves a common facet."""
        found = np.zeros(len(pairs), dtype=bool)
        if self._regions is None or not len(pairs):
            return found
        wanted = np.unique(pairs)
        points = np.full((len(wanted), self.cells.exact.network.n_inputs), np.nan)
        for k, region in enumerate(taken(self._regions, wanted.tolist())):
            if region.parameters is None and region.witness.dtype != object:
                points[k] = region.witness
        at = np.searchsorted(wanted, pairs)
        usable = np.isfinite(points[at]).all(axis=(1, 2))
        one, other = pairs[usable].T
        behind = self.patterns.take(other)[np.arange(len(other)), units[usable]]
        inside, beyond = points[at[usable, 0]], points[at[usable, 1]]
        patterns = self.patterns.take(one)
        found[usable] = self._crossings.proved(patterns, units[usable], behind, inside, beyond)
        return found

    def differ_by(self, i: int, j: int, unit: int) -> bool:
        """Return whether two regions share a facet on the row of the unit that tells them apart."""
        one, other = self.patterns.tuples(np.array([i, j]))
        behind = {plane.row for plane in self.cells.hyperplanes(other)}
        return any(
            unit in plane.units
            and tuple(-v for v in plane.row) in behind
            and self.cells.share_facet(one, other, plane.row)
            for plane in self.cells.hyperplanes(one)
        )
