"""Random descents among cells that carry their vertices: walks that take one child of every node.

The weight of a walk is the product of the reciprocals of the probabilities of what it takes, times
the regions that it counts where it ends: an unbiased estimate of the regions of all cells that
vertices decide (Knuth 1975, Theorem 1), whatever the probabilities are. A cell that would be handed
over is left out, as if it were empty, so that the expectation is at most the number of regions.
Cells of the last layer are counted whole (`vertex_sections`), so nothing of a walk's spread comes
from there.

A side is taken with a probability in proportion to its unit's preference and to a power of its
width, that is of the greatest distance of its points from the hyperplane: of a cell that many
hyperplanes cut, most regions are in the wider part.
"""

from typing import NamedTuple

import numpy as np

from milpcount.kernel.branch_sampling import uniform
from milpcount.kernel.columns import UNIT_PIECES
from milpcount.kernel.compiled import inlined, jit
from milpcount.kernel.descent_state import NOT_SPLIT
from milpcount.kernel.vertex_stages import DOMAIN, ENTER
from milpcount.kernel.vertex_state import (
    ABOVE,
    BELOW,
    COLUMN,
    DEPTH,
    LAYER,
    LITERAL,
    PIECE,
    PLACE,
    REGIONS,
    STAGE,
    TURN,
    VERTICES,
)
from milpcount.types import Array

_LEAST = 2.0**-10
"""Least share of a cell's width: unlikely sides make large estimates."""

# Entries of `VertexWalks.control`.
WALK, IS_UNDER_WAY, LEFT_OUT = range(3)


class VertexWalks(NamedTuple):
    """Arrays of a batch of walks.

    Attributes
    ----------
    control : (3,)
        The current walk, whether it has begun, and how many cells were left out.
    seed : (1,)
        State of the generator.
    preference : (units, pieces)
        Logarithms of weights.
    power : (layers,)
        Of the widths.
    log_weight : (1,)
        Of the current walk.
    log_size : (walks,)
        Natural logarithms of the estimates.
    taken : (walks, units)
        Pieces taken where a cell was split.
    weight : (pieces,)
        Of the choice under way.
    """

    control: Array
    seed: Array
    preference: Array
    power: Array
    log_weight: Array
    log_size: Array
    taken: Array
    weight: Array


def new_walks(preference: Array, power: Array, walks: int, seed: int) -> VertexWalks:
    """Return the arrays of a batch that has not begun."""
    units, pieces = preference.shape
    return VertexWalks(
        np.zeros(3, dtype=np.int64),
        np.array([seed], dtype=np.uint64),
        np.ascontiguousarray(preference),
        np.ascontiguousarray(power),
        np.zeros(1),
        np.zeros(walks),
        np.full((walks, units), NOT_SPLIT, dtype=np.int32),
        np.zeros(pieces),
    )


@jit
def start(p, s, w):
    """Put a walk at the root."""
    n, node = p.V.shape[1], s.path.node[0]
    node[LAYER] = node[PLACE] = node[LITERAL] = node[TURN] = 0
    node[PIECE] = -1
    node[STAGE] = DOMAIN if p.domain_M.shape[0] > 0 else ENTER
    for v in range(node[VERTICES]):  # a cut leaves its mark
        for a in range(n):
            s.path.beside[0, v, a] = v ^ (1 << a)
    s.control[DEPTH] = s.control[REGIONS] = 0
    w.log_weight[0] = 0.0
    w.control[IS_UNDER_WAY] = 1


@jit
def finish(s, w):
    """End a walk that has come back to the root."""
    found = s.control[REGIONS]
    size = w.log_weight[0] + np.log(np.float64(found)) if found > 0 else -np.inf
    w.log_size[w.control[WALK]] = size
    w.control[WALK] += 1
    w.control[IS_UNDER_WAY] = 0


@jit
def leave_out(s, w):
    """Go on without a cell that vertices do not decide."""
    w.control[LEFT_OUT] += 1
    s.control[DEPTH] -= 1


@inlined
def choose(p, t, s, w, d, unit):
    """Choose a piece of the unit that the node at depth d branches on; the next time, none."""
    pieces = p.units[unit, UNIT_PIECES]
    if s.path.node[d, TURN] > 0:
        return pieces
    total = 0.0
    for k in range(pieces):
        w.weight[k] = np.exp(w.preference[unit, k])
    if t.units[unit, COLUMN] >= 0:
        above = below = 0.0
        for v in range(s.path.node[d, VERTICES]):
            above = max(above, s.path.value[d, v])
            below = max(below, -s.path.value[d, v])
        power = w.power[s.path.node[d, LAYER]]
        share = max(_LEAST, min(1.0 - _LEAST, above / (above + below)))
        w.weight[t.units[unit, ABOVE]] *= share**power
        w.weight[t.units[unit, BELOW]] *= (1.0 - share) ** power
    for k in range(pieces):
        total += w.weight[k]
    point, chosen = uniform(w.seed) * total, pieces - 1
    for k in range(pieces - 1):
        if point < w.weight[k]:
            chosen = k
            break
        point -= w.weight[k]
    w.log_weight[0] -= np.log(w.weight[chosen] / total)
    w.taken[w.control[WALK], unit] = chosen
    s.path.node[d, TURN] = pieces
    return chosen
