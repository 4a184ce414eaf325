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
from milpcount.formulation.big_m import PatternMap
from milpcount.formulation.highs_model import Outcome
from milpcount.formulation.intervals import (
    UNDERFLOW,
    PreActivationBounds,
    affine_range,
    gamma,
    interval_bounds,
    output_range,
)
from milpcount.formulation.linear_program import LinearProgram
from milpcount.formulation.units import two_pieces
from milpcount.limits import Deadline, OutOfTime, tick
from milpcount.network import Network

Array = np.ndarray
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
        Each includes the ones before it.
    deadline : Deadline
        The units that are left when it comes keep the bounds they have.

    Raises
    ------
    OptionError
        If the level is not known or an activation has more than two pieces.
    DomainError
        If the domain is empty or unbounded.
    """
    if level not in LEVELS:
        raise OptionError(f"tighten={level!r}: give one of {', '.join(LEVELS)}")
    two_pieces(network)
    bounds = interval_bounds(network, inputs)
    if level == "interval":
        return bounds
    for index in range(len(network.layers)):
        if index == 0 and inputs.is_boxed and not inputs.rows.size:
            continue  # interval bounds of an affine function over a box are attained
        if deadline.passed():
            break
        try:
            with deadline.in_force():
                bounds = _tighten_layer(network, inputs, bounds, index, level, deadline)
        except OutOfTime:
            break
    return replace(bounds, source=level)


def _tighten_layer(
    network: Network,
    inputs: InputSet,
    bounds: PreActivationBounds,
    index: int,
    level: str,
    deadline: Deadline,
) -> PreActivationBounds:
    free = ~(bounds.stable_active[index] | bounds.stable_inactive[index])
    before = big_m.build(network, inputs, bounds, None, layers=index)
    if not big_m.is_fit(*before):
        return bounds
    with np.errstate(over="ignore", invalid="ignore"):  # values that are not finite are skipped
        program, objectives, offsets, slack = _pre_activations(network, inputs, *before, index)
    slack = slack + UNDERFLOW * (program.n_columns + network.layers[index].affine.n_in)
    if not np.isfinite(objectives).all():
        return bounds
    relaxed = highs_model.solver()
    highs_model.load(relaxed, program, relax=True)
    whole = _mip(program) if level == "milp" and program.integer.any() else None
    lower, upper = bounds.lower[index].copy(), bounds.upper[index].copy()
    try:
        for i in np.flatnonzero(free):
            for sign, best in ((1.0, upper), (-1.0, lower)):
                tick()
                # The tolerance of reduced costs is absolute: objectives have entries near 1.
                size = max(float(np.abs(objectives[i]).max(initial=0.0)), 1e-300)
                limit = _linear(relaxed, program, sign * objectives[i] / size)
                if whole is not None:
                    limit = min(limit, _integer(whole, sign * objectives[i] / size, deadline))
                limit *= size
                value = offsets[i] + sign * limit
                value += sign * (slack[i] + gamma(4) * (abs(offsets[i]) + abs(limit)))
                if not np.isfinite(value):
                    continue
                best[i] = min(best[i], value) if sign > 0 else max(best[i], value)
    except OutOfTime:
        pass  # the units that are left keep the bounds they have
    return _with_layer(network, bounds, index, lower, upper)


def _pre_activations(
    network: Network, inputs: InputSet, program: LinearProgram, columns: PatternMap, index: int
) -> tuple[LinearProgram, Array, Array, Array]:
    """Return the scaled program of the layers before, and its pre-activations.

    These are objectives, offsets, and bounds on the rounding error of the offsets.
    """
    scaled = program.rescaled(columns.shift, columns.scale)
    affine = network.layers[index].affine
    objectives = np.zeros((affine.n_out, program.n_columns))
    if index == 0:
        objectives[:, columns.t] = affine.weight @ inputs.directions
        offsets = affine.weight @ inputs.origin + affine.bias
        reach = np.abs(inputs.directions) @ np.abs(columns.shift) + np.abs(inputs.origin)
        slack = gamma(2 * affine.n_in) * (np.abs(affine.weight) @ reach + np.abs(affine.bias))
        return scaled, objectives * columns.scale, offsets + objectives @ columns.shift, slack
    unit = two_pieces(network)[index - 1]
    at = slice(columns.z.size - network.layers[index - 1].width, None)
    objectives[:, columns.h[at]] = unit.right * affine.weight
    objectives[:, columns.hbar[at]] = -unit.left * affine.weight
    objectives[:, columns.z[at]] = unit.jump * affine.weight
    offsets = affine.bias + unit.offset * affine.weight.sum(axis=1)
    slack = np.abs(affine.bias) + abs(unit.offset) * np.abs(affine.weight).sum(axis=1)
    return scaled, objectives * columns.scale, offsets, gamma(2 * affine.n_in) * slack


def _linear(model: Any, program: LinearProgram, objective: Array) -> float:
    outcome, _ = highs_model.maximum(model, objective)
    if outcome is not Outcome.OPTIMAL:
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
    if outcome not in (Outcome.OPTIMAL, Outcome.LIMIT):
        return np.inf
    bound = float(model.getInfo().mip_dual_bound)
    return bound + 1e-6 * (1 + abs(bound))


def _with_layer(
    network: Network, bounds: PreActivationBounds, index: int, lower: Array, upper: Array
) -> PreActivationBounds:
    """Put a layer's bounds in and carry them forward by interval arithmetic."""
    lowers, uppers = list(bounds.lower), list(bounds.upper)
    lowers[index], uppers[index] = lower, upper
    for k in range(index + 1, len(network.layers)):
        affine = network.layers[k].affine
        outputs = output_range(network.layers[k - 1], lowers[k - 1], uppers[k - 1])
        low, high = affine_range(affine.weight, affine.bias, *outputs)
        lowers[k], uppers[k] = np.maximum(lowers[k], low), np.minimum(uppers[k], high)
    return replace(bounds, lower=tuple(lowers), upper=tuple(uppers))
