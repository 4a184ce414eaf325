"""The region tree for few inputs: depth-first over cells that carry their vertices.

A row that has one certain sign at all vertices of a cell does not split it, and one that has both
does, on both sides with inner points: no program is solved, and every verdict is a proof (see
`vertex_cells`). On entering a layer all of its units are tested at once; those that are left open
are decided one below the other, as far as the cells go that they still split. The forms of the
layer below are accumulated on the way, a unit at a time. For the last unit of all its signs are
enough.

A cell in which signs are not certain is handed over, as the pieces that lead to it: whoever takes
it searches the tree below with all means (`tree.search`).

Since every row has a certain sign at every vertex of a cell that is searched here, none is zero on
a face of it: the patterns that are attained in its closure are those of its regions.
"""

import numpy as np

from milpcount.kernel.columns import (
    LAYER_READS,
    LAYER_ROWS,
    LAYER_VALUE,
    LAYER_VALUES,
    LITERAL_ROW,
    LITERAL_SIGN,
    UNIT_PIECE,
    UNIT_PIECES,
)
from milpcount.kernel.compiled import entry, inlined, jit
from milpcount.kernel.layers import units_of
from milpcount.kernel.parity import enter_layer, is_allowed, put
from milpcount.kernel.state import KNOWN
from milpcount.kernel.vertex_cells import (
    CUT,
    NEGATIVE,
    NO_ROOM,
    POSITIVE,
    SPLIT,
    UNSURE,
    centre,
    cut,
    row_sign,
    take_side,
    take_whole,
    test_row,
)
from milpcount.kernel.vertex_descent import (
    IS_UNDER_WAY,
    WALK,
    choose,
    finish,
    leave_out,
    start,
)
from milpcount.kernel.vertex_forms import (
    begin,
    compose,
    compose_rows,
    settle,
    take_ahead,
    take_domain,
    test_rows,
)
from milpcount.kernel.vertex_sections import LARGER, count_regions
from milpcount.kernel.vertex_stages import (
    ASK_ROOM,
    BRANCHES,
    CHILDREN,
    CUTS,
    DECIDE,
    DOMAIN,
    DONE,
    ENDS,
    ENTER,
    ENTERS,
    GROWS,
    LEAVES,
    OVER,
    PAUSED,
    ROWS,
)
from milpcount.kernel.vertex_state import (
    ABOVE,
    ANY,
    BELOW,
    BUDGET,
    COLUMN,
    DEPTH,
    FIRST_COLUMN,
    HANDED,
    INCREMENTAL,
    IS_FREE,
    KEPT,
    LAYER,
    LITERAL,
    MOST_REGIONS,
    PIECE,
    PLACE,
    REGIONS,
    ROW,
    SPLITS,
    STAGE,
    TURN,
    UNIT,
    VERTICES,
)

_EVALUATION = 64.0
"""Roundings granted for the value of a form at a point, and for sums of errors."""
_OPERATIONS = 1000
"""Multiplications in a unit of the budget."""


