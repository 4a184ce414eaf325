import time
from itertools import combinations

import numpy as np
import pytest

import milpcount as mc
from milpcount.bounds.best import best_upper
from milpcount.bounds.coverage import maximum_coverage
from milpcount.bounds.empirical import (
    LayerCounts,
    empirical_bound,
    layer_counts,
    serra_ramalingam_2020,
)
from milpcount.bounds.ranks import rank_bound
from milpcount.bounds.rectifier import serra_2018
from milpcount.network import Dense, Layer, maxout
from milpcount.network.activation import Activation, Piece, Row
from milpcount.preactivation import interval_bounds
from milpcount.quantities import Quantity


def he(seed, *sizes):
    rng = np.random.default_rng(seed)
    shapes = list(zip(sizes[1:], sizes, strict=False))
    weights = [rng.normal(size=s) * np.sqrt(2 / s[1]) for s in shapes]
    return mc.Network.from_arrays(weights, [0.1 * rng.normal(size=s[0]) for s in shapes])


@pytest.mark.parametrize("widths", [(2, 2), (3, 3), (4, 2, 3), (3, 3, 3)])
@pytest.mark.parametrize("n0", [1, 2, 3, 5])
def test_with_all_units_active_and_unstable_it_is_theorem_1(n0, widths):
    counts = [LayerCounts((n,) * 10, (n,) * 10) for n in widths]
    assert serra_ramalingam_2020(n0, counts) == serra_2018(n0, widths)


def test_the_printed_index_would_be_wrong():
    # k_l = A_l(k_{l-1}) - j_{l-1} with A = I = n gives 16 for 2-2-2, more than the 11 of Theorem 1.
    assert serra_ramalingam_2020(2, [LayerCounts((2,) * 3, (2,) * 3)] * 2) == 11


def brute(meets, k):
    return max(
        int(meets[:, list(chosen)].any(axis=1).sum())
        for chosen in combinations(range(meets.shape[1]), k)
    )


@pytest.mark.parametrize("seed", range(20))
def test_coverage_of_few_elements_is_exact(seed):
    rng = np.random.default_rng(seed)
    sets, n = int(rng.integers(1, 90)), int(rng.integers(1, 9))
    meets = rng.random((sets, n)) < rng.uniform(0.05, 0.6)
    assert maximum_coverage(meets) == [brute(meets, k) if k else 0 for k in range(n + 1)]


@pytest.mark.parametrize("seed", range(6))
def test_coverage_of_many_elements_is_never_too_small(seed):
    rng = np.random.default_rng(seed)
    meets = rng.random((70, 40)) < 0.06
    found = maximum_coverage(meets)
    assert found == sorted(found) and found[-1] <= 70
    assert found[1:3] == [brute(meets, k) for k in (1, 2)]
    covered, order = np.zeros(70, bool), []
    for _ in range(40):  # the greedy choice is a lower bound on what can be met
        best = max(range(40), key=lambda j: int((covered | meets[:, j]).sum()))
        covered |= meets[:, best]
        order.append(int(covered.sum()))
    assert all(greedy <= bound for greedy, bound in zip(order, found[1:], strict=True))


def test_coverage_where_greedy_fails():
    # Two sets of four beat the greedy five plus two.
    meets = np.zeros((8, 3), bool)
    meets[:4, 0] = meets[4:, 1] = meets[[0, 1, 2, 4, 5], 2] = True
    assert maximum_coverage(meets) == [0, 5, 8, 8]


def test_no_elements_and_no_sets():
    assert maximum_coverage(np.zeros((0, 3), bool)) == [0, 0, 0, 0]
    assert maximum_coverage(np.zeros((2, 0), bool)) == [0]


def test_counts_of_a_layer():
    net = mc.Network.from_arrays(
        [[[1.0], [1.0]], [[1.0, -1.0], [-1.0, -1.0], [0.0, 0.0]]],
        [[0.0, 0.0], [-1.0, 1.0, 1.0]],
        output=False,
    )
    first, second = layer_counts(net)
    assert (first.active, first.unstable) == ((2,), (2,))
    assert second.active == (2, 3, 3) and second.unstable == (0, 2, 2)


def test_stable_units_are_left_out():
    net = mc.Network.from_arrays([[[1.0], [1.0], [1.0]]], [[5.0, -5.0, 0.0]], output=False)
    inputs = mc.Box(-1, 1).bind(1)
    assert empirical_bound(net, 1) == 4
    assert empirical_bound(net, 1, interval_bounds(net, inputs)) == 2
    assert mc.bound(net, mc.Box(-1, 1))["serra2020"].value == 2


