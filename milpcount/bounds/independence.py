"""Whether the rows of a weight are linearly independent: a proof either way.

Modulo a prime the rank of an integer matrix is at most its rank over the rationals. So rows that
are independent modulo one prime are independent. If n rows are dependent modulo primes whose
product is above every n x n minor, all minors are multiples of it and so zero: the rows are
dependent. By Hadamard's inequality a minor is at most the product of the rows' lengths.
"""

from collections.abc import Iterator
from math import gcd, isqrt

import numpy as np

from milpcount.limits import tick
from milpcount.network import Affine, Composite
from milpcount.rationals import to_integers
from milpcount.types import Array

_FIRST = 2**31 - 1
"""Differences of a residue and a product of two fit in 64 bits."""


def has_independent_rows(affine: Affine) -> bool:
    """Return whether the rows of a map's weight are linearly independent, exactly.

    Parameters
    ----------
    affine : Affine
    """
    if affine.n_out > affine.n_in:
        return False
    table = affine.exact()[0][:, 1:] if isinstance(affine, Composite) else None
    rows = to_integers(affine.weight)[0] if table is None else table
    primitive = [[v // (gcd(*row) or 1) for v in row] for row in rows.tolist()]
    largest = 1
    for row in primitive:
        largest *= isqrt(sum(v * v for v in row)) + 1
    known = 1
    for prime in _primes():
        if _rank(np.array([[v % prime for v in row] for row in primitive]), prime) == len(rows):
            return True
        known *= prime
        if known > largest:
            return False
    raise AssertionError("there are primes enough")


def _rank(table: Array, prime: int) -> int:
    """Return the rank of residues modulo a prime, by elimination."""
    rows, rank = table.astype(np.int64), 0
    for column in range(rows.shape[1]):
        tick()
        below = np.flatnonzero(rows[rank:, column])
        if not below.size:
            continue
        rows[[rank, rank + below[0]]] = rows[[rank + below[0], rank]]
        pivot = rows[rank] * pow(int(rows[rank, column]), -1, prime) % prime
        factors = rows[rank + 1 :, column]
        rows[rank + 1 :] = (rows[rank + 1 :] - factors[:, None] * pivot) % prime
        rank += 1
        if rank == len(rows):
            break
    return rank


def _primes() -> Iterator[int]:
    """Yield primes below 2^31, from the largest down."""
    yield from (n for n in range(_FIRST, 2**30, -2) if _is_prime(n))


def _is_prime(n: int) -> bool:
    """Return whether an odd number below 3.2e9 is prime: Miller and Rabin with bases 2, 3, 5, 7."""
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in (2, 3, 5, 7):
        power = pow(base, odd, n)
        if power in (1, n - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % n
            if power == n - 1:
                break
        else:
            return False
    return True
