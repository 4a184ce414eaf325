"""What is known of the cell of the layers above: points inside it, and signs that conflict there.

All questions under one pattern of the layers above are about one convex set Q, cut by the same
rows. A point of Q shows at once which signs of all those rows go together; a conflict, the support
of Farkas multipliers, shows which do not, whatever the others are. Both stay true in every branch
below that pattern. Signs are bit sets over the layer's rows: those positive, those negative.
"""

import numpy as np

from milpcount.kernel.columns import LAYER_ROW, LAYER_ROWS, LITERAL_ROW, LITERAL_SIGN
from milpcount.kernel.compiled import clear_bits, copy_bits, jit
from milpcount.kernel.rows import NORMAL, TINY
from milpcount.kernel.state import CLAUSES, POOL, TESTS

_ONE = np.uint64(1)
_SEGMENTS = 3
"""Further segments per new point; more of them find few further cells."""


@jit
def add_literals(p, s, piece, bits, base):
    """Set the bits of a piece's rows that may change sign; `base` is the layer's first row."""
    for k in range(p.piece_literals[piece], p.piece_literals[piece + 1]):
        kind = s.rows.kind[p.literals[k, LITERAL_ROW]]
        if kind == NORMAL or kind == TINY:
            r = p.literals[k, LITERAL_ROW] - base
            side = 0 if p.literals[k, LITERAL_SIGN] > 0 else 1
            bits[side, r >> 6] |= _ONE << np.uint64(r & 63)


@jit
def find_point(s, layer, bits):
    """Return the index of a pool point with these signs, or -1."""
    words = bits.shape[1]
    for i in range(s.pool.number[layer]):
        missing = (bits[0, 0] & ~s.pool.bits[layer, i, 0, 0]) | (
            bits[1, 0] & ~s.pool.bits[layer, i, 1, 0]
        )
        w = 1
        while missing == 0 and w < words:
            missing = (bits[0, w] & ~s.pool.bits[layer, i, 0, w]) | (
                bits[1, w] & ~s.pool.bits[layer, i, 1, w]
            )
            w += 1
        if missing == 0:
            return i
    return -1


@jit
def in_conflict(s, layer, bits):
    """Return whether these signs contain a known conflict."""
    words = bits.shape[1]
    for i in range(min(s.conflicts.number[layer], CLAUSES)):
        missing = (s.conflicts.bits[layer, i, 0, 0] & ~bits[0, 0]) | (
            s.conflicts.bits[layer, i, 1, 0] & ~bits[1, 0]
        )
        w = 1
        while missing == 0 and w < words:
            missing = (s.conflicts.bits[layer, i, 0, w] & ~bits[0, w]) | (
                s.conflicts.bits[layer, i, 1, w] & ~bits[1, w]
            )
            w += 1
        if missing == 0:
            return True
    return False


@jit
def learn_conflict(p, s, layer, first, count, lam):
    """Keep the signs of the layer's rows that carry multipliers."""
    at = s.conflicts.number[layer] % CLAUSES
    s.conflicts.number[layer] += 1
    bits = s.conflicts.bits[layer, at]
    clear_bits(bits)
    base, n_rows = p.layers[layer, LAYER_ROW], p.layers[layer, LAYER_ROWS]
    for i in range(first, count):
        r = s.cell.id[i] - base
        if lam[i] > 0.0 and 0 <= r < n_rows:
            side = 0 if s.cell.sign[i] > 0 else 1
            bits[side, r >> 6] |= _ONE << np.uint64(r & 63)


@jit
def forget_points(s, layer):
    """Empty the pool of a layer."""
    s.pool.number[layer] = 0
    s.pool.round[layer] += 1


