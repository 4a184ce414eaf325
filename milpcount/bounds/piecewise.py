"""Scalar piecewise linear units with p breakpoints each: Hu and Zhang (2018)."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from math import log, prod

from milpcount.bounds.binomials import weighted_sum
from milpcount.bounds.independence import has_independent_rows
from milpcount.errors import NetworkError
from milpcount.network import Network
from milpcount.network.chains import require_chain


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


def hu_zhang_proposition_1(network: Network) -> int | None:
    """Return the regions of one layer over all of space, if its normals are independent.

    Hu and Zhang (2018), Proposition 1: n units with p breakpoints each have
    ``(p + 1)^n`` activation regions, and so many only if the n normals are linearly independent.
    If they are, the pre-activations v take all values of R^n, so that each choice of open pieces is
    met. If ``sum_i c_i v_i`` is a constant K, take for c_i > 0 the last piece, ``v_i > T_i``, and
    for c_i < 0 the first, ``v_i < t_i``: that needs ``K > A = sum_+ c_i T_i + sum_- c_i t_i``. The
    opposite choice needs ``K < B = sum_+ c_i t_i + sum_- c_i T_i``, and B <= A: one of them is not
    met.

    Parameters
    ----------
    network : Network
        One layer of scalar units, with or without an affine output.

    Returns
    -------
    int or None
        None where the normals are dependent: there are fewer.

    Raises
    ------
    NetworkError
        If it is no chain of one layer of scalar units.
    """
    require_chain(network, "Proposition 1 of Hu and Zhang")
    if len(network.layers) != 1 or network.layers[0].activation.rank != 1:
        raise NetworkError(
            f"Proposition 1 of Hu and Zhang speaks of one layer of scalar units, not of "
            f"{network.title}"
        )
    (layer,) = network.layers
    return layer.activation.n_pieces**layer.width if has_independent_rows(layer.affine) else None


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


def hu_zhang_after_layers(
    n_inputs: int, widths: Sequence[int], breakpoints: Sequence[int]
) -> list[int]:
    """Return bounds on the regions after layers 1, .., L: Hu and Zhang (2018), equation (11).

    ``R^l <= R^{l-1} sum_{m=0}^{d_l} C(n_l, m) p_l^m``, the step from which Theorem 2 follows: the
    regions of the network of the first l layers, each cut by layer l as one arrangement.

    Parameters
    ----------
    n_inputs : int
    widths : sequence of int
    breakpoints : sequence of int
        p_l of each layer.
    """
    depths = range(1, len(widths) + 1)
    return [hu_zhang_theorem_2(n_inputs, widths[:n], breakpoints[:n]) for n in depths]


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
    L n units); for regions per parameter see `hu_zhang_per_parameter`. Proposition 2 compares
    orders of growth; with Lemma 4 corrected (`layer_log_bound`) these are
    ``O((e n p / n_0)^{L n_0})`` and ``Theta((p L n)^{n_0})``.

    Parameters
    ----------
    n_inputs : int
    width : int
    depth : int
    breakpoints : int
    """
    deep = hu_zhang_theorem_2(n_inputs, [width] * depth, [breakpoints] * depth)
    return Fraction(deep, hu_zhang_theorem_1(n_inputs, width * depth, breakpoints))


def hu_zhang_per_parameter(
    n_inputs: int, widths: Sequence[int], breakpoints: Sequence[int]
) -> Fraction:
    """Return Theorem 2 over the number of parameters, ``sum_l n_l (n_{l-1} + 1)``.

    Hu and Zhang (2018), Proposition 2, reads its orders of growth so: a deep network has
    ``O((p + n)^{L n_0} / (L n^2))`` regions per parameter and a shallow one of as many units
    ``Theta((p + L n)^{n_0} / (L n n_0))``. As printed both are wrong where p grows with n: for
    n_0 = 1 and L = 1 there are 1 + p n regions, which is not O(p + n). What is returned is exact,
    and ``(e n p / n_0)^{L n_0}`` replaces the printed numerator (`layer_log_bound`).

    Parameters
    ----------
    n_inputs : int
    widths : sequence of int
    breakpoints : sequence of int
        p_l of each layer.
    """
    pairs = zip([n_inputs, *widths], widths, strict=False)
    parameters = sum(n * (before + 1) for before, n in pairs)
    return Fraction(hu_zhang_theorem_2(n_inputs, widths, breakpoints), parameters)


def telgarsky_2015(widths: Sequence[int], pieces: Sequence[int]) -> int:
    """Return ``prod_l (t_l n_l)``: pieces on one input, of units with t_l pieces.

    Telgarsky (2015): sums add pieces, compositions multiply them.

    Parameters
    ----------
    widths : sequence of int
    pieces : sequence of int
    """
    return prod(t * n for t, n in zip(pieces, widths, strict=True))
