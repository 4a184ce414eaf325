"""Upper bounds on the ranks of weights, as Serra's refinement needs them: never below the truth."""

from fractions import Fraction

import numpy as np

from milpcount.network import Affine, Composite, Dense, Network
from milpcount.types import Array

_EXACT = 40
"""Rows and columns up to which a doubtful rank is settled exactly."""
_LARGEST = 1_000_000
"""Entries up to which a matrix is looked at."""


def rank_bounds(network: Network) -> tuple[int, ...]:
    """Return an upper bound on the rank of each layer's weight; exact for small layers.

    Of a graph the weight is that of all that the layer reads.
    """
    return tuple(_of_map(layer.affine) for layer in network.layers)


def _of_map(affine: Affine) -> int:
    # Of a map that is a product, the nearest float64 matrix may have a lower rank than the product.
    if isinstance(affine, Composite):
        dense = (f for f in affine.factors if isinstance(f, Dense))
        return min([affine.n_in, affine.n_out, *(rank_bound(f.weight) for f in dense)])
    if affine.n_in * affine.n_out > _LARGEST:
        return min(affine.n_in, affine.n_out)  # a sparse map is not written out for this
    return rank_bound(affine.weight)


def rank_bound(weight: Array) -> int:
    """Return an upper bound on a matrix's rank.

    A singular value that rounding cannot tell from zero proves nothing, so that a matrix that looks
    deficient is eliminated exactly or, if large, only stripped of equal and of zero rows.

    Parameters
    ----------
    weight : ndarray, shape (n_out, n_in)
    """
    if weight.size > _LARGEST:
        return int(min(weight.shape))
    different = {row.tobytes(): row for row in weight[weight.any(axis=1)] + 0.0}  # no -0.0
    rows = np.array(list(different.values()))
    columns = rows[:, rows.any(axis=0)] if rows.size else rows
    most = min(columns.shape) if columns.size else 0
    if most == 0 or max(columns.shape) > _EXACT or np.linalg.matrix_rank(columns) == most:
        return int(most)
    return _exact_rank([[Fraction(x) for x in row] for row in columns.tolist()])


def _exact_rank(rows: list[list[Fraction]]) -> int:
    rank = 0
    for column in range(len(rows[0])):
        pivot = next((i for i in range(rank, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        top = rows[rank]
        for i in range(rank + 1, len(rows)):
            if rows[i][column]:
                factor = rows[i][column] / top[column]
                rows[i] = [a - factor * b for a, b in zip(rows[i], top, strict=True)]
        rank += 1
        if rank == len(rows):
            break
    return rank
