"""Hu and Zhang (2018), Nearly-tight bounds on linear regions of piecewise linear networks."""

from fractions import Fraction
from itertools import product
from math import e

import numpy as np

import milpcount as mc
from experiments.papers.claim import CUBE, SPACE, Claim, Finding, finding, regions, value
from milpcount.bounds.arrangements import hu_zhang_lemma_2, unbounded_by_active
from milpcount.bounds.independence import has_independent_rows
from milpcount.bounds.piecewise import (
    hu_zhang_after_layers,
    hu_zhang_per_parameter,
    hu_zhang_theorem_1,
)
from milpcount.bounds.rectifier import hu_zhang_theorem_3
from milpcount.sweep.random_networks import random_network

PAPER = "Hu & Zhang 2018 (arXiv 1810.13192)"
DEEP = ("1-3:p2-2:p2", "2-2:p2-3:p1", "2-2:p3-1:p2-2:p1", "1-2:p2-2:p1-2:p2", "2-3:p1-3:p2")


def theorem_1() -> Finding:
    cases = list(product((1, 2, 3), (1, 2, 3, 4), (1, 2, 3)))
    reached = [
        regions(random_network(f"{n0}-{n}:p{p}", 3)) == hu_zhang_theorem_1(n0, n, p)
        for n0, n, p in cases
    ]
    text = f"random layers reach the sum in {sum(reached)} of {len(cases)} cases, n_0, p ≤ 3, n ≤ 4"
    return finding(text, holds=all(reached))


def theorem_1_narrow() -> Finding:
    count, printed = regions(random_network("2-1:p2", 0)), 3**2
    return finding(f"2-1, p = 2: {count} regions, printed {printed}", holds=count == printed)


def theorem_1_order() -> Finding:
    ratios = [hu_zhang_theorem_1(1, n, n) / (2 * n) for n in (10, 100, 1000)]
    text = (
        f"n_0 = 1, p = n_1 = 10, 100, 1000: {', '.join(f'{r:.1f}' for r in ratios)} times p + n_1"
    )
    return finding(text, holds=ratios[-1] < 2 * ratios[0])


def proposition_1() -> Finding:
    random, right, independent = np.random.default_rng(0), 0, 0
    for _ in range(60):
        n, n0 = (int(k) for k in random.integers(1, 4, 2))
        weight = random.integers(-2, 3, (n, n0)).astype(float)
        network = mc.Network.from_arrays([weight], [random.normal(size=n)], output=False)
        is_independent = has_independent_rows(network.layers[0].affine)
        independent += is_independent
        right += (regions(network) == 2**n) == is_independent
    text = f"{right} of 60 layers, {independent} of them with independent normals"
    return finding(text, holds=right == 60)


def _deep() -> list[tuple[str, mc.Network]]:
    return [(text, random_network(text, seed)) for text in DEEP for seed in range(8)]


def theorem_2() -> Finding:
    ratios = [regions(network) / value(text, "hu-zhang-2") for text, network in _deep()]
    text = f"{len(ratios)} random networks: {sum(r > 1 for r in ratios)} above, at most "
    return finding(f"{text}{100 * max(ratios):.0f} % of it", holds=max(ratios) <= 1)


def equation_11() -> Finding:
    wrong = total = 0
    for _, network in _deep():
        cuts = [layer.activation.n_pieces - 1 for layer in network.layers]
        for depth, bound in enumerate(
            hu_zhang_after_layers(network.n_inputs, network.widths, cuts), 1
        ):
            total += 1
            wrong += regions(mc.Network(network.layers[:depth])) > bound
    return finding(f"{wrong} of {total} counts after a layer above it", holds=not wrong)


def proposition_2() -> Finding:
    deep = {
        (n0, depth): hu_zhang_per_parameter(n0, [6] * depth, [2] * depth)
        / hu_zhang_per_parameter(n0, [6 * depth], [2])
        for n0 in (1, 2, 3, 6, 24)
        for depth in (2, 4)
    }
    below = [f"n_0 = {n0}, L = {depth}" for (n0, depth), ratio in deep.items() if ratio <= 1]
    low, high = (float(f(deep.values())) for f in (min, max))
    text = (
        f"6 units a layer, p = 2: the bounds' ratio, deep over shallow, is {low:.2g} to {high:.2g}"
    )
    text += f"; no more for {'; '.join(below)}" if below else ""
    return finding(text, holds=high > 1, exception=bool(below))


def lemma_2() -> Finding:
    right, cases = 0, [(m, d) for m in range(1, 6) for d in (1, 2, 3)]
    for m, d in cases:
        part = mc.partition(random_network(f"{d}-{m}:relu", 1), SPACE)
        right += int((~part.bounded).sum()) == hu_zhang_lemma_2(m, d)
    text = f"{right} of {len(cases)} random layers, unbounded regions counted"
    return finding(text, holds=right == len(cases))


def lemma_3() -> Finding:
    symmetric = 0
    for seed in range(12):
        part = mc.partition(random_network(f"{2 + seed % 2}-{3 + seed % 3}:relu", seed), SPACE)
        found = unbounded_by_active(part)
        symmetric += found == found[::-1]
    strip = mc.Network.from_arrays([[[1, 0], [-1, 0]]], [[0, 1]], output=False)
    parallel = unbounded_by_active(mc.partition(strip, SPACE))
    text = f"{symmetric} of 12 random layers symmetric; two parallel lines: {parallel}"
    return finding(text, holds=symmetric == 12, exception=parallel != parallel[::-1])


