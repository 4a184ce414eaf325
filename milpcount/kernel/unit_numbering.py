"""Which units of a network a search decides, by the numbers they have there and in the network."""

from collections.abc import Mapping, Sequence

import numpy as np

from milpcount.network import Network
from milpcount.types import Array

LIVE = -1
"""In place of a piece: the search decides it."""


class Numbering:
    """The units that a search decides; all others have one piece on the whole domain.

    Parameters
    ----------
    network : Network
    settled : ndarray of int, shape (units,), optional
        The piece of each unit, or `LIVE`. By default every unit is decided.

    Attributes
    ----------
    settled : ndarray or None
    live : tuple of ndarray
        For each layer, the places in it of the units that are decided.
    values, rows : tuple of ndarray
        For each layer, the places in it of these units' values and branch rows, in their order.
    """

    def __init__(self, network: Network, settled: Array | None = None) -> None:
        self.settled = settled
        starts = [0, *np.cumsum(network.widths).tolist()]
        self._starts = np.array(starts)
        live, values, rows = [], [], []
        for number, layer in enumerate(network.layers):
            if settled is None:
                live.append(np.arange(layer.width))
                values.append(np.arange(layer.affine.n_out))
                rows.append(np.arange(int(layer.row_starts[-1])))
            else:
                own = np.flatnonzero(settled[starts[number] : starts[number + 1]] == LIVE)
                live.append(own)
                values.append(ranges(layer.value_starts, own))
                rows.append(ranges(layer.row_starts, own))
        self.live, self.values, self.rows = tuple(live), tuple(values), tuple(rows)
        self._units = np.array([], dtype=np.int64)
        self._own: dict[int, int] = {}
        if settled is not None:
            self._units = np.flatnonzero(settled == LIVE)
            self._own = {unit: own for own, unit in enumerate(self._units.tolist())}

    def first_unit(self, layer: int) -> int:
        """Return the network's number of a layer's first unit."""
        return int(self._starts[layer])

    def width(self, layer: int) -> int:
        """Return how many units a layer of the network has."""
        return int(self._starts[layer + 1] - self._starts[layer])

    def to_network(self, own: int) -> int:
        """Return the network's number of a unit that is decided."""
        return own if self.settled is None else int(self._units[own])

    def own(self, unit: int) -> int | None:
        """Return the search's number of a unit of the network, None if it is settled."""
        return unit if self.settled is None else self._own.get(unit)

    def has(self, unit: int, piece: int) -> bool:
        """Return whether a unit is settled on a piece."""
        return self.settled is not None and bool(self.settled[unit] == piece)

    def own_pieces(self, pieces: Mapping[int, int]) -> dict[int, int] | None:
        """Return pieces by the search's numbers; None if a settled unit has another one."""
        if self.settled is None:
            return dict(pieces)
        found: dict[int, int] = {}
        for unit, piece in pieces.items():
            own = self._own.get(unit)
            if own is not None:
                found[own] = piece
            elif self.settled[unit] != piece:
                return None
        return found

    def whole(self, patterns: Array) -> Array:
        """Return patterns of all units, shape (..., units), for those of the units decided."""
        if self.settled is None:
            return patterns
        found = np.empty((*patterns.shape[:-1], self.settled.size), dtype=patterns.dtype)
        found[...] = self.settled
        found[..., self._units] = patterns
        return found

    def whole_pattern(self, pattern: Sequence[int]) -> list[int]:
        """Return the pattern of all units for that of the units decided."""
        if self.settled is None:
            return list(pattern)
        return self.whole(np.asarray(pattern)).tolist()  # type: ignore[no-any-return]

    def part(self, columns: Array) -> Array:
        """Return what an array says of the units decided, shape (..., own units)."""
        return columns if self.settled is None else columns[..., self._units]

    def spread(self, columns: Array, other: int) -> Array:
        """Return an array of all units for one of the units decided; `other` stands elsewhere."""
        if self.settled is None:
            return columns
        found = np.full((*columns.shape[:-1], self.settled.size), other, dtype=columns.dtype)
        found[..., self._units] = columns
        return found


def ranges(starts: Array, places: Array) -> Array:
    """Return all numbers from ``starts[k]`` to ``starts[k + 1] - 1``, for each place k in turn."""
    first, counts = starts[places], starts[places + 1] - starts[places]
    before = np.cumsum(counts) - counts
    return np.asarray(np.arange(int(counts.sum())) + np.repeat(first - before, counts))
