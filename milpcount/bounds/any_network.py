"""Formulas for any network, graphs and mixed layers included; see `graph_recursion`."""

from collections.abc import Sequence

from milpcount.bounds import wiring
from milpcount.bounds.case import Case
from milpcount.bounds.empirical_graph import covered_cells
from milpcount.bounds.graph_recursion import count_cells, most_states, product_of_layers
from milpcount.bounds.layer_cells import LayerCells, UnitCells, layer_cells
from milpcount.bounds.layers import UnitLayer
from milpcount.bounds.wiring import Reading
from milpcount.network import Network

_FEW_UNITS = 24
"""With no more, states are not merged."""


def naive(network: Network) -> int:
    """Return the number of patterns, the product of the units' numbers of pieces."""
    found = 1
    for layer in network.layers:
        for cells in layer_cells(layer).kinds:
            found *= (cells.moving + cells.constant) ** cells.number
    return found


def all_patterns(case: Case) -> int:
    """Return the number of patterns of a network or an architecture."""
    found = 1
    for cells in _layers(case):
        found *= cells.n_patterns
    return found


def layer_product(case: Case) -> int:
    """Return the product of the layers' most cells."""
    return product_of_layers(case.dimension, _layers(case), _readings(case))


def recursion(case: Case) -> int:
    """Return the recursion with all pieces of all units."""
    states = most_states(case.dimension, case.widths)
    return count_cells(case.dimension, _layers(case), _readings(case), most_states=states)


def recursion_with_ranges(case: Case) -> int:
    """Return the recursion with what the weights and the domain say of the units.

    That is the pieces that units reach, the ranks of the weights and, as far as states allow, the
    coverages of rectifiers.
    """
    network, ranges = case.network, case.ranges
    assert network is not None
    layers: Sequence[LayerCells] = _layers(case)
    if ranges is not None:
        reached = zip(network.layers, ranges.lower, ranges.upper, strict=True)
        layers = [layer_cells(layer, low, high) for layer, low, high in reached]
    d, readings, states = case.dimension, _readings(case), most_states(case.dimension, case.widths)
    found = count_cells(d, covered_cells(network, ranges), readings, case.ranks, states)
    if case.n_units <= _FEW_UNITS:
        return found
    # Where states are merged because they are many, to know less may give less.
    return min(found, count_cells(d, layers, readings, case.ranks, states))


def _readings(case: Case) -> tuple[Reading, ...]:
    if case.network is None:
        return wiring.of_chain(len(case.widths))
    return wiring.of_graph(case.network)


def _layers(case: Case) -> list[LayerCells]:
    if case.network is not None:
        return [layer_cells(layer) for layer in case.network.layers]
    return [_of_architecture(layer) for layer in case.architecture.layers]


def _of_architecture(layer: UnitLayer) -> LayerCells:
    """Return the cells of a layer; of units that are not known, every piece may have a slope."""
    cuts = layer.cuts  # none of an identity: one piece, which moves
    constant = 1 if layer.is_rectifier else 0
    return LayerCells((UnitCells(layer.width, (cuts,), cuts + 1 - constant, constant),))
