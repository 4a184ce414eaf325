"""Random descents of the region tree: a walk from the root that takes one child at every node.

A node's child is taken with a probability that is known, so the product of the reciprocals along
the walk is an unbiased estimate of the number of leaves (Knuth 1975, Theorem 1), whatever the
probabilities are; the nearer they are to the shares of the children's subtrees, the lower its
variance. A subtree that is small for certain is counted instead. A walk that has come to the last
layer descends it several times and takes the mean; where choices do not lean (`branch_sampling`),
at points spaced evenly in the unit interval that they divide (systematic sampling). The root is
entered once and the walks share what is learned of its cell. Walks may also be made in stages,
so that many advance side by side and are replaced by each other in between.

No walk asks for exact arithmetic to decide a side: what floating point cannot decide is left out,
as if it were empty; where that leaves nothing of a cell, it counts as one region, since it has
interior points. The estimate's expectation is then below the number of regions, never above, and
lower bounds stay valid.
"""

import numpy as np

from milpcount.kernel.branch_sampling import (
    choose,
    close_record,
    set_squares,
    square_of_trial,
    uniform,
)
from milpcount.kernel.cell import NO_VERDICT, piece_of_point
from milpcount.kernel.columns import (
    LAYER_READS_INPUTS,
    LAYER_UNIT,
    UNIT_IS_LAST,
    UNIT_PIECES,
    UNIT_ROWS,
)
from milpcount.kernel.compiled import entry, jit
from milpcount.kernel.depth_first import descend, enter_root, search
from milpcount.kernel.descent_state import (
    ABOVE,
    BASE,
    BRANCHED_AT,
    CHOICES,
    CHOICES_ABOVE,
    COUNT_BELOW,
    COUNT_FROM,
    COUNTED,
    DEAD_ENDS,
    DESCENT,
    DESCENT_TESTS,
    DESCENTS,
    HALTED,
    IN_STAGES,
    NOT_SPLIT,
    OFFSET,
    POINT,
    REACH,
    SQUARES,
    STOP_LAYER,
    STOP_PLACE,
    SUM,
    UNDECIDED_SIDES,
    WALK,
    WIDTH,
)  # fmt: skip
from milpcount.kernel.layer_entry import enter_layer_at
from milpcount.kernel.layers import units_of
from milpcount.kernel.projection import EMPTY, FULL, UNDECIDED
from milpcount.kernel.sides import price, test_piece
from milpcount.kernel.stages import (
    ASK_DOMAIN,
    ASK_ROOM,
    ASK_SIDE,
    COMPOSE,
    DESCEND,
    DONE,
    ENTERED,
    PASSED,
    PAUSED,
    ROOT,
    TEST,
)
from milpcount.kernel.state import (
    BUDGET,
    DEPTH,
    FLOOR,
    MOST_REGIONS,
    POOL_HITS,
    REGIONS,
    TESTS,
    VERDICT,
)  # fmt: skip


@jit
def _most_below(p, s, d, cap):
    """Return an upper bound on the leaves below a node of the last layer, at most `cap`.

    Zaslavsky (1975): n hyperplanes cut a set of dimension r into at most the sum of the binomial
    coefficients C(n, j), j <= r.
    """
    layer = s.path.layer[d]
    # Where the layer reads units only, its values depend on the outputs that are not constant.
    rank = p.V.shape[1]
    if p.layers[layer, LAYER_READS_INPUTS] == 0:
        rank = 0
        for u in range(p.layers[layer, LAYER_UNIT]):
            if p.units[u, UNIT_IS_LAST] != 0 and s.outputs.s[u] != 0.0:
                rank += 1
    planes = 0
    for i in range(s.path.place[d], s.opened.number[layer]):
        planes += p.units[s.opened.unit[layer, i], UNIT_ROWS]
    total, term = 1.0, 1.0
    for j in range(1, min(planes, rank) + 1):
        term *= (planes - j + 1) / j
        total += term
        if total > cap:
            return total
    return total


@jit
def _start_count(s, q, d):
    """Begin to count the leaves below the node at depth d."""
    q.control[COUNT_FROM] = s.control[REGIONS]
    s.control[FLOOR] = d
    s.control[MOST_REGIONS] = np.int64(2) ** 62


@jit
def _go_on_counting(p, s, scratch, q, rounding):
    """Count leaves until there are none left or the budget is spent; say which.

    Cells that stay open count as empty.
    """
    while True:
        wanted = search(p, s, scratch, rounding)
        if wanted != ASK_SIDE:
            return wanted
        s.control[VERDICT] = EMPTY
        q.control[UNDECIDED_SIDES] += 1


@jit
def _branch(p, s, q, d):
    """Begin the descents of the last layer, all from the node at depth d."""
    q.control[BASE] = d
    q.control[DESCENT] = 0
    q.place[OFFSET] = uniform(q.seed)
    q.place[ABOVE] = q.log_size[q.control[WALK]]
    q.place[SUM] = -np.inf
    q.place[SQUARES] = -np.inf
    q.control[BRANCHED_AT] = s.control[TESTS]
    q.control[CHOICES_ABOVE] = q.control[CHOICES]
    _start_descent(p, s, q)


