"""The nearest float64 numbers of a product of affine factors, millions of them in seconds.

The product is taken from its last factor to its first, some rows at a time, in numbers of a hundred
bits that know their errors (see `milpcount.network.product_kernel`). Nearly all round for sure; the
few that are too close to the middle of two float64 numbers are computed exactly.
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from milpcount.errors import NetworkError
from milpcount.limits import tick
from milpcount.network.affine import Dense, Elementwise
from milpcount.network.by_rows import selection
from milpcount.network.products import Product
from milpcount.network.sparse import Factor, Sparse
from milpcount.network.stacked import held
from milpcount.rationals import to_float
from milpcount.types import Array

LARGEST = 5_000_000_000
"""Products of numbers that are made: a minute or two."""
LARGEST_RESULT = 2**27
"""Numbers that come out: two gigabytes."""
_BLOCK = 1 << 21
"""Products made at a time: some hundred megabytes."""
_EXACT = 2_000
"""Rows that are computed exactly, at most."""
_FACTORS = 2.0**150
"""Weights up to here, and from its inverse on: products of parts of them are far from underflow."""
_INFLATED = 1 + 2.0**-20
"""Errors are sums of millions of numbers, rounded each time."""

Rows = tuple[Array, Array, Array]
"""Numbers by rows: where each row begins, columns, and ``(high, low, error)`` of each."""


def terms_of(factors: Sequence[Factor]) -> int:
    """Return how many products of two numbers it takes at most to multiply factors out."""
    return int(sum(_costs(factors).tolist()))


def nearest_product(factors: Sequence[Factor]) -> tuple[Dense | Sparse, bool] | None:
    """Return the map of the float64 numbers nearest to those of a product.

    Returns
    -------
    nearest : Dense or Sparse
    is_rounded : bool
        Whether it is not the product itself.
        None instead of both where that is not quickly said: numbers far from 1, or too many that
        are close to the middle of two float64 numbers.

    Raises
    ------
    NetworkError
        If the product is too large.
    """
    if not all(_is_moderate(numbers) for factor in factors for numbers in _numbers(factor)):
        return None
    maps = [_augmented(factor) for factor in factors]
    n_out = factors[-1].n_out
    parts, at, work, size, step, is_rounded, is_sure = [], 0, 0, 0, 64, False, True
    while at < n_out:
        tick()
        block = _block(maps, at, min(n_out, at + step))
        if block is None:
            return None
        (indptr, indices, values), terms = block
        nearest, unsure, rounded, same = _decided(values)
        kept = unsure | (nearest != 0)
        counts = np.concatenate([[0], np.cumsum(kept)])[indptr]
        columns = indices[kept].astype(np.int32)
        parts.append((nearest[kept], columns, np.diff(counts), unsure[kept]))
        at, work, size = at + indptr.size - 1, work + terms, size + int(counts[-1])
        is_rounded, is_sure = is_rounded or rounded, is_sure and same
        _check(work, size, factors)
        step = max(1, min(4 * step, step * _BLOCK // max(1, terms)))
    if not is_rounded and not is_sure:
        return None
    data, columns, lengths, unsure = (np.concatenate(part) for part in zip(*parts, strict=True))
    parts.clear()
    rows = np.repeat(np.arange(n_out, dtype=np.int32), lengths)
    if not _settle(data, rows, columns, unsure, factors):
        return None
    return held(*_split(data, rows, columns, (n_out, factors[0].n_in))), is_rounded


def _split(
    data: Array, rows: Array, columns: Array, shape: tuple[int, int]
) -> tuple[sparse.csr_array, Array]:
    """Return matrix and offsets; these have the column after the last one."""
    last = columns == shape[1]
    bias = np.zeros(shape[0])
    bias[rows[last]] = data[last]
    kept = ~last & (data != 0)
    lengths = np.bincount(rows[kept], minlength=shape[0])
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    matrix = sparse.csr_array((data[kept], columns[kept], indptr), shape=shape)
    matrix.sort_indices()
    return matrix, bias


def _check(work: int, size: int, factors: Sequence[Factor]) -> None:
    if work > LARGEST or size > LARGEST_RESULT:
        sizes = " to ".join(str(n) for n in (factors[0].n_in, *(f.n_out for f in factors)))
        raise NetworkError(
            f"affine maps in a row, {sizes}, take more than {LARGEST:.0e} products or "
            f"{LARGEST_RESULT:.1e} numbers: export the model with them merged into one"
        )


def _costs(factors: Sequence[Factor]) -> Array:
    """Return a bound on the products that each row takes: those of the rows that it is made of."""
    lengths, costs = np.ones(factors[0].n_in), np.zeros(factors[0].n_in)
    for number, factor in enumerate(factors):
        if isinstance(factor, Elementwise):
            costs = costs + lengths
            continue
        matrix = sparse.csr_array(factor.matrix)
        ones = sparse.csr_array((np.ones(matrix.nnz), matrix.indices, matrix.indptr), matrix.shape)
        costs = ones @ (costs + lengths) if number else np.zeros(factor.n_out)
        # Columns that meet are counted once: a row has no more entries than there are inputs.
        lengths = np.minimum(ones @ lengths, factors[0].n_in)
    return np.asarray(costs)


def _numbers(factor: Factor) -> tuple[Array, ...]:
    if isinstance(factor, Elementwise):
        return factor.factor, factor.shift, factor.divisor
    return sparse.csr_array(factor.matrix).data, factor.bias


def _is_moderate(values: Array) -> bool:
    sizes = np.abs(values)
    return bool(((sizes == 0) | ((sizes > 1 / _FACTORS) & (sizes < _FACTORS))).all())


class _Map:
    """A factor as a matrix whose last column is the constant, and divisors of its rows."""

    def __init__(self, matrix: sparse.csr_array, divisor: Array | None) -> None:
        self.matrix, self.divisor, self.lengths = matrix, divisor, np.diff(matrix.indptr)
        # A split after Dekker leaves halves of 26 bits: such numbers multiply them exactly.
        mantissa = np.ldexp(np.frexp(matrix.data)[0], 26)
        self.is_short = bool((mantissa == np.trunc(mantissa)).all())


def _augmented(factor: Factor) -> _Map:
    own = sparse.diags_array(factor.factor) if isinstance(factor, Elementwise) else factor.matrix
    shift = factor.shift if isinstance(factor, Elementwise) else factor.bias
    last = sparse.csr_array(np.ones((1, 1)))
    matrix = sparse.csr_array(
        sparse.block_array(
            [[sparse.csr_array(own), sparse.csr_array(shift[:, None])], [None, last]], format="csr"
        )
    )
    matrix.eliminate_zeros()
    if isinstance(factor, Elementwise) and (factor.divisor != 1).any():
        return _Map(matrix, np.append(factor.divisor, 1.0))
    return _Map(matrix, None)


def _block(maps: Sequence[_Map], start: int, stop: int) -> tuple[Rows, int] | None:
    """Return rows of the product, and how many products they took; None if out of range."""
    from milpcount.network.product_kernel import multiplied

    count, terms = stop - start, 0
    values = np.zeros((count, 3))
    values[:, 0] = 1.0
    rows: Sequence[Array] = (np.arange(count + 1), np.arange(start, stop), values)
    for number, factor in enumerate(reversed(maps)):
        matrix, (indptr, indices, values) = factor.matrix, rows
        if factor.divisor is not None:
            values = _divided(values, factor.divisor[indices])
        if number == 0 and factor.divisor is None:
            part = matrix[start:stop]
            values = np.zeros((part.nnz, 3))
            values[:, 0] = part.data
            rows = part.indptr.astype(np.int64), part.indices.astype(np.int64), values
            continue
        terms += int(factor.lengths[indices].sum())
        *rows, in_range = multiplied(
            indptr, indices, values, matrix.indptr, matrix.indices, matrix.data,
            factor.is_short, matrix.shape[1],
        )  # fmt: skip
        if not in_range:
            return None
    return (rows[0], rows[1], rows[2]), terms


def _divided(values: Array, divisor: Array) -> Array:
    """Return quotients: both remainders are float64 numbers, so zero errors stay zero."""
    high, low, error = values.T
    first = high / divisor
    rest, lost = _sum(_remainder(high, first, divisor), low)
    second = rest / divisor
    left = np.abs(_remainder(rest, second, divisor)) + np.abs(lost) + error
    total, low = _sum(first, second)
    return np.stack([total, low, left / np.abs(divisor) * _INFLATED], axis=1)


def _remainder(dividend: Array, quotient: Array, divisor: Array) -> Array:
    product = quotient * divisor
    (a1, a2), (b1, b2) = _halves(quotient), _halves(divisor)
    rest = ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2
    return np.asarray((dividend - product) - rest)


def _halves(values: Array) -> tuple[Array, Array]:
    scaled = (2.0**27 + 1) * values
    first = scaled - (scaled - values)
    return first, values - first


def _sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Return a sum and its error."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _decided(values: Array) -> tuple[Array, Array, bool, bool]:
    """Return the nearest float64 numbers, and which are not sure.

    Also whether a number is surely no float64, and whether all of them surely are.
    """
    high, low, error = values.T
    # What rounds back to the same float64 is less than half a unit away.
    most = error * _INFLATED + np.abs(low) * 2.0**-40
    unsure = (high + (low + most) != high) | (high + (low - most) != high) | (high == 0)
    unsure &= error > 0
    return (
        high, unsure, bool((np.abs(low) > error * _INFLATED).any()),
        not (low.any() or error.any()),
    )  # fmt: skip


def _settle(
    data: Array, rows: Array, columns: Array, unsure: Array, factors: Sequence[Factor]
) -> bool:
    """Compute exactly what is not sure, in place; return whether that was not too much."""
    places = np.flatnonzero(unsure)
    if not places.size:
        return True
    wanted = np.unique(rows[places])
    if wanted.size > _EXACT:
        return False
    exact = Product.of(_of_rows(factors, wanted))
    exact.check_range()
    at = np.searchsorted(wanted, rows[places])
    for place, row, column in zip(places, at.tolist(), columns[places].tolist(), strict=True):
        if column == exact.coefficients.shape[1]:
            offset = exact.offsets[row]
            data[place] = to_float(offset.numerator, offset.denominator)
        else:
            data[place] = exact.matrix[row, column]
    return True


def _of_rows(factors: Sequence[Factor], rows: Array) -> list[Factor]:
    """Return factors of some rows of a product, without what these do not read."""
    found = list[Factor]()
    for number, factor in reversed(list(enumerate(factors))):
        if isinstance(factor, Elementwise):
            parts = (factor.factor[rows], factor.shift[rows], factor.divisor[rows])
            if number:
                found.append(Elementwise(*parts))
                continue
            # Before it all inputs are read, so that columns keep their numbers.
            found += [Elementwise(*parts), held(selection(rows, factor.n_in), np.zeros(rows.size))]
            continue
        matrix = sparse.csr_array(factor.matrix)[rows]
        if not number:
            found.append(held(matrix, factor.bias[rows]))
            continue
        used = np.unique(matrix.indices)
        used = used if used.size else np.zeros(1, dtype=np.int64)
        found.append(held(matrix[:, used], factor.bias[rows]))
        rows = used
    return found[::-1]
