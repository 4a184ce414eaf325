"""The branch rows of a network as exact affine functions of the input set's parameters."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.arithmetic import product
from milpcount.exact.geometry import ExactBox, Point, Rows
from milpcount.exact.program import decide
from milpcount.network import Activation, Network
from milpcount.rationals import to_integers

Array = np.ndarray
Pattern = Sequence[int]
# Integers that the cache of composed maps may hold, about 60 bytes each.
_CACHED_INTEGERS = 4_000_000


@dataclass(frozen=True, eq=False)
class ExactInputs:
    """The set ``{origin + directions @ t : t in box, rows(t) >= 0}`` in exact numbers.

    Attributes
    ----------
    origin : ndarray of int, dtype object, shape (n_inputs,)
    directions : ndarray of int, dtype object, shape (n_inputs, d)
    denominator : int
        Of both.
    box : ExactBox
        Of dimension d.
    rows : Rows
        Further inequalities; those that hold everywhere are left out.
    """

    origin: Array
    directions: Array
    denominator: int
    box: ExactBox
    rows: Rows

    @classmethod
    def of(
        cls,
        origin: Any,
        directions: Any,
        lower: Any,
        upper: Any,
        rows: Any = None,
        rhs: Any = None,
    ) -> "ExactInputs":
        """Return the set of float64 or exact numbers (int, Fraction; dtype object).

        Parameters
        ----------
        origin, directions, lower, upper : array_like
            As in `milpcount.domain.InputSet`.
        rows, rhs : array_like, optional
            Inequalities ``rows @ t <= rhs``.
        """
        directions = np.asarray(directions)
        d = directions.shape[1]
        joined = np.concatenate([np.asarray(origin)[:, None], directions], axis=1)
        integers, q = to_integers(joined)
        table = np.zeros((0, 1 + d)) if rows is None else np.c_[np.asarray(rhs), -np.asarray(rows)]
        inequalities = Rows.of(table)
        needed = [i for i, row in enumerate(inequalities.values) if row[0] < 0 or row[1:].any()]
        box = ExactBox.of(lower, upper)
        return cls(integers[:, 0], integers[:, 1:], q, box, inequalities.take(needed))

    @classmethod
    def from_inputs(cls, inputs: "InputSet | ExactInputs") -> "ExactInputs":
        """Return the exact form of an input set; every float64 is taken at its exact value."""
        if isinstance(inputs, ExactInputs):
            return inputs
        inputs = inputs.exact or inputs
        return cls.of(
            inputs.origin, inputs.directions, inputs.lower, inputs.upper, inputs.rows, inputs.rhs
        )

    @property
    def dimension(self) -> int:
        """Number of parameters."""
        return self.box.dimension

    @cached_property
    def selected(self) -> Array | None:
        """Which input each parameter is, shape (d,); None unless every parameter is an input."""
        one = self.directions == self.denominator
        if (one.sum(axis=0) == 1).all() and ((self.directions != 0).sum(axis=0) == 1).all():
            return np.asarray(one.argmax(axis=0))
        return None

    @cached_property
    def takes_floats(self) -> bool:
        """Whether every parameter is an input and every other input is fixed at a float64.

        A float64 point of input space with the right fixed inputs is then exactly a point of the
        set's span; of other sets it need not be.
        """
        if self.selected is None or self.origin[self.selected].any():
            return False
        fixed = Point(self.origin, self.denominator)
        floats = fixed.floats()
        return bool(np.isfinite(floats).all()) and Point.of(floats).is_same(fixed)

    @cached_property
    def has_interior(self) -> bool:
        """Whether the set is full-dimensional in its parameters."""
        return not decide(self.rows, (1,) * len(self.rows), self.box).is_empty

    def compose(self, weight: Array) -> Array:
        """Return ``weight @ [origin, directions]`` times the denominator, shape (n, 1 + d)."""
        constant = product(weight, self.origin)
        if self.selected is not None:
            slopes = weight[:, self.selected] * self.denominator
        else:
            slopes = product(weight, self.directions)
        return np.concatenate([constant[:, None], slopes], axis=1)

    def to_input(self, point: Point) -> Point:
        """Return the input of a parameter point."""
        numerators = self.origin * point.denominator
        if self.selected is None:
            numerators = numerators + self.directions @ point.numerators
        else:
            numerators[self.selected] += point.numerators * self.denominator
        return Point(numerators, self.denominator * point.denominator)


@dataclass(frozen=True, eq=False)
class _Table:
    """An activation in integers: thresholds, slopes and intercepts with one denominator."""

    thresholds: Array
    slopes: Array
    intercepts: Array
    denominator: int

    @classmethod
    def of(cls, activation: Activation) -> "_Table":
        rows, pieces = activation.rows, activation.pieces
        numbers = [r.threshold for r in rows]
        numbers += [p.slope for p in pieces] + [p.intercept for p in pieces]
        integers, q = to_integers(np.array(numbers))
        thresholds, slopes, intercepts = np.split(integers, [len(rows), len(rows) + len(pieces)])
        return cls(thresholds, slopes, intercepts, q)


class ExactWeights:
    """A network's weights and activations in integers.

    Parameters
    ----------
    network : Network
        Its numbers are taken at their exact values.

    Attributes
    ----------
    affine : list of (ndarray of int, int)
        Bias and weights of every affine map, shape (n_out, 1 + n_in), and their denominator.
    tables : list
        Thresholds, slopes and intercepts of every hidden layer's activation.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.tables = [_Table.of(layer.activation) for layer in network.layers]
        maps = [layer.affine for layer in network.layers]
        maps += [network.output] if network.output is not None else []
        self.affine = [m.exact() for m in maps]

    def branch_rows(self, layer: int, values: Array, q: int, units: range) -> tuple[Array, int]:
        """Return the branch rows of some units of a layer from all values before its activation.

        Parameters
        ----------
        layer : int
        values : ndarray of int, dtype object, shape (n_out, 1 + d)
            Affine functions; d may be 0.
        q : int
            Their denominator.
        units : range

        Returns
        -------
        rows : ndarray of int, dtype object, shape (units * rows per unit, 1 + d)
        denominator : int
        """
        activation, table = self.network.layers[layer].activation, self.tables[layer]
        count, first = len(activation.rows), np.array(units) * activation.rank
        if count == 1 and not table.thresholds.any() and activation.rows[0].b < 0:
            return values[first + activation.rows[0].a], q
        out = np.empty((len(first), count, values.shape[1]), dtype=object)
        for k, row in enumerate(activation.rows):
            at = values[first + row.a]
            out[:, k] = (at if row.b < 0 else at - values[first + row.b]) * table.denominator
            out[:, k, 0] -= table.thresholds[k] * q
        return out.reshape(-1, values.shape[1]), q * table.denominator

    def outputs(
        self, layer: int, values: Array, q: int, pieces: Sequence[int]
    ) -> tuple[Array, int]:
        """Return the outputs of a layer's units on given pieces, as in `branch_rows`."""
        activation, table = self.network.layers[layer].activation, self.tables[layer]
        which = np.array([activation.pieces[p].value for p in pieces])
        out = values[np.arange(len(pieces)) * activation.rank + which]
        out = out * table.slopes[list(pieces)][:, None]
        out[:, 0] += table.intercepts[list(pieces)] * q
        return out, q * table.denominator


