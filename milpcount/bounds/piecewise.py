"""Scalar piecewise linear units with p breakpoints each: Hu and Zhang (2018)."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from math import log, prod

from milpcount.bounds.binomials import weighted_sum


def hu_zhang_theorem_1(n_inputs: int, width: int, breakpoints: int) -> int:
    """Return ``sum_{m=0}^{min(n_0, n_1)} C(n_1, m) p^m``, the exact maximum of one layer.

    Their equation (6) in closed form. Where n_1 <= n_0 it is (p+1)^{n_1}; the theorem prints
    (p+1)^{n_0}. Its order of growth is (p n_1)^{n_0}; the printed (p + n_1)^{n_0} holds for
    fixed p only.

    Parameters
    ----------
    n_inputs : int
        n_0.
    width : int
        n_1.
    breakpoints : int
        p.
    """
    return weighted_sum(width, n_inputs, breakpoints)


def hu_zhang_theorem_2(n_inputs: int, widths: Sequence[int], breakpoints: Sequence[int]) -> int:
    """Return ``prod_l sum_{m=0}^{d_l} C(n_l, m) p_l^m``, ``d_l = min(n_0, .., n_l)``.

    Stated for one p; the proof goes layer by layer and takes one p per layer. For p = 1 it is
    Montúfar (2017), so that it does apply to rectifiers. After (12), ``R_{n_l}(d_l, n_1)`` should
    read ``R_{n_l}(d_l, n_l)``.

    Parameters
    ----------
    n_inputs : int
    widths : sequence of int
    breakpoints : sequence of int
        p_l of each layer.
    """
    narrowest = accumulate([n_inputs, *widths], min)
    layers = zip(widths, breakpoints, narrowest, strict=False)
    return prod(weighted_sum(n, d, p) for n, p, d in layers)


def layer_log_bound(dimension: int, width: int, breakpoints: int) -> float:
    """Return ``d log(e n p / d)``, an upper bound on the log of one layer's regions.

    It replaces Hu and Zhang's Lemma 4, ``[p - 1 + e (n - d + 1)]^d``, which is false for p >= 3
    (13 regions against 12.87 for p = 3, d = 1, n = 4), and with it their (31) to (36). Proof:
    ``sum_{m<=d} C(n, m) p^m <= p^d sum_{m<=d} C(n, m) <= (e n p / d)^d`` for n >= d >= 1.

    Parameters
    ----------
    dimension : int
        d.
    width : int
        n.
    breakpoints : int
        p.
    """
    d = min(dimension, width)
    return d * (1 + log(width * breakpoints / d))


def hu_zhang_proposition_2(n_inputs: int, width: int, depth: int, breakpoints: int) -> Fraction:
    """Return the ratio of the bounds of a deep and a shallow network with as many units.

    Theorem 2 of the deep one (L layers of n units) over Theorem 1 of the shallow one (one layer of
    L n units). Proposition 2 compares orders of growth; with Lemma 4 corrected (`layer_log_bound`)
    these are ``O((e n p / n_0)^{L n_0})`` and ``Theta((p L n)^{n_0})``.

    Parameters
    ----------
    n_inputs : int
    width : int
    depth : int
    breakpoints : int
    """
    deep = hu_zhang_theorem_2(n_inputs, [width] * depth, [breakpoints] * depth)
    return Fraction(deep, hu_zhang_theorem_1(n_inputs, width * depth, breakpoints))


def telgarsky_2015(widths: Sequence[int], pieces: Sequence[int]) -> int:
    """Return ``prod_l (t_l n_l)``: pieces on one input, of units with t_l pieces.

    Telgarsky (2015): sums add pieces, compositions multiply them.

    Parameters
    ----------
    widths : sequence of int
    pieces : sequence of int
    """
    return prod(t * n for t, n in zip(pieces, widths, strict=True))
