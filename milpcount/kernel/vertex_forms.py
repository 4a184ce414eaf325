"""Forms of a search that carries vertices: how those of a layer are made, and their errors.

A form is a sum of outputs of units above, each with its weight, and of what is read of the inputs.
The bounds on its rounding are those of `rows`, for any order of the sum: majorants add up the
magnitudes of all terms, and a product may lose ``p.tiny`` to underflow. Where a layer reads units
of the layer above it only, its forms are accumulated while these are decided, in ``ahead`` of the
nodes on the path; every term is added once, and nothing is ever taken off.

The bound. A coefficient of a form is a sum of products along the paths of the network, and a
product goes through at most `p.ops` roundings, those of all the sums that it is part of; with u the
roundoff and s the majorant, the form is off by ``u ops s`` on the cube. Its value at a point of the
cube is a sum of n products and the constant: ``n + 1`` more roundings of terms that add up to s at
most, and vertices lie outside of the cube by their own errors, below 2^-6, which the rest of the
`rounding` handed in, 64, is far more than enough for: ``(1 + 2^-6) (n + 1) + 2 <= 64``.
"""

import numpy as np

from milpcount.kernel.columns import (
    LAYER_ROW,
    LAYER_ROWS,
    LAYER_UNIT,
    LAYER_VALUE,
    LAYER_VALUES,
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
from milpcount.kernel.compiled import inlined
from milpcount.kernel.rows import LARGE, UNIT_ROUNDOFF
from milpcount.kernel.vertex_state import FIRST_COLUMN, INCREMENTAL, PLAIN, VERTICES, WEIGHTS


@inlined
def compose(p, t, s, layer, n):
    """Set the forms of a layer's values from the outputs they read."""
    first, count = p.layers[layer, LAYER_VALUE], p.layers[layer, LAYER_VALUES]
    for q in range(first, first + count):
        begin(p, s.forms.table, q, q, n)
        for e in range(p.values[q, VALUE_RUN], p.values[q, VALUE_END]):
            above, weight = p.runs[e, RUN_UNIT], p.runs[e, RUN_ENTRY]
            for i in range(p.runs[e, RUN_LENGTH]):
                w, size = (
                    p.read_weight[weight + i, READ_WEIGHT],
                    p.read_weight[weight + i, READ_SIZE],
                )
                for a in range(n + 1):
                    s.forms.table[a, q] += w * s.outputs[a, above + i]
                if s.outputs[n + 1, above + i] != 0.0:
                    s.forms.table[n + 1, q] += size * s.outputs[n + 1, above + i] + p.tiny


@inlined
def begin(p, forms, q, column, n):
    """Set a form to what value q is without units: its bias, and what it reads of the inputs."""
    at = p.values[q, VALUE_FIXED]
    for a in range(n):
        forms[a, column] = p.fixed[at, a] if at >= 0 else 0.0
    forms[n, column] = p.fixed[at, n] if at >= 0 else p.bias[q]
    forms[n + 1, column] = p.fixed[at, n + 1] if at >= 0 else abs(p.bias[q])


@inlined
def compose_rows(p, t, s, layer, rounding, n):
    """Set the rows of a layer, unless they are its values, and their errors and 1-norms."""
    row, rows = p.layers[layer, LAYER_ROW], p.layers[layer, LAYER_ROWS]
    first = t.layers[layer, FIRST_COLUMN]
    if not t.layers[layer, PLAIN]:
        for r in range(row, row + rows):
            column, v, w = t.columns[r], p.row_values[r, ROW_VALUE], p.row_values[r, ROW_LESS]
            threshold = p.row_threshold[r]
            for a in range(n + 2):
                s.forms.table[a, column] = s.forms.table[a, v]
            if w >= 0:
                for a in range(n + 1):
                    s.forms.table[a, column] -= s.forms.table[a, w]
                s.forms.table[n + 1, column] += s.forms.table[n + 1, w]
            s.forms.table[n, column] -= threshold
            s.forms.table[n + 1, column] += abs(threshold)
    factor = UNIT_ROUNDOFF * (p.ops[layer] + rounding)
    size, error = s.forms.size[first : first + rows], s.forms.error[first : first + rows]
    for j in range(rows):
        size[j] = 0.0
    for a in range(n):
        form = s.forms.table[a, first : first + rows]
        for j in range(rows):
            size[j] += abs(form[j])
    form = s.forms.table[n + 1, first : first + rows]
    for j in range(rows):
        error[j] = factor * form[j] if form[j] < LARGE else np.inf


@inlined
def test_rows(p, t, s, d, layer, n):
    """Set the least and the greatest value of every row of a layer on the node's cell."""
    first, rows = t.layers[layer, FIRST_COLUMN], p.layers[layer, LAYER_ROWS]
    value, low, high = s.work.sums[0], s.work.sums[1], s.work.sums[2]
    constant = s.forms.table[n, first : first + rows]
    for j in range(rows):
        low[j], high[j] = np.inf, -np.inf
    for v in range(s.path.node[d, VERTICES]):
        x = s.pool.x[np.uint64(s.path.member[d, v])]
        for j in range(rows):
            value[j] = constant[j]
        for a in range(n):
            f, form = x[a], s.forms.table[a, first : first + rows]
            for j in range(rows):
                value[j] += form[j] * f
        for j in range(rows):
            low[j] = min(low[j], value[j])
            high[j] = max(high[j], value[j])


@inlined
def settle(p, t, s, d, layer, unit, k, n):
    """Settle a unit on piece k for the node at depth d, and hand its output on."""
    s.pattern[unit] = k
    piece = p.units[unit, UNIT_PIECE] + k
    v, slope, offset = p.piece_value[piece], p.piece_slope[piece], p.piece_intercept[piece]
    majorant = abs(offset)
    moves = slope != 0.0 and s.forms.table[n + 1, v] != 0.0
    if moves:
        majorant += abs(slope) * s.forms.table[n + 1, v] + p.tiny
    if t.read[unit]:
        for a in range(n + 1):
            s.outputs[a, unit] = slope * s.forms.table[a, v] if moves else 0.0
        s.outputs[n, unit] += offset
        s.outputs[n + 1, unit] = majorant
    below = layer + 1
    if majorant == 0.0 or below == p.layers.shape[0] or not t.layers[below, INCREMENTAL]:
        return
    width = p.layers[below, LAYER_VALUES]
    start = t.layers[below, WEIGHTS] + (unit - p.layers[layer, LAYER_UNIT]) * width
    weight, sizes = t.weights[0, start : start + width], t.weights[1, start : start + width]
    for a in range(n + 1):
        f = slope * s.forms.table[a, v] if moves else 0.0
        if a == n:
            f += offset
        if f != 0.0:
            ahead = s.path.ahead[d, a]
            for w in range(width):
                ahead[w] += f * weight[w]
    ahead, tiny = s.path.ahead[d, n + 1], p.tiny
    for w in range(width):
        size = sizes[w]
        ahead[w] += majorant * size + (tiny if size != 0.0 else 0.0)


@inlined
def take_ahead(p, t, s, d, layer, n):
    """Hand the accumulated forms of the layer below on to the child of the node at depth d."""
    below = layer + 1
    if below < p.layers.shape[0] and t.layers[below, INCREMENTAL]:
        for a in range(n + 2):
            child, ahead = s.path.ahead[d + 1, a], s.path.ahead[d, a]
            for q in range(p.layers[below, LAYER_VALUES]):
                child[q] = ahead[q]


@inlined
def take_domain(p, t, s, rounding, n):
    """Set the forms of the domain's rows, and what is known of their errors."""
    for i in range(p.domain_M.shape[0]):
        column = t.columns[p.row_values.shape[0] + i]
        s.forms.size[column] = 0.0
        for a in range(n):
            s.forms.table[a, column] = p.domain_M[i, a]
            s.forms.size[column] += abs(p.domain_M[i, a])
        s.forms.table[n, column], s.forms.table[n + 1, column] = (
            p.domain_beta[i],
            p.domain_majorant[i],
        )
        majorant = p.domain_majorant[i]
        error = UNIT_ROUNDOFF * (p.ops[0] + rounding) * majorant
        s.forms.error[column] = error if majorant < LARGE else np.inf
