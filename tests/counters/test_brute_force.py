import json
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milpcount import Box, Limits, Network, Polytope, Quantity, Status, Unbounded
from milpcount.counters.brute_force import BruteForce
from milpcount.counters.driver import count
from milpcount.counters.exact_tree import ExactTree
from milpcount.domain import Domain
from milpcount.errors import OptionError
from milpcount.exact.verify import verify
from milpcount.network import leaky_relu, piecewise_linear
from milpcount.result import CountResult, Guarantee

PAIR = Network.from_arrays([[[1.0], [-1.0]]], [[0.0, 0.0]], output=False)


def regions(net: Network, domain: Domain) -> int:
    return brute(net, domain, Quantity.ACTIVATION_REGIONS).lower


def patterns(net: Network, domain: Domain) -> int:
    return brute(net, domain, Quantity.ACTIVATION_PATTERNS).lower


def brute(net: Network, domain: Domain, quantity: Quantity) -> CountResult:
    found = count(net, domain, BruteForce(), quantity=quantity, keep_regions=True)
    assert found.is_exact
    assert verify(found, net, domain.bind(net.n_inputs))
    return found


def hidden(*layers: tuple[list, list]) -> Network:
    weights, biases = zip(*layers, strict=True)
    return Network.from_arrays(weights, biases, output=False)


def test_opposite_units_have_two_regions_and_three_patterns() -> None:
    assert regions(PAIR, Box(-1, 1)) == 2
    assert patterns(PAIR, Box(-1, 1)) == 3


def test_patterns_at_the_edge_of_the_box_are_attained() -> None:
    net = hidden(([[1.0], [-1.0]], [0.0, 1.0]))
    assert regions(net, Box(0, 1)) == 1
    assert patterns(net, Box(0, 1)) == 3


def test_duplicates_share_their_boundary() -> None:
    net = hidden(([[1.0, 1.0], [2.0, 2.0], [-1.0, -1.0]], [0.0, 0.0, 0.0]))
    assert regions(net, Box(-1, 1)) == 2
    assert patterns(net, Box(-1, 1)) == 3


def test_units_that_are_identically_zero_are_exempt() -> None:
    net = hidden(([[0.0], [1.0]], [0.0, 0.0]))
    assert regions(net, Box(-1, 1)) == 2
    assert patterns(net, Box(-1, 1)) == 2
    deep = hidden(([[1.0]], [0.0]), ([[1.0]], [0.0]))
    assert regions(deep, Box(-1, 1)) == 2


def test_known_arrangements(shared_data: Path) -> None:
    checked = 0
    for entry in json.loads((shared_data / "arrangements.json").read_text()):
        if entry["n_hidden"] > 6:
            continue
        net = hidden((entry["W"], entry["b"]))
        domain = Box(entry["domain"]["lower"], entry["domain"]["upper"])
        assert regions(net, domain) == entry["expected_regions"], entry["name"]
        wanted = entry.get("patterns_active_iff_strictly_positive_in_box")
        if wanted is not None:
            assert patterns(net, domain) == wanted, entry["name"]
        checked += 1
    assert checked >= 15


weights = st.integers(-2, 2)


@st.composite
def degenerate_networks(draw: st.DrawFn) -> Network:
    n, first, second = (draw(st.integers(1, 3)) for _ in range(3))
    matrix = [
        (draw(st.lists(st.lists(weights, min_size=a, max_size=a), min_size=b, max_size=b)))
        for a, b in ((n, first), (first, second))
    ]
    biases = [draw(st.lists(weights, min_size=b, max_size=b)) for b in (first, second)]
    return Network.from_arrays(matrix, biases, output=False)


@given(degenerate_networks())
@settings(max_examples=40, deadline=None)
def test_the_exact_tree_agrees_on_degenerate_networks(net: Network) -> None:
    domain = Box(-1, 1)
    found = count(net, domain, ExactTree(), keep_regions=True)
    wanted = brute(net, domain, Quantity.ACTIVATION_REGIONS)
    assert found.lower == wanted.lower
    assert found.regions is not None
    assert wanted.regions is not None
    assert {r.pattern for r in found.regions} == {r.pattern for r in wanted.regions}
    assert patterns(net, domain) >= wanted.lower


@given(degenerate_networks(), st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_every_sampled_pattern_is_among_the_attained(net: Network, seed: int) -> None:
    x = np.random.default_rng(seed).integers(-4, 5, (200, net.n_inputs)) / 4
    attained = brute(net, Box(-1, 1), Quantity.ACTIVATION_PATTERNS).regions
    assert attained is not None
    assert {tuple(p) for p in net.pattern(x).tolist()} <= {r.pattern for r in attained}


def test_other_activations() -> None:
    hat = piecewise_linear([0.0, 0.5], [0.0, 1.0, 0.0], [0.0, 0.0, 0.5])
    net = Network.from_arrays([[[1.0], [1.0]]], [[0.0, 0.0]], output=False, activation=hat)
    assert regions(net, Box(-1, 1)) == 3
    assert patterns(net, Box(-1, 1)) == 3
    leaky = Network.from_arrays([np.eye(2)], [[0.0, 0.0]], output=False, activation=leaky_relu(0.1))
    assert regions(leaky, Box(-1, 1)) == 4


def test_polytopes_and_all_of_space() -> None:
    net = hidden(([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0]))
    half = Polytope([[1.0, 1.0]], [0.0])
    assert regions(net, half) == 3
    assert patterns(net, half) == 3
    corner = Polytope([[1.0, 1.0]], [-1.0], [-1.0, -1.0], [1.0, 1.0])
    assert regions(net, corner) == 1
    assert patterns(net, corner) == 1
    assert regions(hidden(([[1.0]], [-1e9])), Unbounded()) == 2


def test_twelve_units_take_seconds() -> None:
    rng = np.random.default_rng(0)
    net = hidden(
        (rng.normal(size=(6, 2)), rng.normal(size=6) / 3),
        (rng.normal(size=(6, 6)), rng.normal(size=6) / 3),
    )
    began = time.perf_counter()
    found = count(net, Box(-1, 1), BruteForce())
    assert time.perf_counter() - began < 20
    assert found.lps == 2**12
    assert found.lower == count(net, Box(-1, 1), ExactTree()).lower


def test_more_than_twenty_units_are_refused() -> None:
    net = hidden((np.ones((21, 1)), np.zeros(21)))
    with pytest.raises(OptionError, match=r"at most 20 ReLUs.*'tree'"):
        count(net, Box(-1, 1), BruteForce())


def test_a_region_limit_is_met_exactly() -> None:
    net = hidden((np.eye(4), np.zeros(4)))
    found = count(net, Box(-1, 1), BruteForce(), limits=Limits(regions=5), keep_regions=True)
    assert (found.lower, found.status) == (5, Status.REGION_LIMIT)
    assert found.upper >= 16
    assert verify(found, net, Box(-1, 1).bind(4))


def test_a_time_limit_leaves_valid_bounds() -> None:
    rng = np.random.default_rng(1)
    net = hidden((rng.normal(size=(18, 3)), rng.normal(size=18)))
    found = count(net, Box(-1, 1), BruteForce(), limits=Limits(seconds=0.5))
    assert found.status is Status.TIME_LIMIT
    assert found.seconds < 5
    assert found.share is not None
    assert 0 < found.share < 1


def test_the_result_says_what_it_rests_on() -> None:
    found = count(PAIR, Box(-1, 1), BruteForce())
    assert found.guarantee is Guarantee.EXACT_ARITHMETIC
    assert found.method == {"name": "brute"}
    assert found.share == 1.0
    assert found.regions is None
