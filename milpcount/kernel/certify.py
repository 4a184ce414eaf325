"""Proofs, within floating point, that a cell is full-dimensional or empty.

A point proves a cell full-dimensional if every row exceeds the bound on its rounding error there.
Multipliers prove it empty if the weighted sum of its rows, maximised over the cube, stays below
zero by more than the rounding errors of all that was computed: weak duality asks nothing of how the
multipliers were found. Where cells touch only at a face (the rule in structured networks) the
maximum is exactly zero: such certificates have small rational multipliers, which are found by
rounding and checked in integers that float64 holds exactly. A sum of rows that is nowhere positive
refutes a cell only if one of them has to be positive: of regions all have, of patterns those of a
unit above its threshold (a unit is inactive at 0, and the domain is closed).
"""

import numpy as np

from milpcount.kernel.compiled import fill, jit
from milpcount.kernel.products import combine
from milpcount.kernel.rows import EXACT_QUANTA
from milpcount.kernel.state import CLOSED

_LARGEST_DENOMINATOR = 60
"""Multipliers are tried as integers over so many denominators. A larger one finds more relations
that are exactly zero, at a cost for each cell; those that are missed go to exact arithmetic."""
_LEAST, _MOST = 1e-100, 1e100
"""Sums of multipliers whose products with rows lose nothing that counts to underflow, and are
finite: rows have unit norm, so the rounding granted for their errors is above 1e-114 in all."""


@jit
def is_interior(rows, offset, error, first, count, g):
    """Return whether a point g satisfies rows ``first..count`` beyond all rounding.

    With r^ the computed unit row and r the true function, ``|r^ - r| <= ops u sigma`` anywhere on
    the cube (see `rows`; sigma here times the norm). A value at g is a sum of m products and the
    constant, each of which goes through m + 1 roundings in any order, and two more that scale it:
    it is off by at most ``(m + 3) u sum |r^_q| |g_q| + .. <= (m + 3) u sigma``, as ``|g_q| <= S_q``
    and sigma is at least ``sum |r_q| S_q + |b|``. Where g has been mixed from other points its own
    roundings count the same way. All of that is in ``error = u (ops + rounding) sigma``, whose
    `rounding` is chosen with the search: it is at least m + n and three times the rows.
    """
    total = 0.0
    for i in range(first, count):
        t = offset[i]
        for q in range(g.shape[0]):
            t += rows[i, q] * g[q]
        if not t > error[i]:
            return False
        total += t
    return total < np.inf


@jit
def _highest(z):
    """Return the maximum of ``z @ x`` over the cube, infinite if an entry is not finite."""
    total, size = 0.0, 0.0
    for j in range(z.shape[0]):
        total += max(0.0, z[j])
        size += abs(z[j])
    return total if size < np.inf else np.inf


@jit
def is_empty(rows, offset, error, lam, first, count, V, y, z):
    """Return whether non-negative multipliers prove the cell empty beyond all rounding.

    A point y of the cell has ``0 < sum lam_i r_i(V y) <= max over the cube of sum lam_i r_i``. What
    is computed of that maximum is the sum of the positive parts of ``z_j = sum_q y_q V_qj``, of
    ``y_q = sum_i lam_i r^_iq``, and of ``lam_i b^_i``: a product ``lam_i r^_iq V_qj`` goes through
    `count` roundings in y, m in z and n in the sum over j at most, so that all of it is off by ::

        (count + m + n + 4) u sum_i lam_i (sum_q |r^_iq| S_q + |b^_i|)
            <= sum_i lam_i (count + m + n + 4) u sigma_i

    (Higham 2002, section 3.1, for any order of the sums, with ``sum_j |V_qj| <= S_q``), and by
    ``sum_i lam_i ops u sigma_i`` for the rows themselves. Both are within ``sum_i lam_i error_i``,
    as `rounding` is at least three times the rows, and m + n, and more.
    """
    combine(rows, lam, first, count, y, V, z)
    total, size = _highest(z), 0.0
    for i in range(first, count):
        if lam[i] > 0.0:
            total += lam[i] * (offset[i] + error[i])
            size += lam[i]
    return -np.inf < total < 0.0 and _LEAST < size < _MOST


@jit
def is_empty_in_integers(p, state, quantum, first, count, weights, y, z):
    """Return whether multipliers near ``trial_lam``, rounded to small fractions, prove emptiness.

    Parameters
    ----------
    quantum : int
        Every row that takes part is a multiple of ``2^-quantum``; negative if none is known.
    weights : (count,)
        Out: the integer multipliers of the unscaled rows.
    """
    if quantum < 0:
        return False
    lam, ids = state.trial.lam, state.cell.id
    largest = 0.0
    for i in range(first, count):
        weights[i] = lam[i] * state.rows.norm[ids[i]] if lam[i] > 0.0 else 0.0
        largest = max(largest, weights[i])
    if not largest > 0.0:
        return False
    denominator = 0
    for trial in range(1, _LARGEST_DENOMINATOR + 1):
        worst = 0.0
        for i in range(first, count):
            t = weights[i] / largest * trial
            worst = max(worst, abs(t - np.rint(t)))
        if worst < 1e-7 * trial:
            denominator = trial
            break
    if denominator == 0:
        return False
    magnitude = 0.0
    for i in range(first, count):
        weights[i] = np.rint(weights[i] / largest * denominator)
        if weights[i] != 0.0:
            magnitude += weights[i] * state.rows.s[ids[i]]
    if not magnitude * 2.0**quantum < EXACT_QUANTA:
        return False
    fill(y, 0.0)
    total = 0.0
    for i in range(first, count):
        f = weights[i] * state.cell.sign[i]
        if f != 0.0:
            total += f * state.rows.b[ids[i]]
            for q in range(y.shape[0]):
                y[q] += f * state.rows.M[ids[i], q]
    fill(z, 0.0)
    for q in range(y.shape[0]):
        if y[q] != 0.0:
            for j in range(z.shape[0]):
                z[j] += y[q] * p.V[q, j]
    total += _highest(z)
    if total == 0.0 and state.control[CLOSED]:
        return _has_strict(p, state, first, count, weights)
    return total <= 0.0


@jit
def _has_strict(p, state, first, count, weights):
    """Return whether a row with a weight has to be positive where patterns are counted."""
    for i in range(first, count):
        if weights[i] > 0.0 and state.cell.sign[i] > 0 and state.cell.id[i] < p.row_values.shape[0]:
            return True
    return False
