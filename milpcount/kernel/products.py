"""Products with the matrix V, of which a cell of many parameters is made, and with others."""

from milpcount.kernel.compiled import jit


@jit
def transposed(V, y, z):
    """Set ``z = V^T y``, four rows at a time."""
    n, m = z.shape[0], V.shape[0]
    for j in range(n):
        z[j] = 0.0
    q = 0
    while q + 4 <= m:
        a, b, c, d = y[q], y[q + 1], y[q + 2], y[q + 3]
        if a != 0.0 or b != 0.0 or c != 0.0 or d != 0.0:
            for j in range(n):
                z[j] += a * V[q, j] + b * V[q + 1, j] + c * V[q + 2, j] + d * V[q + 3, j]
        q += 4
    while q < m:
        for j in range(n):
            z[j] += y[q] * V[q, j]
        q += 1


@jit
def image(V, x, g):
    """Set ``g = V x``."""
    for q in range(g.shape[0]):
        t = 0.0
        for j in range(x.shape[0]):
            t += V[q, j] * x[j]
        g[q] = t


@jit
def combine(rows, lam, first, count, y, V, z):
    """Set ``y = rows^T lam`` and ``z = V^T y``."""
    for q in range(y.shape[0]):
        y[q] = 0.0
    for i in range(first, count):
        f = lam[i]
        if f != 0.0:
            for q in range(y.shape[0]):
                y[q] += f * rows[i, q]
    transposed(V, y, z)


@jit
def symmetric_product(lower, x, y):
    """Set ``y = A x`` from the lower triangle of a symmetric A, row by row."""
    for q in range(x.shape[0]):
        t, f = lower[q, q] * x[q], x[q]
        for b in range(q):
            t += lower[q, b] * x[b]
            y[b] += lower[q, b] * f
        y[q] = t
