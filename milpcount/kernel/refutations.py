"""Multipliers that refute the sides of a proof, and seeds of its witnesses, from patterns alone.

A side is a path, the pieces of the first units of a pattern, and a piece of the next unit. Its cell
is made as the search makes its own, row by row, and the cube's centre projected onto it. Sides come
in the order of their patterns, so that most of a path is in place from the side before: the forms
and rows of a layer stay as long as the pieces above it do, and with them the conflicts that were
found there. What is returned is to be checked by whoever uses it.
"""

from typing import NamedTuple

import numpy as np

from milpcount.kernel.box_projection import box_project
from milpcount.kernel.cell import NARROWEST, decide, push_piece
from milpcount.kernel.certify import is_empty
from milpcount.kernel.columns import (
    LAYER_ROW,
    LAYER_ROWS,
    LAYER_UNIT,
    LAYER_VALUES,
    LITERAL_ROW,
    LITERAL_SIGN,
    UNIT_LAYER,
    UNIT_PIECE,
)
from milpcount.kernel.compiled import clear_bits, entry, fill, jit
from milpcount.kernel.conflict_cache import add_literals
from milpcount.kernel.layers import rows_of, units_of
from milpcount.kernel.products import transposed
from milpcount.kernel.projection import EMPTY, FULL
from milpcount.kernel.rows import (
    LOST,
    NORMAL,
    POSITIVE,
    TINY,
    UNKNOWN,
    compose_layer,
    compose_rows,
    set_output,
)
from milpcount.kernel.state import INTEGER_EMPTY, START
from milpcount.kernel.warm_starts import take_start
from milpcount.types import Array

_ONE = np.uint64(1)
HOLDS, UNDECIDED = -1, -2
"""Of a side, in place of the number of its refutation: it is not empty, or not decided here."""
CLAUSES_USED, LITERALS_USED, PLACED, CURRENT, STAYED = range(5)
"""Entries of `Found.used` (the first two) and of `InPlace.at`."""
_AIM = 2.0**-14
"""Distance by which a witness should clear its rows, in a cube of side 1: seeds in single precision
are off by far less."""
_CLEAR = 2.0**-24
"""What a witness clears its rows by whatever the rounding of its seed: no roundings of those that
check it, of which there are some thousands, can hide it."""
_STEPS = 40
"""Newton steps towards a witness."""


class Sides(NamedTuple):
    """What is to be decided.

    Attributes
    ----------
    patterns : (k, units)
    row, unit, piece : (sides,)
        The pattern whose path a side leaves, and where to. A unit that is not there stands for the
        whole pattern: its seed is asked for.
    """

    patterns: Array
    row: Array
    unit: Array
    piece: Array


class Found(NamedTuple):
    """What is found.

    Attributes
    ----------
    ref : (sides,)
        A refutation, `HOLDS` or `UNDECIDED`.
    seeds : (k, m)
        Of patterns that were asked for, what makes a point; zeros where none was found.
    sure : (k,)
        Whether a seed is of single precision, and its point clears all rows for certain.
    side, size : (clauses,)
        Of each refutation the side it was found at, and its number of rows.
    proved : (clauses,)
        Whether its multipliers are of single precision, and refute beyond all roundings.
    literals, multipliers : (entries,)
        Of each row twice its number, plus 1 where it is not positive, and its multiplier.
    used : (2,)
        Refutations and their rows.
    """

    ref: Array
    seeds: Array
    sure: Array
    side: Array
    size: Array
    proved: Array
    literals: Array
    multipliers: Array
    used: Array


class InPlace(NamedTuple):
    """What is known of the cell that is in place.

    Attributes
    ----------
    at : (5,)
        Units of the path that are placed, the pattern whose they are, and how many of the cell's
        rows are those of the path before.
    above : (units + 1,)
        Rows of the cell above each unit.
    owner : (layers,)
        The pattern that a layer was composed for.
    conflicts, conflict_ref : (layers, most, 2, words), (layers, most)
        Signs of a layer's rows that exclude each other, and which refutation says so.
    n_conflicts : (layers,)
    constant_ref : (rows,)
        The refutation of a row that is constant.
    spread : (m, m)
        Bounds ``|V| |V|^T`` on how far an image moves with its seed.
    moved : (2, m)
        How far a seed and its image do move.
    """

    at: Array
    above: Array
    owner: Array
    conflicts: Array
    conflict_ref: Array
    n_conflicts: Array
    constant_ref: Array
    spread: Array
    moved: Array


@entry
def refute(p, s, scratch, rounding, sides, begin, here, found):
    """Decide sides from `begin` on; return the first one for which there was no room.

    Parameters
    ----------
    p, s, scratch : Program, State, Scratch
        The state is that of a search that has not begun, with room for the rows of all units.
    rounding : float
    sides : Sides
    begin : int
    here : InPlace
        Work.
    found : Found
        Out.
    """
    for e in range(begin, sides.unit.shape[0]):
        room = found.literals.shape[0] - found.used[LITERALS_USED]
        if room < s.cell.id.shape[0] or found.used[CLAUSES_USED] == found.size.shape[0]:
            return e
        i, u = sides.row[e], sides.unit[e]
        found.ref[e] = UNDECIDED
        if not _place(p, s, rounding, sides.patterns, i, u, here):
            continue
        if u == sides.patterns.shape[1]:
            found.sure[i] = _witnessed(p, s, scratch, here, here.above[u], found.seeds[i])
        else:
            found.ref[e] = _decided(p, s, scratch, sides, e, here, found)
    return sides.unit.shape[0]


