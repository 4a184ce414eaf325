"""Binomials and their sums, and integers that multiply fast where a library for it is installed."""

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from itertools import accumulate
from typing import Any

from milpcount import optional
from milpcount.errors import OptionError

_FLINT_FROM = 2000
"""Bits of a result from which python-flint beats Python's own integers."""

_MOST_BITS = 2**32


@lru_cache(maxsize=64)
def binomials(n: int, most: int | None = None) -> tuple[int, ...]:
    """Return C(n, 0), .., C(n, most); all of them by default.

    Raises
    ------
    OptionError
        If they would fill the memory.
    """
    last = n if most is None else min(n, most)
    if last * min(n, last * n.bit_length()) > _MOST_BITS:
        raise OptionError(
            f"layers of {n} units in {last} dimensions: their binomials would fill the memory; "
            "use fewer units or inputs"
        )
    row = [1]
    for j in range(1, last + 1):
        row.append(row[-1] * (n - j + 1) // j)
    return tuple(row)


def weighted_sum(n: int, most: int, weight: int = 1) -> int:
    """Return ``sum_{m=0}^{most} C(n, m) weight^m``."""
    if most >= n:
        return int((1 + weight) ** n)
    return sum(c * weight**m for m, c in enumerate(binomials(n, most)))


def power_sum(n: int, most: int) -> int:
    """Return ``sum_{m=0}^{most} C(n, m)``, at most 2^n."""
    return int(2**n) if most >= n else sum(binomials(n, most))


@lru_cache(maxsize=64)
def fast_binomials(n: int, most: int, bits: int) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return `binomials` up to C(n, most) and their partial sums.

    Parameters
    ----------
    n, most : int
    bits : int
        Of the largest product they will enter: it decides the kind of integer.
    """
    choose = binomials(n, most)
    found = choose, tuple(accumulate(choose))
    if bits < _FLINT_FROM or find_spec("flint") is None:
        return found
    integer = optional.require("flint", "a bound", "python-flint", "exact").fmpz
    return [integer(c) for c in found[0]], [integer(c) for c in found[1]]
