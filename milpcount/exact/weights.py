"""A network's affine maps and activations in integers, and the walk that carries exact numbers."""

from collections.abc import Sequence
from math import lcm
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from milpcount.exact.arithmetic import product
from milpcount.exact.inputs import ExactInputs
from milpcount.limits import tick
from milpcount.network import (
    Affine,
    Composite,
    Elementwise,
    Network,
    Part,
    Source,
    Sparse,
    UnitTable,
)
from milpcount.network.sparse import Factor
from milpcount.rationals import to_integers
from milpcount.types import Array


class Numbers(NamedTuple):
    """Affine functions of parameters, or numbers: integers over one denominator.

    Attributes
    ----------
    values : ndarray of int, dtype object, shape (n, 1 + d)
        Constant and slopes of each; d is 0 for numbers.
    denominator : int
    """

    values: Array
    denominator: int


_WRITTEN_OUT = 1 << 20
"""Numbers of a composite map up to which its product is written out: a second."""


class ExactMap:
    """An affine map in integers.

    Parameters
    ----------
    affine : Affine
        A sparse one is held without its zeros, a large composite one by its factors: what it maps
        goes through them one after the other, so that their product is never made.

    Attributes
    ----------
    n_out, n_in : int
    bias : ndarray of int, dtype object, shape (n_out,)
    denominator : int
        Of bias and weights.
    """

    def __init__(self, affine: Affine) -> None:
        self.n_out, self.n_in = affine.n_out, affine.n_in
        self._weight: Array | None = None
        self._steps: list[_Step] = []
        if isinstance(affine, Composite) and _is_large(affine):
            self._steps = [_Step.of(factor) for factor in affine.factors]
            self.bias, self.denominator = np.full(self.n_in, 0, dtype=object), 1
            for step in self._steps:
                self.bias = step.times(self.bias[:, None])[:, 0] + step.bias * self.denominator
                self.denominator *= step.denominator
        elif isinstance(affine, Sparse):
            self._steps = [_Step.of(affine)]
            self.bias, self.denominator = self._steps[0].bias, self._steps[0].denominator
        else:
            table, self.denominator = affine.exact()
            self.bias, self._weight = table[:, 0], table[:, 1:]

    def times(self, columns: slice, values: Array) -> Array:
        """Return the weights of some inputs times what these carry, without bias and denominator.

        Parameters
        ----------
        columns : slice
        values : ndarray of int, dtype object, shape (columns, 1 + d)
        """
        alive = (values != 0).any(axis=1)  # of objects, `any` alone is no bool before numpy 2
        if not alive.any():
            return np.full((self.n_out, values.shape[1]), 0, dtype=object)
        if self._weight is not None:
            return product(self._weight[:, columns][:, alive], values[alive])
        found, first = values, columns.start or 0
        for step in self._steps:
            found, first = step.times(found, first), 0
        return found

    def of_inputs(self, inputs: ExactInputs, source: Source) -> Array:
        """Return the same for the columns of the network's input, as functions of parameters."""
        if self._weight is not None:
            return inputs.compose(self._weight[:, source.columns], source.local)
        return self.times(source.columns, inputs.rows_of(source.local))


