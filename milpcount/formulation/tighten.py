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
from milpcount.formulation.linear_program import LinearProgram
from milpcount.formulation.parameters import parameter_box
from milpcount.formulation.units import two_pieces
from milpcount.limits import Deadline, OutOfTime, tick
from milpcount.network import Network
from milpcount.preactivation import (
    PreActivationBounds,
    carried_forward,
    interval_bounds,
    settled_pieces,
)
from milpcount.preactivation.rounding import UNDERFLOW, gamma

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
        Each includes the ones before it. Intervals are for every network, the others for those
        that the MILP takes.
    deadline : Deadline
        The units that are left when it comes keep the bounds they have.

    Raises
    ------
    NetworkError
        If the network is no chain, unless by intervals.
    OptionError
        If the level is not known or, unless by intervals, an activation has more than two pieces.
    DomainError
        If the domain is empty or unbounded.
    """
    if level not in LEVELS:
        raise OptionError(f"tighten={level!r}: give one of {', '.join(LEVELS)}")
    if level != "interval":
        two_pieces(network)  # refuses what has no formulation
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
    free = settled_pieces(network.layers[index], bounds.lower[index], bounds.upper[index]) < 0
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
    lowers, uppers = list(bounds.lower), list(bounds.upper)
    lowers[index], uppers[index] = lower, upper
    tighter = replace(bounds, lower=tuple(lowers), upper=tuple(uppers))
    return carried_forward(network, inputs, tighter, index, box)


def _pre_activations(
    network: Network, inputs: InputSet, program: LinearProgram, columns: PatternMap, index: int
) -> tuple[LinearProgram, Array, Array, Array]:
    """Return the scaled program of the layers before, and its pre-activations.

    These are objectives, offsets, and bounds on the rounding error of the offsets.
    """
    scaled = program.rescaled(columns.shift, columns.scale)
    affine, units = network.layers[index].affine, two_pieces(network)
    starts = np.concatenate([[0], np.cumsum(network.widths)])
    objectives = np.zeros((affine.n_out, program.n_columns))
    offsets, slack = affine.bias, np.abs(affine.bias)
    for source in network.sources[index]:
        weight = affine.weight[:, source.columns]
        which = slice(None) if source.local is None else source.local
        if source.number == 0:
            origin, directions = inputs.origin[which], inputs.directions[which]
            objectives[:, columns.t] = weight @ directions
            reach = np.abs(directions) @ np.abs(columns.shift[columns.t]) + np.abs(origin)
            offsets = offsets + weight @ origin
            slack = slack + np.abs(weight) @ reach
            continue
        unit = units[source.number - 1]
        at = np.arange(starts[source.number - 1], starts[source.number])[which]
        objectives[:, columns.h[at]] = unit.right * weight
        objectives[:, columns.hbar[at]] = -unit.left * weight
        objectives[:, columns.z[at]] = unit.jump * weight
        offsets = offsets + unit.offset * weight.sum(axis=1)
        slack = slack + abs(unit.offset) * np.abs(weight).sum(axis=1)
    # Of all columns only the parameters have a shift.
    offsets = offsets + objectives[:, columns.t] @ columns.shift[columns.t]
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
