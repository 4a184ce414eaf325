import highspy
import numpy as np
import pytest

from milpcount.enumeration.highs_programs import MixedInteger, WarmLP
from milpcount.errors import SolverError
from milpcount.formulation.highs_model import SOLVE_STATUSES, SolveStatus, outcome
from milpcount.formulation.linear_program import Builder, LinearProgram, Row


def knapsack() -> LinearProgram:
    build = Builder()
    x = build.columns("x", np.zeros(3), np.ones(3), integer=True, objective=1.0)
    build.row(x, [2, 3, 4], -np.inf, 6)
    return build.build()


def test_every_status_of_highs_is_mapped() -> None:
    native = {name for name in dir(highspy.HighsModelStatus) if name.startswith("k")}
    assert native == set(SOLVE_STATUSES)


def test_an_unknown_status_raises() -> None:
    class Odd:
        name = "kSurprise"

    with pytest.raises(SolverError, match="kSurprise"):
        outcome(Odd())


def test_a_warm_lp_follows_its_bounds_and_rows() -> None:
    lp = WarmLP(knapsack())
    assert lp.solve() is SolveStatus.OPTIMAL
    assert lp.values().sum() == pytest.approx(2.25)
    lp.set_bounds(np.array([0, 1], np.int32), np.array([1.0, 1.0]), np.array([1.0, 1.0]))
    assert lp.solve() is SolveStatus.OPTIMAL and lp.values()[2] == pytest.approx(0.25)
    row = Row(np.array([0, 1], np.int32), np.array([1.0, 1.0]), -np.inf, 1.0)
    lp.add_rows([row])
    assert lp.solve() is SolveStatus.INFEASIBLE
    lp.set_bounds(np.array([0, 1], np.int32), np.zeros(2), np.ones(2))
    assert lp.solve() is SolveStatus.OPTIMAL and row.holds(lp.values())
    assert lp.solves == 4


def test_a_milp_is_solved_again_with_more_rows() -> None:
    milp = MixedInteger(knapsack())
    first = milp.solve()
    assert first.outcome is SolveStatus.OPTIMAL and first.values is not None
    assert first.values.sum() == pytest.approx(2)
    milp.add_rows([Row(np.arange(3, dtype=np.int32), np.ones(3), -np.inf, 1.0)])
    second = milp.solve()
    assert second.bound == pytest.approx(1)
    milp.add_rows([Row(np.arange(3, dtype=np.int32), np.ones(3), 2.0, np.inf)])
    assert milp.solve().outcome is SolveStatus.INFEASIBLE and milp.solve().values is None
