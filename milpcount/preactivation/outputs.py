"""From bounds on pre-activations to bounds on what units give out."""

import numpy as np

from milpcount.network import Activation, Layer
from milpcount.network.activation import Piece
from milpcount.preactivation.rounding import ROUNDOFF, UNDERFLOW, known
from milpcount.types import Array


def output_range(layer: Layer, low: Array, high: Array) -> tuple[Array, Array]:
    """Return bounds on a layer's outputs, whatever the activations of its units.

    Parameters
    ----------
    layer : Layer
    low, high : ndarray, shape (n_out,)
        Bounds on its pre-activations; they may be infinite.

    Returns
    -------
    lower, upper : ndarray, shape (width,)
    """
    lower, upper = np.empty(layer.width), np.empty(layer.width)
    with np.errstate(over="ignore", invalid="ignore"):
        for group in layer.groups:
            unit = group.activation
            shape = -1, unit.rank
            ends = low[group.values].reshape(shape), high[group.values].reshape(shape)
            lower[group.units], upper[group.units] = _unit_range(unit, *ends)
    return lower, upper


def _unit_range(unit: Activation, low: Array, high: Array) -> tuple[Array, Array]:
    """Return the range of units of one kind for pre-activations of shape (units, rank)."""
    if unit.is_maxout:
        return low.max(axis=1), high.max(axis=1)
    lower, upper = np.full(len(low), np.inf), np.full(len(low), -np.inf)
    cuts = [-np.inf, *(row.threshold for row in unit.rows), np.inf]
    for k, piece in enumerate(unit.pieces):
        # A scalar unit is on a piece only between its thresholds, ends included for whichever side
        # they belong to. Of other tables a piece is taken to be met anywhere.
        left, right = (cuts[k], cuts[k + 1]) if unit.rank == 1 else (-np.inf, np.inf)
        below, above = low[:, piece.value], high[:, piece.value]
        met = (above >= left) & (below <= right)
        for end in (np.clip(below, left, right), np.clip(above, left, right)):
            least, greatest = piece_range(piece, end)
            lower = np.where(met, np.minimum(lower, least), lower)
            upper = np.where(met, np.maximum(upper, greatest), upper)
    return known(lower, upper)


def piece_range(piece: Piece, v: Array) -> tuple[Array, Array]:
    """Return bounds on ``slope * v + intercept`` at float64 numbers, which may be infinite.

    Three roundings (product, sum, the bound itself), so 4 roundoffs of the absolute values cover
    them and those of the absolute values; none at all where the product is a number as it is, or
    zero. An infinite product, of an infinite v or by overflow, has no error worth telling: below it
    says nothing as a lower bound unless another end is lower, and `known` has that case.
    """
    if piece.slope == 0.0:
        constant = np.full(v.shape, piece.intercept)
        return constant, constant
    product = piece.slope * v
    if abs(piece.slope) == 1.0 and piece.intercept == 0.0:
        return product, product
    error = 4 * ROUNDOFF * (np.abs(product) + abs(piece.intercept))
    error = np.where(v != 0, error + UNDERFLOW, error)
    error = np.where(np.isinf(product), 0.0, error)
    value = product + piece.intercept
    return value - error, value + error
