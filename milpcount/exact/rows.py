"""The branch rows of a network as exact affine functions of the input set's parameters."""

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.geometry import Rows
from milpcount.exact.inputs import ExactInputs
from milpcount.exact.weights import ExactRule, ExactWeights, Numbers
from milpcount.network import Network, values_of

Pattern = Sequence[int]
# Integers that the cache of composed maps may hold, about 60 bytes each.
_CACHED_INTEGERS = 4_000_000


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
        self._rule = ExactRule(self.weights, self.inputs)
        largest = max(m.n_out for m in self.weights.maps) * (1 + self.inputs.dimension)
        self._capacity = max(2 * len(self.weights.maps), _CACHED_INTEGERS // largest)
        self._cache: OrderedDict[tuple[int, tuple[int, ...]], Numbers] = OrderedDict()

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
            Row k of unit u is at index ``Layer.row_starts[u] + k``.
        """
        return self._branch_rows(layer, pattern, range(self.network.layers[layer].width))

    def unit_rows(self, layer: int, unit: int, pattern: Pattern) -> Rows:
        """Return the branch rows of one unit, as in `rows`."""
        return self._branch_rows(layer, pattern, range(unit, unit + 1))

    def outputs(self, layer: int, pattern: Pattern) -> Rows:
        """Return the outputs of a layer's units under a pattern that covers the layer."""
        return _rows(self._outputs(layer, tuple(pattern[: self.starts[layer + 1]])))

    def values(self, layer: int, pattern: Pattern) -> Numbers:
        """Return what comes out of a layer's affine map, before units, below a pattern."""
        return self._values(layer, tuple(pattern[: self.starts[layer]]))

    def affine_map(self, pattern: Pattern) -> Rows:
        """Return the network's affine map on the region of a full pattern."""
        if self.network.output is None:
            return self.outputs(len(self.network.layers) - 1, pattern)
        return _rows(self._values(len(self.network.layers), tuple(pattern[: self.starts[-1]])))

    def _branch_rows(self, layer: int, pattern: Pattern, units: range) -> Rows:
        values = self._values(layer, tuple(pattern[: self.starts[layer]]))
        return _rows(self.weights.branch_rows(layer, values, units))

    def _outputs(self, layer: int, pattern: tuple[int, ...]) -> Numbers:
        start, stop = self.starts[layer : layer + 2]
        values = self._values(layer, pattern[:start])
        return self.weights.outputs(layer, values, pattern[start:stop])

    def _values(self, layer: int, pattern: tuple[int, ...]) -> Numbers:
        """Return what comes out of an affine map below a pattern of the layers before it."""
        if len(pattern) < self.starts[layer]:
            raise ValueError(
                f"a pattern of {len(pattern)} units does not cover the {self.starts[layer]} units "
                f"before layer {layer}"
            )
        key = (layer, pattern)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]

        def outputs(source: int) -> Numbers | None:
            return self._outputs(source - 1, pattern) if source else None

        found = values_of(self.network, layer, outputs, self._rule)
        assert found is not None
        self._cache[key] = found
        if len(self._cache) > self._capacity:
            self._cache.popitem(last=False)
        return found


def _rows(numbers: Numbers) -> Rows:
    return Rows(numbers.values, (numbers.denominator,) * len(numbers.values))
