"""Values of a network at many points on given pieces, with bounds on all their rounding errors.

A bound covers what float64 does to a sum of products in any order, twice over. A number that is
zero whatever the point, because all that it is made of is, is told apart from one that happens to
be small: it has no error, and does not live.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from milpcount.domain import InputSet
from milpcount.kernel.image_space import input_weight
from milpcount.network import Affine, Network, Source, UnitTable
from milpcount.preactivation.rounding import support
from milpcount.types import Array

ROUNDOFF = 2.0**-53
LEAST = 1e-300
"""Granted for underflow wherever a number is not zero by structure."""
_SMALLEST = np.finfo(np.float64).smallest_normal


class Values(NamedTuple):
    """Values of a layer: floats, bounds on their errors, and whether they can be other than 0."""

    value: Array
    error: Array
    alive: Array


class InputValues:
    """What a map adds up of the network's inputs, as affine functions of the parameters.

    Parameters
    ----------
    weight : ndarray or scipy.sparse array, shape (n_out, n_inputs)
    bias : ndarray, shape (n_out,)
        Zero where it is added with the rest.
    inputs : InputSet
    """

    def __init__(self, weight: Any, bias: Array, inputs: InputSet) -> None:
        directions, origin = inputs.directions, inputs.origin
        self.inputs, self.selected = inputs, selected_inputs(directions)
        if self.selected is None:
            slopes, sizes = weight @ directions, _size(weight) @ _size(directions)
        else:
            slopes = weight[:, self.selected]
            sizes = _size(slopes)
        self._slopes, self._sizes = slopes.T, sizes.T
        if not sparse.issparse(slopes):
            self._slopes, self._sizes = map(np.ascontiguousarray, (slopes.T, sizes.T))
        self._constant = weight @ origin + bias
        self._size = _size(weight) @ _size(origin) + _size(bias)
        self._unit = 2.0 * (weight.shape[1] + inputs.dimension + 16) * ROUNDOFF
        varies = (directions != 0).any(axis=1) | (origin != 0)
        self._alive = (support(weight) @ varies > 0) | (bias != 0)
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


class UnitValues:
    """What a map adds up of units, with its bias unless `InputValues` has that.

    Parameters
    ----------
    weight : ndarray or scipy.sparse array, shape (n_out, units that it reads)
    bias : ndarray, shape (n_out,)
    """

    def __init__(self, weight: Any, bias: Array) -> None:
        self.bias = bias
        self._transposed = weight.T
        self._unit = 2.0 * (weight.shape[1] + 4) * ROUNDOFF
        self._size, self._ones = _size(weight).T, support(weight).T

    def values(self, out: Array, w: Array) -> Array:
        """Return the values of outputs that are homogeneous of degree 1 with w."""
        return np.asarray(out @ self._transposed + w[:, None] * self.bias)

    def bounded(self, state: Values) -> Values:
        """Return the values with bounds on what they are off."""
        value, error, alive = state
        lives = (alive.astype(float) @ self._ones > 0) | (self.bias != 0)
        off = (error + self._unit * (abs(value) + error)) @ self._size * (1.0 + self._unit)
        off = off + self._unit * _size(self.bias)
        return Values(np.asarray(value @ self._transposed + self.bias), off + LEAST * lives, lives)


def added(one: Values, other: Values) -> Values:
    """Return sums."""
    value = one.value + other.value
    alive = one.alive | other.alive
    off = (one.error + other.error) * (1.0 + 4 * ROUNDOFF) + 2 * ROUNDOFF * abs(value)
    return Values(value, off, alive)


class MapValues(NamedTuple):
    """A layer's affine map, in what it reads of the inputs and of units."""

    inputs: InputValues | None
    units: UnitValues | None

    @classmethod
    def of(cls, network: Network, number: int, inputs: InputSet) -> "MapValues":
        """Return the map of a layer of a network on an input set."""
        affine, sources = network.layers[number].affine, network.sources[number]
        bias, found = affine.bias, None
        if sources[0].number == 0:
            found = InputValues(_input_matrix(affine, sources[0], network.n_inputs), bias, inputs)
            bias = np.zeros(affine.n_out)
            if len(sources) == 1:
                return cls(found, None)
        matrix = affine.matrix
        if found is not None:
            matrix = matrix[:, sources[1].columns.start :]
        return cls(found, UnitValues(matrix, bias))


