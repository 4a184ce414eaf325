"""Which pieces random walks should prefer, learned from the walks made so far.

A walk's estimate would always be exact if every piece were taken with the share of its subtree
(Knuth 1975, Theorem 2). The shares are modelled as one number a unit and piece, and fitted by the
cross-entropy method (Rubinstein 1997): the share of a piece among walks that split the unit, each
weighted by its estimate. Early on a few walks carry nearly all the weight; so the weights are
flattened until enough walks count, and units are drawn to their layer's mean, layers to a guess.
Walks stay unbiased whatever the preferences are.
"""

import numpy as np

from milpcount.network import Network
from milpcount.network.activation import Piece
from milpcount.types import Array

_GUESS = 0.6
"""Probability of pieces with a slope above the last layer: they keep the image's dimension."""
_UNIT_WALKS, _LAYER_WALKS = 16.0, 8.0
"""Weight, in walks, of the layer's mean in a unit's share and of the guess in a layer's."""
_EFFECTIVE = 0.3
"""Share of the walks that the weights must amount to."""
_LEAST = 0.1
"""Least probability of a piece of two; a piece that is hardly ever taken makes large estimates."""


def preferences(network: Network, taken: Array, log_size: Array) -> Array:
    """Return logarithms of weights of the pieces.

    Parameters
    ----------
    network : Network
    taken : ndarray of int, shape (walks, units)
        The pieces taken where a cell was split, -1 where none was.
    log_size : ndarray, shape (walks,)
        Logarithms of the walks' estimates.

    Returns
    -------
    ndarray, shape (units, pieces)
    """
    pieces = max(kind.n_pieces for layer in network.layers for kind in layer.activations)
    weight = _weights(log_size)
    counts = np.stack([weight @ (taken == k) for k in range(pieces)], axis=1)
    shares, first = np.full((network.n_units, pieces), 1.0 / pieces), 0
    for number, layer in enumerate(network.layers):
        for group in layer.groups:
            mine = first + np.arange(layer.width)[group.units]
            guess = _guess(group.activation.pieces, last=number == len(network.layers) - 1)
            own = counts[mine, : guess.size]
            mean = (own.sum(axis=0) / mine.size + _LAYER_WALKS * guess) / (
                own.sum() / mine.size + _LAYER_WALKS
            )
            fitted = (own + _UNIT_WALKS * mean) / (own.sum(axis=1, keepdims=True) + _UNIT_WALKS)
            shares[mine, : guess.size] = np.maximum(fitted, 2.0 * _LEAST / guess.size)
        first += layer.width
    return np.asarray(np.log(shares))


def _guess(pieces: tuple[Piece, ...], *, last: bool) -> Array:
    sloped = np.array([last or piece.slope != 0.0 for piece in pieces])
    weight = np.where(sloped, _GUESS, 1.0 - _GUESS)
    return np.asarray(weight / weight.sum())


def _weights(log_size: Array) -> Array:
    """Return the walks' weights, flattened as little as needed; their sum is what they amount to.

    Weights w amount to ``(sum w)^2 / sum w^2`` equal ones (Kong 1992).
    """
    if log_size.size == 0 or not np.isfinite(log_size).any():
        return np.zeros(log_size.size)
    scaled = log_size - log_size.max()
    low, high = 0.0, 1.0
    weight, amount = _flattened(scaled, 1.0)
    if amount < _EFFECTIVE * log_size.size:
        for _ in range(20):
            middle = 0.5 * (low + high)
            weight, amount = _flattened(scaled, middle)
            low, high = (middle, high) if amount >= _EFFECTIVE * log_size.size else (low, middle)
        weight, amount = _flattened(scaled, low)
    return np.asarray(weight * amount)


def _flattened(scaled: Array, power: float) -> tuple[Array, float]:
    weight = np.where(np.isfinite(scaled), np.exp(power * np.maximum(scaled, -1e9)), 0.0)
    weight = weight / weight.sum()
    return weight, float(1.0 / (weight**2).sum())
