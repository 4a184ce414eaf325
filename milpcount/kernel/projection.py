"""Projection of the cube's centre onto a cell, for few parameters.

The dual active-set method of Goldfarb & Idnani (Math. Programming 27, 1983): the sides of the cube
are constraints like the cell's rows, the quadratic is the squared distance to the centre, and an
empty cell shows as an unbounded dual, whose ray are its Farkas multipliers. Each run starts from
the multipliers of the parent cell.

Constraint ids: ``2 j`` and ``2 j + 1`` are ``y_j >= 0`` and ``y_j <= 1``; ``2 n + i`` is row i.

*The algebra.* Let A hold the active normals as rows, in the order they came, A A^T = L L^T, and x
the point at which they hold with equality and x - c = A^T lam with lam >= 0. A constraint p that x
violates, with unit normal a, is taken in by moving lam_p from 0 to t: to keep A x where it is, lam
changes by -t s with ``A A^T s = A a``, so that x moves by t (a - A^T s), the part of a that is
orthogonal to the others. With ``L f = A a`` that part has squared length ``|a - A^T s|^2 = 1 -
|f|^2``, the `free` of the code, and L gets the row (f, sqrt(free)). So p holds at t = -violation /
free, unless some multiplier lam_i - t s_i is zero before: then i leaves, L is made anew, and p is
tried again. If a depends on the others (free = 0), x cannot move: where no s_i > 0 bounds t, lam
grows along (-s, 1) without end, and as ``sum_i -s_i A_i + a = 0`` with multipliers that are not
negative these are Farkas's.

*The constants here decide how many steps are made and which of the answers is given up, never what
is true*: `FULL` and `EMPTY` are proposals that `certify` proves or the caller refuses.
"""

import numpy as np

from milpcount.kernel.compiled import fill, inlined, jit

EMPTY, FULL, UNDECIDED = 0, 1, 2

_SIDE = 1e-13
"""How far outside the cube a point may be before it is moved inside."""
_DEPENDENT = 1e-11
"""Squared distance of a unit normal from the span of the active ones that counts as none."""
_NEGLIGIBLE = 1e-10
"""Share of a normal in another below which dropping it frees no room."""
_MAX_STEPS = 200


@jit
def _factor(rows, active, w, n, chol, inverse):
    """Set the Cholesky factor of the active normals' Gram matrix, and 1 over its diagonal."""
    for a in range(w):
        for b in range(a + 1):
            t = 0.0
            for j in range(n):
                t += rows[active[a], j] * rows[active[b], j]
            for c in range(b):
                t -= chol[a, c] * chol[b, c]
            if a == b:
                chol[a, a] = np.sqrt(max(t, _DEPENDENT))
                inverse[a] = 1.0 / chol[a, a]
            else:
                chol[a, b] = t * inverse[b]


@jit
def drop_row(L, leave, count):
    """Take a row out of a Cholesky factor of ``count + 1`` rows by Givens rotations."""
    for i in range(leave, count):
        for e in range(i + 2):
            L[i, e] = L[i + 1, e]
    for j in range(leave, count):
        a, b = L[j, j], L[j, j + 1]
        r = np.sqrt(a * a + b * b)
        c, s = a / r, b / r
        L[j, j] = r
        for i in range(j + 1, count):
            a, b = L[i, j], L[i, j + 1]
            L[i, j] = c * a + s * b
            L[i, j + 1] = c * b - s * a


@jit
def _values(columns, offset, margin, first, count, x, value):
    """Set the slacks of the rows at x, all rows at once for four coordinates."""
    n, j = x.shape[0], 0
    for i in range(first, count):
        value[i] = offset[i] - margin[i]
    while j + 4 <= n:
        a, b, c, d = x[j], x[j + 1], x[j + 2], x[j + 3]
        for i in range(first, count):
            value[i] += (a * columns[j, i] + b * columns[j + 1, i]) + (
                c * columns[j + 2, i] + d * columns[j + 3, i]
            )
        j += 4
    while j < n:
        t = x[j]
        for i in range(first, count):
            value[i] += t * columns[j, i]
        j += 1
    for j in range(n):
        value[2 * j], value[2 * j + 1] = x[j], 1.0 - x[j]


