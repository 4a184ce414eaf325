"""Exact evaluation of a network at a point, and the proof that a region exists."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from milpcount.exact.arithmetic import solve
from milpcount.exact.geometry import Point
from milpcount.exact.inputs import ExactInputs
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.weights import ExactRule, ExactWeights, Numbers
from milpcount.network import Activation, Network, propagate
from milpcount.result import Region
from milpcount.types import Array


@dataclass(frozen=True)
class PatternAt:
    """The exact activation pattern at a point.

    Attributes
    ----------
    pattern : tuple of int
        The piece of every unit; a boundary counts as not crossed (a unit at 0 is inactive).
    on_boundary : tuple of bool
        Which units lie on the boundary of their piece: one of the rows that the piece reads is
        exactly zero. Other rows say nothing, e.g. of two values of a maximum that both lose.
    """

    pattern: tuple[int, ...]
    on_boundary: tuple[bool, ...]


def pattern_at(network: Network | ExactWeights, x: Any) -> PatternAt:
    """Return the exact activation pattern at a point of input space.

    Parameters
    ----------
    network : Network or ExactWeights
        The latter saves the conversion of the weights when there are many points.
    x : array_like of float or Fraction, shape (n_inputs,), or Point
        Taken at its exact value.

    Returns
    -------
    PatternAt

    Raises
    ------
    ValueError
        If the point has another dimension or is not finite.
    """
    weights = network if isinstance(network, ExactWeights) else ExactWeights(network)
    point = x if isinstance(x, Point) else Point.of(x)
    n = weights.network.n_inputs
    if point.numerators.shape != (n,):
        raise ValueError(f"a point of shape {point.numerators.shape}: the network has {n} inputs")
    rule = _PointRule(weights)
    start = Numbers(point.numerators[:, None], point.denominator)
    propagate(weights.network, start, rule, to_output=False)
    return PatternAt(tuple(rule.pattern), tuple(rule.on_boundary))


class _PointRule(ExactRule):
    """The rule of the numbers at a point, which tell the pieces."""

    def __init__(self, weights: ExactWeights) -> None:
        super().__init__(weights)
        self.pattern: list[int] = []
        self.on_boundary: list[bool] = []

    def activate(self, number: int, values: Numbers | None) -> Numbers:
        """Return the outputs of the units on the pieces that the point is on."""
        assert values is not None
        layer = self.weights.network.layers[number]
        rows = self.weights.branch_rows(number, values, range(layer.width))
        signs = np.sign(rows.values[:, 0]).astype(np.int64).tolist()
        pieces = []
        for unit, (start, stop) in enumerate(pairwise(layer.row_starts.tolist())):
            own, activation = signs[start:stop], layer.unit(unit)
            pieces.append(piece_of(activation, own))
            literals = activation.pieces[pieces[-1]].literals
            self.on_boundary.append(any(own[row] == 0 for row, _ in literals))
        self.pattern += pieces
        return self.weights.outputs(number, values, pieces)


def piece_of(activation: Activation, signs: list[int]) -> int:
    """Return the piece of a unit whose branch rows have the given signs.

    Raises
    ------
    ValueError
        If no piece of the activation has them.
    """
    for k, piece in enumerate(activation.pieces):
        if all((signs[row] > 0) == (sign > 0) for row, sign in piece.literals):
            return k
    raise ValueError(f"no piece of {activation.name} has branch rows of signs {signs}")


def parameters_of(inputs: ExactInputs, x: Any) -> Point | None:
    """Return the parameters of a point of input space; None if it is not in the set's span.

    The point is taken at its exact value: a float64 point next to a section is not on it.
    """
    if isinstance(x, Point):
        point = x
    else:
        array = np.asarray(x)
        if array.dtype != object and not np.isfinite(array).all():
            return None
        point = Point.of(array)
    if point.numerators.shape != inputs.origin.shape:
        return None
    selected = inputs.selected
    if selected is None:
        return _solved(inputs, point)
    shift = inputs.origin[selected] * point.denominator
    numerators = point.numerators[selected] * inputs.denominator - shift
    found = Point(numerators, point.denominator * inputs.denominator)
    return found if inputs.to_input(found).is_same(point) else None


def point_of(inputs: ExactInputs, region: Region) -> Point | None:
    """Return the parameters of a region's witness, exactly; None if it is not in the set's span."""
    if region.parameters is None:
        return parameters_of(inputs, region.witness)
    given = np.asarray(region.parameters)
    if given.shape != (inputs.dimension,):
        return None
    if given.dtype != object and not np.isfinite(given).all():
        return None
    return Point.of(given)


def region_at(inputs: ExactInputs, pattern: tuple[int, ...], t: Point) -> Region:
    """Return a region with the witness at parameters t, exactly; in float64 where that is exact."""
    x = inputs.to_input(t)
    if inputs.takes_floats:
        return Region(pattern, _shortest(x))
    return Region(pattern, x.floats(), _shortest(t))


def rounded(t: Point) -> Point:
    """Return the float64 point nearest to a point; the point itself beyond their range."""
    floats = t.floats()
    return Point.of(floats) if np.isfinite(floats).all() else t


def _shortest(point: Point) -> Array:
    floats = point.floats()
    if np.isfinite(floats).all() and Point.of(floats).is_same(point):
        return floats
    return np.array(point.fractions(), dtype=object)


def _solved(inputs: ExactInputs, x: Point) -> Point | None:
    """Return the parameters of a rational point of a section; None if it is not on it."""
    # directions @ t = x - origin, times the denominators; the normal equations pick the rows.
    rhs = x.numerators * inputs.denominator - inputs.origin * x.denominator
    normal = inputs.directions.T @ inputs.directions
    found = solve(normal.tolist(), [[int(v)] for v in inputs.directions.T @ rhs])
    if found is None:
        return None
    t = Point(np.array([row[0] for row in found[0]], dtype=object), found[1] * x.denominator)
    return t if inputs.to_input(t).is_same(x) else None


def verify_region(network: ExactNetwork, region: Region) -> bool:
    """Return whether a region's witness proves it.

    Parameters
    ----------
    network : ExactNetwork
        The network on its input set.
    region : Region

    Returns
    -------
    bool
        True if the witness is in the closed input set and has the region's pattern, and every row
        that a unit's own piece reads is either not zero there or zero on the whole region.
    """
    t = point_of(network.inputs, region)
    return t is not None and proves_region(network, tuple(region.pattern), t)


def proves_region(network: ExactNetwork, pattern: tuple[int, ...], t: Point) -> bool:
    """Return whether parameters prove a region, as in `verify_region`."""
    inputs = network.inputs
    # A piece is the set where its own rows have their signs, and no two pieces share a point. Rows
    # that are positive at a point of the closed set are so on an open part of it, for next to each
    # of its points a full-dimensional convex set has interior points. Rows that vanish identically
    # stay not positive there, as the piece asks: the point would not be on the piece else.
    if not inputs.box.contains(t) or not (inputs.rows.at(t) >= 0).all():
        return False
    if not inputs.has_interior:
        return False
    found = pattern_at(network.weights, inputs.to_input(t))
    if found.pattern != tuple(pattern):
        return False
    return all(
        _is_flat(network, unit, found.pattern, t)
        for unit, zero in enumerate(found.on_boundary)
        if zero
    )


def attains_pattern(network: ExactNetwork, region: Region) -> bool:
    """Return whether a region's witness lies in the closed input set and has its pattern."""
    t = point_of(network.inputs, region)
    if t is None or not network.inputs.box.contains(t):
        return False
    if not (network.inputs.rows.at(t) >= 0).all():
        return False
    found = pattern_at(network.weights, network.inputs.to_input(t))
    return found.pattern == tuple(region.pattern)


def _is_flat(network: ExactNetwork, unit: int, pattern: tuple[int, ...], t: Point) -> bool:
    layer = int(np.searchsorted(network.starts, unit, side="right")) - 1
    place = unit - network.starts[layer]
    rows = network.unit_rows(layer, place, pattern)
    piece = network.network.layers[layer].unit(place).pieces[pattern[unit]]
    own = rows.take([row for row, _ in piece.literals])
    return bool(own.is_zero()[own.at(t) == 0].all())
