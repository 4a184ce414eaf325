"""Random walks: unbiased whatever their preferences, reproducible, honest about limits."""

import math
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from scipy.linalg import hadamard

import milpcount as mc
from milpcount.counters.probing.branching_probabilities import preferences
from milpcount.counters.probing.walk_tally import round_size
from milpcount.errors import OptionError
from milpcount.kernel.descent_state import Batch
from milpcount.network import Layer, Network, leaky_relu, maxout
from milpcount.network.affine import Dense
from milpcount.result import Guarantee, Status
from milpcount.tree.descent_tasks import make_walks
from milpcount.tree.subtree_tasks import PackedNetwork
from tests.networks import random_network

BOX = mc.Box(-1, 1)


def walked(
    network, walks, seed=0, preference=None, leaning=None, count_below=0, descents=1, domain=BOX
):
    pieces = max(layer.activation.n_pieces for layer in network.layers)
    preference = np.zeros((network.n_units, pieces)) if preference is None else preference
    leaning = np.zeros((len(network.layers), 2)) if leaning is None else np.array(leaning)
    subject = PackedNetwork.pack(network, domain.bind(network.n_inputs))
    return make_walks(subject, Batch(preference, leaning, walks, seed, count_below, descents))


def exact(network, domain=BOX):
    return mc.count(network, domain).lower


def assert_mean(log_size, expected, tolerance=5.0):
    """The mean is the count within so many standard errors."""
    x = np.exp(log_size)
    assert abs(x.mean() - expected) <= tolerance * x.std() / math.sqrt(x.size) + 1e-9 * expected


