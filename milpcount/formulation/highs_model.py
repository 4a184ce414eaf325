"""The arrays of a linear program as a HiGHS model, and what HiGHS's answers mean.

The formulation itself needs linear programs (bounding boxes, tightening), so this stands below
the backends, which use it too.
"""

from enum import Enum
from typing import Any

import numpy as np

from milpcount import optional
from milpcount.errors import SolverError
from milpcount.exact.float_program import run
from milpcount.formulation.linear_program import LinearProgram

FEASIBILITY = 1e-9
"""Tolerance asked of HiGHS for rows, bounds and reduced costs, absolute."""


class SolveStatus(Enum):
    """How a solve ended."""

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    UNBOUNDED_OR_INFEASIBLE = "unbounded or infeasible"
    LIMIT = "stopped at a limit"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


SOLVE_STATUSES = {
    "kNotset": SolveStatus.FAILED,
    "kLoadError": SolveStatus.FAILED,
    "kModelError": SolveStatus.FAILED,
    "kPresolveError": SolveStatus.FAILED,
    "kSolveError": SolveStatus.FAILED,
    "kPostsolveError": SolveStatus.FAILED,
    "kModelEmpty": SolveStatus.OPTIMAL,
    "kOptimal": SolveStatus.OPTIMAL,
    "kInfeasible": SolveStatus.INFEASIBLE,
    "kUnboundedOrInfeasible": SolveStatus.UNBOUNDED_OR_INFEASIBLE,
    "kUnbounded": SolveStatus.UNBOUNDED,
    "kObjectiveBound": SolveStatus.LIMIT,
    "kObjectiveTarget": SolveStatus.LIMIT,
    "kTimeLimit": SolveStatus.LIMIT,
    "kIterationLimit": SolveStatus.LIMIT,
    "kSolutionLimit": SolveStatus.LIMIT,
    "kMemoryLimit": SolveStatus.FAILED,
    "kInterrupt": SolveStatus.INTERRUPTED,
    "kHighsInterrupt": SolveStatus.INTERRUPTED,
    "kUnknown": SolveStatus.FAILED,
}
"""Every status HiGHS can speak in; one that is missing here raises `SolverError`."""


def outcome(status: Any) -> SolveStatus:
    """Return what a native model status means.

    Raises
    ------
    SolverError
        If the status is not known.
    """
    try:
        return SOLVE_STATUSES[status.name]
    except KeyError:
        raise SolverError(
            f"HiGHS ended with status {status.name!r}, which this version of milpcount does not "
            "know: install a highspy within the range that milpcount asks for"
        ) from None


def highspy() -> Any:
    """Return the module highspy.

    Raises
    ------
    NotInstalledError
        If it is missing, or cannot be loaded.
    """
    return optional.require("highspy", "the backend 'highs'")


def solver(**options: Any) -> Any:
    """Return a silent one-thread ``highspy.Highs`` at tolerance `FEASIBILITY`."""
    model = highspy().Highs()
    settings = {
        "output_flag": False,
        "threads": 1,
        # HiGHS 1.14's presolve ends small big-M programs with wrong optima, or as infeasible.
        "presolve": "off",
        "primal_feasibility_tolerance": FEASIBILITY,
        "dual_feasibility_tolerance": FEASIBILITY,
        "small_matrix_value": 1e-12,  # smaller weights are dropped, by default below 1e-9
    }
    for name, value in (settings | options).items():
        model.setOptionValue(name, value)
    return model


def load(model: Any, program: LinearProgram, *, relax: bool = False) -> None:
    """Pass a program to a HiGHS object.

    Parameters
    ----------
    model : highspy.Highs
    program : LinearProgram
    relax : bool
        Whether integer columns become continuous.

    Raises
    ------
    SolverError
        If HiGHS refuses the arrays.
    """
    module = highspy()
    lp = module.HighsLp()
    lp.num_col_, lp.num_row_ = program.n_columns, program.n_rows
    lp.sense_ = module.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.objective, program.lower, program.upper
    lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
    lp.a_matrix_.format_ = module.MatrixFormat.kRowwise
    lp.a_matrix_.num_col_, lp.a_matrix_.num_row_ = program.n_columns, program.n_rows
    lp.a_matrix_.start_ = program.starts
    lp.a_matrix_.index_ = program.indices
    lp.a_matrix_.value_ = program.values
    if not relax and program.integer.any():
        kinds = (module.HighsVarType.kContinuous, module.HighsVarType.kInteger)
        lp.integrality_ = [kinds[int(i)] for i in program.integer]
    if model.passModel(lp) == module.HighsStatus.kError:
        raise SolverError(
            f"HiGHS refused a model of {program.n_rows} rows and {program.n_columns} columns"
        )


def maximum(model: Any, objective: np.ndarray) -> tuple[SolveStatus, float]:
    """Maximise another objective over a loaded model; return how it ended and the value."""
    n = objective.size
    model.changeColsCost(n, np.arange(n, dtype=np.int32), objective)
    run(model)
    return outcome(model.getModelStatus()), float(model.getInfo().objective_function_value)
