"""Maxout units: the maximum of k affine functions. Symbols as in `milpcount.bounds.rectifier`."""

from collections.abc import Sequence
from itertools import accumulate
from math import comb, prod

from milpcount.bounds.binomials import power_sum


def serra_2018_maxout(n_inputs: int, widths: Sequence[int], ranks: Sequence[int]) -> int:
    """Return ``prod_l sum_{j=0}^{d_l} C(k (k-1) n_l / 2, j)``, ``d_l = min(n_0, .., n_l)``.

    Serra et al. (2018), Theorem 10 (Theorem 8 of the version submitted to ICLR, Theorem 2 of the
    poster, where the binomial is garbled in print).

    Parameters
    ----------
    n_inputs : int
    widths : sequence of int
    ranks : sequence of int
        k of each layer.
    """
    narrowest = list(accumulate([n_inputs, *widths], min))[1:]
    layers = zip(widths, ranks, narrowest, strict=True)
    return prod(power_sum(comb(k, 2) * n, d) for n, k, d in layers)


def montufar_2014_maxout(n_inputs: int, widths: Sequence[int], rank: int) -> int | None:
    """Return ``k^{L-1} k^n`` for widths n = n_0: a lower bound on the best network.

    Montúfar et al. (2014), Theorem 8. Wider layers may leave units unused; narrower ones are
    outside the theorem, and None is returned.

    Parameters
    ----------
    n_inputs : int
        n_0.
    widths : sequence of int
    rank : int
        k.
    """
    return int(rank ** (len(widths) - 1 + n_inputs)) if min(widths) >= n_inputs else None


def montufar_ren_zhang(n_inputs: int, ranks: Sequence[int]) -> int:
    """Return the exact maximum of one maxout layer, ``sum_{j=0}^{n_0} e_j(k_1 - 1, .., k_m - 1)``.

    Montúfar, Ren and Zhang (2022); e_j is the elementary symmetric polynomial, the sum over the
    sets S of j units of ``prod_{i in S} (k_i - 1)``. For equal ranks ``sum_j C(m, j) (k-1)^j``.

    Parameters
    ----------
    n_inputs : int
        n_0.
    ranks : sequence of int
        k_i of each unit.
    """
    symmetric = [1] + [0] * min(n_inputs, len(ranks))
    for k in ranks:
        for j in range(len(symmetric) - 1, 0, -1):
            symmetric[j] += (k - 1) * symmetric[j - 1]
    return sum(symmetric)
