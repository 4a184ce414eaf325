"""Entering a layer at a node: its forms and rows are composed, units that do not split are settled.

What a node's cell has settled stays so in the whole subtree; the other units are listed as open and
decided one below the other.
"""

from milpcount.kernel.columns import (
    LAYER_FOLLOWS,
    LAYER_READS,
    LAYER_ROW,
    LAYER_ROWS,
    LAYER_UNIT,
    LAYER_UNITS,
    LAYER_VALUES,
    UNIT_PIECE,
    UNIT_PIECES,
)
from milpcount.kernel.compiled import clear_bits, jit
from milpcount.kernel.conflict_cache import forget_points
from milpcount.kernel.parity import enter_layer, put
from milpcount.kernel.projection import EMPTY
from milpcount.kernel.rows import (
    UNKNOWN,
    compose_layer,
    compose_on_base,
    compose_rows,
    set_output,
)  # fmt: skip
from milpcount.kernel.sides import misses, price, take_free_side, test_piece, work
from milpcount.kernel.stages import ASK_ROOM, ASK_ROW, BARRED, ENTERED, PASSED, PAUSED, TEST
from milpcount.kernel.state import (
    ANY,
    ASKED,
    BASED,
    BUDGET,
    KNOWN,
    TESTS,
)  # fmt: skip

_CHUNK = 200_000
"""Multiplications between two looks at the budget."""
_FEW = 16
"""Units that are settled between two looks at the budget, where their tests are light."""
_LIGHT = 400
"""Numbers in the rows of a layer up to which tests with many parameters are light."""


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
        forget_points(s, layer)
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
    if s.parities.rows.shape[1] > 0 and not enter_layer(p, s.parities, s.opened, layer, d):
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
                    split = not misses(p, s, d, unit, k)
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
                put(s.parities, unit, here)
    return True


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
