"""A layer's units as arrays over all of their branch rows, and over the pieces of their kinds."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from milpcount.types import Array

if TYPE_CHECKING:
    from milpcount.network.layer import Layer


@dataclass(frozen=True, eq=False)
class UnitTable:
    """What a layer's units do, in arrays; see `milpcount.network.activation` for rows and pieces.

    The rows of all units follow each other, unit by unit. Pieces are those of each *kind* of unit
    in the layer, kind by kind: piece k of unit u is number ``kind[u] + k``.

    Attributes
    ----------
    first, second : ndarray of int, shape (rows,)
        The layer's values that a row compares; `second` is -1 where there is none.
    threshold : ndarray, shape (rows,)
    row_unit, row_place : ndarray of int, shape (rows,)
        The unit of a row, and its place among the unit's rows.
    start, kind : ndarray of int, shape (units,)
        A unit's first value, and the number of its first piece.
    value : ndarray of int, shape (pieces,)
        Which of its unit's values a piece is a function of.
    slope, intercept : ndarray, shape (pieces,)
    asks : ndarray of int8, shape (pieces, most rows of a unit)
        The sign that a piece asks of its unit's rows, or 0.
    """

    first: Array
    second: Array
    threshold: Array
    row_unit: Array
    row_place: Array
    start: Array
    kind: Array
    value: Array
    slope: Array
    intercept: Array
    asks: Array

    @classmethod
    def of(cls, layer: "Layer") -> "UnitTable":
        """Return the table of a layer."""
        groups = layer.groups
        pieces = [piece for group in groups for piece in group.activation.pieces]
        rows_before = layer.row_starts[:-1]
        total, width = int(layer.row_starts[-1]), layer.width
        first, second = np.zeros(total, dtype=np.int64), np.full(total, -1)
        threshold, kind = np.zeros(total), np.zeros(width, dtype=np.int64)
        row_place = np.zeros(total, dtype=np.int64)
        asks = np.zeros((len(pieces), max(len(g.activation.rows) for g in groups)), dtype=np.int8)
        start, base = layer.value_starts[:-1], 0
        for group in groups:
            units, activation = group.units, group.activation
            kind[units] = base
            for k, row in enumerate(activation.rows):
                at = rows_before[units] + k
                first[at] = start[units] + row.a
                second[at] = start[units] + row.b if row.b >= 0 else -1
                threshold[at], row_place[at] = row.threshold, k
            for piece in activation.pieces:
                for r, sign in piece.literals:
                    asks[base, r] = sign
                base += 1
        return cls(
            first, second, threshold,
            np.repeat(np.arange(width), np.diff(layer.row_starts)), row_place, start, kind,
            np.array([p.value for p in pieces]),
            np.array([p.slope for p in pieces], dtype=np.float64),
            np.array([p.intercept for p in pieces], dtype=np.float64),
            asks,
        )  # fmt: skip

    @property
    def is_plain(self) -> bool:
        """Whether every row is the one value of its unit."""
        return self.first.size == self.start.size and not (
            self.threshold.any() or (self.second >= 0).any() or (self.first != self.start).any()
        )