class _Step:
    """A factor of a map in integers: scaled rows, or a matrix by rows without its zeros."""

    def __init__(self, integers: Array, starts: Array, columns: Array, q: int, bias: Array) -> None:
        self._data, self._starts, self._columns = integers, starts, columns
        self.denominator, self.bias = q, bias

    @classmethod
    def of(cls, factor: Factor) -> "_Step":
        n = factor.n_out
        if isinstance(factor, Elementwise):
            divisors, q = to_integers(factor.divisor)
            numbers, p = to_integers(np.concatenate([factor.factor, factor.shift]))
            common = lcm(*(int(d) for d in divisors))
            # factor / divisor = (numbers / p) / (divisors / q), over p times the common multiple.
            level = np.array([q * (common // int(d)) for d in divisors], dtype=object)
            scale, bias = numbers[:n] * level, numbers[n:] * level
            return cls(scale, np.arange(n + 1), np.arange(n), p * common, bias)
        matrix = csr_array(factor.matrix)
        integers, q = to_integers(np.concatenate([factor.bias, matrix.data]))
        return cls(integers[n:], matrix.indptr, matrix.indices, q, integers[:n])

    def times(self, values: Array, first: int = 0) -> Array:
        """Return the weights of the inputs from `first` on times what these carry."""
        out = np.full((len(self.bias), values.shape[1]), 0, dtype=object)
        for i in range(len(out)):
            at = slice(int(self._starts[i]), int(self._starts[i + 1]))
            data, columns = self._data[at], self._columns[at]
            inside = (columns >= first) & (columns < first + len(values))
            if inside.any():
                tick()
                out[i] = data[inside] @ values[columns[inside] - first]
        return out


def _is_large(affine: Composite) -> bool:
    """Whether a product has so many numbers that its factors are faster."""
    return affine.n_out * (1 + affine.n_in) > _WRITTEN_OUT


class _TableNumbers(NamedTuple):
    """The numbers of a layer's `UnitTable` in integers over one denominator."""

    thresholds: Array
    slopes: Array
    intercepts: Array
    denominator: int

    @classmethod
    def of(cls, table: UnitTable) -> "_TableNumbers":
        ends = np.cumsum([table.threshold.size, table.slope.size])
        numbers = np.concatenate([table.threshold, table.slope, table.intercept])
        integers, q = to_integers(numbers)
        thresholds, slopes, intercepts = np.split(integers, ends)
        return cls(thresholds, slopes, intercepts, q)


class ExactWeights:
    """A network's weights and activations in integers.

    Parameters
    ----------
    network : Network
        Its numbers are taken at their exact values.

    Attributes
    ----------
    maps : list of ExactMap
        As `Network.maps`.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.maps = [ExactMap(affine) for affine in network.maps]
        self._numbers = [_TableNumbers.of(layer.table) for layer in network.layers]

    def branch_rows(self, layer: int, numbers: Numbers, units: range) -> Numbers:
        """Return the branch rows of some units of a layer, unit by unit.

        Parameters
        ----------
        layer : int
        numbers : Numbers
            What comes out of the layer's affine map, all of it.
        units : range
        """
        known, own = self.network.layers[layer], self._numbers[layer]
        table, starts = known.table, known.row_starts
        at = slice(int(starts[units.start]), int(starts[units.stop]))
        rows, q = numbers.values[table.first[at]], numbers.denominator
        if table.is_plain:
            return Numbers(rows, q)
        second = table.second[at]
        differ = second >= 0
        rows[differ] -= numbers.values[second[differ]]
        rows = rows * own.denominator
        rows[:, 0] -= own.thresholds[at] * q
        return Numbers(rows, q * own.denominator)

    def outputs(self, layer: int, numbers: Numbers, pieces: Sequence[int]) -> Numbers:
        """Return the outputs of a layer's units on given pieces."""
        table, own = self.network.layers[layer].table, self._numbers[layer]
        kinds = table.kind + np.asarray(pieces, dtype=np.int64)
        out = numbers.values[table.start + table.value[kinds]] * own.slopes[kinds][:, None]
        out[:, 0] += own.intercepts[kinds] * numbers.denominator
        return Numbers(out, numbers.denominator * own.denominator)


class ExactRule:
    """The rule of exact numbers and of affine functions of an input set's parameters.

    Parameters
    ----------
    weights : ExactWeights
    inputs : ExactInputs, optional
        What stands for the input where the walk carries None.
    """

    def __init__(self, weights: ExactWeights, inputs: ExactInputs | None = None) -> None:
        self.weights, self.inputs = weights, inputs

    def take(self, values: Numbers | None, which: Array) -> Numbers | None:
        """Return some of the numbers; of the input set, whose columns are taken later, itself."""
        return values and Numbers(values.values[which], values.denominator)

    def affine(self, number: int, parts: Sequence[Part[Numbers | None]]) -> Numbers:
        """Return what comes out of an affine map."""
        mapped = self.weights.maps[number]
        found = []
        for part in parts:
            if part.value is None:
                assert self.inputs is not None
                values = mapped.of_inputs(self.inputs, part.source)
                found.append(Numbers(values, self.inputs.denominator))
            else:
                values = mapped.times(part.source.columns, part.value.values)
                found.append(Numbers(values, part.value.denominator))
        q = lcm(*(numbers.denominator for numbers in found))
        total = found[0].values * (q // found[0].denominator)
        for numbers in found[1:]:
            total = total + numbers.values * (q // numbers.denominator)
        total[:, 0] += mapped.bias * q
        return Numbers(total, q * mapped.denominator)

    def activate(self, number: int, values: Numbers | None) -> Numbers | None:
        """Raise: pieces of units are told by a pattern, or by a point."""
        raise NotImplementedError
