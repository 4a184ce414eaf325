"""Units as affine functions of the live units and the inputs, with what rounding may do to them."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from milpcount.domain import InputSet
from milpcount.limits import tick
from milpcount.preactivation.rounding import ROUNDOFF, support
from milpcount.types import Array

SPARSE = 0.1
"""Share of numbers that are not zero below which products without the zeros are faster."""
_BLOCK = 5e7
"""Multiplications of a product of matrices between two looks at the deadline: a tenth of a second.
"""


class Forms(NamedTuple):
    """Affine functions of the cube's coordinates and of the live units' outputs.

    ``slopes`` (k, n), ``weights`` and their ``doubts`` h (k, live units) by rows without their
    zeros; ``constant`` (k,), ``error`` e (k,).
    """

    slopes: Any
    weights: Any
    doubts: Any
    constant: Array
    error: Array

    def take(self, which: Array) -> "Forms":
        """Return some of the forms."""
        return Forms(*(part[which] for part in self))

    def widened(self, live: int) -> "Forms":
        """Return the same where there are more live units."""
        weights, doubts = (
            sparse.csr_array((a.data, a.indices, a.indptr), shape=(a.shape[0], live))
            for a in (self.weights, self.doubts)
        )
        return self._replace(weights=weights, doubts=doubts)

    def placed(self, rows: Array, count: int) -> "Forms":
        """Return so many forms, of which these are those in some rows and all others are zero."""
        found: list[Any] = []
        for part in (self.slopes, self.weights, self.doubts):
            lengths = np.zeros(count + 1, dtype=np.int64)
            lengths[rows + 1] = np.diff(part.indptr)
            shape = count, part.shape[1]
            found.append(sparse.csr_array((part.data, part.indices, lengths.cumsum()), shape))
        for numbers in (self.constant, self.error):
            found.append(np.zeros(count))
            found[-1][rows] = numbers
        return Forms(*found)

    def plus(self, other: "Forms") -> "Forms":
        """Return the sums of two, whose rounding the caller counts."""
        return Forms(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def size(self) -> Array:
        """The sums of the magnitudes of coefficients and constant, not those of the weights."""
        slopes = _holding(self.slopes, np.abs(self.slopes.data))
        return np.asarray(np.abs(self.constant) + slopes @ np.ones(slopes.shape[1]))

    @property
    def has_terms(self) -> Array:
        """Whether each is made of any term, as 0 or 1; what is not is zero."""
        terms = (self.error > 0) | (self.constant != 0) | (np.diff(self.slopes.indptr) > 0)
        terms |= np.diff(self.weights.indptr) + np.diff(self.doubts.indptr) > 0
        return np.asarray(terms.astype(np.float64))


def gamma(terms: int) -> float:
    """Return g of so many terms, see above."""
    return 1.01 * (terms + 4) * ROUNDOFF


def most_in_a_row(matrix: Any) -> int:
    """Return how many numbers of a matrix's row are not zero, at most."""
    if isinstance(matrix, np.ndarray):
        return int(np.count_nonzero(matrix, axis=1).max())
    return int(np.diff(matrix.indptr).max())


def input_forms(inputs: InputSet, tiny: float) -> Forms:
    """Return the network's inputs as functions on the cube."""
    directions, width = sparse.csr_array(inputs.directions), inputs.width
    slopes, none = directions * width, sparse.csr_array((len(inputs.origin), 0))
    constant = inputs.origin + directions @ inputs.lower
    size = np.abs(inputs.origin) + abs(directions) @ (np.abs(inputs.lower) + np.abs(width))
    # Every number may be rounded itself; the width is a difference, and where its product has
    # underflowed there is no slope.
    moved = (np.diff(directions.indptr) > 0) | (inputs.origin != 0)
    error = gamma(most_in_a_row(directions) + 4) * size + tiny * moved
    return Forms(sparse.csr_array(slopes), none, none, constant, error)


