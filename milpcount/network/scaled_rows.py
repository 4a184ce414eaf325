"""The nearest float64 numbers of a matrix whose rows are scaled, moved and added in small numbers.

A batch normalisation after a convolution scales its rows, a skip connection adds rows of one to
those of another. Of such products most of the millions of numbers are a weight times one rational,
and round for sure in double-double arithmetic; the few that are sums, or too close to the middle of
two float64 numbers, are computed exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy import sparse

from milpcount.network.affine import Array, Dense, Elementwise
from milpcount.network.double_double import ERROR, LARGEST, SMALLEST, DoubleDouble, nearest_to
from milpcount.network.sparse import Factor, Sparse
from milpcount.network.stacked import held
from milpcount.rationals import to_float

_PER_ROW = 4
"""Rows of the matrix that a row of the product is made of, on the average; else it is no case."""
_TERMS, _SUMS = 20_000_000, 500_000
"""Products of weights and rationals, and those of them in sums: a minute of either."""


def nearest_of_scaled_rows(factors: Sequence[Factor]) -> Dense | Sparse | None:
    """Return the nearest float64 numbers of a matrix followed by maps that combine few of its rows.

    None where that is not quickly said: other factors, numbers near the ends of the range of
    float64, or a product that may be a float64 matrix itself.
    """
    first, *others = factors
    if isinstance(first, Elementwise) or not others:
        return None
    rows = _Rows.of(first)
    for factor in others:
        after = rows.scaled(factor) if isinstance(factor, Elementwise) else rows.combined(factor)
        if after is None:
            return None
        rows = after
    bias = np.array([to_float(o.numerator, o.denominator) for o in rows.offset])
    matrix = sparse.csr_array(first.matrix)
    if not _in_range(matrix.data) or not _in_range(bias):
        return None
    found = _nearest(rows, matrix)
    return None if found is None else held(found, bias)


@dataclass(frozen=True)
class _Rows:
    """Affine combinations of the rows of a matrix, without the zeros, by rows as of a csr_array."""

    scale: list[Fraction]
    indices: list[int]
    indptr: list[int]
    offset: list[Fraction]

    @classmethod
    def of(cls, first: Dense | Sparse) -> "_Rows":
        n = first.n_out
        offset = [Fraction(b) for b in first.bias.tolist()]
        return cls([Fraction(1)] * n, list(range(n)), list(range(n + 1)), offset)

    def scaled(self, factor: Elementwise) -> "_Rows":
        numbers = [v.tolist() for v in (factor.factor, factor.shift, factor.divisor)]
        # The channels of an image share their numbers: a few quotients serve all entries.
        known: dict[tuple[float, ...], tuple[Fraction, Fraction]] = {}
        scale, offset = [], []
        for i, key in enumerate(zip(*numbers, strict=True)):
            if key not in known:
                times, shift, divisor = (Fraction(v) for v in key)
                known[key] = (times / divisor, shift / divisor)
            slope, step = known[key]
            scale += [s * slope for s in self.scale[self.indptr[i] : self.indptr[i + 1]]]
            offset.append(self.offset[i] * slope + step)
        return _Rows(scale, self.indices, self.indptr, offset)

    def combined(self, factor: Dense | Sparse) -> "_Rows | None":
        matrix = sparse.csr_array(factor.matrix)
        lengths = np.diff(self.indptr)[matrix.indices]
        if lengths.sum() > _PER_ROW * factor.n_out:
            return None
        weights, columns = matrix.data.tolist(), matrix.indices.tolist()
        scale, indices, indptr, offset = list[Fraction](), list[int](), [0], list[Fraction]()
        for i, b in enumerate(factor.bias.tolist()):
            total, sums = Fraction(b), dict[int, Fraction]()
            for at in range(int(matrix.indptr[i]), int(matrix.indptr[i + 1])):
                w, row = Fraction(weights[at]), columns[at]
                total += w * self.offset[row]
                for k in range(self.indptr[row], self.indptr[row + 1]):
                    source = self.indices[k]
                    sums[source] = sums.get(source, Fraction(0)) + w * self.scale[k]
            scale += sums.values()
            indices += sums
            indptr.append(len(indices))
            offset.append(total)
        return _Rows(scale, indices, indptr, offset)


def _nearest(rows: _Rows, matrix: sparse.csr_array) -> sparse.csr_array | None:
    """Return the float64 numbers nearest to the combinations of a matrix's rows."""
    factors = nearest_to(rows.scale)
    if not _in_range(factors.high):
        return None
    sources = np.array(rows.indices, dtype=np.int64)
    lengths = np.diff(matrix.indptr)[sources]
    if lengths.sum() > _TERMS:
        return None
    # A term for each combined row and each number in it.
    which = np.repeat(np.arange(sources.size), lengths)
    step = np.arange(which.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    entry = matrix.indptr[sources][which] + step
    row = np.repeat(np.arange(len(rows.offset)), np.diff(rows.indptr))[which]
    places = row * matrix.shape[1] + matrix.indices[entry]
    order = np.argsort(places, kind="stable")
    places, which, entry = places[order], which[order], entry[order]
    found = DoubleDouble(factors.high[which], factors.low[which]).times(matrix.data[entry])
    starts = np.flatnonzero(np.r_[True, np.diff(places) > 0][: places.size])
    counts = np.diff(np.r_[starts, places.size])
    several = counts > 1
    if counts[several].sum() > _SUMS:
        return None
    is_float = not (np.abs(found.low) > ERROR * np.abs(found.high))[starts[~several]].any()
    data, unsure = found.high[starts], _undecided(found)[starts]
    for group in np.flatnonzero(several | unsure).tolist():
        terms = range(int(starts[group]), int(starts[group] + counts[group]))
        value = sum(
            (rows.scale[int(which[t])] * Fraction(float(matrix.data[entry[t]])) for t in terms),
            Fraction(0),
        )
        data[group] = to_float(value.numerator, value.denominator)
        is_float &= value == Fraction(float(data[group])) if np.isfinite(data[group]) else True
    if is_float or not _in_range(data):
        return None
    at = places[starts]
    shape = (len(rows.offset), matrix.shape[1])
    return sparse.csr_array((data, (at // shape[1], at % shape[1])), shape=shape)


def _in_range(values: Array) -> bool:
    """Whether products of such numbers neither overflow nor underflow."""
    sizes = np.abs(values)
    return bool(((sizes == 0) | ((sizes > SMALLEST) & (sizes < LARGEST))).all())


def _undecided(found: DoubleDouble) -> Array:
    """Return which numbers may lie on either side of the middle of two float64 numbers."""
    towards = np.where(found.low > 0, np.inf, -np.inf)
    middle = np.abs(np.nextafter(found.high, towards) - found.high) / 2
    return np.asarray(np.abs(np.abs(found.low) - middle) <= ERROR * np.abs(found.high))
