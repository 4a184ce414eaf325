"""Nakahara, Kobayashi and Matsushima (2025): networks with weights -1, 0 and 1."""

import numpy as np

import milpcount as mc
from experiments.papers.claim import CUBE, SPACE, Claim, Finding, all_three, finding, regions, value
from milpcount.bounds.ternary import nakahara_remark_1, nakahara_theorem_1
from milpcount.examples import folding, nakahara_ternary, to_ternary

PAPER = "Nakahara, Kobayashi & Matsushima 2025"


def theorem_1() -> Finding:
    found = []
    for n0, width, layers in ((1, 8, 3), (1, 8, 5), (1, 12, 5), (2, 12, 3), (2, 12, 5), (2, 18, 3)):
        counts = all_three(nakahara_ternary(n0, width, layers).network, CUBE)
        found.append((n0, counts, nakahara_theorem_1(n0, width, layers)))
    text = "; ".join(f"n_0 = {n0}: {a}, {b}, {c} of {n}" for n0, (a, b, c), n in found)
    holds = all(a == b == n for _, (a, b, _), n in found)
    fewer = any(c < n for _, (_, _, c), n in found)
    return finding(f"R2, R4, R6 of the number: {text}", holds=holds, exception=fewer)


def weights() -> Finding:
    network = nakahara_ternary(2, 18, 5).network
    numbers = np.concatenate([np.r_[m.weight.ravel(), m.bias] for m in network.maps])
    kinds = sorted({int(v) for v in numbers})
    printed = -2 * (3 - 1)  # i = q = 3
    text = f"of 2-18-18-18-18-1: {kinds}; as printed (13) has a bias -2(i-1) = {printed}"
    return finding(text, holds=kinds == [-1, 0, 1], exception=printed not in kinds)


def proposition_1() -> Finding:
    found = []
    for p, n0, layers in ((2, 1, 4), (3, 1, 3), (2, 2, 3), (3, 2, 2)):
        found.append((regions(folding(p, n0, layers - 1), CUBE), p ** (n0 * (layers - 1))))
    beyond = regions(folding(2, 1, 3), SPACE)
    text = "counted / p^{n_0(L-1)} on the cube: " + ", ".join(f"{a} / {b}" for a, b in found)
    text += f"; p = 2, L = 4 on all of the line: {beyond}"
    return finding(text, holds=all(a == b for a, b in found))


def lemma_1() -> Finding:
    # |x| has two bijective pieces, max(0, y - 1/2) two; composed they have three.
    network = mc.Network.from_arrays(
        [[[1.0], [-1.0]], [[1.0, 1.0]], [[1.0]]], [[0.0, 0.0], [-0.5], [0.0]]
    )
    count = regions(network, mc.Box(-1, 1), "linear_regions")
    return finding(f"|x| and max(0, y - 1/2): {count} pieces, printed 4", holds=count == 4)


def conversion() -> Finding:
    network = folding(3, 2, 2)
    ternary = to_ternary(network)
    x = np.random.default_rng(0).integers(0, 65, (200, 2)) / 64
    same = bool((network(x) == ternary(x)).all())
    counts = all_three(network, CUBE), all_three(ternary, CUBE)
    text = f"folding 2-6-6: R2, R4, R6 {counts[0]}, ternary {ternary.architecture} {counts[1]}; "
    text += f"equal at 200 of 200 points: {same}"
    return finding(text, holds=same and counts[0] == counts[1])


def remark_1() -> Finding:
    rows = [nakahara_remark_1(n0, p, layers) for n0 in (1, 2) for p in (2, 3) for layers in (2, 3)]
    equal = all(len({e.regions for e in found}) == 1 for found in rows)
    one = nakahara_remark_1(1, 2, 3)
    example = nakahara_ternary(1, one[2].width, one[2].layers)
    text = "p = 2, n_0 = 1: " + "; ".join(
        f"{e.name}: width {e.width}, {e.layers} layers, {e.regions}" for e in one
    )
    counted = regions(example.network, CUBE)
    text += f"; counted, width squared: {counted}"
    return finding(text, holds=equal and counted == one[2].regions)


def figure_6() -> Finding:
    on_cube = [regions(folding(p, 1, 1), CUBE, "linear_regions") for p in (2, 3, 4)]
    on_line = [regions(folding(p, 1, 1), SPACE, "linear_regions") for p in (2, 3, 4)]
    text = f"h_j for p = 2, 3, 4: {on_cube} pieces on [0, 1], {on_line} on the line"
    return finding(text, holds=on_cube == [2, 3, 4], exception=on_line != on_cube)


def identity_layers() -> Finding:
    number = value("ternary:1-8:id-8-8:id-8-1", "nakahara-1")
    cap = mc.bound("ternary:1-8:id-8-8:id-8-1").upper
    counted = regions(nakahara_ternary(1, 8, 5).network, CUBE)
    text = f"ternary:1-8:id-8-8:id-8-1: at least {number} by Theorem 1, at most {cap}; "
    text += f"{counted} counted"
    return finding(text, holds=number == counted <= cap)


CLAIMS = (
    Claim(
        "nakahara-1",
        "Theorem 1",
        "ternary networks reach q^{n_0(L'-1)/2} linear regions on the cube",
        theorem_1,
    ),
    Claim("nakahara-weights", "(13), (15)", "weights and biases are -1, 0 and 1", weights),
    Claim(
        "nakahara-prop1", "Proposition 1", "p^{n_0(L-1)} regions with any weights", proposition_1
    ),
    Claim("nakahara-lemma1", "Lemma 1", "numbers of pieces multiply under composition", lemma_1),
    Claim(
        "nakahara-conversion",
        "figures 3, 4",
        "integer weights can be made ternary: the same function",
        conversion,
    ),
    Claim(
        "nakahara-remark1",
        "Remark 1",
        "squaring the width or doubling the depth makes up for ternary weights",
        remark_1,
    ),
    Claim("nakahara-h", "figure 6", "h_j folds [0, 1] onto itself p times", figure_6),
    Claim("nakahara-identity", "architecture", "odd layers may be linear", identity_layers),
)
