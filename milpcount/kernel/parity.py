"""Random parities in the search: a system over GF(2), kept in echelon form along the path.

A variable is the indicator of one piece of a unit, for every piece but the first; variables are
numbered in the order of the units, so the search decides them in that order, but for the units of
a layer that do not split its cell, which are settled when the layer is entered. System 0 is over
all variables; on entering a layer its own system is made of the one before: the units of the
layers above and the settled ones of this layer are put in by their values, and the rest is brought
into echelon form with the *last* variable of every row as its pivot. Pivots are distinct, so a
combination of rows ends at the last of their pivots, and speaks only of decided units if and only
if all of its rows do: deciding each pivot by its row enforces every consequence of the system, as
early as it can be known.

A row is a set of bits over the variables, with its right-hand side in a word of its own.
"""

import numpy as np

from milpcount.kernel.columns import LAYER_UNIT, LAYER_UNITS
from milpcount.kernel.compiled import copy, entry, fill, jit

_ONE = np.uint64(1)
_ALL = np.uint64(2**64 - 1)

SATISFIED, CONTRADICTED = -1, -2
"""What a row can be in a system besides a new row with a pivot (from 0): it follows from the
system, or it contradicts it."""

VALUES, WORK = 0, 1
"""Rows of ``xor_work``: the variables' values on the path, and a row that is being reduced."""


@jit
def _odd(bits):
    """Return 1 if an odd number of bits are set, else 0."""
    bits ^= bits >> np.uint64(32)
    bits ^= bits >> np.uint64(16)
    bits ^= bits >> np.uint64(8)
    bits ^= bits >> np.uint64(4)
    bits ^= bits >> np.uint64(2)
    bits ^= bits >> np.uint64(1)
    return bits & _ONE


@jit
def _last_bit(row):
    """Return the last variable of a row, -1 if it has none."""
    for w in range(row.shape[0] - 2, -1, -1):
        bits = row[w]
        if bits != 0:
            v = 64 * w
            shift = 32
            while shift > 0:
                if bits >> np.uint64(shift) != 0:
                    bits >>= np.uint64(shift)
                    v += shift
                shift >>= 1
            return v
    return -1


@jit
def put(q, unit, piece):
    """Give the variables of a unit the values they have on one of its pieces."""
    values = q.work[VALUES]
    first = q.first[unit]
    for v in range(first, q.first[unit + 1]):
        bit = _ONE << np.uint64(v & 63)
        if v - first + 1 == piece:
            values[v >> 6] |= bit
        else:
            values[v >> 6] &= ~bit


@jit
def holds(q, row):
    """Return whether a row holds where all of its variables have their values."""
    values, words = q.work[VALUES], row.shape[0] - 1
    bits = np.uint64(0)
    for w in range(words):
        bits ^= row[w] & values[w]
    return _odd(bits) == row[words]


@jit
def _substitute(q, row, first, last):
    """Take the variables from first to last - 1 out of a row by their values."""
    values, words = q.work[VALUES], row.shape[0] - 1
    for w in range(first >> 6, (last + 63) >> 6):
        mask = _ALL
        if first > 64 * w:
            mask = mask << np.uint64(first - 64 * w)
        if last < 64 * w + 64:
            mask &= (_ONE << np.uint64(last - 64 * w)) - _ONE
        bits = row[w] & mask
        row[words] ^= _odd(bits & values[w])
        row[w] ^= bits


@jit
def insert(q, at, row):
    """Reduce a row by a system and put it in; return its pivot, or what else it is."""
    v = _last_bit(row)
    while v >= 0:
        r = q.pivot[at, v]
        if r < 0:
            r = q.layers[at, 0]
            copy(q.rows[at, r], row)
            q.pivot[at, v] = r
            q.layers[at, 0] += 1
            return v
        for w in range(row.shape[0]):
            row[w] ^= q.rows[at, r, w]
        v = _last_bit(row)
    return SATISFIED if row[row.shape[0] - 1] == 0 else CONTRADICTED


@jit
def insert_below(p, q, opened, layer, row):
    """Put a row into the system of a layer that has been entered."""
    unit, units = p.layers[layer, LAYER_UNIT], p.layers[layer, LAYER_UNITS]
    _substitute(q, row, 0, q.first[unit])
    i = 0
    for u in range(unit, unit + units):
        if i < opened.number[layer] and opened.unit[layer, i] == u:
            i += 1
        else:
            _substitute(q, row, q.first[u], q.first[u + 1])
    return insert(q, layer + 1, row)


@jit
def enter_layer(p, q, opened, layer, d):
    """Make the system of a layer entered at depth d; return False if nothing satisfies it."""
    at, row = layer + 1, q.work[WORK]
    fill(q.pivot[at], -1)
    q.layers[at, 0] = 0
    q.layers[at, 1] = d
    for r in range(q.layers[layer, 0]):
        copy(row, q.rows[layer, r])
        if insert_below(p, q, opened, layer, row) == CONTRADICTED:
            return False
    return True


@jit
def place_of(q, opened, layer, variable):
    """Return the place of a variable's unit among those that the layer's cell leaves open, or -1.

    It has none if it is of a layer below, or not a variable.
    """
    for i in range(opened.number[layer]):
        unit = opened.unit[layer, i]
        if q.first[unit] <= variable < q.first[unit + 1]:
            return i
    return -1


@jit
def is_allowed(q, layer, unit, piece):
    """Return whether the parities leave a piece to a unit, given the units decided before it."""
    at = layer + 1
    put(q, unit, piece)
    for v in range(q.first[unit], q.first[unit + 1]):
        r = q.pivot[at, v]
        if r >= 0 and not holds(q, q.rows[at, r]):
            return False
    return True


@entry
def add_parity(p, s, parity, d, layers):
    """Add a parity to all systems on the path to the node at depth d.

    Parameters
    ----------
    parity : (words + 1,)
        The row, over all variables.
    d : int
        Depth of a leaf, or of a node whose unit is being decided.
    layers : int
        Layers that have been entered on the path.

    Returns
    -------
    int
        The depth to go on from: d, or above it the node that has to take another piece, because
        the parities contradict the path below it; -1 if they contradict each other.
    """
    q, opened = s.parities, s.opened
    row = q.work[WORK]
    copy(row, parity)
    pivot = insert(q, 0, row)
    if pivot == CONTRADICTED:
        return -1
    if pivot == SATISFIED:
        return d
    for layer in range(layers):
        copy(row, parity)
        entered = q.layers[layer + 1, 1]
        pivot = insert_below(p, q, opened, layer, row)
        if pivot == CONTRADICTED:
            return entered - 1
        i = place_of(q, opened, layer, pivot)
        if i >= 0 and entered + i < d and not holds(q, row):
            return entered + i
    return d
