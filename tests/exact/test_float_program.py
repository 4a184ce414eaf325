"""Runs of HiGHS do not stand in each other's way."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import highspy
import numpy as np
import pytest

from milpcount.exact import float_program
from milpcount.exact.float_program import run


def program(rows: int, seed: int = 0) -> Any:
    """Return a solver with ``max c x: A x <= 1, 0 <= x <= 1``, dense and of positive entries."""
    random = np.random.default_rng(seed)
    lp = highspy.HighsLp()
    lp.num_col_ = lp.num_row_ = rows
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_ = random.uniform(0.5, 1.0, rows)
    lp.col_lower_, lp.col_upper_ = np.zeros(rows), np.ones(rows)
    lp.row_lower_, lp.row_upper_ = np.full(rows, -np.inf), np.ones(rows)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.num_col_ = lp.a_matrix_.num_row_ = rows
    lp.a_matrix_.start_ = np.arange(rows + 1, dtype=np.int32) * rows
    lp.a_matrix_.index_ = np.tile(np.arange(rows, dtype=np.int32), rows)
    lp.a_matrix_.value_ = random.uniform(0.0, 1.0, rows * rows)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("presolve", "off")
    solver.passModel(lp)
    return solver


def optimum(rows: int, seed: int) -> float:
    solver = program(rows, seed)
    run(solver)
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(solver.getInfo().objective_function_value)


def test_two_threads_solve_at_once() -> None:
    alone = [optimum(300, seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(optimum, [300] * 4, range(4))) == alone


def test_a_solver_that_ctrl_c_cut_off_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = iter((None, KeyboardInterrupt))

    def interrupted() -> None:
        if (error := next(calls)) is not None:
            raise error

    slow = program(1500)
    monkeypatch.setattr(float_program, "tick", interrupted)
    monkeypatch.setattr(float_program, "_WAIT_SECONDS", 0.01)
    with pytest.raises(KeyboardInterrupt):
        run(slow)
    monkeypatch.undo()
    assert optimum(200, 1) > 0.0
