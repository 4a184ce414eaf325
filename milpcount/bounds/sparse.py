"""Networks whose weights are kept at random, and zero otherwise: Cai et al. (2023).

A weight of layer l is kept with probability q, independently; what is kept is not zero. Symbols as
in `milpcount.bounds.rectifier`. The bounds are on expectations of the largest number of regions
over the random supports; none of them is a bound for one network.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import comb

import numpy as np

from milpcount.bounds.binomials import binomials

_BITS = 256
"""Probabilities are multiples of 2^-256, rounded towards more rows that are not zero."""


def cai_2023(n_inputs: int, widths: Sequence[int], ranks: Sequence[Sequence[Fraction]]) -> Fraction:
    """Return the expected bound of Cai et al. (2023), as they compute it, from given distributions.

    ``R(l, d) = sum_k P[rank(W_l) = k] sum_{j <= min(k, d)} C(n_l, j) R(l+1, min(n_l - j, d, k))``:
    the recursion of Serra et al. (2018) with ranks, averaged over them. It bounds the expected
    number of activation regions from above, since the layers' supports are independent and the
    recursion with ranks holds for each. They sample the distributions, see `sampled_ranks`.

    Parameters
    ----------
    n_inputs : int
    widths : sequence of int
    ranks : sequence of sequence of Fraction
        ``ranks[l][k]`` is the probability of rank k.
    """
    values = dict.fromkeys(range(n_inputs + 1), Fraction(1))
    for n, probabilities in reversed(list(zip(widths, ranks, strict=True))):
        values = {
            d: sum(
                (
                    probability
                    * sum(comb(n, j) * values[min(n - j, d, k)] for j in range(min(k, d) + 1))
                    for k, probability in enumerate(probabilities)
                    if probability
                ),
                Fraction(0),
            )
            for d in range(n_inputs + 1)
        }
    return values[n_inputs]


def expected_sparse(n_inputs: int, widths: Sequence[int], density: Fraction) -> Fraction:
    """Return an upper bound on the expected number of regions, by rows that are not zero.

    A unit all of whose weights are zero is constant: it cuts nothing and moves nothing. With K
    other units in layer l, of which j are inactive, ``r = min(K, n_{l-1})``,

        R(l, d) = sum_K P[K] sum_{j <= min(r, d)} C(K, j) R(l+1, min(K - j, d, r)),

    K binomial with ``1 - (1 - q)^{n_{l-1}}``. Each network has at most the sum for its own K, by
    Theorem 1 of Serra et al. (2018) for the units that are not constant; the K of different layers
    are independent, so the average factorises. It is no more than `cai_2023` with the same
    distribution in place of that of the ranks, and needs no sampling; the rank itself may be less.

    Parameters
    ----------
    n_inputs : int
        n_0, or the dimension of the domain.
    widths : sequence of int
    density : Fraction
        q.
    """
    top = min(n_inputs, max(widths))
    before = [n_inputs, *widths]
    values = dict.fromkeys(range(top + 1), Fraction(1))
    for number, n in reversed(list(enumerate(widths))):
        rows = rows_not_zero(n, before[number], density)
        values = {d: _layer(rows, before[number], d, values) for d in range(top + 1)}
    return values[top]


def _layer(rows: Sequence[Fraction], before: int, d: int, after: dict[int, Fraction]) -> Fraction:
    total = Fraction(0)
    for k, probability in enumerate(rows):
        rank = min(k, before)
        if probability:
            choices = enumerate(binomials(k, min(rank, d)))
            total += probability * sum(c * after[min(k - j, d, rank)] for j, c in choices)
    return total


def rows_not_zero(rows: int, columns: int, density: Fraction) -> list[Fraction]:
    """Return the distribution of the number of rows that are not zero, rounded towards more.

    Parameters
    ----------
    rows, columns : int
    density : Fraction

    Returns
    -------
    list of Fraction
        Of 0, .., rows. No tail is smaller than the true one, by 2^-250 or so at most.
    """
    unit, zero = 1 << _BITS, _power_down(1 - density, columns)
    # Tails from many rows on: P[K >= k], each rounded up once.
    exact = [comb(rows, k) * (unit - zero) ** k * zero ** (rows - k) for k in range(rows + 1)]
    scale, tail, tails = unit ** (rows - 1), 0, [0]
    for value in reversed(exact):
        tail += value
        tails.append(-(-tail // scale))
    tails.reverse()
    return [Fraction(a - b, unit) for a, b in pairwise(tails)]


def _power_down(base: Fraction, exponent: int) -> int:
    """Return ``base^exponent`` in multiples of 2^-256, rounded down at every step."""
    found, power = 1 << _BITS, (base.numerator << _BITS) // base.denominator
    while exponent:
        if exponent % 2:
            found = found * power >> _BITS
        power = power * power >> _BITS
        exponent //= 2
    return found


def sampled_ranks(
    rows: int, columns: int, density: float, samples: int, seed: int = 0
) -> list[Fraction]:
    """Return the ranks of random sparse matrices, as frequencies.

    The rank of a matrix whose kept numbers are generic is the size of a largest matching of its
    rows to its columns (König; Edmonds 1967), so that no rank is computed in floating point.

    Parameters
    ----------
    rows, columns : int
    density : float
    samples : int
    seed : int
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    random, counts = np.random.default_rng(seed), [0] * (min(rows, columns) + 1)
    for _ in range(samples):
        support = csr_array(random.random((rows, columns)) < density)
        counts[int((maximum_bipartite_matching(support) >= 0).sum())] += 1
    return [Fraction(count, samples) for count in counts]
