"""Signs at corners in exact arithmetic, for what floating point cannot tell."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.rows import ExactNetwork
from milpcount.network import Network

Array = np.ndarray
Point = tuple[Fraction, ...]
Row = tuple[Fraction, ...]
"""Constant and slopes of an affine function of the parameters."""


@dataclass(frozen=True)
class Place:
    """A row of a layer on a cell.

    Attributes
    ----------
    layer : int
    pattern : tuple of int
        The pieces of all units of the layers before.
    a, b : int
        The row is value a of the layer less value b, if there is one (else -1), less a threshold.
    threshold : float
    """

    layer: int
    pattern: tuple[int, ...]
    a: int
    b: int
    threshold: float


class Vertex:
    """A corner: one of the domain, or the point between two others where a row is zero."""

    __slots__ = ("_ends", "_place", "_point")

    def __init__(
        self,
        point: Point | None = None,
        ends: "tuple[Vertex, Vertex] | None" = None,
        place: Place | None = None,
    ) -> None:
        self._point, self._ends, self._place = point, ends, place

    def point(self, signs: "ExactSigns") -> Point:
        """Return its parameters; computed once."""
        if self._point is None:
            assert self._ends is not None and self._place is not None
            a, b = (end.point(signs) for end in self._ends)
            row = signs.row(self._place)
            at_a, at_b = _value(row, a), _value(row, b)
            w = at_a / (at_a - at_b)
            self._point = tuple(x + w * (y - x) for x, y in zip(a, b, strict=True))
            self._ends = self._place = None
        return self._point


class ExactSigns:
    """The signs of a network's rows at corners.

    Parameters
    ----------
    network : Network
    inputs : InputSet

    Attributes
    ----------
    asked : int
        Signs computed so far.
    """

    def __init__(self, network: Network, inputs: InputSet) -> None:
        self._network = ExactNetwork(network, inputs)
        self.asked = 0

    def row(self, place: Place) -> Row:
        """Return a row as an affine function of the parameters."""
        numbers = self._network.values(place.layer, place.pattern)
        row = [Fraction(int(v), numbers.denominator) for v in numbers.values[place.a]]
        if place.b >= 0:
            other = numbers.values[place.b]
            row = [
                x - Fraction(int(v), numbers.denominator) for x, v in zip(row, other, strict=True)
            ]
        row[0] -= Fraction(place.threshold)
        return tuple(row)

    def sign(self, place: Place, vertex: Vertex) -> int:
        """Return the sign of a row at a corner: -1, 0 or 1."""
        self.asked += 1
        value = _value(self.row(place), vertex.point(self))
        return (value > 0) - (value < 0)


def _value(row: Row, point: Point) -> Fraction:
    return sum((s * x for s, x in zip(row[1:], point, strict=True)), start=row[0])


def corners(inputs: InputSet) -> list[Point]:
    """Return the corners of a bounded set of one or two parameters, in order round it."""
    exact = inputs.exact or inputs
    low, high = ([Fraction(v) for v in side.tolist()] for side in (exact.lower, exact.upper))
    if inputs.dimension == 1:
        return [(low[0],), (high[0],)]
    return [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])]
