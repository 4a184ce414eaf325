"""Composition of a layer's forms and rows in the image space, with a running error bound.

Every form carries a majorant ``sigma``: the sum of the magnitudes of all terms that were added up
to make it, over the cube. By the usual forward analysis (Higham 2002, section 3.1) its computed
value at any point is then within ``ops * u * sigma`` of the exact one, and exactly right where all
terms are multiples of one power of two and ``sigma`` holds fewer than 2^52 of them.
"""

import numpy as np

from milpcount.tree.compiled import entry, fill, jit

UNIT_ROUNDOFF = 2.0**-53
EXACT_QUANTA = 2.0**52

NORMAL = 0
NEGATIVE, ZERO, POSITIVE = 1, 2, 3
"""Kinds of rows: it may change sign; or it is constant over the cube, with that sign."""
UNKNOWN = 4
"""The row's coefficients are lost in rounding: exact arithmetic must name its kind."""
TINY = 5
"""The row's coefficients are lost in rounding, not all zero: exact arithmetic decides its sides."""

_HOPELESS = 8.0
"""Above any value a row takes once it is scaled by its rounding error."""


@jit
def compose_layer(p, layer, value_M, value_b, value_s, unit_M, unit_b, unit_s):
    """Set the pre-activations of a layer from the outputs of the units above it."""
    first, count = p.layers[layer, 2], p.layers[layer, 3]
    m = p.V.shape[0]
    if layer == 0:
        for q in range(first, first + count):
            for a in range(m):
                value_M[q, a] = p.weights[q, a]
            value_b[q] = p.bias[q]
            value_s[q] = p.first_majorant[q]
        return
    above, n_above = p.layers[layer - 1, 0], p.layers[layer - 1, 1]
    for q in range(first, first + count):
        fill(value_M[q], 0.0)
        value_b[q] = 0.0
        total = abs(p.bias[q])
        if p.one >= 0:
            value_M[q, p.one] = p.bias[q]
        else:
            value_b[q] = p.bias[q]
        for unit in range(n_above):
            w = p.weights[q, unit]
            if w != 0.0 and unit_s[above + unit] != 0.0:
                total += abs(w) * unit_s[above + unit]
                value_b[q] += w * unit_b[above + unit]
                for a in range(m):
                    value_M[q, a] += w * unit_M[above + unit, a]
        value_s[q] = total


@jit
def set_output(p, unit, piece, value_M, value_b, value_s, unit_M, unit_b, unit_s):
    """Set a unit's output on one of its pieces."""
    v, slope, offset = p.piece_value[piece], p.piece_slope[piece], p.piece_intercept[piece]
    unit_s[unit] = abs(slope) * value_s[v] + abs(offset)
    if unit_s[unit] == 0.0:
        return
    unit_b[unit] = slope * value_b[v]
    for a in range(p.V.shape[0]):
        unit_M[unit, a] = slope * value_M[v, a]
    if p.one >= 0:
        unit_M[unit, p.one] += offset
    else:
        unit_b[unit] += offset


@jit
def compose_rows(p, layer, rounding, value_M, value_b, value_s, row_M, row_b, row_s, row_norm,
                 row_error, row_kind):  # fmt: skip
    """Set the branch rows of a layer; return whether some kind is `UNKNOWN`.

    ``row_M, row_b`` are unscaled; ``row_norm`` is 1 over the Euclidean norm of the row as a
    function on the cube, ``row_error`` the scaled bound on the rounding error of its value.
    """
    first, count = p.layers[layer, 4], p.layers[layer, 5]
    unknown = False
    for r in range(first, first + count):
        a, b, t = p.row_values[r, 0], p.row_values[r, 1], p.row_threshold[r]
        for q in range(p.V.shape[0]):
            row_M[r, q] = value_M[a, q]
        row_b[r] = value_b[a]
        sigma = value_s[a] + abs(t)
        if b >= 0:
            sigma += value_s[b]
            row_b[r] -= value_b[b]
            for q in range(p.V.shape[0]):
                row_M[r, q] -= value_M[b, q]
        if p.one >= 0:
            row_M[r, p.one] -= t
        else:
            row_b[r] -= t
        row_s[r] = sigma
        unknown |= classify(p, r, p.ops[layer], p.quantum[layer], rounding, row_M, row_b, sigma,
                            row_norm, row_error, row_kind)  # fmt: skip
    return unknown


@entry
def classify(p, r, ops, quantum, rounding, row_M, row_b, sigma, row_norm, row_error, row_kind):
    """Set norm, error and kind of one row; return whether its kind is unknown."""
    m = p.V.shape[0]
    reach = 0.0
    for q in range(m):
        reach += abs(row_M[r, q]) * p.S[q]
    error = UNIT_ROUNDOFF * (ops + rounding) * sigma
    exact = quantum >= 0 and sigma * 2.0**quantum < EXACT_QUANTA
    if abs(row_b[r]) > reach + error or (reach == 0.0 and exact):
        row_kind[r] = POSITIVE if row_b[r] > 0 else (NEGATIVE if row_b[r] < 0 else ZERO)
        return False
    squared = 0.0
    for q in range(m):
        t = 0.0
        for a in range(m):
            t += p.H[q, a] * row_M[r, a]
        squared += t * row_M[r, q]
    if reach <= error or squared <= 0.0:
        row_kind[r] = UNKNOWN
        row_norm[r] = 1.0 / max(error, 1e-300)
        row_error[r] = _HOPELESS
        return True
    row_kind[r] = NORMAL
    row_norm[r] = 1.0 / np.sqrt(squared)
    row_error[r] = error * row_norm[r]
    return False
