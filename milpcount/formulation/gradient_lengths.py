"""How long the units' gradients typically are, so that margins measure distances in input space."""

from typing import Any

import numpy as np
from scipy import sparse

from milpcount.domain import InputSet
from milpcount.limits import tick
from milpcount.network import Network
from milpcount.preactivation.rounding import UNDERFLOW
from milpcount.types import Array

SHORTEST = 1e-150
"""Gradients outside of this and its reciprocal are not told from underflow and overflow."""


def typical_slopes(network: Network, inputs: InputSet, width: Array) -> tuple[Array, ...]:
    """Return a typical Euclidean length of each pre-activation's gradient, per layer.

    The gradient is taken with respect to the parameters scaled to the unit box. It is exact in the
    first layer; in deeper ones the inputs' gradients are taken to be orthogonal, a scalar unit's to
    be its pre-activation's, and a maximum's the longest of its arguments'.
    """
    scales, outputs = list[Array](), list[Array]()
    with np.errstate(over="ignore", invalid="ignore"):
        for index, layer in enumerate(network.layers):
            tick()
            blocks, hidden = [], []
            for source in network.sources[index]:
                weight = layer.affine.matrix[:, source.columns]
                which = slice(None) if source.local is None else source.local
                if source.number:
                    lengths = outputs[source.number - 1][which]
                    blocks.append(_scaled(weight, lengths))
                    hidden.append(_scaled(weight, lengths, nonzero=True))
                    continue
                # A sum of large terms is zero because they cancel, not by underflow.
                directions = inputs.directions[which] * width
                terms = abs(weight) @ np.abs(directions)
                structural = (weight != 0).astype(float) @ (directions != 0)
                blocks.append(weight @ directions)
                hidden.append((structural > 0) & (terms < SHORTEST))
            scales.append(_row_lengths(blocks, hidden))
            first = layer.value_starts[:-1]
            outputs.append(np.asarray(np.maximum.reduceat(scales[-1], first)))
    return tuple(scales)


def _scaled(weight: Any, lengths: Array, *, nonzero: bool = False) -> Array:
    """Return ``weight * lengths``, or where it has two factors that are not zero; rows padded.

    Of a sparse matrix each row's entries come first, and zeros after: what is asked of a row is its
    length and its largest entry, which do not depend on the order.
    """
    if isinstance(weight, np.ndarray):
        return np.asarray((weight != 0) & (lengths != 0) if nonzero else weight * lengths)
    weight = sparse.csr_array(weight)
    counts = np.diff(weight.indptr)
    found = np.zeros((weight.shape[0], int(counts.max(initial=0))))
    rows = np.repeat(np.arange(weight.shape[0]), counts)
    places = np.arange(weight.data.size) - weight.indptr[rows]
    taken = lengths[weight.indices]
    found[rows, places] = (taken != 0) if nonzero else weight.data * taken
    return np.asarray(found != 0) if nonzero else found


def _row_lengths(blocks: list[Array], hidden: list[Array]) -> Array:
    """Return the rows' Euclidean lengths, not 0 where an entry is hidden by underflow, maybe."""
    matrix, marks = np.hstack(blocks), np.hstack(hidden)
    top = np.abs(matrix).max(axis=1, initial=0.0)
    lengths = top * np.sqrt(((matrix / np.where(top > 0, top, 1.0)[:, None]) ** 2).sum(axis=1))
    return np.asarray(np.maximum(lengths, np.where(marks.any(axis=1), UNDERFLOW, 0.0)))
