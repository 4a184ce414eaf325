"""Decides whether the cell of a partial pattern is full-dimensional (or not empty).

The linear relaxation of the big-M formulation, with the pattern's units fixed by column bounds,
stays loaded: only bounds change from cell to cell, so every linear program is warm. Margins are
measured in the box-scaled input, unit by unit, as ``delta`` times the length of the unit's
gradient on the cell. A cell with a point of margin delta is confirmed at that point with a
rounding bound; a cell without a point of margin minus delta is empty; what lies between is
borderline, and exact arithmetic decides it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from milpcount.backends.backend import SearchState
from milpcount.backends.highs import WarmLP
from milpcount.formulation.composed import Composer, LayerRows
from milpcount.formulation.formulate import Formulation
from milpcount.formulation.highs_model import FEASIBILITY, Outcome
from milpcount.formulation.linear_program import Row
from milpcount.formulation.recheck import Recheck
from milpcount.result import Quantity

Array = np.ndarray
MARGIN = 1e-7
"""Normalised margin below which a cell is borderline; the solver's tolerance is 100 times finer."""


@dataclass(frozen=True, eq=False)
class Cell:
    """The cell of the first `depth` units' states.

    Attributes
    ----------
    depth : int
    bits : ndarray of int8, shape (n_units,)
        States; -1 beyond `depth`.
    stack : tuple of LayerRows
        Rows of the layers that the states reach.
    norms : ndarray, shape (n_units,)
        Lengths of the gradients of the units that bound the cell; 0 for stable and vanishing ones.
    witness : ndarray or None, shape (d,)
        A point, in the unit box, whose position in the cell is confirmed.
    near : ndarray or None, shape (d,)
        Where there is no witness: the parameters nearest to an exact point of the cell.
    """

    depth: int
    bits: Array
    stack: tuple[LayerRows, ...]
    norms: Array
    witness: Array | None = None
    near: Array | None = None


