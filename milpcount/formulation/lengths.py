"""How long the units' gradients typically are, so that margins measure distances in input space."""

import numpy as np

from milpcount.domain import InputSet
from milpcount.limits import tick
from milpcount.network import Network
from milpcount.preactivation.rounding import UNDERFLOW

Array = np.ndarray
SHORTEST = 1e-150
"""Gradients outside of this and its reciprocal are not told from underflow and overflow."""


def typical_slopes(network: Network, inputs: InputSet, width: Array) -> tuple[Array, ...]:
    """Return a typical Euclidean length of each unit's gradient, per layer.

    The gradient is taken with respect to the parameters scaled to the unit box. It is exact in the
    first layer; in deeper ones the inputs' gradients are taken to be orthogonal.
    """
    scales = list[Array]()
    with np.errstate(over="ignore", invalid="ignore"):
        for index, layer in enumerate(network.layers):
            tick()
            blocks, hidden = [], []
            for source in network.sources[index]:
                weight = layer.affine.weight[:, source.columns]
                which = slice(None) if source.local is None else source.local
                if source.number:
                    lengths = scales[source.number - 1][which]
                    blocks.append(weight * lengths)
                    hidden.append((weight != 0) & (lengths != 0))
                    continue
                # A sum of large terms is zero because they cancel, not by underflow.
                directions = inputs.directions[which] * width
                terms = np.abs(weight) @ np.abs(directions)
                structural = (weight != 0).astype(float) @ (directions != 0)
                blocks.append(weight @ directions)
                hidden.append((structural > 0) & (terms < SHORTEST))
            scales.append(_row_lengths(np.hstack(blocks), np.hstack(hidden)))
    return tuple(scales)


def _row_lengths(matrix: Array, hidden: Array) -> Array:
    """Return the rows' Euclidean lengths, not 0 where an entry is hidden by underflow, maybe."""
    top = np.abs(matrix).max(axis=1, initial=0.0)
    lengths = top * np.sqrt(((matrix / np.where(top > 0, top, 1.0)[:, None]) ** 2).sum(axis=1))
    return np.asarray(np.maximum(lengths, np.where(hidden.any(axis=1), UNDERFLOW, 0.0)))
