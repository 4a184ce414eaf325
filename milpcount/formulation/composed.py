"""Units as affine functions of the input on a cell, in float64 with a running error bound.

Under a fixed pattern of the layers before it, a unit's pre-activations are affine functions of
the parameters, and so are the rows ``v_a - v_b - t`` at which it changes its piece (its branch
rows). The parameters are scaled to the unit box, so that lengths of gradients measure
distances in input space. Each row carries a bound on what rounding has done to it: "identically
zero" is decided against that bound (and then exactly), never against 0.0. The bounds cover products
that underflow, and a number that has overflowed passes no test.

What a layer reads is a sum over sources. A source of n numbers with errors e adds ``|W| e`` and
``gamma |W| (|value| + e)`` to the error of the sum; gamma is that of all roundings that a term goes
through, those of the sum over sources and of the outputs before it among them (see
`milpcount.preactivation.rounding`), twice as many as there are inputs at least.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from milpcount.domain import InputSet
from milpcount.formulation.parameters import parameter_box
from milpcount.network import Network, Part, UnitTable, values_of
from milpcount.preactivation.rounding import UNDERFLOW, gamma
from milpcount.types import Array


@dataclass(frozen=True, eq=False)
class LayerRows:
    """The rows ``slopes @ s + offsets`` of a layer, s in the unit box.

    Attributes
    ----------
    slopes : ndarray, shape (rows, d)
    offsets : ndarray, shape (rows,)
    slope_error, offset_error : ndarray, shape (rows,)
        Bounds on the rounding error of every entry of a row.
    """

    slopes: Array
    offsets: Array
    slope_error: Array
    offset_error: Array

    @cached_property
    def norms(self) -> Array:
        """Euclidean lengths of the gradients, shape (rows,)."""
        return np.asarray(np.sqrt(np.einsum("ij,ij->i", self.slopes, self.slopes)))

    @cached_property
    def largest(self) -> Array:
        """Largest absolute entry of each gradient, shape (rows,)."""
        return np.asarray(np.abs(self.slopes).max(axis=1, initial=0.0))

    @cached_property
    def may_vanish(self) -> Array:
        """Which rows rounding cannot tell from the zero function, shape (rows,)."""
        differs = (self.largest > self.slope_error) | (np.abs(self.offsets) > self.offset_error)
        return np.asarray(~differs)

    @cached_property
    def value_error(self) -> Array:
        """Bound on the rounding error of `at`, shape (rows,)."""
        d = self.slopes.shape[1]
        size = d * self.largest + np.abs(self.offsets)
        return np.asarray(d * self.slope_error + self.offset_error + gamma(d) * size)

    @cached_property
    def constant_sign(self) -> Array:
        """Sign of each row where it is the same on the whole box, else 0, shape (rows,)."""
        low = self.offsets + np.minimum(self.slopes, 0).sum(axis=1) - self.value_error
        high = self.offsets + np.maximum(self.slopes, 0).sum(axis=1) + self.value_error
        return np.where(low > 0, 1, np.where(high < 0, -1, 0))

    def at(self, s: Array) -> Array:
        """Return the rows at a point of the unit box, shape (rows,)."""
        return np.asarray(self.slopes @ s + self.offsets)

    def take(self, which: Array | slice) -> "LayerRows":
        """Return some of the rows."""
        return LayerRows(
            self.slopes[which],
            self.offsets[which],
            self.slope_error[which],
            self.offset_error[which],
        )


@dataclass(frozen=True, eq=False)
class Composed:
    """A layer on a cell of the layers before it.

    Attributes
    ----------
    values : LayerRows
        The pre-activations.
    branches : LayerRows
        The branch rows of all units, as in `Layer.row_starts`.
    """

    values: LayerRows
    branches: LayerRows


class Composer:
    """Composes the rows of a layer from the outputs of the layers that it reads.

    Parameters
    ----------
    network : Network
        Any graph, of any activations.
    inputs : InputSet
        Bounded.
    """

    def __init__(self, network: Network, inputs: InputSet) -> None:
        self.network, self.inputs = network, inputs
        self.low, high = parameter_box(inputs)
        self.width = high - self.low
        self._rule = _Rows(self)
        self._input = _input_rows(inputs, self.low, self.width)

    def scaled(self, t: Array) -> Array:
        """Return parameters as points of the unit box, clipped to it."""
        return np.asarray(np.clip((t - self.low) / self.width, 0.0, 1.0))

    def parameters(self, s: Array) -> Array:
        """Return the parameters of a point of the unit box."""
        return np.asarray(self.low + self.width * s)

    def layer(self, index: int, outputs: Sequence[LayerRows]) -> Composed:
        """Return a layer's rows.

        Parameters
        ----------
        index : int
        outputs : sequence of LayerRows
            Of the layers before, on the pattern of the cell.
        """
        values = values_of(
            self.network,
            index,
            lambda source: outputs[source - 1] if source else self._input,
            self._rule,
        )
        return Composed(values, _branches(self.network.layers[index].table, values))

    def outputs(self, index: int, values: LayerRows, pattern: Array) -> LayerRows:
        """Return the outputs of a layer's units on given pieces.

        Parameters
        ----------
        index : int
        values : LayerRows
            The pre-activations.
        pattern : ndarray of int, shape (units,)
        """
        table = self.network.layers[index].table
        kinds = table.kind + np.asarray(pattern, dtype=np.int64)
        slope, constant = table.slope[kinds], table.intercept[kinds]
        chosen, size = values.take(table.start + table.value[kinds]), np.abs(slope)
        # Slopes of 0 and 1 round nothing, and an intercept of 0 neither.
        exact = (slope == 0) | (size == 1)
        terms = np.where(exact & (constant == 0), 0.0, gamma(2))
        lost = np.where(exact, 0.0, UNDERFLOW)
        offsets = slope * chosen.offsets + constant
        reach = size * (np.abs(chosen.offsets) + chosen.offset_error) + np.abs(constant)
        slopes = size * (chosen.largest + chosen.slope_error)
        return LayerRows(
            slope[:, None] * chosen.slopes,
            offsets,
            size * chosen.slope_error + terms * slopes + lost,
            size * chosen.offset_error + terms * reach + lost,
        )


class _Rows:
    """The rule of the walk that carries rows."""

    def __init__(self, composer: Composer) -> None:
        self.network = composer.network

    def take(self, values: LayerRows, which: Array) -> LayerRows:
        return values.take(which)

    def affine(self, number: int, parts: Sequence[Part[LayerRows]]) -> LayerRows:
        affine = self.network.maps[number]
        slopes, offsets = np.zeros((affine.n_out, parts[0].value.slopes.shape[1])), affine.bias
        slope_error, offset_error = np.zeros(affine.n_out), np.zeros(affine.n_out)
        slope_size, size = np.zeros(affine.n_out), np.abs(affine.bias)
        terms = gamma(2 * (affine.n_in + len(parts)) + 2)
        for part in parts:
            rows, weight = part.value, affine.matrix[:, part.source.columns]
            # Dead units and inputs that the domain does not move add nothing.
            used = (rows.largest > 0) | (rows.offsets != 0) | (rows.slope_error > 0)
            used |= rows.offset_error > 0
            if not used.all():
                used = np.flatnonzero(used)
                rows, weight = rows.take(used), weight[:, used]
            absolute = abs(weight)
            slopes = slopes + weight @ rows.slopes
            offsets = offsets + weight @ rows.offsets
            slope_error = slope_error + absolute @ rows.slope_error
            offset_error = offset_error + absolute @ rows.offset_error
            slope_size = slope_size + absolute @ rows.largest
            size = size + absolute @ np.abs(rows.offsets)
        return LayerRows(
            slopes,
            offsets,
            slope_error * (1 + terms) + terms * slope_size + UNDERFLOW,
            offset_error * (1 + terms) + terms * size + UNDERFLOW,
        )

    def activate(self, number: int, values: LayerRows) -> LayerRows:
        raise AssertionError("outputs depend on the cell's pattern: see `Composer.outputs`")


def _input_rows(inputs: InputSet, low: Array, width: Array) -> LayerRows:
    """Return the inputs as functions of the unit box.

    ``x = origin + directions @ (low + width * s)``; origin and directions may be rounded numbers
    themselves (`InputSet.exact`), which is one rounding more.
    """
    d, directions = low.size, inputs.directions * width
    terms = gamma(2 * d + 4)
    reach = np.abs(inputs.origin) + np.abs(inputs.directions) @ (np.abs(low) + width)
    largest = np.abs(directions).max(axis=1, initial=0.0)
    fixed = (inputs.directions == 0).all(axis=1) & (inputs.origin == 0)
    return LayerRows(
        directions,
        inputs.origin + inputs.directions @ low,
        np.where(fixed, 0.0, terms * largest + UNDERFLOW),
        np.where(fixed, 0.0, terms * reach + UNDERFLOW),
    )


def _branches(table: UnitTable, values: LayerRows) -> LayerRows:
    """Return the rows ``v_a - v_b - t`` of a layer."""
    if table.is_plain:
        return values
    first = values.take(table.first)
    slopes, slope_error, offset_error = first.slopes, first.slope_error, first.offset_error
    offsets, size, slope_size = first.offsets, np.abs(first.offsets), first.largest
    differ = np.flatnonzero(table.second >= 0)
    if differ.size:
        second = values.take(table.second[differ])
        slopes, offsets = slopes.copy(), offsets.copy()
        slope_size = slope_size.copy()
        slopes[differ] -= second.slopes
        offsets[differ] -= second.offsets
        slope_error[differ] += second.slope_error
        offset_error[differ] += second.offset_error
        size[differ] += np.abs(second.offsets)
        slope_size[differ] += second.largest
    size = size + np.abs(table.threshold)
    return LayerRows(
        slopes,
        offsets - table.threshold,
        slope_error + gamma(2) * (slope_size + slope_error),
        offset_error + gamma(2) * (size + offset_error),
    )
