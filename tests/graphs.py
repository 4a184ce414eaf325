"""Random networks that are no chains: every way in which layers are wired in practice."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy import sparse

import milpcount as mc
from milpcount.network import Activation, Network, leaky_relu, maxout, piecewise_linear, relu

Array = np.ndarray
Random = np.random.Generator

ABSOLUTE = piecewise_linear([0.0], [-1.0, 1.0], [0.0, 0.0])
STEP = piecewise_linear([0.0], [0.0, 0.0], [0.0, 1.0])
CLIP = piecewise_linear([-1.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 1.0])
FEW = 1_000
"""Patterns that brute force tries."""
SCALAR = (relu(), leaky_relu(0.25), ABSOLUTE, CLIP)


def weights(random: Random, n_out: int, n_in: int, integer: bool) -> Array:
    """Return a matrix; one of small integers has zeros and repeated rows now and then."""
    if integer:
        return random.integers(-2, 3, size=(n_out, n_in)).astype(float)
    return random.normal(size=(n_out, n_in)) / np.sqrt(n_in)


def offsets(random: Random, n: int, integer: bool) -> Array:
    """Return a bias."""
    return random.integers(-1, 2, size=n).astype(float) if integer else random.normal(size=n) * 0.5


def residual(random: Random, n: int, integer: bool) -> Network:
    """Return ``relu(W2 relu(W1 h + b1) + b2 + h)`` on ``h = relu(W0 x + b0)``."""
    w, b = _drawers(random, integer)
    h, k = 3, int(random.integers(2, 4))
    layers = [
        ({0: w(h, n)}, b(h), relu()),
        ({1: w(k, h)}, b(k), relu()),
        ({2: w(h, k), 1: np.eye(h)}, b(h), relu()),
    ]
    return Network.from_layers(n, layers, ({3: w(2, h)}, b(2)))


def preactivation(random: Random, n: int, integer: bool) -> Network:
    """Return ``y = x + W2 relu(W1 relu(x))``, twice: sums are no units, so columns meet again."""
    w, b = _drawers(random, integer)
    k = 3
    first, second = w(n, k), w(k, n)
    layers = [
        ({0: np.eye(n)}, b(n), relu()),
        ({1: w(k, n)}, b(k), relu()),
        # y = x + first h2, so what the next block reads is the input and the second layer.
        ({0: np.eye(n), 2: first}, b(n), relu()),
        ({3: second}, b(k), relu()),
    ]
    return Network.from_layers(n, layers, ({0: np.eye(n), 2: first, 4: w(n, k)}, b(n)))


def concatenation(random: Random, n: int, integer: bool) -> Network:
    """Return a densely connected block: each layer reads the input and all layers before it."""
    w, b = _drawers(random, integer)
    layers = [
        ({0: w(2, n)}, b(2), relu()),
        ({0: w(2, n), 1: w(2, 2)}, b(2), relu()),
        ({0: w(2, n), 1: w(2, 2), 2: w(2, 2)}, b(2), relu()),
    ]
    return Network.from_layers(n, layers, ({0: w(1, n), 1: w(1, 2), 2: w(1, 2), 3: w(1, 2)}, b(1)))


def branches(random: Random, n: int, integer: bool) -> Network:
    """Return two branches of unequal depth that meet."""
    w, b = _drawers(random, integer)
    layers = [
        ({0: w(3, n)}, b(3), relu()),
        ({0: w(2, n)}, b(2), leaky_relu(0.25)),
        ({2: w(2, 2)}, b(2), relu()),
        ({1: w(2, 3), 3: w(2, 2)}, b(2), relu()),
    ]
    return Network.from_layers(n, layers, ({4: w(1, 2)}, b(1)))


def max_of_branches(random: Random, n: int, integer: bool) -> Network:
    """Return the larger of two branches, entry by entry; one is the input's own affine map."""
    w, b = _drawers(random, integer)
    k = 3
    from_units, from_inputs, bias = np.zeros((2 * k, k)), np.zeros((2 * k, n)), np.zeros(2 * k)
    from_units[::2], bias[::2] = w(k, k), b(k)
    from_inputs[1::2], bias[1::2] = w(k, n), b(k)
    layers = [
        ({0: w(k, n)}, b(k), relu()),
        ({1: from_units, 0: from_inputs}, bias, maxout(2)),
    ]
    return Network.from_layers(n, layers, ({2: w(1, k)}, b(1)))