@jit
def _start_descent(p, s, q):
    """Go to the node where the descents begin, each with its own part of the unit interval."""
    d, last = q.control[BASE], p.layers.shape[0] - 1
    s.control[DEPTH] = d
    s.path.stage[d] = TEST
    s.path.turn[d] = 0
    q.log_size[q.control[WALK]] = 0.0
    q.place[POINT] = (q.control[DESCENT] + q.place[OFFSET]) / q.control[DESCENTS]
    q.place[WIDTH] = -np.log(np.float64(q.control[DESCENTS]))
    for u in range(*units_of(p, last)):
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
        close_record(q, q.control[CHOICES_ABOVE], size)
        q.place[SUM] = _log_sum(size, before)
        q.place[SQUARES] = _log_sum(2.0 * size, q.place[SQUARES])
        if q.place[SUM] > -np.inf:
            # What is learned from a walk is one of its descents, drawn by its size.
            if uniform(q.seed) < np.exp(size - q.place[SUM]):
                for u in range(*units_of(p, last)):
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
    close_record(q, 0, q.log_size[t])
    q.control[WALK] += 1
    s.control[DEPTH] = 0
    if s.path.stage[0] != ROOT and s.path.stage[0] != COMPOSE:
        s.path.stage[0] = TEST
        s.path.turn[0] = 0


@jit
def _is_implied(s, d, k, pieces):
    """Return whether a node's cell lies on piece k, so that the piece's rows add nothing to it."""
    for j in range(pieces):
        if j != k and s.sides.verdict[d, j] != EMPTY:
            return False
    return True


@jit
def _leave_out(s, d):
    """Take the rows that a child at depth d + 1 has more than its parent out of its cell."""
    for i in range(s.path.size[d], s.path.size[d + 1]):
        if s.path.lam[d + 1, i] != 0.0:
            s.path.start[d + 1] = -1  # the projection that was kept rests on the row
    s.path.size[d + 1] = s.path.size[d]


@entry
def walk(p, s, scratch, q, rounding):
    """Make the walks of a batch; or, in stages, advance the current one.

    Returns
    -------
    int
        `DONE` at the end, of the one walk if they are made in stages; `HALTED` at its next stop;
        `PAUSED` between or within walks when the budget is spent; or what is wanted from Python.
    """
    c, last_layer = s.control, p.layers.shape[0] - 1
    in_stages = q.control[IN_STAGES] > 0
    most = np.float64(q.control[COUNT_BELOW])
    while q.control[WALK] < q.log_size.shape[0]:
        t = q.control[WALK]
        if c[FLOOR] > 0:
            wanted = _go_on_counting(p, s, scratch, q, rounding)
            if wanted != DONE:
                return wanted
            c[FLOOR] = 0
            q.control[COUNTED] += 1
            q.log_size[t] += np.log(np.float64(c[REGIONS] - q.control[COUNT_FROM]))
            if in_stages:
                return DONE
            _finish(p, s, q)
            continue
        if c[BUDGET] <= 0:
            return PAUSED
        d = c[DEPTH]
        layer = s.path.layer[d]
        if layer > last_layer:
            if in_stages:
                return DONE
            _finish(p, s, q)
            continue
        if s.path.stage[d] == ROOT:
            if not enter_root(p, s, scratch):
                return ASK_DOMAIN
            q.own_square[d] = square_of_trial(s)
            q.place[REACH] = q.own_square[d]
        if s.path.stage[d] == COMPOSE:
            came = enter_layer_at(p, s, scratch, d, rounding)
            if came == PASSED:
                continue
            if came == ENTERED or came == ASK_ROOM:
                own = piece_of_point(p, s, s.opened.unit[layer, 0], s.path.witness[d])
                set_squares(q, d, own, q.own_square[d])
            if came != ENTERED:
                return came
        if in_stages and (
            layer > q.control[STOP_LAYER]
            or (layer == q.control[STOP_LAYER] and s.path.place[d] >= q.control[STOP_PLACE])
        ):
            return HALTED
        if layer == last_layer:
            if d > 0 and _most_below(p, s, d, most) <= most:
                _start_count(s, q, d)
                continue
            if q.control[DESCENT] < 0 and not in_stages:
                _branch(p, s, q, d)
        unit = s.opened.unit[layer, s.path.place[d]]
        pieces = p.units[unit, UNIT_PIECES]
        for k in range(pieces):
            if s.sides.verdict[d, k] == NO_VERDICT:
                hits, tests = c[POOL_HITS], c[TESTS]
                s.sides.verdict[d, k] = test_piece(p, s, scratch, d, unit, k)
                c[BUDGET] -= price(p, s, d, c[TESTS] - tests)
                if (
                    s.sides.verdict[d, k] == FULL
                    and s.path.corners[d] == 0
                    and c[POOL_HITS] == hits
                ):
                    q.square[d, k] = square_of_trial(s)
                if s.sides.verdict[d, k] == NO_VERDICT:
                    s.sides.verdict[d, k] = UNDECIDED
                    q.control[UNDECIDED_SIDES] += 1
        k, log_p = choose(p, s, q, d, unit, pieces, layer == last_layer and not in_stages)
        if k < 0:
            # No side is decided, but the node's cell has interior points: one region at least.
            q.control[DEAD_ENDS] += 1
            if in_stages:
                return DONE
            _finish(p, s, q)
            continue
        if log_p < 0.0:
            if layer == last_layer and not in_stages:
                q.trial[unit] = k
            else:
                q.taken[t, unit] = k
            q.log_size[t] -= log_p
        s.path.stage[d] = DESCEND
        s.path.turn[d] = k + 1
        descend(p, s, d, unit, k)
        if _is_implied(s, d, k, pieces):
            _leave_out(s, d)
        q.own_square[d + 1] = q.square[d, k]
        if q.square[d, k] >= 0.0:
            q.place[REACH] = q.square[d, k]
        if s.path.stage[d + 1] == TEST:
            below = s.opened.unit[layer, s.path.place[d + 1]]
            own = piece_of_point(p, s, below, s.path.witness[d + 1])
            set_squares(q, d + 1, own, q.square[d, k])
    return DONE
