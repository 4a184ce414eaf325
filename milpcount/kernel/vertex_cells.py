"""Cells as vertices: signs of a row, the cut of a cell along it, and what is on either side.

A cell is a *simple* polytope: n facets meet in every vertex, and every vertex has n neighbours,
each at the end of the edge that leaves one of these facets. This holds for the cube, and it is kept
by a cut along a row that is certainly not zero at any vertex: the vertices of a side are those of
that sign and one crossing on every edge whose ends have different signs; a crossing lies on the
facets of its edge and on the new one, and two crossings are neighbours iff they share n - 1 facets.
So the combinatorics are those of the true cell, of which numbers are known within bounds only:

* Of a row h, ``|h^(x) - h(x)| <= E`` on the cube, E its rounding error, evaluation included.
* A vertex x is where the rows A of its facets are zero. Computed is x^, and B, near the inverse of
  A. The rows have 1-norm 1, so that with r the computed values of the rows at x^ and E_i their
  errors, ``|A (x^ - x)| <= max (|r_i| + E_i)``. With ``eta >= ||A B - 1||`` below 1/2, for A of
  exact rows, A has the inverse ``B (A B)^-1``, and in the maximum norm (a verified solution of a
  linear system: Rump, Verification methods, Acta Numerica 2010, section 10)::

      |x^ - x| <= ||B|| max (|r_i| + E_i) / (1 - eta) <= 2 ||B|| max (|r_i| + E_i) =: e

  A crossing of the edge from p to q gets x^ by interpolation, so that the values of the rows of p
  and q at x^ are between those at their ends, and that of the new one, h, is zero, but for
  rounding: the maximum grows by a few roundings only. It gets B by a pivot, of the simplex method,
  from that of p, with ``g = h B``: column `place` is divided by ``g_place``, and taken from the
  others as often as g says. With D = A B - 1 of p, the new defect is
  ``D_ik - D_i,place g_k / g_place`` in the rows that stay (``D_i,place / g_place`` in column
  `place`), and rounding in that of h, so that eta grows by a factor
  ``1 + (1 + sum |g_k|) / |g_place|`` at most and some roundings: from 1e-16, it may do so dozens of
  times before it has to be measured anew.
* The sign of a row at the true vertex is that of ``h^(x^)`` where this exceeds ``E + |M|_1 e``.

Where a bound does not suffice nothing is decided here: the cell is handed over, and with it every
degenerate one, in which a row is zero at a vertex.
"""

import numpy as np

from milpcount.kernel.compiled import inlined, jit
from milpcount.kernel.rows import EXACT_QUANTA, UNIT_ROUNDOFF
from milpcount.kernel.vertex_state import (
    CROSSINGS,
    DEFECT,
    NORM,
    RESIDUAL,
    TESTS,
    TOP,
    VERTICES,
)

_FEW_CROSSINGS = 24
"""Up to which all pairs of crossings are looked at."""
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)

NEGATIVE, POSITIVE, SPLIT, UNSURE = range(4)
"""What is known of a row's sign on a cell."""
CUT, NO_ROOM, NO_PROOF = range(3)
"""What came of a cut."""

OWN = 2
"""Column of `Cells.crossing`: the place, among the facets of the first end, of the edge's own one,
in which a crossing has the new facet; before it the ends, after it the neighbours."""
FIXED = -(2**30)
"""In `Cells.beside`, of a section: the facet is one of those whose section it is."""
_MOST_ERROR = 2.0**-6
"""A vertex that is known less well is none: majorants hold for points of the cube, nearly."""
_MOST_DEFECT = 0.25
"""Of an approximate inverse; what the errors of the rows add to it is less than `_MOST_ERROR`."""
_ROUNDINGS = 16.0 * UNIT_ROUNDOFF
"""Of sums of some products of numbers of size 1, for each of the n products."""


@inlined
def values(s, d, column, n):
    """Evaluate a row at the vertices of the node at depth d; return the least and the greatest."""
    h = s.work.sums[0]
    for a in range(n + 1):
        h[a] = s.forms.table[a, column]
    low, high = np.inf, -np.inf
    for v in range(s.path.node[d, VERTICES]):
        x = s.pool.x[np.uint64(s.path.member[d, v])]
        t = h[n]
        for a in range(n):
            t += h[a] * x[a]
        s.path.value[d, v] = t
        low = min(low, t)
        high = max(high, t)
    return low, high


