"""The region tree where floating point is at its end, and where it is stopped."""

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import DomainError
from milpcount.kernel import allocation
from milpcount.kernel.allocation import Room
from milpcount.network import Layer, Network, leaky_relu, piecewise_linear, relu
from milpcount.network.affine import Dense
from milpcount.result import Status
from milpcount.tree.search import Search
from tests.networks import random_network


def one_layer(weights, biases):
    return Network.from_arrays([weights], [biases], output=False)


def both(network, domain):
    """Count by the tree and in exact arithmetic."""
    tree = mc.count(network, domain)
    assert tree.is_exact
    return tree.lower, mc.count(network, domain, mc.ExactTree()).lower


def size(arrays) -> int:
    """Bytes of the arrays of a state, of all groups."""
    return sum(map(size, arrays)) if isinstance(arrays, tuple) else arrays.nbytes


class TestThinCells:
    """Cells thinner than the projections' margin are decided exactly, not guessed."""

    @pytest.mark.parametrize("gap", [1e-6, 1e-10, 1e-13, 2.0**-50])
    @pytest.mark.parametrize("n_inputs", [1, 2, 3, 20])
    def test_a_slab_between_parallel_hyperplanes_is_a_region(self, gap, n_inputs):
        normal = np.ones(n_inputs) / n_inputs
        weights = np.array([normal, normal, -normal])
        network = one_layer(weights, [0.25, 0.25 + gap, 0.125])
        assert both(network, mc.Box(-1, 1)) == (4, 4)

    def test_exact_work_is_reported(self):
        network = one_layer([[1.0, 0, 0], [1.0, 0, 0]], [0.25, 0.25 + 2.0**-50])
        result = mc.count(network, mc.Box(-1, 1))
        assert result.lower == 3
        decisions = result.details["decisions"]
        assert decisions["decided_in_exact_arithmetic"] > 0
        assert decisions["regions_found_in_exact_arithmetic"] == 1

    def test_kept_thin_regions_are_proved_too(self):
        network = one_layer(np.eye(3)[[0, 0, 1]], [0.25, 0.25 + 2.0**-50, 0.0])
        result = mc.count(network, mc.Box(-1, 1), keep_regions=True)
        assert result.lower == len(result.regions) == 6
        assert result.verify()


class TestLostRows:
    """Rows whose coefficients are of the size of their own rounding errors."""

    def test_a_sum_that_cancels_but_for_rounding_has_the_sign_it_has(self):
        # 0.1 + 0.2 - 0.3 is not zero for the float64 numbers of those names, but 2^-55 or so.
        network = Network.from_arrays(
            [[[0.1], [0.2], [0.3], [1.0]], [[1.0, 1.0, -1.0, 0.0]]],
            [[1.0, 1.0, 2.0, -0.5], [0.0]],
            output=False,
        )
        tree, exact = both(network, mc.Box(-1, 1))
        assert tree == exact == 3

    def test_a_unit_that_is_identically_zero_on_a_region_adds_nothing(self):
        # The second layer subtracts a unit from its duplicate: exactly zero wherever it is.
        network = Network.from_arrays(
            [[[0.3, 0.7], [0.3, 0.7], [1.0, -0.1]], [[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]]],
            [[0.1, 0.1, 0.0], [0.0, -0.2]],
            output=False,
        )
        tree, exact = both(network, mc.Box(-1, 1))
        assert tree == exact == 6

    def test_dead_layers_leave_constants(self):
        network = Network.from_arrays(
            [[[1.0, 1.0]], [[1.0], [-1.0]], [[1.0, 1.0]]],
            [[-10.0], [0.5, 0.0], [-0.25]],
            output=False,
        )
        assert both(network, mc.Box(-1, 1)) == (1, 1)


class TestActivations:
    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize(
        "unit",
        [
            leaky_relu(0.1),
            piecewise_linear([-0.5, 0.5], [0, 1, 0], [-0.5, 0, 0.5]),
            piecewise_linear([-1, 0, 0.25], [1, -1, 2, 0.5], [0, -2, -2, 1]),
        ],
        ids=["leaky", "hard tanh", "four pieces, with jumps"],
    )
    def test_any_activation_with_pieces(self, unit, seed):
        random = np.random.default_rng(seed)
        for n_inputs in (1, 2, 3):
            layers = [
                Layer(Dense(random.normal(size=(4, n_inputs)), random.normal(size=4)), unit),
                Layer(Dense(random.normal(size=(3, 4)), random.normal(size=3)), unit),
            ]
            network = Network(tuple(layers))
            tree, exact = both(network, mc.Box(-1, 1))
            assert tree == exact

    def test_layers_may_differ(self):
        random = np.random.default_rng(0)
        kinds = (relu(), piecewise_linear([0, 1], [0, 1, 0], [0, 0, 1]), leaky_relu(0.5))
        layers = tuple(
            Layer(Dense(random.normal(size=(3, 3)), random.normal(size=3)), k) for k in kinds
        )
        tree, exact = both(Network(layers), mc.Box(-2, 2))
        assert tree == exact


