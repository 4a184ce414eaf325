"""Affine maps most of whose weights are zero: convolutions, skips, gathers."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from milpcount.errors import NetworkError
from milpcount.network.affine import Dense, Elementwise, check_shapes, frozen
from milpcount.rationals import to_integers
from milpcount.types import Array

LARGEST_DENSE = 2**27
"""Numbers in a matrix that is written out: a gigabyte."""


def rows_of(matrix: Any, what: str = "weight") -> sparse.csr_array:
    """Return a matrix by rows, as float64, without zeros, columns in order; nobody can change it.

    Raises
    ------
    NetworkError
        If it is no matrix of finite real numbers.
    """
    if sparse.issparse(matrix):
        given = sparse.csr_array(matrix)
        data = frozen(given.data, what, 1).copy()
        found = sparse.csr_array((data, given.indices.copy(), given.indptr.copy()), given.shape)
        # Entries of one place are added up in float64: that must not round.
        found.sum_duplicates()
        if found.nnz < matrix.nnz:
            raise NetworkError(f"{what} has several entries in one place: give their sum")
    else:
        found = sparse.csr_array(frozen(matrix, what, 2))
    found.eliminate_zeros()
    found.sort_indices()
    found.data.setflags(write=False)
    return found


@dataclass(frozen=True, eq=False)
class Sparse:
    """An affine map whose matrix is held by rows, without its zeros.

    Parameters
    ----------
    matrix : scipy sparse array or matrix, or array_like; shape (n_out, n_in)
        Entries of one place must be one.
    bias : array_like, shape (n_out,)

    Raises
    ------
    NetworkError
        If a number is not finite or the shapes do not fit.
    """

    matrix: sparse.csr_array
    bias: Array

    def __post_init__(self) -> None:
        matrix, bias = rows_of(self.matrix), frozen(self.bias, "bias", 1)
        check_shapes(matrix.shape, bias.shape)
        object.__setattr__(self, "matrix", matrix)
        object.__setattr__(self, "bias", bias)

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return int(self.matrix.shape[1])

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return int(self.matrix.shape[0])

    @cached_property
    def weight(self) -> Array:
        """The matrix with its zeros, shape (n_out, n_in).

        Raises
        ------
        NetworkError
            If that takes more than a gigabyte.
        """
        if self.n_out * self.n_in > LARGEST_DENSE:
            raise NetworkError(
                f"a weight of shape {self.matrix.shape} takes "
                f"{8 * self.n_out * self.n_in / 2**30:.1f} GiB with its zeros; at most 1 is allowed"
            )
        return frozen(self.matrix.toarray(), "weight", 2)

    @property
    def is_rounded(self) -> bool:
        """Whether the numbers are rounded: they are not."""
        return False

    def exact(self) -> tuple[Array, int]:
        """Return bias and weights, shape (n_out, 1 + n_in), in integers, and their denominator."""
        return to_integers(np.c_[self.bias, self.weight])


Factor = Dense | Sparse | Elementwise
"""An affine map that is made of float64 numbers."""
