"""Tighter pre-activation bounds by linear and mixed-integer programs over the preceding layers.

Layer by layer, max g and max -g of each unit subject to the formulation of the layers before it
(Serra and Ramalingam 2020, equations (12)-(14)). A linear program's bound is made rigorous from
its dual values (Neumaier and Shcherbina, Mathematical Programming 99, 2004): every column is
bounded, so any multipliers give a valid bound. A mixed-integer program contributes the solver's
dual bound, also when a limit stops it, widened by more than the solver's tolerances.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from milpcount.domain import InputSet
from milpcount.errors import OptionError
from milpcount.formulation import big_m, highs_model
from milpcount.formulation.coefficient_range import is_fit
from milpcount.formulation.expressions import expression
from milpcount.formulation.highs_model import SolveStatus
from milpcount.formulation.linear_program import LinearProgram
from milpcount.formulation.parameters import parameter_box
from milpcount.formulation.pattern_map import PatternMap
from milpcount.formulation.units import require_units
from milpcount.limits import Deadline, OutOfTime, tick
from milpcount.network import Layer, Network
from milpcount.preactivation import (
    PreActivationBounds,
    carried_forward,
    interval_bounds,
    settled_pieces,
)
from milpcount.preactivation.rounding import UNDERFLOW, gamma
from milpcount.types import Array

LEVELS = ("interval", "lp", "milp")
MIP_SECONDS = 5.0


def pre_activation_bounds(
    network: Network, inputs: InputSet, level: str, deadline: Deadline
) -> PreActivationBounds:
    """Return bounds of the wanted tightness.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    level : {"interval", "lp", "milp"}
        Each includes the ones before it. Intervals are for every network, the others for those
        that the MILP takes.
    deadline : Deadline
        The units that are left when it comes keep the bounds they have.

    Raises
    ------
    OptionError
        If the level is not known or, unless by intervals, the MILP cannot express an activation.
    DomainError
        If the domain is empty or unbounded.
    """
    if level not in LEVELS:
        raise OptionError(f"tighten={level!r}: give one of {', '.join(LEVELS)}")
    if level != "interval":
        require_units(network)  # refuses what has no formulation
    box = parameter_box(inputs)
    bounds = interval_bounds(network, inputs, box)
    if level == "interval":
        return bounds
    for index in range(len(network.layers)):
        if index == 0 and inputs.is_boxed and not inputs.rows.size:
            continue  # interval bounds of an affine function over a box are attained
        if deadline.passed():
            break
        try:
            with deadline.in_force():
                bounds = _tighten_layer(network, inputs, box, bounds, index, level, deadline)
        except OutOfTime:
            break
    return replace(bounds, source=level)


def _tighten_layer(
    network: Network,
    inputs: InputSet,
    box: tuple[Array, Array],
    bounds: PreActivationBounds,
    index: int,
    level: str,
    deadline: Deadline,
) -> PreActivationBounds:
    before = big_m.Construction(network, inputs, bounds, index)
    program, columns = before.finish(None)
    if not is_fit(program, columns):
        return bounds
    with np.errstate(over="ignore", invalid="ignore"):  # values that are not finite are skipped
        goals = _Goals(network, inputs, before, columns)
    if not goals.are_finite:
        return bounds
    program = program.rescaled(columns.shift, columns.scale)
    relaxed = highs_model.solver()
    highs_model.load(relaxed, program, relax=True)
    whole = _mip(program) if level == "milp" and program.integer.any() else None
    lower, upper = bounds.lower[index].copy(), bounds.upper[index].copy()
    try:
        for i in _open_values(network.layers[index], lower, upper):
            objective = goals.objective(i)
            for sign, best in ((1.0, upper), (-1.0, lower)):
                tick()
                # The tolerance of reduced costs is absolute: objectives have entries near 1.
                size = max(float(np.abs(objective).max(initial=0.0)), 1e-300)
                limit = _linear(relaxed, program, sign * objective / size)
                if whole is not None:
                    limit = min(limit, _integer(whole, sign * objective / size, deadline))
                limit *= size
                value = goals.offsets[i] + sign * limit
                value += sign * (goals.slack[i] + gamma(4) * (abs(goals.offsets[i]) + abs(limit)))
                if not np.isfinite(value):
                    continue
                best[i] = min(best[i], value) if sign > 0 else max(best[i], value)
    except OutOfTime:
        pass  # the units that are left keep the bounds they have
    lowers, uppers = list(bounds.lower), list(bounds.upper)
    lowers[index], uppers[index] = lower, upper
    tighter = replace(bounds, lower=tuple(lowers), upper=tuple(uppers))
    return carried_forward(network, inputs, tighter, index, box)


def _open_values(layer: Layer, low: Array, high: Array) -> Array:
    """Return the pre-activations of the units that bounds leave open."""
    free = settled_pieces(layer, low, high) < 0
    return np.flatnonzero(np.repeat(free, np.diff(layer.value_starts)))


class _Goals:
    """The pre-activations of a layer as objectives over the scaled program of those before it.

    Attributes
    ----------
    offsets, slack : ndarray, shape (n_out,)
        What is added to the objectives, and bounds on its rounding error.
    are_finite : bool
        Whether all coefficients are.
    """

    def __init__(
        self, network: Network, inputs: InputSet, before: big_m.Construction, columns: PatternMap
    ) -> None:
        index, affine = before.depth, network.layers[before.depth].affine
        self._read = expression(network, inputs, index, before.t, before.outputs, corner=before.low)
        self._scale = columns.scale
        matrix = self._read.matrix
        data = matrix if isinstance(matrix, np.ndarray) else matrix.data
        self.are_finite = bool(np.isfinite(data).all())
        # Of all columns only the parameters have a shift.
        self.offsets = self._read.offset + self._read.times(columns.shift)
        self.slack = gamma(2 * affine.n_in) * self._read.size
        self.slack += UNDERFLOW * (columns.scale.size + affine.n_in)

    def objective(self, i: int) -> Array:
        """Return one of them, shape (columns,)."""
        found = np.zeros(self._scale.size)
        columns, values = self._read.row(i)
        np.add.at(found, columns, values)
        return np.asarray(found * self._scale)


def _linear(model: Any, program: LinearProgram, objective: Array) -> float:
    outcome, _ = highs_model.maximum(model, objective)
    if outcome is not SolveStatus.OPTIMAL:
        return np.inf
    return rigorous_maximum(program, objective, np.array(model.getSolution().row_dual))


def rigorous_maximum(program: LinearProgram, objective: Array, duals: Array) -> float:
    """Return an upper bound on ``objective @ x`` over a program with bounded columns.

    Parameters
    ----------
    program : LinearProgram
    objective : ndarray, shape (columns,)
    duals : ndarray, shape (rows,)
        Any numbers; the better they are as multipliers, the tighter the bound.

    Returns
    -------
    float
        Valid whatever the rounding (Neumaier and Shcherbina 2004).
    """
    wrong = (duals > 0) & ~np.isfinite(program.row_upper)
    wrong |= (duals < 0) & ~np.isfinite(program.row_lower)
    y = np.where(wrong, 0.0, duals)
    side = np.where(y > 0, program.row_upper, program.row_lower)
    rows = np.where(y == 0, 0.0, y * np.where(np.isfinite(side), side, 0.0))
    rest = objective - program.times(y)
    reach = np.maximum(np.abs(program.lower), np.abs(program.upper))
    size = np.abs(objective) + program.times(np.abs(y), absolute=True)
    value = rows.sum() + np.maximum(rest * program.lower, rest * program.upper).sum()
    slack = gamma(program.n_rows + program.n_columns) * (np.abs(rows).sum() + size @ reach)
    return float(value + slack)


def _mip(program: LinearProgram) -> Any:
    model = highs_model.solver(mip_feasibility_tolerance=1e-9, mip_rel_gap=1e-6)
    highs_model.load(model, program)
    return model


def _integer(model: Any, objective: Array, deadline: Deadline) -> float:
    # HiGHS adds up its run times, and the limit is on the sum.
    model.setOptionValue("time_limit", model.getRunTime() + min(MIP_SECONDS, deadline.remaining()))
    outcome, _ = highs_model.maximum(model, objective)
    if outcome not in (SolveStatus.OPTIMAL, SolveStatus.LIMIT):
        return np.inf
    bound = float(model.getInfo().mip_dual_bound)
    return bound + 1e-6 * (1 + abs(bound))
