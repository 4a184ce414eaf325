r"""Proofs that a cell of an unbounded set is empty, by what the active units above it are.

Where fewer units move above a layer than there are parameters, the layer's rows, and all below it,
are forms in fewer coordinates than the cell has, and the cell holds whole lines on which they do
not change. Rows that exclude each other are then too few to be a basis, and what they add up to
over the parameters is zero by structure, not by numbers: floating point cannot tell
(see `cone_certificate`).

So they are taken as forms in what they read: coordinates h_1, .., h_m, the absolute values of the
outputs of the layer above that move, and s, which stands for 1. On the unit's piece the sign of its
output is known where the piece ends at a zero of it, as that of an active rectifier does. Then
h >= 0 and s > 0 in the cell, and rows f_i >= 0 exclude each other if, for some multipliers,

    sum_i lam_i f_i = sum_j z_j h_j + z_0 s    with all z_j < 0 and z_0 < 0.

The coefficients of f_i are sums of products of weights: a few roundings, no cancellation of large
terms. Multipliers for which the z_j are zero but for rounding, as the projection leaves them, are
moved a little first: by nu = F x with F^T nu = Delta, where F has the rows f_i and Delta is what
the z_j are too large by. What is proved rests on the sums alone.

**Errors.** A coefficient of f_i is a sum of products along the paths from the coordinate to the
row, and so in as many roundings at most as the same row has in `rows`, where `p.ops` counts them,
with the size that is composed here beside it as the majorant: the sum of the magnitudes of all
products. Taking off the second value and the threshold, the sign, the norm and its quotient are
within 8 more. So the form is off by ``u (ops + 8) (size + tiny) / norm`` in the sum of its
coefficients' errors, `tiny` for what underflows. A sum z_j of k rows is off by that, weighted, and
by ``(k + 3) u`` times the sum of its products' magnitudes; half of it again is granted for the
rounding of these bounds. Nothing is asked of the multipliers but that they are not negative.

Rows of deeper layers are composed from the outputs in between, in the same coordinates; a row that
the piece of a coordinate's unit has is a coordinate itself and not needed.
"""

import numpy as np

from milpcount.kernel.columns import (
    LAYER_ROW,
    LAYER_UNIT,
    LAYER_UNITS,
    LITERAL_ROW,
    LITERAL_SIGN,
    READ_SIZE,
    READ_WEIGHT,
    ROW_LESS,
    ROW_VALUE,
    RUN_ENTRY,
    RUN_LENGTH,
    RUN_UNIT,
    UNIT_PIECE,
    VALUE_END,
    VALUE_FIXED,
    VALUE_RUN,
)
from milpcount.kernel.compiled import fill, jit
from milpcount.kernel.rows import LARGE, UNIT_ROUNDOFF

_NEGLIGIBLE = 1e-9
"""Share of the largest multiplier below which one is an artefact of the projection."""
_MOVED = 1e-6
"""By how much the sums are moved below zero, of the sum of the multipliers of unit rows."""
_RIDGE = 1e-13
"""Added to the diagonal of normal equations, of its largest entry."""


@jit
def layer_of(p, r):
    """Return the layer of a row of a unit."""
    layer, last = 0, p.layers.shape[0] - 1
    while layer < last and p.layers[layer + 1, LAYER_ROW] <= r:
        layer += 1
    return layer


@jit
def is_empty_in_orthant(p, s, count, work):
    """Return whether the rows that carry multipliers exclude each other by what they read.

    Parameters
    ----------
    p : Program
        Of an unbounded set.
    s : State
        Its cell of `count` rows, the first 2 d of which are the cube's sides, and ``trial.lam``.
    count : int
    work : Scratch

    Returns
    -------
    bool
    """
    d, lam = p.V.shape[1], s.trial.lam
    largest, top, lowest = 0.0, -1, p.layers.shape[0]
    for i in range(2 * d, count):
        largest = max(largest, lam[i])
    if not 0.0 < largest < np.inf:
        return False
    for i in range(2 * d, count):
        if lam[i] > _NEGLIGIBLE * largest:
            if s.cell.id[i] >= p.row_values.shape[0]:
                return False
            layer = layer_of(p, s.cell.id[i])
            top, lowest = max(top, layer), min(lowest, layer)
    for layer in range(top, lowest - 1, -1):
        if layer < 1:
            return False
        width = _set_coordinates(p, s, layer - 1, work)
        if width > 0:
            rows = _set_rows(p, s, layer, top, count, _NEGLIGIBLE * largest, width, work)
            if rows > 0 and _is_negative_sum(rows, width, work):
                return True
    return False


