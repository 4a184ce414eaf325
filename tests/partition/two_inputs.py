"""Random networks of two inputs in which regions of one map are common, of all kinds."""

from collections.abc import Iterator

import numpy as np

import milpcount as mc
from milpcount.network import Dense, leaky_relu, maxout, relu
from milpcount.network.activation import clip
from tests.graphs import KINDS, skip_with_jump

_CONTINUOUS = [kind for kind in KINDS if kind is not skip_with_jump]
_UNITS = (relu(), relu(), relu(), leaky_relu(0.5), clip(-1.0, 1.0), maxout(2), maxout(3))


def chain(random: np.random.Generator) -> mc.Network:
    """Return a chain with small integer weights, duplicates, zeros, or real ones."""
    unit = _UNITS[int(random.integers(len(_UNITS)))]
    style = int(random.integers(4))
    sizes = [2, *(int(random.integers(1, 5)) for _ in range(int(random.integers(1, 4))))]
    weights, biases = [], []
    for before, width in zip(sizes, [*sizes[1:], int(random.integers(1, 3))], strict=True):
        rank = unit.rank if len(weights) < len(sizes) - 1 else 1
        shape = (width * rank, before)
        if style == 3:
            weight, bias = random.normal(size=shape), random.normal(size=shape[0])
        else:
            weight = random.integers(-2, 3, size=shape).astype(float)
            bias = random.integers(-1, 2, size=shape[0]).astype(float) * (style > 0)
        if random.random() < 0.4:
            a, b = random.integers(shape[0], size=2)
            sign = random.choice([-1.0, 1.0, 2.0])
            weight[a], bias[a] = sign * weight[b], sign * bias[b]
        weights.append(weight)
        biases.append(bias)
    return mc.Network.from_arrays(weights, biases, activation=unit)


def networks(count: int, seed: int = 0) -> Iterator[tuple[str, mc.Network]]:
    """Yield chains and graphs in turn."""
    for number in range(count):
        random = np.random.default_rng([seed, number])
        if number % 3 == 2:
            kind = _CONTINUOUS[number // 3 % len(_CONTINUOUS)]
            yield f"{kind.__name__} {seed}/{number}", kind(random, 2, random.random() < 0.8)
        else:
            yield f"chain {seed}/{number}", chain(random)


def difference(label: str, network: mc.Network, method: object = None) -> str | None:
    """Return what polygons and a method say differently on a square, None if nothing."""
    from tests.partition.polygon_truth import NAMES, four_numbers

    expected = four_numbers(network, (-2.0, 2.0))
    found = tuple(mc.count(network, mc.Box(-2, 2), method, quantity=name).lower for name in NAMES)
    return None if found == expected else f"{label}: {found}, by polygons {expected}"


def classifiers(count: int, seed: int = 0) -> Iterator[tuple[str, mc.Network]]:
    """Yield networks of one to five outputs, ties among them on whole regions included."""
    for number, (label, network) in enumerate(networks(count, seed)):
        random = np.random.default_rng([seed, number, 2])
        if not network.is_chain or network.output is None:
            yield label, network
            continue
        outputs, before = int(random.integers(1, 6)), network.widths[-1]
        if random.random() < 0.4:
            weight, bias = random.normal(size=(outputs, before)), random.normal(size=outputs)
        else:
            weight = random.integers(-2, 3, size=(outputs, before)).astype(float)
            bias = random.integers(-1, 2, size=outputs) * float(random.random() < 0.6)
        if outputs > 2 and random.random() < 0.5:
            a, b = random.permutation(outputs)[:2]
            weight[a], bias[a] = weight[b], bias[b]
        yield f"{label} of {outputs}", mc.Network(network.layers, Dense(weight, bias))
