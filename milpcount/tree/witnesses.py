"""Witnesses of kept regions: from points of the cube to points well inside, in input space."""

import numpy as np

from milpcount.domain import InputSet
from milpcount.network import Network

Array = np.ndarray

_HALVINGS = 40
"""Tries to find how far a region reaches towards the centre of the cube."""


def to_inputs(inputs: InputSet, y: Array) -> Array:
    """Return the inputs of points of the cube, shape (k, n) to (k, n_inputs).

    For an unbounded set the cube holds rays; those at infinity come out as not finite.
    """
    if inputs.is_boxed:
        width = inputs.upper - inputs.lower
        return inputs.to_inputs(np.clip(inputs.lower + y * width, inputs.lower, inputs.upper))
    with np.errstate(divide="ignore", invalid="ignore"):
        return inputs.to_inputs((2.0 * y[:, :-1] - 1.0) / y[:, -1:])


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
        Whether x has the pattern; where not, the cell is too thin for float64.
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
    finite = np.isfinite(x).all(axis=1)
    same = network.pattern(np.where(finite[:, None], x, 0.0)) == patterns
    return np.asarray(same.all(axis=1) & finite)