@inlined
def project(cell, trial, count, work):
    """Project the centre onto ``{x in cube : rows[i] @ x + offset[i] >= margin[i]}``.

    Parameters
    ----------
    cell : Cell
        Unit normals; the first 2 n are the cube's sides.
    trial : Trial
        ``lam``, in: multipliers to start from; out: those of the projection, or of the Farkas
        certificate. ``g``, out: the projection x.
    count : int
        2 n + k.
    work : Scratch

    Returns
    -------
    int
        `FULL`, `EMPTY` (to be certified by the caller) or `UNDECIDED`.
    """
    rows, offset, margin, lam, x = cell.rows, cell.offset, cell.margin, trial.lam, trial.g
    active, chol, forward, step, value = work.chosen, work.L, work.d, work.s, work.rho
    inverse = work.inverse
    n, w = x.shape[0], 0
    fill(x, 0.5)
    for i in range(count):
        if lam[i] > 0.0:
            if w == n:
                lam[i] = 0.0
                continue
            active[w] = i
            w += 1
            for j in range(n):
                x[j] += lam[i] * rows[i, j]
    _factor(rows, active, w, n, chol, inverse)
    # Without its last row, the cell is most often one whose projection x is.
    p = count - 1
    violation = offset[p] - margin[p]
    for j in range(n):
        violation += x[j] * rows[p, j]
    known = count > 2 * n and lam[p] == 0.0 and violation + 0.5 * margin[p] < -_SIDE
    for _ in range(_MAX_STEPS):
        if not known:
            _values(cell.columns, offset, margin, 2 * n, count, x, value)
            # The constraint that is violated most; active ones hold but for rounding.
            worst, p, lowest = -_SIDE, -1, 0.0
            for i in range(count):
                slack = value[i] + 0.5 * margin[i]
                lowest = min(lowest, slack)
                if slack < worst and lam[i] == 0.0:
                    worst = slack
                    p = i
            if p < 0:
                for j in range(n):
                    x[j] = min(1.0, max(0.0, x[j]))
                return FULL if lowest > -1e-12 else UNDECIDED
            violation = value[p]
        known = False
        grown, right = 0.0, 0
        while True:
            # L f = A a and free = 1 - |f|^2, then L^T s = f; f is as it was above a row that left.
            for a in range(right, w):
                t = 0.0
                for j in range(n):
                    t += rows[active[a], j] * rows[p, j]
                for c in range(a):
                    t -= chol[a, c] * forward[c]
                forward[a] = t * inverse[a]
            free = 1.0
            for a in range(w):
                free -= forward[a] * forward[a]
            for a in range(w - 1, -1, -1):
                t = forward[a]
                for c in range(a + 1, w):
                    t -= chol[c, a] * step[c]
                step[a] = t * inverse[a]
            # n independent normals span everything, whatever rounding says.
            dependent = free <= _DEPENDENT or w == n
            blocked, leave = np.inf, -1
            for a in range(w):
                if step[a] > _NEGLIGIBLE:
                    t = lam[active[a]] / step[a]
                    if t < blocked:
                        blocked, leave = t, a
            if dependent and leave < 0:
                fill(lam, 0.0)
                for a in range(w):
                    lam[active[a]] = max(0.0, -step[a])
                lam[p] = 1.0
                return EMPTY
            # t: where p holds, or where the first of the other multipliers vanishes.
            full = np.inf if dependent else -violation / free
            length = min(blocked, full)
            for a in range(w):
                lam[active[a]] = max(0.0, lam[active[a]] - length * step[a])
            grown += length
            if not dependent:
                for j in range(n):
                    x[j] += length * rows[p, j]
                for a in range(w):
                    t = length * step[a]
                    for j in range(n):
                        x[j] -= t * rows[active[a], j]
                violation += length * free
            if full <= blocked:
                for a in range(w):
                    chol[w, a] = forward[a]
                chol[w, w] = np.sqrt(free)
                inverse[w] = 1.0 / chol[w, w]
                active[w] = p
                lam[p] = grown
                w += 1
                break
            if leave < 0:  # a number has overflowed
                return UNDECIDED
            lam[active[leave]] = 0.0
            for a in range(leave, w - 1):
                active[a] = active[a + 1]
            w -= 1
            drop_row(chol, leave, w)
            for a in range(leave, w):
                inverse[a] = 1.0 / chol[a, a]
            right = leave
    return UNDECIDED
