"""Networks with the pieces of all units given, evaluated modulo a prime for many regions at once.

On a region the network is an affine map. It is evaluated in homogeneous coordinates: at a point
(X, X0) the map ``x -> C x + d`` is ``C X + d X0``, a linear form, so that equal maps have equal
values and different values prove different maps. The point is a random one of the homogeneous hull
of the domain, ``X = origin s + directions tau, X0 = s``: what maps do elsewhere does not matter.
Two maps that differ on that hull have equal values with probability 2^-61 at most.
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from milpcount.domain import InputSet
from milpcount.network import Affine, Composite, Elementwise, Network, Part, propagate
from milpcount.network.layer import Layer
from milpcount.partitions import residues as mod
from milpcount.rationals import to_integers
from milpcount.types import Array


class HullPoint:
    """A random point of the homogeneous hull of an input set, as residues.

    Parameters
    ----------
    inputs : InputSet
    random : numpy.random.Generator

    Attributes
    ----------
    values : ndarray of uint64, shape (n_inputs,)
    scale : ndarray of uint64, shape ()
        The homogeneous coordinate.
    """

    def __init__(self, inputs: InputSet, random: np.random.Generator) -> None:
        given = inputs.exact or inputs
        d = given.directions.shape[1]
        drawn = random.integers(1, mod.P, size=1 + d, dtype=np.uint64)
        if given.directions.dtype != object and given.origin.dtype != object:
            # Most of a box's directions is zero.
            directions = sparse.csr_array(given.directions)
            moved = mod.Matrix(directions).times(drawn[1:, None])[:, 0]
            self.values = mod.plus(mod.times(mod.of_floats(given.origin), drawn[0]), moved)
            self.scale = drawn[0]
        else:
            joined = np.concatenate([given.origin[:, None], given.directions], axis=1)
            integers, q = to_integers(joined.astype(object))
            values = [sum(int(a) * int(t) for a, t in zip(row, drawn, strict=True))
                      for row in integers]  # fmt: skip
            self.values = mod.of_integers(np.array(values, dtype=object))
            self.scale = mod.of_integers([int(drawn[0]) * q])[0]


class _Map:
    """An affine map in residues, cut by the sources that it reads."""

    def __init__(self, affine: Affine, cuts: Sequence[slice]) -> None:
        factors = affine.factors if isinstance(affine, Composite) else (affine,)
        first, *rest = factors
        self._first = [_matrix_of(first, cut) for cut in cuts]
        self._rest = [_matrix_of(factor, slice(None)) for factor in rest]
        self._biases = [_bias_of(factor) for factor in factors]

    def apply(self, parts: Sequence[Array], scale: Array) -> Array:
        """Return the image of residues in homogeneous coordinates, shape (n_out, k)."""
        total = mod.times(self._biases[0], scale)[:, None]
        for matrix, part in zip(self._first, parts, strict=True):
            total = mod.plus(total, matrix.times(part))
        for matrix, bias in zip(self._rest, self._biases[1:], strict=True):
            total = mod.plus(matrix.times(total), mod.times(bias, scale)[:, None])
        return total


class _Diagonal:
    """An entry-by-entry factor, as a matrix."""

    def __init__(self, factor: Array) -> None:
        self._factor = factor[:, None]

    def times(self, values: Array) -> Array:
        return mod.times(self._factor, values)


def _matrix_of(factor: Affine | Elementwise, cut: slice) -> "mod.Matrix | _Diagonal | _Cut":
    if isinstance(factor, Elementwise):
        scale = mod.times(mod.of_floats(factor.factor), mod.inverse(mod.of_floats(factor.divisor)))
        return _Diagonal(scale) if cut == slice(None) else _Cut(scale, cut)
    matrix = factor.matrix
    if not isinstance(matrix, np.ndarray):
        matrix = sparse.csr_array(matrix)
    return mod.Matrix(matrix[:, cut])


class _Cut:
    """The columns of an entry-by-entry factor that read one source."""

    def __init__(self, factor: Array, cut: slice) -> None:
        self._factor, self._cut = factor, cut

    def times(self, values: Array) -> Array:
        found = np.zeros((self._factor.size, values.shape[1]), dtype=np.uint64)
        found[self._cut] = mod.times(self._factor[self._cut, None], values)
        return found


def _bias_of(factor: Affine | Elementwise) -> Array:
    if isinstance(factor, Elementwise):
        return mod.times(mod.of_floats(factor.shift), mod.inverse(mod.of_floats(factor.divisor)))
    return mod.of_floats(factor.bias)


class _Units:
    """What the units of a layer do, in residues."""

    def __init__(self, layer: Layer) -> None:
        self.table = table = layer.table
        self.slope, self.intercept = mod.of_floats(table.slope), mod.of_floats(table.intercept)
        self.threshold = mod.of_floats(table.threshold)
        plain = np.isin(table.slope, (0.0, 1.0)).all() and not table.intercept.any()
        self._only_gates = bool(plain)

    def outputs(self, values: Array, pieces: Array, scale: Array) -> Array:
        """Return the outputs on given pieces, shape (units, k)."""
        kinds = self.table.kind[:, None] + pieces
        chosen = values[
            self.table.start[:, None] + self.table.value[kinds],
            0 if values.shape[1] == 1 else np.arange(values.shape[1]),
        ]
        if self._only_gates:
            return np.where(self.slope[kinds] == 1, chosen, np.uint64(0))
        offsets = mod.times(self.intercept, scale)
        return mod.plus(mod.times(self.slope[kinds], chosen), offsets[kinds])

    def rows(self, values: Array, scale: Array) -> Array:
        """Return the branch rows, shape (rows, k)."""
        table = self.table
        found = values[table.first]
        if table.is_plain:
            return np.asarray(found)
        against = np.where((table.second >= 0)[:, None], values[table.second], np.uint64(0))
        offsets = mod.times(self.threshold, scale)[:, None]
        return mod.minus(mod.minus(found, against), offsets)


class ResidueWalk:
    """A network on an input set modulo p, with the pieces of all units given.

    Parameters
    ----------
    network : Network
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.starts = [0, *np.cumsum(network.widths).tolist()]
        self._maps = [
            _Map(affine, [source.columns for source in sources])
            for affine, sources in zip(network.maps, network.sources, strict=True)
        ]
        self._units = [_Units(layer) for layer in network.layers]

    def outputs(self, patterns: Array, point: HullPoint) -> Array:
        """Return the network's outputs on regions, shape (outputs, k).

        Parameters
        ----------
        patterns : ndarray of int, shape (k, units)
        point : HullPoint
        """
        rule = _Rule(self, patterns, point.scale)
        walk = propagate(self.network, point.values[:, None], rule)
        found = walk.outputs[-1] if self.network.output is None else walk.values[-1]
        return np.broadcast_to(found, (found.shape[0], len(patterns)))

    def rows(self, patterns: Array, point: HullPoint) -> Array:
        """Return the branch rows of all units on regions, layer by layer, shape (rows, k)."""
        rule = _Rule(self, patterns, point.scale)
        walk = propagate(self.network, point.values[:, None], rule, to_output=False)
        found = [u.rows(v, point.scale) for u, v in zip(self._units, walk.values, strict=True)]
        return np.concatenate([np.broadcast_to(r, (len(r), len(patterns))) for r in found])


class _Rule:
    """The rule of residues with given pieces, shape (numbers, k), or (numbers, 1) if all agree."""

    def __init__(self, walk: ResidueWalk, patterns: Array, scale: Array) -> None:
        self._walk, self._patterns, self._scale = walk, patterns, scale

    def take(self, values: Array, which: Array) -> Array:
        return np.asarray(values[which])

    def affine(self, number: int, parts: Sequence[Part[Array]]) -> Array:
        return self._walk._maps[number].apply([part.value for part in parts], self._scale)

    def activate(self, number: int, values: Array) -> Array:
        start, stop = self._walk.starts[number : number + 2]
        pieces = self._patterns[:, start:stop].T.astype(np.int64)
        return self._walk._units[number].outputs(values, pieces, self._scale)
