"""The tests of a unit's pieces at a node: by corners, by what is known, or by a projection."""

from milpcount.kernel.cell import NO_VERDICT, decide, piece_of_point, push_piece
from milpcount.kernel.certify import is_interior
from milpcount.kernel.columns import (
    LAYER_ROW,
    LITERAL_ROW,
    LITERAL_SIGN,
    UNIT_PIECE,
    UNIT_PIECES,
    UNIT_ROWS,
)
from milpcount.kernel.compiled import copy, copy_bits, jit
from milpcount.kernel.conflict_cache import (
    add_literals,
    find_point,
    in_conflict,
    learn_conflict,
    learn_segments,
)  # fmt: skip
from milpcount.kernel.polygon import DRIFT, centre, clip, is_below
from milpcount.kernel.projection import EMPTY, FULL
from milpcount.kernel.rows import (
    NORMAL,
)  # fmt: skip
from milpcount.kernel.state import (
    CLAUSE_HITS,
    COUNT,
    PLACE_OF_START,
    POLYGON,
    POOL_HITS,
    START,
)  # fmt: skip
from milpcount.kernel.warm_starts import keep_start

_OPERATIONS = 1000
"""Multiplications in a unit of the budget: about a test of a small cell."""
_PATIENT = 10
"""How many times a first attempt at a cell the second may take."""


@jit
def work(operations):
    """Return so many multiplications as units of the budget, at least one."""
    return 1 + operations // _OPERATIONS


@jit
def price(p, s, d, attempts):
    """Return what a test below the node at depth d costs: attempts move V and the cell's rows.

    Two attempts are a test whose second is patient, more are several tests. They are counted
    outside of the test: a few lines more in there made counting a tenth slower.
    """
    if attempts == 0:
        return 1
    moved = s.path.size[d] * p.V.shape[0] + (0 if p.small else 5 * p.V.size)
    return work(moved * (attempts if attempts != 2 else _PATIENT))


@jit
def test_piece(p, s, scratch, d, unit, k):
    """Decide piece k of a unit below the node at depth d; set what its child starts from."""
    layer, c = s.path.layer[d], s.control
    piece, before = p.units[unit, UNIT_PIECE] + k, s.path.size[d]
    count = push_piece(p, s, piece, before)
    if count < 0:
        return EMPTY
    c[COUNT] = count
    for i in range(before):
        s.trial.lam[i] = s.path.lam[d, i]
    for i in range(before, count):
        s.trial.lam[i] = 0.0
    if s.path.corners[d] > 0:
        verdict = _test_polygon(p, s, scratch, d, k, before, count)
        if verdict != NO_VERDICT:
            c[POLYGON] += 1
            return verdict
    else:
        bits = scratch.bits
        copy_bits(bits, s.path.prefix[d])
        add_literals(p, s, piece, bits, p.layers[layer, LAYER_ROW])
        if in_conflict(s, layer, bits):
            c[CLAUSE_HITS] += 1
            return EMPTY
        at = find_point(s, layer, bits)
        if at >= 0:
            c[POOL_HITS] += 1
            for i in range(count):
                s.sides.lam[d, k, i] = s.trial.lam[i]
            s.sides.start[d, k] = s.path.start[d]
            copy(s.sides.witness[d, k], s.pool.g[layer, at])
            return FULL
    c[START] = s.path.start[d]
    if not p.small:
        places = s.starts.number.shape[0] - 2
        c[PLACE_OF_START] = 2 + (d * s.sides.start.shape[1] + k) % places
    verdict = decide(p, s, scratch, count)
    if verdict == FULL:
        for i in range(count):
            s.sides.lam[d, k, i] = s.trial.lam[i]
        if not p.small:
            s.sides.start[d, k] = keep_start(s)
        copy(s.sides.witness[d, k], s.trial.g)
        learn_segments(p, s, scratch, layer, s.path.witness[d])
    elif verdict == EMPTY and s.path.corners[d] == 0:
        first = 2 * p.V.shape[1] if p.small else 0
        learn_conflict(p, s, layer, first, count, s.trial.lam)
    return verdict


@jit
def _test_polygon(p, s, scratch, d, k, before, count):
    corners, out = s.path.corners[d], s.sides.polygon[d, k]
    source = s.path.polygon[d]
    for i in range(before, count):
        a, b, offset = s.cell.rows[i, 0], s.cell.rows[i, 1], s.cell.offset[i]
        slack = 4.0 * s.cell.error[i] + DRIFT
        if i > before:  # a piece of several rows: cut what the last cut left
            source = scratch.corners
            for j in range(corners):
                copy(source[j], out[j])
        if is_below(source, corners, a, b, offset, -slack):
            return EMPTY
        corners = clip(source, corners, a, b, offset, slack, out)
        if corners == 0:
            return EMPTY
        if corners < 0:  # no room for the corners: this child goes on without a polygon
            s.sides.corners[d, k] = 0
            return NO_VERDICT
    if before == count:
        for j in range(corners):
            copy(out[j], source[j])
    s.sides.corners[d, k] = corners
    g = s.sides.witness[d, k]
    centre(out, corners, g)
    first = 2 * p.V.shape[1]
    if not is_interior(s.cell.rows, s.cell.offset, s.cell.error, first, count, g):
        return NO_VERDICT
    for i in range(count):
        s.sides.lam[d, k, i] = 0.0
    return FULL


@jit
def take_free_side(p, s, d, unit):
    """Give the piece of the node's own witness its verdict; return that piece or -1."""
    here = piece_of_point(p, s, unit, s.path.witness[d])
    pieces = p.units[unit, UNIT_PIECES]
    for k in range(pieces):
        s.sides.verdict[d, k] = NO_VERDICT
    if here < 0 or s.path.corners[d] > 0:
        return here
    s.sides.verdict[d, here] = FULL
    copy(s.sides.witness[d, here], s.path.witness[d])
    s.sides.start[d, here] = s.path.start[d]
    for i in range(s.path.size[d]):
        s.sides.lam[d, here, i] = s.path.lam[d, i]
    for i in range(
        s.path.size[d], min(s.path.size[d] + p.units[unit, UNIT_ROWS], s.path.lam.shape[1])
    ):
        s.sides.lam[d, here, i] = 0.0
    return here


@jit
def misses(p, s, d, unit, k):
    """Return whether the corners show that piece k does not meet the node's cell."""
    piece = p.units[unit, UNIT_PIECE] + k
    for e in range(p.piece_literals[piece], p.piece_literals[piece + 1]):
        r, sign = p.literals[e, LITERAL_ROW], p.literals[e, LITERAL_SIGN]
        kind = s.rows.kind[r]
        if kind == NORMAL:
            f = sign * s.rows.norm[r]
            a, b, slack = f * s.rows.M[r, 0], f * s.rows.M[r, 1], 4.0 * s.rows.error[r] + DRIFT
            if is_below(s.path.polygon[d], s.path.corners[d], a, b, f * s.rows.b[r], -slack):
                return True
    return push_piece(p, s, piece, s.path.size[d]) < 0
