"""What a network computes at a point, in fractions, by the definition."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from milpcount.network import Activation, Network, Part, Propagation, propagate

Numbers = list[Fraction]


class Fractions:
    """The rule of exact numbers."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def take(self, values: Numbers, which: np.ndarray) -> Numbers:
        return [values[i] for i in which]

    def affine(self, number: int, parts: Sequence[Part[Numbers]]) -> Numbers:
        table, denominator = self.network.maps[number].exact()
        read = [Fraction(1), *(value for part in parts for value in part.value)]
        return [
            sum((int(w) * v for w, v in zip(row, read, strict=True)), Fraction(0)) / denominator
            for row in table
        ]

    def activate(self, number: int, values: Numbers) -> Numbers:
        layer = self.network.layers[number]
        starts = layer.value_starts.tolist()
        ends = zip(layer.units, starts, starts[1:], strict=False)
        return [output(unit, values[a:b]) for unit, a, b in ends]


def output(unit: Activation, values: Numbers) -> Fraction:
    signs = [
        values[row.a] - (values[row.b] if row.b >= 0 else 0) - Fraction(row.threshold) > 0
        for row in unit.rows
    ]
    (piece,) = (
        piece for piece in unit.pieces if all(signs[r] == (s > 0) for r, s in piece.literals)
    )
    return Fraction(piece.slope) * values[piece.value] + Fraction(piece.intercept)


def exact_walk(network: Network, x: Sequence[Fraction]) -> Propagation[Numbers]:
    """Return all that the network computes at a point."""
    return propagate(network, list(x), Fractions(network))