@inlined
def _enter(p, t, s, q, d, layer, rounding, n):
    """Enter a layer at depth d: settle the units that do not split the cell, list the others.

    Returns
    -------
    bool
        False if a unit is settled on a piece other than the one forced on it, or nothing below
        satisfies the parities.
    """
    value, count = p.layers[layer, LAYER_VALUE], p.layers[layer, LAYER_VALUES]
    if layer > 0 and t.layers[layer, INCREMENTAL]:
        for a in range(n + 2):
            form, ahead = s.forms.table[a, value : value + count], s.path.ahead[d, a]
            for i in range(count):
                form[i] = ahead[i]
    else:
        compose(p, t, s, layer, n)
    compose_rows(p, t, s, layer, rounding, n)
    below = layer + 1
    if below < p.layers.shape[0] and t.layers[below, INCREMENTAL]:
        first = p.layers[below, LAYER_VALUE]
        for i in range(p.layers[below, LAYER_VALUES]):
            begin(p, s.path.ahead[d], first + i, i, n)
    test_rows(p, t, s, d, layer, n)
    s.opened.number[layer] = 0
    low, high, first = s.work.sums[1], s.work.sums[2], t.layers[layer, FIRST_COLUMN]
    for unit in range(*units_of(p, layer)):
        only = -1
        column = t.units[unit, COLUMN]
        if column >= 0:
            j = column - first
            found = row_sign(p, s, d, layer, column, low[j], high[j])
            if found == NEGATIVE:
                only = t.units[unit, BELOW]
            elif found == POSITIVE:
                only = t.units[unit, ABOVE]
        else:
            left = 0
            for k in range(p.units[unit, UNIT_PIECES]):
                piece, excluded = p.units[unit, UNIT_PIECE] + k, False
                for e in range(p.piece_literals[piece], p.piece_literals[piece + 1]):
                    column = t.columns[p.literals[e, LITERAL_ROW]]
                    j = column - first
                    found = row_sign(p, s, d, layer, column, low[j], high[j])
                    wrong = NEGATIVE if p.literals[e, LITERAL_SIGN] > 0 else POSITIVE
                    excluded |= found == wrong
                if not excluded:
                    left += 1
                    only = k
            if left != 1:
                only = -1
        if only < 0:
            s.opened.unit[layer, s.opened.number[layer]] = unit
            s.opened.number[layer] += 1
        else:
            if s.forced[unit] != ANY and s.forced[unit] != only:
                return False
            settle(p, t, s, d, layer, unit, only, n)
            if q is not None:
                put(q, unit, only)
    if q is not None:
        return enter_layer(p, q, s.opened, layer, d)
    return True


@inlined
def _hand_over(p, s, d):
    """Hand the node at depth d to others: the pieces of the units that lead to it.

    They are told, too, what pieces that leaves to the other units above, as `KNOWN`.
    """
    at, layer = s.control[HANDED], s.path.node[d, LAYER]
    end = 0 if s.path.node[d, STAGE] == DOMAIN else units_of(p, layer)[1]
    for unit in range(s.forced.shape[0]):
        s.out.handed[at, unit] = KNOWN + s.pattern[unit] if unit < end else ANY
    for place in range(s.path.node[d, PLACE], s.opened.number[layer] if end else 0):
        s.out.handed[at, s.opened.unit[layer, place]] = ANY
    for unit in range(s.forced.shape[0]):
        if s.forced[unit] != ANY:
            s.out.handed[at, unit] = s.forced[unit]
    for above in range(d):
        if s.path.node[above, STAGE] == CHILDREN:
            s.out.handed[at, s.path.node[above, UNIT]] = s.path.node[above, TURN] - 1
    s.control[HANDED] += 1
    s.control[DEPTH] -= 1


@inlined
def _keep(s, d, side, n):
    for unit in range(s.pattern.shape[0]):
        s.out.patterns[s.control[KEPT], unit] = s.pattern[unit]
    centre(s, d, side, n, s.out.points[s.control[KEPT]])
    s.control[KEPT] += 1


@jit
def _is_open(s, q, layer, unit, k):
    """Return whether what is forced and the parities leave a piece to a unit that is decided."""
    if s.forced[unit] != ANY and s.forced[unit] != k:
        return False
    if q is not None:
        return is_allowed(q, layer, unit, k)
    return True