class CellOracle:
    """Decides cells of a formulation.

    Parameters
    ----------
    formulation : Formulation
    state : SearchState
        Where linear programs and borderline cells are counted.
    margin : float
        The delta of the module's text.
    """

    def __init__(
        self, formulation: Formulation, state: SearchState, margin: float = MARGIN
    ) -> None:
        program, self.columns = formulation.scaled_cells, formulation.cells[1]
        self.composer = Composer(formulation.network, formulation.inputs)
        self.scales = self.columns.scale[self.columns.h]
        self.lp, self.state, self.margin = WarmLP(program), state, margin
        self.column_bounds = np.stack([program.lower, program.upper])
        self.confirmed = self.refuted = 0
        self.proof = False  # whether the last program was infeasible at the margin
        strict = formulation.quantity is Quantity.ACTIVATION_REGIONS
        self.recheck = Recheck(formulation.network, formulation.inputs, strict)
        widths = formulation.network.widths
        self.layer_of = np.repeat(np.arange(len(widths)), widths)
        self.start_of = np.concatenate([[0], np.cumsum(widths)])
        self.n_units = int(self.start_of[-1])
        self.stable = self.columns.fixed >= 0
        self.unit_columns = np.concatenate(
            [self.columns.h, self.columns.hbar, self.columns.z]
        ).astype(np.int32)
        self.current = np.concatenate(
            [program.lower[self.unit_columns], program.upper[self.unit_columns]]
        )
        self.free = self.current.copy()

    def root(self) -> Cell:
        """Return the cell of no states: the whole domain."""
        bits = np.full(self.n_units, -1, np.int8)
        return Cell(0, bits, (self.composer.first(),), np.zeros(self.n_units))

    def vanishes(self, cell: Cell) -> bool:
        """Return whether the next unit is identically zero on the cell."""
        layer = int(self.layer_of[cell.depth])
        unit = cell.depth - int(self.start_of[layer])
        return bool(cell.stack[layer].may_vanish[unit]) and self.recheck.vanishes(
            layer, unit, cell.bits
        )

    def forced(self, cell: Cell) -> int | None:
        """Return the state of the next unit where nothing is to be decided, else None.

        So it is where the unit is stable over the domain, where it has one sign on the whole box
        under the states above it, and where it vanishes.
        """
        if self.stable[cell.depth]:
            return int(self.columns.fixed[cell.depth])
        layer = int(self.layer_of[cell.depth])
        sign = cell.stack[layer].constant_sign[cell.depth - int(self.start_of[layer])]
        if sign:
            return int(sign > 0)
        return 0 if self.vanishes(cell) else None

    def side(self, cell: Cell) -> int | None:
        """Return the side of the next unit that the witness is on, None where it is not clear."""
        layer = int(self.layer_of[cell.depth])
        rows, unit = cell.stack[layer], cell.depth - int(self.start_of[layer])
        if cell.witness is None:
            return None
        value = float(rows.slopes[unit] @ cell.witness + rows.offsets[unit])
        if not abs(value) > rows.value_error[unit]:
            return None
        return int(value > 0)

    def child(self, cell: Cell, bit: int, witness: Array | None, bounds: bool = True) -> Cell:
        """Return the cell with the next unit's state added.

        Parameters
        ----------
        cell : Cell
        bit : int
        witness : ndarray or None
            A confirmed point of the child.
        bounds : bool
            Whether the unit bounds the child; not so where it is stable or vanishes.
        """
        layer = int(self.layer_of[cell.depth])
        unit = cell.depth - int(self.start_of[layer])
        bits, norms, stack = cell.bits.copy(), cell.norms, cell.stack
        bits[cell.depth] = bit
        if bounds:
            norms = norms.copy()
            # A constant that is not zero bounds nothing, but its sign has to be right.
            norms[cell.depth] = max(float(stack[layer].norms[unit]), 1e-300)
        depth = cell.depth + 1
        if depth == self.start_of[layer + 1] and depth < self.n_units:
            states = bits[self.start_of[layer] : depth]
            stack = (*stack, self.composer.below(layer, stack[layer], states))
        return Cell(depth, bits, stack, norms, witness, cell.near)

    def decide(self, cell: Cell) -> Cell | None:
        """Return the cell with a point of it, None if it is empty (or flat, if regions count)."""
        # The question that has been answered yes more often goes first: it is mostly the last.
        if self.refuted > self.confirmed:
            self.proof = False
            if self._is_empty(cell):
                return None
            return self._confirmed(cell) or self._exact(cell)
        return self._confirmed(cell) or (None if self._is_empty(cell) else self._exact(cell))

    def parameters(self, cell: Cell) -> Array:
        """Return the best point that is known of a cell that has been decided, shape (d,)."""
        if cell.witness is not None:
            return self.composer.parameters(cell.witness)
        assert cell.near is not None
        return cell.near

    def _confirmed(self, cell: Cell) -> Cell | None:
        self.proof = not self._feasible(self._bounds(cell, self.margin * cell.norms / self.scales))
        if self.proof:
            return None
        point = np.clip(self.lp.values()[self.columns.t], 0.0, 1.0)
        if not self.contains(cell, point):
            return None
        self.confirmed += 1
        return replace(cell, witness=point, near=None)

    def _is_empty(self, cell: Cell) -> bool:
        """Return whether not even the margin's negative can be had."""
        slack = np.maximum(self.margin * cell.norms / self.scales, 10 * FEASIBILITY)
        wanted = self._bounds(cell, np.where(cell.norms > 0, -slack, 0.0))
        empty = (self.proof and self._proved_empty(wanted)) or not self._feasible(wanted)
        self.refuted += empty
        return empty

    def _proved_empty(self, wanted: Array) -> bool:
        """Return whether the multipliers that refuted the margin refute its negative as well."""
        self.column_bounds[:, self.unit_columns] = wanted.reshape(2, -1)
        return self.lp.infeasible_within(*self.column_bounds)

    def add_rows(self, rows: Sequence[Row]) -> None:
        """Add rows over the columns of ``formulation.cells`` to every later linear program."""
        self.lp.add_rows([row.rescaled(self.columns.shift, self.columns.scale) for row in rows])

    def contains(self, cell: Cell, point: Array) -> bool:
        """Return whether a point of the unit box lies in the cell beyond all rounding."""
        for layer, rows in enumerate(cell.stack):
            at = slice(int(self.start_of[layer]), int(self.start_of[layer + 1]))
            bounding = cell.norms[at] > 0
            signed = np.where(cell.bits[at] == 1, 1.0, -1.0) * rows.at(point)
            if (bounding & ~(signed > rows.value_error)).any():
                return False
        return True

    def _exact(self, cell: Cell) -> Cell | None:
        self.state.borderline += 1
        t = self.recheck.cell(cell.bits[: cell.depth], cell.norms[: cell.depth] > 0)
        if t is None:
            return None
        point = self.composer.scaled(t)
        inside = self.contains(cell, point)
        return replace(cell, witness=point if inside else None, near=None if inside else t)

    def _bounds(self, cell: Cell, margin: Array) -> Array:
        """Return bounds of the unit columns that hold the cell's units at a margin, any sign."""
        bits, wanted = cell.bits, self.free.copy()
        low_h, low_hbar, low_z, high_h, high_hbar, high_z = wanted.reshape(6, self.n_units)
        active, inactive = bits == 1, bits == 0
        # A unit that vanishes or is stable may be off its sign by rounding and no more.
        loose = np.where((bits >= 0) & (cell.norms == 0), -10 * FEASIBILITY, margin)
        low_h[active], high_hbar[active], low_z[active] = loose[active], 0.0, 1.0
        low_hbar[inactive], high_h[inactive], high_z[inactive] = loose[inactive], 0.0, 0.0
        np.maximum(high_h, low_h, out=high_h)
        np.maximum(high_hbar, low_hbar, out=high_hbar)
        return wanted

    def _feasible(self, wanted: Array) -> bool:
        low, high = wanted.reshape(2, -1)
        which = np.flatnonzero((wanted != self.current).reshape(2, -1).any(axis=0))
        if which.size:
            self.lp.set_bounds(self.unit_columns[which], low[which], high[which])
            self.current = wanted
        self.state.lps += 1
        return self.lp.solve() is Outcome.OPTIMAL
