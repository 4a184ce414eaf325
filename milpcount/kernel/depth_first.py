"""The search: depth-first, a node's children being the full-dimensional pieces of one unit.

On entering a layer every unit is tested against the cell of the layers above. Units that do not
split it are settled for the whole subtree; the others are decided one below the other. The kernel
runs in slices: it returns to Python when its budget of work is spent, when a cell cannot be
decided in floating point, and when it has finished. All it knows is in `State`.
"""

from milpcount.kernel.cell import NO_VERDICT, decide, push_piece
from milpcount.kernel.columns import (
    LAYER_ROW,
    UNIT_PIECE,
    UNIT_PIECES,
)
from milpcount.kernel.compiled import copy, copy_bits, entry, fill, jit
from milpcount.kernel.conflict_cache import (
    add_literals,
)  # fmt: skip
from milpcount.kernel.layer_entry import enter_layer_at
from milpcount.kernel.parity import is_allowed, put
from milpcount.kernel.projection import EMPTY, FULL
from milpcount.kernel.rows import (
    set_output,
)  # fmt: skip
from milpcount.kernel.sides import price, take_free_side, test_piece
from milpcount.kernel.stages import (
    ASK_DOMAIN,
    ASK_SIDE,
    BARRED,
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
    ANY,
    ASKED,
    BUDGET,
    DEPTH,
    FLOOR,
    KEPT,
    MOST_REGIONS,
    PLACE_OF_START,
    REGIONS,
    START,
    TESTS,
    VERDICT,
)  # fmt: skip


@jit
def descend(p, s, d, unit, k):
    """Set up the child of the node at depth d on piece k of its unit."""
    layer, piece = s.path.layer[d], p.units[unit, UNIT_PIECE] + k
    count = push_piece(p, s, piece, s.path.size[d])
    s.pattern[unit] = k
    if s.parities.rows.shape[1] > 0:
        put(s.parities, unit, k)
    set_output(p, unit, piece, s.values, s.outputs)
    s.path.size[d + 1] = count
    copy(s.path.witness[d + 1], s.sides.witness[d, k])
    for i in range(count):
        s.path.lam[d + 1, i] = s.sides.lam[d, k, i]
    s.path.start[d + 1] = s.sides.start[d, k]
    s.path.corners[d + 1] = 0
    if s.path.corners[d] > 0:
        s.path.corners[d + 1] = s.sides.corners[d, k]
        for i in range(s.path.corners[d + 1]):
            s.path.polygon[d + 1, i, 0] = s.sides.polygon[d, k, i, 0]
            s.path.polygon[d + 1, i, 1] = s.sides.polygon[d, k, i, 1]
    s.path.turn[d + 1] = 0
    if s.path.place[d] + 1 < s.opened.number[layer]:
        s.path.layer[d + 1] = layer
        s.path.place[d + 1] = s.path.place[d] + 1
        copy_bits(s.path.prefix[d + 1], s.path.prefix[d])
        add_literals(p, s, piece, s.path.prefix[d + 1], p.layers[layer, LAYER_ROW])
        s.path.stage[d + 1] = TEST
        take_free_side(p, s, d + 1, s.opened.unit[layer, s.path.place[d + 1]])
    else:
        s.path.layer[d + 1] = layer + 1
        s.path.place[d + 1] = 0
        s.path.stage[d + 1] = COMPOSE
    s.control[DEPTH] = d + 1


@jit
def enter_root(p, s, scratch):
    """Find a point of the domain; return whether one was found."""
    fill(s.trial.lam, 0.0)
    s.control[START] = s.control[PLACE_OF_START] = 0
    if decide(p, s, scratch, s.path.size[0]) != FULL:
        return False
    copy(s.path.witness[0], s.trial.g)
    s.path.stage[0] = COMPOSE
    return True


@jit
def search(p, s, scratch, rounding):
    """Search until the budget of work is spent or Python is needed; return what is wanted.

    Nodes above the depth ``FLOOR`` are not returned to: the search of a subtree starts with its
    root as the current node and the floor at that depth.
    """
    c = s.control
    keep = s.kept.patterns.shape[0] > 1
    parities = s.parities.rows.shape[1] > 0
    while c[DEPTH] >= c[FLOOR]:
        d = c[DEPTH]
        layer = s.path.layer[d]
        if layer == p.layers.shape[0]:
            c[REGIONS] += 1
            if keep:
                for u in range(s.pattern.shape[0]):
                    s.kept.patterns[c[KEPT], u] = s.pattern[u]
                copy(s.kept.points[c[KEPT]], s.path.witness[d])
                c[KEPT] += 1
            c[DEPTH] -= 1
            if (keep and c[KEPT] == s.kept.patterns.shape[0]) or c[REGIONS] >= c[MOST_REGIONS]:
                return PAUSED
            continue
        if s.path.stage[d] == ROOT:
            if not enter_root(p, s, scratch):
                return ASK_DOMAIN
        if s.path.stage[d] == COMPOSE:
            came = enter_layer_at(p, s, scratch, d, rounding)
            if came == BARRED:
                c[DEPTH] -= 1
                continue
            if came == PASSED:
                continue
            if came != ENTERED:
                return came
        unit = s.opened.unit[layer, s.path.place[d]]
        pieces = p.units[unit, UNIT_PIECES]
        if s.path.stage[d] == TEST:
            while s.path.turn[d] < pieces:
                k = s.path.turn[d]
                if s.forced[unit] != ANY and s.forced[unit] != k:
                    s.sides.verdict[d, k] = EMPTY
                elif parities and not is_allowed(s.parities, layer, unit, k):
                    s.sides.verdict[d, k] = EMPTY
                elif s.sides.verdict[d, k] == NO_VERDICT:
                    if c[VERDICT] != NO_VERDICT:
                        s.sides.verdict[d, k] = c[VERDICT]
                        c[VERDICT] = NO_VERDICT
                    else:
                        if c[BUDGET] <= 0:
                            return PAUSED
                        tests = c[TESTS]
                        verdict = test_piece(p, s, scratch, d, unit, k)
                        c[BUDGET] -= price(p, s, d, c[TESTS] - tests)
                        if verdict == NO_VERDICT:
                            c[ASKED] = k
                            return ASK_SIDE
                        s.sides.verdict[d, k] = verdict
                s.path.turn[d] += 1
            s.path.turn[d] = 0
            s.path.stage[d] = DESCEND
        k = s.path.turn[d]
        while k < pieces and (
            s.sides.verdict[d, k] != FULL
            or (parities and not is_allowed(s.parities, layer, unit, k))
        ):
            k += 1  # parities may have come since the piece was tested
        if k == pieces:
            c[DEPTH] -= 1
            continue
        s.path.turn[d] = k + 1
        descend(p, s, d, unit, k)
    return DONE


@entry
def run(p, s, scratch, rounding):
    """Do the same as `search`, for Python; walks link the search into code of their own."""
    return search(p, s, scratch, rounding)
