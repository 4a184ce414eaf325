"""Solve the MILP, exclude the pattern it found, solve again: the simplest way to enumerate.

It is slow, and slower with every cut (Serra et al. 2018 have it in one tree instead), but it
shares next to nothing with the other methods, which is what a cross-check is for. The solver
proposes patterns within its tolerances; each is confirmed on its cell before it counts.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from typing import Protocol

import numpy as np

from milpcount.enumeration.cell_feasibility import Cell, CellOracle
from milpcount.enumeration.highs_programs import Solution
from milpcount.enumeration.search import OnSolution, SearchState, Stop
from milpcount.errors import SolverError
from milpcount.formulation.formulate import Formulation
from milpcount.formulation.highs_model import SolveStatus
from milpcount.formulation.linear_program import LinearProgram, Row
from milpcount.formulation.margins import Form, may_cancel
from milpcount.limits import Deadline
from milpcount.types import Array

YIELD_SECONDS = 0.2
LEAST_MARGIN = 1e-7
"""Lower bound of f: cells that are thinner, in units of the typical slopes, are not proposed."""


class Solver(Protocol):
    """A mixed-integer program that is solved again as rows are added.

    Attributes
    ----------
    inline : bool
        Whether it is solved in the calling thread, because it cannot be cancelled from another:
        Ctrl-C then reaches it directly.
    """

    inline: bool

    def solve(self, seconds: float) -> Solution:
        """Solve within a time limit."""

    def add_rows(self, rows: Sequence[Row]) -> None:
        """Add rows, which hold from now on."""

    def cancel(self) -> None:
        """Make a solve in another thread return soon."""


class Proposals:
    """What becomes of the patterns that a MILP solver proposes.

    Parameters
    ----------
    formulation : Formulation
    on_solution : callable
        As for `one_tree.OneTree`; its rows are over the columns of ``formulation.cells``, which
        come first in ``formulation.program`` too.

    Attributes
    ----------
    state : SearchState
    """

    def __init__(self, formulation: Formulation, on_solution: OnSolution) -> None:
        self.formulation, self.on_solution = formulation, on_solution
        self.state = SearchState()
        self.oracle = CellOracle(formulation, self.state)
        columns = formulation.columns
        # What a pattern is told by: of several pieces the one that is on, whose z is 1.
        free = np.flatnonzero(columns.fixed[columns.unit_of] < 0)
        # Where nothing is free, a cut without columns is one that some solvers refuse.
        self.free = free if free.size else np.zeros(1, dtype=np.intp)
        self.alone = np.diff(columns.z_starts)[columns.unit_of] == 1

    def program(self, margin: float = LEAST_MARGIN) -> LinearProgram:
        """Return what is to be solved, in scaled columns.

        Rows of the two-sided form that would leave out regions on which a unit vanishes by some
        cancellation are left out themselves: what is proposed in their place is confirmed or not.
        """
        columns, program = self.formulation.columns, feasibility_program(self.formulation, margin)
        if self.formulation.form is Form.TWO_SIDED:
            network = self.formulation.network
            lost = [may_cancel(network, label) for label in program.labels]
            program = program.without(np.array(lost, dtype=bool))
        return program.rescaled(columns.shift, columns.scale)

    def judge(self, pattern: tuple[int, ...], values: Array | None = None) -> list[Row]:
        """Confirm a pattern, tell it, and return the rows that have to be added, scaled.

        Parameters
        ----------
        pattern : tuple of int
        values : ndarray, optional
            Of the scaled columns, as the solver proposes them: a point that lies inside the cell
            beyond all rounding needs no linear program.
        """
        cell = self._confirm(pattern, values)
        on = self.formulation.columns.indicators(np.array(pattern))
        told = self.free[self.alone[self.free] | (on[self.free] == 1)]
        told = told if told.size else self.free
        rows = [no_good(self.formulation.columns.z, on.tolist(), told)]
        if cell is None:
            self.state.rejected += 1
        else:
            rows += self._tell(pattern, cell)
        columns = self.formulation.columns
        return [row.rescaled(columns.shift, columns.scale) for row in rows]

    @cached_property
    def _root(self) -> Cell:
        """The cell of no pieces, whose rows are composed once."""
        return self.oracle.root()

    def _confirm(self, pattern: tuple[int, ...], values: Array | None) -> Cell | None:
        cell = self._root
        for piece in pattern:
            allowed = self.oracle.allowed(cell)
            if piece not in allowed:
                return None
            cell = self.oracle.child(cell, piece, None, bounds=len(allowed) > 1)
        if values is not None:
            point = np.clip(values[self.formulation.columns.t], 0.0, 1.0)
            if self.oracle.contains(cell, point):
                return replace(cell, witness=point, near=None)
        return self.oracle.decide(cell)

    def _tell(self, pattern: tuple[int, ...], cell: Cell) -> list[Row]:
        self.state.solutions += 1
        point = self.formulation.point(self.oracle.parameters(cell))
        answer = self.on_solution(pattern, point)
        if isinstance(answer, Stop):
            self.state.stopped = True
            return []
        self.state.rows += len(answer or ())
        return list(answer or ())


class NoGoods:
    """An enumeration by no-good cuts; see the module's text.

    Parameters
    ----------
    formulation : Formulation
    on_solution : callable
        As for `Proposals`.
    solver : callable
        Makes a `Solver` of a program.
    deadline : Deadline, optional
    margin : float
        Lower bound of f; 0 for solvers whose tolerance is not far below `LEAST_MARGIN`, which
        propose more then, and lose nothing.
    second : callable, optional
        Makes the `Solver` that has to agree that nothing is left.
    """

    def __init__(
        self,
        formulation: Formulation,
        on_solution: OnSolution,
        solver: Callable[[LinearProgram], Solver],
        *,
        deadline: Deadline | None = None,
        margin: float = LEAST_MARGIN,
        second: Callable[[LinearProgram], Solver] | None = None,
    ) -> None:
        self.proposals = Proposals(formulation, on_solution)
        self.state, self.columns = self.proposals.state, formulation.columns
        self.deadline = deadline or Deadline()
        self.program = self.proposals.program(margin)
        self.solver, self.second = solver(self.program), second
        self.rows: list[Row] = []

    def run(self) -> Iterator[SearchState]:
        """Yield the state while a solve runs, after each, and at the end.

        Raises
        ------
        SolverError
            If the solver fails.
        """
        while not self.state.stopped:
            answer = yield from self._solve(self.solver)
            self.state.milps += 1
            self.state.nodes += answer.nodes
            if answer.values is None and answer.outcome is SolveStatus.INFEASIBLE and self.second:
                answer = yield from self._second_opinion(self.second)
            if answer.values is None:
                self.state.exhausted = answer.outcome is SolveStatus.INFEASIBLE
                break
            rows = self.proposals.judge(self.columns.pattern(answer.values))
            self.solver.add_rows(rows)
            self.rows += rows
            if self.solver.inline:
                yield self.state
            if self.deadline.passed():
                break
        yield self.state

    def _second_opinion(
        self, second: Callable[[LinearProgram], Solver]
    ) -> Generator[SearchState, None, Solution]:
        """Return what another solver says; a pattern that is left is a mistake of the first."""
        other, confirmed = second(self.program), self.state.solutions
        other.add_rows(self.rows)
        while True:
            answer = yield from self._solve(other)
            self.state.milps += 1
            if answer.values is None:
                return answer
            pattern = self.columns.pattern(answer.values)
            other.add_rows(self.proposals.judge(pattern))
            if self.state.solutions > confirmed:
                raise SolverError(
                    f"the solver calls the MILP infeasible, but the pattern {pattern} is attained: "
                    "its counts cannot be trusted; count with the backend 'highs'"
                )

    def _solve(self, solver: Solver) -> Generator[SearchState, None, Solution]:
        if solver.inline:
            return solver.solve(self.deadline.remaining())
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(solver.solve, self.deadline.remaining())
            try:
                yield from self._wait(future)
            finally:
                if not future.done():
                    solver.cancel()
        return future.result()

    def _wait(self, future: "Future[Solution]") -> Iterator[SearchState]:
        last = time.monotonic()
        while not future.done():
            time.sleep(0.0005)
            if time.monotonic() - last > YIELD_SECONDS:
                last = time.monotonic()
                yield self.state


def feasibility_program(formulation: Formulation, margin: float = LEAST_MARGIN) -> LinearProgram:
    """Return the formulation with f at least a margin and nothing to maximise."""
    program, f = formulation.program, formulation.columns.f
    lower = program.lower.copy()
    lower[f] = margin
    return replace(program, lower=lower, objective=np.zeros(program.n_columns))


def no_good(columns: Array, pattern: Sequence[int], free: Array) -> Row:
    """Return the cut that excludes one pattern and nothing else.

    Parameters
    ----------
    columns : ndarray of int32
        The z columns.
    pattern : sequence of int
        Their values.
    free : ndarray of int
        Which of them tell the pattern from others: those of units of two pieces that may vary and,
        of other units, that of the piece that is on.

    Returns
    -------
    Row
        ``sum over ones of z - sum over zeros of z <= ones - 1``.
    """
    ones = np.asarray(pattern)[free] == 1
    return Row(columns[free], np.where(ones, 1.0, -1.0), -np.inf, float(ones.sum() - 1))
