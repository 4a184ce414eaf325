"""What depends on what, given the pieces of all units; no arithmetic is needed to see it.

Behind a unit on a constant piece (an inactive ReLU) nothing of what it reads matters. Regions where
the last layer is inactive all have one constant map, and rows behind a layer that is inactive are
constant.
"""

from typing import Any

import numpy as np

from milpcount.limits import tick
from milpcount.network import Network
from milpcount.types import Array

_BATCH = 1 << 14
"""Patterns at a time, for the sake of memory."""


class Relevance:
    """Finds what the output depends on, and what depends on the input.

    Parameters
    ----------
    network : Network
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        most = max((int(layer.n_pieces.max()) for layer in network.layers), default=1)
        self._fits = most < 1 << 15
        # One more, at the end, for pieces that do not matter: they are number -1.
        random = np.random.default_rng(0)
        self._keys = random.integers(0, 1 << 63, size=(network.n_units, most + 1), dtype=np.uint64)
        # A number of a composite map's nearest matrix is zero exactly where the map's own is.
        self._reads: list[Any] = [
            (affine.matrix != 0).astype(np.float64) for affine in network.maps
        ]

    def kinds(self, patterns: Array) -> Array:
        """Return a number for each pattern, equal where the map depends on the same pieces.

        Parameters
        ----------
        patterns : ndarray of int, shape (k, units)

        Returns
        -------
        ndarray of int, shape (k,)
        """
        masked = np.empty(patterns.shape, dtype=np.int16 if self._fits else np.int32)
        hashes = np.zeros(len(patterns), dtype=np.uint64)
        for at in range(0, len(patterns), _BATCH):
            tick()
            some = patterns[at : at + _BATCH].astype(np.int32)
            masked[at : at + _BATCH] = np.where(self._relevant(some), some, -1)
            for unit in range(patterns.shape[1]):
                hashes[at : at + _BATCH] ^= self._keys[unit, masked[at : at + _BATCH, unit]]
        order = np.argsort(hashes, kind="stable")
        new = np.diff(hashes[order], prepend=hashes[order[:1]] + np.uint64(1)) != 0
        numbers = np.cumsum(new) - 1
        alike = masked[order] == masked[order[new][numbers]]
        if not alike.all():  # two of them have one hash
            return np.asarray(np.unique(masked, axis=0, return_inverse=True)[1]).reshape(-1)
        kinds = np.empty(len(order), dtype=np.int64)
        kinds[order] = numbers
        return kinds

    def moving_rows(self, patterns: Array) -> Array:
        """Return which branch rows may depend on the input; others are constant on the region.

        Parameters
        ----------
        patterns : ndarray of int, shape (k, units)

        Returns
        -------
        ndarray of bool, shape (k, rows)
        """
        network, k = self.network, len(patterns)
        moving = [np.ones((k, network.n_inputs), dtype=bool)]
        found, start = [], 0
        for number, layer in enumerate(network.layers):
            reads, table = self._reads[number], layer.table
            values = np.zeros((k, layer.affine.n_out), dtype=bool)
            for source in network.sources[number]:
                given = moving[source.number]
                given = given if source.local is None else given[:, source.local]
                part = reads[:, source.columns]
                values |= np.asarray((part @ given.T.astype(np.float64)).T > 0)
            second = values[:, table.second] & (table.second >= 0)
            found.append(values[:, table.first] | second)
            kinds = table.kind + patterns[:, start : start + layer.width]
            chosen = np.take_along_axis(values, table.start + table.value[kinds], axis=1)
            moving.append(chosen & (table.slope[kinds] != 0))
            start += layer.width
        return np.concatenate(found, axis=1)

    def _relevant(self, patterns: Array) -> Array:
        """Return which units' pieces matter, shape (k, units)."""
        network, k = self.network, len(patterns)
        starts = [0, *np.cumsum(network.widths).tolist()]
        reached = [np.zeros((k, width), dtype=bool) for width in network.widths]
        if network.output is None:
            reached[-1][:] = True
        for number in reversed(range(len(network.maps))):
            outputs = np.ones((k, network.maps[number].n_out), dtype=bool)
            if number < len(network.layers):
                layer = network.layers[number]
                table = layer.table
                kinds = table.kind + patterns[:, starts[number] : starts[number + 1]]
                alive = reached[number] & (table.slope[kinds] != 0)
                outputs = np.zeros_like(outputs)
                np.put_along_axis(outputs, table.start + table.value[kinds], alive, axis=1)
            read = np.asarray((outputs @ self._reads[number]) > 0)
            for source in network.sources[number]:
                if source.number:
                    which = slice(None) if source.local is None else source.local
                    reached[source.number - 1][:, which] |= read[:, source.columns]
        return np.concatenate(reached, axis=1)
