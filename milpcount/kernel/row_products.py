"""Products of a cell's rows over the inputs inside the cube, kept from one projection to the next.

Where the image is wide, a Newton step needs ``sum r_aj r_bj`` over the inputs j strictly inside the
cube, for all pairs of the rows that take part: once there are a hundred of them that took half of a
walk. From step to step, and from a cell to the next one, few inputs cross a side of the cube and
few rows are new. So the products stay, at the rows' places in the cell: what an input that has
crossed adds is added or taken off, and only new rows have theirs formed. A row's number tells
whether what is kept at its place is of that row.

Rounding adds up in what is kept. It is for projections, whose outcome is certified, not for proofs.
"""

from milpcount.kernel.compiled import jit

_FEW = 4
"""New rows up to which each is multiplied with whole rows: beyond, entries inside are gathered."""


@jit
def products_of_rows(cell, z, chosen, nw, work, Q):
    """Set Q to the products of the chosen rows, which are in order, over the inputs inside at z."""
    kept, inputs, where, columns = work.products, cell.inputs, work.where, work.columns
    moved = inside = known = 0
    for j in range(z.shape[0]):
        now = abs(z[j]) < 0.5
        inside += now
        if now != kept.inside[j]:
            kept.inside[j] = now
            where[moved] = j
            moved += 1
    if 2 * moved > inside:
        for i in range(kept.number.shape[0]):
            kept.number[i] = -1
    else:
        _forget_others(kept, chosen, nw)
    for a in range(nw):
        if kept.number[chosen[a]] == cell.number[chosen[a]]:
            known += 1
    if known > 0 and moved > 0:
        _add_moved(cell, kept, chosen, nw, where, moved, columns)
    if nw - known > _FEW:
        inside = 0
        for j in range(z.shape[0]):
            if kept.inside[j]:
                where[inside] = j
                inside += 1
        for a in range(nw):
            for i in range(inside):
                columns[a, i] = inputs[chosen[a], where[i]]
        for a in range(nw):
            if kept.number[chosen[a]] != cell.number[chosen[a]]:
                _multiply(kept.product, chosen, nw, a, columns[a], columns, inside, False)
    elif nw > known:
        for a in range(nw):
            if kept.number[chosen[a]] != cell.number[chosen[a]]:
                for j in range(z.shape[0]):
                    columns[0, j] = inputs[chosen[a], j] if kept.inside[j] else 0.0
                _multiply(kept.product, chosen, nw, a, columns[0], inputs, z.shape[0], True)
    for a in range(nw):
        i = chosen[a]
        kept.number[i] = cell.number[i]
        for b in range(nw):
            Q[a, b] = kept.product[i, chosen[b]]


@jit
def _forget_others(kept, chosen, nw):
    """Forget the rows that are not chosen: what is new now is not multiplied with them."""
    a = 0
    for i in range(kept.number.shape[0]):
        if a < nw and chosen[a] == i:
            a += 1
        else:
            kept.number[i] = -1


@jit
def _add_moved(cell, kept, chosen, nw, where, moved, columns):
    """Bring the products of the known rows up to date with the inputs that have crossed a side."""
    weight, product = columns[columns.shape[0] - 1], columns[columns.shape[0] - 2]
    for i in range(moved):
        weight[i] = 1.0 if kept.inside[where[i]] else -1.0
    for a in range(nw):
        at = chosen[a]
        if kept.number[at] != cell.number[at]:
            continue
        own = columns[a]
        for i in range(moved):
            own[i] = cell.inputs[at, where[i]]
            product[i] = weight[i] * own[i]
        for b in range(a + 1):
            if kept.number[chosen[b]] == cell.number[chosen[b]]:
                t = 0.0
                for i in range(moved):
                    t += product[i] * columns[b, i]
                kept.product[at, chosen[b]] += t
                kept.product[chosen[b], at] = kept.product[at, chosen[b]]


@jit
def _multiply(product, chosen, nw, a, row, others, size, whole):
    """Set the products of chosen row a with all that are chosen.

    In `others` they stand in turn or, where these are whole rows, at their places in the cell.
    """
    b = 0
    while b + 4 <= nw:
        if whole:
            i0, i1, i2, i3 = chosen[b], chosen[b + 1], chosen[b + 2], chosen[b + 3]
        else:
            i0, i1, i2, i3 = b, b + 1, b + 2, b + 3
        t0, t1, t2, t3 = 0.0, 0.0, 0.0, 0.0
        for j in range(size):
            f = row[j]
            t0 += f * others[i0, j]
            t1 += f * others[i1, j]
            t2 += f * others[i2, j]
            t3 += f * others[i3, j]
        _set(product, chosen[a], chosen[b], t0)
        _set(product, chosen[a], chosen[b + 1], t1)
        _set(product, chosen[a], chosen[b + 2], t2)
        _set(product, chosen[a], chosen[b + 3], t3)
        b += 4
    while b < nw:
        i0, t = chosen[b] if whole else b, 0.0
        for j in range(size):
            t += row[j] * others[i0, j]
        _set(product, chosen[a], chosen[b], t)
        b += 1


@jit
def _set(product, a, b, t):
    product[a, b] = t
    product[b, a] = t
