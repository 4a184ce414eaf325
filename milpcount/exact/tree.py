"""The tree of regions, or of patterns, in exact arithmetic: slow, and right on every network.

A node is a pattern of the first k units that is counted: its cell is full-dimensional or, where
patterns are counted, not empty. Its children are the pieces of the next unit for which that stays
true. Every side is decided by a point or by Farkas multipliers, so no tolerance is involved,
however thin a cell is. As the pieces of a unit share a cell out between them, every node has a
child.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from milpcount.exact.conditions import Conditions
from milpcount.exact.evaluate import attains_pattern, proves_region, region_at, rounded
from milpcount.exact.geometry import Point
from milpcount.exact.program import Verdict
from milpcount.exact.rows import ExactNetwork
from milpcount.limits import tick
from milpcount.network.activation import Piece
from milpcount.result import Region


@dataclass(frozen=True, eq=False)
class Cell:
    """A node of the tree: the pattern of the first units, and the set where it holds.

    Attributes
    ----------
    pattern : tuple of int
    conditions : Conditions
        What bounds the cell besides the box.
    witness : Point
        Parameters of a point of the cell, strictly inside where regions are counted.
    share : float
        Of the whole tree, split evenly among the children of a node.
    """

    pattern: tuple[int, ...]
    conditions: Conditions
    witness: Point
    share: float


class ExactRegionTree:
    """Walks the regions (or patterns) of a network, or those below a pattern of its first units.

    Parameters
    ----------
    network : ExactNetwork
    patterns : bool
        Whether patterns count that are attained anywhere in the closed input set, if only on a
        face of a region.

    Attributes
    ----------
    lps : int
        Linear programs decided so far.
    closed : float
        Share of the tree that is closed, of each walk from 0 to 1.
    """

    def __init__(self, network: ExactNetwork, *, patterns: bool = False) -> None:
        self.network, self.patterns = network, patterns
        self.lps = 0
        self.closed = 0.0

    def walk(self, prefix: Sequence[int] = ()) -> Iterator[Cell | None]:
        """Yield every region below a prefix, and None after every other node.

        Parameters
        ----------
        prefix : sequence of int
            Pieces of the first units; it may end inside a layer.

        Yields
        ------
        Cell or None
            None is a sign of life, so that the caller can stop at a limit.
        """
        root = self.cell(prefix)
        if root is not None:
            yield from self.below(root)

    def below(self, root: Cell, known: Mapping[int, int] | None = None) -> Iterator[Cell | None]:
        """Yield every region in a cell, as `walk` does.

        Parameters
        ----------
        root : Cell
            Its conditions may say more than its pattern, e.g. signs of units of the next layer.
        known : mapping of int to int, optional
            The pieces of further units that the conditions imply.

        Raises
        ------
        OutOfTime
            If the deadline in force has come.
        """
        self.closed = 0.0
        open_cells = [root]
        while open_cells:
            tick()
            cell = open_cells.pop()
            depth = len(cell.pattern)
            if depth == self.network.starts[-1]:
                self.closed += cell.share
                yield cell
                continue
            if known and depth in known:
                pattern = (*cell.pattern, known[depth])
                open_cells.append(Cell(pattern, cell.conditions, cell.witness, cell.share))
                continue
            open_cells += self.children(cell)
            yield None

    def count(self, prefix: Sequence[int] = ()) -> int:
        """Return the number of regions (or patterns) below a prefix."""
        return sum(cell is not None for cell in self.walk(prefix))

    def cell(self, prefix: Sequence[int] = ()) -> Cell | None:
        """Return the cell of a pattern of the first units; None if it is not counted."""
        pattern = tuple(int(p) for p in prefix)
        conditions = Conditions.of(self.network.inputs.rows, strict=not self.patterns)
        for unit, piece in enumerate(pattern):
            tick()
            further = self._conditions(pattern[:unit], piece)
            if further is None:
                return None
            conditions = conditions.joined(further)
        witness = self._decide(conditions).witness
        return None if witness is None else Cell(pattern, conditions, witness, 1.0)

    def children(self, cell: Cell) -> list[Cell]:
        """Return the children of a node that are counted; there is always at least one."""
        found: list[tuple[int, Conditions, Point]] = []
        pieces = self._pieces(len(cell.pattern))
        for k in range(len(pieces)):
            further = self._conditions(cell.pattern, k)
            if further is None:
                continue
            further = further.cutting(self.network.inputs.box)
            witness = self._witness(cell, further)
            if witness is not None:
                found.append((k, cell.conditions.joined(further), witness))
        if len(found) == 1:
            # Nothing else has a point (an interior point, of regions) in the cell, so the
            # conditions bound nothing.
            k, _, witness = found[0]
            return [Cell((*cell.pattern, k), cell.conditions, witness, cell.share)]
        share = cell.share / len(found)
        return [Cell((*cell.pattern, k), conditions, t, share) for k, conditions, t in found]

    def region(self, cell: Cell) -> Region:
        """Return a leaf as a region, with a witness in input space that exact verification accepts.

        It is a float64 point where one proves the region (or attains the pattern), and otherwise,
        in a cell too thin for float64, an array of Fraction.
        """
        near = rounded(cell.witness)
        inside = self._is_inside(cell.conditions, near)
        return region_at(self.network.inputs, cell.pattern, near if inside else cell.witness)

    def _is_inside(self, conditions: Conditions, t: Point) -> bool:
        box = self.network.inputs.box
        return (box.contains(t) if self.patterns else box.contains_inside(t)) and conditions.hold(t)

    def _witness(self, cell: Cell, further: Conditions) -> Point | None:
        """Return a point of the cell where further conditions hold too; None if there is none."""
        if further.hold(cell.witness):
            return cell.witness
        if further.fail_on(self.network.inputs.box):
            return None
        return self._decide(cell.conditions.joined(further)).witness

    def _decide(self, conditions: Conditions) -> Verdict:
        self.lps += 1
        return conditions.decide(self.network.inputs.box, closed=self.patterns)

    def _pieces(self, unit: int) -> tuple[Piece, ...]:
        layer = self._layer(unit)
        return self.network.network.layers[layer].unit(unit - self.network.starts[layer]).pieces

    def _layer(self, unit: int) -> int:
        return int(np.searchsorted(self.network.starts, unit, side="right")) - 1

    def _conditions(self, above: tuple[int, ...], piece: int) -> Conditions | None:
        """Return the conditions of a piece of the unit after a pattern; None if they cannot hold.

        A row that is identically zero counts as not positive and bounds nothing.
        """
        unit = len(above)
        layer = self._layer(unit)
        rows = self.network.unit_rows(layer, unit - self.network.starts[layer], above)
        flat = rows.is_zero()
        literals = self._pieces(unit)[piece].literals
        if any(flat[row] and sign > 0 for row, sign in literals):
            return None
        kept = [(row, sign) for row, sign in literals if not flat[row]]
        chosen = rows.take([row for row, _ in kept])
        return Conditions.signed(chosen, [sign for _, sign in kept], closed=self.patterns)


def region_near(
    network: ExactNetwork, pattern: tuple[int, ...], t: Point, *, patterns: bool = False
) -> Region | None:
    """Return a region with a witness that proves it, the given one if that does.

    Parameters
    ----------
    network : ExactNetwork
    pattern : tuple of int
    t : Point
        Parameters of a point that is believed to lie in the region.
    patterns : bool
        Whether the pattern need only be attained.

    Returns
    -------
    Region or None
        None if the pattern has no region, or is not attained.
    """
    region = region_at(network.inputs, pattern, t)
    if attains_pattern(network, region) if patterns else proves_region(network, pattern, t):
        return region
    tree = ExactRegionTree(network, patterns=patterns)
    cell = tree.cell(pattern)
    return None if cell is None else tree.region(cell)
