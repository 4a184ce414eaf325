"""Each of the newer rows against exact counts of random networks; how many were compared."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import numpy as np

import milpcount as mc
from milpcount.bounds.arrangements import hu_zhang_lemma_2, unbounded_by_active, zaslavsky_bounded
from milpcount.bounds.piecewise import hu_zhang_after_layers
from milpcount.bounds.sparse import cai_2023, expected_sparse
from milpcount.sweep.random_networks import random_network

SPACE = mc.Unbounded()


def whole(seed: int, units: int = 3) -> mc.Network:
    """One layer with weights in -2..2, dependent or not, of units with one to three breakpoints."""
    rng = np.random.default_rng([seed, 7])
    n_inputs, n, p = int(rng.integers(1, 4)), int(rng.integers(1, units + 1)), int(rng.integers(4))
    unit = None
    if p:
        at = [float(k) for k in range(p)]
        slopes = [float((-1) ** k) for k in range(p + 1)]
        unit = mc.network.piecewise_linear(at, slopes, [0.0] * (p + 1))
    weight = rng.integers(-2, 3, (min(n, n_inputs), n_inputs)).astype(float)
    bias = rng.integers(-2, 3, len(weight)).astype(float)
    return mc.Network.from_arrays([weight], [bias], output=False, activation=unit)


def count(network: mc.Network, quantity: str = "activation_regions") -> int:
    found = mc.count(network, SPACE, quantity=quantity)
    assert found.is_exact
    return found.lower


def proposition_1(seed: int) -> bool:
    network = whole(seed)
    table = {b.theorem.key: b.value for b in mc.bound(network).bounds}
    regions = count(network)
    if "hu-zhang-prop1" in table:
        return regions == table["hu-zhang-prop1"]
    return regions <= table["hu-zhang-prop1-fewer"]


def architecture(seed: int, units: int = 6) -> str:
    """Two or three layers of scalar units."""
    rng = np.random.default_rng([seed, 8])
    depth, n_inputs = int(rng.integers(2, 4)), int(rng.integers(1, 3))
    widths = rng.integers(1, units // depth + 1, depth)
    kinds = [(":relu", ":p1", ":p2")[rng.integers(3)] for _ in widths]
    return "-".join([str(n_inputs), *(f"{n}{k}" for n, k in zip(widths, kinds, strict=True))])


def after_layers(seed: int) -> bool:
    text = architecture(seed)
    network = random_network(text, seed)
    cuts = [layer.activation.n_pieces - 1 for layer in network.layers]
    bounds = hu_zhang_after_layers(network.n_inputs, network.widths, cuts)
    assert mc.bound(text)["hu-zhang-11"].value == bounds[-2]
    counts = [count(mc.Network(network.layers[:n])) for n in range(1, len(cuts) + 1)]
    return all(c <= b for c, b in zip(counts, bounds, strict=True))


def per_parameter(seed: int) -> bool:
    text = architecture(seed)
    network = random_network(text, seed)
    sizes = pairwise([network.n_inputs, *network.widths])
    parameters = sum(b * (a + 1) for a, b in sizes)
    return Fraction(count(network), parameters) <= mc.bound(text)["hu-zhang-prop2"].value


def live(seed: int) -> bool:
    rng = np.random.default_rng([seed, 9])
    sizes = [int(n) for n in rng.integers(1, 4, int(rng.integers(2, 5)))]
    shapes = list(pairwise(sizes))
    weights = [rng.integers(-2, 3, (b, a)) if seed % 2 else rng.normal(size=(b, a))
               for a, b in shapes]  # fmt: skip
    biases = [rng.normal(size=b) for _, b in shapes]
    network = mc.Network.from_arrays(weights, biases, output=False)
    table = mc.bound(network, quantity="live_regions")
    return count(network, "live_regions") <= table["hu-zhang-3"].value


def linear(seed: int) -> bool:
    rng = np.random.default_rng([seed, 10])
    n0, a, b, c = (int(rng.integers(1, k)) for k in (4, 5, 4, 4))
    text = (f"{n0}-{a}:id-{b}-{c}:relu", f"{n0}-{a}-{b}:id-{c}:relu")[seed % 2]
    return count(random_network(text, seed)) <= mc.bound(text)["serra2018-linear"].value


POOLED = (
    *("4x1-conv1@2-maxpool2-2:relu", "4x1-maxpool2-3:relu", "5x1-conv2@2-maxpool2"),
    *("4x2-maxpool2", "2x2x1-maxpool2x2-2:relu", "4x1-avgpool2-conv2@2"),
    "4x1-conv1@2:p2-maxpool3",
)


def pooling(seed: int) -> bool:
    text = POOLED[seed % len(POOLED)]
    regions, table = count(random_network(text, seed)), mc.bound(text)
    exact = [b.value for b in table.bounds if b.theorem.key == "pooling-1"]
    return regions <= table.upper and exact in ([], [regions])


def unbounded(seed: int) -> bool:
    rng = np.random.default_rng([seed, 11])
    m, d = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    network = random_network(f"{d}-{m}:relu", seed)
    found = mc.partition(network, SPACE)
    by_active = unbounded_by_active(found)
    return (
        sum(by_active) == hu_zhang_lemma_2(m, d)
        and by_active == by_active[::-1]
        and int(found.bounded.sum()) == zaslavsky_bounded(m, d)
    )


def sparse(seed: int) -> bool:
    """The recursion for one support: its average is the theorem."""
    rng = np.random.default_rng([seed, 12])
    density = Fraction(int(rng.integers(1, 4)), 4)
    n0, a, b = (int(n) for n in rng.integers(1, 5, 3))
    network = random_network(f"sparse{float(density)}:{n0}-{a}-{b}:relu", seed)
    supports = [(layer.affine.weight != 0).any(axis=1) for layer in network.layers]
    ranks = [int(np.linalg.matrix_rank(layer.affine.weight)) for layer in network.layers]
    sure = [[Fraction(k == r) for k in range(n + 1)]
            for r, n in zip(ranks, (a, b), strict=True)]  # fmt: skip
    rows = [[Fraction(k == int(s.sum())) for k in range(n + 1)]
            for s, n in zip(supports, (a, b), strict=True)]  # fmt: skip
    regions = count(network)
    return regions <= cai_2023(n0, (a, b), sure) <= cai_2023(n0, (a, b), rows)


def sparse_average(networks: int) -> tuple[float, float]:
    """Return the mean count of random sparse networks, and the bound on the expectation."""
    text = "sparse0.5:2-4-3:relu"
    counts = [count(random_network(text, seed)) for seed in range(networks)]
    return sum(counts) / networks, float(expected_sparse(2, (4, 3), Fraction(1, 2)))


CHECKS: dict[str, Callable[[int], bool]] = {
    "hu-zhang-prop1": proposition_1,
    "hu-zhang-11": after_layers,
    "hu-zhang-prop2": per_parameter,
    "hu-zhang-3 on live regions": live,
    "serra2018-linear": linear,
    "pooling": pooling,
    "lemmas 2 and 3": unbounded,
    "cai2023": sparse,
}


def violations(name: str, networks: int) -> list[int]:
    """Return the seeds for which a row is wrong."""
    return [seed for seed in range(networks) if not CHECKS[name](seed)]
