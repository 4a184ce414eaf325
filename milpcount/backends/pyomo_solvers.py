"""Any solver that Pyomo reaches: the MILP is solved again with a no-good row for every pattern.

Pyomo's newer interfaces keep the solver's model between solves and are taken where there is one;
the older ones write a file for every solve. Both run in the calling thread, for Pyomo redirects
the output of the whole process while a solver runs, and Ctrl-C has to reach the solver.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from shutil import which
from typing import Any

import numpy as np

from milpcount import interrupts, optional
from milpcount.backends import registry
from milpcount.backends.backend import Capability
from milpcount.enumeration.highs_programs import MIXED_INTEGER, MixedInteger, Solution
from milpcount.enumeration.no_good import LEAST_MARGIN, NoGoods
from milpcount.enumeration.search import OnPattern, Search, with_rows
from milpcount.errors import NotInstalledError, OptionError, SolverError
from milpcount.formulation.formulate import Formulation
from milpcount.formulation.highs_model import FEASIBILITY, SolveStatus
from milpcount.formulation.linear_program import LinearProgram, Row
from milpcount.limits import Deadline

OPTIONS: dict[str, dict[str, Any]] = {
    "highs": {
        # HiGHS 1.14's presolve ends small big-M programs with wrong optima, or as infeasible.
        "presolve": "off",
        "primal_feasibility_tolerance": FEASIBILITY,
        "dual_feasibility_tolerance": FEASIBILITY,
        "small_matrix_value": 1e-12,
        **MIXED_INTEGER,
    },
    "scip": {"numerics/feastol": FEASIBILITY},
    "gurobi": {"FeasibilityTol": FEASIBILITY, "IntFeasTol": FEASIBILITY},
}
FINE = ("highs", "scip", "gurobi")
"""Solvers whose tolerance can be set far below the least margin. With a margin near its tolerance,
CBC calls programs infeasible that are not."""
OUTCOMES = {
    "convergenceCriteriaSatisfied": SolveStatus.OPTIMAL,
    "optimal": SolveStatus.OPTIMAL,
    "globallyOptimal": SolveStatus.OPTIMAL,
    "feasible": SolveStatus.LIMIT,
    "provenInfeasible": SolveStatus.INFEASIBLE,
    "infeasible": SolveStatus.INFEASIBLE,
    "infeasibleOrUnbounded": SolveStatus.INFEASIBLE,
    "maxTimeLimit": SolveStatus.LIMIT,
    "intermediateNonInteger": SolveStatus.LIMIT,  # CBC, out of time before its first solution
    "iterationLimit": SolveStatus.LIMIT,
    "maxIterations": SolveStatus.LIMIT,
    "maxEvaluations": SolveStatus.LIMIT,
    "objectiveLimit": SolveStatus.LIMIT,
    "minFunctionValue": SolveStatus.LIMIT,
    "interrupted": SolveStatus.INTERRUPTED,
    "userInterrupt": SolveStatus.INTERRUPTED,
    "resourceInterrupt": SolveStatus.LIMIT,
}
"""What Pyomo's termination conditions mean here, where every program is bounded; one that is not
listed is a failure."""

ABSENT = "is not installed"
STATES = {
    "BadLicense": "is installed without a valid licence",
    "BadVersion": "is installed in a version that Pyomo does not take",
    "NeedsCompiledExtension": "needs an extension that Pyomo has to compile",
}
"""What Pyomo says of a solver that is there and cannot be used."""


def outcome(condition: Any) -> SolveStatus:
    """Return what a termination condition of Pyomo means.

    Raises
    ------
    SolverError
        If the solver failed.
    """
    try:
        return OUTCOMES[condition.name]
    except KeyError:
        raise SolverError(
            f"a solver behind Pyomo ended with {condition.name!r}: count with the backend 'highs', "
            "or with another solver"
        ) from None


class PyomoModel:
    """A mixed-integer program in Pyomo that is solved again as rows are added.

    Parameters
    ----------
    program : LinearProgram
    name : str
        Of the solver.
    """

    inline = True

    def __init__(self, program: LinearProgram, name: str) -> None:
        self.pyo = pyo = optional.load("pyomo.environ")
        self.name = name
        self.interface, self.is_new = find(name)
        self.model = pyo.ConcreteModel()
        self.model.x = pyo.Var(range(program.n_columns), domain=pyo.Reals)
        self.columns = [self.model.x[k] for k in range(program.n_columns)]
        for variable, low, high, integer in zip(
            self.columns, program.lower, program.upper, program.integer, strict=True
        ):
            variable.domain = pyo.Integers if integer else pyo.Reals
            variable.setlb(float(low))
            variable.setub(float(high))
        self.model.rows = pyo.ConstraintList()
        self.model.goal = pyo.Objective(expr=0.0)
        self.add_rows([program.row(i) for i in range(program.n_rows)])
        self.spent = 0.0

    def add_rows(self, rows: Sequence[Row]) -> None:
        """Add rows, which hold from now on."""
        expression = optional.load("pyomo.core.expr").LinearExpression
        for row in rows:
            which = [self.columns[k] for k in row.columns]
            total = expression(
                constant=0.0, linear_coefs=row.coefficients.tolist(), linear_vars=which
            )
            if row.lower == row.upper:
                self.model.rows.add(total == row.upper)
            else:
                low = None if np.isneginf(row.lower) else row.lower
                high = None if np.isposinf(row.upper) else row.upper
                self.model.rows.add((low, total, high))

    def cancel(self) -> None:
        """Do nothing: the solver runs in the calling thread."""

    def solve(self, seconds: float) -> Solution:
        """Solve within a time limit.

        Raises
        ------
        SolverError
            If the solver fails.
        KeyboardInterrupt
            On Ctrl-C, whatever Pyomo has made of it.
        """
        crash = optional.load("pyomo.common.errors").ApplicationError
        with quiet():
            try:
                return self._new(seconds) if self.is_new else self._old(seconds)
            except Exception as error:
                interrupts.look()  # what redirects the output keeps the name of an exception only
                # Where Pyomo removes a file, `except WindowsError` makes a NameError of it.
                if _is_interrupt(error):
                    raise KeyboardInterrupt from None
                if not isinstance(error, crash):
                    raise
                raise SolverError(
                    f"the solver {self.name!r} behind Pyomo crashed ({error}): count with the "
                    "backend 'highs', or with another solver"
                ) from None

    def _new(self, seconds: float) -> Solution:
        options = {
            "load_solutions": False,
            "raise_exception_on_nonoptimal_result": False,
            "solver_options": dict(_options(self.name)),
        }
        if np.isfinite(seconds):
            # HiGHS adds up its run times, and the limit is on the sum.
            options["time_limit"] = max(seconds, 0.01) + self.spent
        results = self.interface.solve(self.model, **options)
        self.spent += results.timing_info.wall_time or 0.0 if "highs" in self.name else 0.0
        found = results.solution_status.name in ("feasible", "optimal")
        if found:
            results.solution_loader.load_vars()
        return self._solution(outcome(results.termination_condition), found)

    def _old(self, seconds: float) -> Solution:
        options: dict[str, Any] = {"load_solutions": False, "options": _options(self.name)}
        if np.isfinite(seconds):
            options["timelimit"] = max(1, int(np.ceil(seconds)))  # some take whole seconds only
        results = self.interface.solve(self.model, **options)
        condition = results.solver.termination_condition
        ended = outcome(condition)
        # CBC leaves the values of its last step where it has no solution.
        nothing = ended is SolveStatus.INFEASIBLE or condition.name == "intermediateNonInteger"
        found = len(results.solution) > 0 and not nothing
        if found:
            self.model.solutions.load_from(results)
        return self._solution(ended, found)

    def _solution(self, ended: SolveStatus, found: bool) -> Solution:
        if ended is SolveStatus.OPTIMAL and not found:
            raise SolverError(f"Pyomo's solver {self.name!r} ended as optimal without a solution")
        # A column in no row, or fixed, may come back without a value; no pattern needs it.
        values = [v.value if v.value is not None else v.lb for v in self.columns]
        return Solution(ended, np.array(values, dtype=float) if found else None, np.nan, 0)


def _is_interrupt(error: BaseException | None) -> bool:
    """Return whether an exception, or one that it hides, is Ctrl-C."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__context__
    return False


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Pyomo's log down: infeasible, which is how every count ends, is a warning there."""
    import logging

    log = logging.getLogger("pyomo")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def _options(name: str) -> dict[str, Any]:
    return next((found for key, found in OPTIONS.items() if key in name), {})


