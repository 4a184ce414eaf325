"""The empirical bound of Serra and Ramalingam (2020) on graphs.

Let layer l have rectifiers only, and let P be those of its sources that have rectifiers only. Their
outputs are positive for units that are active and zero for the others, so with S the active units
of P that are read, a unit of l that reads nothing but P can be active only if ``b_i > 0`` or some j
in S has ``W_ij > 0``, and inactive only if ``b_i <= 0`` or some j in S has ``W_ij < 0``, as in a
chain (`milpcount.bounds.empirical`). One that reads anything else may be both. With K at least the
size of S, the number of active units of all of P, the maximum coverages A_l(K) and I_l(K) over the
columns of P therefore bound the active and the unstable units. Units that are stable on the domain
are left out, and those of P that are always active belong to every S.

A region has at most C(I_l(K), j) cells in which j of its unstable units are off, and in these at
most A_l(K) - j units are active: the histogram of I_l(K) rectifiers beside A_l(K) - I_l(K) units
that move and do not cut.
"""

import numpy as np

from milpcount.bounds.empirical import counts_of, stable_units
from milpcount.bounds.layer_cells import CoveredCells, LayerCells, UnitCells, layer_cells
from milpcount.network import Layer, Network
from milpcount.preactivation import PreActivationBounds

MOST_UNITS = 1_500
_MOST_WEIGHTS = 2**22
"""Of one layer."""


def covered_cells(
    network: Network, ranges: PreActivationBounds | None
) -> list[LayerCells | CoveredCells]:
    """Return the cells of each layer, by the active units of its sources where they are known.

    Parameters
    ----------
    network : Network
    ranges : PreActivationBounds or None
        Over the domain; without them those of all of space.
    """
    found: list[LayerCells | CoveredCells] = []
    for number, layer in enumerate(network.layers):
        covered = _covered(network, number, ranges) if network.n_units <= MOST_UNITS else None
        if covered is not None:
            found.append(covered)
        elif ranges is None:
            found.append(layer_cells(layer))
        else:
            found.append(layer_cells(layer, ranges.lower[number], ranges.upper[number]))
    return found


def _is_plain(layer: Layer) -> bool:
    return layer.is_uniform and layer.activation.is_relu


def _covered(
    network: Network, number: int, ranges: PreActivationBounds | None
) -> CoveredCells | None:
    """Return None where nothing is known that the ranges do not say."""
    layer, affine = network.layers[number], network.layers[number].affine
    plain = [
        source
        for source in network.sources[number]
        if source.number and _is_plain(network.layers[source.number - 1])
    ]
    too_large = affine.n_in * affine.n_out > _MOST_WEIGHTS
    # The nearest float64 of a product may be zero where the product is not.
    if not plain or not _is_plain(layer) or affine.is_rounded or too_large:
        return None
    weight, chosen = affine.weight, np.zeros(affine.n_in, bool)
    always, never = [], []
    for source in plain:
        chosen[source.columns] = True
        place = source.number - 1
        on, off = stable_units(ranges, place, network.layers[place].width)
        local = slice(None) if source.local is None else source.local
        always.append(on[local])
        never.append(off[local])
    counts = counts_of(
        weight[:, chosen],
        affine.bias,
        (np.concatenate(always), np.concatenate(never)),
        stable_units(ranges, number, layer.width),
        np.asarray(weight[:, ~chosen].any(axis=1)),
    )
    cells = (_cells(a, i) for a, i in zip(counts.active, counts.unstable, strict=True))
    return CoveredCells(tuple(cells), tuple(source.number for source in plain))


def _cells(active: int, unstable: int) -> LayerCells:
    cut = UnitCells(unstable, (1,), 1, 1)
    return LayerCells((cut, UnitCells(max(active - unstable, 0), (0,), 1, 0)))
