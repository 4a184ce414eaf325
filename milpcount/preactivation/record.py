"""The record of bounds on pre-activations, and what they settle."""

from dataclasses import dataclass

import numpy as np

from milpcount.network import Activation, Layer, Network
from milpcount.types import Array


@dataclass(frozen=True, eq=False)
class PreActivationBounds:
    """Bounds that hold for every input of the domain, whatever the activations.

    Attributes
    ----------
    lower, upper : tuple of ndarray
        Of each layer's values: what comes out of its affine map. They may be infinite.
    source : str
        ``interval``, ``lp`` or ``milp``.
    """

    lower: tuple[Array, ...]
    upper: tuple[Array, ...]
    source: str = "interval"

    def settled(self, network: Network) -> tuple[Array, ...]:
        """Return, for each layer, the one piece that each unit has on the domain; see below."""
        layers = zip(network.layers, self.lower, self.upper, strict=True)
        return tuple(settled_pieces(layer, low, high) for layer, low, high in layers)


def settled_pieces(layer: Layer, low: Array, high: Array) -> Array:
    """Return the one piece that each unit can have, -1 where several are left open.

    Parameters
    ----------
    layer : Layer
    low, high : ndarray, shape (n_out,)
        Bounds on its pre-activations.

    Returns
    -------
    ndarray of int64, shape (width,)
        Only comparisons of the bounds decide, so that it is as sound as they are. Tables of several
        pre-activations that are no maxout are left open: they compare differences.
    """
    found = np.full(layer.width, -1, dtype=np.int64)
    for group in layer.groups:
        found[group.units] = _settled(group.activation, low[group.values], high[group.values])
    return found


def _settled(unit: Activation, low: Array, high: Array) -> Array:
    if unit.rank == 1:
        first, last = unit.pieces_at(low), unit.pieces_at(high)
        return np.where(first == last, first, -1)
    low, high = low.reshape(-1, unit.rank), high.reshape(-1, unit.rank)
    found = np.full(len(low), -1, dtype=np.int64)
    if unit.is_maxout:
        # Value k wins if it is above those before it, and not below those after it.
        for k in range(unit.rank):
            wins = (low[:, k, None] > high[:, :k]).all(axis=1)
            wins &= (low[:, k, None] >= high[:, k + 1 :]).all(axis=1)
            found[wins] = k
    return found
