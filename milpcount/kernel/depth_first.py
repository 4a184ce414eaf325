"""The search: depth-first, a node's children being the full-dimensional pieces of one unit.

On entering a layer every unit is tested against the cell of the layers above. Units that do not
split it are settled for the whole subtree; the others are decided one below the other. The kernel
runs in slices: it returns to Python when its budget of work is spent, when a cell cannot be
decided in floating point, and when it has finished. All it knows is in `State`.
"""

from milpcount.kernel.cell import OPEN, decide, piece_of_point, push_piece
from milpcount.kernel.certify import is_interior
from milpcount.kernel.columns import (
    LAYER_FOLLOWS,
    LAYER_READS,
    LAYER_ROW,
    LAYER_ROWS,
    LAYER_UNIT,
    LAYER_UNITS,
    LAYER_VALUES,
    LITERAL_ROW,
    LITERAL_SIGN,
    UNIT_PIECE,
    UNIT_PIECES,
    UNIT_ROWS,
)
from milpcount.kernel.compiled import clear_bits, copy, copy_bits, entry, fill, jit
from milpcount.kernel.conflict_cache import (
    add_literals,
    find_point,
    in_conflict,
    learn_conflict,
    learn_point,
    learn_segments,
)  # fmt: skip
from milpcount.kernel.parity import enter_layer, is_allowed, put
from milpcount.kernel.polygon import DRIFT, centre, clip, is_below
from milpcount.kernel.projection import EMPTY, FULL
from milpcount.kernel.rows import (
    NORMAL,
    UNKNOWN,
    compose_layer,
    compose_on_base,
    compose_rows,
    set_output,
)  # fmt: skip
from milpcount.kernel.state import (
    ANY,
    ASKED,
    BASED,
    BUDGET,
    CLAUSE_HITS,
    COUNT,
    DEPTH,
    FLOOR,
    KEPT,
    KNOWN,
    MOST_REGIONS,
    POLYGON,
    POOL_HITS,
    REGIONS,
    TESTS,
    VERDICT,
)  # fmt: skip

DONE, PAUSED, ASK_SIDE, ASK_ROW, ASK_DOMAIN, ASK_ROOM = range(6)
"""What the kernel wants: nothing more, another slice, an exact decision, or larger arrays."""

ENTERED, BARRED, PASSED = -1, -2, -3
"""What becomes of a layer, besides what the kernel wants: it is entered, closed at once, or none of
its units splits the node's cell."""

ROOT, COMPOSE, TEST, DESCEND = 0, 1, 2, 3
"""Stages of a node."""

_OPERATIONS = 1000
"""Multiplications in a unit of the budget: about a test of a small cell."""
_CHUNK = 200_000
"""Multiplications between two looks at the budget."""
_FEW = 16
"""Units that are settled between two looks at the budget, where their tests are light."""
_LIGHT = 400
"""Numbers in the rows of a layer up to which tests with many parameters are light."""
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
        if verdict != OPEN:
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
            copy(s.sides.witness[d, k], s.pool.g[layer, at])
            return FULL
    verdict = decide(p, s, scratch, count)
    if verdict == FULL:
        for i in range(count):
            s.sides.lam[d, k, i] = s.trial.lam[i]
        copy(s.sides.witness[d, k], s.trial.g)
        if p.small and s.path.stage[d] == COMPOSE:
            learn_point(p, s, scratch, layer)
        elif not p.small:
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
            return OPEN
    if before == count:
        for j in range(corners):
            copy(out[j], source[j])
    s.sides.corners[d, k] = corners
    g = s.sides.witness[d, k]
    centre(out, corners, g)
    first = 2 * p.V.shape[1]
    if not is_interior(s.cell.rows, s.cell.offset, s.cell.error, first, count, g):
        return OPEN
    for i in range(count):
        s.sides.lam[d, k, i] = 0.0
    return FULL


@jit
def take_free_side(p, s, d, unit):
    """Give the piece of the node's own witness its verdict; return that piece or -1."""
    here = piece_of_point(p, s, unit, s.path.witness[d])
    pieces = p.units[unit, UNIT_PIECES]
    for k in range(pieces):
        s.sides.verdict[d, k] = OPEN
    if here < 0 or s.path.corners[d] > 0:
        return here
    s.sides.verdict[d, here] = FULL
    copy(s.sides.witness[d, here], s.path.witness[d])
    for i in range(s.path.size[d]):
        s.sides.lam[d, here, i] = s.path.lam[d, i]
    for i in range(
        s.path.size[d], min(s.path.size[d] + p.units[unit, UNIT_ROWS], s.path.lam.shape[1])
    ):
        s.sides.lam[d, here, i] = 0.0
    return here


