"""Random descents of the region tree: a walk from the root that takes one child at every node.

A node's child is taken with a probability that is known, so the product of the reciprocals along
the walk is an unbiased estimate of the number of leaves (Knuth 1975, Theorem 1), whatever the
probabilities are; the nearer they are to the shares of the children's subtrees, the lower its
variance. A subtree that is small for certain is counted instead. A walk that has come to the last
layer descends it several times, at points spaced evenly in the unit interval that the choices
divide (systematic sampling), and takes the mean. The root is entered once and the walks share what
is learned of its cell.

No walk asks for exact arithmetic to decide a side: what floating point cannot decide is left out,
as if it were empty. The estimate's expectation is then below the number of regions, never above,
and lower bounds stay valid.
"""

from typing import NamedTuple

import numpy as np

from milpcount.tree.cell import OPEN
from milpcount.tree.compiled import jit
from milpcount.tree.kernel import (
    ASK_DOMAIN,
    ASK_ROW,
    ASK_SIDE,
    COMPOSE,
    DESCEND,
    DONE,
    PAUSED,
    ROOT,
    TEST,
    compose,
    descend,
    enter_root,
    run,
    settle,
    take_free_side,
    test_piece,
)  # fmt: skip
from milpcount.tree.projection import EMPTY, FULL
from milpcount.tree.state import ASKED, BUDGET, DEPTH, FLOOR, MOST_REGIONS, REGIONS, TESTS, VERDICT

NOT_SPLIT = 255
"""In `Walks.taken`: the unit was settled, or the walk ended above it."""

# Entries of `Walks.control`.
(WALK, PAUSE_AT, COUNT_BELOW, UNDECIDED, DEAD_ENDS, COUNTED, DESCENTS, DESCENT, BASE,
 BRANCHED_AT, DESCENT_TESTS) = range(11)  # fmt: skip
# Entries of `Walks.place`.
POINT, WIDTH, OFFSET, ABOVE, SUM, SQUARES = range(6)

_NARROW = -14.0
"""Logarithm of the width at which a part of the unit interval is drawn anew: 33 bits are left."""
_BELOW_ONE = 1.0 - 2.0**-53


class Walks(NamedTuple):
    """Arrays of a batch of walks.

    ``control``: the current walk; the number of tests at which to pause; the most regions that a
    subtree of the last layer may have to be counted; how many sides were left out undecided, how
    many walks ended without a region for that reason, how many subtrees were counted, and how many
    tests the descents of the last layer took.
    ``seed`` (1,): state of the generator. ``preference`` (units, pieces): logarithms of weights; a
    piece is taken with its share among those of the unit's pieces that meet the cell. ``log_size``
    (walks,): natural logarithms of the estimates; ``log_square`` (walks,): of the mean squares of
    their descents. ``taken`` (walks, units): pieces taken where a cell was split; ``trial``
    (units,): in the current descent of the last layer. ``place``: where in the unit interval the
    choices of a descent are, and sums over descents.
    """

    control: np.ndarray
    seed: np.ndarray
    preference: np.ndarray
    log_size: np.ndarray
    log_square: np.ndarray
    taken: np.ndarray
    trial: np.ndarray
    place: np.ndarray


def new_walks(
    preference: np.ndarray, walks: int, seed: int, count_below: int, descents: int
) -> Walks:
    """Return the arrays of a batch that has not begun.

    Parameters
    ----------
    preference : ndarray, shape (units, pieces)
    walks : int
    seed : int
        64 bits.
    count_below : int
        Subtrees of the last layer with at most so many regions are counted.
    descents : int
        Descents of the last layer in every walk.
    """
    control = np.zeros(11, dtype=np.int64)
    control[COUNT_BELOW], control[DESCENTS], control[DESCENT] = count_below, descents, -1
    taken = np.full((walks, preference.shape[0]), NOT_SPLIT, dtype=np.uint8)
    return Walks(
        control,
        np.array([seed], dtype=np.uint64),
        np.ascontiguousarray(preference),
        np.zeros(walks),
        np.zeros(walks),
        taken,
        np.full(preference.shape[0], NOT_SPLIT, dtype=np.uint8),
        np.zeros(6),
    )


