"""Values of a network at many points on given pieces, with bounds on all their rounding errors.

A bound covers what float64 does to a sum of products in any order, twice over. A number that is
zero whatever the point, because all that it is made of is, is told apart from one that happens to
be small: it has no error, and does not live.
"""

from typing import NamedTuple

import numpy as np

from milpcount.domain import InputSet
from milpcount.network import Activation, Affine, Network

Array = np.ndarray

ROUNDOFF = 2.0**-53
LEAST = 1e-300
"""Granted for underflow wherever a number is not zero by structure."""
_SMALLEST = np.finfo(np.float64).smallest_normal


class Values(NamedTuple):
    """Values of a layer: floats, bounds on their errors, and whether they can be other than 0."""

    value: Array
    error: Array
    alive: Array


class FirstValues:
    """The first layer's values as affine functions of the parameters, with their rounding."""

    def __init__(self, network: Network, inputs: InputSet) -> None:
        affine, directions = network.layers[0].affine, inputs.directions
        weight, origin = affine.weight, inputs.origin
        self.inputs, self.selected = inputs, selected_inputs(directions)
        if self.selected is None:
            slopes, sizes = weight @ directions, _size(weight) @ _size(directions)
        else:
            slopes = weight[:, self.selected]
            sizes = _size(slopes)
        self._slopes = np.ascontiguousarray(slopes.T)
        self._constant = weight @ origin + affine.bias
        self._sizes = np.ascontiguousarray(sizes.T)
        self._size = _size(weight) @ _size(origin) + _size(affine.bias)
        self._unit = 2.0 * (weight.shape[1] + inputs.dimension + 16) * ROUNDOFF
        varies = (directions != 0).any(axis=1) | (origin != 0)
        self._alive = ((weight != 0) & varies).any(axis=1) | (affine.bias != 0)
        self._box_error = None
        if inputs.is_boxed:
            reach = np.maximum(abs(inputs.lower), abs(inputs.upper))
            self._box_error = self._error(reach[None])

    def values(self, tau: Array, w: Array) -> Array:
        """Return the values at ``tau / w``, times w."""
        return np.asarray(tau @ self._slopes + w[:, None] * self._constant)

    def bounded(self, t: Array, values: Array) -> Values:
        """Return values at parameters with bounds on what they are off."""
        error = self._error(abs(t)) if self._box_error is None else self._box_error
        return Values(
            values, np.broadcast_to(error, values.shape), np.broadcast_to(self._alive, values.shape)
        )

    def inputs_of(self, t: Array) -> Array:
        """Return the inputs of parameters, rounded where they are not parameters themselves."""
        if self.selected is None:
            return self.inputs.to_inputs(t)
        if np.array_equal(self.selected, np.arange(len(self.inputs.origin))):
            return t + self.inputs.origin if self.inputs.origin.any() else t
        x = np.tile(self.inputs.origin, (len(t), 1))
        x[:, self.selected] += t
        return x

    def _error(self, reach: Array) -> Array:
        return np.asarray(self._unit * (reach @ self._sizes + self._size) + LEAST * self._alive)


class PieceTable(NamedTuple):
    """An activation as arrays over its rows and pieces."""

    a: Array
    b: Array
    threshold: Array
    asks: Array
    value: Array
    slope: Array
    intercept: Array

    @classmethod
    def of(cls, activation: Activation) -> "PieceTable":
        """Return an activation's table; `asks` is the sign that a piece asks of a row, or 0."""
        rows, pieces = activation.rows, activation.pieces
        asks = np.zeros((len(pieces), len(rows)), dtype=np.int8)
        for k, piece in enumerate(pieces):
            for row, sign in piece.literals:
                asks[k, row] = sign
        return cls(
            np.array([r.a for r in rows], dtype=np.int64),
            np.array([r.b for r in rows], dtype=np.int64),
            np.array([r.threshold for r in rows], dtype=float),
            asks,
            np.array([p.value for p in pieces]),
            np.array([p.slope for p in pieces], dtype=float),
            np.array([p.intercept for p in pieces], dtype=float),
        )

    def second(self, v: Array) -> Array:
        """Return the values that the rows subtract, 0 where there is none; see `Row`."""
        if (self.b < 0).all():
            return np.zeros((), v.dtype)
        return np.where(self.b >= 0, v[..., self.b], np.zeros((), v.dtype))

    def rows(self, state: Values, width: int) -> tuple[Array, Array, Array]:
        """Return rows, bounds on their errors, and which are not zero by structure."""
        value, error, alive = (part.reshape(len(part), width, -1) for part in state)
        first, second = value[..., self.a], self.second(value)
        size = abs(first) + abs(second) + abs(self.threshold)
        off = error[..., self.a] + self.second(error) + 4 * ROUNDOFF * size
        moves = alive[..., self.a] | self.second(alive) | (self.threshold != 0)
        return first - second - self.threshold, off, moves

    def chosen(self, v: Array, pieces: Array) -> Array:
        """Return of each unit the value that its piece uses."""
        if v.shape[-1] == 1:
            return v[..., 0]
        return np.asarray(np.take_along_axis(v, self.value[pieces][..., None], -1)[..., 0])

    def outputs(self, state: Values, pieces: Array) -> Values:
        """Return the outputs of units on given pieces."""
        value, error, alive = (
            self.chosen(part.reshape(*pieces.shape, -1), pieces) for part in state
        )
        slope, intercept = self.slope[pieces], self.intercept[pieces]
        scaled = slope * value
        size = abs(scaled) + abs(intercept)
        lives = (alive & (slope != 0)) | (intercept != 0)
        error = abs(slope) * error + 4 * ROUNDOFF * size + LEAST * lives
        return Values(scaled + intercept, error, lives)


def _size(array: Array) -> Array:
    """Return magnitudes of which rounding loses a part at most, of tiny numbers as well."""
    return np.asarray(np.where(array != 0, abs(array) + _SMALLEST, 0.0))


def through(state: Values, affine: Affine) -> Values:
    """Return the values of a layer from the outputs of the one before."""
    weight, bias = affine.weight, affine.bias
    unit, size = 2.0 * (weight.shape[1] + 4) * ROUNDOFF, _size(weight).T
    value, error, alive = state
    lives = (alive.astype(float) @ (weight != 0).T.astype(float) > 0) | (bias != 0)
    off = (error + unit * (abs(value) + error)) @ size * (1.0 + unit) + unit * _size(bias)
    return Values(value @ weight.T + bias, off + LEAST * lives, lives)


def selected_inputs(directions: Array) -> Array | None:
    """Return which input each parameter is, shape (d,); None unless every parameter is one."""
    ones = directions == 1.0
    single = ((directions != 0).sum(axis=0) == 1) & (ones.sum(axis=0) == 1)
    return np.asarray(ones.argmax(axis=0)) if single.all() else None
