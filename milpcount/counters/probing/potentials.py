"""What is likely to come below a node of a random walk, learned from the walks made so far.

Walks of a population replace each other by their weights times what is likely to come below them;
see `milpcount.tree.populations`. The logarithm of the latter is modelled, layer by layer, as linear
in what is known of a node when it chooses: how much of its layer is decided, how many of its open
units are left, and how far its cell lies from the centre. A bad model makes an estimate wilder and
never wrong.
"""

import numpy as np

from milpcount.bounds.layer_cells import layer_cells
from milpcount.kernel.descent_state import LEANED_OWN
from milpcount.network import Network
from milpcount.types import Array

_RIDGE = 1e-3
"""Added to the squares of the scaled features, as a share of their number."""
_TURNS = 200
"""Evaluations of the stages, each from the potentials of the one before."""
_PRIOR = 20.0
"""Weight of what was known before a round, in stages."""


def potentials(moments: Array) -> Array:
    """Return the coefficients for the next round.

    Parameters
    ----------
    moments : ndarray, shape (layers, 8, 8)
        Of the choices made, see `milpcount.kernel.descent_state`.

    Returns
    -------
    ndarray, shape (layers, 5)
        Of a node's features, for natural logarithms; zero in layers where too little is known.
    """
    return np.stack([_fitted(moment) for moment in moments])


def _fitted(moments: Array) -> Array:
    n = moments[0, 0]
    if n < 2.0 * moments.shape[0]:
        return np.zeros(LEANED_OWN)
    mean = moments[0] / n
    gram = moments[:-1, :-1] - n * np.outer(mean[:-1], mean[:-1])
    below = moments[:-1, -1] - n * mean[:-1] * mean[-1]
    # The leanings are fitted too, and left out: walks had them while they were made.
    scale = np.sqrt(np.maximum(np.diag(gram), 0.0) / n)
    moving = scale > 1e-9 * np.sqrt(np.maximum(np.diag(moments)[:-1], 0.0) / n)
    scale = np.where(moving, scale, 1.0)
    scaled = np.where(np.outer(moving, moving), gram / np.outer(scale, scale), 0.0)
    target = np.where(moving, below / scale, 0.0)
    found = np.linalg.solve(scaled + _RIDGE * n * np.eye(scale.size), target) / scale
    found = np.where(moving, found, 0.0)
    found[0] = mean[-1] - found @ mean[:-1]
    return np.asarray(found[:LEANED_OWN])


def most_below(network: Network) -> Array:
    """Return the natural logarithms of the patterns of every layer and those below, (layers,).

    Nothing that comes below a node can exceed it, whatever a model says.
    """
    kinds = [layer_cells(layer).kinds for layer in network.layers]
    own = [sum(k.number * np.log(k.moving + k.constant) for k in of_layer) for of_layer in kinds]
    return np.asarray(np.cumsum(own[::-1])[::-1])


def improved(potential: Array, transitions: Array, most: Array) -> Array:
    """Return the coefficients after walks of populations.

    Of these only stages are known without bias: what a walk gains in one, and where it ends. The
    potential of a node is what is gained on the average until the stage's end, and the potential
    there: the fixed point of this (least squares temporal differences; Bradtke and Barto 1996) is
    come to by iteration, which may diverge: values are kept between zero and the most that there
    can be. Where stages are few it stays near what it was.

    Parameters
    ----------
    potential : ndarray, shape (layers, 5)
    transitions : ndarray, shape (stages, 13)
        See `milpcount.tree.populations.Population`.
    most : ndarray, shape (layers,)
        See `most_below`.
    """
    k = potential.shape[1]
    start, end, gained = transitions[:, : k + 1], transitions[:, k + 1 : -1], transitions[:, -1]
    came = end[:, 0].astype(np.int64)
    rows = [np.flatnonzero(start[:, 0] == number) for number in range(len(potential))]
    solvers = [_solver(start[own, 1:]) for own in rows]
    found = potential.copy()
    for _ in range(_TURNS):
        ahead = np.einsum("ij,ij->i", found[came], end[:, 1:])
        ahead = np.where(came >= 0, np.clip(ahead, 0.0, most[came]), 0.0)
        target = gained + ahead
        for number, (own, solver) in enumerate(zip(rows, solvers, strict=True)):
            if own.size:
                before = potential[number]
                rest = target[own] - start[own, 1:] @ before
                found[number] = before + solver @ rest
    return found


def _solver(features: Array) -> Array:
    """Return the matrix that fits coefficients to values, drawn to zero; shape (5, stages)."""
    if not len(features):
        return np.zeros((features.shape[1], 0))
    scale = np.sqrt((features**2).mean(axis=0))
    scale = np.where(scale > 0.0, scale, 1.0)
    scaled = features / scale
    # Features differ little from node to node compared with their size.
    centred = scaled - scaled.mean(axis=0)
    weight = _PRIOR * np.maximum((centred**2).mean(axis=0), 1e-6)
    weight[0] = 1e-3
    gram = scaled.T @ scaled + np.diag(weight)
    return np.asarray(np.linalg.solve(gram, scaled.T) / scale[:, None])
