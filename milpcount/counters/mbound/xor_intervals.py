"""Both ends of a number of patterns, from what dense XORs leave of them.

XORs that take each variable with probability 1/2 are pairwise independent: two different patterns
satisfy s of them with probability ``2^-2s``. So what s XORs leave of N patterns has mean ``N 2^-s``
and at most that variance, and the sum T of r runs has mean ``E = r N 2^-s`` and at most that
variance. With Chebyshev's inequality ``|T - E| <= sqrt(k E)`` but for a probability of 1/k; with
Cantelli's each side by itself, but for ``1 / (1 + k)``. Then E lies between the two roots of
``(T - E)^2 = k E``, whose product is T^2: between ``T / (1 + epsilon)`` and ``T (1 + epsilon)``
once ``T >= k (1 + epsilon) / epsilon^2``.

Where the error is to be small, runs are put into an odd number g of groups: the median of their
lower ends is wrong only if (g + 1) / 2 of them are, and so is that of the upper ends (as in the
ApproxMC of Chakraborty, Meel and Vardi 2013, whose constants hold for other cells than these). All
runs of a group must be complete: those that are not would be the large ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, comb, isqrt

_MOST_GROUPS = 199
_DENOMINATOR = 2**24


@dataclass(frozen=True)
class Plan:
    """Runs in groups, and how far a group's sum may be from its mean.

    Attributes
    ----------
    groups : int
        Odd; the ends are the medians of theirs.
    k : Fraction
        Of ``(T - E)^2 <= k E``.
    needed : int
        Patterns that a group has to leave, all runs together, so that the ends are as wanted.
    """

    groups: int
    k: Fraction
    needed: int

    @property
    def total(self) -> int:
        """Patterns that all groups have to leave."""
        return self.groups * self.needed


@lru_cache
def plan(epsilon: Fraction, error: Fraction) -> Plan:
    """Return the plan with the fewest patterns to be counted.

    Parameters
    ----------
    epsilon : Fraction
    error : Fraction
        Probability with which either end may be wrong.
    """
    best = _with(1, 1 / error, epsilon)
    for groups in range(3, _MOST_GROUPS + 1, 2):
        rate = _rate(groups, error / 2)
        if rate == 0:
            continue
        found = _with(groups, 1 / rate - 1, epsilon)
        if found.total < best.total:
            best = found
        elif groups > 4 * best.groups + 8:
            break
    return best


def _with(groups: int, k: Fraction, epsilon: Fraction) -> Plan:
    return Plan(groups, k, ceil(k * (1 + epsilon) / epsilon**2))


def _rate(groups: int, error: Fraction) -> Fraction:
    """Return the largest p, to 24 bits downwards, with ``P[Bin(g, p) > g / 2] <= error``."""
    low, high, allowed = 0, _DENOMINATOR // 2, error * _DENOMINATOR**groups
    while high - low > 1:
        middle = (low + high) // 2
        fits = _majority(groups, middle) * allowed.denominator <= allowed.numerator
        low, high = (middle, high) if fits else (low, middle)
    return Fraction(low, _DENOMINATOR)


def _majority(groups: int, numerator: int) -> int:
    """Return ``P[Bin(g, p) > g / 2]`` times D^g, for p the numerator over D, `_DENOMINATOR`."""
    other, first = _DENOMINATOR - numerator, groups // 2 + 1
    return sum(
        comb(groups, j) * numerator**j * other ** (groups - j) for j in range(first, groups + 1)
    )


def ends(residues: Sequence[int], xors: int, planned: Plan) -> tuple[int, int]:
    """Return both ends of the number of patterns.

    Parameters
    ----------
    residues : sequence of int
        Of every run what the XORs left, in groups of the same size one after the other.
    xors : int
        In each run.
    planned : Plan
        Fixed, as are the XORs, independently of these runs.
    """
    size, rest = divmod(len(residues), planned.groups)
    if rest or not size:
        raise ValueError("groups are of one size")
    sums = [sum(residues[i : i + size]) for i in range(0, len(residues), size)]
    each = sorted(_ends(total, size, xors, planned.k) for total in sums)
    middle = planned.groups // 2
    return sorted(low for low, _ in each)[middle], sorted(high for _, high in each)[middle]


def _ends(total: int, runs: int, xors: int, k: Fraction) -> tuple[int, int]:
    """Return the integers N between the roots of ``(T - E)^2 = k E``, ``E = r N / 2^s``.

    In integers, with ``k = p / q``: ``E = T + k/2 -+ sqrt(k T + k^2/4)``, that is ``2 q E = 2 q T +
    p -+ sqrt(4 p q T + p^2)``; of the root more binary places than N has are taken, and the last is
    rounded up, so that the ends move outwards.
    """
    p, q, places = k.numerator, k.denominator, xors + 32
    square = (4 * p * q * total + p * p) << 2 * places
    root = isqrt(square)
    root += root * root < square
    middle = (2 * q * total + p) << places
    scale = 2 * q * runs << places
    low = max(0, -(-((middle - root) << xors) // scale))
    return low, ((middle + root) << xors) // scale