@jit
def _decided(p, s, scratch, sides, e, here, found):
    """Return what is found of a side whose path is in place."""
    i, u = sides.row[e], sides.unit[e]
    layer, wanted = p.units[u, UNIT_LAYER], p.units[u, UNIT_PIECE] + sides.piece[e]
    bits, first = scratch.bits, p.layers[layer, LAYER_ROW]
    clear_bits(bits)
    for v in range(p.layers[layer, LAYER_UNIT], u):
        add_literals(p, s, p.units[v, UNIT_PIECE] + sides.patterns[i, v], bits, first)
    add_literals(p, s, wanted, bits, first)
    conflicts = here.conflicts[layer]
    known = _conflict(conflicts, min(here.n_conflicts[layer], conflicts.shape[0]), bits)
    if known >= 0:
        return here.conflict_ref[layer, known]
    further = push_piece(p, s, wanted, here.above[u])
    if further < 0:
        return _constant(p, s, wanted, e, here.constant_ref, found)
    fill(s.trial.lam, 0.0)
    in_integers = s.control[INTEGER_EMPTY]
    verdict = decide(p, s, scratch, further)
    if verdict == FULL:
        return HOLDS
    if verdict != EMPTY:
        return UNDECIDED
    at = here.n_conflicts[layer] % conflicts.shape[0]
    here.n_conflicts[layer] += 1
    here.conflict_ref[layer, at] = found.used[CLAUSES_USED]
    whole = s.control[INTEGER_EMPTY] > in_integers
    _emit(p, s, scratch, whole, further, e, layer, conflicts[at], found)
    return here.conflict_ref[layer, at]


@jit
def _place(p, s, rounding, patterns, i, u, here):
    """Make the cell of the first u units of a pattern, and compose the layer of unit u.

    Returns
    -------
    bool
        False if floating point cannot tell the kind of a row, or a row forbids a piece.
    """
    current = here.at[CURRENT]
    same = 0
    if current >= 0:
        most = min(here.at[PLACED], u)
        while same < most and patterns[i, same] == patterns[current, same]:
            same += 1
    here.at[CURRENT], here.at[PLACED] = i, same
    here.above[0] = s.path.size[0]
    here.at[STAYED] = here.above[same]
    for layer in range(p.layers.shape[0]):
        first, end = units_of(p, layer)
        if end <= same:
            continue
        if first > u or (first == u and u == patterns.shape[1]):
            break
        if not _has_same(patterns, here.owner[layer], i, first):
            here.owner[layer] = i
            here.n_conflicts[layer] = 0
            compose_layer(p, layer, 0, p.layers[layer, LAYER_VALUES], s.values, s.outputs)
            compose_rows(p, layer, 0, p.layers[layer, LAYER_ROWS], rounding, s.values, s.rows)
            for r in range(*rows_of(p, layer)):
                here.constant_ref[r] = -1
        for r in range(*rows_of(p, layer)):
            if s.rows.kind[r] == UNKNOWN:
                return False
        for v in range(max(first, same), min(end, u)):
            piece = p.units[v, UNIT_PIECE] + patterns[i, v]
            count = push_piece(p, s, piece, here.above[v])
            if count < 0:
                return False
            set_output(p, v, piece, s.values, s.outputs)
            here.above[v + 1] = count
            here.at[PLACED] = v + 1
    return True


@jit
def _has_same(patterns, a, b, first):
    """Return whether two patterns agree on the first units; pattern -1 agrees with none."""
    if a < 0:
        return False
    for v in range(first):
        if patterns[a, v] != patterns[b, v]:
            return False
    return True


@jit
def _conflict(known, count, bits):
    """Return which of the known conflicts these signs contain, or -1."""
    for i in range(count):
        missing = (known[i, 0, 0] & ~bits[0, 0]) | (known[i, 1, 0] & ~bits[1, 0])
        w = 1
        while missing == 0 and w < bits.shape[1]:
            missing = (known[i, 0, w] & ~bits[0, w]) | (known[i, 1, w] & ~bits[1, w])
            w += 1
        if missing == 0:
            return i
    return -1


