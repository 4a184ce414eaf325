r"""Bounds on the parameters that a set's rows imply: a polytope in a box is searched much faster.

Let the set be {t : g_i t <= b_i}. For multipliers y >= 0, any t in it, and r = e - sum_i y_i g_i,

    e t <= sum_i y_i b_i + r t <= v + |r|_1 M,      M = max |t| over the set, v = sum_i y_i b_i,

for e every unit vector and its negative. Where every |r|_1 is below 1/2, the only direction d with
g_i d <= 0 for all i is 0, since |d| <= |r|_1 |d| then, so that M is finite, and M <= 2 max(v, 0).
Multipliers come from linear programs; that they are optimal, or what rounding they saw, matters
for how tight the bounds are, not for whether they hold.

A bound that touches the set would be one more face of the cells there: what is computed is moved
out by a part of the width. A row of one entry is a bound itself, where the quotient is a float.
"""

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import numpy as np

from milpcount.domain.input_set import InputSet
from milpcount.limits import tick
from milpcount.types import Array

_MOST_PARAMETERS = 32
"""Two linear programs for each."""
_MOST_ENTRIES = 20_000
"""Of the rows: all programs together then take a second at most."""
_UNIT_ROUNDOFF = 2.0**-53
_SMALLEST = 2.0**-1074
_MARGIN = 2.0**-6
"""Of the width, between the set and a bound that was computed."""


@lru_cache(maxsize=8)
def with_implied_bounds(inputs: InputSet) -> InputSet:
    """Return the same set of parameters with finite bounds, where its rows imply such.

    The last answers are kept.

    Parameters
    ----------
    inputs : InputSet

    Returns
    -------
    InputSet
        `inputs` itself where they do not, or where that was not tried: numbers that float64 does
        not hold, more than 32 parameters, very many rows.

    Raises
    ------
    OutOfTime
        If the deadline in force comes first.
    """
    if inputs.is_boxed or not inputs.rows.size or inputs.exact is not None:
        return inputs
    if inputs.dimension > _MOST_PARAMETERS or inputs.rows.size > _MOST_ENTRIES:
        return inputs
    moved = _bounds_of_rows(inputs)
    if moved.is_boxed:
        return moved if (moved.lower < moved.upper).all() else inputs
    bounds = _computed(moved)
    if bounds is None:
        return inputs
    lower, upper = bounds
    lower = np.where(np.isfinite(moved.lower), moved.lower, lower)
    upper = np.where(np.isfinite(moved.upper), moved.upper, upper)
    if not (np.isfinite(upper - lower).all() and (lower < upper).all()):
        return inputs
    return replace(moved, lower=lower, upper=upper)


def _bounds_of_rows(inputs: InputSet) -> InputSet:
    """Return the set with bounds in place of rows that say no more than one."""
    lower, upper, keep = inputs.lower.copy(), inputs.upper.copy(), []
    for i, row in enumerate(inputs.rows):
        (places,) = np.nonzero(row)
        if places.size == 1:
            j, a = int(places[0]), float(row[places[0]])
            exact = Fraction(float(inputs.rhs[i])) / Fraction(a)
            bound = float(inputs.rhs[i]) / a
            if np.isfinite(bound) and Fraction(bound) == exact:
                if a > 0:
                    upper[j] = min(upper[j], bound)
                else:
                    lower[j] = max(lower[j], bound)
                continue
        keep.append(i)
    return replace(inputs, lower=lower, upper=upper, rows=inputs.rows[keep], rhs=inputs.rhs[keep])


def _computed(inputs: InputSet) -> tuple[Array, Array] | None:
    """Return bounds on all parameters, None where the multipliers prove none."""
    from scipy.optimize import linprog

    n = inputs.dimension
    low, high = np.isfinite(inputs.lower), np.isfinite(inputs.upper)
    eye = np.eye(n)
    G = np.vstack([inputs.rows, eye[high], -eye[low]])
    b = np.concatenate([inputs.rhs, inputs.upper[high], -inputs.lower[low]])
    values, defects = np.zeros((2, n)), np.zeros((2, n))
    for side, sign in enumerate((-1.0, 1.0)):
        for j in range(n):
            tick()
            found = linprog(-sign * eye[j], A_ub=G, b_ub=b, bounds=(None, None), method="highs")
            if found.status != 0:
                return None
            y = np.maximum(0.0, -found.ineqlin.marginals)
            terms = y[:, None] * G
            # Sums of len(b) + 1 terms, whatever their order, and products that underflow.
            rounding = (len(b) + 2) * _UNIT_ROUNDOFF * (np.abs(terms).sum(axis=0) + eye[j])
            rounding += len(b) * _SMALLEST
            defects[side, j] = (np.abs(sign * eye[j] - terms.sum(axis=0)) + 2.0 * rounding).sum()
            products = y * b
            slack = (len(b) + 2) * _UNIT_ROUNDOFF * np.abs(products).sum()
            values[side, j] = products.sum() + 2.0 * slack + len(b) * _SMALLEST
    with np.errstate(over="ignore", invalid="ignore"):
        if not (defects < 0.5).all() or not np.isfinite(values).all():
            return None
        most = 2.0 * max(0.0, float(values.max()))
        out = values + 1.5 * defects * most
        margin = _MARGIN * np.maximum(out.sum(axis=0), 0.0)
        out = out + margin + _UNIT_ROUNDOFF * 4.0 * np.abs(out)
    return -out[0], out[1]