class TestDomains:
    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("n_inputs", [2, 3, 18])
    def test_polytopes(self, seed, n_inputs):
        random = np.random.default_rng(seed)
        network = random_network(seed, n_inputs, (4, 3))
        rows = random.normal(size=(3, n_inputs))
        polytope = mc.Polytope(rows, np.full(3, 0.3), -1, 1)
        tree, exact = both(network, polytope)
        assert tree == exact
        assert tree <= mc.count(network, mc.Box(-1, 1)).lower

    def test_an_unbounded_polytope(self):
        # In the quadrant x, y >= 0: the axes' units are always on, the diagonal splits it.
        network = one_layer([[1, 0], [0, 1], [1, -1]], [0, 0, 0])
        quadrant = mc.Polytope([[-1, 0], [0, -1]], [0, 0])
        assert mc.count(network, quadrant).lower == 2

    def test_half_spaces_and_bounds_may_be_mixed(self):
        network = random_network(3, 3, (5, 4))
        domain = mc.Polytope(
            [[1.0, 1, 1]], [1.0], lower=[-1, -np.inf, 0], upper=[1, np.inf, np.inf]
        )
        tree, exact = both(network, domain)
        assert tree == exact

    @pytest.mark.parametrize("n_inputs", [2, 20])
    def test_a_polytope_without_interior_is_an_error(self, n_inputs):
        network = random_network(0, n_inputs, (3,))
        row = np.ones((1, n_inputs))
        for rhs in ([-0.5, 0.25], [0.0, 0.0]):
            with pytest.raises(DomainError, match="no interior"):
                mc.count(network, mc.Polytope(np.vstack([row, -row]), rhs, -1, 1))

    @pytest.mark.parametrize("widths", [(6,), (5, 4), (20, 3)])
    def test_more_inputs_than_units_and_fewer_unbounded(self, widths):
        for n_inputs in (2, 5, 18):
            network = random_network(7, n_inputs, widths)
            if np.prod([2.0**w for w in widths]) > 2**10 and n_inputs > 2:
                continue
            tree, exact = both(network, mc.Unbounded())
            assert tree == exact


class TestStopping:
    network = random_network(1, 30, (12, 8))

    def test_slices_add_up(self):
        found = []
        for budget in (1, 7, 10**9):
            search = Search(random_network(2, 20, (6, 5)), mc.Box(-1, 1).bind(20))
            shares = [search.share for _ in search.run(budget=budget)]
            assert shares == sorted(shares)
            assert search.share == 1.0
            found.append(search.found)
        assert len(set(found)) == 1

    def test_a_region_limit_is_met_exactly(self):
        for limit in (1, 2, 1000):
            result = mc.count(self.network, mc.Box(-1, 1), limits=mc.Limits(regions=limit))
            assert result.lower == limit
            assert result.status is Status.REGION_LIMIT
            assert result.lower < result.upper

    def test_a_time_limit_keeps_what_was_found(self):
        result = mc.count(self.network, mc.Box(-1, 1), limits=mc.Limits(seconds=0.3))
        assert result.status is Status.TIME_LIMIT
        assert 0 < result.lower < result.upper
        assert 0 < result.share < 1

    def test_an_interrupt_keeps_what_was_found(self):
        def stop(event):
            if getattr(event, "regions", 0) > 0:
                raise KeyboardInterrupt

        with pytest.raises(mc.Interrupted) as stopped:
            mc.count(self.network, mc.Box(-1, 1), listener=stop)
        result = stopped.value.result
        assert result.status is Status.INTERRUPTED
        assert 0 < result.lower < result.upper

    def test_memory_does_not_grow_with_the_number_of_regions(self):
        search = Search(self.network, mc.Box(-1, 1).bind(30))
        before = size(search.state)
        for _ in search.run(budget=10_000, most=20_000):
            pass
        assert size(search.state) == before < 20e6


class TestKeptRegions:
    @pytest.mark.parametrize("n_inputs", [1, 2, 4, 20])
    def test_every_region_is_proved_and_none_repeats(self, n_inputs):
        network = random_network(5, n_inputs, (5, 3))
        for domain in (mc.Box(-1, 1), mc.Unbounded()):
            result = mc.count(network, domain, keep_regions=True)
            assert len(result.regions) == result.lower == mc.count(network, domain).lower
            assert result.verify()

    def test_more_regions_than_the_buffer_holds(self):
        network = random_network(0, 12, (13,))
        result = mc.count(network, mc.Box(-1, 1), keep_regions=True)
        assert len({r.pattern for r in result.regions}) == result.lower > 4096


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("shape", [(2, 12, 10), (20, 6, 8)])
def test_room_grows_with_the_path(
    shape: tuple[int, ...], keep: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = random_network(3, shape[0], shape[1:])
    inputs = mc.Box(-1, 1).bind(shape[0])
    whole = Search(net, inputs, keep)
    for _ in whole.run():
        pass
    monkeypatch.setattr(allocation, "FIRST_DEPTH", 1)
    monkeypatch.setattr(allocation, "FIRST_ROWS", 1)
    grown = Search(net, inputs, keep)
    small = Room.of(grown.state)
    for _ in grown.run():
        pass
    assert Room.of(grown.state).depth > small.depth and Room.of(grown.state).rows > small.rows
    assert grown.found == whole.found and grown.tests == whole.tests
    assert [r.pattern for r in grown.regions] == [r.pattern for r in whole.regions]
