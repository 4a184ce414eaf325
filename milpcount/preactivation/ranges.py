"""What the interval rule carries: a box of numbers, or the input on a section.

A row of weights takes either to a sum of products; `Products` holds its least and greatest value as
computed, and what bounds the error of the two.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from milpcount.domain import InputSet
from milpcount.preactivation.rounding import UNDERFLOW, known, support
from milpcount.types import Array


class Products(NamedTuple):
    """Sums of products, one for each row of a matrix.

    Attributes
    ----------
    lower, upper : ndarray
        Least and greatest, with rounding.
    size : ndarray
        Sums of the products' absolute values: the rounding is a multiple of it.
    lost : ndarray
        What is lost besides: 0 only where no product of the row has two factors that are not zero.
    """

    lower: Array
    upper: Array
    size: Array
    lost: Array


@dataclass(frozen=True, eq=False)
class Box:
    """Numbers between bounds, which may be infinite.

    Attributes
    ----------
    low, high : ndarray, shape (n,)
    """

    low: Array
    high: Array

    depth = 0
    """Roundings that a term goes through besides those of the row's own sum."""

    def take(self, which: Array) -> "Box":
        """Return some of the numbers."""
        return Box(self.low[which], self.high[which])

    def times(self, weight: Any) -> Products:
        """Return ``weight @ v`` over the box; a zero weight takes nothing from an infinite bound.

        The least value takes the low end where a weight is positive and the high end where it is
        negative, ``positive @ low + negative @ high``.
        """
        positive, negative = parts_of(weight)
        ends = np.stack([self.low, self.high], axis=1)
        infinite = np.isinf(ends)
        ends = np.where(infinite, 0.0, ends)
        up, down = positive @ ends, negative @ ends
        reach = np.abs(ends).max(axis=1)
        lower, upper = up[:, 0] + down[:, 1], up[:, 1] + down[:, 0]
        if infinite.any():
            ups = support(positive) @ infinite.astype(np.float64)
            downs = support(negative) @ infinite.astype(np.float64)
            lower = np.where(ups[:, 0] + downs[:, 1] > 0, -np.inf, lower)
            upper = np.where(ups[:, 1] + downs[:, 0] > 0, np.inf, upper)
        size = positive @ reach - negative @ reach
        has_terms = support(weight) @ (reach != 0).astype(np.float64) > 0
        return Products(lower, upper, size, np.where(has_terms, UNDERFLOW, 0.0))


@dataclass(frozen=True, eq=False)
class Span:
    """The inputs ``origin + directions @ t`` for parameters t in a box.

    Products with the directions come first and the box of t after, so that what inputs have in
    common is kept.

    Attributes
    ----------
    origin : ndarray, shape (n,)
    directions : ndarray, shape (n, d)
    t : Box
    """

    origin: Array
    directions: Array
    t: Box

    @property
    def depth(self) -> int:
        """Roundings that a term goes through besides those of the row's own sum."""
        # The sum over t; that with the origin's part; origin and directions may be rounded numbers
        # themselves (`InputSet.exact`), normal ones.
        return self.t.low.size + 2

    def take(self, which: Array) -> "Span":
        """Return some of the inputs."""
        return Span(self.origin[which], self.directions[which], self.t)

    def times(self, weight: Any) -> Products:
        """Return ``weight @ x`` over the inputs.

        With ``S = weight @ directions`` as computed, off by e, the products over t are those of S
        over the box, and ``|e| @ |t|`` is part of the error: e is at most gamma times
        ``|weight| @ |directions|``, plus 2^-1075 for every product that underflows. The sizes are
        summed in this order, in which no small product meets a large weight that would undo its
        underflow.
        """
        slopes = np.asarray(weight @ self.directions)
        absolute = abs(weight)
        sizes = np.asarray(absolute @ np.abs(self.directions))
        ends = np.stack([self.t.low, self.t.high], axis=1)
        infinite = np.isinf(ends).any(axis=1)
        ends = np.where(infinite[:, None], 0.0, ends)
        found = Box(ends[:, 0], ends[:, 1]).times(slopes)
        reach = np.abs(ends).max(axis=1, initial=0.0)
        offset = weight @ self.origin
        lower, upper = found.lower + offset, found.upper + offset
        marks = support(weight)
        if infinite.any():
            # A slope that looks like zero may not be: only weights and directions tell.
            moves = marks @ support(self.directions[:, infinite]).sum(axis=1) > 0
            lower, upper = np.where(moves, -np.inf, lower), np.where(moves, np.inf, upper)
        terms = support(self.directions) @ (reach != 0) + (self.origin != 0)
        has_terms = marks @ terms > 0
        lost = np.where(has_terms, UNDERFLOW * (1.0 + reach.sum()), 0.0)
        return Products(lower, upper, sizes @ reach + absolute @ np.abs(self.origin), lost)


