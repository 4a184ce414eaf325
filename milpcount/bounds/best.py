"""The tightest upper bound on a network's count that costs next to nothing."""

from math import prod

from milpcount.bounds import rectifier
from milpcount.bounds.empirical import empirical_bound
from milpcount.bounds.layers import of_network
from milpcount.bounds.piecewise import hu_zhang_theorem_2
from milpcount.domain import InputSet
from milpcount.network import Network
from milpcount.preactivation import interval_bounds
from milpcount.result import Quantity

_EMPIRICAL_UNITS = 1_500
"""Up to so many units the empirical bound takes a small part of a second."""
_SERRA_UNITS = 40_000


def naive(network: Network) -> int:
    """Return the number of patterns, the product of the units' numbers of pieces.

    It holds for every network, graphs and layers whose units differ included.
    """
    return prod(
        layer.activation.n_pieces**layer.width
        if layer.is_uniform
        else prod(layer.n_pieces.tolist())
        for layer in network.layers
    )


def _cuts(network: Network) -> list[int]:
    return [layer.activation.n_pieces - 1 for layer in network.layers]


def best_upper(network: Network, inputs: InputSet, quantity: Quantity) -> tuple[int, str]:
    """Return an upper bound on the quantity and the name of its theorem.

    The theorems are about chains: of other networks only the number of all patterns is known.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    quantity : Quantity
        Of patterns, those attained on lower-dimensional sets too can exceed every bound but the
        number of all patterns.
    """
    everything = naive(network), "naive (all patterns)"
    if not network.layers or quantity in (Quantity.ACTIVATION_PATTERNS, Quantity.GRID_PATTERNS):
        return everything
    if not network.is_chain:
        return everything
    dimension, widths = inputs.dimension, network.widths
    if of_network(network).has_tables:
        return everything
    if not all(layer.activation.is_relu for layer in network.layers):
        product = (
            hu_zhang_theorem_2(dimension, widths, _cuts(network)),
            "product of the layers' maxima",
        )
        return min(everything, product, key=lambda found: found[0])
    if network.n_units > _SERRA_UNITS:
        return rectifier.montufar_2017(dimension, widths), "Montúfar 2017"
    serra = rectifier.serra_2018(dimension, widths), "Serra et al. 2018, Theorem 1"
    if network.n_units > _EMPIRICAL_UNITS:
        return serra
    value = empirical_bound(network, dimension, interval_bounds(network, inputs))
    source = "Serra & Ramalingam 2020, empirical bound"
    return (value, source) if value is not None and value < serra[0] else serra
