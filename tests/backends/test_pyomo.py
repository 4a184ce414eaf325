import contextlib
import pickle
import signal
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import milpcount as mc
from milpcount import examples, interrupts
from milpcount.backends import pyomo_solvers
from milpcount.backends.pyomo_solvers import OPTIONS, OUTCOMES, PyomoModel, outcome
from milpcount.enumeration.highs_programs import Solution
from milpcount.enumeration.no_good import NoGoods
from milpcount.errors import NotInstalledError, OptionError, SolverError
from milpcount.formulation import formulate
from milpcount.formulation.highs_model import SolveStatus
from milpcount.formulation.linear_program import Builder, LinearProgram, Row

SOLVERS = ["highs", "scip", "cbc", "glpk", "appsi_highs"]


def available(solver: str) -> None:
    try:
        pyomo_solvers.find(solver)
    except NotInstalledError as error:
        pytest.skip(str(error))


def knapsack() -> LinearProgram:
    build = Builder()
    x = build.columns("x", np.zeros(3), np.ones(3), integer=True)
    build.row(x, [2, 3, 4], 5, np.inf)
    return build.build()


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_milp_is_solved_again_with_more_rows(solver: str) -> None:
    available(solver)
    milp = PyomoModel(knapsack(), solver)
    first = milp.solve(np.inf)
    assert first.values is not None and first.values @ [2, 3, 4] >= 5 - 1e-6
    milp.add_rows([Row(np.arange(2, dtype=np.int32), np.ones(2), -np.inf, 0.0)])
    second = milp.solve(30.0)
    assert second.outcome is SolveStatus.INFEASIBLE and second.values is None


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_counts(solver: str) -> None:
    available(solver)
    method = mc.SolutionPool(backend=f"pyomo:{solver}")
    for quantity, known in (("activation_regions", 8), ("activation_patterns", 11)):
        result = mc.count(examples.tent(3), mc.Box(0, 1), method, quantity=quantity)
        assert result.is_exact and result.lower == known
    arrangement = next(e for e in examples.library() if e.name == "braid arrangement")
    result = mc.count(arrangement.network, arrangement.domain, method)
    assert result.is_exact and result.lower == 24


@pytest.mark.parametrize("solver", ["highs", "cbc"])
def test_what_the_packages_bring_is_found_without_a_path(
    solver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if solver == "cbc":
        pytest.importorskip("pulp", reason="CBC's package: pip install 'milpcount[cbc]'")
    monkeypatch.setenv("PATH", "")
    result = mc.count(examples.tent(3), mc.Box(0, 1), mc.SolutionPool(backend=f"pyomo:{solver}"))
    assert result.is_exact and result.lower == 8


def test_ctrl_c_that_pyomo_hides_is_ctrl_c() -> None:
    class Hiding(PyomoModel):
        def _new(self, seconds: float) -> Solution:
            try:
                raise KeyboardInterrupt
            finally:
                raise NameError("name 'WindowsError' is not defined")

    with pytest.raises(KeyboardInterrupt):
        Hiding(knapsack(), "highs").solve(1.0)


def test_ctrl_c_that_pyomo_swallows_is_ctrl_c() -> None:
    class Swallowing(PyomoModel):
        def _new(self, seconds: float) -> Solution:
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            raise RuntimeError("KeyboardInterrupt:  (4: TeeStream)")

    with pytest.raises(KeyboardInterrupt), interrupts.noted():
        Swallowing(knapsack(), "highs").solve(1.0)


def test_presolve_of_highs_is_off() -> None:
    assert OPTIONS["highs"]["presolve"] == "off"
    milp = PyomoModel(knapsack(), "highs")
    milp.solve(np.inf)
    assert milp.interface._solver_model.getOptionValue("presolve")[1] == "off"


def test_every_condition_of_pyomo_is_an_outcome_or_an_error() -> None:
    from pyomo.contrib.solver.common.results import TerminationCondition as New
    from pyomo.opt import TerminationCondition as Old

    for condition in (*New, *Old):
        if condition.name not in OUTCOMES:
            with pytest.raises(SolverError, match=condition.name):
                outcome(condition)
    assert outcome(SimpleNamespace(name="maxTimeLimit")) is SolveStatus.LIMIT


def test_a_solver_that_is_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    method = mc.SolutionPool(
        backend="pyomo:glpk"
    )  # it has no package for Python, which may be here
    with pytest.raises(NotInstalledError, match=r"'pyomo:glpk'.*apt install glpk-utils$"):
        mc.count(examples.tent(1), mc.Box(0, 1), method)
    with pytest.raises(OptionError, match="knows no solver 'abacus'"):
        mc.count(examples.tent(1), mc.Box(0, 1), mc.SolutionPool(backend="pyomo:abacus"))


def test_a_solver_without_a_licence_is_not_called_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pyomo.contrib.solver.common.base import Availability
    from pyomo.contrib.solver.common.factory import SolverFactory
    from pyomo.environ import SolverFactory as Older

    class Unlicensed:
        def available(self) -> Availability:
            return Availability.BadLicense

    monkeypatch.setenv("PATH", "")
    for name in ("gurobi_persistent", "gurobi", "gurobi_direct"):
        monkeypatch.setitem(SolverFactory._cls, name, Unlicensed)
    for name in ("gurobi", "appsi_gurobi"):  # Gurobi's package brings a licence for small programs
        monkeypatch.delitem(Older._cls, name, raising=False)
    with pytest.raises(NotInstalledError, match="solver 'gurobi', which is installed without a"):
        pyomo_solvers.find("gurobi")


def test_what_is_missing_survives_the_way_from_a_worker() -> None:
    error = NotInstalledError("the backend", "glpk", command="do", kind="solver", state="is away")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is NotInstalledError and str(again) == str(error)
    assert str(error) == "the backend needs the solver 'glpk', which is away: do"


def test_a_solver_that_ends_too_early_is_found_out() -> None:
    class Hasty(PyomoModel):
        def solve(self, seconds: float) -> Solution:
            return replace(super().solve(seconds), outcome=SolveStatus.INFEASIBLE, values=None)

    from milpcount.enumeration.highs_programs import MixedInteger

    built = formulate(examples.tent(2), mc.Box(0, 1), form="one_sided")
    search = NoGoods(
        built, lambda pattern, point: None, lambda p: Hasty(p, "highs"), second=MixedInteger
    )
    with pytest.raises(SolverError, match="calls the MILP infeasible, but the pattern"):
        list(search.run())
