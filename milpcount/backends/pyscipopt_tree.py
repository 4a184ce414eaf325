"""SCIP through PySCIPOpt: lazy rows by a constraint handler, in one tree.

The handler stands behind all others, so it sees the solutions that satisfy everything else. It
confirms the pattern on its cell, tells it, and adds a constraint that excludes it (and what the
caller adds) to the problem that is being solved; no solution is ever accepted. When SCIP ends as
infeasible, every pattern has been found. In contrast to the backend ``scip``, the constraints are
SCIP's own: they are propagated and take part in its conflict analysis.

Cells may be as thin as `LEAST_MARGIN`, near the tolerances SCIP is made for: of 370 regions of an
arrangement of 15 planes, it once lost two and called itself done. So it is asked again, with what
was found excluded from the start and without presolving and conflict analysis, until such a search
finds nothing more.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

import numpy as np

from milpcount import optional
from milpcount.backends.backend import (
    Capability,
    OnPattern,
    OnSolution,
    Search,
    SearchState,
    with_rows,
)
from milpcount.backends.no_good import Proposals
from milpcount.backends.quiet import QuietStderr
from milpcount.errors import SolverError
from milpcount.formulation.formulate import Formulation
from milpcount.formulation.highs_model import FEASIBILITY
from milpcount.formulation.linear_program import LinearProgram, Row
from milpcount.limits import Deadline

YIELD_SECONDS = 0.2
ENDED = {
    "infeasible": True,
    "inforunbd": True,
    "timelimit": False,
    "userinterrupt": False,
}
"""Every status that a search without accepted solutions may end in, and whether it is complete; the
program is bounded."""
SETTINGS = {
    "numerics/feastol": FEASIBILITY,
    "misc/catchctrlc": False,  # Ctrl-C belongs to Python
    # What rests on the objective or on symmetry must not remove patterns.
    "misc/allowstrongdualreds": False,
    "misc/allowweakdualreds": False,
    "misc/usesymmetry": 0,
    # A restart would presolve again what solutions were cut off by.
    "presolving/maxrestarts": 0,
    # Cuts that are wrong by rounding cut off thin cells.
    "separating/maxrounds": 0,
    "separating/maxroundsroot": 0,
}
PLAIN = {"presolving/maxrounds": 0, "conflict/enable": False, "randomization/randomseedshift": 1}
"""Further settings of the searches that have to confirm that nothing is left."""


def pyscipopt() -> Any:
    """Return the module.

    Raises
    ------
    NotInstalledError
        If it is missing, or cannot be loaded.
    """
    return optional.require("pyscipopt", "the backend 'pyscipopt'", extra="scip")


class Model:
    """A program in SCIP, solved in a thread of its own.

    Parameters
    ----------
    program : LinearProgram
    deadline : Deadline
    settings : mapping, optional
        Of SCIP, beside `SETTINGS`.

    Attributes
    ----------
    scip : pyscipopt.Model
    variables : list
        In the order of the columns.
    """

    def __init__(
        self, program: LinearProgram, deadline: Deadline, settings: Mapping[str, Any] | None = None
    ) -> None:
        self.module, self.deadline = pyscipopt(), deadline
        self.scip = self.module.Model()
        self.scip.hideOutput()
        self.scip.setParams({**SETTINGS, **(settings or {})})
        columns = zip(program.lower, program.upper, program.integer, strict=True)
        self.variables = [
            self.scip.addVar(lb=float(low), ub=float(high), vtype=_kind(low, high, integer))
            for low, high, integer in columns
        ]
        for i in range(program.n_rows):
            self.add(program.row(i))

    def add(self, row: Row) -> None:
        """Add a row, before the search or while it runs."""
        total = self.module.quicksum(
            value * self.variables[k]
            for value, k in zip(row.coefficients.tolist(), row.columns, strict=True)
        )
        if np.isneginf(row.lower):
            self.scip.addCons(total <= row.upper)
        elif np.isposinf(row.upper):
            self.scip.addCons(total >= row.lower)
        elif row.lower == row.upper:
            self.scip.addCons(total == row.upper)
        else:
            self.scip.addCons((total >= row.lower) <= row.upper)

    def run(self, state: SearchState) -> Iterator[SearchState]:
        """Yield the state while SCIP searches; closing the iterator stops the search."""
        left = self.deadline.remaining()
        if np.isfinite(left):
            self.scip.setParam("limits/time", max(left, 1e-3))
        quiet = QuietStderr()
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(self.scip.optimizeNogil)
            try:
                while not wait([future], YIELD_SECONDS).done:
                    quiet.release()
                    yield state
                    quiet = QuietStderr()
            finally:
                quiet.release()
                while not wait([future], 0).done:
                    self.scip.interruptSolve()
                    wait([future], 0.01)
        future.result()
        state.nodes += int(self.scip.getNTotalNodes())

    def complete(self) -> bool:
        """Return whether the search has ended by itself.

        Raises
        ------
        SolverError
            If SCIP has failed.
        """
        status = str(self.scip.getStatus())
        if status not in ENDED:
            raise SolverError(
                f"SCIP ended with {status!r} although every solution was cut off: count with the "
                "backend 'highs'"
            )
        return ENDED[status]


def _kind(low: float, high: float, integer: bool) -> str:
    """Return SCIP's name of a kind of column; the columns that take up parities reach beyond 1."""
    if not integer:
        return "C"
    return "B" if low >= 0 and high <= 1 else "I"


