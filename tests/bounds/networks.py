"""Random networks of every family, by seed."""

from itertools import product

import numpy as np

import milpcount as mc
from milpcount.bounds.architecture import parse
from milpcount.bounds.layers import Architecture
from milpcount.network import Activation, Dense, Layer, leaky_relu, maxout, piecewise_linear, relu

HAT = piecewise_linear([-0.5, 0.5], [0.0, 1.0, 0.0], [-0.5, 0.0, 0.5])
STAIRS = piecewise_linear([-1.0, 0.0, 1.0], [0.5, -1.0, 2.0, 0.0], [0.0, -1.5, -1.5, 0.5])


def weights(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Gaussian, or of small integers, or of low rank."""
    kind = rng.integers(4)
    if kind == 0:
        return rng.integers(-2, 3, (rows, columns)).astype(float)
    if kind == 1:
        return rng.integers(-2, 3, (rows, 1)) @ rng.integers(-2, 3, (1, columns)).astype(float)
    return rng.normal(size=(rows, columns))


def dense(rng: np.random.Generator, sizes: list[int], units: list[Activation]) -> mc.Network:
    layers = []
    for columns, rows, unit in zip(sizes, sizes[1:], units, strict=False):
        weight = weights(rng, rows * unit.rank, columns)
        layers.append(Layer(Dense(weight, rng.normal(size=rows * unit.rank)), unit))
    return mc.Network(tuple(layers))


def sizes(rng: np.random.Generator, inputs: int = 3, units: int = 8) -> list[int]:
    widths = [int(rng.integers(1, inputs + 1))]
    left = int(rng.integers(1, units + 1))
    while left > 0 and len(widths) < 4:
        widths.append(int(rng.integers(1, left + 1)))
        left -= widths[-1]
    return widths


def rectifier(seed: int) -> mc.Network:
    rng = np.random.default_rng([seed, 1])
    n = sizes(rng)
    return dense(rng, n, [relu()] * (len(n) - 1))


def piecewise(seed: int) -> mc.Network:
    rng = np.random.default_rng([seed, 2])
    n = sizes(rng, 2, 5)
    kinds = [leaky_relu(0.25), HAT, STAIRS, relu()]
    return dense(rng, n, [kinds[rng.integers(4)] for _ in n[1:]])


def maxouts(seed: int) -> mc.Network:
    rng = np.random.default_rng([seed, 3])
    n = sizes(rng, 2, 5)
    kinds = [maxout(2), maxout(3), maxout(4)]
    return dense(rng, n, [kinds[rng.integers(3)] for _ in n[1:]])


def mixed(seed: int) -> mc.Network:
    rng = np.random.default_rng([seed, 4])
    n = sizes(rng, 2, 5)
    kinds = [maxout(3), HAT, relu()]
    return dense(rng, n, [kinds[rng.integers(3)] for _ in n[1:]])


CONVOLUTIONS = (
    "3x1-conv1@2", "3x1-conv2@2", "3x1-conv3@2", "4x1-conv2@2/2", "4x1-conv2@3",
    "2x2x1-conv2@1x2", "2x2x1-conv2@2x2", "2x3x1-conv1@2x2", "2x2-conv3@1",
    "3x1-conv2@2-conv1@2", "4x1-conv2@2-conv1@2", "3x1-conv2@2:p2", "3x1-conv1@2:p3",
)  # fmt: skip


def convolution(seed: int, text: str = "") -> tuple[Architecture, mc.Network]:
    """A convolutional network with shared weights, as a dense one, and its architecture."""
    rng = np.random.default_rng([seed, 5])
    architecture = parse(text or CONVOLUTIONS[seed % len(CONVOLUTIONS)])
    layers = []
    for layer in architecture.layers:
        c = layer.convolution
        assert c is not None
        kernel = rng.normal(size=(c.channels_out, *c.filter, c.channels_in))
        bias, rows = rng.normal(size=c.channels_out), []
        for at, k in product(product(*map(range, c.space_out)), range(c.channels_out)):
            row = np.zeros((*c.space_in, c.channels_in))
            corner = tuple(
                slice(c.stride * a, c.stride * a + f) for a, f in zip(at, c.filter, strict=True)
            )
            row[corner] = kernel[k]
            rows.append(row.ravel())
        unit = {1: relu(), 2: HAT, 3: STAIRS}[layer.breakpoints]
        layers.append(Layer(Dense(np.array(rows), np.tile(bias, len(rows) // bias.size)), unit))
    return architecture, mc.Network(tuple(layers))


def domain(seed: int) -> mc.Box | mc.Unbounded:
    return mc.Unbounded() if seed % 3 == 0 else mc.Box(-1 - seed % 4, 1 + seed % 2)
