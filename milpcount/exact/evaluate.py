"""Exact evaluation of a network at a point, and the proof that a region exists."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from milpcount.exact.arithmetic import solve
from milpcount.exact.geometry import Point
from milpcount.exact.rows import ExactInputs, ExactNetwork, ExactWeights
from milpcount.network import Activation, Network
from milpcount.result import Region

Array = np.ndarray
# A witness on a section is the rounding of a point of the section: so far may they differ.
_ON_SECTION = 1e-9


@dataclass(frozen=True)
class PatternAt:
    """The exact activation pattern at a point.

    Attributes
    ----------
    pattern : tuple of int
        The piece of every unit; a boundary counts as not crossed (a unit at 0 is inactive).
    on_boundary : tuple of bool
        Which units have a branch row that is exactly zero there.
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
    pattern: list[int] = []
    boundary: list[bool] = []
    for pieces, zero in _layers(weights, point):
        pattern += pieces
        boundary += zero
    return PatternAt(tuple(pattern), tuple(boundary))


def _layers(weights: ExactWeights, point: Point) -> Iterator[tuple[list[int], list[bool]]]:
    below, q = point.numerators, point.denominator
    for layer, hidden in enumerate(weights.network.layers):
        affine, scale = weights.affine[layer]
        values = (affine[:, 1:] @ below + affine[:, 0] * q)[:, None]
        q *= scale
        rows, _ = weights.branch_rows(layer, values, q, range(hidden.width))
        signs = np.sign(rows.reshape(hidden.width, -1)).astype(np.int64)
        pieces = [piece_of(hidden.activation, unit) for unit in signs.tolist()]
        yield pieces, (signs == 0).any(axis=1).tolist()
        out, q = weights.outputs(layer, values, q, pieces)
        below = out[:, 0]


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

    Exact where every parameter is an input, and for a point of exact numbers. Elsewhere a float64
    point need not lie on the section, and the parameters returned are those of a point next to it.
    """
    point = x if isinstance(x, Point) else Point.of(x)
    selected = inputs.selected
    if selected is not None:
        shift = inputs.origin[selected] * point.denominator
        numerators = point.numerators[selected] * inputs.denominator - shift
        found = Point(numerators, point.denominator * inputs.denominator)
        return found if _is_input(inputs, found, point) else None
    if np.asarray(x).dtype == object:
        return _solved(inputs, point)
    target = point.floats()
    origin = Point(inputs.origin, inputs.denominator).floats()
    directions = np.array([Point(row, inputs.denominator).floats() for row in inputs.directions])
    t = np.linalg.lstsq(directions, target - origin, rcond=None)[0]
    near = np.abs(origin + directions @ t - target).max()
    return Point.of(t) if near <= _ON_SECTION * max(1.0, np.abs(target).max()) else None


def _is_input(inputs: ExactInputs, t: Point, x: Point) -> bool:
    back = inputs.to_input(t)
    return bool((back.numerators * x.denominator == x.numerators * back.denominator).all())


def _solved(inputs: ExactInputs, x: Point) -> Point | None:
    """Return the parameters of a rational point of a section; None if it is not on it."""
    # directions @ t = x - origin, times the denominators; the normal equations pick the rows.
    rhs = x.numerators * inputs.denominator - inputs.origin * x.denominator
    normal = inputs.directions.T @ inputs.directions
    found = solve(normal.tolist(), [[int(v)] for v in inputs.directions.T @ rhs])
    if found is None:
        return None
    t = Point(np.array([row[0] for row in found[0]], dtype=object), found[1] * x.denominator)
    return t if _is_input(inputs, t, x) else None


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
        True if the witness is in the closed input set, has the region's pattern, and every
        branch row is either not zero there or zero on the whole region.
    """
    t = parameters_of(network.inputs, region.witness)
    return t is not None and proves_region(network, tuple(region.pattern), t)


def proves_region(network: ExactNetwork, pattern: tuple[int, ...], t: Point) -> bool:
    """Return whether parameters prove a region, as in `verify_region`."""
    inputs = network.inputs
    # Rows that are positive at a point of the closed set are so on an open part of it, for next to
    # each of its points a full-dimensional convex set has interior points.
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
    t = parameters_of(network.inputs, region.witness)
    if t is None or not network.inputs.box.contains(t):
        return False
    if not (network.inputs.rows.at(t) >= 0).all():
        return False
    return pattern_at(network.weights, network.inputs.to_input(t)).pattern == region.pattern


def _is_flat(network: ExactNetwork, unit: int, pattern: tuple[int, ...], t: Point) -> bool:
    layer = int(np.searchsorted(network.starts, unit, side="right")) - 1
    rows = network.unit_rows(layer, unit - network.starts[layer], pattern)
    zero_here = rows.at(t) == 0
    return bool(rows.is_zero()[zero_here].all())