def _executable(name: str) -> dict[str, str]:
    """Return where a solver is that is not on the path, as options of Pyomo.

    CBC comes with the package pulp (the extra ``cbc``); one on the path goes first.
    """
    if name != "cbc" or which("cbc"):
        return {}
    pulp = optional.find("pulp", "the backend 'pyomo:cbc'", extra="cbc")
    bundled = pulp and which(pulp.PULP_CBC_CMD.pulp_cbc_path)
    return {"executable": bundled} if bundled else {}


def find(name: str) -> tuple[Any, bool]:
    """Return Pyomo's interface to a solver, and whether it is one of the newer ones.

    Raises
    ------
    NotInstalledError
        If Pyomo or the solver is missing, or cannot be loaded.
    OptionError
        If Pyomo does not know the solver.
    """
    what = f"the backend 'pyomo:{name}'"
    pyo = optional.require("pyomo.environ", what)
    factory = optional.require("pyomo.contrib.solver.common.factory", what).SolverFactory
    states = []
    for candidate in (f"{name}_persistent", name, f"{name}_direct"):
        if candidate in factory._cls:
            interface = factory(candidate)
            available = interface.available()
            if available:
                return interface, True
            states.append(STATES.get(available.name, ABSENT))
    for candidate in (name, f"appsi_{name}"):
        if candidate in pyo.SolverFactory._cls:
            with quiet():
                interface = pyo.SolverFactory(candidate, **_executable(name))
                if interface.available(exception_flag=False):
                    return interface, False
            states.append(ABSENT)
    if not states:
        raise OptionError(
            f"Pyomo knows no solver {name!r}; known to work: highs, scip, cbc, glpk, gurobi, cplex"
        )
    found = next((state for state in states if state != ABSENT), ABSENT)
    install = registry.find(f"pyomo:{name}").command or f"install {name} where Pyomo finds it"
    raise NotInstalledError(
        what,
        name,
        command=install if found == ABSENT else "see the instructions of its maker",
        kind="solver",
        state=found,
    )


class Pyomo:
    """The backend ``pyomo:NAME``: any MILP solver that Pyomo reaches, solved again and again.

    Parameters
    ----------
    solver : str
        Its name in Pyomo.
    """

    package = "pyomo"
    modes: tuple[str, ...] = ("no_good",)
    capabilities = frozenset(
        {Capability.REAL_COEFFICIENTS, Capability.RESTARTS, Capability.PROVES_INFEASIBILITY}
    )

    def __init__(self, solver: str) -> None:
        self.solver = solver
        self.name = f"pyomo:{solver}"
        # Those that come with milpcount and its extras.
        self.affordable: Mapping[str, int] = {"no_good": 500} if solver in ("highs", "cbc") else {}

    def require(self) -> None:
        """Find the solver."""
        find(self.solver)

    def search(
        self, formulation: Formulation, on_pattern: OnPattern, mode: str, deadline: Deadline
    ) -> Search:
        """Return an enumeration that has not begun."""
        return NoGoods(
            formulation,
            with_rows(on_pattern),
            lambda program: PyomoModel(program, self.solver),
            deadline=deadline,
            margin=LEAST_MARGIN if any(name in self.solver for name in FINE) else 0.0,
            second=None if "highs" in self.solver else MixedInteger,
        )
