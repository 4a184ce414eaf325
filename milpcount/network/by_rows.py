"""Sparse matrices by rows, as the readers build them."""

from typing import Any

import numpy as np
from scipy import sparse

from milpcount.types import Array


def selection(places: Array, width: int) -> sparse.csr_array:
    """Return the matrix that takes entries, a row for each place; -1 is a row of zeros."""
    taken = places >= 0
    indptr = np.concatenate([[0], np.cumsum(taken)])
    indices = places[taken]
    return sparse.csr_array((np.ones(indices.size), indices, indptr), shape=(places.size, width))


def canonical(matrix: Any) -> sparse.csr_array:
    """Return a matrix by rows, without zeros, columns in order."""
    found = sparse.csr_array(matrix)
    if not found.data.flags.writeable:
        found = found.copy()
    found.sum_duplicates()
    found.eliminate_zeros()
    return found


def used_columns(matrix: sparse.csr_array) -> Array:
    """Return the columns in which a matrix is not zero, increasing; the first one if none is."""
    used = np.zeros(matrix.shape[1], dtype=bool)
    used[matrix.indices] = True
    found = np.flatnonzero(used)
    return found if found.size else np.zeros(1, dtype=np.int64)
