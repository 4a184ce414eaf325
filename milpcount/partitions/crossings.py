"""Facets that two regions share, proved in float64 for many pairs at once.

Two regions differ in one unit, and by one row of it, which is alone in the first region: no other
row vanishes with it. On the segment between a point of each the row is zero once, at

    z = (b p + a q) / (a + b),    a = row(p) > 0,    b = -row(q) > 0,

and every other row r of the first region, an affine function, has the value (b r(p) + a r(q)) /
(a + b) there. If all of these are positive beyond their errors, z lies inside of the facet. (z may
lie on the domain's boundary: as the domain's interior reaches both sides of the hyperplane, there
are points inside of the domain and of the facet next to it.)
"""

import numpy as np

from milpcount.network import Network
from milpcount.partitions.certified_signs import CertainRows
from milpcount.preactivation.rounding import UNDERFLOW
from milpcount.types import Array

_LESS, _MORE = 1.0 - 1e-14, 1.0 + 1e-14
"""What a few roundings lose and win at most."""


class Crossings:
    """Proves that pairs of regions share facets.

    Parameters
    ----------
    network : Network
    """

    def __init__(self, network: Network) -> None:
        self._rows = CertainRows(network)
        layers = network.layers
        self._tables = [layer.table for layer in layers]
        self._widths = network.widths
        units, first = [], 0
        for table, width in zip(self._tables, network.widths, strict=True):
            units.append(table.row_unit + first)
            first += width
        self._row_unit = np.concatenate(units)

    def proved(
        self, patterns: Array, units: Array, behind: Array, inside: Array, beyond: Array
    ) -> Array:
        """Return for which pairs the segment between two points proves a common facet, shape (k,).

        Parameters
        ----------
        patterns : ndarray of int, shape (k, units)
            Of the first regions.
        units : ndarray of int, shape (k,)
            The unit in which the second ones differ.
        behind : ndarray of int, shape (k,)
            The pieces of these units in the second ones.
        inside, beyond : ndarray, shape (k, n_inputs)
            Points of the first and the second regions.
        """
        asks = self._asked(patterns)
        here, _ = self._rows.at(inside, patterns)
        there, _ = self._rows.at(beyond, patterns)
        with np.errstate(all="ignore"):
            near, far = here.values * asks, there.values * asks
            crossed = self._crossed(patterns, units, behind)
            rows = np.arange(len(patterns))
            a, b = near[rows, crossed], -far[rows, crossed]
            ea, eb = here.errors[rows, crossed], there.errors[rows, crossed]
            certain = (a > ea) & (b > eb)
            low_near, low_far = near - here.errors, far - there.errors
            gain = (b - eb)[:, None] * low_near * _LESS
            factor = np.where(low_far < 0, (a + ea)[:, None], (a - ea)[:, None])
            # The first term is not negative where the row is certainly positive at the first point.
            positive = (low_near > 0) & (gain + factor * low_far * _MORE > UNDERFLOW)
            positive |= (asks == 0) | (np.arange(asks.shape[1]) == crossed[:, None])
        finite = np.isfinite(near) & np.isfinite(far)
        finite &= np.isfinite(here.errors) & np.isfinite(there.errors)
        return np.asarray(certain & positive.all(axis=1) & finite.all(axis=1))

    def _asked(self, patterns: Array) -> Array:
        found, start = [], 0
        for table, width in zip(self._tables, self._widths, strict=True):
            kinds = table.kind + patterns[:, start : start + width].astype(np.int64)
            found.append(table.asks[kinds[:, table.row_unit], table.row_place])
            start += width
        return np.concatenate(found, axis=1).astype(np.float64)

    def _crossed(self, patterns: Array, units: Array, behind: Array) -> Array:
        """Return the row that both pieces of each unit read, with opposite signs."""
        other = patterns.copy()
        rows = np.arange(len(patterns))
        other[rows, units] = behind
        opposite = self._asked(patterns) * self._asked(other) < 0
        own = self._row_unit == units[:, None]
        return np.asarray(np.argmax(opposite & own, axis=1))
