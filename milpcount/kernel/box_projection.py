"""Projection of the cube's centre onto a cell, for many parameters.

The dual of ``min |x - c|^2 / 2`` over ``x in cube, rows @ (V x) + offset >= margin`` is concave and
piecewise quadratic in the multipliers ``lam >= 0``, of which there are as many as rows, and
``x = clip(c + V^T rows^T lam)``. A semismooth Newton method: the Hessian is that of the columns
strictly inside the cube, the quadratic model is maximised over ``lam >= 0`` by an active set, the
step length by a search along the piecewise quadratic. At any ``lam`` weak duality may already prove
the cell empty, and any x that meets the rows proves it full-dimensional, so neither answer waits
for convergence. Measured on networks trained on MNIST (784 parameters): 3 to 4 iterations a cell
from the parent's multipliers.

*The algebra.* With ``z = V^T rows^T lam`` the Lagrangian ``|x - c|^2 / 2 - lam . (rows V x + offset
- margin)`` is least over the cube at x_j = clip(1/2 + z_j), so that the dual's negative

    F(lam) = sum_j (z_j x_j - (x_j - 1/2)^2 / 2) + lam . (offset - margin)

is to be minimised over lam >= 0. Its gradient is what the rows have to spare at that x,
``rho = rows V x + offset - margin``, and its generalised Hessian ``Q = rows H rows^T`` with
``H = sum V_j V_j^T over |z_j| < 1/2``, the columns that clipping leaves free. A step d minimises
``d Q d / 2 + rho d`` over ``lam + d >= 0`` (`_model_step`); along it the slope of F is piecewise
linear and increasing, and a zero of it is looked for (`_search`).

*The constants here decide how many steps are made and which answers are given up, never what is
true*: both answers are proposals that `certify` proves or the caller refuses. The ridge keeps the
factor of a singular Q finite; a slope of three tenths of the first is near enough to a zero, as the
model is made anew there; a row enters where the model lets it fall short by a quarter of its
margin, below which it would come and go.
"""

import numpy as np

from milpcount.kernel.compiled import inlined, jit
from milpcount.kernel.products import image, symmetric_product, transposed
from milpcount.kernel.projection import EMPTY, FULL, UNDECIDED, drop_row
from milpcount.kernel.row_products import products_of_rows
from milpcount.kernel.warm_starts import follow

_RIDGE = 1e-10
"""Added to the diagonal of Q, of its largest entry; with a floor of 1e-14 where Q is zero."""
_CUT = 1e-12
"""Relative depth of a cut below zero at which the caller is asked to certify it."""
_EXACT_FROM = 8
"""Step from which on ``V x`` is formed anew: so many may be needed because of rounding."""


@jit
def _move(z, w, t):
    """Add t w to z; return the maximum of ``z @ x`` over the cube: its positive entries' sum."""
    s = 0.0
    for j in range(z.shape[0]):
        z[j] += t * w[j]
        s += max(0.0, z[j])
    return s


@jit
def _clip(z, x):
    for j in range(z.shape[0]):
        x[j] = min(1.0, max(0.0, 0.5 + z[j]))


@jit
def _slope(z, w, t):
    s = 0.0
    for j in range(z.shape[0]):
        s += min(1.0, max(0.0, 0.5 + z[j] + t * w[j])) * w[j]
    return s


