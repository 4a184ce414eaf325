r"""How many cells the units of one layer cut a region into, and how many units are constant there.

On a region where all earlier units keep their piece, what a layer's units take is affine in the
inputs. Let r bound the rank of its linear part A, restricted to the directions of the domain.

**Cells.** A scalar unit with p breakpoints cuts along p parallel hyperplanes, as a maxout unit of
rank p + 1 does whose values are 0, v - t_1, 2 v - t_1 - t_2, ..; so it may jump too. A unit with
any other table is cut along its rows, each like a rectifier's. Every layer is therefore cut like
one of maxout units of ranks k_i = c_i + 1, and only the r directions that A sees matter. Montúfar,
Ren and Zhang (2022) count those: at most

    T_r = sum_{j <= r} e_j(c_1, c_2, ..),      the coefficients up to t^r of prod_i (1 + c_i t).

A region is convex, and each cell of the layer's partition of all of space leaves at most one cell
in it, so T_r holds there as well.

**Constant units.** Say that unit i has w_i pieces with a slope (it *moves* on them) and z_i
without. No more than

    H_j = sum_{|S| = j} prod_{i in S} z_i prod_{i not in S} w_i,    from prod_i (w_i + z_i t),

patterns have j units on constant pieces, so no more cells have. For a rectifier c = w = z = 1.

**The worst histogram.** Let F(m) bound, for a cell with m moving units, what later layers make of
it, non-decreasing in m (see `milpcount.bounds.graph_recursion`). Numbers h_j of cells with
h_j <= H_j and sum h_j <= T_r give sum_j h_j F(n - j) at most what filling the smallest j first
gives. For n rectifiers that is h_j = C(n, j) for j <= r: the sum of Serra et al. (2018), Theorem 1.
For units without constant pieces it is h_0 = T_r: the product of Hu and Zhang (2018), Theorem 2.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import prod

import numpy as np

from milpcount.bounds.binomials import binomials
from milpcount.network import Activation, Layer
from milpcount.types import Array


@dataclass(frozen=True)
class UnitCells:
    """Units of a layer that have equally many pieces of each sort.

    Attributes
    ----------
    number : int
        Of such units.
    cuts : tuple of int
        One unit contributes ``prod_c (1 + c t)`` to the cells.
    moving, constant : int
        Pieces with and without a slope.
    """

    number: int
    cuts: tuple[int, ...]
    moving: int
    constant: int


@dataclass(frozen=True)
class LayerCells:
    """A layer's units as the recursion over layers reads them.

    Attributes
    ----------
    kinds : tuple of UnitCells
    """

    kinds: tuple[UnitCells, ...]

    @property
    def most_moving(self) -> int:
        """Units that some piece lets move."""
        return sum(kind.number for kind in self.kinds if kind.moving)

    @property
    def n_patterns(self) -> int:
        """All combinations of pieces."""
        return prod((k.moving + k.constant) ** k.number for k in self.kinds)

    def total(self, rank: int) -> int:
        """Return the most cells, T_r and no more than there are patterns."""
        return min(sum(_product(self._cuts, rank)), self.n_patterns)

    def totals(self, most: int) -> tuple[int, ...]:
        """Return `total` for the ranks 0 to `most`."""
        return _sums(self._cuts, most, self.n_patterns)

    @property
    def _cuts(self) -> tuple[tuple[int, int, int], ...]:
        return tuple((1, c, kind.number) for kind in self.kinds for c in kind.cuts)

    def histogram(self, rank: int) -> list[tuple[int, int]]:
        """Return how many cells the worst histogram has for a number of moving units.

        Only the first r + 1 coefficients H_j are looked at, counted from the units that never
        move. Where c_i = w_i + z_i - 1 they hold all of T_r, since prod (w_i + z_i t) is
        prod (1 + c_i t) with its mass moved to lower powers; where they do not, what is left is
        given to the next j, no later than where it belongs.
        """
        most, left = self.most_moving, self.total(rank)
        factors = tuple((k.moving, k.constant, k.number) for k in self.kinds if k.moving)
        fixed = prod(k.constant**k.number for k in self.kinds if not k.moving)
        found: list[tuple[int, int]] = []
        for j, patterns in enumerate(_product(factors, rank)):
            cells = min(left, fixed * patterns)
            if cells:
                found.append((most - j, cells))
            left -= cells
        if left:
            found.append((max(most - rank - 1, 0), left))
        return found


@dataclass(frozen=True)
class CoveredCells:
    """A layer's units where they depend on how many units move in the sources.

    Attributes
    ----------
    cells : tuple of LayerCells
        For 0, 1, .. moving units, more and more; beyond the last, the last.
    sources : tuple of int
        The layers whose moving units are added up.
    """

    cells: tuple[LayerCells, ...]
    sources: tuple[int, ...]


@lru_cache(maxsize=256)
def _product(factors: tuple[tuple[int, int, int], ...], degree: int) -> tuple[int, ...]:
    """Return the coefficients up to t^degree of the product of (a + b t)^n over (a, b, n)."""
    found = [1]
    for a, b, n in factors:
        if b == 0:
            found = [a**n * x for x in found]
            continue
        power = _power(a, b, n, degree)
        size = min(len(found) + len(power) - 1, degree + 1)
        new = [0] * size
        for i, x in enumerate(found):
            for j, y in enumerate(power[: size - i]):
                new[i + j] += x * y
        found = new
    return tuple(found)


@lru_cache(maxsize=1024)
def _sums(factors: tuple[tuple[int, int, int], ...], degree: int, most: int) -> tuple[int, ...]:
    """Return the sums of the first coefficients of `_product`, each at most `most`."""
    found = [min(total, most) for total in accumulate(_product(factors, degree))]
    return (*found, *[found[-1]] * (degree + 1 - len(found)))


def _power(a: int, b: int, n: int, degree: int) -> Sequence[int]:
    if a == 0:
        return ([0] * n + [b**n])[: degree + 1]
    choose = binomials(n, min(n, degree))
    if a == b == 1:
        return choose
    return [c * a ** (n - j) * b**j for j, c in enumerate(choose)]


def unit_cells(unit: Activation, number: int = 1) -> UnitCells:
    """Return the cells of units with all pieces of their activation."""
    moving = sum(piece.slope != 0 for piece in unit.pieces)
    plain = unit.rank == 1 or unit.is_maxout
    cuts = (unit.n_pieces - 1,) if plain else (1,) * len(unit.rows)
    return UnitCells(number, cuts, moving, unit.n_pieces - moving)


def layer_cells(layer: Layer, low: Array | None = None, high: Array | None = None) -> LayerCells:
    """Return the cells of a layer, of those pieces only that its pre-activations can reach.

    Parameters
    ----------
    layer : Layer
    low, high : ndarray, optional
        Bounds on its pre-activations over the domain. On the domain a scalar unit is the unit with
        the pieces from that of `low` to that of `high`, a maxout unit the maximum of the values
        that can be the largest.
    """
    kinds: list[UnitCells] = []
    for group in layer.groups:
        unit = group.activation
        if low is None or high is None or (unit.rank > 1 and not unit.is_maxout):
            number = layer.width if isinstance(group.units, slice) else len(group.units)
            kinds.append(unit_cells(unit, number))
        elif unit.rank == 1:
            kinds += _reached(unit, low[group.values], high[group.values])
        else:
            kinds += _largest(unit.rank, low[group.values], high[group.values])
    return LayerCells(_merged(kinds))


def _reached(unit: Activation, low: Array, high: Array) -> Iterable[UnitCells]:
    slopes = np.array([piece.slope != 0 for piece in unit.pieces])
    ends = np.stack([unit.pieces_at(low), unit.pieces_at(high)], axis=-1)
    pairs, numbers = np.unique(ends, axis=0, return_counts=True)
    for (first, last), number in zip(pairs.tolist(), numbers.tolist(), strict=True):
        moving = int(slopes[first : last + 1].sum())
        yield UnitCells(number, (last - first,), moving, last - first + 1 - moving)


def _largest(rank: int, low: Array, high: Array) -> Iterable[UnitCells]:
    least = low.reshape(-1, rank).max(axis=1, keepdims=True)
    reach = (~(high.reshape(-1, rank) < least)).sum(axis=1)
    for k, number in zip(*(x.tolist() for x in np.unique(reach, return_counts=True)), strict=True):
        yield UnitCells(number, (k - 1,), k, 0)


def _merged(kinds: Iterable[UnitCells]) -> tuple[UnitCells, ...]:
    numbers: dict[tuple[tuple[int, ...], int, int], int] = {}
    for kind in kinds:
        key = kind.cuts, kind.moving, kind.constant
        numbers[key] = numbers.get(key, 0) + kind.number
    return tuple(UnitCells(number, *key) for key, number in numbers.items())
