"""The MILP as a Pyomo block, for any Pyomo solver and for larger models."""

from typing import TYPE_CHECKING, Any

import numpy as np

from milpcount.errors import NotInstalledError

if TYPE_CHECKING:
    from milpcount.formulation.formulate import Formulation

_INACTIVE = "margin_inactive"


def to_pyomo(formulation: "Formulation", *, objective: bool = False) -> Any:
    """Return a concrete Pyomo block that holds the MILP.

    Parameters
    ----------
    formulation : Formulation
    objective : bool
        Whether ``block.objective``, which maximises f, is active. It is off by default, so that the
        block can join a model that has an objective of its own.

    Returns
    -------
    pyomo.environ.Block
        Built, and free to be attached to a model or solved by itself. Layers and units are numbered
        from 0. Variables:

        * ``t[k]``, parameters of the domain, in which ``x[i]`` are expressions for the inputs;
        * ``z[l, i]``, whether unit i of layer l is active; ``h[l, i]`` and ``hbar[l, i]``, by how
          much its pre-activation is above or below the breakpoint;
        * ``f``, the margin by which units keep to their states; ``exempt[l, i]``, whether it
          leaves out a unit that is identically zero.

        ``y[k]`` are expressions for the outputs, where the network has an output layer.
        Constraints: ``domain[k]``, ``pre_activation[l, i]`` (which is h - hbar),
        ``big_m_active[l, i]`` (h = 0 unless z = 1), ``big_m_inactive[l, i]`` (hbar = 0 unless
        z = 0), ``margin_active[l, i]`` and ``margin_inactive[l, i]`` (f is at most h, or hbar), and
        ``exemption[l, i, j]`` (only where unit j of the layer before is inactive).

    Raises
    ------
    NotInstalledError
        If Pyomo is missing.

    Notes
    -----
    Without f pushed up, a unit whose pre-activation is zero may have either state; the outputs are
    the network's all the same, but for units with a jump. Bound ``block.f`` away from zero where
    states matter.

    Switch presolve off where HiGHS 1.14 is the solver: on big-M programs of a few units it can end
    with a wrong optimum and call it optimal. It is off wherever milpcount solves them itself.

    Examples
    --------
    The largest output of ``|x| - x / 2`` where x is at most 1/2, in a model with its own objective:

    >>> import milpcount as mc
    >>> import pyomo.environ as pyo
    >>> net = mc.Network.from_arrays([[[1.0], [-1.0]], [[0.5, 1.5]]], [[0.0, 0.0], [0.0]])
    >>> model = pyo.ConcreteModel()
    >>> model.net = mc.formulate(net, mc.Box(-1, 1)).to_pyomo()
    >>> model.limit = pyo.Constraint(expr=model.net.x[0] <= 0.5)
    >>> model.best = pyo.Objective(expr=model.net.y[0], sense=pyo.maximize)
    >>> _ = pyo.SolverFactory("appsi_highs").solve(model, options={"presolve": "off"})
    >>> round(pyo.value(model.best), 6)
    1.5

    By itself, the pattern whose units keep the largest margin:

    >>> model = pyo.ConcreteModel()
    >>> model.net = mc.formulate(net, mc.Box(-1, 1)).to_pyomo(objective=True)
    >>> _ = pyo.SolverFactory("appsi_highs").solve(model, options={"presolve": "off"})
    >>> sorted(round(pyo.value(z)) for z in model.net.z.values())
    [0, 1]
    """
    pyo = _pyomo()
    block = pyo.Block(concrete=True)
    columns = _variables(pyo, block, formulation)
    _rows(pyo, block, formulation, columns)
    _inputs(pyo, block, formulation)
    _outputs(pyo, block, formulation)
    block.objective = pyo.Objective(expr=block.f, sense=pyo.maximize)
    if not objective:
        block.objective.deactivate()
    return block


def _pyomo() -> Any:
    try:
        import pyomo.environ as pyo
    except ImportError:
        raise NotInstalledError("the export to Pyomo", "pyomo") from None
    return pyo


