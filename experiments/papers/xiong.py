"""Xiong et al., TPAMI 2024: convolutions with piecewise linear units; the abstract's claims.

The theorems' texts were not at hand but for rectifiers (ICML 2020); the numbers for other units are
those derived in `milpcount.bounds`.
"""

from fractions import Fraction
from statistics import mean

import milpcount as mc
from experiments.papers.claim import Claim, Finding, finding, regions, value
from milpcount.bounds.architecture import parse
from milpcount.examples import piecewise_convolutions, xiong_2020
from milpcount.examples.convolution import convolution
from milpcount.sweep.random_networks import random_network

PAPER = "Xiong et al., TPAMI 2024 (abstract), and ICML 2020"
ONE = (
    "3x1-conv2@2:p2",
    "3x1-conv1@2:p3",
    "4x1-conv1@2:p2",
    "4x1-conv2@2",
    "3x1-conv3@2",
    "2x1-conv2@2:p3",
)
DEEP = (
    "4x1-conv1@2:p2-conv1@2:p2",
    "4x1-conv2@2-conv1@2:relu",
    "4x1-conv1@2:p1-conv1@2:p1",
    "3x1-conv1@2:p3-conv1@2:p2",
)


def maximum() -> Finding:
    hits = [
        regions(random_network(text, seed)) == mc.bound(text).upper
        for text in ONE
        for seed in (0, 1, 2)
    ]
    plane = convolution((3, 3, 1), (2, 2), 2)
    count = next(iter(plane.known.values()))
    formula = xiong_2020((3, 3, 1), (2, 2), 2)
    text = f"{sum(hits)} of {len(hits)} random convolutions along a line reach it; two shared 2×2 "
    text += f"filters on 3×3: {count}, formula {formula}"
    return finding(text, holds=all(hits), exception=count < formula)


def average() -> Finding:
    means = [
        (mean(regions(random_network(text, seed)) for seed in range(5)), mc.bound(text).upper)
        for text in ONE
    ]
    text = ", ".join(f"{a:g} / {b}" for a, b in means)
    return finding(f"mean of 5 networks / maximum: {text}", holds=all(a == b for a, b in means))


def deep_upper() -> Finding:
    cases = [(text, random_network(text, seed)) for text in DEEP for seed in range(3)]
    ratios = [regions(network) / mc.bound(text).upper for text, network in cases]
    text = f"{sum(r > 1 for r in ratios)} of {len(ratios)} random networks above, at most "
    return finding(f"{text}{100 * max(ratios):.0f} % of it", holds=max(ratios) <= 1)


def deep_lower() -> Finding:
    found = []
    for text in (*DEEP, "3x1-conv2@2:p2-conv2@2:p2"):
        example = piecewise_convolutions(text)
        found.append((regions(example.network, example.domain), value(text, "xiong2024-lower")))
    text = ", ".join(f"{a} / {b}" for a, b in found)
    return finding(f"zigzag networks / bound: {text}", holds=all(a == b for a, b in found))


def dense() -> Finding:
    pairs = [
        ("4x1-conv2@2", "4-6:relu"), ("5x1-conv2@2", "5-8:relu"), ("4x1-conv2@2:p2", "4-6:p2"),
        ("6x1-conv1@2", "6-5:relu"),
    ]  # fmt: skip
    texts = []
    ratios = []
    for conv, full in pairs:
        count = regions(random_network(conv, 0)), regions(random_network(full, 0))
        sizes = parse(conv).n_parameters, parse(full).n_parameters
        ratios.append(Fraction(count[0], sizes[0]) / Fraction(count[1], sizes[1]))
        texts.append(f"{conv}: {count[0]}/{sizes[0]}, {full}: {count[1]}/{sizes[1]}")
    return finding("regions/parameters of " + "; ".join(texts), holds=min(ratios) > 1)


def depth() -> Finding:
    """Compare the best network of several layers with the best of one, for as many parameters."""
    parts, ratios = [], {}
    for deep in ("8x1-conv4@2:p1-conv4@2:p1-conv4@2:p1-conv4@2:p1", "4x1-conv2@2:p1-conv2@2:p1"):
        size = parse(deep).n_parameters
        shallow = f"{deep.split('-')[0]}-conv{-(-size // 3)}@2:p1"
        low, high = value(deep, "xiong2024-lower"), value(shallow, "xiong2024-1")
        ratios[deep] = Fraction(low, size) / Fraction(high, parse(shallow).n_parameters)
        parts.append(f"{deep} reaches {low:,} with {size}, {shallow} {high:,} with as many")
    many, few = ratios.values()
    return finding("parameters: " + "; ".join(parts), holds=many > 1, exception=few <= 1)


CLAIMS = (
    Claim("xiong-maximum", "one layer", "the maximum is Σ_t Π_i C(d, t_i) p^{t_i}", maximum),
    Claim(
        "xiong-average",
        "one layer",
        "and so is the average, for parameters with a density",
        average,
    ),
    Claim("xiong-upper", "many layers", "an upper bound, layer by layer", deep_upper),
    Claim("xiong-lower", "many layers", "a lower bound on the best network", deep_lower),
    Claim(
        "xiong-dense",
        "abstract",
        "convolutions have more regions per parameter than fully connected layers",
        dense,
    ),
    Claim(
        "xiong-depth",
        "abstract",
        "deeper convolutional networks have more regions per parameter",
        depth,
    ),
)
