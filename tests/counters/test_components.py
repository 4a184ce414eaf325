"""Independent components: found whatever their order, their counts multiply, and so do probes."""

import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse

import milpcount as mc
from milpcount.counters.components import components
from milpcount.counters.probing import by_components
from milpcount.network import Network, maxout, relu
from milpcount.result import Guarantee, Status

BOX = mc.Box(-1, 1)


def parts(number, shape, seed=0):
    """Return random networks, weights and biases of each."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(number):
        weights = [random.normal(size=(b, a)) for a, b in pairwise(shape)]
        found.append((weights, [0.3 * random.normal(size=b) for b in shape[1:]]))
    return found


def joined(blocks, seed=0):
    """Return the networks side by side, inputs and units of each layer in a random order."""
    random, layers, before = np.random.default_rng(seed), [], None
    for k in range(len(blocks[0][0])):
        matrix = sparse.block_diag([weights[k] for weights, _ in blocks]).tocsr()
        bias = np.concatenate([biases[k] for _, biases in blocks])
        before = random.permutation(matrix.shape[1]) if before is None else before
        order = random.permutation(matrix.shape[0])
        layers.append(({k: matrix[order][:, before]}, bias[order], relu()))
        before = order
    return Network.from_layers(layers[0][0][0].shape[1], layers)


def counts(blocks):
    return [mc.count(Network.from_arrays(*block, output=False), BOX).lower for block in blocks]


@pytest.fixture
def few_are_counted(monkeypatch):
    """Make components of more than three regions large."""
    monkeypatch.setattr(by_components, "_REGIONS", 3)


class TestComponents:
    def test_they_are_found_whatever_their_order(self):
        blocks = parts(5, (3, 5, 4))
        found = components(joined(blocks), BOX.bind(15))
        assert [part.network.architecture for part in found] == ["3-5-4"] * 5
        own = [mc.count(part.network, BOX).lower for part in found]
        assert sorted(own) == sorted(counts(blocks))

    def test_a_connected_network_is_one_as_it_is(self):
        ((weights, biases),) = parts(1, (3, 5, 4))
        network = Network.from_arrays(weights, biases, output=False)
        ((same, inputs),) = components(network, BOX.bind(3))
        assert same is network
        assert inputs.dimension == 3

    def test_units_without_an_input_have_one_region(self):
        network = Network.from_arrays([[[0.0, 0.0], [1.0, 0.0]]], [[1.0, 0.25]], output=False)
        (part,) = components(network, BOX.bind(2))
        assert part.network.architecture == "1-1"
        assert mc.count(network, BOX, mc.Probing()).lower == 2

    def test_constant_units_belong_to_what_reads_them(self):
        # relu(1) moves the second layer's threshold to where it cuts.
        layers = [
            ({0: [[0.0, 0.0], [1.0, 0.0]]}, [1.0, 0.0], relu()),
            ({1: [[-0.5, 1.0]]}, [0.0], relu()),
        ]
        network = Network.from_layers(2, layers)
        (part,) = components(network, BOX.bind(2))
        assert mc.count(part.network, BOX).lower == mc.count(network, BOX).lower == 3

    def test_parameters_join_what_reads_them(self):
        # Two units on two inputs that are the same line.
        network = Network.from_arrays([np.eye(2)], [[0.0, 0.5]], output=False)
        domain = mc.Section([0.0, 0.0], [[1.0, 1.0]], mc.Box(-1, 1))
        assert len(components(network, domain.bind(2))) == 1
        assert len(components(network, BOX.bind(2))) == 2
        assert mc.count(network, domain, mc.Probing(probes=40)).lower <= 3

    def test_rows_of_a_polytope_join_everything(self):
        network = Network.from_arrays([np.eye(2)], [[0.0, 0.0]], output=False)
        domain = mc.Polytope([[1.0, 1.0]], [0.5], -1, 1)
        assert len(components(network, domain.bind(2))) == 1

    def test_maxima_and_skips(self):
        random = np.random.default_rng(2)
        w = lambda *shape: random.normal(size=shape)  # noqa: E731
        layers = [
            ({0: sparse.block_diag([w(4, 2), w(6, 3)])}, w(10), maxout(2)),
            ({0: sparse.block_diag([w(3, 2), w(2, 3)]),
              1: sparse.block_diag([w(3, 2), w(2, 3)])}, w(5), relu()),
        ]  # fmt: skip
        network = Network.from_layers(5, layers)
        found = components(network, BOX.bind(5))
        assert len(found) == 2
        product = math.prod(mc.count(part.network, BOX).lower for part in found)
        assert product == mc.count(network, BOX).lower


class TestProduct:
    def test_small_components_are_counted(self):
        blocks = parts(12, (3, 5, 4))
        result = mc.count(joined(blocks), BOX, mc.Probing())
        assert result.is_exact
        assert result.lower == math.prod(counts(blocks))
        assert result.status is Status.COMPLETE
        assert result.guarantee is Guarantee.CERTIFIED

    def test_large_ones_are_probed(self, few_are_counted):
        blocks = parts(3, (3, 4, 3))
        network, failures = joined(parts(3, (3, 4, 3))), 0
        truth = math.prod(counts(blocks))
        estimates = []
        for seed in range(20):
            result = mc.count(network, BOX, mc.Probing(probes=40), seed=seed)
            assert result.guarantee is Guarantee.PROBABILISTIC
            assert result.details["components"] == 3
            failures += result.lower > truth
            estimates.append(result.estimate)
        # At most 5 % each: 5 or more of 20 have a probability below 0.3 %.
        assert failures < 5
        spread = np.std(estimates) / math.sqrt(20)
        assert abs(np.mean(estimates) - truth) < 5 * spread

    def test_the_upper_end_is_a_product_too(self, few_are_counted):
        """Of 3 inputs each, which a theorem for all 9 does not know."""
        blocks = parts(3, (3, 8, 6))
        network = joined(blocks)
        result = mc.count(network, BOX, mc.Probing(probes=8))
        alone = [mc.bound(Network.from_arrays(*block, output=False), BOX).upper for block in blocks]
        assert math.prod(counts(blocks)) <= result.upper <= math.prod(alone)
        assert result.upper < mc.bound(network, BOX).upper // 6
        assert "components" in result.upper_source

    def test_any_number_of_workers_makes_the_same_probes(self, few_are_counted):
        network, method = joined(parts(3, (3, 4, 3))), mc.Probing(probes=12)
        alone = mc.count(network, BOX, method, seed=3)
        with ThreadPoolExecutor(2) as pool:
            beside = mc.count(network, BOX, method, seed=3, executor=pool)
        assert (alone.lower, alone.estimate) == (beside.lower, beside.estimate)

    def test_what_is_counted_holds_when_the_time_is_over(self):
        blocks = parts(3, (3, 4, 3))
        result = mc.count(joined(blocks), BOX, mc.Probing(), limits=mc.Limits(seconds=1e-9))
        assert 1 <= result.lower <= math.prod(counts(blocks)) <= result.upper
