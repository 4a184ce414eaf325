"""Bounds on pre-activations by interval arithmetic, rounded outward.

The rounding follows the standard model of floating-point sums (Higham, Accuracy and Stability of
Numerical Algorithms, 2002, section 3.1): a sum of n products is off by at most
``gamma_n = n u / (1 - n u)`` times the sum of their absolute values. Products that underflow lose
half of the smallest subnormal number each, whatever their size; `UNDERFLOW` covers many of them.
What overflows is not known: its bounds are infinite.
"""

from dataclasses import dataclass

import numpy as np

from milpcount.domain import InputSet
from milpcount.errors import DomainError, OptionError
from milpcount.formulation.linear_program import Builder
from milpcount.limits import tick
from milpcount.network import Layer, Network

Array = np.ndarray
ROUNDOFF = float(np.finfo(np.float64).eps) / 2
UNDERFLOW = float(np.finfo(np.float64).tiny)
"""More than 2^52 products lose to underflow."""


def gamma(terms: int) -> float:
    """Return the relative error bound of a sum of so many products, with room to spare."""
    return 2 * (terms + 4) * ROUNDOFF


@dataclass(frozen=True, eq=False)
class PreActivationBounds:
    """Bounds that hold for every input of the domain.

    Attributes
    ----------
    lower, upper : tuple of ndarray
        Of each layer's pre-activations.
    breakpoints : tuple of float
        A unit of the layer is active where its pre-activation is above it.
    source : str
        ``interval``, ``lp`` or ``milp``.
    """

    lower: tuple[Array, ...]
    upper: tuple[Array, ...]
    breakpoints: tuple[float, ...]
    source: str = "interval"

    @property
    def stable_active(self) -> tuple[Array, ...]:
        """Masks of the units that are active on the whole domain."""
        return tuple(lo > t for lo, t in zip(self.lower, self.breakpoints, strict=True))

    @property
    def stable_inactive(self) -> tuple[Array, ...]:
        """Masks of the units that are active nowhere in the domain."""
        return tuple(hi <= t for hi, t in zip(self.upper, self.breakpoints, strict=True))

    @property
    def n_stable(self) -> int:
        """Number of stable units."""
        masks = (*self.stable_active, *self.stable_inactive)
        return sum(int(mask.sum()) for mask in masks)


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
    from milpcount.formulation import highs_model

    build = Builder()
    t = build.columns("t", inputs.lower, inputs.upper)
    for row, rhs in zip(inputs.rows, inputs.rhs, strict=True):
        build.row(t, row, -np.inf, rhs)
    objective = np.zeros(inputs.dimension)
    objective[i] = sign
    model = highs_model.solver()
    highs_model.load(model, build.build())
    outcome, value = highs_model.maximum(model, objective)
    if outcome is highs_model.Outcome.INFEASIBLE:
        raise DomainError("the domain is empty: no input satisfies all of its rows")
    if outcome is not highs_model.Outcome.OPTIMAL:
        raise DomainError(
            f"the domain is unbounded at input {i}, and the MILP needs finite bounds: give a Box, "
            "or give the Polytope lower and upper bounds, or count with the region tree"
        )
    return value + 1e-6 * (1 + abs(value))


def interval_bounds(network: Network, inputs: InputSet) -> PreActivationBounds:
    """Return bounds on all pre-activations by interval arithmetic.

    Parameters
    ----------
    network : Network
        Scalar activations only.
    inputs : InputSet

    Returns
    -------
    PreActivationBounds
        Sound: rounding is accounted for.

    Raises
    ------
    DomainError
        If the domain is empty or unbounded.
    OptionError
        If an activation takes more than one value per unit.
    """
    low, high = parameter_box(inputs)
    bounds = []
    for layer in network.layers[:1]:
        bounds.append(_first_layer(layer.affine.weight, layer.affine.bias, inputs, low, high))
    for before, layer in zip(network.layers, network.layers[1:], strict=False):
        outputs = output_range(before, *bounds[-1])
        bounds.append(affine_range(layer.affine.weight, layer.affine.bias, *outputs))
    cuts = tuple(layer.activation.rows[0].threshold for layer in network.layers)
    return PreActivationBounds(tuple(b[0] for b in bounds), tuple(b[1] for b in bounds), cuts)


