"""One cell at a time: its rows, and the decision whether it is full-dimensional or empty."""

import numpy as np

from milpcount.kernel.box_projection import box_project
from milpcount.kernel.certify import is_empty, is_empty_in_integers, is_interior
from milpcount.kernel.columns import LITERAL_ROW, LITERAL_SIGN, UNIT_PIECE, UNIT_PIECES
from milpcount.kernel.compiled import copy, entry, fill, jit
from milpcount.kernel.cone_certificate import is_empty_cone
from milpcount.kernel.orthant_certificate import is_empty_in_orthant, layer_of
from milpcount.kernel.products import transposed
from milpcount.kernel.projection import EMPTY, FULL, project
from milpcount.kernel.rows import LOST, NORMAL, POSITIVE, TINY
from milpcount.kernel.state import FLOAT_EMPTY, INTEGER_EMPTY, PATIENCE, ROWS_PUT, START, TESTS
from milpcount.kernel.warm_starts import take_start

NO_VERDICT = -1
"""In place of a verdict: nobody has asked yet."""
COUNTED = 3
"""In place of a verdict: what a side holds was counted in exact arithmetic, and it is done."""

NARROWEST = 2.0**-30
"""Distance (in a cube of side 1) by which a projection aims to clear every row. Cells thinner than
that are not missed: they are left open here and decided in exact arithmetic."""

_STEPS = 40
"""Newton steps of a first attempt."""


@entry
def add_row(s, at, r, sign):
    """Put row r with a sign into the current cell at position `at`."""
    s.cell.id[at] = r
    s.cell.stale[at] = True
    s.control[ROWS_PUT] += 1
    s.cell.number[at] = s.control[ROWS_PUT]
    s.cell.sign[at] = sign
    f = sign * s.rows.norm[r]
    for q in range(s.cell.rows.shape[1]):
        s.cell.rows[at, q] = f * s.rows.M[r, q]
        s.cell.columns[q, at] = s.cell.rows[at, q]
    s.cell.offset[at] = f * s.rows.b[r]
    s.cell.error[at] = s.rows.error[r]
    # A projection need not clear a row whose coefficients are lost: no point would be certified.
    lost = s.rows.s[r] == LOST
    s.cell.margin[at] = -s.rows.error[r] if lost else max(NARROWEST, 4.0 * s.rows.error[r])


@jit
def push_piece(p, s, piece, at):
    """Append a piece's rows to the cell; return the new count, or -1 if a constant row forbids."""
    for k in range(p.piece_literals[piece], p.piece_literals[piece + 1]):
        r, sign = p.literals[k, LITERAL_ROW], p.literals[k, LITERAL_SIGN]
        kind = s.rows.kind[r]
        if kind == NORMAL or kind == TINY:
            add_row(s, at, r, sign)
            at += 1
        elif (kind == POSITIVE) != (sign > 0):
            return -1
    return at


@jit
def piece_of_point(p, s, unit, g):
    """Return the piece (from 0) a point lies in beyond rounding, or -1."""
    first, pieces = p.units[unit, UNIT_PIECE], p.units[unit, UNIT_PIECES]
    for k in range(pieces):
        inside = True
        for e in range(p.piece_literals[first + k], p.piece_literals[first + k + 1]):
            r, sign = p.literals[e, LITERAL_ROW], p.literals[e, LITERAL_SIGN]
            kind = s.rows.kind[r]
            if kind == NORMAL:
                t = s.rows.b[r]
                for q in range(g.shape[0]):
                    t += s.rows.M[r, q] * g[q]
                inside &= sign * t * s.rows.norm[r] > s.rows.error[r]
            elif kind == TINY:
                inside = False
            else:
                inside &= (kind == POSITIVE) == (sign > 0)
        if inside:
            return k
    return -1


@jit
def quantum_of_cell(p, s, first, count):
    """Return e such that the rows that carry multipliers are multiples of 2^-e, or -1."""
    quantum = np.int64(0)
    n_rows = p.row_values.shape[0]
    for i in range(first, count):
        if s.trial.lam[i] > 0.0:
            r = s.cell.id[i]
            layer = layer_of(p, r) if r < n_rows else 0
            if p.quantum[layer] < 0:
                return -1
            quantum = max(quantum, p.quantum[layer])
    return quantum


@jit
def decide(p, s, scratch, count):
    """Decide the current cell of `count` rows, starting from the multipliers ``trial_lam``.

    With many parameters ``START`` has to be the stamp of their projection, 0 where all are 0, -1
    where it has none.

    Returns
    -------
    int
        `FULL` with a certified point in ``trial_x, trial_g``; `EMPTY` with a certificate in
        ``trial_lam``; or `NO_VERDICT`, when floating point can prove neither.
    """
    verdict = _decide_once(p, s, scratch, count, np.int64(_STEPS))
    if verdict == NO_VERDICT and s.control[PATIENCE] > 0:
        # Cells that miss being non-empty by little need large multipliers, and those of a distant
        # cell can lead a projection astray.
        fill(s.trial.lam, 0.0)
        s.control[START] = 0
        verdict = _decide_once(p, s, scratch, count, s.control[PATIENCE])
    return verdict


@jit
def _decide_once(p, s, scratch, count, steps):
    n = p.V.shape[1]
    s.control[TESTS] += 1
    first = 0
    if p.small:
        first = 2 * n
        verdict = project(s.cell, s.trial, count, scratch)
        if verdict == FULL:
            copy(s.trial.x, s.trial.g)
    else:
        if s.cell.inputs.shape[0] > 1:
            for i in range(count):
                if s.cell.stale[i]:
                    transposed(p.V, s.cell.rows[i], s.cell.inputs[i])
                    s.cell.stale[i] = False
        at = take_start(p, s, scratch, count)
        verdict = box_project(s.cell, s.trial, s.starts, at, count, p.V, p.VT, scratch, steps)
    if verdict == FULL:
        inside = is_interior(s.cell.rows, s.cell.offset, s.cell.error, first, count, s.trial.g)
        return FULL if inside else NO_VERDICT
    if verdict == EMPTY:
        if is_empty(s.cell.rows, s.cell.offset, s.cell.error, s.trial.lam, first, count, p.V,
                    scratch.y, scratch.z):  # fmt: skip
            s.control[FLOAT_EMPTY] += 1
            return EMPTY
        if (
            p.one >= 0
            and p.small
            and (
                is_empty_cone(s.cell, s.trial.lam, count, scratch)
                or is_empty_in_orthant(p, s, count, scratch)
            )
        ):
            s.control[FLOAT_EMPTY] += 1
            return EMPTY
        quantum = quantum_of_cell(p, s, first, count)
        if is_empty_in_integers(p, s, quantum, first, count, scratch.rho, scratch.y, scratch.z):
            s.control[INTEGER_EMPTY] += 1
            return EMPTY
    return NO_VERDICT
