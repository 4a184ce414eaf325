"""Numbers as unevaluated sums of two float64: products to a hundred bits, whole arrays at a time.

Multiplication after Dekker (Numerische Mathematik 18, 1971): a float64 is split into halves of 26
bits whose products are exact. A result is off by at most `ERROR` of itself, as long as all numbers
are between `SMALLEST` and `LARGEST`, where nothing over- or underflows.
"""

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from milpcount.rationals import to_float

Array = np.ndarray

ERROR = 2.0**-98
"""Relative error of a product of two such numbers, each of which is off by 2^-105 at most.

Of ``(h1 + l1)(h2 + l2)`` the term ``l1 l2`` is left out, below 2^-106, and the three roundings of
the low part make 3 * 2^-105 at most: less than 2^-102 with the errors of the factors.
"""
SMALLEST, LARGEST = 2.0**-400, 2.0**400
_SPLIT = 2.0**27 + 1


class DoubleDouble(NamedTuple):
    """The numbers ``high + low``; `high` is the float64 nearest to their sum."""

    high: Array
    low: Array

    def times(self, other: Array) -> "DoubleDouble":
        """Return the product with float64 numbers."""
        high, error = _product(self.high, other)
        return _renormalised(high, error + self.low * other)


def nearest_to(values: list[Fraction]) -> DoubleDouble:
    """Return the numbers nearest to fractions."""
    high = [to_float(v.numerator, v.denominator) for v in values]
    rest = [v - Fraction(h) for v, h in zip(values, high, strict=True)]
    return DoubleDouble(np.array(high), np.array([float(r) for r in rest]))


def _product(a: Array, b: Array) -> tuple[Array, Array]:
    """Return a product and its error."""
    product = a * b
    (a1, a2), (b1, b2) = _halves(a), _halves(b)
    return product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2


def _halves(a: Array) -> tuple[Array, Array]:
    scaled = _SPLIT * a
    first = scaled - (scaled - a)
    return first, a - first


def _renormalised(high: Array, low: Array) -> DoubleDouble:
    total = high + low
    return DoubleDouble(total, low - (total - high))
