"""Bounds on pre-activations of rectifier networks over a box, without a solver, rounded outward.

A sum of n products is off by at most ``n u / (1 - n u)`` times the sum of their absolute values
(Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1).
"""

import numpy as np

from milpcount.bounds.theorem import Ranges
from milpcount.domain import InputSet
from milpcount.network import Network

Array = np.ndarray


def interval_ranges(network: Network, inputs: InputSet) -> Ranges | None:
    """Return sound bounds on all pre-activations.

    Parameters
    ----------
    network : Network
    inputs : InputSet

    Returns
    -------
    Ranges or None
        None unless there are units, all of them rectifiers, and the set is bounded in its
        parameters.
    """
    rectifiers = all(layer.activation.is_relu for layer in network.layers)
    if not (network.layers and rectifiers and inputs.is_boxed):
        return None
    first = network.layers[0].affine
    weight, bias = first.weight @ inputs.directions, first.weight @ inputs.origin + first.bias
    reach = np.abs(inputs.directions) @ np.maximum(np.abs(inputs.lower), np.abs(inputs.upper))
    size = np.abs(first.weight) @ (reach + np.abs(inputs.origin)) + np.abs(first.bias)
    composed = _error(first.n_in) * size
    low, high = _affine(weight, bias, inputs.lower, inputs.upper)
    bounds = [(low - composed, high + composed)]
    for layer in network.layers[1:]:
        low, high = (np.maximum(end, 0.0) for end in bounds[-1])
        # What overflows becomes infinite or nan, and compares as unknown.
        with np.errstate(over="ignore", invalid="ignore"):
            bounds.append(_affine(layer.affine.weight, layer.affine.bias, low, high))
    return Ranges(tuple(b[0] for b in bounds), tuple(b[1] for b in bounds))


def _error(terms: int) -> float:
    return (2 * terms + 16) * float(np.finfo(np.float64).eps)


def _affine(weight: Array, bias: Array, low: Array, high: Array) -> tuple[Array, Array]:
    positive, negative = np.maximum(weight, 0), np.minimum(weight, 0)
    size = np.abs(weight) @ np.maximum(np.abs(low), np.abs(high)) + np.abs(bias)
    error = _error(weight.shape[1]) * size
    return (
        positive @ low + negative @ high + bias - error,
        positive @ high + negative @ low + bias + error,
    )
