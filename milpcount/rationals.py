"""Exact numbers behind float64: integers over a common denominator, and roundings to nearest.

A float64 is an integer times a power of two, so sums and products of weights are exact with
Python integers and a denominator. Arrays of them have dtype object.
"""

from fractions import Fraction
from math import isqrt, lcm
from typing import Any

import numpy as np

from milpcount.limits import tick
from milpcount.types import Array

_BLOCK = 1 << 16
"""Integers made between two looks at the deadline: some hundredths of a second."""


def to_integers(values: Any) -> tuple[Array, int]:
    """Return integers `n` and a denominator `q` with ``n / q == values`` exactly.

    Parameters
    ----------
    values : array_like
        Finite float64 numbers, or exact ones (int, Fraction) in an array of dtype object.

    Returns
    -------
    integers : ndarray of int, dtype object
        Of the shape of `values`.
    denominator : int
        At least 1; a power of two for float64 numbers.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    array = np.asarray(values)
    if array.dtype == object:
        return _from_fractions(array)
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError("only finite numbers have an exact value")
    numbers = array.reshape(-1)
    blocks = [_odd_parts(numbers[at : at + _BLOCK]) for at in range(0, numbers.size, _BLOCK)]
    shift = max(0, -min((int(power.min()) for _, power in blocks), default=0))
    out = np.empty(numbers.size, dtype=object)
    for k, (odd, power) in enumerate(blocks):
        tick()
        pairs = zip(odd.tolist(), (power + shift).tolist(), strict=True)
        out[k * _BLOCK : (k + 1) * _BLOCK] = [n << e for n, e in pairs]
    return out.reshape(array.shape), 1 << shift


def _odd_parts(values: Array) -> tuple[Array, Array]:
    """Return odd integers and exponents of 2 that make the values; zeros with exponent 0."""
    tick()
    mantissa, exponent = np.frexp(values)
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    trailing = np.frexp((whole & -whole).astype(np.float64))[1] - 1
    trailing = np.where(whole == 0, 0, trailing)
    power = np.where(whole == 0, 0, exponent - 53 + trailing).astype(np.int64)
    return whole >> trailing, power


def _from_fractions(array: Array) -> tuple[Array, int]:
    exact = [Fraction(v) for v in array.ravel()]
    q = lcm(*(v.denominator for v in exact))
    out = np.empty(array.shape, dtype=object)
    out.ravel()[:] = [v.numerator * (q // v.denominator) for v in exact]
    return out, q


def to_float(numerator: int, denominator: int) -> float:
    """Return the nearest float64, infinite where the quotient is beyond its range."""
    try:
        return numerator / denominator
    except OverflowError:
        return float("inf") if numerator > 0 else float("-inf")


def is_float(numerator: int, denominator: int) -> bool:
    """Return whether a quotient is a float64 number."""
    nearest = to_float(numerator, denominator)
    if nearest in (float("inf"), float("-inf")):
        return False
    n, d = nearest.as_integer_ratio()
    return n * denominator == numerator * d


def root(value: Fraction) -> float:
    """Return the float64 nearest to the square root of a non-negative number.

    ``sqrt(n / d) = sqrt(n d) / d``; the integer root of ``n d 4^k`` has more than 128 bits, and a
    square root of a rational that is no rational is farther than that from the middle between two
    float64 numbers.
    """
    n, d = value.numerator, value.denominator
    k = max(0, 130 - (n * d).bit_length() // 2)
    return to_float(isqrt(n * d << (2 * k)), d << k)