class ExactNetwork:
    """A network on an input set, in exact arithmetic.

    Parameters
    ----------
    network : Network
        Its numbers are taken at their exact values.
    inputs : InputSet or ExactInputs

    Notes
    -----
    A pattern is a sequence of pieces, unit by unit; of a longer pattern only the layers that
    matter are read. Composed maps are cached by the pattern that they depend on, up to a bound.
    """

    def __init__(self, network: Network, inputs: InputSet | ExactInputs) -> None:
        self.network = network
        self.inputs = ExactInputs.from_inputs(inputs)
        self.starts = [0, *np.cumsum(network.widths).tolist()]
        self.weights = ExactWeights(network)
        largest = max(len(a) for a, _ in self.weights.affine) * (1 + self.inputs.dimension)
        self._capacity = max(2 * len(self.weights.affine), _CACHED_INTEGERS // largest)
        self._cache: OrderedDict[tuple[int, tuple[int, ...]], tuple[Array, int]] = OrderedDict()

    def rows(self, layer: int, pattern: Pattern) -> Rows:
        """Return the branch rows of all units of a layer.

        Parameters
        ----------
        layer : int
            From 0.
        pattern : sequence of int
            At least the pieces of all units of the layers before.

        Returns
        -------
        Rows
            Row k of unit u is at index ``u * len(activation.rows) + k``.
        """
        return self._branch_rows(layer, pattern, range(self.network.layers[layer].width))

    def unit_rows(self, layer: int, unit: int, pattern: Pattern) -> Rows:
        """Return the branch rows of one unit, as in `rows`."""
        return self._branch_rows(layer, pattern, range(unit, unit + 1))

    def outputs(self, layer: int, pattern: Pattern) -> Rows:
        """Return the outputs of a layer's units under a pattern that covers the layer."""
        values, q = self._outputs(layer, tuple(pattern[: self.starts[layer + 1]]))
        return Rows(values, (q,) * len(values))

    def affine_map(self, pattern: Pattern) -> Rows:
        """Return the network's affine map on the region of a full pattern."""
        if self.network.output is None:
            return self.outputs(len(self.network.layers) - 1, pattern)
        values, q = self._values(len(self.network.layers), tuple(pattern[: self.starts[-1]]))
        return Rows(values, (q,) * len(values))

    def _branch_rows(self, layer: int, pattern: Pattern, units: range) -> Rows:
        values, q = self._values(layer, tuple(pattern[: self.starts[layer]]))
        rows, denominator = self.weights.branch_rows(layer, values, q, units)
        return Rows(rows, (denominator,) * len(rows))

    def _outputs(self, layer: int, pattern: tuple[int, ...]) -> tuple[Array, int]:
        values, q = self._values(layer, pattern[: self.starts[layer]])
        return self.weights.outputs(layer, values, q, pattern[self.starts[layer] :])

    def _values(self, layer: int, pattern: tuple[int, ...]) -> tuple[Array, int]:
        """Return the values of an affine layer before its activation, and their denominator."""
        key = (layer, pattern)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        found = self._cache[key] = self._compose(layer, pattern)
        if len(self._cache) > self._capacity:
            self._cache.popitem(last=False)
        return found

    def _compose(self, layer: int, pattern: tuple[int, ...]) -> tuple[Array, int]:
        if len(pattern) < self.starts[layer]:
            raise ValueError(
                f"a pattern of {len(pattern)} units does not cover the {self.starts[layer]} units "
                f"before layer {layer}"
            )
        affine, q = self.weights.affine[layer]
        if layer == 0:
            before = self.inputs.denominator
            values = self.inputs.compose(affine[:, 1:])
        else:
            below, before = self._outputs(layer - 1, pattern)
            alive = below.any(axis=1)
            values = product(affine[:, 1:][:, alive], below[alive])
            if not alive.any():
                values = np.full((len(affine), 1 + self.inputs.dimension), 0, dtype=object)
        values[:, 0] += affine[:, 0] * before
        return values, q * before