@inlined
def row_sign(p, s, d, layer, column, low, high):
    """Return the sign of a row on the node's cell, from its least and its greatest value.

    Nothing is sure of a row without a finite bound on its errors.
    """
    bound = s.forms.error[column] + s.forms.size[column] * s.path.reach[d]
    if low > bound:
        return POSITIVE
    if high < -bound:
        return NEGATIVE
    if low < -bound and high > bound:
        return SPLIT
    return _constant(p, s, layer, column)


@inlined
def _constant(p, s, layer, column):
    """Return the sign of a row without coefficients whose constant is exact, else `UNSURE`.

    A row that is zero is not positive: its unit is on the piece below, everywhere.
    """
    n, exponent = p.V.shape[1], p.quantum[layer]
    majorant = s.forms.table[n + 1, column]
    if s.forms.size[column] != 0.0:
        return UNSURE
    if majorant == 0.0 or (exponent >= 0 and majorant * 2.0**exponent < EXACT_QUANTA):
        return POSITIVE if s.forms.table[n, column] > 0.0 else NEGATIVE
    return UNSURE


@inlined
def test_row(p, s, d, layer, column, n):
    """Return the sign of a row on the cell of the node at depth d; leave its values in ``value``.

    It is `SPLIT` only if it is certain at every vertex.
    """
    low, high = values(s, d, column, n)
    s.control[TESTS] += 1
    error, size = s.forms.error[column], s.forms.size[column]
    bound = error + size * s.path.reach[d]
    if low > bound:
        return POSITIVE
    if high < -bound:
        return NEGATIVE
    above = below = False
    for v in range(s.path.node[d, VERTICES]):
        t = s.path.value[d, v]
        if not abs(t) > bound and not _is_certain(
            s.facets, s.pool, s.forms, s.path.member[d, v], column, abs(t), n
        ):
            return _constant(p, s, layer, column)
        above |= t > 0.0
        below |= t < 0.0
    if above and below:
        return SPLIT
    return POSITIVE if above else NEGATIVE


@jit
def _is_certain(facets, pool, forms, at, column, t, n):
    """Return whether a row's value at a vertex, of magnitude t, exceeds what it may be off by.

    ``M (x^ - x) = M A^-1 r`` with the values r of A's rows at x^, and ``A^-1 = B (1 + D)^-1``: with
    ``g = M B`` this is ``g (r - D (1 + D)^-1 r)``, at most ``sum |g_k| (|r_k| + 2 eta max |r|)``
    for eta up to 1/2. In a thin cell that is much less than ``|M|_1 e`` for most rows.
    """
    facet, most, total, bound = pool.facet, 0.0, 0.0, forms.error[column]
    for k in range(n):
        g, r = 0.0, facets[facet[at, k], n]
        for a in range(n):
            g += forms.table[a, column] * pool.inverse[at, a, k]
            r += facets[facet[at, k], a] * pool.x[at, a]
        r = abs(r) + facets[facet[at, k], n + 1] + _ROUNDINGS * n
        most = max(most, r)
        total += abs(g)
        bound += abs(g) * r
    norm, size = pool.known[at, NORM], forms.size[column]
    defect = pool.known[at, DEFECT] + (most + _ROUNDINGS * n) * norm
    return t > bound + (2.0 * defect * total + _ROUNDINGS * n * size * norm) * most


@inlined
def _vertex(s, at, p, q, place, t_p, t_q, facet, bit, n):
    """Put into the pool the point of the edge from vertex p to q at which a row is zero.

    Parameters
    ----------
    at, p, q : int
        Numbers in the pool.
    place : int
        Among the facets of p, of the one that q is not on.
    t_p, t_q : float
        Values of the row, of different signs.
    facet, bit : int
        Of the row.

    Returns
    -------
    bool
        Whether it is proved to be a vertex.
    """
    f = t_p / (t_p - t_q)
    for a in range(n):
        s.pool.x[at, a] = s.pool.x[p, a] + f * (s.pool.x[q, a] - s.pool.x[p, a])
        s.pool.facet[at, a] = s.pool.facet[p, a]
        s.pool.bit[at, a] = s.pool.bit[p, a]
    s.pool.facet[at, place], s.pool.bit[at, place] = facet, bit
    s.pool.mask[at] = (s.pool.mask[p] & s.pool.mask[q]) | bit
    g = s.work.sums[1]
    others = 0.0
    for k in range(n):
        t = 0.0
        for a in range(n):
            t += s.facets[facet, a] * s.pool.inverse[p, a, k]
        g[k] = t
        others += abs(t)
    pivot = g[place]
    norm = 0.0
    for a in range(n):
        t = s.pool.inverse[p, a, place] / pivot
        total = 0.0
        for k in range(n):
            u = s.pool.inverse[p, a, k] - t * g[k]
            s.pool.inverse[at, a, k] = u
            total += abs(u)
        total += abs(t) - abs(s.pool.inverse[at, a, place])
        s.pool.inverse[at, a, place] = t
        norm = max(norm, total)
    growth = 1.0 + (1.0 + others) / abs(pivot)
    known, own = s.pool.known, s.facets[facet, n + 1] + _ROUNDINGS * n
    known[at, NORM] = norm
    known[at, DEFECT] = (known[p, DEFECT] + _ROUNDINGS * n * known[p, NORM]) * growth
    known[at, RESIDUAL] = max(own, known[p, RESIDUAL], known[q, RESIDUAL]) + _ROUNDINGS
    if not s.pool.known[at, DEFECT] < _MOST_DEFECT:
        _measure_defect(s, at, n)
    s.pool.error[at] = 2.0 * norm * s.pool.known[at, RESIDUAL]
    # Tests that fail where a number is nan.
    return s.pool.error[at] < _MOST_ERROR and s.pool.known[at, DEFECT] < _MOST_DEFECT


