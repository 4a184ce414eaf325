"""Upper bounds and exact maxima for rectifier networks.

Symbols: n_0 inputs, hidden layers l = 1, .., L of n_l units, ``C(n, j)`` binomials. All bounds are
on activation regions over all of input space, and so over every convex domain in it.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import prod

from milpcount.bounds import arrangements
from milpcount.bounds.binomials import power_sum
from milpcount.bounds.recursion import count_patterns


def naive(widths: Sequence[int], cuts: Sequence[int] | None = None) -> int:
    """Return the number of patterns, ``prod_l (c_l + 1)^{n_l}``; 2^N for rectifiers.

    Montúfar et al. (2014), Proposition 3. It bounds activation patterns, those that are attained
    on lower-dimensional sets included.

    Parameters
    ----------
    widths : sequence of int
    cuts : sequence of int, optional
        One less than the pieces of a unit, for each layer; 1 by default.
    """
    return prod((c + 1) ** n for n, c in zip(widths, cuts or [1] * len(widths), strict=True))


def raghu_2017(n_inputs: int, width: int, depth: int) -> int:
    """Return ``k^{m n}``, the order of growth in Theorem 1 of Raghu et al. (2017).

    The theorem is O(k^{mn}) for width k, m inputs and depth n. Without its constant this is no
    bound: one unit on one input has 2 regions and k^{mn} = 1.

    Parameters
    ----------
    n_inputs : int
        m.
    width : int
        k.
    depth : int
        n.
    """
    return int(width ** (n_inputs * depth))


def montufar_2017(n_inputs: int, widths: Sequence[int]) -> int:
    """Return ``prod_l sum_{j=0}^{m_{l-1}} C(n_l, j)``, ``m_{l-1} = min(n_0, .., n_{l-1})``.

    Montúfar (2017), "Notes on the number of linear regions of deep neural networks".

    Parameters
    ----------
    n_inputs : int
        n_0, or the dimension of the domain.
    widths : sequence of int
    """
    narrowest = accumulate([n_inputs, *widths], min)
    return prod(power_sum(n, m) for n, m in zip(widths, narrowest, strict=False))


def serra_2018(n_inputs: int, widths: Sequence[int], ranks: Sequence[int] | None = None) -> int:
    """Return ``sum_{j in J} prod_l C(n_l, j_l)``: Serra et al. (2018), Theorem 1.

    ``J = {j : 0 <= j_l <= min(n_0, n_1 - j_1, .., n_{l-1} - j_{l-1}, n_l)}``; tight for L = 1.
    With the ranks of the weights the last n_l of the minimum becomes rank(W^l), as the remark after
    the theorem says. The image of a region has no larger dimension than that rank, so that the rank
    is carried on to later layers too.

    Parameters
    ----------
    n_inputs : int
        n_0, or the dimension of the domain.
    widths : sequence of int
    ranks : sequence of int, optional
        Upper bounds on the ranks of the weights.
    """
    return count_patterns(n_inputs, widths, ranks)


def serra_2018_one_input(widths: Sequence[int]) -> int | None:
    """Return the exact maximum on one input, ``prod_l (n_l + 1)``; None unless all n_l >= 3.

    Serra et al. (2018), Theorem 7 (Theorem 5 of the version submitted to ICLR). Hu and Zhang call
    their Theorem 3 tight for one input "whatever the structure"; that is false below three units:
    see `one_two_n`.

    Parameters
    ----------
    widths : sequence of int
    """
    return prod(n + 1 for n in widths) if min(widths) >= 3 else None


def one_two_n(width: int) -> int:
    """Return ``2 n + 3``, the exact maximum of the architecture 1-2-n.

    If the two units waste no piece of the line, one is active on its left and one on its right;
    the image is then a convex curve of three pieces, which each line of the second layer meets at
    most twice: 3 + 2 n. Otherwise a piece is constant, and there are at most 1 + 2 (n + 1).
    Serra's Theorem 1 gives 3 (n + 1).

    Parameters
    ----------
    width : int
        n, units of the second layer.
    """
    return 2 * width + 3


def hu_zhang_theorem_3(n_inputs: int, widths: Sequence[int]) -> int:
    """Return Hu and Zhang's (2018) Theorem 3, a bound on regions that are alive in every layer.

    ``sum_{j in J} prod_l R(n_l, j_l)`` over Serra's J, where ``R(n_l, j_l) = C(n_l, j_l)``, less 1
    where ``d_l >= n_l`` and ``j_l = d_l``. The subtraction leaves out the patterns with a layer of
    inactive units only, but networks have such regions: ``x -> ReLU(x)`` has two and the formula
    gives 1; 2-2-1 networks reach 7 and it gives 3. What it does bound is the number of activation
    regions in which every layer has an active unit.

    Parameters
    ----------
    n_inputs : int
    widths : sequence of int
    """
    return count_patterns(n_inputs, widths, all_off=False)


def hinz_van_de_geer(n_inputs: int, widths: Sequence[int]) -> int | None:
    """Return a bound in the framework of Hinz and van de Geer (2019), with gammas proved here.

    A layer of m units cuts a d-dimensional region into cells whose numbers of active units are
    dominated by the histogram gamma_{d,m}: binomials for m <= d; on a line
    ``sum_{j >= J} gamma_{1,m} = min(m + 1, 2 (m - J) + 1)``, since two cells that r points separate
    have together r inactive units at least; and
    ``gamma_{d,m} = shift(gamma_{d,m-1}) + gamma_{d-1,m-1}``, since without one of the hyperplanes a
    cell has at most one active unit less, and those it cuts are the cells of the arrangement on it.
    A cell with j active units has an image of dimension min(d, j).

    Parameters
    ----------
    n_inputs : int
    widths : sequence of int

    Returns
    -------
    int or None
        At most Serra's bound; None where the table of gammas is too large to make.
    """
    return _with_histograms(n_inputs, widths, planar=False)


def hinz_2021(n_inputs: int, widths: Sequence[int]) -> int | None:
    """Return the bound of Hinz (2021, arXiv 2103.17174) as the public code for it computes it.

    As `hinz_van_de_geer`, with a smaller histogram in the plane: m lines make at most m cells with
    each number of active units below m. The paper's proof was not at hand, so no row of the
    registry rests on this function.

    Parameters
    ----------
    n_inputs : int
    widths : sequence of int

    Returns
    -------
    int or None
        None where the table of gammas is too large to make.
    """
    return _with_histograms(n_inputs, widths, planar=True)


def has_histograms(n_inputs: int, widths: Sequence[int]) -> bool:
    """Whether the table of gammas is small enough to be made."""
    sizes = zip(_dimensions(n_inputs, widths), widths, strict=False)
    return sum(d * n**2 for d, n in sizes) <= _LARGEST_TABLE


def _dimensions(n_inputs: int, widths: Sequence[int]) -> list[int]:
    return list(accumulate([min(n_inputs, max(widths)), *widths], min))


def _with_histograms(n_inputs: int, widths: Sequence[int], *, planar: bool) -> int | None:
    dimensions = _dimensions(n_inputs, widths)
    if not has_histograms(n_inputs, widths):
        return None
    gammas = histograms(max(widths), dimensions[0], planar=planar)
    ways = {dimensions[0]: 1}
    for n in widths:
        after: dict[int, int] = {}
        for d, count in ways.items():
            for j, cells in enumerate(gammas[d][n]):
                if cells:
                    after[min(d, j)] = after.get(min(d, j), 0) + count * cells
        ways = after
    return sum(ways.values())


_LARGEST_TABLE = 4_000_000


def histograms(width: int, dimension: int, *, planar: bool = False) -> list[list[list[int]]]:
    """Return gamma_{d,m}, how many cells may have 0, .., m active units, for d and m from 0 on.

    Parameters
    ----------
    width : int
        The largest m.
    dimension : int
        The largest d.
    planar : bool
        Whether the plane has the histogram of Hinz (2021).
    """
    found = [[[0] * m + [1] for m in range(width + 1)], [_on_a_line(m) for m in range(width + 1)]]
    for d in range(2, dimension + 1):
        if d == 2 and planar:
            found.append([_in_the_plane(m) for m in range(width + 1)])
            continue
        row, below = [[1]], found[-1]
        for m in range(1, width + 1):
            row.append([a + b for a, b in zip([0, *row[-1]], [*below[m - 1], 0], strict=True)])
        found.append(row)
    return found


def _in_the_plane(width: int) -> list[int]:
    cells, left = [1], arrangements.zaslavsky_regions(width, 2) - 1
    for _ in range(width):
        cells.append(min(width, left))
        left -= cells[-1]
    return cells[::-1]


def _on_a_line(width: int) -> list[int]:
    tails = [min(width + 1, 2 * (width - j) + 1) for j in range(width + 1)] + [0]
    return [a - b for a, b in pairwise(tails)]