def handler(module: Any, variables: Sequence[Any], judge: Callable[[list[float]], bool]) -> Any:
    """Return a constraint handler that accepts no solution.

    Parameters
    ----------
    module : module
        PySCIPOpt.
    variables : sequence
        Binary variables; nothing may be concluded about them from the other constraints alone.
    judge : callable
        Takes their values, and returns whether it has added constraints that cut them off.
    """
    result = module.SCIP_RESULT

    class Handler(module.Conshdlr):  # type: ignore[misc]
        def consenfolp(self, constraints: Any, nusefulconss: int, solinfeasible: bool) -> Any:
            added = judge([self.model.getSolVal(None, v) for v in variables])
            return {"result": result.CONSADDED if added else result.INFEASIBLE}

        def consenfops(
            self, constraints: Any, nusefulconss: int, solinfeasible: bool, objinfeasible: bool
        ) -> Any:
            return {"result": result.SOLVELP}

        def conscheck(
            self,
            constraints: Any,
            solution: Any,
            checkintegrality: bool,
            checklprows: bool,
            printreason: bool,
            completely: bool,
        ) -> Any:
            # A heuristic's solution may lie in any cell: it will be met in the tree.
            return {"result": result.INFEASIBLE}

        def conslock(self, constraint: Any, locktype: Any, nlockspos: int, nlocksneg: int) -> None:
            both = nlockspos + nlocksneg
            # Before PySCIPOpt 6.2 SCIP takes the locks off when the model is no longer there.
            with suppress(ReferenceError):
                for variable in variables:
                    self.model.addVarLocks(variable, both, both)

    return Handler()


class HandlerTree:
    """An enumeration by a constraint handler; see the module's text.

    Parameters
    ----------
    formulation : Formulation
    on_solution : callable
        As for `no_good.Proposals`.
    deadline : Deadline
    """

    def __init__(
        self, formulation: Formulation, on_solution: OnSolution, deadline: Deadline
    ) -> None:
        self.proposals = Proposals(formulation, on_solution)
        self.columns, self.state = formulation.columns, self.proposals.state
        self.deadline = deadline
        self.failure: BaseException | None = None
        self.rows: list[Row] = []

    def run(self) -> Iterator[SearchState]:
        """Yield the state while SCIP searches, and at the end.

        Raises
        ------
        SolverError
            If SCIP fails.
        """
        searches = 0
        while not (self.state.stopped or self.state.exhausted):
            known = self.state.solutions
            self.model = self._model(PLAIN if searches else {})
            yield from self.model.run(self.state)
            if self.failure is not None:
                raise self.failure
            if self.state.stopped or not self.model.complete():
                break
            searches += 1
            self.state.details = {"searches": searches}
            self.state.exhausted = searches > 1 and self.state.solutions == known
        yield self.state

    def _model(self, settings: Mapping[str, Any]) -> Model:
        model = Model(self.proposals.program(), self.deadline, settings)
        for row in self.rows:
            model.add(row)
        model.scip.setHeuristics(model.module.SCIP_PARAMSETTING.OFF)
        bits = [model.variables[k] for k in self.columns.z]
        # The least priority of all: what it is asked about satisfies the other constraints.
        model.scip.includeConshdlr(
            handler(model.module, bits, self._judge), "patterns", "excludes what was found",
            enfopriority=-9_999_999, chckpriority=-9_999_999, needscons=False,
        )  # fmt: skip
        return model

    def _judge(self, values: list[float]) -> bool:
        if self.failure is not None or self.state.stopped:
            return False
        try:
            x = np.zeros(len(self.model.variables))
            x[self.columns.z] = values
            rows = self.proposals.judge(self.columns.pattern(x))
            self.rows += rows
            for row in rows:
                self.model.add(row)
        except BaseException as error:  # SCIP's C code would only abort
            self.failure = error
        if self.failure is not None or self.state.stopped:
            self.model.scip.interruptSolve()
        return self.failure is None


class PyScipOpt:
    """The backend ``pyscipopt``: SCIP's tree with a constraint handler, or its own counting."""

    name = "pyscipopt"
    package = "pyscipopt"
    modes: tuple[str, ...] = ("one_tree", "countsols")
    capabilities = frozenset(
        {
            Capability.REAL_COEFFICIENTS,
            Capability.ENUMERATION,
            Capability.LAZY_ROWS,
            Capability.COUNTING,
            Capability.INTERRUPT,
            Capability.PROVES_INFEASIBILITY,
        }
    )

    def require(self) -> None:
        """Import the solver."""
        pyscipopt()

    def search(
        self, formulation: Formulation, on_pattern: OnPattern, mode: str, deadline: Deadline
    ) -> Search:
        """Return an enumeration that has not begun."""
        if mode == "countsols":
            from milpcount.backends.pyscipopt_count import NativeCount

            found: Search = NativeCount(formulation, deadline)
            return found
        return HandlerTree(formulation, with_rows(on_pattern), deadline)