@jit
def _constant(p, s, piece, e, constant_ref, found):
    """Return the refutation of a piece that a constant row forbids."""
    for k in range(p.piece_literals[piece], p.piece_literals[piece + 1]):
        r, sign = p.literals[k, LITERAL_ROW], p.literals[k, LITERAL_SIGN]
        kind = s.rows.kind[r]
        if kind != NORMAL and kind != TINY and (kind == POSITIVE) != (sign > 0):
            if constant_ref[r] < 0:
                clause, at = found.used[CLAUSES_USED], found.used[LITERALS_USED]
                constant_ref[r] = clause
                found.side[clause], found.size[clause], found.proved[clause] = e, 1, False
                found.literals[at] = 2 * r + (0 if sign > 0 else 1)
                found.multipliers[at] = 1.0
                found.used[CLAUSES_USED] += 1
                found.used[LITERALS_USED] += 1
            return constant_ref[r]
    return UNDECIDED


@jit
def _emit(p, s, scratch, whole, count, e, layer, conflict, found):
    """Append the multipliers of the current cell; keep the signs of the layer's own rows.

    Multipliers are those of the rows as they are, not scaled to unit norm. Bounds of parameters,
    which of a set without some of them are rows here, are left to the box.
    """
    first = 2 * p.V.shape[1] if p.small else 0
    base, n_rows = p.layers[layer, LAYER_ROW], p.layers[layer, LAYER_ROWS]
    proved = not whole and not p.small and _stays_empty(p, s, scratch, count)
    at, clause = found.used[LITERALS_USED], found.used[CLAUSES_USED]
    clear_bits(conflict)
    for t in range(first, count):
        r = s.cell.id[t]
        m = scratch.rho[t] if whole else s.trial.lam[t] * s.rows.norm[r]
        if proved:
            m = np.float64(np.float32(m))
        if m > 0.0:
            found.literals[at] = 2 * r + (0 if s.cell.sign[t] > 0 else 1)
            found.multipliers[at] = m
            at += 1
            if base <= r < base + n_rows:
                w, place = 0 if s.cell.sign[t] > 0 else 1, r - base
                conflict[w, place >> 6] |= _ONE << np.uint64(place & 63)
    found.side[clause], found.size[clause] = e, at - found.used[LITERALS_USED]
    found.proved[clause] = proved
    found.used[LITERALS_USED] = at
    found.used[CLAUSES_USED] = clause + 1


@jit
def _stays_empty(p, s, scratch, count):
    """Return whether multipliers of single precision refute the current cell, and by far."""
    lam, error = scratch.rho, scratch.d
    for t in range(count):
        norm = s.rows.norm[s.cell.id[t]]
        lam[t] = np.float64(np.float32(s.trial.lam[t] * norm)) / norm
        error[t] = 64.0 * s.cell.error[t]
    return is_empty(s.cell.rows, s.cell.offset, error, lam, 0, count, p.V, scratch.y, scratch.z)


@jit
def _witnessed(p, s, scratch, here, count, seed):
    """Set the seed of a point of the current cell, zeros if none is found; return if it is sure.

    The projection goes on from the multipliers of the rows that have stayed: of others, though they
    may be those of the same units, they lead it astray.
    """
    fill(s.trial.lam[here.at[STAYED] :], 0.0)
    if s.cell.inputs.shape[0] > 1:
        for i in range(count):
            if s.cell.stale[i]:
                transposed(p.V, s.cell.rows[i], s.cell.inputs[i])
                s.cell.stale[i] = False
    _set_margins(s, count, _AIM)
    s.control[START] = -1  # of no projection that was kept
    at = take_start(p, s, scratch, count)
    verdict = box_project(s.cell, s.trial, s.starts, at, count, p.V, p.VT, scratch, _STEPS)
    clear, s.control[START] = verdict == FULL, 0
    _set_margins(s, count, NARROWEST)
    if not clear:
        fill(s.trial.lam, 0.0)
        if decide(p, s, scratch, count) == FULL:
            _seed(s, count, seed)
        return False
    _seed(s, count, seed)
    moved, image = here.moved[0], here.moved[1]
    for q in range(seed.shape[0]):
        moved[q] = abs(np.float64(np.float32(seed[q])) - seed[q])
    for q in range(seed.shape[0]):
        image[q] = 0.0
        for r in range(seed.shape[0]):
            image[q] += here.spread[q, r] * moved[r]
    for i in range(count):
        slack = s.cell.offset[i] - 64.0 * s.cell.error[i] - _CLEAR
        for q in range(seed.shape[0]):
            slack += s.cell.rows[i, q] * s.trial.g[q] - abs(s.cell.rows[i, q]) * image[q]
        if not slack > 0.0:
            return False
    for q in range(seed.shape[0]):
        seed[q] = np.float64(np.float32(seed[q]))
    return True


@jit
def _set_margins(s, count, aim):
    """Set what a projection aims to clear the rows of the current cell by."""
    for i in range(count):
        error = s.cell.error[i]
        lost = s.rows.s[s.cell.id[i]] == LOST
        s.cell.margin[i] = -error if lost else max(aim, 4.0 * error)


@jit
def _seed(s, count, out):
    """Set the point's seed: the rows of the current cell times their multipliers, in the image."""
    for q in range(out.shape[0]):
        t = 0.0
        for i in range(count):
            t += s.trial.lam[i] * s.cell.rows[i, q]
        out[q] = t
