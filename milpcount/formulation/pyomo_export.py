"""The MILP as a Pyomo block, for any Pyomo solver and for larger models."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from milpcount import optional
from milpcount.formulation.big_m import Construction
from milpcount.formulation.expressions import expression

if TYPE_CHECKING:
    from milpcount.formulation.formulate import Formulation

_VARIABLES = ("t", "h", "hbar", "z", "top", "behind", "f", "exempt")
_NAME = re.compile(r"([a-z]+)(\d*)((?:_\d+)*)\[([\d,]+)\]")


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
        * of a unit of more pieces ``z[l, i, k]``, whether it is on piece k, and ``h[l, i, r]`` and
          ``hbar[l, i, r]`` for each breakpoint r;
        * of a maximum ``z[l, i, k]``, whether argument k wins, ``top[l, i]``, its value, and
          ``behind[l, i, j]``, by how much argument j is behind;
        * ``f``, the margin by which units keep to their states; ``exempt[l, i]``, whether it
          leaves out a unit that is identically zero.

        ``y[k]`` are expressions for the outputs, where the network has an output layer.
        Constraints: ``domain[k]``, ``pre_activation[l, i]`` (which is h - hbar),
        ``big_m_active[l, i]`` (h = 0 unless z = 1), ``big_m_inactive[l, i]`` (hbar = 0 unless
        z = 0), ``margin_active[l, i]`` and ``margin_inactive[l, i]`` (f is at most h, or hbar), and
        ``exemption[l, i, j]`` (only where unit j of the layer before is inactive). Of units of more
        pieces they have the breakpoint as a third index; ``breakpoint[l, i, r]`` ties breakpoint r
        to the first, and ``one_piece[l, i]`` says that there is one. Of a maximum
        ``pre_activation[l, i, j]`` is for argument j, ``big_m_behind[l, i, j]`` makes the winner
        the maximum, and ``margin_behind[l, i, j]``, ``margin_tied[l, i, j]`` bound f by how far
        argument j is behind. In graphs, exemptions name the layer of unit j before it.

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
    _outputs(pyo, block, formulation, columns)
    block.objective = pyo.Objective(expr=block.f, sense=pyo.maximize)
    if not objective:
        block.objective.deactivate()
    return block


def _pyomo() -> Any:
    return optional.require("pyomo.environ", "the export to Pyomo")


def _variables(pyo: Any, block: Any, formulation: "Formulation") -> list[Any]:
    """Declare the variables and return them in the order of the columns."""
    program = formulation.program
    groups: dict[str, dict[Any, int]] = {name: {} for name in _VARIABLES}
    for column, text in enumerate(program.names):
        name, key = _key(text)
        groups[name][key] = column
    out: list[Any] = [None] * program.n_columns
    for name, columns in groups.items():
        variable = pyo.Var(_index(pyo, columns), domain=pyo.Binary if name == "z" else pyo.Reals)
        if name == "f":
            variable = pyo.Var(domain=pyo.Reals)
        setattr(block, name, variable)
        for key, column in columns.items():
            out[column] = variable if name == "f" else variable[key]
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


def _key(text: str) -> tuple[str, Any]:
    """Return the variable and the key of a column's name; layers are numbered from 0 here."""
    found = _NAME.fullmatch(text)
    assert found is not None
    name, layer, within, last = found.groups()
    if not layer:
        return name, int(last)
    # An exempt column has its whole key before the bracket.
    rest = within.strip("_").split("_") if within else last.split(",")
    return name, (int(layer) - 1, *map(int, rest))


def _index(pyo: Any, keys: Iterable[Any]) -> Any:
    """Return keys as an index; of several lengths they need a set that allows them."""
    found = list(keys)
    lengths = {len(key) if isinstance(key, tuple) else 1 for key in found}
    return pyo.Set(initialize=found, dimen=None) if len(lengths) > 1 else found


def _rows(pyo: Any, block: Any, formulation: "Formulation", columns: list[Any]) -> None:
    linear = optional.load("pyomo.core.expr").LinearExpression
    program = formulation.program
    named: dict[str, dict[Any, Any]] = {}
    for i in range(program.n_rows):
        row = program.row(i)
        total = linear(
            constant=0.0,
            linear_coefs=row.coefficients.tolist(),
            linear_vars=[columns[c] for c in row.columns],
        )
        name, *key = row.label
        relation: Any
        if row.lower == row.upper:
            relation = total == row.upper
        else:
            low = None if np.isneginf(row.lower) else row.lower
            high = None if np.isposinf(row.upper) else row.upper
            relation = low, total, high
        named.setdefault(name, {})[tuple(key) if len(key) > 1 else key[0]] = relation
    for name, relations in named.items():
        # The rule is bound now: Pyomo calls it when the constraint is attached.
        rule = lambda _, *key, at=relations: at[key if len(key) > 1 else key[0]]  # noqa: E731
        setattr(block, name, pyo.Constraint(_index(pyo, relations), rule=rule))


def _inputs(pyo: Any, block: Any, formulation: "Formulation") -> None:
    inputs = formulation.inputs

    def rule(_: Any, i: int) -> Any:
        used = np.flatnonzero(inputs.directions[i])
        terms = (float(inputs.directions[i, k]) * block.t[int(k)] for k in used)
        return float(inputs.origin[i]) + sum(terms)

    block.x = pyo.Expression(range(inputs.origin.size), rule=rule)


def _outputs(pyo: Any, block: Any, formulation: "Formulation", columns: list[Any]) -> None:
    network, inputs = formulation.network, formulation.inputs
    if network.output is None:
        return
    built = Construction(network, inputs, formulation.bounds)
    built.finish(None)
    read = expression(network, inputs, len(network.layers), built.t, built.outputs)

    def rule(_: Any, k: int) -> Any:
        terms = zip(*read.row(k), strict=True)
        return float(read.offset[k]) + sum(float(w) * columns[c] for c, w in terms if w)

    block.y = pyo.Expression(range(network.output.n_out), rule=rule)