def lemma_4() -> Finding:
    wrong = [
        (p, d, n)
        for p in range(1, 12)
        for n in range(1, 16)
        for d in range(1, n + 1)
        if hu_zhang_theorem_1(d, n, p) > (p - 1 + e * (n - d + 1)) ** d
    ]
    p, d, n = min(wrong)
    text = f"false {len(wrong)} times for p ≤ 11, n ≤ 15, first for p = {p}, d = {d}, n = {n}"
    bound = (p - 1 + e * (n - d + 1)) ** d
    return finding(f"{text}: {hu_zhang_theorem_1(d, n, p)} > {bound:.2f}", holds=not wrong)


def theorem_3() -> Finding:
    one = mc.Network.from_arrays([[[1.0]]], [[0.0]], output=False)
    count, printed = regions(one), hu_zhang_theorem_3(1, [1])
    above = sum(regions(random_network("2-2-1:relu", seed)) > 3 for seed in range(20))
    text = f"ReLU(x): {count} regions, printed {printed}; 2-2-1: {above} of 20 networks above 3"
    return finding(text, holds=count <= printed and not above)


def theorem_3_live() -> Finding:
    texts = ("1-1:relu", "2-2-1:relu", "2-1-2:relu", "2-2-2:relu", "3-2-2:relu", "2-3-3:relu")
    networks = [random_network(text, seed) for text in texts for seed in range(10)]
    wrong = sum(
        regions(n, quantity="live_regions") > hu_zhang_theorem_3(n.n_inputs, n.widths)
        for n in networks
    )
    text = f"live regions instead: {wrong} of {len(networks)} networks above it"
    return finding(text, holds=not wrong)


def theorem_3_line() -> Finding:
    most, printed = value("1-2-2:relu", "one-two-n"), hu_zhang_theorem_3(1, [2, 2])
    found = max(regions(random_network("1-2-2:relu", seed)) for seed in range(400))
    text = f"1-2-2: {found} found in 400 networks, at most {most} by proof, printed {printed}"
    return finding(text, holds=most == printed)


def activation() -> Finding:
    counts = [regions(random_network(f"2-4:p{p}-3:p{p}", 0), CUBE) for p in (1, 2, 3, 4)]
    spaces = [regions(random_network(f"2-4:p{p}", 0)) for p in (1, 2, 3, 4)]
    text = f"2-4, p = 1 to 4: {spaces} on the plane; 2-4-3 on the unit square: {counts}"
    return finding(text, holds=spaces == sorted(spaces), exception=counts != sorted(counts))


def depth() -> Finding:
    """Compare bounds of deep and shallow networks of as many units."""
    deep = Fraction(value("2-6:p2-6:p2-6:p2", "hu-zhang-2"), value("2-18:p2", "hu-zhang-1"))
    wide = Fraction(value("18-6:p2-6:p2-6:p2", "hu-zhang-2"), value("18-18:p2", "hu-zhang-1"))
    text = f"18 units, p = 2, three layers over one: {float(deep):.0f} for 2 inputs, "
    text += f"{float(wide):.2g} for 18"
    return finding(text, holds=deep > 1, exception=wide <= 1)


CLAIMS = (
    Claim(
        "hu-zhang-1",
        "Theorem 1",
        "one layer has at most Σ_{m≤n_0} C(n_1, m) p^m regions, and reaches it",
        theorem_1,
    ),
    Claim("hu-zhang-1-narrow", "Theorem 1", "for n_1 ≤ n_0 that is (p+1)^{n_0}", theorem_1_narrow),
    Claim("hu-zhang-1-order", "Theorem 1", "it is Θ((p + n_1)^{n_0})", theorem_1_order),
    Claim(
        "hu-zhang-prop1",
        "Proposition 1",
        "(p+1)^n regions if and only if the normals are independent",
        proposition_1,
    ),
    Claim("hu-zhang-2", "Theorem 2", "Π_l Σ_{m≤d_l} C(n_l, m) p^m bounds deep networks", theorem_2),
    Claim(
        "hu-zhang-11",
        "equation (11)",
        "regions after layer l are at most those before it times its arrangement's",
        equation_11,
    ),
    Claim(
        "hu-zhang-prop2",
        "Proposition 2",
        "deep networks have more regions per parameter",
        proposition_2,
    ),
    Claim("hu-zhang-lemma2", "Lemma 2", "2 Σ_{j<d} C(m-1, j) regions are unbounded", lemma_2),
    Claim(
        "hu-zhang-lemma3",
        "Lemma 3",
        "unbounded regions come in antipodal pairs with complementary patterns",
        lemma_3,
    ),
    Claim(
        "hu-zhang-lemma4", "Lemma 4", "a layer has at most [p - 1 + e(n-d+1)]^d regions", lemma_4
    ),
    Claim(
        "hu-zhang-3", "Theorem 3", "a tighter bound on the regions of rectifier networks", theorem_3
    ),
    Claim("hu-zhang-3-live", "Theorem 3", "(the same formula for live regions)", theorem_3_live),
    Claim(
        "hu-zhang-3-line",
        "after Theorem 3",
        "it is tight for one input, whatever the structure",
        theorem_3_line,
    ),
    Claim(
        "hu-zhang-activation", "abstract", "more non-linear activations, more regions", activation
    ),
    Claim(
        "hu-zhang-depth",
        "abstract",
        "deep networks are more expressive than shallow ones of as many units",
        depth,
    ),
)
