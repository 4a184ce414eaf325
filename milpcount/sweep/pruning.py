"""Networks without the smallest of their weights."""

import numpy as np

from milpcount.errors import OptionError
from milpcount.network import Dense, Layer, Network
from milpcount.network.chains import require_chain


def pruned(network: Network, share: float) -> Network:
    """Return a chain whose hidden layers lack a share of their weights, the smallest.

    In every hidden layer apart, as many of the weights as the share has, rounded down, become
    zero; of equal ones the first. Biases and the output layer stay.

    Parameters
    ----------
    network : Network
    share : float
        From 0 up to 1.

    Raises
    ------
    NetworkError
        If the network is no chain.
    OptionError
        If the share is none.
    """
    require_chain(network, "pruning")
    if not 0 <= share <= 1:
        raise OptionError(f"prune = {share}: give a share of the weights, from 0 to 1")
    layers = []
    for layer in network.layers:
        weight = np.array(layer.affine.weight)
        smallest = np.argsort(abs(weight), axis=None, kind="stable")[: int(share * weight.size)]
        weight.ravel()[smallest] = 0.0
        layers.append(Layer(Dense(weight, layer.affine.bias), layer.activation))
    return Network(tuple(layers), network.output)