def max_pool(random: Random, n: int, integer: bool) -> Network:
    """Return a maximum over windows of rectifiers, where zeros tie, and a layer on top."""
    w, b = _drawers(random, integer)
    windows = [(0, 1, 2), (2, 3), (3,), (1, 4)]
    gather = sparse.csr_array(
        (np.ones(8), (np.arange(8), [i for window in windows for i in window])), shape=(8, 5)
    )
    kinds = [maxout(3), maxout(2), relu(), maxout(2)]
    layers = [
        ({0: w(5, n)}, b(5), relu()),
        ({1: gather}, np.zeros(8), kinds),
        ({2: w(2, 4)}, b(2), relu()),
    ]
    return Network.from_layers(n, layers, ({3: w(1, 2)}, b(1)))


def pool_before_relu(random: Random, n: int, integer: bool) -> Network:
    """Return rectifiers of maxima of overlapping windows of an affine map."""
    w, b = _drawers(random, integer)
    full, bias = w(4, n), b(4)
    order = [0, 1, 1, 2, 2, 3]
    layers = [
        ({0: full[order]}, bias[order], maxout(2)),
        ({1: np.eye(3)}, b(3), relu()),
        ({2: w(2, 3), 1: w(2, 3)}, b(2), relu()),
    ]
    return Network.from_layers(n, layers, ({3: w(1, 2)}, b(1)))


def mixed(random: Random, n: int, integer: bool) -> Network:
    """Return layers whose units differ, with a skip from the input past both."""
    w, b = _drawers(random, integer)

    def kinds(size: int) -> list[Activation]:
        return [SCALAR[i] for i in random.integers(len(SCALAR), size=size)]

    ranks = [2, 1, 3]
    units = [maxout(2), ABSOLUTE, maxout(3)]
    layers = [
        ({0: w(3, n)}, b(3), kinds(3)),
        ({1: w(sum(ranks), 3)}, b(sum(ranks)), units),
        ({2: w(2, 3), 0: w(2, n)}, b(2), kinds(2)),
    ]
    return Network.from_layers(n, layers, ({3: w(1, 2), 0: w(1, n)}, b(1)))


def skip_with_jump(random: Random, n: int, integer: bool) -> Network:
    """Return a network with units that jump, one layer reading only some columns of another."""
    w, b = _drawers(random, integer)
    some = w(2, 3)
    some[:, 1] = 0.0
    layers = [
        ({0: w(3, n)}, b(3), [STEP, relu(), CLIP]),
        ({0: w(2, n)}, b(2), relu()),
        ({1: some, 2: w(2, 2)}, b(2), relu()),
    ]
    return Network.from_layers(n, layers, ({3: w(1, 2)}, b(1)))


KINDS: tuple[Callable[[Random, int, bool], Network], ...] = (
    residual,
    preactivation,
    concatenation,
    branches,
    max_of_branches,
    max_pool,
    pool_before_relu,
    mixed,
    skip_with_jump,
)
"""Makers of networks of n inputs, with real or small integer weights."""


def graphs(count: int, seed: int = 0) -> Iterator[tuple[str, Network]]:
    """Yield networks of every kind in turn, of one to four inputs, each third one of integers."""
    for number in range(count):
        random = np.random.default_rng([seed, number])
        kind = KINDS[number % len(KINDS)]
        n, integer = 1 + (number // len(KINDS)) % 4, number % 3 == 2
        label = f"{kind.__name__} {number}: {n} inputs{', integers' if integer else ''}"
        yield label, kind(random, n, integer)


def _drawers(
    random: Random, integer: bool
) -> tuple[Callable[[int, int], Array], Callable[[int], Array]]:
    return (
        lambda n_out, n_in: weights(random, n_out, n_in, integer),
        lambda n: offsets(random, n, integer),
    )


def difference(label: str, network: Network) -> str | None:
    """Return what methods that share nothing say differently of a network on [-1, 1]^n.

    The region tree, the exact tree and, where all patterns can be tried, brute force: the same sets
    of patterns, of regions and of all that are attained; and every witness proves its pattern.
    """
    for quantity in ("activation_regions", "activation_patterns"):
        methods = [mc.RegionTree(), mc.ExactTree()]
        if np.prod([float(n) for layer in network.layers for n in layer.n_pieces]) <= FEW:
            methods.append(mc.BruteForce())
        found = []
        for method in methods:
            result = mc.count(network, mc.Box(-1, 1), method, quantity=quantity, keep_regions=True)
            patterns = sorted(tuple(map(int, region.pattern)) for region in result.regions)
            if not result.lower == result.upper == len(patterns):
                return f"{label}, {quantity}: {result}"
            if not result.verify():
                return f"{label}, {quantity}: {method} kept what proves nothing"
            found.append(patterns)
        if any(patterns != found[0] for patterns in found):
            return f"{label}, {quantity}: {[len(patterns) for patterns in found]}"
    return None