@inlined
def box_project(cell, trial, starts, at, count, V, VT, work, steps):
    """Project the centre onto ``{x in cube : rows[i] @ (V x) + offset[i] >= margin[i]}``.

    With V_I the columns strictly inside the cube at z, of Hessian ``H = V_I V_I^T``, and V_O those
    at its sides, ``V x = V_I (c + V_I^T y) + V_O x_O = V c + H y + V_O (x_O - c)``: what moves with
    y costs m^2 products instead of m n. Points are returned with ``V x`` as it is.

    Parameters
    ----------
    cell : Cell
    trial : Trial
        ``lam``, in: multipliers to start from; out: those of the projection, or a candidate
        certificate. ``x, g``, out: the point and ``V x``, if the cell is `FULL`.
    starts : Starts
    at : int
        Of `take_start`; in the end there is the projection of the last step.
    count : int
        Rows of the cell.
    V, VT : (m, n), (n, m)
    work : Scratch
    steps : int
        Newton steps granted.

    Returns
    -------
    int
        `FULL`, `EMPTY` (to be certified by the caller) or `UNDECIDED`.
    """
    rows, inputs, offset, margin = cell.rows, cell.inputs, cell.offset, cell.margin
    lam, x, g, m = trial.lam, trial.x, trial.g, V.shape[0]
    z, y, shift, hessian = starts.z[at], starts.y[at], starts.shift[at], starts.hessian[at]
    w, v, rho, d, chosen, Q = work.w, work.y, work.rho, work.d, work.chosen, work.Q
    in_inputs = inputs.shape[1] == z.shape[0]
    for step in range(steps):
        exact = in_inputs or step >= _EXACT_FROM
        if not exact:
            symmetric_product(hessian, y, g)
            for q in range(m):
                g[q] += starts.centre[q] + shift[q]
        while True:
            if exact:
                _clip(z, x)
                image(V, x, g)
            worst = np.inf
            for i in range(count):
                t = offset[i] - margin[i]
                for q in range(m):
                    t += rows[i, q] * g[q]
                rho[i] = t
                worst = min(worst, t + 0.5 * margin[i])
            if exact or not worst >= 0.0:
                break
            exact = True
        if worst >= 0.0:
            return FULL
        nw = 0
        for i in range(count):
            if lam[i] > 0.0 or rho[i] < -0.5 * margin[i]:
                chosen[nw] = i
                nw += 1
        if in_inputs:
            products_of_rows(cell, z, chosen, nw, work, Q)
        else:
            _products_inimage(rows, hessian, chosen, nw, v, Q)
        _model_step(Q, rho, margin, lam, chosen, nw, d, work)
        slope0, constant, longest = 0.0, 0.0, np.inf
        for q in range(m):
            v[q] = 0.0
        for a in range(nw):
            i, f = chosen[a], d[a]
            if f != 0.0:
                for q in range(m):
                    v[q] += f * rows[i, q]
                constant += f * (offset[i] - margin[i])
                slope0 += f * rho[i]
                if f < 0.0:
                    longest = min(longest, -lam[i] / f)
        if slope0 >= 0.0:
            return UNDECIDED
        transposed(V, v, w)
        t = _search(z, w, constant, slope0, max(1.0, longest))
        for a in range(nw):
            lam[chosen[a]] = max(0.0, lam[chosen[a]] + t * d[a])
        highest = _move(z, w, t)
        for q in range(m):
            y[q] += t * v[q]
        linear, total = 0.0, 0.0
        for i in range(count):
            linear += lam[i] * offset[i]
            total += lam[i]
        if total > 0.0 and linear + highest < -_CUT * total:
            return EMPTY
        if not in_inputs:
            follow(VT, z, starts, at, work)
    return UNDECIDED


@jit
def _products_inimage(rows, hessian, chosen, nw, y, Q):
    """Set Q to the products ``rows[a] H rows[b]`` of the chosen rows."""
    for a in range(nw):
        symmetric_product(hessian, rows[chosen[a]], y)
        for b in range(a + 1):
            t = 0.0
            for q in range(y.shape[0]):
                t += y[q] * rows[chosen[b], q]
            Q[a, b] = t
            Q[b, a] = t


@jit
def _search(z, w, constant, slope0, longest):
    """Return a step length near the minimum of the dual along a descent direction."""
    v = constant + _slope(z, w, 1.0)
    if v < 0.0:
        low, high = 1.0, 1.0
        while v < 0.0 and high < longest and high < 1e9:
            low = high
            high = min(4.0 * high, longest)
            v = constant + _slope(z, w, high)
        if v < 0.0:
            return high
        for _ in range(6):
            middle = 0.5 * (low + high)
            if constant + _slope(z, w, middle) < 0.0:
                low = middle
            else:
                high = middle
        return low
    # False position (Illinois): where the model is flat a step can be too long by many orders.
    low, high, at_low, at_high, side = 0.0, 1.0, slope0, v, 0
    t = 1.0
    for _ in range(40):
        if abs(v) <= 0.3 * abs(slope0):
            return t
        t = (low * at_high - high * at_low) / (at_high - at_low)
        v = constant + _slope(z, w, t)
        if v > 0.0:
            high, at_high = t, v
            if side > 0:
                at_low *= 0.5
            side = 1
        else:
            low, at_low = t, v
            if side < 0:
                at_high *= 0.5
            side = -1
    return low


