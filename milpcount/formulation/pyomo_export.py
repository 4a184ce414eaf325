"""The MILP as a Pyomo block, for any Pyomo solver and for larger models."""

from typing import TYPE_CHECKING, Any

import numpy as np

from milpcount.errors import NotInstalledError

if TYPE_CHECKING:
    from milpcount.formulation.formulate import Formulation


def to_pyomo(formulation: "Formulation", *, objective: bool = True) -> Any:
    """Return a concrete Pyomo block that holds the MILP.

    Parameters
    ----------
    formulation : Formulation
    objective : bool
        Whether the block maximises f. Leave it off to embed the block in a model that has an
        objective of its own; without f pushed up, a unit whose pre-activation is zero may have
        either state, unless you bound ``block.f`` away from zero.

    Returns
    -------
    pyomo.environ.Block
        Built, and free to be attached to a model or solved by itself. ``x[i]`` are expressions
        for the network's inputs in the parameters ``t[k]`` of the domain; ``z[l, i]``, ``h[l, i]``
        and ``hbar[l, i]`` belong to unit i of layer l, both from 0; ``y[k]`` are expressions for
        the outputs, where the network has an output layer; ``f`` is the margin.

    Raises
    ------
    NotInstalledError
        If Pyomo is missing.

    Notes
    -----
    Switch presolve off if HiGHS 1.14 is the solver (option ``presolve``: ``off``): with it, small
    big-M programs end with wrong optima.
    """
    pyo = _pyomo()
    block = pyo.Block(concrete=True)
    columns = _variables(pyo, block, formulation)
    _rows(pyo, block, formulation, columns)
    _inputs(pyo, block, formulation)
    _outputs(pyo, block, formulation)
    if objective:
        block.objective = pyo.Objective(expr=block.f, sense=pyo.maximize)
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
    exempt = [column for column, variable in enumerate(out) if variable is None]
    block.exempt = pyo.Var(range(len(exempt)), domain=pyo.Reals)
    for k, column in enumerate(exempt):
        out[column] = block.exempt[k]
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
    block.rows = pyo.ConstraintList()
    for i in range(program.n_rows):
        row = program.row(i)
        expression = LinearExpression(
            constant=0.0,
            linear_coefs=row.coefficients.tolist(),
            linear_vars=[columns[c] for c in row.columns],
        )
        if row.lower == row.upper:
            block.rows.add(expression == row.upper)
        else:
            low = None if np.isneginf(row.lower) else row.lower
            high = None if np.isposinf(row.upper) else row.upper
            block.rows.add((low, expression, high))


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
    unit = two_pieces(network)[-1]

    def value(j: int) -> Any:
        h, hbar, z = block.h[last, j], block.hbar[last, j], block.z[last, j]
        return unit.offset + unit.right * h - unit.left * hbar + unit.jump * z

    def rule(_: Any, k: int) -> Any:
        used = np.flatnonzero(weight[k])
        return float(bias[k]) + sum(float(weight[k, j]) * value(int(j)) for j in used)

    block.y = pyo.Expression(range(weight.shape[0]), rule=rule)
