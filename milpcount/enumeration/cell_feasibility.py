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

from milpcount.enumeration.highs_programs import WarmLP
from milpcount.enumeration.search import SearchState
from milpcount.formulation.composed import Composed, Composer, LayerRows
from milpcount.formulation.exact_cell import Recheck
from milpcount.formulation.formulate import Formulation
from milpcount.formulation.highs_model import FEASIBILITY, SolveStatus
from milpcount.formulation.linear_program import Row
from milpcount.formulation.piece_distances import Gaps
from milpcount.quantities import Quantity
from milpcount.types import Array

MARGIN = 1e-7
"""Normalised margin below which a cell is borderline; the solver's tolerance is 100 times finer."""


@dataclass(frozen=True, eq=False)
class Cell:
    """The cell of the first `depth` units' pieces.

    Attributes
    ----------
    depth : int
    pieces : ndarray of int16, shape (n_units,)
        -1 beyond `depth`.
    stack : tuple of Composed
        The layers that the pieces reach.
    outputs : tuple of LayerRows
        Of the layers whose units are all decided.
    signs : ndarray of int8, shape (branch rows,)
        What is asked of the rows that bound the cell, 0 for the others: those that are not asked
        for anything, that have one sign on all of the domain, or vanish.
    state : ndarray of int8, shape (distances,)
        1 where a distance (see `formulation.piece_distances`) is held, -1 where it is zero, 0 where
        it is free.
    norms : ndarray, shape (distances,)
        Lengths of the gradients of the rows that bound the cell; 0 for other distances.
    witness : ndarray or None, shape (d,)
        A point, in the unit box, whose position in the cell is confirmed.
    near : ndarray or None, shape (d,)
        Where there is no witness: the parameters nearest to an exact point of the cell.
    """

    depth: int
    pieces: Array
    stack: tuple[Composed, ...]
    outputs: tuple[LayerRows, ...]
    signs: Array
    state: Array
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
        network = formulation.network
        self.composer = Composer(network, formulation.inputs)
        self.gaps = Gaps(network, self.columns)
        self.scales = self.columns.scale[self.gaps.columns]
        self.lp, self.state, self.margin = WarmLP(program), state, margin
        self.column_bounds = np.stack([program.lower, program.upper])
        self.confirmed = self.refuted = 0
        self.proof = False  # whether the last program was infeasible at the margin
        strict = formulation.quantity is Quantity.ACTIVATION_REGIONS
        self.recheck = Recheck(network, formulation.inputs, strict)
        widths = network.widths
        self.layers = network.layers
        self.layer_of = np.repeat(np.arange(len(widths)), widths)
        self.start_of = np.concatenate([[0], np.cumsum(widths)])
        self.n_units = int(self.start_of[-1])
        self._known: dict[int, tuple[int, slice, Array]] = {}
        self.unit_columns = np.concatenate([self.gaps.columns, self.columns.z]).astype(np.int32)
        self.current = np.concatenate(
            [program.lower[self.unit_columns], program.upper[self.unit_columns]]
        )
        self.free = self.current.copy()

    def root(self) -> Cell:
        """Return the cell of no pieces: the whole domain."""
        distances = self.gaps.columns.size
        return Cell(
            0,
            np.full(self.n_units, -1, np.int16),
            (self.composer.layer(0, ()),),
            (),
            np.zeros(int(self.gaps.row_starts[-1]), np.int8),
            np.zeros(distances, np.int8),
            np.zeros(distances),
        )

    def allowed(self, cell: Cell) -> list[int]:
        """Return the pieces of the next unit that are not ruled out without solving anything.

        One alone is left where the unit is stable over the domain, where its rows have one sign on
        the whole box under the pieces above it, and where they vanish: a row that is identically
        zero is not positive.
        """
        unit = cell.depth
        if self.columns.fixed[unit] >= 0:
            return [int(self.columns.fixed[unit])]
        layer, at, asks = self._unit(unit)
        rows = cell.stack[layer].branches
        if len(asks) == 2 and at.stop - at.start == 1:
            # Piece 1 asks for a positive row: most units are such, and this is asked at every node.
            sign = rows.constant_sign[at.start]
            if sign:
                return [int(sign > 0)]
            vanishes = rows.may_vanish[at.start] and self._vanishing(cell)[0]
            return [0] if vanishes else [0, 1]
        signs = rows.constant_sign[at]
        out = ((asks == -signs) & (signs != 0)).any(axis=1)
        if rows.may_vanish[at].any():
            out |= (asks[:, self._vanishing(cell)] > 0).any(axis=1)
        return [int(k) for k in np.flatnonzero(~out)]

    def side(self, cell: Cell) -> int | None:
        """Return the piece of the next unit that the witness is on, None where it is not clear."""
        if cell.witness is None:
            return None
        layer, at, asks = self._unit(cell.depth)
        rows = cell.stack[layer].branches
        values = rows.slopes[at] @ cell.witness + rows.offsets[at]
        unclear = ~(np.abs(values) > rows.value_error[at])
        if unclear.any() and rows.may_vanish[at].any():
            zero = self._vanishing(cell)
            values, unclear = np.where(zero, -1.0, values), unclear & ~zero
        signs = np.where(unclear, 0, np.sign(values)).astype(np.int8)
        on = np.flatnonzero(((asks == signs) | (asks == 0)).all(axis=1))
        return int(on[0]) if on.size else None

    def child(self, cell: Cell, piece: int, witness: Array | None, bounds: bool = True) -> Cell:
        """Return the cell with the next unit's piece added.

        Parameters
        ----------
        cell : Cell
        piece : int
        witness : ndarray or None
            A confirmed point of the child.
        bounds : bool
            Whether the unit bounds the child; not so where no other piece is allowed.
        """
        unit = cell.depth
        layer, at, asks = self._unit(unit)
        pieces, signs, norms = cell.pieces.copy(), cell.signs, cell.norms
        pieces[unit] = piece
        ask, state = self.gaps.ask(unit, piece), cell.state.copy()
        state[ask.zero], state[ask.held] = -1, 1
        if bounds:
            rows, norms, signs = cell.stack[layer].branches, norms.copy(), signs.copy()
            asked = asks[piece].copy()
            asked[asked == rows.constant_sign[at]] = 0
            if (rows.may_vanish[at] & (asked < 0)).any() and asked.size > 1:
                asked[self._vanishing(cell) & (asked < 0)] = 0
            first = int(self.gaps.row_starts[layer])
            signs[first + at.start : first + at.stop] = asked
            own = np.where(ask.row >= 0, ask.row - first, at.start)
            # A constant that is not zero bounds nothing, but its sign has to be right.
            lengths = np.maximum(rows.norms[own], 1e-300)
            bounding = (ask.row >= 0) & (asked[own - at.start] != 0)
            norms[ask.held] = np.where(bounding, lengths, 0.0)
        stack, outputs, depth = cell.stack, cell.outputs, unit + 1
        if depth == self.start_of[layer + 1] and depth < self.n_units:
            own_pieces = pieces[self.start_of[layer] : depth]
            given = self.composer.outputs(layer, stack[layer].values, own_pieces)
            outputs = (*outputs, given)
            stack = (*stack, self.composer.layer(layer + 1, outputs))
        return Cell(depth, pieces, stack, outputs, signs, state, norms, witness, cell.near)

    def _unit(self, unit: int) -> tuple[int, slice, Array]:
        """Return a unit's layer, its branch rows there, and what its pieces ask of them."""
        if unit not in self._known:
            self._known[unit] = self._look_up(unit)
        return self._known[unit]

    def _look_up(self, unit: int) -> tuple[int, slice, Array]:
        layer = int(self.layer_of[unit])
        known, place = self.layers[layer], unit - int(self.start_of[layer])
        table, starts = known.table, known.row_starts
        at = slice(int(starts[place]), int(starts[place + 1]))
        kind, n = int(table.kind[place]), int(known.n_pieces[place])
        return layer, at, table.asks[kind : kind + n, : at.stop - at.start]

    def _vanishing(self, cell: Cell) -> Array:
        """Return which branch rows of the next unit are identically zero on the cell."""
        layer = int(self.layer_of[cell.depth])
        place = cell.depth - int(self.start_of[layer])
        return self.recheck.vanishing(layer, place, cell.pieces)

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
        for layer, composed in enumerate(cell.stack):
            first, stop = self.gaps.row_starts[layer : layer + 2]
            signs, rows = cell.signs[first:stop], composed.branches
            if ((signs != 0) & ~(signs * rows.at(point) > rows.value_error)).any():
                return False
        return True

    def _exact(self, cell: Cell) -> Cell | None:
        self.state.borderline += 1
        t = self.recheck.cell(cell.pieces[: cell.depth], cell.signs)
        if t is None:
            return None
        point = self.composer.scaled(t)
        inside = self.contains(cell, point)
        return replace(cell, witness=point if inside else None, near=None if inside else t)

    def _bounds(self, cell: Cell, margin: Array) -> Array:
        """Return bounds of the units' columns that hold their distances at a margin, any sign."""
        wanted, distances = self.free.copy(), self.gaps.columns.size
        low, high = wanted.reshape(2, -1)
        held, zero = np.flatnonzero(cell.state > 0), np.flatnonzero(cell.state < 0)
        # What bounds nothing may be off its sign by rounding and no more.
        low[held] = np.where(cell.norms[held] == 0, -10 * FEASIBILITY, margin[held])
        high[held] = np.maximum(high[held], low[held])
        low[zero] = high[zero] = 0.0
        decided = np.flatnonzero(self.columns.unit_of < cell.depth)
        on = cell.pieces[self.columns.unit_of[decided]] == self.columns.piece_of[decided]
        low[distances + decided] = high[distances + decided] = on
        return wanted

    def _feasible(self, wanted: Array) -> bool:
        low, high = wanted.reshape(2, -1)
        which = np.flatnonzero((wanted != self.current).reshape(2, -1).any(axis=0))
        if which.size:
            self.lp.set_bounds(self.unit_columns[which], low[which], high[which])
            self.current = wanted
        self.state.lps += 1
        return self.lp.solve() is SolveStatus.OPTIMAL
