"""Finite bounds on the parameters of a domain, which every column of the MILP needs."""

import numpy as np

from milpcount.domain import InputSet
from milpcount.errors import DomainError
from milpcount.formulation import highs_model
from milpcount.formulation.linear_program import Builder
from milpcount.types import Array


def parameter_box(inputs: InputSet) -> tuple[Array, Array]:
    """Return finite bounds on the parameters t of an input set.

    The set's own bounds where they are finite; elsewhere linear programs, widened by more than
    the solver's tolerance.

    Raises
    ------
    DomainError
        If the set is empty or unbounded.
    """
    lower, upper = inputs.lower.copy(), inputs.upper.copy()
    if inputs.is_boxed:
        return lower, upper
    for i in np.flatnonzero(~np.isfinite(lower)):
        lower[i] = -_extent(inputs, int(i), -1.0)
    for i in np.flatnonzero(~np.isfinite(upper)):
        upper[i] = _extent(inputs, int(i), 1.0)
    return lower, upper


def _extent(inputs: InputSet, i: int, sign: float) -> float:
    build = Builder()
    t = build.columns("t", inputs.lower, inputs.upper)
    for row, rhs in zip(inputs.rows, inputs.rhs, strict=True):
        build.row(t, row, -np.inf, rhs)
    objective = np.zeros(inputs.dimension)
    objective[i] = sign
    model = highs_model.solver()
    highs_model.load(model, build.build())
    outcome, value = highs_model.maximum(model, objective)
    if outcome is highs_model.SolveStatus.INFEASIBLE:
        raise DomainError("the domain is empty: no input satisfies all of its rows")
    if outcome is not highs_model.SolveStatus.OPTIMAL:
        raise DomainError(
            f"the domain is unbounded at input {i}, and the MILP needs finite bounds: give a Box, "
            "or give the Polytope lower and upper bounds, or count with the region tree"
        )
    return value + 1e-6 * (1 + abs(value))
