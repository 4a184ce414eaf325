"""Upper bounds on the regions inside cells of a search, by theorems with what is known there.

In a cell, units that are decided, or cannot leave their piece there, cut nothing; they count among
the moving units of their layer if their piece has a slope. So the recursion of Serra et al. (2018)
(`milpcount.bounds.graph_recursion`; in a chain the state is one number) runs over the cells of
layers whose units have only the pieces left that they reach in the cell. Ranks are bounded from
above alone: by the dimension of the domain, the moving units of what a layer reads, and the ranks
of weights. All of that holds for any piecewise linear units and any graph.

Patterns that are attained on faces only obey none of these theorems; of them the product of the
numbers of pieces that are left is all that is known.

The bound of a cell is no less than that of a part of it: more known pieces narrow the intervals,
and fewer cuts and moving units make every number of the recursion smaller.
"""

from collections.abc import Sequence

import numpy as np

from milpcount.bounds import wiring
from milpcount.bounds.graph_recursion import count_cells, most_states
from milpcount.bounds.layer_cells import LayerCells, UnitCells, unit_cells
from milpcount.bounds.ranks import rank_bound
from milpcount.domain import InputSet
from milpcount.network import Activation, Network
from milpcount.preactivation.in_cells import CellRanges, Reached
from milpcount.types import OPEN, Array

_MOST_CELLS = 4096
"""Cells that are walked through at once."""
_MOST_WEIGHTS = 40_000
"""Of a layer, up to which its weights' rank is looked at: an elimination takes milliseconds."""
_MOST_STEPS = 30_000
"""Products in a recursion over all ranks, up to which the layers far below are looked at anew in
each cell: beyond, they have all the pieces that they reach on the domain, and share their sums."""

_MOST_KEPT = 200_000
"""Bounds that are kept for the next cell of the same kind."""
_DEEPEST = 200
"""Layers of a chain up to which the recursion over them is one in Python, too."""
_MOST_TERMS = 100_000
"""Of the recursion over a chain: some microseconds each, where limits are kept to a second. Where
it has more, the product of the layers' cells is taken for it."""

_Kind = tuple[tuple[int, ...], int, int]


