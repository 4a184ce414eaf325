"""CPLEX's solution pool: populate at the highest intensity, with no limit on the pool."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from milpcount import optional
from milpcount.backends.native_pools import CAPABILITIES, NativePool
from milpcount.enumeration.search import OnPattern, Search, with_rows
from milpcount.errors import NotInstalledError, SolverError
from milpcount.formulation.formulate import Formulation
from milpcount.formulation.highs_model import FEASIBILITY
from milpcount.formulation.linear_program import LinearProgram
from milpcount.limits import Deadline
from milpcount.types import Array

_MOST = 2_100_000_000
COMPLETE = ("optimal_populated", "optimal_populated_tolerance", "MIP_infeasible",
            "MIP_infeasible_or_unbounded", "infeasible", "infeasible_or_unbounded")  # fmt: skip
"""Statuses that say that nothing is left; the program is bounded."""
_TOO_LARGE = 1016
"""CPLEX's error where its Community Edition has a smaller limit."""


def cplex() -> Any:
    """Return the module.

    Raises
    ------
    NotInstalledError
        If it is missing, or cannot be loaded.
    """
    return optional.require("cplex", "the backend 'cplex'", extra="cplex")


class Model:
    """A program in CPLEX; see `native_pools.Pool`."""

    def __init__(self, program: LinearProgram) -> None:
        self.module, self.nodes = cplex(), 0
        self.model = model = self.module.Cplex()
        for stream in (model.set_log_stream, model.set_results_stream,
                       model.set_warning_stream, model.set_error_stream):  # fmt: skip
            stream(None)
        self.aborter = model.use_aborter(self.module.Aborter())
        _set_parameters(model.parameters)
        infinity = self.module.infinity
        model.variables.add(
            lb=np.clip(program.lower, -infinity, infinity).tolist(),
            ub=np.clip(program.upper, -infinity, infinity).tolist(),
            types="".join("B" if whole else "C" for whole in program.integer),
        )
        rows = [program.row(i) for i in range(program.n_rows)]
        pairs = [([int(k) for k in row.columns], row.coefficients.tolist()) for row in rows]
        for sense, sides in (("L", program.row_upper), ("G", program.row_lower)):
            chosen = np.flatnonzero(np.isfinite(sides))
            model.linear_constraints.add(
                lin_expr=[self.module.SparsePair(*pairs[i]) for i in chosen],
                senses=sense * len(chosen),
                rhs=sides[chosen].tolist(),
            )

    def solve(self, seconds: float, found: Callable[[Array], None]) -> str | None:
        """Enumerate; see `native_pools.Pool`. All is told at the end."""
        model = self.model
        if np.isfinite(seconds):
            model.parameters.timelimit.set(max(seconds, 1e-3))
        try:
            model.populate_solution_pool()
        except self.module.exceptions.CplexError as error:
            raise _problem(error) from error
        self.nodes = int(model.solution.progress.get_num_nodes_processed())
        for number in range(model.solution.pool.get_num()):
            found(np.array(model.solution.pool.get_values(number)))
        status = model.solution.status[model.solution.get_status()]
        return None if status in COMPLETE else str(status)

    def cancel(self) -> None:
        """End soon."""
        self.aborter.abort()


def _set_parameters(parameters: Any) -> None:
    parameters.threads.set(1)
    parameters.mip.pool.intensity.set(4)
    parameters.mip.pool.capacity.set(_MOST)
    parameters.mip.limits.populate.set(_MOST)
    parameters.simplex.tolerances.feasibility.set(FEASIBILITY)
    parameters.mip.tolerances.integrality.set(0.0)


def _problem(error: Any) -> Exception:
    """Return what is wrong in one line: the free edition is too small, or a failure."""
    said = " ".join(str(error).split())
    if f"CPLEX Error  {_TOO_LARGE}" in str(error):
        return NotInstalledError(
            "the backend 'cplex'", "cplex", kind="licence", state=f"does not do here ({said})",
            command="count a smaller network, or see the instructions of its maker",
        )  # fmt: skip
    return SolverError(f"CPLEX failed ({said}): count with the backend 'highs'")


class Cplex:
    """The backend ``cplex``: its solution pool, by populate."""

    name = "cplex"
    package = "cplex"
    modes: tuple[str, ...] = ("populate",)
    affordable: Mapping[str, int] = {}  # not beyond the size that comes without a licence
    capabilities = CAPABILITIES

    def require(self) -> None:
        """Import the solver."""
        cplex()

    def search(
        self, formulation: Formulation, on_pattern: OnPattern, mode: str, deadline: Deadline
    ) -> Search:
        """Return an enumeration that has not begun."""
        return NativePool(formulation, with_rows(on_pattern), Model, deadline, "CPLEX")