@jit
def _compose(p, s, d, rounding):
    """Compose the forms and rows of a layer, as far as the budget goes; return whether it does."""
    c, layer, m = s.control, s.path.layer[d], p.V.shape[0]
    values, rows = p.layers[layer, LAYER_VALUES], p.layers[layer, LAYER_ROWS]
    # Of a form: a product with every output that it reads; of a row: its norm.
    above, has_base = p.layers[layer, LAYER_READS], p.layers[layer, LAYER_FOLLOWS] > 0
    chunk = max(1, _CHUNK // (above * m))
    while s.path.turn[d] < values:
        if c[BUDGET] <= 0:
            return False
        start = s.path.turn[d]
        stop = min(values, start + chunk)
        if has_base:
            n_open, based = s.opened.number[layer - 1], c[BASED + layer] > 0
            compose_on_base(
                p, layer, start, stop, based, s.opened.unit[layer - 1], n_open, s.values, s.outputs
            )
            c[BUDGET] -= work((stop - start) * (n_open + 1 if based else above) * m)
        else:
            compose_layer(p, layer, start, stop, s.values, s.outputs)
            c[BUDGET] -= work((stop - start) * above * m)
        s.path.turn[d] = stop
    c[BASED + layer] = 1
    chunk = max(1, _CHUNK // (m * m))
    while s.path.turn[d] < values + rows:
        if c[BUDGET] <= 0:
            return False
        start = s.path.turn[d] - values
        stop = min(rows, start + chunk)
        compose_rows(p, layer, start, stop, rounding, s.values, s.rows)
        c[BUDGET] -= work((stop - start) * m * m)
        s.path.turn[d] = values + stop
    return True


@jit
def enter(p, s, scratch, d, rounding):
    """Compose the layer entered at depth d and settle its units, as far as the budget goes.

    How far it has come is in ``turn``: the forms that are composed, then the rows, then the units
    that are settled or listed.

    Returns
    -------
    int
        `ENTERED`; `BARRED` if nothing below has the pieces that are forced or satisfies the
        parities; `PAUSED`; or `ASK_ROW`.
    """
    layer = s.path.layer[d]
    values, rows, units = (
        p.layers[layer, LAYER_VALUES],
        p.layers[layer, LAYER_ROWS],
        p.layers[layer, LAYER_UNITS],
    )
    c, m = s.control, p.V.shape[0]
    if s.path.turn[d] < values + rows and not _compose(p, s, d, rounding):
        return PAUSED
    if s.path.turn[d] == values + rows:
        for r in range(p.layers[layer, LAYER_ROW], p.layers[layer, LAYER_ROW] + rows):
            if s.rows.kind[r] == UNKNOWN:
                c[ASKED] = r
                return ASK_ROW
        s.pool.number[layer] = 0
        s.conflicts.number[layer] = 0
        clear_bits(s.path.prefix[d])
        s.opened.number[layer] = 0
        c[BASED + layer + 1] = 0
    # The corners of a polygon cost next to nothing, and tests with few parameters or rows little;
    # others that need all their patience take a hundredth of a second or more, each.
    few = p.small or rows * m <= _LIGHT
    chunk = units if s.path.corners[d] > 0 else (_FEW if few else 1)
    while s.path.turn[d] < values + rows + units:
        if c[BUDGET] <= 0:
            return PAUSED
        start = s.path.turn[d] - values - rows
        stop = min(units, start + chunk)
        tests = c[TESTS]
        if not _settle(p, s, scratch, d, start, stop):
            return BARRED
        c[BUDGET] -= price(p, s, d, c[TESTS] - tests)
        s.path.turn[d] = values + rows + stop
    s.path.turn[d] = 0
    if s.parities.rows.shape[1] > 0 and not enter_layer(p, s, d):
        return BARRED
    return ENTERED


@jit
def _settle(p, s, scratch, d, start, stop):
    """Settle units of the layer that do not split the node's cell; list the others.

    Returns
    -------
    bool
        False if a unit is settled on a piece other than the one forced on it.
    """
    layer = s.path.layer[d]
    parities = s.parities.rows.shape[1] > 0
    for unit in range(p.layers[layer, LAYER_UNIT] + start, p.layers[layer, LAYER_UNIT] + stop):
        known = s.forced[unit] >= KNOWN
        here = s.forced[unit] - KNOWN if known else take_free_side(p, s, d, unit)
        split = here < 0
        for k in range(p.units[unit, UNIT_PIECES]):
            if not known and not split and k != here:
                if s.path.corners[d] > 0:
                    split = not _misses(p, s, d, unit, k)
                else:
                    split = test_piece(p, s, scratch, d, unit, k) != EMPTY
        if split:
            s.opened.unit[layer, s.opened.number[layer]] = unit
            s.opened.number[layer] += 1
        else:
            if not known and s.forced[unit] != ANY and s.forced[unit] != here:
                return False
            s.pattern[unit] = here
            set_output(p, unit, p.units[unit, UNIT_PIECE] + here, s.values, s.outputs)
            if parities:
                put(s, unit, here)
    return True


@jit
def _misses(p, s, d, unit, k):
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


@jit
def descend(p, s, d, unit, k):
    """Set up the child of the node at depth d on piece k of its unit."""
    layer, piece = s.path.layer[d], p.units[unit, UNIT_PIECE] + k
    count = push_piece(p, s, piece, s.path.size[d])
    s.pattern[unit] = k
    if s.parities.rows.shape[1] > 0:
        put(s, unit, k)
    set_output(p, unit, piece, s.values, s.outputs)
    s.path.size[d + 1] = count
    copy(s.path.witness[d + 1], s.sides.witness[d, k])
    for i in range(count):
        s.path.lam[d + 1, i] = s.sides.lam[d, k, i]
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
def has_room(p, s, d):
    """Return whether there is room for what is below the node that has entered a layer, at d.

    Until the next layer is entered, every open unit makes the path one longer, and the cell by the
    rows of a piece; units that are settled there need one piece more.
    """
    n_open = s.opened.number[s.path.layer[d]]
    rows = s.path.size[d] + (n_open + 2) * p.most_literals
    return d + n_open + 1 < s.path.stage.shape[0] and rows <= s.cell.id.shape[0]


@jit
def enter_root(p, s, scratch):
    """Find a point of the domain; return whether one was found."""
    fill(s.trial.lam, 0.0)
    if decide(p, s, scratch, s.path.size[0]) != FULL:
        return False
    copy(s.path.witness[0], s.trial.g)
    s.path.stage[0] = COMPOSE
    return True


@jit
def enter_layer_at(p, s, scratch, d, rounding):
    """Bring the node at depth d to the tests of its first open unit, as far as the budget goes.

    Returns
    -------
    int
        As `enter`; `PASSED`, with the node in the next layer, if there is no open unit; `ASK_ROOM`
        at the tests if what is below needs more of it.
    """
    came, layer = enter(p, s, scratch, d, rounding), s.path.layer[d]
    if came != ENTERED:
        return came
    if s.opened.number[layer] == 0:
        s.path.layer[d] = layer + 1
        return PASSED
    s.path.stage[d] = TEST
    take_free_side(p, s, d, s.opened.unit[layer, 0])
    return ENTERED if has_room(p, s, d) else ASK_ROOM


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
                elif parities and not is_allowed(s, layer, unit, k):
                    s.sides.verdict[d, k] = EMPTY
                elif s.sides.verdict[d, k] == OPEN:
                    if c[VERDICT] != OPEN:
                        s.sides.verdict[d, k] = c[VERDICT]
                        c[VERDICT] = OPEN
                    else:
                        if c[BUDGET] <= 0:
                            return PAUSED
                        tests = c[TESTS]
                        verdict = test_piece(p, s, scratch, d, unit, k)
                        c[BUDGET] -= price(p, s, d, c[TESTS] - tests)
                        if verdict == OPEN:
                            c[ASKED] = k
                            return ASK_SIDE
                        s.sides.verdict[d, k] = verdict
                s.path.turn[d] += 1
            s.path.turn[d] = 0
            s.path.stage[d] = DESCEND
        k = s.path.turn[d]
        while k < pieces and (
            s.sides.verdict[d, k] != FULL or (parities and not is_allowed(s, layer, unit, k))
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
