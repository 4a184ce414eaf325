"""SCIP in one tree: every pattern it proposes is cut off by a lazy row while it searches.

The SCIP inside ortools takes lazy constraints through MathOpt. A solution is handed to the
callback before it is accepted; the callback confirms its pattern on its cell, tells it, and
returns a no-good row (and what the caller adds), so that no solution is ever accepted. When SCIP
ends as infeasible, every pattern has been found.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import numpy as np

from milpcount import optional
from milpcount.backends.backend import Capability
from milpcount.backends.scip_search import (
    BOOL_SETTINGS,
    INT_SETTINGS,
    REAL_SETTINGS,
    bounded,
    in_a_thread,
)
from milpcount.enumeration.no_good import Proposals
from milpcount.enumeration.search import OnPattern, OnSolution, Search, SearchState, with_rows
from milpcount.errors import OptionError, SolverError
from milpcount.formulation.formulate import Formulation
from milpcount.formulation.linear_program import LinearProgram, Row
from milpcount.limits import Deadline

LAZY_ENGINES = ("GSCIP",)
"""Solvers of MathOpt that are known to enforce lazy rows."""
EXHAUSTED = {
    "INFEASIBLE": True,
    "INFEASIBLE_OR_UNBOUNDED": True,
    "NO_SOLUTION_FOUND": False,
}
"""Every reason for which a search without accepted solutions may end, and whether it is complete;
the program is bounded."""


def mathopt() -> Any:
    """Return the module of MathOpt.

    Raises
    ------
    NotInstalledError
        If it is missing, or cannot be loaded.
    """
    return optional.require("ortools.math_opt.python.mathopt", "the backend 'scip'")


def _interrupter() -> Any:
    return optional.load("ortools.util.python.solve_interrupter").SolveInterrupter()


class LazyTree:
    """An enumeration in SCIP's tree; see the module's text.

    Parameters
    ----------
    formulation : Formulation
    on_solution : callable
        As for `no_good.Proposals`.
    deadline : Deadline
    engine : str
        A solver of MathOpt.

    Raises
    ------
    OptionError
        If the engine does not enforce lazy rows.
    """

    def __init__(
        self,
        formulation: Formulation,
        on_solution: OnSolution,
        deadline: Deadline,
        engine: str = "GSCIP",
    ) -> None:
        if engine not in LAZY_ENGINES:
            raise OptionError(
                f"MathOpt's solver {engine!r} cannot enumerate: HIGHS drops lazy rows in silence "
                f"and returns wrong optima, others refuse them; take {', '.join(LAZY_ENGINES)}"
            )
        self.module, self.engine, self.deadline = mathopt(), engine, deadline
        self.proposals = Proposals(formulation, on_solution)
        self.columns, self.state = formulation.columns, self.proposals.state
        self.model, self.variables = to_mathopt(self.module, self.proposals.program())
        self.failure: BaseException | None = None
        self.interrupter = _interrupter()

    def run(self) -> Iterator[SearchState]:
        """Yield the state while SCIP searches, and at the end.

        Raises
        ------
        SolverError
            If SCIP fails.
        """
        result = yield from in_a_thread(self._solve, self.interrupter.interrupt, self.state)
        if self.failure is not None:
            raise self.failure
        self._end(result)
        yield self.state

    def _end(self, result: Any) -> None:
        reason = result.termination.reason.name
        self.state.nodes = int(result.solve_stats.node_count)
        if self.state.stopped or self.deadline.passed():
            return
        if reason not in EXHAUSTED:
            raise SolverError(
                f"SCIP ended with {reason!r} ({result.termination.detail or 'no detail'}) although "
                "every solution was cut off: count with the backend 'highs'"
            )
        self.state.exhausted = EXHAUSTED[reason]

    def _solve(self) -> Any:
        events = {self.module.Event.MIP_SOLUTION}
        return self.module.solve(
            self.model,
            getattr(self.module.SolverType, self.engine),
            params=self._parameters(),
            callback_reg=self.module.CallbackRegistration(events=events, add_lazy_constraints=True),
            cb=self._on_solution,
            interrupter=self.interrupter,
        )

    def _parameters(self) -> Any:
        left = self.deadline.remaining()
        limit = timedelta(seconds=max(left, 1e-3)) if np.isfinite(left) else None
        found = self.module.SolveParameters(time_limit=limit, threads=1)
        settings = found.gscip
        settings.real_params.update(REAL_SETTINGS)
        settings.bool_params.update(BOOL_SETTINGS)
        settings.int_params.update(INT_SETTINGS)
        if self.columns.z.size > self.columns.fixed.size:
            # With rows of several z that sum to one, presolving and lazy rows of XORs together have
            # lost patterns: of a max pool of 16 regions, 3 that satisfied all of them.
            settings.int_params["presolving/maxrounds"] = 0
        return found

    def _on_solution(self, data: Any) -> Any:
        answer = self.module.CallbackResult()
        try:
            for row in self._rows(data.solution):
                answer.add_lazy_constraint(_bounded(self.variables, row))
        except BaseException as error:  # SCIP's C code would only abort
            self.failure = error
        if self.failure is not None or self.state.stopped:
            self.interrupter.interrupt()
            answer.terminate = True
        return answer

    def _rows(self, solution: Any) -> list[Row]:
        if self.state.stopped or self.failure is not None:
            return []
        x = np.zeros(len(self.variables))
        for k in self.columns.z:
            x[k] = solution[self.variables[k]]
        return self.proposals.judge(self.columns.pattern(x))


def to_mathopt(module: Any, program: LinearProgram) -> tuple[Any, list[Any]]:
    """Return a program as a MathOpt model, and its variables in the order of the columns."""
    model = module.Model()
    columns = zip(program.lower, program.upper, program.integer, strict=True)
    variables = [
        model.add_variable(lb=float(low), ub=float(high), is_integer=bool(integer))
        for low, high, integer in columns
    ]
    for i in range(program.n_rows):
        model.add_linear_constraint(_bounded(variables, program.row(i)))
    model.maximize(
        sum(c * v for c, v in zip(program.objective.tolist(), variables, strict=True) if c)
    )
    return model, variables


def _bounded(variables: list[Any], row: Row) -> Any:
    terms = zip(row.coefficients.tolist(), row.columns, strict=True)
    return bounded(sum(value * variables[k] for value, k in terms), row)


class Scip:
    """The backend ``scip``: one tree, with lazy rows, in the SCIP that ortools brings."""

    name = "scip"
    package = "ortools"
    modes: tuple[str, ...] = ("one_tree",)
    affordable: Mapping[str, int] = {"one_tree": 5_000}
    capabilities = frozenset(
        {
            Capability.REAL_COEFFICIENTS,
            Capability.ENUMERATION,
            Capability.LAZY_ROWS,
            Capability.INTERRUPT,
            Capability.PROVES_INFEASIBILITY,
        }
    )

    def require(self) -> None:
        """Import the solver."""
        mathopt()

    def search(
        self, formulation: Formulation, on_pattern: OnPattern, mode: str, deadline: Deadline
    ) -> Search:
        """Return an enumeration that has not begun."""
        return LazyTree(formulation, with_rows(on_pattern), deadline)
