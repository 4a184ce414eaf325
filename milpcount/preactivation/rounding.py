"""What float64 does to a sum of products, as a bound on its error.

With the unit roundoff ``u = 2^-53``, a number that has gone through k roundings is off by at most
the factor ``gamma_k = k u / (1 - k u)`` (Higham, Accuracy and Stability of Numerical Algorithms,
2002, lemma 3.1). A sum of products, in any order of summation and with or without fused
multiplication, is therefore off by at most ``gamma_k`` times the sum s of its terms' absolute
values, where k is the most roundings that a term goes through. That sum is itself computed, and
loses at most ``gamma_k s``: with S what is computed, ``s <= S / (1 - gamma_k)``, so the error is at
most ::

    gamma_k S / (1 - gamma_k) = k u S / (1 - 2 k u) <= 2 k u S    while 4 k u <= 1

(k up to 2^51). The product of that bound with S, and taking it off, are two more roundings among
the four that `gamma` adds to the number it is told.

All this holds while nothing underflows. A product that does is off by 2^-1075 at most, whatever its
size, and sums never underflow inexactly; `UNDERFLOW` is 2^53 times that. What overflows is infinite
or not a number, and then nothing is known: see `known`.
"""

from typing import Any

import numpy as np

from milpcount.types import Array

ROUNDOFF = float(np.finfo(np.float64).eps) / 2
UNDERFLOW = float(np.finfo(np.float64).tiny)
"""More than 2^52 products lose to underflow."""


def gamma(terms: int) -> float:
    """Return the relative error bound of so many roundings and four more; see the module's text."""
    return 2 * (terms + 4) * ROUNDOFF


def known(lower: Array, upper: Array) -> tuple[Array, Array]:
    """Return bounds with those that are not numbers, or bound nothing, taken for infinite."""
    return (
        np.where(np.isnan(lower) | (lower == np.inf), -np.inf, lower),
        np.where(np.isnan(upper) | (upper == -np.inf), np.inf, upper),
    )


def support(matrix: Any) -> Any:
    """Return a matrix with 1 where a dense or sparse one is not zero, so that products are counts.

    A product of numbers that are not zero may underflow; a count does not.
    """
    return (matrix != 0).astype(np.float64)