def _variables(pyo: Any, block: Any, formulation: "Formulation") -> list[Any]:
    """Declare the variables and return them in the order of the columns."""
    program, at = formulation.program, formulation.columns
    out: list[Any] = [None] * program.n_columns
    units = [
        (layer, i) for layer, width in enumerate(formulation.network.widths) for i in range(width)
    ]
    groups = [("t", at.t, range(at.t.size)), ("h", at.h, units), ("hbar", at.hbar, units)]
    for name, which, keys in [*groups, ("z", at.z, units)]:
        domain = pyo.Binary if name == "z" else pyo.Reals
        variable = pyo.Var(list(keys), domain=domain)
        setattr(block, name, variable)
        for column, key in zip(which, keys, strict=True):
            out[column] = variable[key]
    block.f = pyo.Var(domain=pyo.Reals)
    out[at.f] = block.f
    margins = (program.row(i) for i, label in enumerate(program.labels) if label[0] == _INACTIVE)
    exempt = {row.label[1:]: int(row.columns[3]) for row in margins if len(row.columns) == 4}
    block.exempt = pyo.Var(list(exempt), domain=pyo.Reals)
    for key, column in exempt.items():
        out[column] = block.exempt[key]
    used = np.zeros(program.n_columns, dtype=bool)
    used[program.indices] = True
    for column, variable in enumerate(out):
        low, high = float(program.lower[column]), float(program.upper[column])
        variable.setlb(low)
        variable.setub(high)
        if low == high:
            variable.fix(low)
        elif not used[column]:
            variable.value = low  # no solver reports a value for a column that is in no row
    return out


def _rows(pyo: Any, block: Any, formulation: "Formulation", columns: list[Any]) -> None:
    from pyomo.core.expr import LinearExpression

    program = formulation.program
    named: dict[str, dict[Any, Any]] = {}
    for i in range(program.n_rows):
        row = program.row(i)
        expression = LinearExpression(
            constant=0.0,
            linear_coefs=row.coefficients.tolist(),
            linear_vars=[columns[c] for c in row.columns],
        )
        name, *key = row.label
        relation: Any
        if row.lower == row.upper:
            relation = expression == row.upper
        else:
            low = None if np.isneginf(row.lower) else row.lower
            high = None if np.isposinf(row.upper) else row.upper
            relation = low, expression, high
        named.setdefault(name, {})[tuple(key) if len(key) > 1 else key[0]] = relation
    for name, relations in named.items():
        # The rule is bound now: Pyomo calls it when the constraint is attached.
        rule = lambda _, *key, at=relations: at[key if len(key) > 1 else key[0]]  # noqa: E731
        setattr(block, name, pyo.Constraint(list(relations), rule=rule))


def _inputs(pyo: Any, block: Any, formulation: "Formulation") -> None:
    inputs = formulation.inputs

    def rule(_: Any, i: int) -> Any:
        used = np.flatnonzero(inputs.directions[i])
        terms = (float(inputs.directions[i, k]) * block.t[int(k)] for k in used)
        return float(inputs.origin[i]) + sum(terms)

    block.x = pyo.Expression(range(inputs.origin.size), rule=rule)


def _outputs(pyo: Any, block: Any, formulation: "Formulation") -> None:
    from milpcount.formulation.units import two_pieces

    network = formulation.network
    if network.output is None:
        return
    weight, bias, last = network.output.weight, network.output.bias, len(network.layers) - 1
    unit = two_pieces(network)[-1] if network.layers else None

    def value(j: int) -> Any:
        if unit is None:
            return block.x[j]
        h, hbar, z = block.h[last, j], block.hbar[last, j], block.z[last, j]
        return unit.offset + unit.right * h - unit.left * hbar + unit.jump * z

    def rule(_: Any, k: int) -> Any:
        used = np.flatnonzero(weight[k])
        return float(bias[k]) + sum(float(weight[k, j]) * value(int(j)) for j in used)

    block.y = pyo.Expression(range(weight.shape[0]), rule=rule)
