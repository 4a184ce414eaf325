"""Exact integers behind float64 numbers, and small linear systems over the integers.

A float64 is an integer times a power of two, so sums and products of weights are exact with
Python integers and a common denominator. Vectors are numpy arrays of dtype object: their dot
products run at the speed of the integers themselves. Only linear systems gain from python-flint;
without it, fraction-free elimination does the same work more slowly.
"""

from collections.abc import Sequence
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from math import gcd, lcm
from typing import Any

import numpy as np

Array = np.ndarray
_use_flint = find_spec("flint") is not None
# Below this size the conversion to and from the library costs more than it saves.
_FLINT_FROM = 4


def use_flint(wanted: bool) -> bool:
    """Choose whether linear systems go to python-flint; return what was in force before.

    Parameters
    ----------
    wanted : bool
        Ignored where the package is not installed.

    Returns
    -------
    bool
    """
    global _use_flint
    before, _use_flint = _use_flint, wanted and find_spec("flint") is not None
    return before


def to_integers(values: Any) -> tuple[Array, int]:
    """Return integers `n` and a denominator `q` with ``n / q == values`` exactly.

    Parameters
    ----------
    values : array_like
        Finite float64 numbers, or exact ones (int, Fraction) in an array of dtype object.

    Returns
    -------
    integers : ndarray of int, dtype object
        Of the shape of `values`.
    denominator : int
        At least 1; a power of two for float64 numbers.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    array = np.asarray(values)
    if array.dtype == object:
        return _from_fractions(array)
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError("only finite numbers have an exact value")
    mantissa, exponent = np.frexp(array)
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    trailing = np.frexp((whole & -whole).astype(np.float64))[1] - 1
    trailing = np.where(whole == 0, 0, trailing)
    power = np.where(whole == 0, 0, exponent - 53 + trailing).astype(np.int64)
    shift = max(0, -int(power.min(initial=0)))
    out = np.empty(array.shape, dtype=object)
    pairs = zip((whole >> trailing).ravel().tolist(), (power + shift).ravel().tolist(), strict=True)
    out.ravel()[:] = [n << k for n, k in pairs]
    return out, 1 << shift


def _from_fractions(array: Array) -> tuple[Array, int]:
    exact = [Fraction(v) for v in array.ravel()]
    q = lcm(*(v.denominator for v in exact))
    out = np.empty(array.shape, dtype=object)
    out.ravel()[:] = [v.numerator * (q // v.denominator) for v in exact]
    return out, q


def to_float(numerator: int, denominator: int) -> float:
    """Return the nearest float64, infinite where the quotient is beyond its range."""
    try:
        return numerator / denominator
    except OverflowError:
        return float("inf") if numerator > 0 else float("-inf")


def reduced(numerators: Sequence[int]) -> list[int]:
    """Return the integers divided by their greatest common divisor."""
    common = gcd(*numerators)
    return [n // common for n in numerators] if common > 1 else list(numerators)


def solve(matrix: list[list[int]], rhs: list[list[int]]) -> tuple[list[list[int]], int] | None:
    """Solve a square integer system exactly, for several right-hand sides.

    Parameters
    ----------
    matrix : list of k lists of k int
    rhs : list of k lists of m int
        One column for each system.

    Returns
    -------
    numerators : list of k lists of m int
    denominator : int
        Positive: ``matrix @ (numerators / denominator) == rhs``. None if the matrix is singular.
    """
    if _use_flint and len(matrix) >= _FLINT_FROM:
        return _solve_flint(matrix, rhs)
    return _solve_fraction_free(matrix, rhs)


def _solve_flint(
    matrix: list[list[int]], rhs: list[list[int]]
) -> tuple[list[list[int]], int] | None:
    flint = import_module("flint")
    try:
        solution = flint.fmpz_mat(matrix).solve(flint.fmpz_mat(rhs))
    except ZeroDivisionError:
        return None
    numerators, denominator = solution.numer_denom()
    return [[int(v) for v in row] for row in numerators.table()], int(denominator)


def _solve_fraction_free(
    matrix: list[list[int]], rhs: list[list[int]]
) -> tuple[list[list[int]], int] | None:
    # Gauss-Jordan elimination after Bareiss: every division is exact.
    size, previous = len(matrix), 1
    rows = [[*left, *right] for left, right in zip(matrix, rhs, strict=True)]
    for p in range(size):
        at = next((i for i in range(p, size) if rows[i][p]), None)
        if at is None:
            return None
        rows[p], rows[at] = rows[at], rows[p]
        pivot_row, pivot = rows[p], rows[p][p]
        for i in range(size):
            if i != p:
                factor = rows[i][p]
                rows[i] = [
                    (pivot * x - factor * y) // previous
                    for x, y in zip(rows[i], pivot_row, strict=True)
                ]
        previous = pivot
    if previous < 0:
        return [[-v for v in row[size:]] for row in rows], -previous
    return [row[size:] for row in rows], previous