@jit
def _is_known(s, layer, bits):
    """Return whether the pool has a point with just these signs; if not, note that it gets one.

    Nearly all points have a sign in every row, so that it says what `find_point` would, in one look
    instead of hundreds: a table with linear probing, of which half is empty at least. What is there
    of an earlier round counts as empty.
    """
    words, table, h = bits.shape[1], s.pool.table[layer], np.uint64(0)
    for w in range(words):
        h = (h ^ bits[0, w]) * np.uint64(0x9E3779B97F4A7C15)
        h = (h ^ (h >> np.uint64(29)) ^ bits[1, w]) * np.uint64(0xBF58476D1CE4E5B9)
    place = np.int64((h ^ (h >> np.uint64(31))) & np.uint64(2 * POOL - 1))
    while table[place] // POOL == s.pool.round[layer]:
        at, same = table[place] % POOL, True
        for w in range(words):
            same &= s.pool.bits[layer, at, 0, w] == bits[0, w]
            same &= s.pool.bits[layer, at, 1, w] == bits[1, w]
        if same:
            return True
        place = (place + 1) % (2 * POOL)
    table[place] = s.pool.round[layer] * POOL + s.pool.number[layer]
    return False


@jit
def _values(p, s, layer, g, out):
    """Set the entries of a layer's rows to their values at g, scaled as their errors are."""
    base = p.layers[layer, LAYER_ROW]
    for r in range(base, base + p.layers[layer, LAYER_ROWS]):
        t = 0.0
        if s.rows.kind[r] == NORMAL:
            t = s.rows.b[r]
            for q in range(g.shape[0]):
                t += s.rows.M[r, q] * g[q]
            t *= s.rows.norm[r]
        out[r] = t


@jit
def _set_signs(p, s, layer, start, end, t, bits):
    """Set the signs of ``(1 - t) start + t end`` in the layer's rows that exceed their errors."""
    base = p.layers[layer, LAYER_ROW]
    clear_bits(bits)
    for r in range(p.layers[layer, LAYER_ROWS]):
        v = (1.0 - t) * start[base + r] + t * end[base + r]
        if abs(v) > s.rows.error[base + r] and s.rows.kind[base + r] == NORMAL:
            bits[0 if v > 0 else 1, r >> 6] |= _ONE << np.uint64(r & 63)


@jit
def _keep_point(p, s, scratch, layer, t, start, end, g, h):
    """Put ``(1 - t) g + t h`` into the pool unless its signs are there already."""
    _set_signs(p, s, layer, start, end, t, scratch.bits)
    if _is_known(s, layer, scratch.bits):
        return
    at = s.pool.number[layer]
    s.pool.number[layer] += 1
    copy_bits(s.pool.bits[layer, at], scratch.bits)
    s.pool.values[at, p.layers[layer, LAYER_ROW]] = np.nan
    for q in range(g.shape[0]):
        s.pool.g[layer, at, q] = (1.0 - t) * g[q] + t * h[q]


@jit
def learn_segments(p, s, scratch, layer, g):
    """Learn from segments to the point ``trial_g`` from g and from some points of the pool."""
    known, h, pool = s.pool.number[layer], s.trial.g, s.pool
    if known >= POOL:
        return
    _values(p, s, layer, h, scratch.end)
    _keep_point(p, s, scratch, layer, 1.0, scratch.end, scratch.end, h, h)
    _values(p, s, layer, g, scratch.start)
    _learn_segment(p, s, scratch, layer, scratch.start, g)
    for e in range(min(known, _SEGMENTS)):
        at = (s.control[TESTS] * 7919 + e * 31) % known
        if np.isnan(pool.values[at, p.layers[layer, LAYER_ROW]]):
            _values(p, s, layer, pool.g[layer, at], pool.values[at])
        _learn_segment(p, s, scratch, layer, pool.values[at], pool.g[layer, at])


@jit
def _learn_segment(p, s, scratch, layer, start, g):
    """Keep a point of every cell between those of g and ``trial_g``, which lie in Q."""
    end, cut, n, base = scratch.end, scratch.cut, 0, p.layers[layer, LAYER_ROW]
    for r in range(base, base + p.layers[layer, LAYER_ROWS]):
        if start[r] * end[r] < 0.0:
            t = start[r] / (start[r] - end[r])
            i = n
            while i > 0 and cut[i - 1] > t:
                cut[i] = cut[i - 1]
                i -= 1
            cut[i] = t
            n += 1
    for i in range(n - 1):
        if s.pool.number[layer] >= POOL:
            return
        if cut[i + 1] - cut[i] > 1e-9:
            t = 0.5 * (cut[i] + cut[i + 1])
            _keep_point(p, s, scratch, layer, t, start, end, g, s.trial.g)
