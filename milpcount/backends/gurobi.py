"""Gurobi's solution pool: PoolSearchMode 2, the n best solutions with n beyond any count."""

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

PARAMETERS: dict[str, Any] = {
    "OutputFlag": 0,
    "Threads": 1,
    "PoolSearchMode": 2,
    "PoolSolutions": 2_000_000_000,
    "FeasibilityTol": FEASIBILITY,
    "IntFeasTol": FEASIBILITY,
}
COMPLETE = ("OPTIMAL", "INFEASIBLE", "INF_OR_UNBD")
"""Statuses that say that nothing is left; the program is bounded. With none to be found it is
infeasible."""


def gurobipy() -> Any:
    """Return the module.

    Raises
    ------
    NotInstalledError
        If it is missing, or cannot be loaded.
    """
    return optional.require("gurobipy", "the backend 'gurobi'", extra="gurobi")


class Model:
    """A program in Gurobi; see `native_pools.Pool`."""

    def __init__(self, program: LinearProgram) -> None:
        self.module, self.nodes = gurobipy(), 0
        self.model = _empty(self.module)
        for name, value in PARAMETERS.items():
            self.model.setParam(name, value)
        kinds = np.where(program.integer, "B", "C")
        self.columns = self.model.addMVar(
            program.n_columns, lb=program.lower, ub=program.upper, vtype=kinds
        )
        from scipy.sparse import csr_array

        shape = (program.n_rows, program.n_columns)
        rows = csr_array((program.values, program.indices, program.starts), shape=shape)
        for sense, sides in (("<", program.row_upper), (">", program.row_lower)):
            chosen = np.flatnonzero(np.isfinite(sides))
            if chosen.size:
                self.model.addMConstr(rows[chosen], self.columns, sense, sides[chosen])
        self.model.update()

    def solve(self, seconds: float, found: Callable[[Array], None]) -> str | None:
        """Enumerate; see `native_pools.Pool`."""
        if np.isfinite(seconds):
            self.model.setParam("TimeLimit", max(seconds, 1e-3))
        constants = self.module.GRB

        def told(model: Any, where: int) -> None:
            if where == constants.Callback.MIPSOL:
                found(np.array(model.cbGetSolution(self.columns)))

        try:
            self.model.optimize(told)
        except self.module.GurobiError as error:
            raise _problem(self.module, error) from error
        self.nodes = int(self.model.NodeCount)
        # The callback is a view of the search; the pool is what it has found.
        for number in range(self.model.SolCount):
            self.model.setParam("SolutionNumber", number)
            found(np.array(self.columns.Xn))
        names = [name for name in dir(constants.Status) if name.isupper()]
        statuses = {getattr(constants.Status, name): name for name in names}
        status = statuses.get(self.model.Status, str(self.model.Status))
        return None if status in COMPLETE else status

    def cancel(self) -> None:
        """End soon."""
        self.model.terminate()


def _empty(module: Any) -> Any:
    """Return an empty model whose environment writes nothing."""
    try:
        environment = module.Env(params={"OutputFlag": 0})
        return module.Model(env=environment)
    except module.GurobiError as error:
        raise _problem(module, error) from error


def _problem(module: Any, error: Any) -> Exception:
    """Return what is wrong in one line: a licence that is missing or too small, or a failure."""
    licence = (module.GRB.Error.NO_LICENSE, module.GRB.Error.SIZE_LIMIT_EXCEEDED)
    if error.errno in licence:
        return NotInstalledError(
            "the backend 'gurobi'", "gurobi", kind="licence",
            state=f"does not do here ({error.message})",
            command="count a smaller network, or see the instructions of its maker",
        )  # fmt: skip
    return SolverError(f"Gurobi failed ({error.message}): count with the backend 'highs'")


class Gurobi:
    """The backend ``gurobi``: its solution pool, PoolSearchMode 2."""

    name = "gurobi"
    package = "gurobipy"
    modes: tuple[str, ...] = ("pool",)
    affordable: Mapping[str, int] = {}  # not beyond the size that comes without a licence
    capabilities = CAPABILITIES

    def require(self) -> None:
        """Import the solver, and ask for its licence."""
        _empty(gurobipy()).dispose()

    def search(
        self, formulation: Formulation, on_pattern: OnPattern, mode: str, deadline: Deadline
    ) -> Search:
        """Return an enumeration that has not begun."""
        return NativePool(formulation, with_rows(on_pattern), Model, deadline, "Gurobi")