def product(matrix: Any, forms: Forms, roundings: float, tiny: float) -> Forms:
    """Return ``matrix @ forms``; `roundings` is the g of its sums."""
    if isinstance(matrix, np.ndarray):
        size, marks = np.abs(matrix), support(matrix)
    else:
        size, marks = (_holding(matrix, f(matrix.data)) for f in (np.abs, np.ones_like))
    terms = marks @ forms.has_terms > 0
    doubts = _times(size, forms.doubts + roundings * abs(forms.weights))
    if isinstance(matrix, np.ndarray):  # what underflows has no entry
        read = support(forms.doubts) + support(forms.weights)
        doubts = doubts + tiny * _times(marks, read).sign()
    else:
        doubts.data += tiny
    return Forms(
        _times(matrix, forms.slopes),
        _times(matrix, forms.weights),
        doubts,
        matrix @ forms.constant,
        size @ (forms.error + roundings * forms.size) + tiny * terms,
    )


def scaled(forms: Forms, by: Array, tiny: float) -> Forms:
    """Return forms times numbers that are not zero; by 1 and -1 nothing is rounded."""
    if (np.abs(by) == 1.0).all():
        if (by == 1.0).all():
            return forms
        rounding = 0.0
    else:
        rounding = gamma(1)
    size, lost = np.abs(by), tiny if rounding else 0.0
    slopes, weights, doubts = (
        _holding(part, part.data * np.repeat(factor, np.diff(part.indptr)))
        for part, factor in ((forms.slopes, by), (forms.weights, by), (forms.doubts, size))
    )
    if rounding > 0.0:
        doubts = doubts + rounding * abs(weights)
        doubts.data += tiny
    error = size * (forms.error + rounding * forms.size) + lost * forms.has_terms
    return Forms(slopes, weights, doubts, by * forms.constant, error)


def _times(left: Any, right: Any) -> Any:
    """Return ``left @ right``, by rows without zeros, and look at the deadline on the way."""
    tick()
    if 0 in left.shape or right.nnz == 0:
        return sparse.csr_array((left.shape[0], right.shape[1]))
    if isinstance(left, np.ndarray):
        other = right.toarray()
        parts = [left[rows] @ other for rows in _blocks(left.shape[0], other.size)]
        return sparse.csr_array(np.concatenate(parts))
    left = sparse.csr_array(left)
    cost = np.diff(right.indptr)[left.indices].cumsum()
    ends = np.concatenate([[0], cost])[left.indptr]
    cuts = np.searchsorted(ends, np.arange(_BLOCK, ends[-1], _BLOCK))
    cuts = np.unique(np.concatenate([[0], cuts, [left.shape[0]]]))
    parts = []
    for start, stop in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        tick()
        parts.append(left[start:stop] @ right)
    return sparse.vstack(parts, format="csr") if len(parts) > 1 else parts[0]


def _blocks(rows: int, cost: float) -> Iterator[slice]:
    """Yield blocks of rows; `cost` is that of a row, in multiplications of a fast product."""
    step = max(1, int(20 * _BLOCK / max(1.0, cost)))
    for start in range(0, rows, step):
        tick()
        yield slice(start, start + step)


def numbers(matrix: Any) -> Array:
    """Return the numbers of a matrix that are held."""
    return matrix if isinstance(matrix, np.ndarray) else np.asarray(matrix.data)


def parts(matrix: Any) -> Sequence[Any]:
    """Return the negative and the positive part of a matrix held by rows."""
    return [_holding(matrix, f(matrix.data, 0.0)) for f in (np.minimum, np.maximum)]


def _holding(matrix: Any, data: Array) -> Any:
    """Return a matrix with other numbers where one held by rows has its own."""
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def signed_sums(matrix: Any) -> tuple[Array, Array]:
    """Return the sums of the negative entries of each row, and of the positive ones."""
    ones = np.ones(matrix.shape[1])
    below, above = (part @ ones for part in parts(matrix))
    return below, above
