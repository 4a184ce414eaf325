"""From a network and a domain to the MILP, with bounds as tight as was asked for."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from milpcount import arguments
from milpcount.domain import Domain, InputSet
from milpcount.errors import DomainError, OptionError
from milpcount.exact.inputs import ExactInputs
from milpcount.exact.program import decide
from milpcount.formulation import big_m
from milpcount.formulation.coefficient_range import require_fit
from milpcount.formulation.linear_program import LinearProgram
from milpcount.formulation.margins import Form
from milpcount.formulation.pattern_map import PatternMap
from milpcount.formulation.solution import set_units
from milpcount.formulation.tighten import pre_activation_bounds
from milpcount.formulation.units import require_units
from milpcount.limits import Deadline
from milpcount.network import Network
from milpcount.preactivation import PreActivationBounds
from milpcount.quantities import Quantity
from milpcount.types import Array

FORMS = {
    Quantity.ACTIVATION_REGIONS: Form.TWO_SIDED,
    Quantity.ACTIVATION_PATTERNS: Form.ONE_SIDED,
}


@dataclass(frozen=True, eq=False)
class Formulation:
    """The MILP whose distinct solutions in z with f > 0 are what is counted.

    Attributes
    ----------
    network : Network
    inputs : InputSet
    quantity : Quantity
    form : Form
    bounds : PreActivationBounds
        What the big-M constants are made of.
    program : LinearProgram
        Plain arrays.
    columns : PatternMap
        Which column is which unit's, and which units are fixed.
    """

    network: Network
    inputs: InputSet
    quantity: Quantity
    form: Form
    bounds: PreActivationBounds
    program: LinearProgram
    columns: PatternMap

    @property
    def n_free(self) -> int:
        """Number of units that the bounds leave open."""
        return int((self.columns.fixed < 0).sum())

    @cached_property
    def cells(self) -> tuple[LinearProgram, PatternMap]:
        """The program without f, and its map; the units' columns have the same indices."""
        return big_m.build(self.network, self.inputs, self.bounds, None)

    @cached_property
    def scaled_cells(self) -> LinearProgram:
        """The program of `cells` in scaled columns (see `PatternMap`), for solvers."""
        program, columns = self.cells
        return program.rescaled(columns.shift, columns.scale)

    def point(self, t: Array) -> Array:
        """Return the network's input at parameters t, shape (d,) to (n_inputs,)."""
        # On a box the directions are unit vectors, and the product would cost more than the LP.
        if self._inputs_of_t is None:
            return self.inputs.to_inputs(t)
        x = self.inputs.origin.copy()
        x[self._inputs_of_t] += t
        return x

    @cached_property
    def _inputs_of_t(self) -> Array | None:
        nonzero = self.inputs.directions != 0
        if (nonzero.sum(axis=0) == 1).all() and (self.inputs.directions[nonzero] == 1).all():
            return np.asarray(nonzero.argmax(axis=0))
        return None

    def solution(self, t: Array, pattern: Array) -> Array:
        """Return the columns of `cells` at a point with the given pattern.

        Parameters
        ----------
        t : ndarray, shape (d,)
        pattern : ndarray, shape (n_units,)
            Decides which of h and hbar takes the pre-activation, and which argument is a maximum.
        """
        program, columns = self.cells
        x = np.zeros(program.n_columns)
        x[columns.t], x[columns.z] = t, columns.indicators(pattern)
        set_units(self.network, columns, x, self.point(t), pattern)
        return x

    def to_pyomo(self, *, objective: bool = False) -> Any:
        """Return a Pyomo block, by default without an active objective of its own.

        See `milpcount.formulation.pyomo_export.to_pyomo`.
        """
        from milpcount.formulation.pyomo_export import to_pyomo

        return to_pyomo(self, objective=objective)


def formulate(
    network: Network,
    domain: Domain | InputSet,
    *,
    quantity: Quantity | str = Quantity.ACTIVATION_REGIONS,
    form: Form | str | None = None,
    tighten: str = "lp",
    deadline: Deadline | None = None,
) -> Formulation:
    """Return the big-M MILP of a network over a domain (Serra et al. 2018, constraints (1)-(6)).

    Parameters
    ----------
    network : Network
        Any graph, of scalar units with any pieces and of maxima.
    domain : Domain or InputSet
        Bounded.
    quantity : Quantity or str
        Activation regions (f bounded on all sides) or activation patterns (by strict sides only).
    form : Form or str, optional
        To take another form than the quantity's own.
    tighten : {"interval", "lp", "milp"}
        How the big-M constants are found.
    deadline : Deadline, optional
        Tightening stops there; what it has proved by then is used.

    Returns
    -------
    Formulation

    Raises
    ------
    NetworkError
        If the network is none.
    OptionError
        If an option is not known, a unit takes several values and is no maximum, or numbers are
        too far apart for solvers.
    DomainError
        If the domain is none, empty, unbounded, or does not fit the network.
    """
    network, kind = arguments.network(network), arguments.quantity(quantity, FORMS)
    if kind not in FORMS:
        raise OptionError(
            f"quantity {kind.value!r} has no MILP formulation; there is one for "
            + " and ".join(q.value for q in FORMS)
        )
    require_units(network)
    inputs = _bound(domain, network.n_inputs)
    _require_interior(inputs)
    chosen = _form(form) or FORMS[kind]
    bounds = pre_activation_bounds(
        network, inputs, tighten, arguments.deadline(deadline) or Deadline()
    )
    program, columns = big_m.build(network, inputs, bounds, chosen)
    require_fit(program, columns)
    return Formulation(network, inputs, kind, chosen, bounds, program, columns)


def with_integers(formulation: Formulation, count: int, upper: float) -> Formulation:
    """Return a formulation with integer columns at the end that no row has yet.

    Parameters
    ----------
    formulation : Formulation
    count : int
        How many.
    upper : float
        Their range is 0 to `upper`.
    """
    program, columns = formulation.program, formulation.columns
    names = tuple(f"spare[{k}]" for k in range(count))
    extended = replace(
        program,
        names=program.names + names,
        lower=np.append(program.lower, np.zeros(count)),
        upper=np.append(program.upper, np.full(count, upper)),
        objective=np.append(program.objective, np.zeros(count)),
        integer=np.append(program.integer, np.ones(count, dtype=bool)),
    )
    shift, scale = (
        np.append(columns.shift, np.zeros(count)),
        np.append(columns.scale, np.ones(count)),
    )
    return replace(
        formulation, program=extended, columns=replace(columns, shift=shift, scale=scale)
    )


def _bound(domain: Domain | InputSet, n_inputs: int) -> InputSet:
    if isinstance(domain, InputSet):
        return domain
    return arguments.domain(domain).bind(n_inputs)


def _require_interior(inputs: InputSet) -> None:
    if not inputs.rows.size:
        return
    exact = ExactInputs.from_inputs(inputs)
    if decide(exact.rows, [1] * len(exact.rows), exact.box).is_empty:
        raise DomainError(
            f"the polytope of {inputs.rhs.size} rows has no interior point: check the signs of "
            "A x <= b, or describe a flat set as a Section"
        )


def _form(form: Form | str | None) -> Form | None:
    if form is None or isinstance(form, Form):
        return form
    try:
        return Form(form)
    except ValueError:
        raise OptionError(
            f"form {form!r}: give one of {', '.join(f.value for f in Form)}"
        ) from None
