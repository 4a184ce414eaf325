"""What a piece asks of a unit's columns: which distances are zero, and which are held off zero.

The distances are h and hbar of every breakpoint and, for every argument of a maximum that may win,
how far it is behind; all are at least zero. On a piece, hbar is zero at the breakpoints below it
and h at those above, and the winner is not behind. The distances on the other side belong to the
branch rows that the piece names (its literals): there they are held at a margin.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from milpcount.formulation.pattern_map import PatternMap
from milpcount.network import Activation, Network
from milpcount.types import Array


@dataclass(frozen=True, eq=False)
class Ask:
    """What a piece asks.

    Attributes
    ----------
    zero : ndarray of int
        Distances that are zero.
    held : ndarray of int
        Distances that are not negative.
    row : ndarray of int
        The branch row that each of `held` is the size of, of all of the network; -1 where another
        distance implies it.
    """

    zero: Array
    held: Array
    row: Array


class Gaps:
    """The distances of a network's units.

    Parameters
    ----------
    network : Network
    columns : PatternMap

    Attributes
    ----------
    columns : ndarray of int32
        Of the distances.
    row_starts : ndarray of int, shape (layers + 1,)
        Where each layer's branch rows begin.
    """

    def __init__(self, network: Network, columns: PatternMap) -> None:
        live = columns.behind >= 0
        self._h, self._hbar = np.arange(columns.h.size), columns.h.size + np.arange(columns.h.size)
        self._behind = np.where(live, 2 * columns.h.size + np.cumsum(live) - 1, -1)
        self.columns = np.concatenate([columns.h, columns.hbar, columns.behind[live]])
        self.columns = self.columns.astype(np.int32)
        sizes = [int(layer.row_starts[-1]) for layer in network.layers]
        self.row_starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        self._asks: list[Sequence[Ask]] = []
        unit = 0
        for index, layer in enumerate(network.layers):
            for i, activation in enumerate(layer.units):
                first = int(self.row_starts[index] + layer.row_starts[i])
                if activation.rank == 1:
                    at = slice(*columns.h_starts[unit : unit + 2])
                    asks = _scalar(activation, self._h[at], self._hbar[at], first)
                else:
                    at = slice(*columns.behind_starts[unit : unit + 2])
                    asks = _maximum(activation, self._behind[at], first)
                self._asks.append(asks)
                unit += 1

    def ask(self, unit: int, piece: int) -> Ask:
        """Return what a piece of a unit asks."""
        return self._asks[unit][piece]


def _scalar(activation: Activation, h: Array, hbar: Array, first: int) -> list[Ask]:
    found = []
    for k in range(activation.n_pieces):
        below, above = range(k), range(k, h.size)
        held = np.concatenate([h[list(below)], hbar[list(above)]]).astype(np.int64)
        # Farther breakpoints follow from the two nearest ones.
        rows = [first + r if r in (k - 1, k) else -1 for r in (*below, *above)]
        zero = np.concatenate([hbar[list(below)], h[list(above)]]).astype(np.int64)
        found.append(Ask(zero, held, np.array(rows, dtype=np.int64)))
    return found


def _maximum(activation: Activation, behind: Array, first: int) -> list[Ask]:
    found = []
    for k, piece in enumerate(activation.pieces):
        held, rows = [], []
        for r, _ in piece.literals:
            row = activation.rows[r]
            j = row.b if row.a == k else row.a
            if behind[j] >= 0:
                held.append(behind[j])
                rows.append(first + r)
        zero = behind[[k]] if behind[k] >= 0 else np.zeros(0, np.int64)
        found.append(Ask(zero, np.array(held, dtype=np.int64), np.array(rows, dtype=np.int64)))
    return found
