"""Products with the matrix V, of which a cell of many parameters is made, and with others."""

from milpcount.kernel.compiled import jit


@jit
def transposed(V, y, z):
    """Set ``z = V^T y``, four rows at a time; what is over comes first, at once."""
    n, q = z.shape[0], V.shape[0] % 4
    if q == 1:
        for j in range(n):
            z[j] = y[0] * V[0, j]
    elif q == 2:
        for j in range(n):
            z[j] = y[0] * V[0, j] + y[1] * V[1, j]
    elif q == 3:
        for j in range(n):
            z[j] = y[0] * V[0, j] + y[1] * V[1, j] + y[2] * V[2, j]
    else:
        for j in range(n):
            z[j] = 0.0
    while q < V.shape[0]:
        a, b, c, d = y[q], y[q + 1], y[q + 2], y[q + 3]
        if a != 0.0 or b != 0.0 or c != 0.0 or d != 0.0:
            for j in range(n):
                z[j] += a * V[q, j] + b * V[q + 1, j] + c * V[q + 2, j] + d * V[q + 3, j]
        q += 4


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
def symmetric_product(A, x, y):
    """Set ``y = A x`` for a symmetric A, whose rows are its columns, four at a time."""
    m = x.shape[0]
    q = m % 4
    for b in range(m):
        y[b] = 0.0
    for e in range(q):
        for b in range(m):
            y[b] += x[e] * A[e, b]
    while q < m:
        f, g, h, k = x[q], x[q + 1], x[q + 2], x[q + 3]
        for b in range(m):
            y[b] += (f * A[q, b] + g * A[q + 1, b]) + (h * A[q + 2, b] + k * A[q + 3, b])
        q += 4
