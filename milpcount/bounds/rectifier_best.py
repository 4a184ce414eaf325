"""Lower bounds on the best rectifier network of an architecture.

None of them is a lower bound for a given network. Symbols: n_0 inputs, hidden layers l = 1, .., L
of n_l units. Where the widths do not fit a theorem's condition it returns None.
"""

from collections.abc import Sequence
from math import prod

from milpcount.bounds.binomials import power_sum


def pascanu_2013(n_inputs: int, widths: Sequence[int]) -> int | None:
    """Return ``(prod_{l<L} floor(n_l / n_0)) sum_{j=0}^{n_0} C(n_L, j)``, for n_l >= n_0.

    Pascanu, Montúfar and Bengio (2013), Theorem 1.

    Parameters
    ----------
    n_inputs : int
    widths : sequence of int
    """
    return _folded(n_inputs, widths, 1)


def montufar_2014(n_inputs: int, widths: Sequence[int]) -> int | None:
    """Return ``(prod_{l<L} floor(n_l / n_0)^{n_0}) sum_{j=0}^{n_0} C(n_L, j)``, for n_l >= n_0.

    Montúfar, Pascanu, Cho and Bengio (2014), Theorem 4.

    Parameters
    ----------
    n_inputs : int
    widths : sequence of int
    """
    return _folded(n_inputs, widths, n_inputs)


def _folded(n_inputs: int, widths: Sequence[int], power: int) -> int | None:
    *folding, last = widths
    if any(n < n_inputs for n in folding):
        return None
    return int(prod((n // n_inputs) ** power for n in folding)) * power_sum(last, n_inputs)


def montufar_2014_linear_output(n_inputs: int, width: int, depth: int) -> int | None:
    """Return ``p^{n_0 (L - 1)}``, ``p = floor(n / n_0)``, for n >= n_0.

    The version of Montúfar et al. (2014) that Nakahara et al. quote as their Proposition 1: L - 1
    hidden layers of n units fold the unit cube, and the output is linear.

    Parameters
    ----------
    n_inputs : int
    width : int
        n, the least of the hidden widths.
    depth : int
        L, the output layer included.
    """
    return int((width // n_inputs) ** (n_inputs * (depth - 1))) if width >= n_inputs else None


def arora_2018(n_inputs: int, widths: Sequence[int]) -> int | None:
    """Return ``2 (sum_{j=0}^{n_0-1} C(m-1, j)) w^{L-1}``, for n_1 = 2m and n_l = w >= 2.

    Arora, Basu, Mianjy and Mukherjee (2018), the networks ZONOTOPE. The
    notes that leave out the factor 2 misquote it: it belongs to the vertices of the zonotope.

    Parameters
    ----------
    n_inputs : int
    widths : sequence of int
        Units beyond 2m and w stay unused.
    """
    return _zonotope(n_inputs, widths, 2, 0)


def serra_2018_zonotope(n_inputs: int, widths: Sequence[int]) -> int | None:
    """Return ``2 (sum_{j=0}^{n_0-1} C(m-1, j)) (w+1)^{L-1}``, for n_1 = 2m and n_l = w.

    Serra et al. (2018), Theorem 9 (Theorem 7 of the version submitted to ICLR), printed for w >= 2.
    For L >= 3 it is given for w >= 3 only: two units cannot fold an interval into three full
    copies, as the exact maximum 2 n + 3 of 1-2-n shows.

    Parameters
    ----------
    n_inputs : int
    widths : sequence of int
        Units beyond 2m and w stay unused.
    """
    return _zonotope(n_inputs, widths, 2 if len(widths) == 2 else 3, 1)


def _zonotope(n_inputs: int, widths: Sequence[int], least: int, extra: int) -> int | None:
    first, *later = widths
    if first < 2 or not later or min(later) < least:
        return None
    vertices = 2 * power_sum(first // 2 - 1, n_inputs - 1)
    return int(vertices * (min(later) + extra) ** len(later))


def serra_2018_lower(n_inputs: int, widths: Sequence[int]) -> int | None:
    """Return ``(prod_{l<L} (floor(n_l/n_0) + 1)^{n_0}) sum_{j=0}^{n_0} C(n_L, j)``, n_l >= 3 n_0.

    Serra et al. (2018), Theorem 8 (Theorem 6 of the version submitted to ICLR). The condition is
    printed for all l; it is asked of l < L only, since the last layer folds nothing: 2-6-2 reaches
    the 64 of the formula.

    Parameters
    ----------
    n_inputs : int
    widths : sequence of int
    """
    *folding, last = widths
    if any(n < 3 * n_inputs for n in folding):
        return None
    copies = prod((n // n_inputs + 1) ** n_inputs for n in folding)
    return int(copies) * power_sum(last, n_inputs)
