"""Composition of a layer's forms and rows in the image space, with a running error bound.

Every form carries a majorant ``sigma``: the sum of the magnitudes of all terms that were added up
to make it, over the cube. By the usual forward analysis (Higham 2002, section 3.1) its computed
value at any point is then within ``ops * u * sigma`` of the exact one, and exactly right where all
terms are multiples of one power of two and ``sigma`` holds fewer than 2^52 of them.

That analysis is for numbers that neither underflow nor overflow:

* A product may also lose half of the smallest subnormal number, ``2^-1075 = u * 2^-1022``, whatever
  its size; sums lose nothing there. A form of k products for each of the image's coordinates is off
  by at most ``k u 2^-1022 (1 + sum(S))`` more, as ``|g| <= S``. So every form that has a product
  gets ``p.tiny >= 2^-1022 (1 + sum(S))`` into its majorant: ``ops`` counts at least its products,
  and what the forms below it have lost is in their own majorants. Only a form without any term has
  ``sigma == 0``: it is the zero function, not a small one.
* A majorant of `LARGE` or more says that some term may have overflowed. Its row is `LOST`: no
  number of it is read again, and exact arithmetic decides what it does. Majorants are sums of
  magnitudes, so they become infinite (or nan) before the coefficients do, except where S is small,
  which `classify` looks at.
"""

import numpy as np

from milpcount.kernel.columns import (
    LAYER_ROW,
    LAYER_VALUE,
    READ_SIZE,
    READ_WEIGHT,
    ROW_LESS,
    ROW_VALUE,
    RUN_ENTRY,
    RUN_LENGTH,
    RUN_UNIT,
    VALUE_END,
    VALUE_FIXED,
    VALUE_RUN,
)
from milpcount.kernel.compiled import entry, fill, inlined, jit

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
LARGE = 1e150
"""Squares of what is smaller are finite."""
_SMALL_SQUARE = 1e-280
"""A squared norm below it may have lost digits to underflow, and 1 over its root may overflow."""
LOST = np.inf
"""Majorant of a row whose float64 coefficients say nothing: they are set to 0."""


@jit
def compose_layer(p, layer, start, stop, values, outputs):
    """Set the pre-activations from start to stop - 1 of a layer from the outputs it reads."""
    first = p.layers[layer, LAYER_VALUE]
    m = p.V.shape[0]
    for q in range(first + start, first + stop):
        _start_value(p, q, q, values)
        total, has_product = values.s[q], False
        for e in range(p.values[q, VALUE_RUN], p.values[q, VALUE_END]):
            above, weight = p.runs[e, RUN_UNIT], p.runs[e, RUN_ENTRY]
            for i in range(p.runs[e, RUN_LENGTH]):
                if outputs.s[above + i] != 0.0:
                    w = p.read_weight[weight + i, READ_WEIGHT]
                    has_product = True
                    total += p.read_weight[weight + i, READ_SIZE] * outputs.s[above + i]
                    values.b[q] += w * outputs.b[above + i]
                    for a in range(m):
                        values.M[q, a] += w * outputs.M[above + i, a]
        if has_product:
            total += p.tiny
        values.s[q] = total


@jit
def compose_on_base(p, layer, start, stop, based, opened, n_open, values, outputs):
    """Do the same where the values read all units of the layer before, and no others.

    Units that do not split the cell of the layers above them have one output wherever the layer
    before is decided below it: what they add up to, the *base*, is kept after all values (row
    ``q + values`` for value q) and made anew when that layer is entered. What is added to it at a
    cell are the outputs of the open units. Every term is added once, and nothing is ever taken off,
    so that majorants and bounds are those of any other order.

    Parameters
    ----------
    based : bool
        Whether the base is there.
    opened : (>= n_open,)
        Open units of the layer before, in order.
    """
    before, m = p.values.shape[0], p.V.shape[0]
    for q in range(p.layers[layer, LAYER_VALUE] + start, p.layers[layer, LAYER_VALUE] + stop):
        e, at = p.values[q, VALUE_RUN], before + q
        # The weight of unit u is entry shift + u.
        shift = p.runs[e, RUN_ENTRY] - p.runs[e, RUN_UNIT]
        if not based:
            _start_value(p, q, at, values)
            i, has_product = 0, False
            for u in range(p.runs[e, RUN_UNIT], p.runs[e, RUN_UNIT] + p.runs[e, RUN_LENGTH]):
                if i < n_open and opened[i] == u:
                    i += 1
                elif outputs.s[u] != 0.0:
                    _add_output(p, shift + u, u, at, values, outputs)
                    has_product = True
            if has_product:
                values.s[at] += p.tiny
        has_product = False
        values.s[q], values.b[q] = values.s[at], values.b[at]
        for a in range(m):
            values.M[q, a] = values.M[at, a]
        for i in range(n_open):
            u = opened[i]
            if outputs.s[u] != 0.0:
                _add_output(p, shift + u, u, q, values, outputs)
                has_product = True
        if has_product:
            values.s[q] += p.tiny


