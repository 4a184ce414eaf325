"""No upper bound is ever below an exact count, and every maximum is reached by its best network."""

from itertools import pairwise

import numpy as np
import pytest

import milpcount as mc
from milpcount.bounds.theorem import Direction, Scope
from tests.bounds import networks

FAMILIES = {
    "rectifier": (networks.rectifier, 220),
    "piecewise": (networks.piecewise, 110),
    "maxout": (networks.maxouts, 110),
    "mixed": (networks.mixed, 60),
}


def violations(table, count):
    return [b for b in table.upper_bounds if b.value < count]


@pytest.mark.parametrize("family", FAMILIES)
def test_upper_bounds_hold(family, capsys):
    make, trials = FAMILIES[family]
    worst, reached = 0.0, 0
    for seed in range(trials):
        network, domain = make(seed), networks.domain(seed)
        count = mc.count(network, domain)
        assert count.is_exact
        table = mc.bound(network, domain)
        assert not violations(table, count.lower), (seed, network, count, str(table))
        ratio = count.lower / table.upper
        worst, reached = max(worst, ratio), reached + (ratio == 1)
    with capsys.disabled():
        print(f"\n{family}: {trials} networks, 0 violations, worst count / bound {worst:.3f}"
              f" (bound reached by {reached})")  # fmt: skip
    assert reached


def test_upper_bounds_hold_for_convolutions(capsys):
    trials, worst, reached = 78, 0.0, 0
    for seed in range(trials):
        architecture, network = networks.convolution(seed)
        count = mc.count(network, mc.Unbounded()).lower
        for table in (mc.bound(architecture), mc.bound(network)):
            assert not violations(table, count), (seed, count, str(table))
        upper = mc.bound(architecture).upper
        worst, reached = max(worst, count / upper), reached + (count == upper)
    with capsys.disabled():
        print(f"\nconvolutions: {trials} networks, 0 violations, worst count / bound {worst:.3f}"
              f" (bound reached by {reached})")  # fmt: skip
    assert reached


def test_one_convolution_of_generic_weights_reaches_its_maximum():
    for seed in range(9):
        architecture, network = networks.convolution(seed)
        table = mc.bound(architecture)
        count = mc.count(network, mc.Unbounded()).lower
        assert table["xiong2020-2"].value == table["xiong2020-2-expected"].value == count


@pytest.mark.parametrize(
    ("text", "formula", "count"),
    [("3x3x1-conv2@2x2", 256, 255), ("3x3x1-conv3@2x2", 4013, 3998)],
)
def test_filters_shared_in_a_plane_miss_the_number_of_xiong(text, formula, count):
    # Printed as the exact maximum: f * g = g * f makes the shifts of two filters dependent.
    architecture, network = networks.convolution(0, text)
    table = mc.bound(architecture)
    assert table["xiong2020-2-plane"].value == formula
    assert mc.count(network, mc.Unbounded()).lower == count
    with pytest.raises(LookupError):
        table["xiong2020-2"]


@pytest.mark.parametrize("seed", range(12))
def test_upper_bounds_hold_on_sections_and_with_tighter_ranges(seed):
    rng = np.random.default_rng(seed)
    network = networks.dense(rng, [4, 5, 4], [networks.relu()] * 2)
    section = mc.Section(rng.normal(size=4), rng.normal(size=(2, 4)), mc.Box(-1, 1))
    for domain in (section, mc.Box(-1, 1)):
        count = mc.count(network, domain).lower
        values = []
        for level in ("interval", "lp", "milp"):
            table = mc.bound(network, domain, tighten=level)
            assert not violations(table, count)
            values.append(table["serra2020"].value)
        assert all(a >= b for a, b in pairwise(values))


def live_regions(network):
    """Count the regions in which every layer has an active unit."""
    result = mc.count(network, mc.Unbounded(), keep_regions=True)
    ends = np.cumsum([0, *network.widths])
    patterns = [np.array(region.pattern) for region in result.regions]
    alive = [all(p[a:b].any() for a, b in pairwise(ends)) for p in patterns]
    return sum(alive), result.lower


