"""Products of sparse matrices to a hundred bits and more, with a bound on every number's error.

A number is held as ``high + low``, off by at most ``error``; all three are float64. As long as an
error is zero, nothing at all has been rounded: sums and products of weights with 24 bits, as files
have them, mostly stay exact, which tells zeros, float64 numbers and ties apart from what is close
to them. Multiplication after Dekker (Numerische Mathematik 18, 1971), addition after Knuth; sizes
must be such that nothing over- or underflows (see `milpcount.network.nearest_product`).
"""

from typing import Any

import numba
import numpy as np

_SPLIT = 2.0**27 + 1
SMALLEST, SMALLEST_LOW = 2.0**-350, 2.0**-600
"""Numbers below are out of range; low parts below count as errors."""
_LOOSE = 2.0**-51
"""More than what three additions and a product round off, relative to their results."""


def compiled(function: Any) -> Any:
    """Compile a function, and keep it on disk where there is a place for it."""
    try:
        return numba.njit(cache=True, error_model="numpy", nogil=True)(function)
    except RuntimeError:  # no folder can be written
        return numba.njit(error_model="numpy", nogil=True)(function)


@compiled
def _sum(a, b):  # type: ignore[no-untyped-def]
    """Return a sum and its error."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@compiled
def _product(a, b):  # type: ignore[no-untyped-def]
    """Return a product and its error."""
    product = a * b
    scaled = _SPLIT * a
    a1 = scaled - (scaled - a)
    a2 = a - a1
    scaled = _SPLIT * b
    b1 = scaled - (scaled - b)
    b2 = b - b1
    return product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2


@compiled
def multiplied(indptr, indices, values, w_indptr, w_indices, w_data, is_short, width):  # type: ignore[no-untyped-def]
    """Return the product of a matrix of such numbers with one of float64, by rows, unsorted.

    Parameters
    ----------
    indptr, indices : ndarray of int
    values : ndarray, shape (n, 3)
        High and low parts, and errors.
    w_indptr, w_indices, w_data : ndarray
        The matrix of float64 numbers.
    is_short : bool
        Whether its numbers have at most 26 significant bits.
    width : int
        Its number of columns.

    Returns
    -------
    indptr, indices, values : ndarray
    in_range : bool
        Whether no number is so large or small that a later product may over- or underflow.
    """
    n = indptr.shape[0] - 1
    seen = np.full(width, -1, np.int64)
    out_indptr = np.zeros(n + 1, np.int64)
    for i in range(n):
        count = 0
        for at in range(indptr[i], indptr[i + 1]):
            j = indices[at]
            for k in range(w_indptr[j], w_indptr[j + 1]):
                c = w_indices[k]
                if seen[c] != i:
                    seen[c] = i
                    count += 1
        out_indptr[i + 1] = out_indptr[i] + count
    out_indices = np.empty(out_indptr[n], np.int64)
    out = np.zeros((out_indptr[n], 3))
    place, in_range = np.empty(width, np.int64), True
    for i in range(n):
        free = out_indptr[i]
        for at in range(indptr[i], indptr[i + 1]):
            j = indices[at]
            high, low, error = values[at, 0], values[at, 1], values[at, 2]
            scaled = _SPLIT * high
            h1 = scaled - (scaled - high)
            h2 = high - h1
            for k in range(w_indptr[j], w_indptr[j + 1]):
                c, w = w_indices[k], w_data[k]
                if seen[c] != n + i:
                    seen[c] = n + i
                    place[c] = free
                    out_indices[free] = c
                    free += 1
                to = place[c]
                if is_short:
                    first, second = h1 * w, h2 * w
                    p = first + second
                    p_rest = second - (p - first)
                else:
                    p, p_rest = _product(high, w)
                out[to, 0], rest = _sum(out[to, 0], p)
                if error != 0.0:
                    q = low * w
                    total = out[to, 1] + ((rest + p_rest) + q)
                    out[to, 1] = total
                    off = abs(rest) + abs(p_rest) + abs(q) + abs(total)
                    out[to, 2] += error * abs(w) + _LOOSE * off
                    continue
                # Each part is added without rounding, or what is rounded off is counted.
                total, lost = _sum(out[to, 1], rest)
                off = abs(lost)
                if p_rest != 0.0:
                    total, lost = _sum(total, p_rest)
                    off += abs(lost)
                if low != 0.0:
                    q, q_rest = _product(low, w)
                    total, lost = _sum(total, q)
                    off += abs(lost)
                    total, lost = _sum(total, q_rest)
                    off += abs(lost)
                out[to, 1] = total
                out[to, 2] += off
        for to in range(out_indptr[i], free):
            high, low = _sum(out[to, 0], out[to, 1])
            if high != 0.0 and not SMALLEST < abs(high) < 1.0 / SMALLEST:
                in_range = False
            if abs(low) < SMALLEST_LOW:
                out[to, 2] += abs(low)
                low = 0.0
            out[to, 0], out[to, 1] = high, low
    return out_indptr, out_indices, out, in_range
