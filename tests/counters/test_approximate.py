"""Both ends with a confidence: right on known counts, reproducible, honest about limits."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import milpcount as mc
from milpcount.counters.approximate.hashing import Hashing
from milpcount.counters.approximate.strata import Known, Pilot, Strata, pilots
from milpcount.counters.method import Problem
from milpcount.errors import OptionError
from milpcount.limits import Deadline
from milpcount.network import Layer, Network, leaky_relu, maxout
from milpcount.network.affine import Dense
from milpcount.result import Guarantee, Status
from tests.networks import random_network

BOX = mc.Box(-1, 1)
STRATA = mc.Approximate(0.5, 0.05, "strata", count_first=1)
HASHING = mc.Approximate(0.5, 0.05, "hashing", count_first=1)
SEEDS = 6


def mixed():
    """Return a network of leaky units and maxima."""
    random = np.random.default_rng(4)
    first = Layer(Dense(random.normal(size=(8, 3)), random.normal(size=8)), leaky_relu(0.1))
    last = Layer(Dense(random.normal(size=(6, 8)), random.normal(size=6)), maxout(2))
    return Network((first, last))


def folded():
    """Return a network whose units are each other's negatives, or the same: ties everywhere."""
    rows = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0], [1.0, 1.0], [1.0, 1.0]])
    random = np.random.default_rng(2)
    second = random.integers(-2, 3, size=(7, 6)).astype(float)
    return Network.from_arrays([rows, second], [np.zeros(6), np.ones(7)], output=False)


NETWORKS = {
    "two layers": lambda: random_network(3, 5, (7, 7)),
    "three layers": lambda: random_network(7, 3, (5, 5, 4)),
    "many inputs": lambda: random_network(5, 30, (5, 6)),
    "leaky and maxima": mixed,
    "ties": folded,
}


@pytest.mark.parametrize("method", [STRATA, HASHING], ids=["strata", "hashing"])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_count_lies_between_the_ends(name, method):
    network = NETWORKS[name]()
    exact = mc.count(network, BOX).lower
    results = [mc.count(network, BOX, method, seed=seed) for seed in range(SEEDS)]
    wrong = sum(not result.lower <= exact <= result.upper for result in results)
    assert wrong <= 3  # four or more have a probability below 1e-4 at delta = 0.05
    for result in results:
        assert result.status is Status.SAMPLED
        assert result.guarantee is Guarantee.PROBABILISTIC
        assert result.confidence == 0.95
        assert result.upper <= 2.25 * result.lower or not result.is_two_sided
    assert any(result.lower > 1 for result in results)


def test_few_regions_are_counted():
    network = NETWORKS["two layers"]()
    exact, result = mc.count(network, BOX), mc.count(network, BOX, mc.Approximate())
    assert (result.lower, result.upper) == (exact.lower, exact.upper)
    assert result.is_exact and result.status is Status.COMPLETE
    assert result.confidence is None and result.guarantee is Guarantee.CERTIFIED


@pytest.mark.parametrize("method", [STRATA, HASHING], ids=["strata", "hashing"])
def test_the_result_depends_on_the_seed_and_not_on_the_executor(method):
    network = NETWORKS["many inputs"]()
    here, again, other = (mc.count(network, BOX, method, seed=s) for s in (1, 1, 2))
    with ThreadPoolExecutor(2) as pool:
        spread = mc.count(network, BOX, method, seed=1, executor=pool)
    assert (here.lower, here.upper) == (again.lower, again.upper) == (spread.lower, spread.upper)
    assert (here.lower, here.upper) != (other.lower, other.upper)


def test_a_network_that_counts_quickly_is_counted_after_all():
    network = random_network(1, 2, (12, 12, 12))  # 2^36 patterns, some hundred regions
    result = mc.count(network, BOX, mc.Approximate(count_first=20))
    assert result.is_exact and result.details["strategy"] == "exact"
    assert result.lower == mc.count(network, BOX).lower


