"""Sparse matrices of integers of any size: products of weights without rounding."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from milpcount.errors import NetworkError
from milpcount.limits import tick
from milpcount.network.sparse import rows_of
from milpcount.rationals import to_integers
from milpcount.types import Array

LARGEST = 300_000_000
"""Products of integers that a multiplication may take: half a minute."""
_TERMS = 1 << 20
"""Products made at a time: some hundred megabytes."""
_FULL = 0.25
"""Share of two matrices that is not zero, from which on they are multiplied with their zeros."""


@dataclass(frozen=True, eq=False)
class IntegerMatrix:
    """A matrix by rows, without zeros.

    Attributes
    ----------
    values : ndarray of int, dtype object
    indices, indptr : ndarray of int
        Columns, and where each row begins, as of `scipy.sparse.csr_array`.
    shape : tuple of int
    """

    values: Array
    indices: Array
    indptr: Array
    shape: tuple[int, int]

    @classmethod
    def of(cls, matrix: Any) -> tuple["IntegerMatrix", int]:
        """Return the integers of a matrix of floats, and their denominator."""
        rows = rows_of(matrix)
        values, q = to_integers(rows.data)
        shape = (int(rows.shape[0]), int(rows.shape[1]))
        return cls(values, rows.indices.astype(np.int64), rows.indptr.astype(np.int64), shape), q

    @cached_property
    def row_of_each(self) -> Array:
        """The row of each value."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))

    def scaled(self, factors: Array) -> "IntegerMatrix":
        """Return the matrix with each row times a factor."""
        return self._with(self.values * factors[self.row_of_each])

    def scaled_columns(self, factors: Array) -> "IntegerMatrix":
        """Return the matrix with each column times a factor."""
        return self._with(self.values * factors[self.indices])

    def _with(self, values: Array) -> "IntegerMatrix":
        found = IntegerMatrix(values, self.indices, self.indptr, self.shape)
        return (
            found
            if np.all(values != 0)
            else _made(found.row_of_each, self.indices, values, self.shape)
        )

    def applied(self, vector: Array) -> list[int]:
        """Return the product with a vector of integers."""
        found, terms = [0] * self.shape[0], self.values * vector[self.indices]
        for row, term in zip(self.row_of_each.tolist(), terms.tolist(), strict=True):
            found[row] += term
        return found

    def times(self, other: "IntegerMatrix") -> "IntegerMatrix":
        """Return the product of two matrices.

        Raises
        ------
        NetworkError
            If it takes too long.
        """
        # Of each value the row of the other matrix that it is multiplied with.
        lengths = np.diff(other.indptr)[self.indices]
        n_terms = int(lengths.sum())
        if n_terms > LARGEST:
            raise NetworkError(
                f"two affine maps in a row, {other.shape[1]} to {self.shape[1]} to "
                f"{self.shape[0]}, take {n_terms:.1e} exact products; at most {LARGEST:.0e} are "
                "allowed: export the model with the two merged into one"
            )
        shape = (self.shape[0], other.shape[1])
        if n_terms > _FULL * self.shape[0] * self.shape[1] * other.shape[1]:
            table = self._with_zeros() @ other._with_zeros()
            rows, columns = np.nonzero(table)
            return _made(rows, columns, table[rows, columns], shape)
        ends, parts, at = np.cumsum(np.r_[0, lengths])[self.indptr], list[IntegerMatrix](), 0
        while at < self.shape[0]:
            tick()
            stop = int(np.searchsorted(ends, ends[at] + _TERMS, "right")) - 1
            stop = max(stop, at + 1)
            parts.append(self._product_of_rows(at, stop, lengths, other))
            at = stop
        return _stacked(parts, shape)

    def _product_of_rows(
        self, start: int, stop: int, lengths: Array, other: "IntegerMatrix"
    ) -> "IntegerMatrix":
        mine = slice(self.indptr[start], self.indptr[stop])
        counts = lengths[mine]
        first = other.indptr[self.indices[mine]]
        step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        theirs = np.repeat(first, counts) + step
        terms = np.repeat(self.values[mine], counts) * other.values[theirs]
        rows = np.repeat(self.row_of_each[mine] - start, counts)
        return _made(rows, other.indices[theirs], terms, (stop - start, other.shape[1]))

    def _with_zeros(self) -> Array:
        table = np.full(self.shape, 0, dtype=object)
        table[self.row_of_each, self.indices] = self.values
        return table


def _made(rows: Array, columns: Array, values: Array, shape: tuple[int, int]) -> IntegerMatrix:
    """Return the matrix of values at places; those of one place are added up."""
    places = rows.astype(np.int64) * shape[1] + columns
    order = np.argsort(places, kind="stable")
    places, values = places[order], values[order]
    if places.size:
        starts = np.flatnonzero(np.r_[True, np.diff(places) > 0])
        places, values = places[starts], np.add.reduceat(values, starts)
        kept = np.asarray(values != 0, dtype=bool)
        places, values = places[kept], values[kept]
    indptr = np.searchsorted(places, np.arange(shape[0] + 1) * shape[1])
    return IntegerMatrix(values, places % shape[1], indptr, shape)


def _stacked(parts: list[IntegerMatrix], shape: tuple[int, int]) -> IntegerMatrix:
    """Return the rows of several matrices, one after the other."""
    values = np.concatenate([part.values for part in parts])
    indices = np.concatenate([part.indices for part in parts])
    lengths = np.concatenate([np.diff(part.indptr) for part in parts])
    return IntegerMatrix(values, indices, np.r_[0, np.cumsum(lengths)], shape)
