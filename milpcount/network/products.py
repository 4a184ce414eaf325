"""Products of affine factors in exact arithmetic, and their nearest float64 numbers.

A product is held as ``(coefficients[i, j] / (rows[i] * columns[j]))`` over integers, without its
zeros, with the offsets as fractions: a normalisation divides columns, a batch normalisation rows,
so neither multiplies the integers of all others by its divisor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm

import numpy as np
from scipy import sparse

from milpcount.errors import NetworkError
from milpcount.network.affine import Dense, Elementwise, frozen
from milpcount.network.integer_matrix import LARGEST, IntegerMatrix
from milpcount.network.sparse import Factor, Sparse
from milpcount.rationals import is_float, to_float
from milpcount.types import Array

__all__ = ["LARGEST", "Product"]


_SMALLEST = float(np.finfo(np.float64).smallest_normal)


@dataclass(frozen=True, eq=False)
class Product:
    """The product of factors.

    Attributes
    ----------
    coefficients : IntegerMatrix, shape (n_out, n_in)
    rows, columns : list of int
        Positive divisors.
    offsets : list of Fraction
    """

    coefficients: IntegerMatrix
    rows: list[int]
    columns: list[int]
    offsets: list[Fraction]

    @classmethod
    def of(cls, factors: Sequence[Factor]) -> "Product":
        """Return the product of factors, the first of which is applied first.

        Raises
        ------
        NetworkError
            If it is too large to be multiplied out.
        """
        n = factors[0].n_in
        # A diagonal is kept as such until it meets a matrix.
        found: Product | _Diagonal = _Diagonal([Fraction(1)] * n, [Fraction(0)] * n)
        for factor in factors:
            found = found.then(factor)
        return found if isinstance(found, Product) else found.expand()

    def then(self, factor: Factor) -> "Product":
        """Return the product with one more factor, applied last."""
        if isinstance(factor, Elementwise):
            return self._scaled(factor)
        weight, q = IntegerMatrix.of(factor.matrix)
        common = lcm(*self.rows)
        level = np.array([common // r for r in self.rows], dtype=object)
        coefficients = weight.times(self.coefficients.scaled(level))
        offsets = _plus(_combine(weight, q, self.offsets), factor.bias)
        return Product(coefficients, [q * common] * factor.n_out, self.columns, offsets)

    def _scaled(self, factor: Elementwise) -> "Product":
        scale, shift = _fractions(factor)
        times = np.array([s.numerator for s in scale], dtype=object)
        rows = [r * s.denominator for r, s in zip(self.rows, scale, strict=True)]
        offsets = [o * s + t for o, s, t in zip(self.offsets, scale, shift, strict=True)]
        return Product(self.coefficients.scaled(times), rows, self.columns, offsets)

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """The nearest float64 matrix, without zeros."""
        nearest = [to_float(v, q) for v, q in self._quotients()]
        data = frozen(nearest, "the weight of affine maps in a row", 1)
        own = self.coefficients
        return sparse.csr_array((data, own.indices, own.indptr), shape=own.shape)

    @cached_property
    def bias(self) -> Array:
        """The nearest float64 offsets."""
        nearest = [to_float(o.numerator, o.denominator) for o in self.offsets]
        return frozen(nearest, "the bias of affine maps in a row", 1)

    def _quotients(self) -> "zip[tuple[int, int]]":
        """Return numerator and denominator of each coefficient."""
        own = self.coefficients
        pairs = zip(own.row_of_each.tolist(), own.indices.tolist(), strict=True)
        return zip(
            own.values.tolist(), [self.rows[i] * self.columns[j] for i, j in pairs], strict=True
        )

    def check_range(self) -> None:
        """Check that rounding is relative, as error bounds take it to be.

        Raises
        ------
        NetworkError
            If a number is too large for float64, or not zero and below its smallest normal number.
        """
        for what, nearest, nonzero in (
            ("weight", self.matrix.data, np.ones(self.matrix.nnz, dtype=bool)),
            ("bias", self.bias, np.array([o != 0 for o in self.offsets])),
        ):
            wrong = nonzero & (abs(nearest) < _SMALLEST)
            if wrong.any():
                raise NetworkError(
                    f"affine maps in a row have a {what} of less than {_SMALLEST:.3g}, below the "
                    "range of float64: rescale the model"
                )

    @property
    def is_float(self) -> bool:
        """Whether every number is a float64."""
        return all(is_float(o.numerator, o.denominator) for o in self.offsets) and all(
            is_float(v, q) for v, q in self._quotients()
        )

    def exact(self) -> tuple[Array, int]:
        """Return offsets and coefficients over one denominator, shape (n_out, 1 + n_in)."""
        row, column = lcm(*self.rows), lcm(*self.columns)
        q = lcm(row * column, *(o.denominator for o in self.offsets))
        left = np.array([row // r for r in self.rows], dtype=object)
        right = np.array([q // row // c for c in self.columns], dtype=object)
        own = self.coefficients
        table = np.full((own.shape[0], 1 + own.shape[1]), 0, dtype=object)
        table[:, 0] = [o.numerator * (q // o.denominator) for o in self.offsets]
        at = own.row_of_each
        table[at, 1 + own.indices] = own.values * left[at] * right[own.indices]
        return table, q


@dataclass(frozen=True, eq=False)
class _Diagonal:
    """The map ``v -> scale * v + shift``, entry by entry."""

    scale: list[Fraction]
    shift: list[Fraction]

    def then(self, factor: Factor) -> "_Diagonal | Product":
        if not isinstance(factor, Elementwise):
            return self._expanded(factor)
        scale, shift = _fractions(factor)
        return _Diagonal(
            [a * s for a, s in zip(self.scale, scale, strict=True)],
            [a * s + t for a, s, t in zip(self.shift, scale, shift, strict=True)],
        )

    def _expanded(self, factor: Dense | Sparse) -> Product:
        weight, q = IntegerMatrix.of(factor.matrix)
        times = np.array([s.numerator for s in self.scale], dtype=object)
        offsets = _plus(_combine(weight, q, self.shift), factor.bias)
        columns = [s.denominator for s in self.scale]
        return Product(weight.scaled_columns(times), [q] * factor.n_out, columns, offsets)

    def expand(self) -> Product:
        n = len(self.scale)
        ones, _ = IntegerMatrix.of(sparse.csr_array(sparse.identity(n)))
        times = np.array([s.numerator for s in self.scale], dtype=object)
        return Product(ones.scaled(times), [s.denominator for s in self.scale], [1] * n, self.shift)


def _fractions(factor: Elementwise) -> tuple[list[Fraction], list[Fraction]]:
    divisors = [Fraction(d) for d in factor.divisor.tolist()]
    scale = [Fraction(f) / d for f, d in zip(factor.factor.tolist(), divisors, strict=True)]
    shift = [Fraction(s) / d for s, d in zip(factor.shift.tolist(), divisors, strict=True)]
    return scale, shift


def _combine(weight: IntegerMatrix, q: int, values: list[Fraction]) -> list[Fraction]:
    """Return ``weight @ values / q``."""
    common = lcm(*(v.denominator for v in values))
    integers = [v.numerator * (common // v.denominator) for v in values]
    sums = weight.applied(np.array(integers, dtype=object))
    return [Fraction(int(s), q * common) for s in sums]


def _plus(offsets: list[Fraction], bias: Array) -> list[Fraction]:
    return [o + Fraction(b) for o, b in zip(offsets, bias.tolist(), strict=True)]
