"""The region tree in exact arithmetic: slow, and right on every network.

A node is a pattern of the first k units whose cell is full-dimensional; its children are the
pieces of the next unit whose part of the cell is. Every side is decided by a point or by Farkas
multipliers, so no tolerance is involved, however thin a cell is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from milpcount.exact.evaluate import parameters_of
from milpcount.exact.geometry import ExactBox, Point, Rows
from milpcount.exact.program import Verdict, decide
from milpcount.exact.rows import ExactInputs, ExactNetwork
from milpcount.network.activation import Piece
from milpcount.result import Region

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Cell:
    """A node of the tree: the pattern of the first units, and the set where it holds.

    Attributes
    ----------
    pattern : tuple of int
    rows : Rows
        What bounds the cell besides the box; all of them are positive inside.
    witness : Point
        Parameters strictly inside.
    share : float
        Of the whole tree, split evenly among the children of a node.
    """

    pattern: tuple[int, ...]
    rows: Rows
    witness: Point
    share: float


class ExactRegionTree:
    """Walks the activation regions of a network, or those below a pattern of its first units.

    Parameters
    ----------
    network : ExactNetwork

    Attributes
    ----------
    lps : int
        Linear programs decided so far.
    closed : float
        Share of the tree that is closed, of each walk from 0 to 1.
    """

    def __init__(self, network: ExactNetwork) -> None:
        self.network = network
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

    def below(self, root: Cell) -> Iterator[Cell | None]:
        """Yield every region in a cell, as `walk` does.

        Parameters
        ----------
        root : Cell
            Its rows may say more than its pattern, e.g. signs of some units of the next layer.
        """
        self.closed = 0.0
        open_cells = [root]
        while open_cells:
            cell = open_cells.pop()
            if len(cell.pattern) == self.network.starts[-1]:
                self.closed += cell.share
                yield cell
            else:
                open_cells += self.children(cell)
                yield None

    def count(self, prefix: Sequence[int] = ()) -> int:
        """Return the number of activation regions below a prefix."""
        return sum(cell is not None for cell in self.walk(prefix))

    def cell(self, prefix: Sequence[int] = ()) -> Cell | None:
        """Return the cell of a pattern of the first units; None if it is not full-dimensional."""
        parts, pattern = [self.network.inputs.rows], tuple(int(p) for p in prefix)
        for unit, piece in enumerate(pattern):
            conditions = self._conditions(pattern[:unit], piece)
            if conditions is None:
                return None
            parts.append(conditions)
        rows = Rows.stack(parts)
        verdict = self._decide(rows)
        return None if verdict.witness is None else Cell(pattern, rows, verdict.witness, 1.0)

    def children(self, cell: Cell) -> list[Cell]:
        """Return the full-dimensional children of a node; there is always at least one."""
        found: list[tuple[int, Rows, Point]] = []
        pieces = self._pieces(len(cell.pattern))
        box = self.network.inputs.box
        for k in range(len(pieces)):
            conditions = self._conditions(cell.pattern, k)
            if conditions is None:
                continue
            cutting = [i for i, row in enumerate(conditions.values) if not box.is_positive(row)]
            rows = conditions.take(cutting)
            witness = self._witness(cell, rows, box)
            if witness is not None:
                found.append((k, Rows.stack([cell.rows, rows]), witness))
        if len(found) == 1:
            # Nothing else has an interior point in the cell, so the conditions bound nothing.
            k, _, witness = found[0]
            return [Cell((*cell.pattern, k), cell.rows, witness, cell.share)]
        share = cell.share / len(found)
        return [Cell((*cell.pattern, k), rows, t, share) for k, rows, t in found]

    def region(self, cell: Cell) -> Region:
        """Return a leaf as a region, with a witness in input space that `verify_region` accepts.

        It is a float64 point where one proves the region, and otherwise, in a cell too thin for
        float64, an array of Fraction.
        """
        inputs = self.network.inputs
        x = inputs.to_input(cell.witness)
        floats = x.floats()
        if _is_inside(inputs, cell.rows, floats):
            return Region(cell.pattern, floats)
        return Region(cell.pattern, np.array(x.fractions(), dtype=object))

    def _witness(self, cell: Cell, rows: Rows, box: ExactBox) -> Point | None:
        """Return a point of the cell where further rows are positive too; None if there is none."""
        if (rows.at(cell.witness) > 0).all():
            return cell.witness
        if any(box.is_nowhere_positive(row) for row in rows.values):
            return None
        return self._decide(Rows.stack([cell.rows, rows])).witness

    def _decide(self, rows: Rows) -> Verdict:
        self.lps += 1
        return decide(rows, (1,) * len(rows), self.network.inputs.box)

    def _pieces(self, unit: int) -> tuple[Piece, ...]:
        return self.network.network.layers[self._layer(unit)].activation.pieces

    def _layer(self, unit: int) -> int:
        return int(np.searchsorted(self.network.starts, unit, side="right")) - 1

    def _conditions(self, above: tuple[int, ...], piece: int) -> Rows | None:
        """Return what must be positive for a piece of the unit after a pattern; None if it cannot.

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
        signs = np.array([sign for _, sign in kept], dtype=object)
        return Rows(chosen.values * signs[:, None], chosen.denominators)


def _is_inside(inputs: ExactInputs, rows: Rows, x: Array) -> bool:
    t = parameters_of(inputs, x) if np.isfinite(x).all() else None
    return t is not None and inputs.box.contains_inside(t) and bool((rows.at(t) > 0).all())