class TestWalks:
    @pytest.mark.parametrize("shape", [(2, (6,)), (3, (5, 5)), (20, (6, 6)), (4, (3, 4, 3))])
    @pytest.mark.parametrize(("count_below", "descents"), [(0, 1), (30, 1), (0, 5), (8, 3)])
    def test_the_mean_is_the_count(self, shape, count_below, descents):
        network = random_network(11, *shape)
        found = walked(network, 1500, count_below=count_below, descents=descents)
        assert found.undecided == found.dead_ends == 0
        assert_mean(found.log_size, exact(network))

    def test_preferences_change_the_spread_and_not_the_mean(self):
        network = random_network(5, 3, (6, 6))
        expected = exact(network)
        random = np.random.default_rng(0)
        for _ in range(4):
            preference = random.normal(size=(network.n_units, 2))
            assert_mean(walked(network, 3000, preference=preference).log_size, expected)

    @pytest.mark.parametrize("leaning", [(1.5, 0.0), (0.0, 1.0), (-1.0, 2.0), (1.0, -2.0)])
    @pytest.mark.parametrize("descents", [1, 6])
    def test_leanings_change_the_spread_and_not_the_mean(self, leaning, descents):
        # In the second network points found earlier decide most pieces, so that what is known of
        # a node differs between visits.
        for network in (random_network(5, 3, (6, 6)), random_network(20, 30, (4, 9))):
            found = walked(network, 4000, leaning=[leaning] * 2, descents=descents)
            assert_mean(found.log_size, exact(network))

    def test_descents_are_evenly_spaced_only_where_choices_do_not_lean(self):
        # One unit, the first of its two pieces taken with probability 1/4. Of two descents evenly
        # spaced at most one takes it; of two that are drawn apart both can, for an estimate of 4.
        network = Network.from_arrays([[[1.0]]], [[0.0]], output=False)
        preference = np.log([[0.25, 0.75]])
        for leaning, highest in (([0.0, 0.0], 8 / 3), ([1e-12, 0.0], 4)):
            found = walked(network, 400, preference=preference, leaning=[leaning], descents=2)
            assert np.exp(found.log_size.max()) == pytest.approx(highest)
            assert_mean(found.log_size, 2)

    def test_learned_preferences_lower_the_spread(self):
        network = random_network(3, 12, (8, 8))
        first = walked(network, 1000)
        learned = preferences(network, first.taken, first.log_size)
        second = walked(network, 1000, seed=1, preference=learned)
        assert second.log_size.std() < 0.8 * first.log_size.std()

    def test_several_descents_of_the_last_layer_lower_the_spread(self):
        network = random_network(4, 12, (5, 10))
        one, several = walked(network, 600), walked(network, 600, descents=8)
        assert np.exp(several.log_size).var() < 0.6 * np.exp(one.log_size).var()

    def test_a_tree_that_branches_evenly_gives_the_count_every_time(self):
        network = Network.from_arrays([np.eye(5)], [np.zeros(5)], output=False)
        assert np.allclose(walked(network, 20).log_size, math.log(32))

    def test_a_batch_that_waited_too_long_stops_at_once(self):
        network = random_network(4, 12, (20, 20))
        subject = PackedNetwork.pack(network, BOX.bind(12))
        batch = Batch(np.zeros((network.n_units, 2)), np.zeros((2, 2)), 10**6, 0, 0, 1)
        assert make_walks(subject, batch, until=time.time() - 1.0) is None  # not even begun

    @pytest.mark.parametrize("activation", [leaky_relu(0.1), maxout(3)])
    def test_units_of_other_kinds(self, activation):
        random, width = np.random.default_rng(1), 4
        layer = Layer(
            Dense(random.normal(size=(width * activation.rank, 3)),
                  random.normal(size=width * activation.rank)),
            activation,
        )  # fmt: skip
        network = Network((layer,), None)
        assert_mean(walked(network, 2000).log_size, exact(network))

    def test_degenerate_networks_are_not_overestimated(self):
        # Every line twice, all through one point: 6 regions of 2^6 patterns.
        weights = np.repeat(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), 2, axis=0)
        network = Network.from_arrays([weights], [np.zeros(6)], output=False)
        assert exact(network) == 6
        assert_mean(walked(network, 2000).log_size, 6)

    def test_a_cell_that_floating_point_cannot_decide_lowers_the_estimate(self):
        network = Network.from_arrays(
            [[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]], [[0.25, 0.25 + 2.0**-50, 0.0]], output=False
        )
        found = walked(network, 500)
        assert found.undecided > 0
        assert np.exp(found.log_size).mean() == pytest.approx(4, rel=0.1)  # of 6 regions

    def test_a_section(self):
        network = random_network(6, 30, (8, 6))
        section = mc.Section(np.zeros(30), np.eye(30)[:2], mc.Box(-1, 1))
        assert_mean(walked(network, 1500, domain=section).log_size, exact(network, section))