def _first_layer(
    weight: Array, bias: Array, inputs: InputSet, low: Array, high: Array
) -> tuple[Array, Array]:
    # The product with the directions keeps the correlation of inputs on a section; on a box the
    # directions are unit vectors and it is exact.
    with np.errstate(over="ignore", invalid="ignore"):
        reach = np.maximum(np.abs(low), np.abs(high))
        absolute = np.abs(inputs.directions) @ reach + np.abs(inputs.origin)
        error = gamma(weight.shape[1] + 2 * low.size) * (np.abs(weight) @ absolute + np.abs(bias))
        # Slopes that have underflowed are multiplied by the parameters, too.
        error += np.where(_has_terms(weight, absolute), UNDERFLOW * (1 + reach.sum()), 0.0)
        slopes, offset = weight @ inputs.directions, weight @ inputs.origin + bias
        lower, upper = affine_range(slopes, offset, low, high)
        return known(lower - error, upper + error)


def affine_range(weight: Array, bias: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """Return sound bounds on ``weight @ v + bias`` for ``low <= v <= high``."""
    tick()
    positive, negative = np.maximum(weight, 0), np.minimum(weight, 0)
    with np.errstate(over="ignore", invalid="ignore"):
        reach = np.maximum(np.abs(low), np.abs(high))
        error = gamma(2 * low.size) * (np.abs(weight) @ reach + np.abs(bias))
        error += np.where(_has_terms(weight, reach), UNDERFLOW, 0.0)
        return known(
            positive @ low + negative @ high + bias - error,
            positive @ high + negative @ low + bias + error,
        )


def _has_terms(weight: Array, reach: Array) -> Array:
    """Return which rows have a product of two factors that are not zero."""
    return np.asarray((weight != 0).astype(np.float64) @ (reach != 0) > 0)


def known(lower: Array, upper: Array) -> tuple[Array, Array]:
    """Return bounds with those that are not numbers, or bound nothing, taken for infinite."""
    sound = (lower <= upper) & (lower < np.inf) & (upper > -np.inf)
    return np.where(sound, lower, -np.inf), np.where(sound, upper, np.inf)


def output_range(layer: Layer, low: Array, high: Array) -> tuple[Array, Array]:
    """Return bounds on a layer's outputs from bounds on its pre-activations.

    Raises
    ------
    OptionError
        If the activation takes more than one value per unit.
    """
    unit = layer.activation
    if unit.rank != 1:
        raise OptionError(
            f"activation {unit.name!r} takes {unit.rank} values per unit: interval bounds are "
            "for scalar activations"
        )
    cuts = [-np.inf, *(row.threshold for row in unit.rows), np.inf]
    lower, upper = np.full(low.shape, np.inf), np.full(low.shape, -np.inf)
    for piece, left, right in zip(unit.pieces, cuts, cuts[1:], strict=False):
        met = (high >= left) & (low <= right)
        for end in (np.clip(low, left, right), np.clip(high, left, right)):
            with np.errstate(over="ignore"):
                product = piece.slope * end if piece.slope else np.zeros(end.shape)
                error = 4 * ROUNDOFF * (np.abs(product) + abs(piece.intercept))
            error = np.where(end != 0, error + UNDERFLOW, error)
            exact = not piece.intercept and piece.slope in (0.0, 1.0)
            error = np.where(exact | np.isinf(product), 0.0, error)
            lower = np.where(met, np.minimum(lower, product + piece.intercept - error), lower)
            upper = np.where(met, np.maximum(upper, product + piece.intercept + error), upper)
    return known(lower, upper)
