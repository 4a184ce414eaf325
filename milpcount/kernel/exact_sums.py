"""Powers of two that numbers are multiples of: where sums of few enough are exact."""

import numpy as np
from scipy import sparse

from milpcount.limits import tick
from milpcount.network import Affine
from milpcount.types import Array

NEVER = 10_000
"""The exponent of numbers that are multiples of no power of two worth while."""
COARSEST = 200
"""The largest exponent that is of use."""


def exponent_of(affine: Affine) -> int:
    """Return the exponent of a map's weights; those of a rounded one are multiples of nothing."""
    if affine.is_rounded:
        return NEVER
    return exponent(affine.matrix.data if sparse.issparse(affine.matrix) else affine.matrix)


def exponent(array: Array) -> int:
    """Return the least e >= 0 such that entries are multiples of ``2^-e``; 10^4 if above 52."""
    tick()
    mantissa, power = np.frexp(np.asarray(array, dtype=np.float64))
    whole = np.ldexp(mantissa, 53).astype(np.int64)  # entries are whole * 2^(power - 53)
    trailing = np.frexp((whole & -whole).astype(np.float64))[1] - 1
    needed = int(np.where(whole == 0, 0, 53 - power - trailing).max(initial=0))
    return needed if needed < 53 else NEVER