@inlined
def _start_value(p, q, at, values):
    """Set row `at` to what value q is without any unit."""
    fixed = p.values[q, VALUE_FIXED]
    if fixed >= 0:
        for a in range(p.V.shape[0]):
            values.M[at, a] = p.fixed[fixed, a]
        values.b[at] = p.fixed[fixed, p.V.shape[0]]
        values.s[at] = p.fixed[fixed, p.V.shape[0] + 1]
    else:
        fill(values.M[at], 0.0)
        values.b[at] = 0.0
        values.s[at] = abs(p.bias[q])
        if p.one >= 0:
            values.M[at, p.one] = p.bias[q]
        else:
            values.b[at] = p.bias[q]


@inlined
def _add_output(p, entry, u, at, values, outputs):
    """Add the output of a unit, times a weight, to row `at`; zero forms have no numbers."""
    w = p.read_weight[entry, READ_WEIGHT]
    values.s[at] += p.read_weight[entry, READ_SIZE] * outputs.s[u]
    values.b[at] += w * outputs.b[u]
    for a in range(p.V.shape[0]):
        values.M[at, a] += w * outputs.M[u, a]


@jit
def set_output(p, unit, piece, values, outputs):
    """Set a unit's output on one of its pieces."""
    v, slope, offset = p.piece_value[piece], p.piece_slope[piece], p.piece_intercept[piece]
    outputs.s[unit] = abs(offset)
    if slope != 0.0 and values.s[v] != 0.0:
        outputs.s[unit] += abs(slope) * values.s[v] + p.tiny
        outputs.b[unit] = slope * values.b[v]
        for a in range(p.V.shape[0]):
            outputs.M[unit, a] = slope * values.M[v, a]
    elif offset == 0.0:  # forms that are zero are not read
        return
    else:  # constant, even where the value itself has overflowed
        outputs.b[unit] = 0.0
        fill(outputs.M[unit], 0.0)
    if p.one >= 0:
        outputs.M[unit, p.one] += offset
    else:
        outputs.b[unit] += offset


@jit
def compose_rows(p, layer, start, stop, rounding, values, rows):
    """Set the branch rows from start to stop - 1 of a layer.

    ``row_M, row_b`` are unscaled; ``norm`` is 1 over the Euclidean norm of the row as a
    function on the cube, ``error`` the scaled bound on the rounding error of its value.
    """
    first = p.layers[layer, LAYER_ROW]
    for r in range(first + start, first + stop):
        a, b, t = p.row_values[r, ROW_VALUE], p.row_values[r, ROW_LESS], p.row_threshold[r]
        for q in range(p.V.shape[0]):
            rows.M[r, q] = values.M[a, q]
        rows.b[r] = values.b[a]
        sigma = values.s[a] + abs(t)
        if b >= 0:
            sigma += values.s[b]
            rows.b[r] -= values.b[b]
            for q in range(p.V.shape[0]):
                rows.M[r, q] -= values.M[b, q]
        if p.one >= 0:
            rows.M[r, p.one] -= t
        else:
            rows.b[r] -= t
        rows.s[r] = sigma
        _classify(p, r, p.ops[layer], p.quantum[layer], rounding, rows)


@entry
def classify(p, r, ops, quantum, rounding, rows):
    """Set norm, error and kind of one row; return whether its kind is unknown.

    Of a row of kind `NORMAL` every number is finite, and so is its value at any point of the cube,
    also after it is scaled by its norm.
    """
    return _classify(p, r, ops, quantum, rounding, rows)


@inlined
def _classify(p, r, ops, quantum, rounding, rows):
    m = p.V.shape[0]
    sigma = rows.s[r]
    reach, squared = 0.0, 0.0
    for q in range(m):
        reach += abs(rows.M[r, q]) * p.S[q]
    error = UNIT_ROUNDOFF * (ops + rounding) * sigma
    # Tests that fail where a number is nan: where S is small, coefficients may have overflowed.
    fine = sigma < LARGE and reach < LARGE
    if fine:
        constant = abs(rows.b[r]) > reach + error
        if not constant and reach == 0.0:  # seldom: powers of two cost more than the rest here
            constant = sigma == 0.0 or (quantum >= 0 and sigma * 2.0**quantum < EXACT_QUANTA)
        if constant:
            rows.kind[r] = POSITIVE if rows.b[r] > 0 else (NEGATIVE if rows.b[r] < 0 else ZERO)
            return False
        for q in range(m):
            t = 0.0
            for a in range(m):
                t += p.H[q, a] * rows.M[r, a]
            squared += t * rows.M[r, q]
        fine = squared < LARGE * LARGE and (reach <= error or squared >= _SMALL_SQUARE)
    if fine and reach > error:
        rows.kind[r] = NORMAL
        rows.norm[r] = 1.0 / np.sqrt(squared)
        rows.error[r] = error * rows.norm[r]
        return False
    rows.kind[r] = UNKNOWN
    rows.norm[r] = 1.0 / max(error, 1e-300)
    rows.error[r] = _HOPELESS
    if not fine:  # nothing is made of its coefficients: no proof can rest on them
        for q in range(m):
            rows.M[r, q] = 0.0
        rows.b[r] = 0.0
        rows.s[r] = LOST
        rows.norm[r] = 1.0
    return True
