"""Affine expressions carried through a graph of operators.

Between layers of units every value is an affine function of the network's *columns*: the inputs,
then the outputs of the first layer's units, and so on. A reader holds such a tensor as a sparse
matrix, entries times columns, and a constant per entry: values of any layers add up and join, and
the outputs of a new layer only widen the matrix. An operator that moves entries selects rows, one
that adds them up is a sparse matrix itself (see `milpcount.network.linear_maps`).

Nothing is rounded on the way. The *sources* of a tensor are the columns or, where an operator would
round the coefficients it makes (two affine operators in a row, a division), the entries of the
tensor before that operator: what leads there is then kept as a factor, and the layer's map is the
product of the factors (see `milpcount.network.composite`).
"""

from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
from scipy import sparse

from milpcount.errors import NetworkError
from milpcount.network.affine import Elementwise
from milpcount.network.by_rows import canonical, selection, used_columns
from milpcount.network.error_free import product_is_exact, quotient_is_exact, sum_is_exact
from milpcount.network.sparse import Factor
from milpcount.network.stacked import held
from milpcount.rationals import root
from milpcount.types import Array

ROOTS = (
    "the roots of batch normalisation are the float64 numbers nearest to sqrt(variance + epsilon)"
)
"""What a network whose roots were rounded says."""

LARGEST = 2**27
"""Entries or coefficients of a tensor before it is refused: a gigabyte or two."""


