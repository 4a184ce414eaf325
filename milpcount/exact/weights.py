"""A network's affine maps and activations in integers, and the walk that carries exact numbers."""

from collections.abc import Sequence
from math import lcm
from typing import NamedTuple

import numpy as np

from milpcount.exact.arithmetic import product
from milpcount.exact.inputs import ExactInputs
from milpcount.limits import tick
from milpcount.network import Affine, Layer, Network, Part, Source, Sparse
from milpcount.rationals import to_integers

Array = np.ndarray


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


class ExactMap:
    """An affine map in integers.

    Parameters
    ----------
    affine : Affine
        A sparse one is held without its zeros.

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
        if isinstance(affine, Sparse):
            integers, self.denominator = to_integers(
                np.concatenate([affine.bias, affine.matrix.data])
            )
            self.bias, self._data = integers[: self.n_out], integers[self.n_out :]
            self._columns, self._starts = affine.matrix.indices, affine.matrix.indptr
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
        alive = values.any(axis=1)
        out = np.full((self.n_out, values.shape[1]), 0, dtype=object)
        if not alive.any():
            return out
        if self._weight is not None:
            return product(self._weight[:, columns][:, alive], values[alive])
        first = columns.start or 0
        for i in range(self.n_out):
            data, at = self._row(i, first, first + len(values))
            if at.size:
                tick()
                out[i] = data @ values[at]
        return out

    def of_inputs(self, inputs: ExactInputs, source: Source) -> Array:
        """Return the same for the columns of the network's input, as functions of parameters."""
        if self._weight is not None:
            return inputs.compose(self._weight[:, source.columns], source.local)
        return self.times(source.columns, inputs.rows_of(source.local))

    def _row(self, i: int, first: int, stop: int) -> tuple[Array, Array]:
        at = slice(int(self._starts[i]), int(self._starts[i + 1]))
        data, columns = self._data[at], self._columns[at]
        inside = (columns >= first) & (columns < stop)
        return data[inside], columns[inside] - first


class _Table:
    """The units of a layer as arrays over its branch rows, and over the pieces of its kinds."""

    def __init__(self, layer: Layer) -> None:
        kinds = [group.activation for group in layer.groups]
        places = [group.units for group in layer.groups]
        rows = [row for kind in kinds for row in kind.rows]
        pieces = [piece for kind in kinds for piece in kind.pieces]
        numbers = [r.threshold for r in rows]
        numbers += [p.slope for p in pieces] + [p.intercept for p in pieces]
        integers, self.denominator = to_integers(np.array(numbers))
        thresholds, self.slopes, self.intercepts = np.split(
            integers, [len(rows), len(rows) + len(pieces)]
        )
        self.value = np.array([p.value for p in pieces])
        self.starts = layer.value_starts[:-1]
        self.piece_base = np.zeros(layer.width, dtype=np.int64)
        total = int(layer.row_starts[-1])
        self.first, self.second = np.zeros(total, dtype=np.int64), np.full(total, -1)
        self.thresholds = np.full(total, 0, dtype=object)
        row_base = piece_base = 0
        for kind, units in zip(kinds, places, strict=True):
            self.piece_base[units] = piece_base
            for k, row in enumerate(kind.rows):
                at = layer.row_starts[:-1][units] + k
                self.first[at] = self.starts[units] + row.a
                self.second[at] = self.starts[units] + row.b if row.b >= 0 else -1
                self.thresholds[at] = thresholds[row_base + k]
            row_base, piece_base = row_base + len(kind.rows), piece_base + kind.n_pieces
        self.is_plain = not self.thresholds.any() and (self.second < 0).all()


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
        self._tables = [_Table(layer) for layer in network.layers]

    def branch_rows(self, layer: int, numbers: Numbers, units: range) -> Numbers:
        """Return the branch rows of some units of a layer, unit by unit.

        Parameters
        ----------
        layer : int
        numbers : Numbers
            What comes out of the layer's affine map, all of it.
        units : range
        """
        table, starts = self._tables[layer], self.network.layers[layer].row_starts
        at = slice(int(starts[units.start]), int(starts[units.stop]))
        rows, q = numbers.values[table.first[at]], numbers.denominator
        if table.is_plain:
            return Numbers(rows, q)
        second = table.second[at]
        differ = second >= 0
        rows[differ] -= numbers.values[second[differ]]
        rows = rows * table.denominator
        rows[:, 0] -= table.thresholds[at] * q
        return Numbers(rows, q * table.denominator)

    def outputs(self, layer: int, numbers: Numbers, pieces: Sequence[int]) -> Numbers:
        """Return the outputs of a layer's units on given pieces."""
        table = self._tables[layer]
        kinds = table.piece_base + np.asarray(pieces, dtype=np.int64)
        out = numbers.values[table.starts + table.value[kinds]] * table.slopes[kinds][:, None]
        out[:, 0] += table.intercepts[kinds] * numbers.denominator
        return Numbers(out, numbers.denominator * table.denominator)


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