@jit
def _factor_row(Q, inside, a, ridge, L, inverse):
    """Set row a of the Cholesky factor of Q over the indices inside, plus a ridge.

    The reciprocals of the diagonal are kept, as each of them is divided by many times.
    """
    row, c = inside[a], 0
    while c + 4 <= a:
        t0, t1 = Q[row, inside[c]], Q[row, inside[c + 1]]
        t2, t3 = Q[row, inside[c + 2]], Q[row, inside[c + 3]]
        for e in range(c):
            f = L[a, e]
            t0 -= f * L[c, e]
            t1 -= f * L[c + 1, e]
            t2 -= f * L[c + 2, e]
            t3 -= f * L[c + 3, e]
        t0 *= inverse[c]
        t1 = (t1 - t0 * L[c + 1, c]) * inverse[c + 1]
        t2 = (t2 - t0 * L[c + 2, c] - t1 * L[c + 2, c + 1]) * inverse[c + 2]
        t3 -= t0 * L[c + 3, c] + t1 * L[c + 3, c + 1] + t2 * L[c + 3, c + 2]
        L[a, c], L[a, c + 1], L[a, c + 2], L[a, c + 3] = t0, t1, t2, t3 * inverse[c + 3]
        c += 4
    while c < a:
        t = Q[row, inside[c]]
        for e in range(c):
            t -= L[a, e] * L[c, e]
        L[a, c] = t * inverse[c]
        c += 1
    t = Q[row, row]
    for e in range(a):
        t -= L[a, e] * L[a, e]
    L[a, a] = np.sqrt(max(t + ridge, ridge))
    inverse[a] = 1.0 / L[a, a]


@jit
def _model_step(Q, rho, margin, lam, chosen, nw, d, work):
    """Minimise ``d Q d / 2 + rho d`` subject to ``lam + d >= 0`` by an active set, from d = 0."""
    inside, member, L, s, held = work.inside, work.member, work.L, work.s, work.held
    inverse, forward = work.inverse, work.forward
    scale = 0.0
    for a in range(nw):
        scale = max(scale, Q[a, a])
        member[a] = False
        d[a] = 0.0
        # The linear term, with those at lam + d = 0 moved to the right-hand side.
        held[a] = rho[chosen[a]]
    ridge = _RIDGE * scale + 1e-14
    count = solved = 0  # rows, and how many of them L f = -held is solved for
    for a in range(nw):
        if lam[chosen[a]] > 0.0:
            inside[count] = a
            member[a] = True
            _factor_row(Q, inside, count, ridge, L, inverse)
            count += 1
    for turn in range(3 * nw + 3):
        if turn > 0 or count == 0:
            best, enter = 0.0, -1
            for a in range(nw):
                if not member[a]:
                    t = rho[chosen[a]] + 0.25 * margin[chosen[a]]
                    for c in range(nw):
                        t += Q[a, c] * d[c]
                    if t < best:
                        best, enter = t, a
            if enter < 0:
                return
            if d[enter] != 0.0:
                solved = 0
                for a in range(nw):
                    held[a] -= Q[a, enter] * d[enter]
            inside[count] = enter
            member[enter] = True
            _factor_row(Q, inside, count, ridge, L, inverse)
            count += 1
        while count > 0:
            for a in range(solved, count):
                t = -held[inside[a]]
                for e in range(a):
                    t -= L[a, e] * forward[e]
                forward[a] = t * inverse[a]
            solved = count
            for a in range(count):
                s[a] = forward[a]
            for a in range(count - 1, -1, -1):
                t = s[a] * inverse[a]
                s[a] = t
                for e in range(a):
                    s[e] -= L[a, e] * t
            length, leave = 1.0, -1
            for a in range(count):
                o = inside[a]
                if lam[chosen[o]] + s[a] <= 0.0 and d[o] > s[a]:
                    t = (lam[chosen[o]] + d[o]) / (d[o] - s[a])
                    if t < length:
                        length, leave = t, a
            for a in range(count):
                d[inside[a]] += length * (s[a] - d[inside[a]])
            if leave < 0:
                break
            out = inside[leave]
            d[out] = -lam[chosen[out]]
            member[out] = False
            for a in range(nw):
                held[a] += Q[a, out] * d[out]
            count, solved = count - 1, 0
            for a in range(leave, count):
                inside[a] = inside[a + 1]
            drop_row(L, leave, count)
            for a in range(leave, count):
                inverse[a] = 1.0 / L[a, a]
