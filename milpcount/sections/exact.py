"""Signs at corners in exact arithmetic, for what floating point cannot tell."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.rows import ExactNetwork
from milpcount.network import Affine, Network
from milpcount.types import Array

Point = tuple[Fraction, ...]
Row = tuple[Fraction, ...]
"""Constant and slopes of an affine function of the parameters."""


@dataclass(frozen=True)
class Pattern:
    """The pieces of units, in few bytes: bits where there are no others than 0 and 1."""

    data: bytes
    units: int
    is_bits: bool

    @classmethod
    def of(cls, pieces: Array) -> "Pattern":
        """Return the pattern of an array of integers."""
        is_bits = not pieces.size or int(pieces.max()) <= 1
        data = np.packbits(pieces.astype(bool)) if is_bits else pieces.astype(np.int16)
        return cls(data.tobytes(), len(pieces), is_bits)

    def pieces(self) -> tuple[int, ...]:
        """Return the pieces, unit by unit."""
        if self.is_bits:
            packed = np.frombuffer(self.data, dtype=np.uint8)
            return tuple(np.unpackbits(packed, count=self.units).tolist())
        return tuple(np.frombuffer(self.data, dtype=np.int16).tolist())


@dataclass(frozen=True)
class Place:
    """A row of a layer on a cell.

    Attributes
    ----------
    layer : int
    pattern : Pattern
        Of all units of the layers before.
    a, b : int
        The row is value a of the layer less value b, if there is one (else -1), less a threshold.
    threshold : float
    """

    layer: int
    pattern: Pattern
    a: int
    b: int
    threshold: float


class Vertex:
    """A corner: one of the domain, or the point between two others where a row is zero.

    On a line, where a row that is not constant has one zero, the two others are not needed.
    """

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
            assert self._place is not None
            row = signs.row(self._place)
            if self._ends is None:
                self._point = (-row[0] / row[1],)
            else:
                a, b = (end.point(signs) for end in self._ends)
                at_a, at_b = _value(row, a), _value(row, b)
                w = at_a / (at_a - at_b)
                self._point = tuple(x + w * (y - x) for x, y in zip(a, b, strict=True))
            self._ends = self._place = None
        return self._point


class ExactSigns:
    """The signs of a network's rows at corners.

    Parameters
    ----------
    network : callable
        Returns the network, or raises Unavailable; called once it is needed.
    inputs : InputSet
    work : int, optional
        Numbers of the network's maps that may be gone through. A network for which that is given is
        so large that its signs are computed only where a tolerance leaves them open, and only as
        far as the work goes.

    Attributes
    ----------
    asked : int
        Signs computed so far.
    """

    def __init__(
        self, network: Callable[[], Network], inputs: InputSet, work: int | None = None
    ) -> None:
        self._network, self._inputs, self._left = network, inputs, work
        self._made: ExactNetwork | None = None
        self._seen: set[tuple[int, Pattern]] = set()
        self.is_last_resort = work is not None
        self.asked = 0

    def row(self, place: Place) -> Row:
        """Return a row as an affine function of the parameters.

        Raises
        ------
        Unavailable
        """
        if self._left is not None and self._left < 0:
            raise Unavailable
        if self._made is None:
            try:
                network = self._network()
            except Unavailable:
                self._left = -1  # not to be tried again
                raise
            self._made = ExactNetwork(network, self._inputs)
        exact = self._made
        if self._left is not None and (place.layer, place.pattern) not in self._seen:
            self._seen.add((place.layer, place.pattern))
            self._left -= sum(_numbers(m) for m in exact.network.maps[: place.layer + 1])
            if self._left < 0:
                raise Unavailable
        numbers = exact.values(place.layer, place.pattern.pieces())
        row = [Fraction(int(v), numbers.denominator) for v in numbers.values[place.a]]
        if place.b >= 0:
            other = numbers.values[place.b]
            row = [
                x - Fraction(int(v), numbers.denominator) for x, v in zip(row, other, strict=True)
            ]
        row[0] -= Fraction(place.threshold)
        return tuple(row)

    def sign(self, place: Place, vertex: Vertex) -> int | None:
        """Return the sign of a row at a corner: -1, 0 or 1; None if it is unavailable."""
        try:
            value = _value(self.row(place), vertex.point(self))
        except Unavailable:
            return None
        self.asked += 1
        return (value > 0) - (value < 0)


class Unavailable(Exception):
    """The network is not to be had, or more of it would have to be computed than is allowed."""


def _numbers(affine: Affine) -> int:
    return int(getattr(affine.matrix, "nnz", affine.n_in * affine.n_out))


def _value(row: Row, point: Point) -> Fraction:
    return sum((s * x for s, x in zip(row[1:], point, strict=True)), start=row[0])


def corners(inputs: InputSet) -> list[Point]:
    """Return the corners of a bounded set of one or two parameters, in order round it."""
    exact = inputs.exact or inputs
    low, high = ([Fraction(v) for v in side.tolist()] for side in (exact.lower, exact.upper))
    if inputs.dimension == 1:
        return [(low[0],), (high[0],)]
    return [(low[0], low[1]), (high[0], low[1]), (high[0], high[1]), (low[0], high[1])]