@inlined
def _measure_defect(s, at, n):
    """Bound the defect of a vertex's inverse by its rows themselves."""
    defect = 0.0
    for i in range(n):
        facet, total = s.pool.facet[at, i], 0.0
        for k in range(n):
            t = -1.0 if k == i else 0.0
            for a in range(n):
                t += s.facets[facet, a] * s.pool.inverse[at, a, k]
            total += abs(t)
        defect = max(defect, total)
    s.pool.known[at, DEFECT] = defect + _ROUNDINGS * n * (s.pool.known[at, NORM] + 1.0)


@inlined
def find_crossings(s, d, column, n):
    """Find the crossings of the cell's edges with the row last evaluated, certain at every vertex.

    They come to lie on top of the pool, and in ``crossing`` with their ends (counted in the cell)
    and their neighbours (counted among the crossings).

    Returns
    -------
    int
        `CUT`; `NO_ROOM`, where nothing has changed; or `NO_PROOF`.
    """
    count, top, used = s.path.node[d, VERTICES], s.path.node[d, TOP], np.uint64(0)
    for v in range(count):
        used |= s.pool.mask[s.path.member[d, v]]
    bit = ~used & (used + np.uint64(1))  # the lowest bit that no vertex has
    if bit == np.uint64(0):
        return NO_PROOF
    facet, size = 2 * n + d, s.forms.size[column]
    for a in range(n + 1):
        s.facets[facet, a] = s.forms.table[a, column] / size
    s.facets[facet, n + 1] = s.forms.error[column] / size
    edges, most = 0, min(s.path.member.shape[1] - count, s.pool.x.shape[0] - top)
    for v in range(count):
        t, at = s.path.value[d, v], s.path.member[d, v]
        if t > 0.0:
            for i in range(n):
                w = s.path.beside[d, v, i]
                if w != FIXED and s.path.value[d, w] < 0.0:
                    if edges == most:
                        return NO_ROOM
                    if not _vertex(
                        s, top + edges, at, s.path.member[d, w], i, t, s.path.value[d, w],
                        facet, bit, n
                    ):  # fmt: skip
                        return NO_PROOF
                    s.path.crossing[d, edges, 0], s.path.crossing[d, edges, 1] = v, w
                    s.path.crossing[d, edges, OWN] = i
                    edges += 1
    if edges <= _FEW_CROSSINGS:
        for c in range(1, edges):
            _meet(s, d, c, top, n)
    else:
        _meet_by_hash(s, d, edges, top, n)
    s.path.node[d, CROSSINGS] = edges
    return CUT


@inlined
def cut(s, d, column, n):
    """Cut the cell of the node at depth d along the row last evaluated; see `find_crossings`."""
    came = find_crossings(s, d, column, n)
    if came == CUT:
        for c in range(s.path.node[d, CROSSINGS]):
            v, w = s.path.crossing[d, c, 0], s.path.crossing[d, c, 1]
            s.path.beside[d, v, s.path.crossing[d, c, OWN]] = -1 - c
            for j in range(n):
                if s.path.beside[d, w, j] == v:
                    s.path.beside[d, w, j] = -1 - c
    return came


@inlined
def _meet(s, d, c, top, n):
    """Find the crossings before c that are neighbours of it: their facets differ by one each."""
    for b in range(c):
        either = s.pool.mask[top + b] ^ s.pool.mask[top + c]
        fewer = either & (either - np.uint64(1))
        if fewer & (fewer - np.uint64(1)) == np.uint64(0):
            for k in range(n):
                if s.pool.bit[top + c, k] & either:
                    s.path.crossing[d, c, OWN + 1 + k] = b
                if s.pool.bit[top + b, k] & either:
                    s.path.crossing[d, b, OWN + 1 + k] = c


