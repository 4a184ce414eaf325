"""Which pieces units can reach in cells: intervals where some units have a known piece.

A cell is the set of inputs on which some units have given pieces. A unit on a known piece takes
its pre-activation from that piece's part of the axis only, which narrows what it gives out, and so
the intervals of all that reads it. Many cells are walked through at once; the arithmetic and its
rounding are those of `intervals`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from milpcount.domain import InputSet
from milpcount.network import Activation, Network, Part, propagate
from milpcount.preactivation.outputs import piece_range
from milpcount.preactivation.ranges import Box, Products, Range, parts_of, start_of
from milpcount.preactivation.rounding import UNDERFLOW, gamma, known, support
from milpcount.types import OPEN, Array


@dataclass(frozen=True, eq=False)
class Reached:
    """The pieces that units of one activation can be on, in each cell.

    Attributes
    ----------
    activation : Activation
    first, last : ndarray of int, shape (units, cells)
        Of a scalar unit, the pieces from one to the other. Of a maximum, as many pieces as from
        one to the other, whichever they are. Of any other table, all pieces, or one.
    """

    activation: Activation
    first: Array
    last: Array


@dataclass(frozen=True, eq=False)
class _Boxes:
    """Numbers between bounds, which may be infinite, in each cell; arrays (numbers, cells)."""

    low: Array
    high: Array

    def take(self, which: Array) -> "_Boxes":
        return _Boxes(self.low[which], self.high[which])

    def times(self, weight: object) -> Products:
        """Return what `Box.times` does, for every cell."""
        positive, negative = parts_of(weight)
        cells = self.low.shape[1]
        ends = np.concatenate([self.low, self.high], axis=1)
        infinite = np.isinf(ends)
        ends = np.where(infinite, 0.0, ends)
        up, down = positive @ ends, negative @ ends
        lower, upper = up[:, :cells] + down[:, cells:], up[:, cells:] + down[:, :cells]
        if infinite.any():
            ups = support(positive) @ infinite.astype(np.float64)
            downs = support(negative) @ infinite.astype(np.float64)
            lower = np.where(ups[:, :cells] + downs[:, cells:] > 0, -np.inf, lower)
            upper = np.where(ups[:, cells:] + downs[:, :cells] > 0, np.inf, upper)
        reach = np.maximum(np.abs(ends[:, :cells]), np.abs(ends[:, cells:]))
        size = positive @ reach - negative @ reach
        has_terms = support(weight) @ (reach != 0).astype(np.float64) > 0
        return Products(lower, upper, size, np.where(has_terms, UNDERFLOW, 0.0))


class _Walk:
    """The rule of `CellRanges`: the input is the same in all cells, what units give out is not."""

    def __init__(
        self, network: Network, inputs_to: dict[tuple[int, int], Products], pieces: Array
    ) -> None:
        self._network, self._inputs_to, self._pieces = network, inputs_to, pieces
        self._starts = np.concatenate([[0], np.cumsum(network.widths)]).tolist()
        self.reached: list[list[Reached]] = []

    def take(self, values: Range | _Boxes, which: Array) -> Range | _Boxes:
        return values.take(which)

    def affine(self, number: int, parts: Sequence[Part[Range | _Boxes]]) -> _Boxes:
        """Return the ranges of what comes out of an affine map; see `Intervals.affine`."""
        affine, cells = self._network.maps[number], self._pieces.shape[1]
        terms = affine.n_in + len(parts) + int(affine.is_rounded)
        shape = affine.n_out, cells
        lower, upper, lost = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        bias = affine.bias[:, None]
        size = np.broadcast_to(np.abs(bias), shape)
        for place, part in enumerate(parts):
            weight = affine.matrix if len(parts) == 1 else affine.matrix[:, part.source.columns]
            if isinstance(part.value, _Boxes):
                found = part.value.times(weight)
            else:
                terms += part.value.depth
                if (number, place) not in self._inputs_to:
                    once = part.value.times(weight)
                    columns = (np.asarray(array)[:, None] for array in once)
                    self._inputs_to[number, place] = Products(*columns)
                found = self._inputs_to[number, place]
            lower, upper = lower + found.lower, upper + found.upper
            size, lost = size + found.size, lost + found.lost
        error = gamma(terms) * size + lost
        # A row without products is its bias, as it is.
        error = np.where((lost == 0) & (not affine.is_rounded), 0.0, error)
        return _Boxes(*known(lower + bias - error, upper + bias + error))

    def activate(self, number: int, values: Range | _Boxes) -> _Boxes:
        """Return the ranges of a layer's outputs, and note which pieces its units reach."""
        assert isinstance(values, _Boxes)
        layer, cells = self._network.layers[number], self._pieces.shape[1]
        given = self._pieces[self._starts[number] : self._starts[number + 1]]
        lower, upper = np.empty(given.shape), np.empty(given.shape)
        reached = []
        for group in layer.groups:
            unit, pieces = group.activation, given[group.units]
            shape = -1, unit.rank, cells
            low, high = values.low[group.values], values.high[group.values]
            low, high = low.reshape(shape), high.reshape(shape)
            ends = _reached(unit, low, high, pieces)
            found = _outputs(unit, low, high, pieces, ends)
            lower[group.units], upper[group.units] = found
            reached.append(ends)
        self.reached.append(reached)
        return _Boxes(lower, upper)


