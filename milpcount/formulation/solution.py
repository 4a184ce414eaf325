"""The units' columns at a point of a pattern."""

import numpy as np

from milpcount.formulation.pattern_map import PatternMap
from milpcount.network import Network, values_of
from milpcount.network.propagate import Points
from milpcount.types import Array


def set_units(
    network: Network, columns: PatternMap, x: Array, point: Array, pattern: Array
) -> None:
    """Set the columns of all units to what a point gives them, in float64.

    Parameters
    ----------
    network : Network
    columns : PatternMap
    x : ndarray, shape (columns,)
        All columns; it is changed.
    point : ndarray, shape (n_inputs,)
    pattern : ndarray of int, shape (n_units,)
        Pieces, which need not be those of the point.
    """
    outputs, first, points = [point], 0, Points(network)
    for index, layer in enumerate(network.layers):
        v = values_of(network, index, outputs.__getitem__, points)
        own = np.asarray(pattern[first : first + layer.width])
        for i, unit in enumerate(layer.units):
            number, start = first + i, int(layer.value_starts[i])
            if unit.rank == 1:
                at = slice(*columns.h_starts[number : number + 2])
                g = v[start] - np.array([row.threshold for row in unit.rows])
                above = own[i] > np.arange(g.size)
                x[columns.h[at]], x[columns.hbar[at]] = (
                    np.where(above, g, 0),
                    np.where(above, 0, -g),
                )
                continue
            behind = columns.behind[slice(*columns.behind_starts[number : number + 2])]
            top = v[start + own[i]]
            live = behind >= 0
            x[columns.top[number]] = top
            x[behind[live]] = top - v[start : start + unit.rank][live]
        kinds = layer.table.kind + own
        slope, constant = layer.table.slope[kinds], layer.table.intercept[kinds]
        chosen = v[layer.value_starts[:-1] + layer.table.value[kinds]]
        outputs.append(slope * chosen + constant)
        first += layer.width
