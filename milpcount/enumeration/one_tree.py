"""One tree over the MILP: branch and bound that does not stop at the first solution.

The solution pool of Danna, Fenelon, Gu and Wunderling (IPCO 2007), reduced to what counting needs:
branch on z in the order of the layers over the linear relaxation, keep every integral leaf, call
`on_solution` there, and enforce the rows that it returns from then on. As every unit above the one
that is branched on is fixed, the cell of a node is decided exactly (see `cell_feasibility`), and
without added rows every node leads to a solution. The point found for a node settles one of its two
children at no cost.
"""

import time
from collections.abc import Iterator

import numpy as np

from milpcount.enumeration.cell_feasibility import MARGIN, Cell, CellOracle
from milpcount.enumeration.parity_system import ParitySystem
from milpcount.enumeration.search import OnPattern, Parity, SearchState, Stop
from milpcount.formulation.formulate import Formulation
from milpcount.formulation.linear_program import Row
from milpcount.limits import Deadline
from milpcount.types import Array

YIELD_SECONDS = 0.1


class OneTree:
    """An enumeration by one tree; see the module's text.

    Parameters
    ----------
    formulation : Formulation
    on_solution : callable
        Called with (pattern, input point) at every leaf. Returns rows over the columns of
        ``formulation.cells`` to be enforced from then on, STOP, or None. Rows over z alone are
        enforced exactly, others within the solver's tolerance; parities, of any length, decide
        units before anything is solved. The point is the best that is
        known; on a cell too thin for floating point it may lie on the cell's border.
    deadline : Deadline, optional
    margin : float
        Normalised margin below which cells are decided exactly.

    Attributes
    ----------
    state : SearchState
    """

    def __init__(
        self,
        formulation: Formulation,
        on_solution: OnPattern,
        *,
        deadline: Deadline | None = None,
        margin: float = MARGIN,
    ) -> None:
        self.formulation, self.on_solution = formulation, on_solution
        self.deadline = deadline or Deadline()
        self.state = SearchState(share=0.0)
        self.oracle = CellOracle(formulation, self.state, margin)
        self.rows: list[Row] = []
        self.parities = ParitySystem()
        # The variables of parities are the columns z but those of first pieces, in their order.
        columns = formulation.columns
        is_later = columns.piece_of > 0
        self.variables = {int(column): k for k, column in enumerate(columns.z[is_later])}
        self.variable_of = columns.unit_of[is_later], columns.piece_of[is_later]
        self.first_of = np.searchsorted(self.variable_of[0], np.arange(self.oracle.n_units + 1))
        self.pending: list[tuple[Cell, float]] = []
        self.closed = 0.0

    def run(self) -> Iterator[SearchState]:
        """Yield the state every tenth of a second and at the end.

        Raises
        ------
        SolverError
            If HiGHS fails.
        """
        self.pending = [(self.oracle.root(), 1.0)]
        last = time.monotonic()
        while self.pending and not self.state.stopped:
            self._process(*self.pending.pop())
            now = time.monotonic()
            if now - last >= YIELD_SECONDS:
                last, self.state.share = now, min(self.closed, 1.0)
                yield self.state
                if self.deadline.passed():
                    return
        self.state.exhausted = not self.state.stopped
        self.state.share = 1.0 if self.state.exhausted else min(self.closed, 1.0)
        yield self.state

    def _process(self, cell: Cell, share: float) -> None:
        self.state.nodes += 1
        added = self.parities.rows or self.parities.is_contradictory
        depth = int(self.first_of[cell.depth])
        if added and not self.parities.allow(self._bits(cell.pieces), depth):
            self.closed += share
            return
        if cell.witness is None or not self._rows_hold(cell):
            decided = self.oracle.decide(cell)
            if decided is None:
                self.closed += share
                return
            cell = decided
        while cell.depth < self.oracle.n_units:
            open_pieces = self.oracle.allowed(cell)
            pieces = [piece for piece in open_pieces if self._has_parity(cell, piece)]
            if len(open_pieces) > 1 or not pieces:
                self._branch(cell, share, pieces)
                return
            cell = self.oracle.child(cell, pieces[0], cell.witness, bounds=False)
        self.closed += share
        self._leaf(cell)

    def _branch(self, cell: Cell, share: float, pieces: list[int]) -> None:
        """Leave the children for later, the one with the witness the soonest."""
        if not pieces:
            self.closed += share
            return
        side = self.oracle.side(cell)
        for piece in sorted(pieces, key=lambda piece: (piece == side, piece)):
            witness = cell.witness if piece == side else None
            self.pending.append((self.oracle.child(cell, piece, witness), share / len(pieces)))

    def _bits(self, pieces: Array) -> Array:
        """Return the values of the variables of parities under pieces."""
        units, own = self.variable_of
        return np.asarray(pieces[units] == own, dtype=np.int8)

    def _has_parity(self, cell: Cell, piece: int) -> bool:
        """Return whether a piece of the next unit agrees with the parities that end with it."""
        if not self.parities.rows:
            return True
        pieces = cell.pieces.copy()
        pieces[cell.depth] = piece
        first, stop = self.first_of[cell.depth : cell.depth + 2].tolist()
        return self.parities.allow(self._bits(pieces), stop, first)

    def _leaf(self, cell: Cell) -> None:
        pattern = tuple(cell.pieces.tolist())
        if self.rows and not self._allowed(cell):
            return
        self.state.solutions += 1
        answer = self.on_solution(pattern, self.formulation.point(self.oracle.parameters(cell)))
        if isinstance(answer, Stop):
            self.state.stopped = True
        elif answer:
            rows = [one for one in answer if not isinstance(one, Parity)]
            if rows:
                self.oracle.add_rows(rows)
                self.rows += rows
            for one in answer:
                if isinstance(one, Parity):
                    self.parities.add([self.variables[c] for c in one.columns], one.odd)
            self.state.rows += len(answer)

    def _rows_hold(self, cell: Cell) -> bool:
        """Whether the leaf that the witness lies in satisfies the rows added so far."""
        if not self.rows:
            return True
        assert cell.witness is not None
        t = self.oracle.composer.parameters(cell.witness)
        pattern = self.formulation.network.pattern(self.formulation.point(t))
        inside = (pattern[: cell.depth] == cell.pieces[: cell.depth]).all()
        return bool(inside) and self._satisfied(self.formulation.solution(t, pattern))

    def _allowed(self, cell: Cell) -> bool:
        # Rows on anything but z were in the linear program that found the leaf.
        x = np.zeros(self.formulation.cells[0].n_columns)
        z = self.oracle.columns.z
        x[z] = self.formulation.columns.indicators(cell.pieces)
        return all(row.holds(x) for row in self.rows if np.isin(row.columns, z).all())

    def _satisfied(self, x: Array) -> bool:
        return all(row.holds(x) for row in self.rows)