class LayerRows:
    """The branch rows and outputs of a layer's units at many points; see `UnitTable`."""

    def __init__(self, table: UnitTable) -> None:
        self._table, self._plain = table, table.is_plain
        self._compares = bool((table.second >= 0).any())

    def asks(self, pieces: Array) -> Array:
        """Return the signs that pieces, shape (k, units), ask of the rows, shape (k, rows)."""
        table = self._table
        kinds = table.kind + pieces
        if self._plain:
            return np.asarray(table.asks[kinds, 0])
        return np.asarray(table.asks[kinds[:, table.row_unit], table.row_place])

    def rows(self, values: Array, w: Array) -> Array:
        """Return the rows of values that are homogeneous of degree 1 with w."""
        if self._plain:
            return values
        table = self._table
        return np.asarray(
            values[:, table.first] - self._second(values) - w[:, None] * table.threshold
        )

    def bounded(self, state: Values) -> Values:
        """Return rows, bounds on their errors, and which are not zero by structure."""
        if self._plain:
            return state
        table, (value, error, alive) = self._table, state
        first, second = value[:, table.first], self._second(value)
        size = abs(first) + abs(second) + abs(table.threshold)
        off = error[:, table.first] + self._second(error) + 4 * ROUNDOFF * size
        moves = alive[:, table.first] | self._second(alive) | (table.threshold != 0)
        return Values(first - second - table.threshold, off, moves)

    def outputs(self, values: Array, w: Array, pieces: Array) -> Array:
        """Return the outputs of units on given pieces, homogeneous like the values."""
        table = self._table
        kinds = table.kind + pieces
        out = table.slope[kinds] * self._chosen(values, kinds)
        return np.asarray(out + w[:, None] * table.intercept[kinds])

    def bounded_outputs(self, state: Values, pieces: Array) -> Values:
        """Return the outputs of units on given pieces, with bounds on what they are off."""
        table = self._table
        kinds = table.kind + pieces
        value, error, alive = (self._chosen(part, kinds) for part in state)
        slope, intercept = table.slope[kinds], table.intercept[kinds]
        scaled = slope * value
        size = abs(scaled) + abs(intercept)
        lives = (alive & (slope != 0)) | (intercept != 0)
        error = abs(slope) * error + 4 * ROUNDOFF * size + LEAST * lives
        return Values(scaled + intercept, error, lives)

    def _second(self, part: Array) -> Array:
        """Return the values that the rows subtract, 0 where there is none."""
        if not self._compares:
            return np.zeros((), part.dtype)
        second = self._table.second
        return np.where(second >= 0, part[:, second], np.zeros((), part.dtype))

    def _chosen(self, part: Array, kinds: Array) -> Array:
        if part.shape[1] == kinds.shape[1]:  # one value each
            return part
        at = self._table.start + self._table.value[kinds]
        return np.take_along_axis(np.broadcast_to(part, (len(kinds), part.shape[1])), at, axis=1)


def _input_matrix(affine: Affine, source: Source, n_inputs: int) -> Any:
    """Return the weights that a map has on the inputs, (n_out, n_inputs), as they are held."""
    if not sparse.issparse(affine.matrix):
        return input_weight(affine, source, n_inputs)
    part = affine.matrix[:, source.columns]
    columns = part.indices if source.local is None else source.local[part.indices]
    return sparse.csr_array((part.data, columns, part.indptr), shape=(affine.n_out, n_inputs))


def _size(array: Any) -> Any:
    """Return magnitudes of which rounding loses a part at most, of tiny numbers as well."""
    if sparse.issparse(array):
        return sparse.csr_array((_size(array.data), array.indices, array.indptr), array.shape)
    return np.asarray(np.where(array != 0, abs(array) + _SMALLEST, 0.0))


def selected_inputs(directions: Array) -> Array | None:
    """Return which input each parameter is, shape (d,); None unless every parameter is one."""
    ones = directions == 1.0
    single = ((directions != 0).sum(axis=0) == 1) & (ones.sum(axis=0) == 1)
    return np.asarray(ones.argmax(axis=0)) if single.all() else None
