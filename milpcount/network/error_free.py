"""Whether sums, products and quotients of float64 numbers were exact."""

import numpy as np

from milpcount.types import Array

_MANY = 4096


def sum_is_exact(a: Array, b: Array, total: Array) -> bool:
    """Return whether ``total`` is ``a + b`` everywhere, shapes broadcast.

    The error of a rounded sum is a float64 itself, which Knuth's TwoSum gives (Muller et al.,
    Handbook of Floating-Point Arithmetic, 2018, section 4.3.2).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        part = total - a
        error = (a - (total - part)) + (b - part)
    return bool((error == 0).all())  # nan and inf are not


def product_is_exact(a: Array, b: Array, product: Array) -> bool:
    """Return whether ``product`` is ``a * b`` everywhere, shapes broadcast.

    With odd integers m and n as significands, m n is odd, so it has to be below 2^53.
    """
    if a.shape == b.shape == product.shape == (a.size,) and a.size > _MANY:
        # Of millions of products that are not exact, one of the first will say so.
        if not product_is_exact(a[:_MANY], b[:_MANY], product[:_MANY]):
            return False
    m, n = _odd_part(a), _odd_part(b)
    # Of a product that overflows 64 bits the float64 estimate is far above the limit.
    small = m.astype(np.float64) * n.astype(np.float64) < 2.0**53
    normal = np.abs(product) >= np.finfo(np.float64).smallest_normal
    zero = (m == 0) | (n == 0)
    return bool((np.isfinite(product) & ((small & normal) | zero)).all())


def quotient_is_exact(a: Array, b: Array, quotient: Array) -> bool:
    """Return whether ``quotient`` is ``a / b`` everywhere, shapes broadcast."""
    return product_is_exact(quotient, b, a) and bool((quotient * b == a).all())


def _odd_part(values: Array) -> Array:
    """Return the significands as odd integers, 0 for 0."""
    whole = np.ldexp(np.abs(np.frexp(values)[0]), 53).astype(np.int64)
    lowest = whole & -whole
    return np.asarray(whole // np.where(lowest == 0, 1, lowest))