@jit
def _set_coordinates(p, s, layer, work):
    """Make the outputs of a layer coordinates; return how many there are with that of 1, or -1.

    The row that a coordinate's unit has on its piece is put into ``work.chosen``.
    """
    forms, sizes, at = work.local_forms, work.local_sizes, p.values.shape[0]
    width = 1
    first, units = p.layers[layer, LAYER_UNIT], p.layers[layer, LAYER_UNITS]
    for u in range(first, first + units):
        piece = p.units[u, UNIT_PIECE] + s.pattern[u]
        v, slope, offset = p.piece_value[piece], p.piece_slope[piece], p.piece_intercept[piece]
        fill(forms[at + u], 0.0)
        sizes[at + u] = 0.0
        if slope == 0.0 or s.values.s[v] == 0.0:
            forms[at + u, 0] = offset
            sizes[at + u] = abs(offset)
            continue
        found = -1
        for k in range(p.piece_literals[piece], p.piece_literals[piece + 1]):
            r = p.literals[k, LITERAL_ROW]
            ends = p.row_threshold[r] == 0.0 and offset == 0.0
            if p.row_values[r, ROW_VALUE] == v and p.row_values[r, ROW_LESS] < 0 and ends:
                found = k
        if found < 0 or width == forms.shape[1]:
            return -1
        sign = p.literals[found, LITERAL_SIGN]
        forms[at + u, width] = 1.0 if (sign > 0) == (slope > 0.0) else -1.0
        sizes[at + u] = 1.0
        work.chosen[width] = p.literals[found, LITERAL_ROW]
        width += 1
    return width


@jit
def _set_rows(p, s, layer, top, count, least, width, work):
    """Set the rows that carry multipliers as unit forms in the coordinates; return their number.

    Of row k of ``work.Q``: its form, a bound on its error, the multiplier; -1 if a row is no form
    in the coordinates.
    """
    for between in range(layer, top):
        first, units = p.layers[between, LAYER_UNIT], p.layers[between, LAYER_UNITS]
        for u in range(first, first + units):
            if not _set_output(p, s, layer, u, width, work):
                return -1
    n = 0
    for i in range(2 * p.V.shape[1], count):
        if not s.trial.lam[i] > least:
            continue
        r = s.cell.id[i]
        own = layer_of(p, r)
        if own < layer:
            known = False
            for j in range(1, width):
                known |= own == layer - 1 and work.chosen[j] == r
            if not known:
                return -1
            continue
        if n == work.Q.shape[0]:
            return -1
        a, b, t = p.row_values[r, ROW_VALUE], p.row_values[r, ROW_LESS], p.row_threshold[r]
        if not _set_value(p, layer, a, width, work):
            return -1
        size = work.local_sizes[a] + abs(t)
        for j in range(width):
            work.Q[n, j] = work.local_forms[a, j]
        if b >= 0:
            if not _set_value(p, layer, b, width, work):
                return -1
            size += work.local_sizes[b]
            for j in range(width):
                work.Q[n, j] -= work.local_forms[b, j]
        work.Q[n, 0] -= t
        norm = 0.0
        for j in range(width):
            norm = max(norm, abs(work.Q[n, j]))
        if not (0.0 < norm and size < LARGE):
            return -1
        f = s.cell.sign[i] / norm
        for j in range(width):
            work.Q[n, j] *= f
        # As many roundings as the row has seen in all, and products that underflow; see `rows`.
        work.Q[n, width] = UNIT_ROUNDOFF * (p.ops[own] + 8) * (size + p.tiny) / norm
        work.Q[n, width + 1] = s.trial.lam[i] * norm * s.rows.norm[r]
        n += 1
    return n


