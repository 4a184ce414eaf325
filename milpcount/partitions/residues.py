"""Arithmetic modulo the prime p = 2^61 - 1, vectorised: exact, and as fast as float64 products.

A float64 is an odd integer below 2^53 times a power of two, so every one but 0 has an inverse
modulo p: the residue of a network's numbers, quotients of them included, always exists. Because
2^61 = 1 modulo p, to multiply by a power of two is to rotate 61 bits.

Residues are numbers from 0 to p - 1 in arrays of uint64.
"""

from typing import Any

import numpy as np

from milpcount.types import Array

P = (1 << 61) - 1
_BITS = 61
_LIMB = 21
"""Bits of a limb; three of them hold a residue."""
_TERMS = 1 << 11
"""Products of two limbs whose sum float64 holds exactly: 2^(21 + 21 + 11) = 2^53."""
_MASK = np.uint64(P)
_LIMB_MASK = np.uint64((1 << _LIMB) - 1)
_HALF = np.uint64(31)
_HALF_MASK = np.uint64((1 << 31) - 1)


def reduced(values: Array) -> Array:
    """Return the residues of any numbers of uint64."""
    folded = (values & _MASK) + (values >> np.uint64(_BITS))
    return np.where(folded >= _MASK, folded - _MASK, folded)


def rotated(values: Array, power: Any) -> Array:
    """Return residues times 2 to a power from 0 to 60, an integer or an array of them."""
    left = np.asarray(power, dtype=np.uint64)
    right = np.uint64(_BITS) - left
    return reduced(((values << left) & _MASK) | (values >> right))


def negated(values: Array) -> Array:
    """Return the residues of the negative numbers."""
    return np.where(values == 0, values, _MASK - values)


def plus(a: Array, b: Array) -> Array:
    """Return the sums of residues."""
    return reduced(a + b)


def minus(a: Array, b: Array) -> Array:
    """Return the differences of residues."""
    return reduced(a + (_MASK - b))


def times(a: Array, b: Array) -> Array:
    """Return the products of residues, entry by entry.

    With ``a = a1 2^31 + a0`` and the same of b, ``a1, b1 < 2^30``, so that no sum below reaches
    2^63; and ``2^62 = 2`` modulo p.
    """
    a1, a0, b1, b0 = a >> _HALF, a & _HALF_MASK, b >> _HALF, b & _HALF_MASK
    middle = reduced(a1 * b0 + a0 * b1)
    return reduced(reduced(a1 * b1 * np.uint64(2) + reduced(a0 * b0)) + rotated(middle, 31))


def of_floats(values: Any) -> Array:
    """Return the residues of finite float64 numbers, taken exactly."""
    mantissa, exponent = np.frexp(np.asarray(values, dtype=np.float64))
    whole = np.ldexp(np.abs(mantissa), 53).astype(np.uint64)
    found = rotated(whole, (exponent.astype(np.int64) - 53) % _BITS)
    return np.where(mantissa < 0, negated(found), found)


def of_integers(values: Any) -> Array:
    """Return the residues of Python's integers, an array of dtype object."""
    array = np.asarray(values, dtype=object)
    found = [int(v) % P for v in array.ravel().tolist()]
    return np.array(found, dtype=np.uint64).reshape(array.shape)


def inverse(values: Array) -> Array:
    """Return the inverses of residues that are not 0."""
    found = [pow(int(v), -1, P) for v in values.ravel().tolist()]
    return np.array(found, dtype=np.uint64).reshape(values.shape)


class Matrix:
    """A matrix of residues, dense or sparse, to multiply others with.

    The numbers are cut into three limbs of 21 bits, and the products of limbs added up in float64,
    which is exact for 2^11 of them at a time.

    Parameters
    ----------
    matrix : ndarray of float, or scipy.sparse array; shape (n, m)
        Taken at its exact value.
    """

    def __init__(self, matrix: Any) -> None:
        blocks = [matrix[:, k : k + _TERMS] for k in range(0, matrix.shape[1], _TERMS)]
        self._blocks = [_limbs_of(block) for block in blocks]

    def times(self, values: Array) -> Array:
        """Return ``matrix @ values`` for residues of shape (m, k)."""
        total = None
        for k, limbs in enumerate(self._blocks):
            part = _product(limbs, _limbs(values[k * _TERMS : (k + 1) * _TERMS]))
            total = part if total is None else plus(total, part)
        assert total is not None
        return total


def _limbs(values: Array) -> list[Array]:
    shifts = (np.uint64(k * _LIMB) for k in range(3))
    return [((values >> shift) & _LIMB_MASK).astype(np.float64) for shift in shifts]


def _limbs_of(matrix: Any) -> list[Any]:
    if isinstance(matrix, np.ndarray):
        return _limbs(of_floats(matrix))
    found = []
    for data in _limbs(of_floats(matrix.data)):
        limb = matrix.copy()
        limb.data = data
        found.append(limb)
    return found


def _product(left: list[Any], right: list[Array]) -> Array:
    total = None
    for power in range(5):
        # At most three sums, each up to 2^53.
        part = sum(
            np.asarray(left[i] @ right[power - i]).astype(np.uint64)
            for i in range(3)
            if 0 <= power - i < 3
        )
        term = rotated(reduced(np.asarray(part)), power * _LIMB % _BITS)
        total = term if total is None else plus(total, term)
    assert total is not None
    return total
