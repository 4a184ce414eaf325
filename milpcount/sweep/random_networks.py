"""Random networks of an architecture, for experiments that need no training."""

from itertools import pairwise, product
from math import prod

import numpy as np

from milpcount import caps
from milpcount.bounds.architecture import parse
from milpcount.bounds.layers import Architecture, Convolution, Pooling, UnitLayer
from milpcount.errors import OptionError
from milpcount.network import (
    Activation,
    Dense,
    Layer,
    Network,
    compose,
    maxout,
    piecewise_linear,
    relu,
)
from milpcount.types import Array


def random_network(text: str, seed: int) -> Network:
    """Return a network with He's weights and standard normal biases; filters are shared.

    Units with p breakpoints are zigzags with slopes 1, -1, 1, .. and breakpoints at distance 1
    around 0; maxima and pools are themselves. ``ternary:`` takes -1, 0 and 1 with equal
    probability for weights and biases, ``sparse0.2:`` keeps a weight with probability 0.2 and
    scales what is kept by ``1 / sqrt(0.2)``. Affine layers are composed with
    the next one exactly: a product in floats would have a larger rank.

    Parameters
    ----------
    text : str
        An architecture as `milpcount.bounds.architecture` has it. Its affine output, if any, is
        left out.
    seed : int

    Raises
    ------
    OptionError
        If no layer has units, or convolutions are to be ternary or sparse.
    """
    architecture, rng = parse(text), np.random.default_rng(seed)
    sizes = [architecture.n_inputs, *(layer.width * layer.rank for layer in architecture.layers)]
    caps.NUMBERS.check(sum(a * b for a, b in pairwise(sizes)), f"random network {text!r}")
    before, layers = architecture.n_inputs, list[Layer]()
    linear: list[Dense] = []
    for layer in architecture.layers:
        weight, bias = _drawn(architecture, layer, before, rng)
        before = layer.width
        linear.append(Dense(weight, bias))
        if not layer.is_identity:
            layers.append(Layer(compose(linear), _unit(layer)))
            linear = []
    if not layers:
        raise OptionError(f"{text!r}: give a layer of units; affine layers alone have one region")
    return Network(tuple(layers), compose(linear) if linear else None)


def _unit(layer: UnitLayer) -> Activation:
    if layer.is_rectifier:
        return relu()
    if layer.is_maxout:
        return maxout(layer.rank)
    p = layer.breakpoints
    at = [k - (p - 1) / 2 for k in range(p)]
    slopes = [float((-1) ** k) for k in range(p + 1)]
    intercepts = [0.0]
    for place, (left, right) in zip(at, pairwise(slopes), strict=True):
        intercepts.append(intercepts[-1] + (left - right) * place)
    return piecewise_linear(at, slopes, intercepts)


def _drawn(
    architecture: Architecture, layer: UnitLayer, before: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return the weight and bias of a layer, as the architecture restricts them."""
    if layer.pooling is not None:
        return _pooling(layer.pooling, layer)
    if layer.convolution is not None and (architecture.is_ternary or architecture.density):
        raise OptionError("ternary and sparse random networks have no convolutions")
    if architecture.is_ternary:
        rows = layer.width * layer.rank
        numbers = rng.integers(-1, 2, (rows, before + 1)).astype(float)
        return numbers[:, 1:], numbers[:, 0]
    weight, bias = _layer(layer, before, rng)
    if architecture.density is not None:
        kept = rng.random(weight.shape) < float(architecture.density)
        weight = np.where(kept, weight, 0.0) / np.sqrt(float(architecture.density))
    return weight, bias


def _layer(layer: UnitLayer, before: int, rng: np.random.Generator) -> tuple[Array, Array]:
    if layer.convolution is not None:
        return _convolution(layer.convolution, rng)
    rows = layer.width * layer.rank
    weight = rng.normal(0.0, np.sqrt(2.0 / before), (rows, before))
    return weight, rng.normal(size=rows)


def _pooling(pool: Pooling, layer: UnitLayer) -> tuple[Array, Array]:
    """Return the rows of a pooling, those of one maximum next to each other."""
    inputs = np.arange(prod(pool.space_in) * pool.channels).reshape(*pool.space_in, pool.channels)
    rows = []
    for at in product(*map(range, pool.space_out)):
        field = tuple(slice(a * k, (a + 1) * k) for a, k in zip(at, pool.window, strict=True))
        rows.append(inputs[field].reshape(-1, pool.channels).T)  # by channel, then place
    read = np.concatenate(rows)
    if layer.is_identity:
        weight = np.zeros((len(read), inputs.size))
        np.put_along_axis(weight, read, 1.0 / read.shape[1], axis=1)
    else:
        weight = np.eye(inputs.size)[read.ravel()]
    return weight, np.zeros(len(weight))


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
