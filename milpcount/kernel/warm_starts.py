"""What a projection of many parameters starts from: that of the cell above, as it was left."""

import numpy as np

from milpcount.kernel.compiled import copy, jit
from milpcount.kernel.products import combine
from milpcount.kernel.state import PLACE_OF_START, START

_PLACES = 2**20 - 1
"""Places that the number of a start can tell: its lowest bits."""


@jit
def follow(VT, z, starts, at, work):
    """Bring what a start keeps of the columns' sides up to date with its z; see `Starts`.

    Eight sides are compared at a time: few change from one step to the next. The columns that move
    are gathered, as products over many of them take less than half the time of one by one.
    """
    m, side, new, moved, columns = VT.shape[1], starts.side[at], work.side, 0, work.moved
    for j in range(z.shape[0]):
        t = z[j]
        new[j] = np.uint8(t >= 0.5) + np.uint8(2) * np.uint8(t <= -0.5)
    for word in range(work.sides.shape[0]):
        if work.sides[word] == starts.sides[at, word]:
            continue
        for j in range(8 * word, min(8 * word + 8, z.shape[0])):
            before, now = side[j], new[j]
            if before == now:
                continue
            side[j] = now
            for a in range(m):
                columns[a, moved] = VT[j, a]
            columns[m, moved] = (1.0 if now == 0 else 0.0) - (1.0 if before == 0 else 0.0)
            columns[m + 1, moved] = 0.5 * (_sign(now) - _sign(before))
            moved += 1
            if moved == columns.shape[1]:
                _move(columns, moved, starts.shift[at], starts.hessian[at])
                moved = 0
    if moved > 0:
        _move(columns, moved, starts.shift[at], starts.hessian[at])


@jit
def _sign(side):
    """Return 1 for the upper side of the cube, -1 for the lower, 0 in between."""
    return (1.0 if side == 1 else 0.0) - (1.0 if side == 2 else 0.0)


@jit
def _move(columns, moved, shift, hessian):
    """Add the columns that were gathered, with the weights that stand below them."""
    m = shift.shape[0]
    weight, half, product = columns[m], columns[m + 1], columns[m + 2]
    for a in range(m):
        column, t = columns[a], 0.0
        for i in range(moved):
            t += half[i] * column[i]
            product[i] = weight[i] * column[i]
        shift[a] += t
        b = 0
        while b + 4 <= a + 1:
            t0, t1, t2, t3 = 0.0, 0.0, 0.0, 0.0
            for i in range(moved):
                f = product[i]
                t0 += f * columns[b, i]
                t1 += f * columns[b + 1, i]
                t2 += f * columns[b + 2, i]
                t3 += f * columns[b + 3, i]
            hessian[a, b] += t0
            hessian[a, b + 1] += t1
            hessian[a, b + 2] += t2
            hessian[a, b + 3] += t3
            b += 4
        while b <= a:
            t0 = 0.0
            for i in range(moved):
                t0 += product[i] * columns[b, i]
            hessian[a, b] += t0
            b += 1
        for b in range(a):
            hessian[b, a] = hessian[a, b]


@jit
def take_start(p, s, scratch, count):
    """Put the projection that the trial starts from where it may be moved; return the place.

    It is that of the number ``START``, if it is still there. Else it is made of the multipliers.
    """
    starts, number = s.starts, s.control[START]
    at, source = max(1, s.control[PLACE_OF_START]), number & _PLACES
    known = number >= 0 and starts.number[source] == number
    if not known:
        source = 0
    if source != at:
        copy(starts.sides[at], starts.sides[source])
        copy(starts.shift[at], starts.shift[source])
        for a in range(starts.hessian.shape[1]):
            copy(starts.hessian[at, a], starts.hessian[source, a])
        if known:
            copy(starts.z[at], starts.z[source])
            copy(starts.y[at], starts.y[source])
    if not known:
        combine(s.cell.rows, s.trial.lam, 0, count, starts.y[at], p.V, starts.z[at])
        if starts.hessian.shape[1] == p.V.shape[0]:
            follow(p.VT, starts.z[at], starts, at, scratch)
    starts.number[at] = -1
    return at


@jit
def keep_start(s):
    """Keep the projection that was found last for others to start from; return its number."""
    starts, at = s.starts, s.control[PLACE_OF_START]
    starts.last[0] += 1
    starts.number[at] = starts.last[0] * (_PLACES + 1) + at
    return starts.number[at]