@jit
def _uniform(seed):
    """Return a number in [0, 1) and advance the generator (SplitMix64; Steele et al. 2014)."""
    seed[0] += np.uint64(0x9E3779B97F4A7C15)
    z = seed[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float64(z >> np.uint64(11)) * 2.0**-53


@jit
def _choose(s, q, d, unit, pieces, systematic):
    """Choose among the full-dimensional pieces; return it and its probability's logarithm."""
    total, highest, n_full, last = 0.0, -np.inf, 0, -1
    for k in range(pieces):
        if s.full[d, k] == FULL:
            highest = max(highest, q.preference[unit, k])
            n_full += 1
            last = k
    if n_full < 2:
        return last, 0.0
    for k in range(pieces):
        if s.full[d, k] == FULL:
            total += np.exp(q.preference[unit, k] - highest)
    if not systematic or q.place[WIDTH] < _NARROW:
        q.place[POINT] = _uniform(q.seed)
        q.place[WIDTH] = 0.0
    point = q.place[POINT] * total
    for k in range(pieces):
        if s.full[d, k] == FULL:
            weight = np.exp(q.preference[unit, k] - highest)
            if point < weight or k == last:
                q.place[POINT] = min(point / weight, _BELOW_ONE)
                q.place[WIDTH] += np.log(weight / total)
                return k, np.log(weight / total)
            point -= weight
    return last, 0.0


@jit
def _most_below(p, s, d, cap):
    """Return an upper bound on the leaves below a node of the last layer, at most `cap`.

    Zaslavsky (1975): n hyperplanes cut a set of dimension r into at most the sum of the binomial
    coefficients C(n, j), j <= r.
    """
    layer = s.layer[d]
    rank = p.V.shape[1]
    if layer > 0:
        rank = 0
        for u in range(p.layers[layer - 1, 0], p.layers[layer - 1, 0] + p.layers[layer - 1, 1]):
            if s.unit_s[u] != 0.0:
                rank += 1
    planes = 0
    for i in range(s.place[d], s.n_open[layer]):
        planes += p.units[s.opened[layer, i], 3]
    total, term = 1.0, 1.0
    for j in range(1, min(planes, rank) + 1):
        term *= (planes - j + 1) / j
        total += term
        if total > cap:
            return total
    return total


@jit
def _count_below(p, s, scratch, q, d, rounding):
    """Count the leaves below the node at depth d; cells that stay open count as empty."""
    c = s.control
    before = c[REGIONS]
    c[FLOOR] = d
    c[MOST_REGIONS] = np.int64(2) ** 62
    while True:
        c[BUDGET] = np.int64(2) ** 62
        wanted = run(p, s, scratch, rounding)
        if wanted == ASK_SIDE:
            c[VERDICT] = EMPTY
            q.control[UNDECIDED] += 1
        elif wanted != PAUSED:
            break
    c[FLOOR] = 0
    return c[REGIONS] - before


@jit
def _branch(p, s, q, d):
    """Begin the descents of the last layer, all from the node at depth d."""
    q.control[BASE] = d
    q.control[DESCENT] = 0
    q.place[OFFSET] = _uniform(q.seed)
    q.place[ABOVE] = q.log_size[q.control[WALK]]
    q.place[SUM] = -np.inf
    q.place[SQUARES] = -np.inf
    q.control[BRANCHED_AT] = s.control[TESTS]
    _start_descent(p, s, q)


@jit
def _start_descent(p, s, q):
    """Go to the node where the descents begin, each with its own part of the unit interval."""
    d, last = q.control[BASE], p.layers.shape[0] - 1
    s.control[DEPTH] = d
    s.stage[d] = TEST
    s.turn[d] = 0
    q.log_size[q.control[WALK]] = 0.0
    q.place[POINT] = (q.control[DESCENT] + q.place[OFFSET]) / q.control[DESCENTS]
    q.place[WIDTH] = -np.log(np.float64(q.control[DESCENTS]))
    for u in range(p.layers[last, 0], p.layers[last, 0] + p.layers[last, 1]):
        q.trial[u] = NOT_SPLIT


@jit
def _log_sum(a, b):
    """Return ``log(exp(a) + exp(b))``."""
    top = max(a, b)
    return top if top == -np.inf else top + np.log(np.exp(a - top) + np.exp(b - top))


@jit
def _finish(p, s, q):
    """End a descent or a walk, and go back to where the next one begins."""
    t, last = q.control[WALK], p.layers.shape[0] - 1
    if q.control[DESCENT] >= 0:
        size, before = q.log_size[t], q.place[SUM]
        q.place[SUM] = _log_sum(size, before)
        q.place[SQUARES] = _log_sum(2.0 * size, q.place[SQUARES])
        if q.place[SUM] > -np.inf:
            # What is learned from a walk is one of its descents, drawn by its size.
            if _uniform(q.seed) < np.exp(size - q.place[SUM]):
                for u in range(p.layers[last, 0], p.layers[last, 0] + p.layers[last, 1]):
                    q.taken[t, u] = q.trial[u]
        q.control[DESCENT] += 1
        if q.control[DESCENT] < q.control[DESCENTS]:
            _start_descent(p, s, q)
            return
        log_number = np.log(np.float64(q.control[DESCENTS]))
        q.log_size[t] = q.place[ABOVE] + q.place[SUM] - log_number
        q.log_square[t] = 2.0 * q.place[ABOVE] + q.place[SQUARES] - log_number
        q.control[DESCENT] = -1
        q.control[DESCENT_TESTS] += s.control[TESTS] - q.control[BRANCHED_AT]
    else:
        q.log_square[t] = 2.0 * q.log_size[t]
    q.control[WALK] += 1
    s.control[DEPTH] = 0
    if s.stage[0] != ROOT and s.stage[0] != COMPOSE:
        s.stage[0] = TEST
        s.turn[0] = 0


@jit
def walk(p, s, scratch, q, rounding):
    """Make the walks of a batch.

    Returns
    -------
    int
        `DONE` at the end, `PAUSED` between or within walks when the tests reach ``PAUSE_AT``, or
        what is wanted from Python.
    """
    c, last_layer = s.control, p.layers.shape[0] - 1
    most = np.float64(q.control[COUNT_BELOW])
    while q.control[WALK] < q.log_size.shape[0]:
        if c[TESTS] >= q.control[PAUSE_AT]:
            return PAUSED
        t, d = q.control[WALK], c[DEPTH]
        layer = s.layer[d]
        if layer > last_layer:
            _finish(p, s, q)
            continue
        if s.stage[d] == ROOT and not enter_root(p, s, scratch):
            return ASK_DOMAIN
        if s.stage[d] == COMPOSE:
            row = compose(p, s, d, rounding)
            if row >= 0:
                c[ASKED] = row
                return ASK_ROW
            settle(p, s, scratch, d)
            s.turn[d] = 0
            if s.n_open[layer] == 0:
                s.layer[d] = layer + 1
                continue
            s.stage[d] = TEST
            take_free_side(p, s, d, s.opened[layer, 0])
        if layer == last_layer:
            if d > 0 and _most_below(p, s, d, most) <= most:
                below = _count_below(p, s, scratch, q, d, rounding)
                q.control[COUNTED] += 1
                q.log_size[t] += np.log(np.float64(below))
                _finish(p, s, q)
                continue
            if q.control[DESCENT] < 0:
                _branch(p, s, q, d)
        unit = s.opened[layer, s.place[d]]
        pieces = p.units[unit, 5]
        for k in range(pieces):
            if s.full[d, k] == OPEN:
                s.full[d, k] = test_piece(p, s, scratch, d, unit, k)
                if s.full[d, k] == OPEN:
                    s.full[d, k] = EMPTY
                    q.control[UNDECIDED] += 1
        k, log_p = _choose(s, q, d, unit, pieces, layer == last_layer)
        if k < 0:
            q.control[DEAD_ENDS] += 1
            q.log_size[t] = -np.inf
            _finish(p, s, q)
            continue
        if log_p < 0.0:
            if layer == last_layer:
                q.trial[unit] = k
            else:
                q.taken[t, unit] = k
            q.log_size[t] -= log_p
        s.stage[d] = DESCEND
        s.turn[d] = k + 1
        descend(p, s, d, unit, k)
    return DONE
