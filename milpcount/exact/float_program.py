"""The cell's linear program in float64: hints for the exact proofs, never an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Any

import numpy as np

from milpcount import optional
from milpcount.exact.geometry import ExactBox
from milpcount.limits import seconds_in_force, tick
from milpcount.types import Array

_SMALL = 20_000
"""Entries of a model up to which a solve takes a small part of a second."""
_WAIT_SECONDS = 0.1


@dataclass(frozen=True, eq=False)
class Hint:
    """What the float solver found.

    Attributes
    ----------
    point : ndarray, shape (d,)
        Parameters at its optimum.
    multipliers : ndarray, shape (r,)
        Of the rows as given.
    tight : list of int
        Rows without a basic slack.
    free : list of int
        Basic columns; column d is s.
    at_upper : ndarray of bool, shape (d + 1,)
        Which of the other columns sit at their upper bound.
    """

    point: Array
    multipliers: Array
    tight: list[int]
    free: list[int]
    at_upper: Array


def run(solver: Any) -> None:
    """Run HiGHS on its model, until the deadline in force or Ctrl-C at the latest.

    HiGHS would look at neither by itself: in this thread it holds up Python's signals.

    Parameters
    ----------
    solver : highspy.Highs

    The thread is ours and not ``startSolve``'s: highspy's locks belong to the class, so that a
    solver which was cut off and still ends its step would keep every other one from starting.

    Raises
    ------
    OutOfTime
        If the deadline has come. A solver that was cut off is not to be run again.
    """
    if solver.getNumRow() * solver.getNumCol() <= _SMALL:
        solver.run()
        return
    tick()
    # HiGHS adds up its run times, and the limit is on the sum.
    own = solver.getOptionValue("time_limit")[1]
    solver.setOptionValue("time_limit", min(own, solver.getRunTime() + seconds_in_force()))
    solver.HandleUserInterrupt = True
    over = Lock()  # an Event that Ctrl-C interrupts may release its lock while it is another's
    over.acquire()

    def solve() -> None:
        try:
            solver.run()
        finally:
            over.release()

    try:
        Thread(target=solve, daemon=True).start()
        while not over.acquire(timeout=_WAIT_SECONDS):
            # Between two steps HiGHS may be busy for long; its thread ends by itself then.
            tick()
    except BaseException:
        solver.cancelSolve()
        raise
    solver.HandleUserInterrupt = False
    solver.setOptionValue("time_limit", own)


def float_hint(rows: Array, scales: Sequence[float], box: ExactBox) -> Hint | None:
    """Solve ``max s: rows(t) >= s * scales, t in box, s <= 1`` with HiGHS.

    Parameters
    ----------
    rows : ndarray of float64, shape (r, 1 + d)
    scales : sequence of float, length r
        Positive.
    box : ExactBox

    Returns
    -------
    Hint or None
        None if the solver did not reach an optimum.
    """
    highspy = optional.require("highspy", "exact arithmetic")
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("presolve", "off")
    solver.setOptionValue("primal_feasibility_tolerance", 1e-9)
    solver.setOptionValue("dual_feasibility_tolerance", 1e-9)
    solver.setOptionValue("threads", 1)
    factors = 1.0 / np.asarray(scales, dtype=np.float64)
    scaled = rows * factors[:, None]
    if not np.isfinite(scaled).all():
        return None
    solver.passModel(_model(highspy, scaled, box))
    run(solver)
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    d, basic = box.dimension, highspy.HighsBasisStatus.kBasic
    solution, basis = solver.getSolution(), solver.getBasis()
    columns, row_status = list(basis.col_status), list(basis.row_status)
    return Hint(
        np.array(solution.col_value[:d]),
        np.abs(np.array(solution.row_dual)) * factors,
        [i for i, status in enumerate(row_status) if status != basic],
        [j for j, status in enumerate(columns) if status == basic],
        np.array([status == highspy.HighsBasisStatus.kUpper for status in columns]),
    )


def _model(highspy: Any, rows: Array, box: ExactBox) -> Any:
    r, d = rows.shape[0], rows.shape[1] - 1
    lower, upper = box.floats
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = d + 1, r
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = np.append(np.zeros(d), 1.0)
    model.col_lower_ = np.append(lower, -np.inf)
    model.col_upper_ = np.append(upper, 1.0)
    model.row_lower_, model.row_upper_ = -rows[:, 0], np.full(r, np.inf)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.arange(0, (d + 1) * r + 1, d + 1)
    model.a_matrix_.index_ = np.tile(np.arange(d + 1), r)
    model.a_matrix_.value_ = np.c_[rows[:, 1:], -np.ones(r)].ravel()
    return model
