"""Witnesses of kept regions: from points of the cube to points well inside, in input space."""

import numpy as np

from milpcount.domain import InputSet
from milpcount.network import Network

Array = np.ndarray

_HALVINGS = 40
"""Tries to find how far a region reaches towards the centre of the cube."""


def to_inputs(inputs: InputSet, y: Array) -> Array:
    """Return the inputs of points of the cube, shape (k, n) to (k, n_inputs).

    For an unbounded set the cube holds rays; those at infinity come out as not finite, as does what
    overflows.
    """
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        if not inputs.is_boxed:
            return inputs.to_inputs((2.0 * y[:, :-1] - 1.0) / y[:, -1:])
        low, high = inputs.lower, inputs.upper
        width = high - low
        # A width may overflow where its ends do not.
        t = np.where(np.isfinite(width), low + y * width, (1.0 - y) * low + y * high)
        return inputs.to_inputs(np.clip(t, low, high))


def inner_points(
    network: Network, inputs: InputSet, y: Array, patterns: Array
) -> tuple[Array, Array]:
    """Return points inside regions, and which of them float64 confirms.

    A projection lies on a face of its cell, often on the cube's boundary. The segment from it to
    the cube's centre starts inside the cell: half of what it has there leads away from both.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    y : ndarray, shape (k, n)
        A point of each region in the cube.
    patterns : ndarray, shape (k, n_units)

    Returns
    -------
    x : ndarray, shape (k, n_inputs)
    fine : ndarray of bool, shape (k,)
        Whether x has the pattern; where not, the cell is too thin for float64, or something
        overflows there.
    """
    best, fine = y.copy(), np.zeros(len(y), dtype=bool)
    for k in range(_HALVINGS):
        left = np.flatnonzero(~fine)
        if left.size == 0:
            break
        moved = y[left] + 2.0**-k * (0.5 - y[left])
        inside = _has_pattern(network, to_inputs(inputs, moved), patterns[left])
        best[left[inside]] = (0.5 * (y[left] + moved))[inside]
        fine[left] = inside
    x = to_inputs(inputs, best)
    return x, fine & _has_pattern(network, x, patterns)


def _has_pattern(network: Network, x: Array, patterns: Array) -> Array:
    """Return which points have their patterns in float64, without overflow in any layer."""
    fine, first = np.isfinite(x).all(axis=1), 0
    value = np.where(fine[:, None], x, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        for layer in network.layers:
            v = value @ layer.affine.weight.T + layer.affine.bias
            same = layer.activation.pieces_at(v) == patterns[:, first : first + layer.width]
            fine &= np.isfinite(v).all(axis=1) & same.all(axis=1)
            value, first = layer.activation.apply(v), first + layer.width
    return np.asarray(fine)
