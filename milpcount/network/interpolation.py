"""Interpolation along the axes of a tensor, with the rational weights that it has.

Weights are integers over one divisor for each axis, so nothing is rounded: a divisor that is no
power of two stays a factor of the network's map. Where they are few bits long, all axes are one
map. A scale such as 1.7, which is 7656119366529843 / 2^52 as a float64, gives weights of 54 bits:
then each axis is a map of its own, and a weight that is no float64 is split in two, whose sum is
taken of two copies of the entry.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm, prod

import numpy as np
from scipy import sparse

from milpcount.errors import NetworkError
from milpcount.network.affine_tensor import AffineTensor, check_size
from milpcount.network.by_rows import canonical
from milpcount.rationals import is_float

_LARGEST = 2**53
_LOW = 2**26
"""What the lower part of a weight that is split is below."""


@dataclass(frozen=True)
class Axis:
    """What is done along one axis: each entry of the result is a weighted mean of two.

    Attributes
    ----------
    before : int
        Its length.
    pairs : list of (int, int)
        The two entries of each one of the result.
    shares : list of Fraction
        Of the second one; the rest is that of the first.
    """

    before: int
    pairs: list[tuple[int, int]]
    shares: list[Fraction]

    @property
    def after(self) -> int:
        """Length of the result."""
        return len(self.pairs)

    @property
    def divisor(self) -> int:
        """The divisor of all weights."""
        return lcm(*(share.denominator for share in self.shares))

    def matrix(self, low: int = 0) -> sparse.csr_array:
        """Return the weights times the divisor, shape (after, before).

        Parameters
        ----------
        low : int
            If given, each is split into a multiple of it and a rest, which stand for the entries
            and for copies of them: shape (after, 2 before).
        """
        q = self.divisor
        rows, columns, data = list[int](), list[int](), list[float]()
        for row, (pair, share) in enumerate(zip(self.pairs, self.shares, strict=True)):
            second = int(share * q)
            for column, weight in zip(pair, (q - second, second), strict=True):
                parts = divmod(weight, low) if low else (weight,)
                for copy, part in enumerate(parts):
                    rows.append(row)
                    columns.append(column + copy * self.before)
                    data.append(float(part * low if low and not copy else part))
        width = self.before * (2 if low else 1)
        found = sparse.csr_array((data, (rows, columns)), shape=(self.after, width))
        return canonical(found)


def interpolated(tensor: AffineTensor, axes: Sequence[Axis | None]) -> AffineTensor:
    """Return a tensor interpolated along axes; None leaves one as it is.

    Raises
    ------
    NetworkError
        If a divisor of weights is no float64.
    """
    shape = tuple(
        n if axis is None else axis.after for n, axis in zip(tensor.shape, axes, strict=True)
    )
    divisor = prod(axis.divisor for axis in axes if axis is not None)
    if divisor < _LARGEST:
        matrix = sparse.csr_array(np.ones((1, 1)))
        for n, axis in zip(tensor.shape, axes, strict=True):
            one = sparse.eye_array(n) if axis is None else axis.matrix()
            check_size(matrix.nnz * one.nnz, shape)
            matrix = sparse.csr_array(sparse.kron(matrix, one, format="csr"))
        found = tensor.applied(matrix, shape)
        return found if divisor == 1 else found.over(np.array(float(divisor)))
    for place, axis in enumerate(axes):
        if axis is not None:
            tensor = _along(tensor, axis, place)
    return tensor


def _along(tensor: AffineTensor, axis: Axis, place: int) -> AffineTensor:
    """Return a tensor interpolated along one axis, by a map of its own."""
    q = axis.divisor
    if not is_float(q, 1):
        raise NetworkError("its weights are too fine for float64: not implemented")
    shape = (*tensor.shape[:place], axis.after, *tensor.shape[place + 1 :])
    numbers, low = tensor.numbers, 0
    if q >= _LARGEST:
        numbers, low = np.concatenate([numbers, numbers], axis=place), _LOW
        tensor = tensor.taken(numbers).restarted()
    outer, inner = prod(shape[:place]), prod(shape[place + 1 :])
    one = axis.matrix(low)
    check_size(outer * one.nnz * inner, shape)
    matrix = sparse.kron(sparse.kron(sparse.eye_array(outer), one), sparse.eye_array(inner))
    return tensor.applied(sparse.csr_array(matrix), shape).over(np.array(float(q)))
