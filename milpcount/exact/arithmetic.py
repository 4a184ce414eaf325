"""Small linear systems over the integers, which are exact.

Vectors are numpy arrays of dtype object (see `milpcount.rationals`): their dot products run at the
speed of the integers themselves. Only linear systems gain from python-flint; without it,
fraction-free elimination does the same work more slowly.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from math import gcd

import numpy as np

from milpcount import optional
from milpcount.limits import tick
from milpcount.types import Array

_BLOCK = 1 << 16
"""Integers made or multiplied between two looks at the deadline: some hundredths of a second."""
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


def product(a: Array, b: Array) -> Array:
    """Return ``a @ b`` of integers of dtype object; a matrix `a` is taken in blocks of rows."""
    rows = max(1, _BLOCK // max(1, b.size))
    if len(a) <= rows:
        return np.asarray(a @ b)
    out = np.empty((len(a), *b.shape[1:]), dtype=object)
    for at in range(0, len(a), rows):
        tick()
        out[at : at + rows] = a[at : at + rows] @ b
    return out


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
    flint = optional.require("flint", "exact arithmetic", "python-flint", "exact")
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
        tick()
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
