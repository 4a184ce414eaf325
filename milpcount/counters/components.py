"""The parts of a network that have nothing to do with each other, each as a network of its own.

Inputs, or rather the domain's parameters, and units are joined where a weight that is not zero
joins them. The pieces of units of different components are chosen independently, each at its own
parameters: the network has as many activation regions as the product of its components' numbers.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from milpcount.domain import InputSet
from milpcount.kernel.unit_numbering import ranges
from milpcount.limits import tick
from milpcount.network import Network, Source
from milpcount.network.affine import Dense
from milpcount.network.sparse import Sparse
from milpcount.types import Array


class Component(NamedTuple):
    """A part of a network, and of the domain.

    Attributes
    ----------
    network : Network
        Without an output layer.
    inputs : InputSet
    """

    network: Network
    inputs: InputSet


def components(network: Network, inputs: InputSet) -> list[Component]:
    """Return the independent components of a network that depend on the input.

    Those that do not have one region and are left out. Where a domain's rows join its parameters,
    numbers of the domain are rounded, or a layer's matrix is no float64 one, all is one component.

    Parameters
    ----------
    network : Network
    inputs : InputSet

    Returns
    -------
    list of Component
        In the order of their first parameters. None at all if no unit depends on the input.
    """
    plain = all(isinstance(layer.affine, Dense | Sparse) for layer in network.layers)
    if inputs.rows.size or inputs.exact is not None or not plain:
        return [Component(network, inputs)]
    joined = _Joined(network, inputs)
    number = joined.components()
    parameters = number[: inputs.dimension]
    found = [c for c in dict.fromkeys(parameters.tolist()) if joined.has_units(c)]
    if len(found) == 1 and (number == found[0]).all():
        return [Component(network, inputs)]
    parts = list[Component]()
    for c in found:
        tick()
        parts.append(joined.component(c))
    return parts


class _Joined:
    """The graph of what is joined: parameters, then inputs, then units."""

    def __init__(self, network: Network, inputs: InputSet) -> None:
        self._network, self._inputs = network, inputs
        self._matrices = [sparse.csr_array(layer.affine.matrix) for layer in network.layers]
        self._number = np.zeros(0, dtype=np.int64)
        sizes = [inputs.dimension, network.n_inputs, *network.widths]
        # Where the parameters, the inputs and each layer's units begin.
        self._starts = np.cumsum([0, *sizes])

    def components(self) -> Array:
        """Return the number of each node's component."""
        inputs, starts = self._inputs, self._starts
        row, column = np.nonzero(inputs.directions)
        pairs = [(starts[1] + row, column)]
        for k, (layer, matrix) in enumerate(zip(self._network.layers, self._matrices, strict=True)):
            entries = matrix.tocoo()
            used = entries.data != 0.0
            unit_of = np.repeat(np.arange(layer.width), np.diff(layer.value_starts))
            unit = starts[k + 2] + unit_of[entries.coords[0][used]]
            pairs.append((unit, self._read(k)[entries.coords[1][used]]))
        ends = np.concatenate([np.stack(pair) for pair in pairs], axis=1)
        size = int(starts[-1])
        graph = sparse.coo_array((np.ones(ends.shape[1]), tuple(ends)), shape=(size, size))
        self._number = connected_components(graph, directed=False)[1]
        order = np.argsort(self._number, kind="stable")
        number, first = np.unique(self._number[order], return_index=True)
        self._nodes = dict(zip(number.tolist(), np.split(order, first[1:]), strict=True))
        return self._number

    def _read(self, k: int) -> Array:
        """Return the nodes that are the inputs of a layer's map."""
        found = np.empty(self._network.layers[k].affine.n_in, dtype=np.int64)
        for source in self._network.sources[k]:
            first, end = self._starts[source.number + 1 : source.number + 3]
            own = np.arange(first, end)
            found[source.columns] = own if source.local is None else own[source.local]
        return found

    def has_units(self, c: int) -> bool:
        """Return whether a component has units."""
        return bool(self._nodes[c][-1] >= self._starts[2])

    def component(self, c: int) -> Component:
        """Return a component."""
        nodes, starts = self._nodes[c], self._starts
        cuts = [*np.searchsorted(nodes, starts)]
        parameters, *own = (
            nodes[a:b] - start for a, b, start in zip(cuts, cuts[1:], starts, strict=False)
        )
        given, places = self._inputs, own[0]
        inputs = InputSet(
            given.origin[places], given.directions[np.ix_(places, parameters)],
            given.lower[parameters], given.upper[parameters],
            np.zeros((0, parameters.size)), np.zeros(0),
        )  # fmt: skip
        layers, number_of = list[tuple[dict[int, Any], Any, Any]](), {0: 0}
        for k, layer in enumerate(self._network.layers):
            units = own[k + 1]
            if units.size:
                values = ranges(layer.value_starts, units)
                weights = {
                    number_of[source.number]: block
                    for source in self._network.sources[k]
                    if (block := self._block(k, values, source, own[source.number])) is not None
                }
                # Units that read nothing are constant, and may be read by others.
                weights = weights or {0: sparse.csr_array((values.size, places.size))}
                one = layer.is_uniform
                kinds = layer.activations[0] if one else [layer.unit(u) for u in units.tolist()]
                layers.append((weights, layer.affine.bias[values], kinds))
                number_of[k + 1] = len(layers)
        return Component(Network.from_layers(places.size, layers), inputs)

    def _block(self, k: int, values: Array, source: Source, own: Array) -> Any:
        """Return the weights of some values of a layer on a component's part of a source."""
        matrix = self._matrices[k]
        columns = np.arange(matrix.shape[1])[source.columns]
        at, read = own, np.ones(own.size, dtype=bool)
        if source.local is not None:
            at = np.minimum(np.searchsorted(source.local, own), source.local.size - 1)
            read = source.local[at] == own
        if not read.any():
            return None
        block = matrix[values][:, columns[at[read]]]
        shape = (values.size, own.size)
        place = np.flatnonzero(read)[block.indices]
        return sparse.csr_array((block.data, place, block.indptr), shape=shape)