def generic(seed, sizes):
    rng = np.random.default_rng(seed)
    shapes = [(b, a) for a, b in pairwise(sizes)]
    weights = [rng.normal(size=s) for s in shapes]
    biases = [rng.normal(size=s[0]) for s in shapes]
    return mc.Network.from_arrays(weights, biases, output=False)


def test_hu_zhang_theorem_3_is_no_bound_on_regions():
    rectifier = mc.Network.from_arrays([[[1.0]]], [[0.0]], output=False)
    assert mc.bound(rectifier)["hu-zhang-3"].value == 1
    assert mc.count(rectifier, mc.Unbounded()).lower == 2
    beyond = 0
    for seed in range(20):
        network = generic(seed, [2, 2, 1])
        beyond += mc.count(network, mc.Unbounded()).lower > mc.bound(network)["hu-zhang-3"].value
    assert beyond == 20


@pytest.mark.parametrize("sizes", [[1, 1], [2, 2], [1, 1, 3], [2, 2, 1], [2, 1, 2], [2, 2, 2],
                                   [3, 2, 2], [2, 3, 3], [2, 2, 2, 2]])  # fmt: skip
def test_hu_zhang_theorem_3_bounds_the_regions_that_are_alive(sizes):
    for seed in range(12):
        network = generic(seed, sizes)
        alive, _ = live_regions(network)
        assert alive <= mc.bound(network)["hu-zhang-3"].value


def test_lower_and_upper_bounds_on_the_best_network_are_in_order():
    architectures = [f"{n0}-{a}-{b}-{c}:relu" for n0 in (1, 2, 3) for a in (1, 2, 3, 6)
                     for b in (2, 3, 7) for c in (1, 2, 5)]  # fmt: skip
    architectures += [f"{n0}-{a}-{b}:relu" for n0 in (1, 2, 3) for a in range(1, 9)
                      for b in range(1, 6)]  # fmt: skip
    architectures += ["2-2x3:maxout3", "3-5:maxout2", "4x1-conv2@2-conv3@2", "2-12x4", "1-3x2:p2"]
    for text in architectures:
        table = mc.bound(text)
        for low in table.best_network_bounds:
            assert low.theorem.subject is Scope.BEST
            assert low.value <= table.upper, (text, low.theorem.key)


def test_exact_maxima_are_reached():
    third = np.array([[1.0], [1.0], [-1.0]]), np.array([-1 / 6, -1 / 3, 2 / 3])
    read, shift = np.array([[-12.0, 9.0, -6.0]]), 4.0
    fold = third[0] @ read, third[0][:, 0] * shift + third[1]
    zigzag = mc.Network.from_arrays([third[0], fold[0]], [third[1], fold[1]], output=False)
    count = mc.count(zigzag, mc.Unbounded()).lower
    assert count == mc.bound(zigzag).upper == mc.bound(zigzag)["serra2018-1d"].value == 16
    for sizes in ([2, 5], [3, 4], [1, 6]):
        network = generic(3, sizes)
        table = mc.bound(network)
        exact = [b for b in table.upper_bounds if b.theorem.direction is Direction.EXACT]
        assert exact and mc.count(network, mc.Unbounded()).lower == table.upper == exact[0].value


def test_ternary_networks_reach_their_bound():
    q = 2  # one input; odd layers copy it 2q times beside 2q - 2 ones, even layers fold
    copies, ones, n = 2 * q, 2 * q - 2, 4 * q
    first = np.zeros((n, 1))
    first[:copies] = 1
    constant = np.zeros(n)
    constant[copies : copies + ones] = 1
    fold = np.zeros((n, n))
    fold[0, :q] = 1
    for i in range(2, q + 1):
        fold[i - 1, :copies] = 1
        fold[i - 1, copies : copies + 2 * (i - 1)] = -1
    read = np.zeros((n, n))
    read[:copies, :q] = [(-1) ** i for i in range(q)]
    layers = [first, fold, read, fold]
    biases = [constant, np.zeros(n), constant, np.zeros(n)]
    network = mc.Network.from_arrays(layers, biases, output=False)
    bound = mc.bound(f"ternary:1-{n}x4-1", mc.Box(0, 1))["nakahara-1"].value
    assert mc.count(network, mc.Box(0, 1)).lower == bound == q**2