@inlined
def _next_unit(p, t, s, q, d, layer, n, keep):
    """Decide units of the node's layer until one splits its cell.

    A unit that is decided is settled on `PIECE`; so is, first of all, the unit above a child.

    Returns
    -------
    int
        `ENTERS`, if none does; `CUTS`, along the row `ROW`; `BRANCHES`, on a unit of several rows;
        or what else becomes of the node.
    """
    s.path.node[d, TURN] = 0
    is_fresh = True
    while True:
        if s.path.node[d, PIECE] >= 0:
            unit, k = s.path.node[d, UNIT], s.path.node[d, PIECE]
            if q is not None:
                if not is_allowed(q, layer, unit, k):
                    return ENDS
            settle(p, t, s, d, layer, unit, k, n)
            s.path.node[d, PIECE] = -1
            s.path.node[d, PLACE] += 1
        if is_fresh:
            is_fresh = False
            is_last = layer + 1 == p.layers.shape[0]
            if q is None and not keep and is_last and s.control[IS_FREE]:
                found = count_regions(p, t, s, d, layer, n)
                if found == LARGER:
                    return GROWS
                if found > 0 and s.control[REGIONS] + found <= s.control[MOST_REGIONS]:
                    s.control[REGIONS] += found
                    s.control[BUDGET] -= found
                    return ENDS
        if s.path.node[d, PLACE] == s.opened.number[layer]:
            return ENTERS
        unit = s.opened.unit[layer, s.path.node[d, PLACE]]
        s.path.node[d, UNIT] = unit
        column = t.units[unit, COLUMN]
        if column < 0:
            return BRANCHES
        found = test_row(p, s, d, layer, column, n)
        if found == UNSURE:
            return LEAVES
        if found == SPLIT:
            s.control[SPLITS] += 1
            s.control[ROW] = column
            last = (
                layer + 1 == p.layers.shape[0]
                and s.path.node[d, PLACE] + 1 == s.opened.number[layer]
            )
            if last and s.control[REGIONS] + 2 <= s.control[MOST_REGIONS]:
                for k in range(2):
                    if _is_open(s, q, layer, unit, k):
                        s.control[REGIONS] += 1
                        if keep:
                            s.pattern[unit] = k
                            _keep(s, d, 1 if k == t.units[unit, ABOVE] else -1, n)
                return ENDS
            return CUTS
        k = t.units[unit, ABOVE] if found == POSITIVE else t.units[unit, BELOW]
        if s.forced[unit] != ANY and s.forced[unit] != k:
            return ENDS
        s.path.node[d, PIECE] = k


@inlined
def _next_row(p, t, s, d, n):
    """Test the rows that are left of a piece, or of the domain, until one splits the node's cell.

    Returns
    -------
    int
        `ENTERS`, when all are satisfied on the whole cell; `CUTS`, along the row `ROW`; or what
        else becomes of the node.
    """
    is_domain = s.path.node[d, STAGE] == DOMAIN
    if is_domain:
        end = p.domain_M.shape[0]
    else:
        end = p.piece_literals[
            p.units[s.path.node[d, UNIT], UNIT_PIECE] + s.path.node[d, PIECE] + 1
        ]
    while s.path.node[d, LITERAL] < end:
        e, layer = s.path.node[d, LITERAL], s.path.node[d, LAYER]
        column = t.columns[p.row_values.shape[0] + e if is_domain else p.literals[e, LITERAL_ROW]]
        found = test_row(p, s, d, layer, column, n)
        if found == UNSURE:
            return LEAVES
        if found == SPLIT:
            s.control[ROW] = column
            return CUTS
        if is_domain and found != POSITIVE:  # it is empty, or the row says nothing: it is closed
            return LEAVES
        if (found == POSITIVE) != (is_domain or p.literals[e, LITERAL_SIGN] > 0):
            return ENDS
        s.path.node[d, LITERAL] += 1
    return ENTERS