def test_the_cheapest_is_taken():
    network = mc.Network.load("example:mnist-784-11-11.npz")
    result = mc.count(network, mc.Box(0, 1), mc.Approximate(0.5, 0.05), seed=3)
    expected = result.details["work_expected"]
    known = {way: number for way, number in expected.items() if number is not None}
    assert result.details["strategy"] == min(known, key=known.get) != "exact"
    assert result.lower <= 675_786 <= result.upper <= 2.25 * result.lower
    assert result.is_two_sided and "both bounds together" in str(result)
    assert "with the stated confidence" in result.upper_source


def test_what_is_stopped_says_what_it_has_reached():
    network = mc.Network.load("example:mnist-784-11-11.npz")
    method = mc.Approximate(0.01, 0.05, "strata", count_first=10)
    result = mc.count(network, mc.Box(0, 1), method, limits=mc.Limits(seconds=2.0))
    assert result.status is Status.TIME_LIMIT
    assert result.lower <= result.upper
    notes = " ".join(result.details["notes"])
    assert "epsilon" in notes and "0.01" in notes


def test_without_a_complete_stage_the_upper_end_is_a_theorems():
    network = mc.Network.load("example:mnist-784-11-11.npz")
    method = mc.Approximate(0.002, 0.05, "hashing", count_first=10)
    result = mc.count(network, mc.Box(0, 1), method, limits=mc.Limits(seconds=1.0))
    assert result.status is Status.TIME_LIMIT
    assert result.upper == mc.bound(network, mc.Box(0, 1)).upper and not result.is_two_sided
    assert 10 <= result.lower <= 675_786


def test_strata_go_on_where_they_were_stopped():
    network = NETWORKS["many inputs"]()
    problem = Problem(network, BOX.bind(30), mc.Quantity.ACTIVATION_REGIONS, seed=5)
    pilot = pilots(problem, 0.05, 0.05, Deadline())
    whole = Strata(problem, pilot, 0.05, 0.05)
    assert sum(1 for _ in whole.run()) > 3
    assert len(whole.made) > 9  # more than a round
    left = json.loads(json.dumps([batch.record for batch in whole.made[:9]]))
    known = [Known.from_record(batch) for batch in left]
    again = Pilot.from_record(json.loads(json.dumps(pilot.to_record())))
    assert again == pilot
    gone_on = Strata(problem, again, 0.05, 0.05, known)
    for _ in gone_on.run():
        pass
    assert (gone_on.low, gone_on.high) == (whole.low, whole.high)
    assert (gone_on.walks, gone_on.tests) == (whole.walks, whole.tests)


def test_stages_go_on_where_they_were_stopped():
    network = NETWORKS["many inputs"]()
    problem = Problem(network, BOX.bind(30), mc.Quantity.ACTIVATION_REGIONS, seed=5)
    whole = Hashing(problem, Fraction(1, 5), Fraction(1, 20), guess=9.0)
    for _ in whole.run():
        pass
    left = json.loads(json.dumps(whole.left))
    last = left[-1]["counted"]
    last.pop(next(iter(last)))  # a run that was not complete
    gone_on = Hashing(problem, Fraction(1, 5), Fraction(1, 20), known=left)
    for _ in gone_on.run():
        pass
    assert (gone_on.low, gone_on.high) == (whole.low, whole.high)
    assert gone_on.stages == whole.stages


def test_a_result_that_was_stopped_is_gone_on_with():
    network = mc.Network.load("example:mnist-784-11-11.npz")
    method = mc.Approximate(0.1, 0.05, "strata", count_first=1)
    stopped = mc.count(network, mc.Box(0, 1), method, limits=mc.Limits(seconds=1.0))
    stored = mc.CountResult.from_record(json.loads(stopped.to_json()))
    if stopped.status is Status.TIME_LIMIT:
        assert method.after(stored).left is not None
    result = mc.count(network, mc.Box(0, 1), method.after(stored), limits=mc.Limits(seconds=60))
    assert result.lower <= 675_786 <= result.upper
    assert result.details.get("strata", 0) >= stopped.details.get("strata", 0)


