r"""Proofs that a cell of an unbounded set is empty: one row is a negative sum of others.

An unbounded set is a cone (see `image`), and so is each of its cells: y with a_i(y) > 0 for linear
forms a_0, .., a_d in d coordinates, where the last coordinate, which stands for 1, is one of the
forms or positive anyway. No cube bounds a cone that is worth a proof: every form is 0 at the origin
and a combination of forms that is negative all around it does not exist. What does exist is the
identity

    a_0 = sum_j c_j a_j,    all c_j < 0,

which leaves no y: the right side is negative wherever the a_j are positive. (Where the a_j need
only be non-negative, as of patterns, they are all 0, so y = 0 as they are a basis, and the last
coordinate of it is not positive.)

In general position d + 1 forms take part, and the c_j are the solution of B^T c = a_0, where the
rows of B are the other d forms. It is *enclosed*. Let X be any matrix, c any vector; let forms be
known up to vectors of 1-norm e_i, and E = sum_j e_j. With all norms those of the maximum,

    tau = |I - X B^T| + |X| E < 1    implies that the true B is a basis, and
    |c~ - c| <= |X| (|a_0 - B^T c| + e_0 + sum_j |c_j| e_j) / (1 - tau)

for the true solution c~ (Rump 2010, Theorem 10.2: it is X times the residual of the true system,
times the inverse of I - (I - X B~^T)). Sums of n products are off by (n + 2) u times the sum of
their magnitudes at most. Nothing is asked of how X and c were found: elimination with pivots.
"""

import numpy as np

from milpcount.kernel.compiled import jit
from milpcount.kernel.rows import LARGE, UNIT_ROUNDOFF

_NEGLIGIBLE = 1e-9
"""Share of the largest multiplier below which one is an artefact of the projection."""
_WORST = 0.5
"""The largest tau with which a proof is tried."""


@jit
def is_empty_cone(cell, lam, count, work):
    """Return whether the rows that carry multipliers leave nothing of a cone.

    Parameters
    ----------
    cell : Cell
        Unit normals; the first 2 d rows are sides of the cube, of which only that of the last
        coordinate bounds the cone.
    lam : (count,)
        In: multipliers. Out, if it is proved: zero where a row takes no part.
    count : int
    work : Scratch

    Returns
    -------
    bool
    """
    d = cell.rows.shape[1]
    chosen, largest, pivot = work.chosen, 0.0, -1
    for i in range(2 * d - 2, count):
        if i != 2 * d - 1 and lam[i] > largest:
            largest, pivot = lam[i], i
    if not 0.0 < largest < np.inf:
        return False
    n = 0
    for i in range(2 * d - 2, count):
        if i != 2 * d - 1 and i != pivot and lam[i] > _NEGLIGIBLE * largest:
            if n == d:
                return False
            chosen[n] = i
            n += 1
    if n < d or not _is_negative_sum(cell, pivot, chosen, work.Q):
        return False
    for i in range(count):
        lam[i] = 0.0
    lam[pivot] = 1.0
    for j in range(d):
        lam[chosen[j]] = -work.Q[j, 2 * d]
    return True


@jit
def _is_negative_sum(cell, pivot, chosen, table):
    """Return whether row `pivot` is proved a negative sum of the chosen rows; see `_solve`."""
    d = cell.rows.shape[1]
    if not _solve(cell.rows, pivot, chosen, table):
        return False
    error, own = 0.0, _error(cell, pivot, d)
    for j in range(d):
        e = _error(cell, chosen[j], d)
        error += e
        own += abs(table[j, 2 * d]) * e
    norm, tau = 0.0, 0.0
    for a in range(d):
        size, off = 0.0, 0.0
        for q in range(d):
            size += abs(table[a, d + q])
        if not size + abs(table[a, 2 * d]) < LARGE:  # a pivot has overflowed
            return False
        for b in range(d):  # row a of I - X B^T, the rows of B being the columns of B^T
            t, magnitude = 0.0, 0.0
            for q in range(d):
                product = table[a, d + q] * cell.rows[chosen[b], q]
                t += product
                magnitude += abs(product)
            off += abs((1.0 if a == b else 0.0) - t) + (d + 3) * UNIT_ROUNDOFF * (magnitude + 1.0)
        norm, tau = max(norm, size), max(tau, off)
    tau += norm * error
    worst = 0.0
    for q in range(d):
        t, magnitude = cell.rows[pivot, q], abs(cell.rows[pivot, q])
        for j in range(d):
            product = table[j, 2 * d] * cell.rows[chosen[j], q]
            t -= product
            magnitude += abs(product)
        worst = max(worst, abs(t) + (d + 3) * UNIT_ROUNDOFF * magnitude)
    if not tau < _WORST:
        return False
    # Half of it again, for the rounding of these few sums of non-negative numbers.
    bound = 1.5 * norm * (worst + own) / (1.0 - tau)
    for j in range(d):
        if not table[j, 2 * d] < -bound:
            return False
    return True


@jit
def _error(cell, i, d):
    """Return what the coefficients of a row may be off by, in all; sides of the cube are exact."""
    return cell.error[i] if i >= 2 * d else 0.0


@jit
def _solve(rows, pivot, chosen, table):
    """Set table to ``B^-T`` (columns d to 2 d) and the solution (the last column), in floats."""
    d = rows.shape[1]
    for q in range(d):
        for j in range(d):
            table[q, j] = rows[chosen[j], q]
            table[q, d + j] = 1.0 if q == j else 0.0
        table[q, 2 * d] = rows[pivot, q]
    for a in range(d):
        best, at = 0.0, -1
        for q in range(a, d):
            if abs(table[q, a]) > best:
                best, at = abs(table[q, a]), q
        if at < 0:
            return False
        for c in range(a, 2 * d + 1):
            t = table[at, c]
            table[at, c] = table[a, c]
            table[a, c] = t
        f = 1.0 / table[a, a]
        for c in range(a, 2 * d + 1):
            table[a, c] *= f
        for q in range(d):
            t = table[q, a]
            if q != a and t != 0.0:
                for c in range(a, 2 * d + 1):
                    table[q, c] -= t * table[a, c]
    return True