class CellBounds:
    """Upper bounds on what is counted in cells.

    Parameters
    ----------
    network : Network
        With units.
    inputs : InputSet
    patterns : bool
        Whether patterns are counted, and not regions.
    settled : ndarray of int, shape (units,), optional
        The piece of each unit that has only one on the whole domain, `OPEN` elsewhere.
    """

    def __init__(
        self,
        network: Network,
        inputs: InputSet,
        patterns: bool = False,
        settled: Array | None = None,
    ) -> None:
        self.network, self._patterns = network, patterns
        self._settled = np.full(sum(network.widths), OPEN) if settled is None else settled
        self._ranges = CellRanges(network, inputs)
        self._starts = np.concatenate([[0], np.cumsum(network.widths)])
        self._dimension = inputs.dimension
        self._ranks = [
            rank_bound(layer.affine.weight)
            if layer.affine.n_in * layer.affine.n_out <= _MOST_WEIGHTS
            and not layer.affine.is_rounded
            else min(layer.affine.n_in, layer.affine.n_out)
            for layer in network.layers
        ]
        self._limits = [min(self._dimension, rank) for rank in self._ranks]
        self._readings = wiring.of_graph(network)
        self._states = most_states(inputs.dimension, network.widths) // 4 + 1
        # The last layer is a sum; the first is read at one rank.
        self._ranks_matter = sum(limit**2 for limit in self._limits[1:-1]) <= _MOST_TERMS
        self._layers: list[list[LayerCells]] = [[] for _ in network.layers]
        self._numbers: list[dict[tuple[tuple[_Kind, int], ...], int]] = [{} for _ in network.layers]
        self._known: dict[tuple[int, ...], int] = {}
        self._rest: dict[tuple[int, tuple[int, ...], int], int] = {}
        steps = sum(min(self._dimension, n) * n for n in network.widths)
        self._whole: list[int] | None = None
        if steps > _MOST_STEPS:
            everywhere = np.full((self._settled.size, 1), OPEN)
            self._whole = self._signatures(everywhere)[0].tolist()

    def of(self, pieces: Array) -> list[int]:
        """Return a bound for each cell.

        Parameters
        ----------
        pieces : ndarray of int, shape (cells, units)
            Those known in each cell, `OPEN` elsewhere.
        """
        found: list[int] = []
        for first in range(0, len(pieces), _MOST_CELLS):
            some = np.ascontiguousarray(pieces[first : first + _MOST_CELLS].T)
            kinds, which = np.unique(self._signatures(some), axis=0, return_inverse=True)
            values = [self._bound(tuple(kind)) for kind in kinds.tolist()]
            found += [values[k] for k in np.ravel(which).tolist()]
        return found

    def _signatures(self, pieces: Array) -> Array:
        """Return the numbers of the layers' cells in each cell, shape (cells, layers)."""
        reached = self._ranges.reached(np.where(pieces == OPEN, self._settled[:, None], pieces))
        columns = [self._numbered(k, groups) for k, groups in enumerate(reached)]
        if self._whole is not None:
            # The layers beyond the first that has nothing known in it.
            known = np.add.reduceat(pieces != OPEN, self._starts[:-1], axis=0) > 0
            far = np.cumsum(known[::-1], axis=0)[::-1] == 0
            for k in range(1, len(columns)):
                columns[k] = np.where(far[k - 1], self._whole[k], columns[k])
        return np.stack(columns, axis=1)

    def _numbered(self, layer: int, groups: Sequence[Reached]) -> Array:
        """Return the number of a layer's cells in each cell; the same number for the same cells."""
        counts, names = [], []
        for group in groups:
            codes, most = _codes(group)
            for code in np.flatnonzero(np.bincount(codes.ravel(), minlength=1)).tolist():
                counts.append((codes == code).sum(axis=0))
                names.append(_kind(group.activation, code, most))
        distinct, which = np.unique(np.stack(counts, axis=1), axis=0, return_inverse=True)
        numbers = [self._number(layer, names, row) for row in distinct.tolist()]
        return np.array(numbers)[np.ravel(which)]

    def _number(self, layer: int, names: Sequence[_Kind], counts: Sequence[int]) -> int:
        total: dict[_Kind, int] = {}
        for kind, count in zip(names, counts, strict=True):
            if count:
                total[kind] = total.get(kind, 0) + count
        key = tuple(sorted(total.items()))
        if key not in self._numbers[layer]:
            self._numbers[layer][key] = len(self._layers[layer])
            cells = LayerCells(tuple(UnitCells(n, *kind) for kind, n in key))
            self._layers[layer].append(cells)
        return self._numbers[layer][key]

    def _bound(self, kinds: tuple[int, ...]) -> int:
        if len(self._known) + len(self._rest) > _MOST_KEPT:
            self._known.clear()
            self._rest.clear()
        if kinds not in self._known:
            if self._patterns:
                value = 1
                for k, kind in enumerate(kinds):
                    value *= self._layers[k][kind].n_patterns
            elif self.network.is_chain and len(kinds) <= _DEEPEST:
                value = self._below(0, kinds, self._dimension)
            else:
                layers = [self._layers[k][kind] for k, kind in enumerate(kinds)]
                value = count_cells(
                    self._dimension, layers, self._readings, self._ranks, self._states
                )
            self._known[kinds] = value
        return self._known[kinds]

    def _below(self, layer: int, kinds: tuple[int, ...], rank: int) -> int:
        """Return the recursion from a layer of a chain on, for what comes in of a rank."""
        rank = min(rank, self._limits[layer])
        cells = self._layers[layer][kinds[layer]]
        if layer == len(self._layers) - 1:
            return cells.totals(self._limits[layer])[rank]
        if not self._ranks_matter:
            total = cells.totals(self._limits[layer])[rank]
            return total * self._below(layer + 1, kinds, rank)
        key = layer, kinds[layer:], rank
        if key not in self._rest:
            self._rest[key] = sum(
                count * self._below(layer + 1, kinds, min(rank, moving))
                for moving, count in cells.histogram(rank)
            )
        return self._rest[key]


def _codes(group: Reached) -> tuple[Array, int]:
    """Return a number for the cuts, the moving and the constant pieces of each unit in each cell.

    Returns
    -------
    codes : ndarray of int, shape (units, cells)
        Cuts times ``most`` and the moving pieces; ``most`` squared, of a unit that is cut along
        several rows, where no piece is known.
    most : int
    """
    unit, first, last = group.activation, group.first, np.maximum(group.first, group.last)
    most = unit.n_pieces + 1
    moving = np.cumsum([0, *(piece.slope != 0 for piece in unit.pieces)])
    codes = (last - first) * most + moving[last + 1] - moving[first]
    if unit.rank > 1 and not unit.is_maxout:
        codes = np.where(last > first, most * most, codes)
    return codes, most


def _kind(unit: Activation, code: int, most: int) -> _Kind:
    if code == most * most:
        whole = unit_cells(unit)
        return whole.cuts, whole.moving, whole.constant
    cuts, moving = divmod(code, most)
    return (cuts,), moving, cuts + 1 - moving