@jit
def _set_value(p, layer, q, width, work):
    """Compose value q from outputs of the layer above `layer` and those below it, if it can be."""
    forms, sizes = work.local_forms, work.local_sizes
    before, first = p.values.shape[0], p.layers[layer - 1, LAYER_UNIT]
    if p.values[q, VALUE_FIXED] >= 0:
        return False
    fill(forms[q], 0.0)
    forms[q, 0], sizes[q] = p.bias[q], abs(p.bias[q])
    for e in range(p.values[q, VALUE_RUN], p.values[q, VALUE_END]):
        if p.runs[e, RUN_UNIT] < first:
            return False
        for k in range(p.runs[e, RUN_LENGTH]):
            u, entry = before + p.runs[e, RUN_UNIT] + k, p.runs[e, RUN_ENTRY] + k
            sizes[q] += p.read_weight[entry, READ_SIZE] * sizes[u]
            for j in range(width):
                forms[q, j] += p.read_weight[entry, READ_WEIGHT] * forms[u, j]
    return True


@jit
def _set_output(p, s, layer, u, width, work):
    """Compose the output of a unit on its piece in the coordinates, if it can be."""
    piece, at = p.units[u, UNIT_PIECE] + s.pattern[u], p.values.shape[0] + u
    v, slope, offset = p.piece_value[piece], p.piece_slope[piece], p.piece_intercept[piece]
    fill(work.local_forms[at], 0.0)
    work.local_sizes[at] = abs(offset)
    if slope != 0.0:
        if not _set_value(p, layer, v, width, work):
            return False
        work.local_sizes[at] += abs(slope) * work.local_sizes[v]
        for j in range(width):
            work.local_forms[at, j] = slope * work.local_forms[v, j]
    work.local_forms[at, 0] += offset
    return True


@jit
def _is_negative_sum(rows, width, work):
    """Return whether multipliers near those given make the sum of the rows negative all over."""
    F, total = work.Q, 0.0
    for i in range(rows):
        total += F[i, width + 1]
    if not 0.0 < total < np.inf:
        return False
    for i in range(rows):
        F[i, width + 1] /= total
    # Only sums that are not clearly below zero are moved: there may be fewer rows than sums.
    delta, high, n = work.y, work.chosen, 0
    for j in range(width):
        z = 0.0
        for i in range(rows):
            z += F[i, width + 1] * F[i, j]
        if z > -10.0 * _MOVED:
            delta[n] = min(0.0, -_MOVED - z)
            high[n] = j
            n += 1
    _solve_normal_equations(F, rows, high, n, delta, work.L)
    for i in range(rows):
        moved = F[i, width + 1]
        for a in range(n):
            moved += F[i, high[a]] * delta[a]
        F[i, width + 1] = max(0.0, moved)
    for j in range(width):
        z, error = 0.0, 0.0
        for i in range(rows):
            product = F[i, width + 1] * F[i, j]
            z += product
            error += F[i, width + 1] * F[i, width] + (rows + 3) * UNIT_ROUNDOFF * abs(product)
        if not z + 1.5 * error < 0.0:
            return False
    return True


@jit
def _solve_normal_equations(F, rows, of, n, delta, L):
    """Set delta to x with ``G^T G x = delta``, nearly, G being the n columns `of` of F."""
    ridge = 0.0
    for a in range(n):
        for b in range(a + 1):
            t = 0.0
            for i in range(rows):
                t += F[i, of[a]] * F[i, of[b]]
            L[a, b] = t
        ridge = max(ridge, L[a, a])
    for a in range(n):
        L[a, a] += _RIDGE * ridge
        for b in range(a + 1):
            t = L[a, b]
            for c in range(b):
                t -= L[a, c] * L[b, c]
            L[a, b] = np.sqrt(max(t, _RIDGE * ridge)) if a == b else t / L[b, b]
    for a in range(n):
        for c in range(a):
            delta[a] -= L[a, c] * delta[c]
        delta[a] /= L[a, a]
    for a in range(n - 1, -1, -1):
        for c in range(a + 1, n):
            delta[a] -= L[c, a] * delta[c]
        delta[a] /= L[a, a]
