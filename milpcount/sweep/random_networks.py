"""Random networks of an architecture, for experiments that need no training."""

from itertools import pairwise, product
from math import prod

import numpy as np

from milpcount import caps
from milpcount.bounds.architecture import parse
from milpcount.bounds.layers import Convolution, UnitLayer
from milpcount.errors import OptionError
from milpcount.network import Network

Array = np.ndarray


def random_network(text: str, seed: int) -> Network:
    """Return a network with He's weights and standard normal biases; filters are shared.

    Parameters
    ----------
    text : str
        An architecture of rectifiers, fully connected or convolutional, as
        `milpcount.bounds.architecture` has it. Its affine output, if any, is left out.
    seed : int

    Raises
    ------
    OptionError
        If the architecture has other units.
    """
    architecture, rng = parse(text), np.random.default_rng(seed)
    sizes = [architecture.n_inputs, *(layer.width for layer in architecture.layers)]
    caps.NUMBERS.check(sum(a * b for a, b in pairwise(sizes)), f"random network {text!r}")
    weights, biases, before = [], [], architecture.n_inputs
    for layer in architecture.layers:
        if not layer.is_rectifier or layer.rank > 1:
            raise OptionError(f"{text!r}: random networks have rectifiers only")
        weight, bias = _layer(layer, before, rng)
        weights.append(weight)
        biases.append(bias)
        before = layer.width
    return Network.from_arrays(weights, biases, output=False)


def _layer(layer: UnitLayer, before: int, rng: np.random.Generator) -> tuple[Array, Array]:
    if layer.convolution is not None:
        return _convolution(layer.convolution, rng)
    weight = rng.normal(0.0, np.sqrt(2.0 / before), (layer.width, before))
    return weight, rng.normal(size=layer.width)


def _convolution(shape: Convolution, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return a convolution as a dense layer, positions first, channels fastest."""
    fan_in = prod(shape.filter) * shape.channels_in
    size = (shape.channels_out, *shape.filter, shape.channels_in)
    filters = rng.normal(0.0, np.sqrt(2.0 / fan_in), size)
    bias = rng.normal(size=shape.channels_out)
    positions = list(product(*map(range, shape.space_out)))
    rows = np.zeros((len(positions), shape.channels_out, *shape.space_in, shape.channels_in))
    for place, position in enumerate(positions):
        starts = [at * shape.stride for at in position]
        field = tuple(slice(a, a + f) for a, f in zip(starts, shape.filter, strict=True))
        for channel, one in enumerate(filters):
            rows[place, channel][field] = one
    width = len(positions) * shape.channels_out
    return rows.reshape(width, -1), np.tile(bias, len(positions))