class TestMethod:
    def test_the_result_says_what_it_is(self):
        network = random_network(2, 4, (6, 6))
        result = mc.count(network, BOX, mc.Probing(probes=300), seed=5)
        truth = exact(network)
        assert result.status is Status.SAMPLED
        assert result.guarantee is Guarantee.PROBABILISTIC
        assert result.confidence == 0.95
        assert "Knuth" in result.theorem
        assert 1 < result.lower <= truth <= result.upper
        assert abs(math.log2(result.estimate / truth)) < 0.5
        assert not result.is_exact
        assert result.details["probes"] == 300
        assert "confidence" in str(result) and "not a bound" in str(result)
        again = type(result).from_record(result.to_record())
        assert again.to_record() == result.to_record()

    @pytest.mark.parametrize(
        ("shape", "domain", "leans"),
        [((20, (7, 7)), BOX, False), ((4, (12, 30)), mc.Unbounded(), True)],
    )
    def test_the_same_seed_gives_the_same_result_whatever_the_workers(self, shape, domain, leans):
        network = random_network(7, *shape)
        method = mc.Probing(probes=200)
        results = [mc.count(network, domain, method, seed=3)]
        for kind in (ThreadPoolExecutor, ProcessPoolExecutor):
            with kind(2) as pool:
                results.append(mc.count(network, domain, method, seed=3, executor=pool))
        assert len({(r.lower, r.estimate, r.details["log2_lower"]) for r in results}) == 1
        assert results[0].details["choices_leaned"] is leans
        other = mc.count(network, domain, method, seed=4)
        assert other.estimate != results[0].estimate

    def test_a_gap_stops_it_early(self):
        network = random_network(2, 4, (6, 6))
        result = mc.count(network, BOX, mc.Probing(probes=10**6, gap=0.5))
        assert result.details["probes"] < 5000
        assert result.details["log2_estimate"] - result.details["log2_lower"] <= 0.5

    def test_the_time_limit_keeps_what_was_shown(self):
        network = random_network(2, 4, (6, 6))
        limits = mc.Limits(seconds=0.3)
        result = mc.count(network, BOX, mc.Probing(probes=10**9), limits=limits)
        assert result.status is Status.TIME_LIMIT
        assert 1 < result.lower <= exact(network)

    def test_saturation_is_reported(self):
        # Orthogonal hyperplanes: all walks split every unit.
        network = Network.from_arrays([hadamard(8)], [np.zeros(8)], output=False)
        result = mc.count(network, BOX, mc.Probing(probes=16))
        assert result.details["all_probes_saw_the_same_number"]
        assert 128 <= result.lower < 256 == result.estimate

    def test_one_region(self):
        network = Network.from_arrays([[[1.0]]], [[5.0]], output=False)
        result = mc.count(network, BOX, mc.Probing(probes=20))
        assert result.lower == result.estimate == result.upper == 1

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ({"confidence": 1.0}, "between 0 and 1"),
            ({"confidence": 0.0}, "between 0 and 1"),
            ({"confidence": math.nan}, "between 0 and 1"),
            ({"probes": 0}, "at least 1"),
            ({"gap": 0.0}, "above 0"),
            ({"gap": math.nan}, "above 0"),
            ({"count_below": -1}, "at least 0"),
            ({"descents": 0}, "at least 1"),
            ({"descents": 1001}, "1,000 are the most"),
            ({"population": 0}, "at least 1"),
            ({"count_below": 10**6 + 1}, "1,000,000 are the most"),
        ],
    )
    def test_bad_options(self, options, says):
        with pytest.raises(OptionError, match=says):
            mc.Probing(**options)

    def test_rounds_grow(self):
        assert [round_size(k, 0) for k in (0, 1, 2, 9)] == [16, 32, 64, 1024]
        assert [round_size(k, k) for k in (1, 4, 5, 9, 60)] == [2, 2, 4, 8, 1024]

    @pytest.mark.parametrize("probes", [1, 16, 17, 100])
    def test_no_more_walks_are_made_than_asked_for(self, probes):
        for shape in ((2, (6, 6)), (4, (12, 30))):
            made = mc.count(random_network(7, *shape), BOX, mc.Probing(probes=probes))
            assert probes - 15 <= made.details["probes"] <= probes

    @pytest.mark.parametrize(
        ("shape", "domain", "leans"),
        [
            ((8, (6, 6)), BOX, False),
            ((4, (12, 30)), mc.Unbounded(), True),
            ((4, (12, 30)), BOX, False),  # by vertices, that do not need to lean
        ],
    )
    def test_coverage(self, shape, domain, leans):
        """Of 60 seeds the bound exceeds the count in no more than the claimed share."""
        network = random_network(7, *shape)
        truth, failures, leaning = mc.count(network, domain).lower, 0, 0
        for seed in range(60):
            method = mc.Probing(probes=60, count_below=0, descents=1, confidence=0.8)
            result = mc.count(network, domain, method, seed=seed)
            failures += result.lower > truth
            leaning += result.details["choices_leaned"]
        assert leaning > 30 if leans else leaning == 0
        # At most 20 % each: 22 or more of 60 have a probability below 0.2 %.
        assert failures < 22