def _reached(unit: Activation, low: Array, high: Array, pieces: Array) -> Reached:
    """Return the pieces of units of one kind for pre-activations of shape (units, rank, cells)."""
    if unit.rank == 1:
        # Of the shape in which a unit's pre-activations come last.
        first, last = unit.pieces_at(low[:, 0, :, None]), unit.pieces_at(high[:, 0, :, None])
        first, last = first[..., 0], last[..., 0]
    elif unit.is_maxout:
        least = low.max(axis=1, keepdims=True)
        last = (~(high < least)).sum(axis=1) - 1
        first = np.zeros_like(last)
    else:
        first, last = np.zeros_like(pieces), np.full_like(pieces, unit.n_pieces - 1)
    settled = pieces != OPEN
    return Reached(unit, np.where(settled, pieces, first), np.where(settled, pieces, last))


def _outputs(
    unit: Activation, low: Array, high: Array, pieces: Array, reached: Reached
) -> tuple[Array, Array]:
    """Return the ranges of what units of one kind give out; see `outputs.output_range`."""
    if unit.is_maxout:
        # On piece k value k is the largest: no less than any other.
        chosen = np.take_along_axis(high, np.maximum(pieces, 0)[:, None], axis=1)[:, 0]
        return low.max(axis=1), np.where(pieces == OPEN, high.max(axis=1), chosen)
    lower, upper = np.full(pieces.shape, np.inf), np.full(pieces.shape, -np.inf)
    cuts = [-np.inf, *(row.threshold for row in unit.rows), np.inf]
    for k, piece in enumerate(unit.pieces):
        met = (reached.first <= k) & (k <= reached.last)
        if not met.any():
            continue
        left, right = (cuts[k], cuts[k + 1]) if unit.rank == 1 else (-np.inf, np.inf)
        for end in (low[:, piece.value], high[:, piece.value]):
            least, greatest = piece_range(piece, np.clip(end, left, right))
            lower = np.where(met, np.minimum(lower, least), lower)
            upper = np.where(met, np.maximum(upper, greatest), upper)
    return known(lower, upper)


class CellRanges:
    """The pieces that units reach in cells of an input set.

    Parameters
    ----------
    network : Network
        Any graph, of any activations.
    inputs : InputSet
        Also unbounded.
    """

    def __init__(self, network: Network, inputs: InputSet) -> None:
        self._network = network
        self._start: Range = start_of(inputs)
        self._inputs_to: dict[tuple[int, int], Products] = {}

    def reached(self, pieces: Array) -> list[list[Reached]]:
        """Return, for each layer, the pieces that its units can be on, by their activations.

        Parameters
        ----------
        pieces : ndarray of int, shape (units, cells)
            Those known, `OPEN` elsewhere. Of a cell that has no point, anything may be said.
        """
        walk = _Walk(self._network, self._inputs_to, pieces)
        start: Range | _Boxes = self._start
        with np.errstate(over="ignore", invalid="ignore"):
            propagate(self._network, start, walk, to_output=False)
        return walk.reached


__all__ = ["OPEN", "Box", "CellRanges", "Reached"]
