"""Expected numbers over random parameters.

Symbols: N units, n inputs, C_grad a bound on the moments of the gradients of pre-activations and
C_bias on the densities of the biases, T = 2^5 C_grad C_bias. None of these speaks of one network.
"""

from fractions import Fraction
from math import comb, factorial

Number = int | Fraction


def hanin_rolnick_volume(
    n_units: int, codimension: int, volume: Number = 1, gradient: Number = 1, bias: Number = 1
) -> Fraction:
    """Return ``C(N, k) (2 C_grad C_bias)^k vol(K)``, a bound on an expected volume.

    Hanin and Rolnick (ICML 2019): on the (n - k)-dimensional volume of the points of K where k
    boundaries meet. For n = 1 and k = 1 these points are the breakpoints on an interval.

    Parameters
    ----------
    n_units : int
        N.
    codimension : int
        k.
    volume : int or Fraction
        vol(K).
    gradient, bias : int or Fraction
        C_grad and C_bias.
    """
    return Fraction(comb(n_units, codimension)) * (2 * gradient * bias) ** codimension * volume


def hanin_rolnick_regions(
    n_units: int, n_inputs: int, volume: Number = 1, gradient: Number = 1, bias: Number = 1
) -> Fraction:
    """Return ``(T N)^n vol(C) / n!``, or ``2^N`` for N < n: a bound on the expected regions.

    Hanin and Rolnick (NeurIPS 2019), on the activation regions of a rectifier network in a cube C
    that is not too small. For N < n the pattern bound 2^N holds for every network.

    Parameters
    ----------
    n_units : int
        N.
    n_inputs : int
        n.
    volume : int or Fraction
        vol(C).
    gradient, bias : int or Fraction
        C_grad and C_bias.
    """
    if n_units < n_inputs:
        return Fraction(2**n_units)
    scale = Fraction(32 * gradient * bias * n_units)
    return Fraction(scale**n_inputs * volume) / factorial(n_inputs)


def tseran_montufar_regions(
    n_units: int,
    rank: int,
    n_inputs: int,
    volume: Number = 1,
    gradient: Number = 1,
    bias: Number = 1,
) -> Fraction:
    """Return ``(T K N)^n C(K n, 2 n) vol(C) / n!``, a bound on the expected maxout regions.

    Tseran and Montúfar (2021), on the activation regions of a maxout network of rank K in a cube C
    that is not too small; ``K^N`` for N < n.

    Parameters
    ----------
    n_units : int
        N.
    rank : int
        K.
    n_inputs : int
        n.
    volume : int or Fraction
        vol(C).
    gradient, bias : int or Fraction
        C_grad and C_bias.
    """
    if n_units < n_inputs:
        return Fraction(rank**n_units)
    scale = Fraction(32 * gradient * bias * rank * n_units)
    ways = comb(rank * n_inputs, 2 * n_inputs)
    return Fraction(scale**n_inputs * ways * volume) / factorial(n_inputs)


def tseran_montufar_decision(
    n_units: int,
    rank: int,
    n_inputs: int,
    volume: Number = 1,
    gradient: Number = 1,
    bias: Number = 1,
) -> Fraction:
    """Return the bound of Tseran and Montúfar (2021) on pieces of the decision boundary.

    ``(2^4 C_grad C_bias)^n (2 K N)^{n-1} C(K (n-1), 2 (n-1)) vol(C) / (n-1)!``, the expected number
    of linear pieces of the boundary between classes in a cube C.

    Parameters
    ----------
    n_units : int
        N.
    rank : int
        K.
    n_inputs : int
        n.
    volume : int or Fraction
        vol(C).
    gradient, bias : int or Fraction
        C_grad and C_bias.
    """
    less = n_inputs - 1
    scale = Fraction(16 * gradient * bias) ** n_inputs * (2 * rank * n_units) ** less
    return Fraction(scale * comb(rank * less, 2 * less) * volume) / factorial(less)
