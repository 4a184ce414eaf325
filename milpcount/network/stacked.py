"""Affine maps given by one matrix for each source that they read."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from milpcount.errors import NetworkError
from milpcount.network.affine import Affine, Dense
from milpcount.network.sparse import Sparse, rows_of
from milpcount.types import Array

Weights = Mapping[int, Any]
"""Matrices by the number of their source: 0 is the input, k the k-th layer."""

_FULL = 0.25
"""Share of a matrix that is not zero, from which on its zeros are held too."""


def stacked(weights: Weights, bias: Any, sizes: Sequence[int]) -> tuple[Affine, Array]:
    """Return the map that adds up what several sources give, and the columns that it reads.

    Parameters
    ----------
    weights : mapping of int to matrix
    bias : array_like, shape (n_out,)
    sizes : sequence of int
        Numbers that each source before the map has.

    Returns
    -------
    affine : Affine
    reads : ndarray of int
        As in `milpcount.network.Layer`: only columns with a weight, unless there are none.

    Raises
    ------
    NetworkError
        If a source does not come before the map, or a matrix does not fit it.
    """
    if not isinstance(weights, Mapping) or not weights:
        raise NetworkError(
            "the weights must be a mapping from sources to matrices: {0: W} reads the input"
        )
    starts = np.concatenate([[0], np.cumsum(sizes)])
    parts, columns = [], []
    for number in sorted(weights, key=_source):
        if not 0 <= number < len(sizes):
            raise NetworkError(f"source {number}: those before it are 0 to {len(sizes) - 1}")
        part = rows_of(weights[number], f"weight of source {number}")
        if part.shape[1] != sizes[number]:
            raise NetworkError(
                f"the weight of source {number} has shape {part.shape}: the source has "
                f"{sizes[number]} numbers"
            )
        parts.append(part)
        columns.append(np.arange(starts[number], starts[number + 1]))
    if len({part.shape[0] for part in parts}) > 1:
        shapes = [part.shape for part in parts]
        raise NetworkError(f"weights of shapes {shapes}: all need as many rows as the layer values")
    matrix, reads = sparse.csr_array(sparse.hstack(parts)), np.concatenate(columns)
    return held(matrix, bias), reads


def held(matrix: sparse.csr_array, bias: Any) -> Dense | Sparse:
    """Return an affine map, held with its zeros where they are few."""
    if matrix.nnz > _FULL * matrix.shape[0] * matrix.shape[1]:
        return Dense(matrix.toarray(), bias)
    return Sparse(matrix, bias)


def _source(number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, int | np.integer):
        raise NetworkError(f"source {number!r}: an integer is needed, 0 for the input")
    return int(number)