def test_bounds_that_are_infinite_settle_nothing():
    net = he(0, 2, 3, 1)
    everywhere = interval_bounds(net, mc.Unbounded().bind(2))
    assert empirical_bound(net, 2, everywhere) == empirical_bound(net, 2)


def test_no_bound_but_for_rectifiers():
    weights = [np.ones((4, 2))]
    other = mc.Network.from_arrays(weights, [np.zeros(4)], output=False, activation=maxout(2))
    assert layer_counts(other) is None and empirical_bound(other, 2) is None


def test_wide_networks_are_quick_and_below_theorem_1():
    for sizes in ((784, 100, 100, 10), (784, 400, 400, 400, 10)):
        net = he(1, *sizes)
        value = mc.bound(net, mc.Box(0, 1))["serra2020"].value
        assert 1 < value <= serra_2018(784, net.widths)


@pytest.mark.parametrize(
    ("weight", "rank"),
    [(np.zeros((3, 4)), 0), (np.ones((3, 4)), 1), (np.eye(3), 3),
     (np.array([[1, 2, 3], [2, 4, 6.0000000000000009], [0, 1, 1]]), 3),
     (np.arange(12.0).reshape(3, 4), 2), (np.ones((500, 4)), 1)],
)  # fmt: skip
def test_ranks_are_exact_however_close_to_deficient(weight, rank):
    assert rank_bound(weight) == rank


def test_ranks_are_never_below_the_truth():
    assert rank_bound(np.arange(50 * 60.0).reshape(50, 60)) == 50  # 2: too large to be settled


def test_deep_networks():
    deep = mc.Network.from_arrays([np.ones((2, 2))] * 1500, [np.zeros(2)] * 1500, output=False)
    table = mc.bound(deep, mc.Box(-1, 1))
    assert table.upper == table["serra2018-rank"].value < table["serra2018"].value


def test_units_of_no_known_kind_are_cut_along_their_rows():
    signs = tuple((a, b) for a in (-1, 1) for b in (-1, 1))
    quadrants = Activation(
        "quadrants", 2, (Row(0, -1, 0.0), Row(1, -1, 0.0)),
        tuple(Piece(0, 1.0, 0.0, ((0, a), (1, b))) for a, b in signs),
    )  # fmt: skip
    other = mc.Network((Layer(Dense(np.ones((6, 2)), np.zeros(6)), quadrants),))
    table = mc.bound(other, mc.Box(0, 1))
    # Six lines in the plane make 1 + 6 + 15 cells; those through one point, as here, no more.
    assert table["layer-product"].value == 22 and table["naive"].value == 64
    assert {b.theorem.speaks_of_chains for b in table.upper_bounds} == {False}
    regions = Quantity.ACTIVATION_REGIONS
    assert best_upper(other, mc.Box(0, 1).bind(2), regions)[0] == table.upper <= 22


@pytest.mark.parametrize("sizes", [(784, 21, 1, 10), (784, 512, 512, 512, 10), (20, *[100] * 20)])
def test_the_cheap_seam_is_quick(sizes):
    net, inputs = he(3, *sizes), mc.Box(0, 1).bind(sizes[0])
    began = time.process_time()
    value, _ = best_upper(net, inputs, Quantity.ACTIVATION_REGIONS)
    assert time.process_time() - began < 2.0  # a second, with room for a busy machine
    assert value <= serra_2018(sizes[0], net.widths)


def test_the_cheap_seam():
    net = he(2, 784, 11, 11, 10)
    inputs = mc.Box(0, 1).bind(784)
    value, source = best_upper(net, inputs, Quantity.ACTIVATION_REGIONS)
    assert value == mc.bound(net, mc.Box(0, 1)).upper < serra_2018(784, (11, 11))
    assert source == "Serra & Ramalingam 2020, empirical bound"
    everything = best_upper(net, inputs, Quantity.ACTIVATION_PATTERNS)
    assert everything == (2**22, "naive (all patterns)")
    weights = [np.ones((9, 2))]
    other = mc.Network.from_arrays(weights, [np.zeros(9)], output=False, activation=maxout(3))
    found = best_upper(other, mc.Box(0, 1).bind(2), Quantity.ACTIVATION_REGIONS)
    assert found[0] <= 19