@jit
def search(p, t, s, q, w):
    """Search until the budget is spent, or more room or a reader is needed; return what is wanted.

    Parameters
    ----------
    p : Program
    t : Tables
    s : Cells
    q : Parities or None
    w : VertexWalks or None
        Of every node one child is taken, at random. Without either of the two the code for it is
        not compiled.

    Returns
    -------
    int
        `DONE`, `PAUSED` or `ASK_ROOM`.
    """
    c, n = s.control, p.V.shape[1]
    keep = s.out.patterns.shape[0] > 1
    layers = p.layers.shape[0]
    while c[DEPTH] >= 0:
        d = c[DEPTH]
        if c[BUDGET] <= 0 or c[HANDED] == s.out.handed.shape[0] or c[REGIONS] >= c[MOST_REGIONS]:
            return PAUSED
        if keep and c[KEPT] + 2 > s.out.patterns.shape[0]:
            return PAUSED
        if d + 2 > s.path.node.shape[0]:
            return ASK_ROOM
        c[BUDGET] -= 1
        layer, stage = s.path.node[d, LAYER], s.path.node[d, STAGE]
        came = ENTERS
        if stage == DOMAIN or stage == ROWS:
            if d == 0 and s.path.node[d, LITERAL] == 0:
                take_domain(p, t, s, _EVALUATION, n)
            came = _next_row(p, t, s, d, n)
            if came == ENTERS:
                s.path.node[d, STAGE] = ENTER if stage == DOMAIN else DECIDE
                continue
        elif stage == ENTER and layer == layers:
            c[REGIONS] += 1
            if keep:
                _keep(s, d, 0, n)
            came = ENDS
        elif stage == ENTER:
            work = (
                p.layers[layer, LAYER_ROWS]
                * n
                * (s.path.node[d, VERTICES] + p.layers[layer, LAYER_READS])
            )
            c[BUDGET] -= work // _OPERATIONS
            if _enter(p, t, s, q, d, layer, _EVALUATION, n):
                s.path.node[d, PLACE], s.path.node[d, PIECE] = 0, -1
                s.path.node[d, STAGE] = DECIDE
            else:
                came = ENDS
        if (stage == ENTER and came == ENTERS) or stage == DECIDE:
            came = _next_unit(p, t, s, q, d, layer, n, keep)
            if came == ENTERS:
                s.path.node[d, LAYER] += 1
                s.path.node[d, STAGE] = ENTER
                continue
            if came == BRANCHES:
                s.path.node[d, STAGE] = CHILDREN
        if came == CUTS:
            cut_by = cut(s, d, c[ROW], n)
            if cut_by != CUT:
                came = GROWS if cut_by == NO_ROOM else LEAVES
            elif stage == DOMAIN or stage == ROWS:
                side = np.int64(1)
                if stage == ROWS:
                    side = p.literals[s.path.node[d, LITERAL], LITERAL_SIGN]
                    take_ahead(p, t, s, d, layer, n)
                take_side(s, d, side, n)
                for i in range(VERTICES):  # the child goes on where its parent is
                    s.path.node[d + 1, i] = s.path.node[d, i]
                s.path.node[d + 1, LITERAL] += 1
                s.path.node[d, STAGE] = OVER
                c[DEPTH] += 1
                continue
            else:
                s.path.node[d, STAGE] = CHILDREN
        if came == GROWS:
            return ASK_ROOM
        if came == LEAVES:
            if w is None:
                _hand_over(p, s, d)
            else:
                leave_out(s, w)
            continue
        if came == ENDS or stage == OVER:
            c[DEPTH] -= 1
            continue
        unit, k = s.path.node[d, UNIT], s.path.node[d, TURN]
        if w is None:
            while k < p.units[unit, UNIT_PIECES] and not _is_open(s, q, layer, unit, k):
                k += 1
            s.path.node[d, TURN] = k + 1
        else:
            k = choose(p, t, s, w, d, unit)
        if k == p.units[unit, UNIT_PIECES]:
            c[DEPTH] -= 1
            continue
        s.path.node[d + 1, LAYER], s.path.node[d + 1, PLACE] = layer, s.path.node[d, PLACE]
        s.path.node[d + 1, UNIT], s.path.node[d + 1, PIECE] = unit, k
        take_ahead(p, t, s, d, layer, n)
        c[DEPTH] += 1
        if t.units[unit, COLUMN] >= 0:
            take_side(s, d, 1 if k == t.units[unit, ABOVE] else -1, n)
            s.path.node[d + 1, STAGE] = DECIDE
        else:
            take_whole(s, d, n)
            s.path.node[d + 1, LITERAL] = p.piece_literals[p.units[unit, UNIT_PIECE] + k]
            s.path.node[d + 1, STAGE] = ROWS
    return DONE


@entry
def run(p, t, s):
    """Search the whole tree; see `search`."""
    return search(p, t, s, None, None)


@entry
def run_under_parities(p, t, s, q):
    """Search for what satisfies parities; see `search`."""
    return search(p, t, s, q, None)


@entry
def walk(p, t, s, w):
    """Make the walks of a batch; return what is wanted, as `search`."""
    while w.control[WALK] < w.log_size.shape[0]:
        if w.control[IS_UNDER_WAY] == 0:
            start(p, s, w)
        wanted = search(p, t, s, None, w)
        if wanted != DONE:
            return wanted
        finish(s, w)
    return DONE
