"""Random small networks whose numbers range over all of float64, and how methods agree on them."""

import warnings
from itertools import pairwise
from math import comb, prod
from typing import Any

import numpy as np

import milpcount as mc
from milpcount.network import Activation, Layer, leaky_relu, maxout, piecewise_linear, relu
from milpcount.network.affine import Dense

QUANTITIES = ("activation_regions", "activation_patterns")
_UNITS: tuple[Activation, ...] = (
    relu(),
    relu(),
    leaky_relu(0.25),
    leaky_relu(-0.5),
    piecewise_linear([0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]),
    piecewise_linear([-1.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 1.0]),
    maxout(2),
)
_MOST_REGIONS = 100


def case(
    seed: int, reaches: tuple[float, ...] = (30.0, 160.0, 300.0), farthest: float = 307.0
) -> tuple[mc.Network, Any]:
    """Return a network and a box, with numbers of all sizes.

    Parameters
    ----------
    seed : int
    reaches : tuple of float
        Exponents of 10 up to which weights and biases range, one of them in each network.
    farthest : float
        The same for the box's bounds.
    """
    random = np.random.default_rng(seed)
    sizes, units = _sizes(random)
    whole, biased = bool(random.integers(2)), int(random.integers(3))
    spread, reach = str(random.choice(["layer", "row", "entry"])), float(random.choice(reaches))
    layers = []
    for (n_in, width), unit in zip(pairwise(sizes), units, strict=True):
        shape = (width * unit.rank, n_in)
        weight = random.integers(-2, 3, shape) if whole else random.normal(size=shape)
        bias = random.integers(-1, 2, shape[0]) if whole else random.normal(size=shape[0])
        weight = weight * _scale(random, spread, reach, shape)
        bias = bias * (0.0, 1.0, _scale(random, spread, reach, shape)[:, 0])[biased]
        if random.random() < 0.3:
            _repeat(random, weight, bias)
        layers.append(Layer(Dense(weight, bias), unit))
    return mc.Network(tuple(layers)), _box(random, sizes[0], farthest)


def with_skips(network: mc.Network, seed: int) -> mc.Network:
    """Return a chain whose layers also read some layers before the last, and the input."""
    random = np.random.default_rng([seed, 1])
    sizes, layers = [network.n_inputs], []
    for number, layer in enumerate(network.layers):
        weights = {number: layer.affine.weight}
        for source in range(number):
            if random.random() < 0.6:
                shape = (layer.affine.n_out, sizes[source])
                spread = str(random.choice(["layer", "row", "entry"]))
                reach = 10.0 ** random.uniform(0.0, 2.4)
                whole = random.random() < 0.5
                weight = random.integers(-2, 3, shape) if whole else random.normal(size=shape)
                weights[source] = weight * _scale(random, spread, reach, shape)
        layers.append((weights, layer.affine.bias, layer.activation))
        sizes.append(layer.width)
    return mc.Network.from_layers(sizes[0], layers)


def _sizes(random: Any) -> tuple[list[int], list[Activation]]:
    """Return one to four inputs, one to three layers of up to five units, and their units.

    Layers shrink until exact arithmetic can count the network in a second or so.
    """
    n, layers = int(random.integers(1, 5)), int(random.integers(1, 4))
    widths = [int(random.integers(1, 6)) for _ in range(layers)]
    units = [_UNITS[int(random.integers(len(_UNITS)))] for _ in range(layers)]
    while True:
        cuts = [w * len(unit.rows) for w, unit in zip(widths, units, strict=True)]
        most = prod(sum(comb(c, j) for j in range(n + 1)) for c in cuts)  # Zaslavsky's bound
        if most <= _MOST_REGIONS:
            return [n, *widths], units
        widths[widths.index(max(widths))] -= 1


def _scale(random: Any, spread: str, reach: float, shape: tuple[int, int]) -> np.ndarray:
    """Return factors for a layer's weights, with one exponent for what is spread."""
    sizes = {"layer": (1, 1), "row": (shape[0], 1), "entry": shape}
    return np.broadcast_to(10.0 ** random.uniform(-reach, reach, sizes[spread]), shape)


def _repeat(random: Any, weight: np.ndarray, bias: np.ndarray) -> None:
    """Make one row another's, turned round perhaps, or an ulp away."""
    a, b = (int(i) for i in random.integers(weight.shape[0], size=2))
    sign = float(random.choice([-1.0, 1.0]))
    weight[a], bias[a] = sign * weight[b], sign * bias[b]
    if random.random() < 0.5:
        weight[a, 0] = np.nextafter(weight[a, 0], np.inf)


def _box(random: Any, n: int, farthest: float) -> Any:
    kind = int(random.integers(4))
    if kind == 0:
        return mc.Box(-1, 1)
    if kind == 1:
        return mc.Box(-(10.0 ** (farthest + 1)), 10.0 ** (farthest + 1))
    ends = random.normal(size=(2, n)) * 10.0 ** random.uniform(7.0 - farthest, farthest, (1, n))
    low, high = ends.min(axis=0), ends.max(axis=0)
    if kind == 2:
        low = np.zeros(n)
        high = np.where(high > 0, high, 1.0)
    return mc.Box(low, np.where(low < high, high, np.nextafter(low, np.inf)))


def difference(seed: int, *, skips: bool = False) -> str | None:
    """Return how the region tree differs from exact arithmetic on a case; None if it does not.

    Parameters
    ----------
    seed : int
    skips : bool
        Whether the network is made a graph by skip connections.
    """
    network, box = case(seed)
    if skips:
        network = with_skips(network, seed)
    for quantity in QUANTITIES:
        expected = mc.count(network, box, mc.ExactTree(), quantity=quantity, keep_regions=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = mc.count(network, box, quantity=quantity, keep_regions=True)
        sets = []
        for result in (expected, found):
            assert result.regions is not None
            sets.append({region.pattern for region in result.regions})
        if (found.lower, found.upper) != (expected.lower, expected.upper) or sets[0] != sets[1]:
            return f"{seed}: {quantity} {found.lower}..{found.upper}, exactly {expected.lower}"
        if len(sets[1]) != found.lower:
            return f"{seed}: {quantity} {found.lower}, of which {len(sets[1])} were kept"
    return None
