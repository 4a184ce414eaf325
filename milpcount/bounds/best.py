"""The tightest upper bound on a network's count that costs next to nothing."""

from functools import cache
from math import comb, prod

from milpcount.domain import InputSet
from milpcount.network import Network
from milpcount.result import Quantity


def naive(network: Network) -> int:
    """Return the number of patterns, the product of the units' numbers of pieces."""
    return prod(layer.activation.n_pieces**layer.width for layer in network.layers)


def serra_2018(n_inputs: int, widths: tuple[int, ...]) -> int:
    """Return the rectifier upper bound of Serra et al. (ICML 2018), Theorem 1.

    It bounds the activation regions of every ReLU network of the architecture, by the recursion
    ``R(l, d) = sum_{j <= min(d, n_l)} C(n_l, j) R(l+1, min(d, n_l - j))``.

    Parameters
    ----------
    n_inputs : int
        Dimension of the input set.
    widths : tuple of int
        Units of each hidden layer.

    Returns
    -------
    int
    """

    @cache
    def regions(layer: int, dimension: int) -> int:
        if layer == len(widths):
            return 1
        n = widths[layer]
        return sum(
            comb(n, j) * regions(layer + 1, min(dimension, n - j))
            for j in range(min(dimension, n) + 1)
        )

    return regions(0, n_inputs)


def best_upper(network: Network, inputs: InputSet, quantity: Quantity) -> tuple[int, str]:
    """Return an upper bound on the quantity and the name of its theorem.

    Theorem 1 of Serra et al. speaks of full-dimensional regions of rectifiers; a count of patterns
    attained on lower-dimensional sets too can exceed it, and only the naive bound holds there.
    """
    if quantity is Quantity.ACTIVATION_PATTERNS or not all(
        layer.activation.is_relu for layer in network.layers
    ):
        return naive(network), "naive (all patterns)"
    return serra_2018(inputs.dimension, network.widths), "Serra et al. 2018, Theorem 1"
