"""How a random walk chooses a piece, and what is recorded of it.

A piece's weight is its unit's preference for it, and more if the choice leans to it: by a fixed
amount to the node's ``own`` piece, in which its known point lies, and to the piece ``near`` the
centre of the cube, in proportion to the difference of the squared distances. The distances are
those of the projections that decided the pieces. In a wide network both tell much of a subtree's
size: on 784-100-100 the logarithm of what is below a node deep in the last layer has a correlation
of -0.8 with its squared distance. Walks are unbiased whatever they lean to.
"""

import numpy as np

from milpcount.kernel.cell import piece_of_point
from milpcount.kernel.compiled import jit
from milpcount.kernel.descent_state import (
    BELOW,
    CHOICES,
    DISTANCE,
    LEANED_NEAR,
    LEANED_OWN,
    LEFT,
    NEAR,
    ONE,
    OWN,
    PLACE,
    PLACE_SQUARED,
    POINT,
    WALK,
    WIDTH,
)  # fmt: skip
from milpcount.kernel.projection import FULL

_NARROW = -14.0
"""Logarithm of the width at which a part of the unit interval is drawn anew: 33 bits are left."""
_BELOW_ONE = 1.0 - 2.0**-53
_STEEPEST = 3.0
"""Largest difference of logarithms that distances make: unlikely pieces make large estimates."""


@jit
def uniform(seed):
    """Return a number in [0, 1) and advance the generator (SplitMix64; Steele et al. 2014)."""
    seed[0] += np.uint64(0x9E3779B97F4A7C15)
    z = seed[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float64(z >> np.uint64(11)) * 2.0**-53


@jit
def set_squares(q, d, own, square):
    """Set what is known of the children's distances when a node is entered."""
    q.own_square[d] = square
    for k in range(q.square.shape[1]):
        q.square[d, k] = square if k == own else -1.0


@jit
def square_of_trial(s):
    """Return the squared distance from the centre of the point that was just projected."""
    t = 0.0
    for i in range(s.trial.x.shape[0]):
        t += (s.trial.x[i] - 0.5) ** 2
    return t


@jit
def choose(p, s, q, d, unit, pieces, systematic):
    """Choose among the full-dimensional pieces; return it and its probability's logarithm.

    Evenly spaced descents must find the same weights at a node, so they are for choices that do not
    lean: what is known of a node may differ between two visits.
    """
    layer, weight = s.path.layer[d], q.weight
    systematic &= q.leaning[layer, OWN] == 0.0 and q.leaning[layer, NEAR] == 0.0
    own = piece_of_point(p, s, unit, s.path.witness[d])
    n_full, last, nearest = 0, -1, np.inf
    for k in range(pieces):
        if s.sides.verdict[d, k] == FULL:
            nearest = min(nearest, q.square[d, k])
            n_full += 1
            last = k
    if n_full < 2:
        return last, 0.0
    highest, total = -np.inf, 0.0
    for k in range(pieces):
        if s.sides.verdict[d, k] == FULL:
            weight[k] = q.preference[unit, k]
            if k == own:
                weight[k] += q.leaning[layer, OWN]
            if nearest >= 0.0:
                steep = q.leaning[layer, NEAR] * (q.square[d, k] - nearest)
                weight[k] -= max(-_STEEPEST, min(_STEEPEST, steep))
            highest = max(highest, weight[k])
    for k in range(pieces):
        if s.sides.verdict[d, k] == FULL:
            weight[k] = np.exp(weight[k] - highest)
            total += weight[k]
    if not systematic or q.place[WIDTH] < _NARROW:
        q.place[POINT] = uniform(q.seed)
        q.place[WIDTH] = 0.0
    point, chosen = q.place[POINT] * total, last
    for k in range(pieces):
        if s.sides.verdict[d, k] == FULL:
            if point < weight[k] or k == last:
                q.place[POINT] = min(point / weight[k], _BELOW_ONE)
                q.place[WIDTH] += np.log(weight[k] / total)
                chosen = k
                break
            point -= weight[k]
    log_p = np.log(weight[chosen] / total)
    if nearest >= 0.0:
        _record(s, q, d, own, chosen, pieces, total, log_p)
    return chosen, log_p


@jit
def _record(s, q, d, own, chosen, pieces, total, log_p):
    """Record a choice; what it leaned to is centred, so that nothing of the node is left in it."""
    layer, at = s.path.layer[d], q.control[CHOICES]
    c = q.choice[at]
    mean_own, mean_square = 0.0, 0.0
    for k in range(pieces):
        if s.sides.verdict[d, k] == FULL:
            share = q.weight[k] / total
            mean_square += share * q.square[d, k]
            if k == own:
                mean_own = share
    place = s.path.place[d] / np.float64(s.opened.number[layer])
    c[ONE], c[PLACE], c[PLACE_SQUARED] = 1.0, place, place * place
    c[DISTANCE] = q.own_square[d]
    c[LEFT] = s.opened.number[layer] - s.path.place[d]
    c[LEANED_OWN] = (1.0 if chosen == own else 0.0) - mean_own
    c[LEANED_NEAR] = mean_square - q.square[d, chosen]
    c[BELOW] = q.log_size[q.control[WALK]] - log_p
    q.choice_layer[at] = layer
    q.control[CHOICES] += 1


@jit
def close_record(q, first, log_size):
    """Add the choices from `first` on to the moments, now that what came below them is known."""
    if log_size > -np.inf:
        for i in range(first, q.control[CHOICES]):
            c, m = q.choice[i], q.moments[q.choice_layer[i]]
            c[BELOW] = log_size - c[BELOW]
            for a in range(BELOW + 1):
                for b in range(BELOW + 1):
                    m[a, b] += c[a] * c[b]
    q.control[CHOICES] = first
