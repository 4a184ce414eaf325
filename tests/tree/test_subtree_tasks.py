"""Searches of a part of the tree, and what a stopped search leaves to others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.network import Layer, Network, leaky_relu, maxout
from milpcount.network.affine import Dense
from milpcount.tree.search import Search
from tests.networks import random_network

BOX = mc.Box(-1, 1)


def total(network, domain=BOX, forced=None):
    search = Search(network, domain.bind(network.n_inputs), forced=forced)
    for _ in search.run():
        pass
    assert search.left() == []
    return search.found


def split(network, budget, domain=BOX, forced=None):
    """Return the regions found in one slice, and the prefixes left."""
    search = Search(network, domain.bind(network.n_inputs), forced=forced)
    for _ in search.run(budget):
        if search.can_split:
            break
    return search.found, search.left()


def in_parts(network, budget, domain=BOX):
    """Count by slices that never go on, only hand out what is left."""
    found, waiting, most = 0, [{}], 0
    while waiting:
        more, prefixes = split(network, budget, domain, waiting.pop())
        found += more
        waiting += prefixes
        most = max(most, len(waiting))
    return found, most


class TestForced:
    def test_the_pieces_of_a_unit_share_the_regions_out(self):
        network = random_network(3, 3, (5, 5))
        everything = total(network)
        for unit in range(network.n_units):
            assert sum(total(network, forced={unit: k}) for k in (0, 1)) == everything

    def test_a_piece_that_is_never_taken_has_no_regions(self):
        network = Network.from_arrays([[[1.0], [1.0]]], [[5.0, 0.0]], output=False)
        assert total(network, forced={0: 0}) == 0
        assert total(network, forced={0: 1}) == 2

    def test_a_whole_pattern_is_one_region_or_none(self):
        network = random_network(4, 2, (4, 3))
        result = mc.count(network, BOX, keep_regions=True)
        for region in result.regions:
            assert total(network, forced=dict(enumerate(region.pattern))) == 1

    def test_thin_regions_obey_too(self):
        # The slab between two parallel lines, 2^-50 wide, is found in exact arithmetic only.
        network = Network.from_arrays(
            [[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]], [[0.25, 0.25 + 2.0**-50, 0.0]], output=False
        )
        assert total(network) == 6
        assert total(network, forced={0: 0, 1: 1}) == 2
        assert total(network, forced={0: 0, 1: 1, 2: 1}) == 1


class TestLeft:
    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 10**6), st.integers(1, 60))
    def test_any_cut_of_the_tree_keeps_the_count(self, seed, budget):
        random = np.random.default_rng(seed)
        widths = tuple(random.integers(1, 7, size=random.integers(1, 4)))
        network = random_network(seed, int(random.integers(1, 5)), widths)
        found, left = split(network, budget)
        assert found + sum(total(network, forced=p) for p in left) == total(network)

    def test_slices_that_hand_on_all_they_leave_count_everything(self):
        network = random_network(9, 20, (8, 8))
        found, most = in_parts(network, 50)
        assert found == total(network)
        assert most > 3

    @pytest.mark.parametrize("activation", [leaky_relu(0.1), maxout(3)])
    def test_units_of_other_kinds(self, activation):
        random = np.random.default_rng(1)
        width = 4
        layer = Layer(
            Dense(random.normal(size=(width * activation.rank, 3)),
                  random.normal(size=width * activation.rank)),
            activation,
        )  # fmt: skip
        network = Network((layer,), None)
        assert in_parts(network, 5)[0] == total(network)

    def test_degenerate_cells_are_not_lost_or_counted_twice(self):
        # Every pair of lines is doubled at a distance of 2^-50.
        weights = np.repeat(np.array([[1.0, 0.25], [0.5, -1.0], [1.0, 1.0]]), 2, axis=0)
        biases = np.repeat([0.25, -0.125, 0.0], 2) + np.tile([0.0, 2.0**-50], 3)
        network = Network.from_arrays([weights], [biases], output=False)
        everything = mc.count(network, BOX, mc.ExactTree()).lower
        assert total(network) == everything
        for budget in (1, 2, 3, 5, 8):
            assert in_parts(network, budget)[0] == everything

    def test_a_search_that_has_not_begun_leaves_everything(self):
        network = random_network(2, 2, (3,))
        assert Search(network, BOX.bind(2)).left() == [{}]