Range = Box | Span


def start_of(inputs: InputSet, parameters: tuple[Array, Array] | None = None) -> Range:
    """Return the range of a network's input.

    Parameters
    ----------
    inputs : InputSet
    parameters : (ndarray, ndarray), optional
        Tighter bounds on the set's parameters than its own.

    Returns
    -------
    Box or Span
        A box where each parameter moves one input of its own.
    """
    low, high = _outward(inputs, parameters)
    moved = _moved(inputs)
    if moved is None:
        return Span(inputs.origin, inputs.directions, Box(low, high))
    lower, upper = inputs.origin.copy(), inputs.origin.copy()
    if inputs.exact is not None:
        differs = np.asarray(inputs.exact.origin != inputs.origin, dtype=bool)
        lower[differs] = np.nextafter(lower[differs], -np.inf)
        upper[differs] = np.nextafter(upper[differs], np.inf)
    # Adding to an origin of zero, where a box has all that it does not fix, does not round.
    rounds = (lower[moved] != 0) | (upper[moved] != 0)
    with np.errstate(over="ignore"):
        lower[moved] += low
        upper[moved] += high
    lower[moved] = np.where(rounds, np.nextafter(lower[moved], -np.inf), lower[moved])
    upper[moved] = np.where(rounds, np.nextafter(upper[moved], np.inf), upper[moved])
    return Box(*known(lower, upper))


def _outward(inputs: InputSet, parameters: tuple[Array, Array] | None) -> tuple[Array, Array]:
    """Return float64 bounds on the parameters; an exact one may lie half a unit beyond its own."""
    low, high = inputs.lower, inputs.upper
    if inputs.exact is not None:
        below = np.asarray(inputs.exact.lower < low, dtype=bool)
        above = np.asarray(inputs.exact.upper > high, dtype=bool)
        low = np.where(below, np.nextafter(low, -np.inf), low)
        high = np.where(above, np.nextafter(high, np.inf), high)
    if parameters is None:
        return low, high
    # Where the set has a bound of its own, the parameters' is that bound without its rounding.
    return (
        np.where(np.isfinite(low), low, parameters[0]),
        np.where(np.isfinite(high), high, parameters[1]),
    )


def _moved(inputs: InputSet) -> Array | None:
    """Return which input each parameter moves, one to one; None where some move several."""
    directions = inputs.directions
    rows, columns = np.nonzero(directions)
    order = np.argsort(columns)
    if not np.array_equal(columns[order], np.arange(inputs.dimension)):
        return None
    moved = rows[order]
    if np.unique(moved).size < moved.size or (directions[rows, columns] != 1).any():
        return None
    if inputs.exact is not None and (inputs.exact.directions != directions).any():
        return None
    return np.asarray(moved)


def parts_of(weight: Any) -> tuple[Any, Any]:
    """Return the positive and the negative part of a dense or sparse matrix."""
    if isinstance(weight, np.ndarray):
        return np.maximum(weight, 0.0), np.minimum(weight, 0.0)
    return weight.maximum(0), weight.minimum(0)
