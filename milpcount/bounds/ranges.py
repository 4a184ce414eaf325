"""Bounds on pre-activations of rectifier networks over a box, without a solver, rounded outward.

A sum of n products is off by at most ``n u / (1 - n u)`` times the sum of their absolute values
(Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1), and by half of the
smallest subnormal number for every product that underflows. Bounds that overflow are infinite.
"""

import numpy as np

from milpcount.bounds.theorem import Ranges
from milpcount.domain import InputSet
from milpcount.network import Affine, Network

Array = np.ndarray
_UNDERFLOW = float(np.finfo(np.float64).tiny)  # what 2^52 products lose at most


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
    with np.errstate(over="ignore", invalid="ignore"):
        bounds = [_first(network.layers[0].affine, inputs)]
        for layer in network.layers[1:]:
            low, high = (np.maximum(end, 0.0) for end in bounds[-1])
            bounds.append(_affine(layer.affine.weight, layer.affine.bias, low, high))
    return Ranges(tuple(b[0] for b in bounds), tuple(b[1] for b in bounds))


def _first(affine: Affine, inputs: InputSet) -> tuple[Array, Array]:
    weight = affine.weight @ inputs.directions
    bias = affine.weight @ inputs.origin + affine.bias
    sides = np.maximum(np.abs(inputs.lower), np.abs(inputs.upper))
    reach = np.abs(inputs.directions) @ sides + np.abs(inputs.origin)
    size = np.abs(affine.weight) @ reach + np.abs(affine.bias)
    # Slopes that have underflowed are multiplied by the parameters, too.
    lost = np.where(_has_terms(affine.weight, reach), _UNDERFLOW * (1.0 + sides.sum()), 0.0)
    composed = _error(affine.n_in) * size + lost
    low, high = _affine(weight, bias, inputs.lower, inputs.upper)
    return _known(low - composed, high + composed)


def _has_terms(weight: Array, reach: Array) -> Array:
    """Return which rows have a product of two factors that are not zero."""
    return np.asarray((weight != 0).astype(np.float64) @ (reach != 0) > 0)


def _known(low: Array, high: Array) -> tuple[Array, Array]:
    """Return bounds with those that are not numbers, or bound nothing, taken for infinite."""
    sound = (low <= high) & (low < np.inf) & (high > -np.inf)
    return np.where(sound, low, -np.inf), np.where(sound, high, np.inf)


def _error(terms: int) -> float:
    return (2 * terms + 16) * float(np.finfo(np.float64).eps)


def _affine(weight: Array, bias: Array, low: Array, high: Array) -> tuple[Array, Array]:
    positive, negative = np.maximum(weight, 0), np.minimum(weight, 0)
    reach = np.maximum(np.abs(low), np.abs(high))
    error = _error(weight.shape[1]) * (np.abs(weight) @ reach + np.abs(bias))
    error += np.where(_has_terms(weight, reach), _UNDERFLOW, 0.0)
    return _known(
        positive @ low + negative @ high + bias - error,
        positive @ high + negative @ low + bias + error,
    )
