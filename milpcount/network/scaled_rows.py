"""The nearest float64 numbers of a matrix whose rows are scaled, as by a batch normalisation.

Of a convolution that is millions of numbers, each a weight times a rational of its row. In
double-double arithmetic nearly all of them round for sure; the few that are too close to the middle
of two float64 numbers are computed exactly.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from scipy import sparse

from milpcount.network.affine import Array, Dense, Elementwise
from milpcount.network.double_double import ERROR, LARGEST, SMALLEST, DoubleDouble, nearest_to
from milpcount.network.sparse import Factor, Sparse
from milpcount.network.stacked import held
from milpcount.rationals import to_float


def nearest_of_scaled_rows(factors: Sequence[Factor]) -> Dense | Sparse | None:
    """Return the nearest float64 numbers of a matrix followed by elementwise maps.

    None where that is not quickly said: other factors, numbers near the ends of the range of
    float64, or a product that may be a float64 matrix itself.
    """
    first, *others = factors
    if isinstance(first, Elementwise) or not all(isinstance(f, Elementwise) for f in others):
        return None
    scale, offset = [Fraction(1)] * first.n_out, [Fraction(b) for b in first.bias.tolist()]
    for factor in others:
        if isinstance(factor, Elementwise):
            scale, offset = _scaled(factor, scale, offset)
    matrix = sparse.csr_array(first.matrix)
    row = np.repeat(np.arange(first.n_out), np.diff(matrix.indptr))
    of_rows = nearest_to(scale)
    if not _in_range(matrix.data) or not _in_range(of_rows.high):
        return None
    found = DoubleDouble(of_rows.high[row], of_rows.low[row]).times(matrix.data)
    bias = np.array([to_float(o.numerator, o.denominator) for o in offset])
    if not _in_range(bias) or not (np.abs(found.low) > ERROR * np.abs(found.high)).any():
        return None
    data = found.high.copy()
    for k in np.flatnonzero(_undecided(found)).tolist():
        value = scale[int(row[k])] * Fraction(float(matrix.data[k]))
        data[k] = to_float(value.numerator, value.denominator)
    return held(sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape), bias)


def _scaled(
    factor: Elementwise, scale: list[Fraction], offset: list[Fraction]
) -> tuple[list[Fraction], list[Fraction]]:
    """Return scales and offsets of rows after one more map."""
    numbers = [v.tolist() for v in (factor.factor, factor.shift, factor.divisor)]
    # The channels of an image share their numbers, so a few quotients serve all entries.
    known: dict[tuple[float, ...], tuple[Fraction, Fraction]] = {}
    scales, offsets = [], []
    for key, s, o in zip(zip(*numbers, strict=True), scale, offset, strict=True):
        if key not in known:
            times, shift, divisor = (Fraction(v) for v in key)
            known[key] = (times / divisor, shift / divisor)
        slope, step = known[key]
        scales.append(s * slope)
        offsets.append(o * slope + step)
    return scales, offsets


def _in_range(values: Array) -> bool:
    """Whether products of such numbers neither overflow nor underflow."""
    sizes = np.abs(values)
    return bool(((sizes == 0) | ((sizes > SMALLEST) & (sizes < LARGEST))).all())


def _undecided(found: DoubleDouble) -> Array:
    """Return which numbers may lie on either side of the middle of two float64 numbers."""
    towards = np.where(found.low > 0, np.inf, -np.inf)
    middle = np.abs(np.nextafter(found.high, towards) - found.high) / 2
    return np.asarray(np.abs(np.abs(found.low) - middle) <= ERROR * np.abs(found.high))