@inlined
def _meet_by_hash(s, d, edges, top, n):
    """Do the same for all crossings: neighbours are on the same facets but for one each.

    So of every crossing, and of every facet that it would leave, the other facets are looked up:
    they are those of one more crossing, at most, which is where that edge ends. The table has
    linear probing and is half empty at least; what is in it is a crossing and a place, times n.
    """
    table, bits = s.work.table, np.uint64(1)
    while (np.int64(1) << np.int64(bits)) < 2 * edges * n:
        bits += np.uint64(1)
    size = np.int64(1) << np.int64(bits)
    for i in range(size):
        table[i] = -1
    for c in range(edges):
        mask, own = s.pool.mask[top + c], s.path.crossing[d, c, OWN]
        for k in range(n):
            if k == own:
                continue
            key = mask & ~s.pool.bit[top + c, k]
            place = np.int64((key * _MULTIPLIER) >> (np.uint64(64) - bits))
            while table[place] >= 0:
                b, e = table[place] // n, table[place] % n
                if s.pool.mask[top + b] & ~s.pool.bit[top + b, e] == key:
                    s.path.crossing[d, c, OWN + 1 + k] = b
                    s.path.crossing[d, b, OWN + 1 + e] = c
                    break
                place = (place + 1) & (size - 1)
            if table[place] < 0:
                table[place] = c * n + k


@inlined
def take_side(s, d, side, n):
    """Make the cell at depth d + 1: one side of the cell that was cut at depth d.

    Parameters
    ----------
    side : int
        1 where the row is positive, -1 where it is negative.
    """
    count, top, edges = s.path.node[d, VERTICES], s.path.node[d, TOP], s.path.node[d, CROSSINGS]
    end = 0 if side > 0 else 1
    kept, reach = 0, 0.0
    for v in range(count):
        if (s.path.value[d, v] > 0.0) == (side > 0):
            at = s.path.member[d, v]
            s.work.places[v] = kept
            s.path.member[d + 1, kept] = at
            reach = max(reach, s.pool.error[at])
            kept += 1
    for v in range(count):
        if (s.path.value[d, v] > 0.0) == (side > 0):
            here = s.work.places[v]
            for i in range(n):
                w = s.path.beside[d, v, i]
                s.path.beside[d + 1, here, i] = s.work.places[w] if w >= 0 else kept - 1 - w
    for c in range(edges):
        s.path.member[d + 1, kept + c] = top + c
        reach = max(reach, s.pool.error[top + c])
        for k in range(n):
            s.path.beside[d + 1, kept + c, k] = kept + s.path.crossing[d, c, OWN + 1 + k]
        s.path.beside[d + 1, kept + c, s.path.crossing[d, c, OWN]] = s.work.places[
            s.path.crossing[d, c, end]
        ]
    s.path.node[d + 1, VERTICES], s.path.node[d + 1, TOP] = kept + edges, top + edges
    s.path.reach[d + 1] = reach


@inlined
def take_whole(s, d, n):
    """Make the cell at depth d + 1 the same as that at depth d."""
    count = s.path.node[d, VERTICES]
    for v in range(count):
        s.path.member[d + 1, v] = s.path.member[d, v]
        for i in range(n):
            s.path.beside[d + 1, v, i] = s.path.beside[d, v, i]
    s.path.node[d + 1, VERTICES], s.path.node[d + 1, TOP] = count, s.path.node[d, TOP]
    s.path.reach[d + 1] = s.path.reach[d]


@inlined
def centre(s, d, side, n, point):
    """Set a point to the mean of a cell's vertices, or of those of a side that is not made.

    Of a side (1 or -1; 0 for the whole cell) the edges' crossings are among them. Whoever reads the
    point has it certified.
    """
    for a in range(n):
        point[a] = 0.0
    total = 0.0
    for v in range(s.path.node[d, VERTICES]):
        at, t = s.path.member[d, v], s.path.value[d, v]
        if side != 0 and (t > 0.0) != (side > 0):
            continue
        for a in range(n):
            point[a] += s.pool.x[at, a]
        total += 1.0
        if side != 0:
            for i in range(n):
                w = s.path.beside[d, v, i]
                u = s.path.value[d, w]
                if (u > 0.0) != (t > 0.0):
                    f, other = t / (t - u), s.path.member[d, w]
                    for a in range(n):
                        point[a] += s.pool.x[at, a] + f * (s.pool.x[other, a] - s.pool.x[at, a])
                    total += 1.0
    for a in range(n):
        point[a] /= total
