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
from contextlib import suppress
from typing import Any

import numpy as np

from milpcount.backends.backend import Capability
from milpcount.backends.pyscipopt_count import NativeCount
from milpcount.backends.pyscipopt_model import Model, pyscipopt
from milpcount.enumeration.no_good import Proposals
from milpcount.enumeration.search import OnPattern, OnSolution, Search, SearchState, with_rows
from milpcount.formulation.formulate import Formulation
from milpcount.formulation.linear_program import Row
from milpcount.limits import Deadline

PLAIN = {"presolving/maxrounds": 0, "conflict/enable": False, "randomization/randomseedshift": 1}
"""Further settings of the searches that have to confirm that nothing is left."""


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
    affordable: Mapping[str, int] = {"one_tree": 5_000, "countsols": 5_000}
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
            return NativeCount(formulation, deadline)
        return HandlerTree(formulation, with_rows(on_pattern), deadline)
