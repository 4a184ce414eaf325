"""Small networks on which the definitions of a region give different numbers."""

import numpy as np

from milpcount.domain import Box
from milpcount.examples.arrangements import arrangement
from milpcount.examples.example import Example, known
from milpcount.network import Network


def nested_minimum() -> Network:
    """Return ``max(-y, min(0, -x))``, on which all definitions of a region disagree."""
    hidden = [[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    fold, output = [[1.0, -1.0, 1.0], [1.0, 0.0, 0.0]], [[1.0, -1.0]]
    return Network.from_arrays([hidden, fold, output], [np.zeros(3), np.zeros(2), np.zeros(1)])


def stargalla_2025() -> Example:
    """Return ``max(-y, min(0, -x))`` as a network (Stargalla, Hertrich and Reichman 2025).

    Their six definitions give 7 activation regions of any dimension (here: activation patterns),
    5 that are full-dimensional (here: activation regions), 4 convex regions, 3 linear regions,
    open or closed, and 3 affine pieces, on any box around the origin.
    """
    return Example("nested minimum", nested_minimum(), Box(-1, 1), known(5, 7, 3, 3),
                   "Stargalla et al. 2025")  # fmt: skip


def opposite_units() -> Example:
    """Return ``ReLU(x)`` and ``ReLU(-x)``: 2 regions, and 3 patterns, the third at 0 only."""
    network = arrangement([[1.0], [-1.0]], [0.0, 0.0])
    return Example("x and -x", network, Box(-1, 1), known(2, 3, 2, 2),
                   "both units are inactive at 0 only")  # fmt: skip