def test_a_run_goes_on_with_its_own_network_and_options_only():
    network = mc.Network.load("example:mnist-784-4-18.npz")
    method = mc.Approximate(0.01, 0.05, "strata", count_first=1)
    stopped = mc.count(network, mc.Box(0, 1), method, limits=mc.Limits(seconds=0.5))
    with pytest.raises(OptionError, match="cannot be gone on with"):
        mc.Approximate(0.02, 0.05).after(stopped)
    after = method.after(stopped)
    if after.left is not None:
        with pytest.raises(OptionError, match="seed"):
            mc.count(network, mc.Box(0, 1), after, seed=1)
        with pytest.raises(OptionError, match="domain"):
            mc.count(network, mc.Box(0, 0.5), after)


def test_patterns_are_hashed():
    pairs = np.kron(np.eye(3), [[1.0], [-1.0]])  # ReLU(x), ReLU(-x): 2 regions and 3 patterns
    network = Network.from_arrays([pairs], [np.zeros(6)], output=False)
    quantity = mc.Quantity.ACTIVATION_PATTERNS
    method = mc.Approximate(4.0, 0.05, "hashing", count_first=1)
    results = [mc.count(network, BOX, method, quantity=quantity, seed=seed) for seed in range(3)]
    assert sum(not r.lower <= 27 <= r.upper for r in results) <= 2
    assert any(r.details["stages"][0]["xors"] for r in results)
    with pytest.raises(OptionError, match="strata"):
        mc.count(network, BOX, STRATA, quantity=quantity)


def test_small_deltas_take_medians():
    network = NETWORKS["two layers"]()
    method = mc.Approximate(0.8, 1e-4, "hashing", count_first=1)
    result = mc.count(network, BOX, method)
    assert result.details["stages"][0]["groups"] > 1
    assert result.lower <= mc.count(network, BOX).lower <= result.upper


def test_a_stage_that_was_planned_badly_says_nothing_but_what_the_next_one_needs():
    network = NETWORKS["two layers"]()
    problem = Problem(network, BOX.bind(5), mc.Quantity.ACTIVATION_REGIONS)
    hashing = Hashing(problem, Fraction(1, 2), Fraction(1, 5), guess=30.0)
    for _ in hashing.run():
        pass
    assert hashing.stages[0]["counted"] == [0] * len(hashing.stages[0]["counted"])
    assert len(hashing.stages) > 1 and sum(s["error"] for s in hashing.stages) <= 0.2
    exact = mc.count(network, BOX).lower
    assert hashing.low <= exact <= hashing.high


def test_stages_that_exclude_each_other_leave_the_last_one():
    network = NETWORKS["two layers"]()
    problem = Problem(network, BOX.bind(5), mc.Quantity.ACTIVATION_REGIONS)
    hashing = Hashing(problem, Fraction(1, 2), Fraction(1, 5), guess=9.0)
    hashing.low, hashing.high = 1, 2  # as a stage that is wrong would leave them
    hashing.error = Fraction(1, 10)
    stage = hashing.run()
    for _ in stage:
        pass
    exact = mc.count(network, BOX).lower
    assert hashing.low <= exact <= hashing.high and hashing.reached <= 0.5


def test_equal_ends_that_rest_on_chance_are_not_exact():
    result = mc.count(NETWORKS["two layers"](), BOX)
    chance = replace(result, confidence=0.95)
    assert result.is_exact and not chance.is_exact
    assert "exact" not in dict(chance.rows())["activation regions"]


def test_undecided_sides_leave_no_walks_to_expect():
    pilot = Pilot((64, 1), 5.0, 1.5, 10.0, 20.0, 100, 50, undecided=1)
    assert math.isinf(pilot.needed(0.2, 0.05))


def test_networks_without_units_have_one_region():
    network = Network.from_arrays([[[1.0]]], [[0.0]])
    result = mc.count(network, BOX, mc.Approximate())
    assert result.lower == result.upper == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"epsilon": 0}, "epsilon"),
        ({"epsilon": math.nan}, "epsilon"),
        ({"epsilon": 1e-9}, "certainty"),
        ({"delta": 1.0}, "delta"),
        ({"delta": "x"}, "delta"),
        ({"strategy": "guess"}, "strategy"),
        ({"count_first": 0}, "count_first"),
    ],
)
def test_wrong_options_are_refused(options, said):
    with pytest.raises(OptionError, match=said):
        mc.Approximate(**options)
