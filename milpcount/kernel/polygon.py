"""Cells with two parameters as polygons: most rows miss the cell, and its corners show it.

A polygon here always *contains* its cell: it is cut along ``row >= -slack`` with a slack above the
row's rounding error, so a cut corner lies on the far side of the true line. What is lost is the
rounding perpendicular to an edge, a few units in the last place for each cut, which `DRIFT` covers
for thousands of cuts. A row that is negative at every corner by more than that proves emptiness.
Rows have unit norm and corners lie in the unit square, so what is rounded is of the size of 1. A
row with a number that is not finite proves nothing here.

The constant. Of a corner p and the next one q, at v_p >= 0 > v_q, the cut is at ``p + t (q - p)``
with ``t = v_p / (v_p - v_q)``. Values are sums of two products of numbers up to 1 and a constant up
to 3, off by 4 u 5 at most, and move the corner along its edge only: where the row is nearly
parallel to the edge that may be far, but there its values at both ends are as small, so that it
stays within 20 u of the line ``row = -slack`` measured across it, and the slack is 4 errors of the
row and `DRIFT`, of which it takes 2e-15. Across the edge the corner is off by the rounding of the
interpolation, three roundings of numbers up to 2: 6 u, below 1e-15, for each of the cuts that made
it; and there are no more cuts than units on a path, of which `DRIFT` allows a thousand.
"""

import numpy as np

from milpcount.kernel.compiled import entry, jit

DRIFT = 1e-12
"""Bound on the distance of a cell's points from the polygon that stands for it."""


@jit
def is_below(corners, count, a, b, offset, level):
    """Return whether ``a x + b y + offset`` is below a level at all corners."""
    for i in range(count):
        if not a * corners[i, 0] + b * corners[i, 1] + offset < level:
            return False
    return abs(a) + abs(b) + abs(offset) < np.inf


@entry
def clip(corners, count, a, b, offset, slack, out):
    """Cut a polygon along ``a x + b y + offset >= -slack``.

    Parameters
    ----------
    corners : (>= count, 2)
        In cyclic order.
    out : (>= count + 1, 2)
        Out: the corners left.

    Returns
    -------
    int
        Their number, one more than before at most but for rounding; -1 if `out` cannot hold them
        or the row is not finite.
    """
    if not abs(a) + abs(b) + abs(offset) + slack < np.inf:
        return -1
    kept = 0
    limit = out.shape[0]
    previous = count - 1
    v0 = a * corners[previous, 0] + b * corners[previous, 1] + offset + slack
    for i in range(count):
        v1 = a * corners[i, 0] + b * corners[i, 1] + offset + slack
        if kept + 2 > limit:
            return -1
        if (v0 >= 0.0) != (v1 >= 0.0):
            t = v0 / (v0 - v1)
            for q in range(2):
                u = corners[previous, q] + t * (corners[i, q] - corners[previous, q])
                out[kept, q] = u
            kept += 1
        if v1 >= 0.0:
            out[kept, 0] = corners[i, 0]
            out[kept, 1] = corners[i, 1]
            kept += 1
        previous, v0 = i, v1
    return kept


@jit
def centre(corners, count, g):
    """Set g to the mean of the corners."""
    g[0] = 0.0
    g[1] = 0.0
    for i in range(count):
        g[0] += corners[i, 0]
        g[1] += corners[i, 1]
    g[0] /= count
    g[1] /= count