@dataclass(frozen=True, eq=False)
class AffineTensor:
    """A tensor whose entries are affine in the columns of a network.

    Attributes
    ----------
    matrix : scipy.sparse.csr_array, shape (entries, sources)
        Without zeros, columns in order; exact.
    constant : ndarray, shape (entries,)
    shape : tuple of int
        Of the tensor; entries are in row-major order.
    factors : tuple of Dense, Sparse or Elementwise
        Maps from columns to the sources; none if the columns are the sources.
    columns : ndarray of int, optional
        The columns that the first factor reads, increasing.
    """

    matrix: sparse.csr_array
    constant: Array
    shape: tuple[int, ...]
    factors: tuple[Factor, ...] = ()
    columns: Array | None = None

    def __post_init__(self) -> None:
        check_size(max(self.matrix.nnz, prod(self.shape)), self.shape)

    @classmethod
    def of_columns(cls, shape: tuple[int, ...], first: int) -> "AffineTensor":
        """Return the columns from `first` on, row-major in the given shape."""
        size = prod(shape)
        check_size(size, shape)
        return cls(selection(np.arange(first, first + size), first + size), np.zeros(size), shape)

    @property
    def size(self) -> int:
        """Number of entries."""
        return self.constant.size

    @property
    def numbers(self) -> Array:
        """The places of the entries, in the tensor's shape: an operator may move them."""
        return np.arange(self.size).reshape(self.shape)

    @property
    def is_selection(self) -> bool:
        """Whether every entry is a source or zero, and no source comes twice.

        Products with a constant matrix or kernel are then exact: no two terms are added up.
        """
        return bool(
            not self.constant.any()
            and (self.matrix.data == 1.0).all()
            and (np.diff(self.matrix.indptr) <= 1).all()
            and np.unique(self.matrix.indices).size == self.matrix.nnz
        )

    @property
    def first_column(self) -> int | None:
        """The first source, if the entries are sources one after the other; else None."""
        found, width = self.matrix.indices, self.matrix.shape[1]
        one_each = self.is_selection and found.size == self.size
        if not one_each or (np.diff(found) != 1).any():
            return None
        # With factors all sources are meant: they are the entries of a tensor before.
        return None if self.factors and self.size < width else int(found[0])

    def chain(self) -> tuple[Array, tuple[Factor, ...]]:
        """Return columns and the maps that lead from them to the entries, none if those are they.

        Raises
        ------
        NetworkError
            If a coefficient is not finite.
        """
        first = self.first_column
        if self.columns is not None and self.factors:
            last = () if first is not None else (held(self.matrix, self.constant),)
            return self.columns, (*self.factors, *last)
        if first is not None:
            return np.arange(first, first + self.size), ()
        columns = used_columns(self.matrix)
        return columns, (held(self.matrix[:, columns], self.constant),)

    def restarted(self) -> "AffineTensor":
        """Return the same tensor with its entries as sources, which makes a factor."""
        if self.first_column is not None:
            return self
        columns, factors = self.chain()
        return sources(self.shape, factors, columns)

    def reshaped(self, shape: tuple[int, ...]) -> "AffineTensor":
        """Return the same entries in another shape."""
        return AffineTensor(self.matrix, self.constant, shape, self.factors, self.columns)

    def taken(self, places: Array, constants: Array | None = None) -> "AffineTensor":
        """Return entries, moved or repeated.

        Parameters
        ----------
        places : ndarray of int
            Of the entries, in the new tensor's shape; -1 where a constant is.
        constants : ndarray, optional
            In the same shape; zero by default.
        """
        flat = places.ravel()
        if constants is None and flat.size == self.size and (flat == np.arange(self.size)).all():
            return self.reshaped(places.shape)
        rows = selection(flat, self.size)
        constant = rows @ self.constant
        if constants is not None:
            constant = np.where(flat < 0, constants.ravel(), constant)
        matrix = canonical(rows @ self.matrix)
        return AffineTensor(matrix, constant, places.shape, self.factors, self.columns)

    def applied(
        self, operator: Any, shape: tuple[int, ...], offset: Array | None = None
    ) -> "AffineTensor":
        """Return what a linear map makes of the entries, without rounding.

        Parameters
        ----------
        operator : scipy sparse array, shape (outputs, entries)
        shape : tuple of int
            Of the result.
        offset : ndarray, optional
            What is added, in a shape that broadcasts to the result's.
        """
        # Else sums of products of coefficients would round: entries become sources of their own.
        start = self if self.is_selection else self.restarted()
        constant = np.zeros(shape)
        if offset is not None:
            constant += offset
        matrix = canonical(sparse.csr_array(operator) @ start.matrix)
        return AffineTensor(matrix, constant.ravel(), shape, start.factors, start.columns)

    def plus(self, constant: Array, sign: float = 1.0) -> "AffineTensor":
        """Return ``self + sign * constant``, shapes broadcast."""
        moved = self.broadcast(np.shape(constant))
        shift = np.broadcast_to(sign * np.asarray(constant), moved.shape).ravel()
        total = moved.constant + shift
        if not sum_is_exact(moved.constant, shift, total):
            ones = np.ones(moved.size)
            return moved.followed_by(Elementwise(ones, shift, ones))
        return AffineTensor(moved.matrix, total, moved.shape, moved.factors, moved.columns)

    def times(self, constant: Array) -> "AffineTensor":
        """Return ``self * constant``, entry by entry, shapes broadcast."""
        moved = self.broadcast(np.shape(constant))
        factor = np.broadcast_to(constant, moved.shape).ravel()
        of_data = np.repeat(factor, np.diff(moved.matrix.indptr))
        data, shift = moved.matrix.data * of_data, moved.constant * factor
        if not (
            product_is_exact(moved.matrix.data, of_data, data)
            and product_is_exact(moved.constant, factor, shift)
        ):
            return moved.followed_by(
                Elementwise(factor, np.zeros(factor.size), np.ones(factor.size))
            )
        return moved._with_numbers(data, shift)

    def over(self, constant: Array) -> "AffineTensor":
        """Return ``self / constant``, entry by entry, shapes broadcast.

        Raises
        ------
        NetworkError
            If a divisor is zero.
        """
        if not np.all(constant):
            raise NetworkError("it divides by zero")
        moved = self.broadcast(np.shape(constant))
        divisor = np.broadcast_to(constant, moved.shape).ravel()
        of_data = np.repeat(divisor, np.diff(moved.matrix.indptr))
        data, shift = moved.matrix.data / of_data, moved.constant / divisor
        if not (
            quotient_is_exact(moved.matrix.data, of_data, data)
            and quotient_is_exact(moved.constant, divisor, shift)
        ):
            return moved.followed_by(
                Elementwise(np.ones(divisor.size), np.zeros(divisor.size), divisor)
            )
        return moved._with_numbers(data, shift)

    def normalised(
        self, mean: Array, variance: Array, epsilon: float, scale: Array, shift: Array, axis: int
    ) -> tuple["AffineTensor", bool]:
        """Return ``scale (self - mean) / sqrt(variance + epsilon) + shift``, a batch normalisation.

        Parameters
        ----------
        mean, variance, scale, shift : ndarray, shape (channels,)
        epsilon : float
        axis : int
            Of the channels.

        Returns
        -------
        AffineTensor
            Exact but for the roots.
        bool
            Whether a root was rounded: each is the nearest float64 to its exact value.

        Raises
        ------
        NetworkError
            If a variance plus epsilon is not positive.
        """
        squares = [Fraction(v) + Fraction(epsilon) for v in variance.tolist()]
        if min(squares) <= 0:
            raise NetworkError(
                f"a variance plus epsilon is {float(min(squares)):.3g}, not positive"
            )
        roots = [root(square) for square in squares]
        rounded = any(Fraction(r) ** 2 != v for r, v in zip(roots, squares, strict=True))

        def channels(values: Array) -> Array:
            lined = [1] * len(self.shape)
            lined[axis] = -1
            return np.asarray(values, dtype=np.float64).reshape(lined)

        centred = self.plus(channels(mean), -1.0).over(channels(np.array(roots)))
        return centred.times(channels(scale)).plus(channels(shift)), rounded

    def broadcast(self, shape: tuple[int, ...]) -> "AffineTensor":
        """Return the tensor with its entries repeated, as numpy repeats those of arrays."""
        wanted = np.broadcast_shapes(self.shape, shape)
        if wanted == self.shape:
            return self
        check_size(prod(wanted), wanted)
        return self.taken(np.broadcast_to(self.numbers, wanted))

    def followed_by(self, factor: Elementwise) -> "AffineTensor":
        """Return what a map makes of the entries, as a factor of its own."""
        columns, factors = self.chain()
        return sources(self.shape, (*factors, factor), columns)

    def _with_numbers(self, data: Array, constant: Array) -> "AffineTensor":
        old = self.matrix
        matrix = sparse.csr_array((data, old.indices.copy(), old.indptr.copy()), shape=old.shape)
        return AffineTensor(canonical(matrix), constant, self.shape, self.factors, self.columns)


def sources(shape: tuple[int, ...], factors: tuple[Factor, ...], columns: Array) -> AffineTensor:
    """Return the outputs of factors that begin at columns, in a shape."""
    size = prod(shape)
    return AffineTensor(
        selection(np.arange(size), size),
        np.zeros(size),
        shape,
        factors,
        columns if factors else None,
    )


def check_size(numbers: int, shape: tuple[int, ...]) -> None:
    """Raise NetworkError if a tensor would not fit in memory."""
    if numbers > LARGEST:
        raise NetworkError(
            f"a tensor of shape {tuple(shape)} has {numbers:.1e} entries or coefficients; at most "
            f"{LARGEST:.1e} are allowed: use a smaller network"
        )
