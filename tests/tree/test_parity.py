"""The region tree under XORs finds exactly the regions that satisfy them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.formulation.xor import Xor, XorFamily, all_variables
from milpcount.tree.few_inputs import VertexSearch, has_few_inputs
from milpcount.tree.search import Search
from tests.networks import (
    LEAKY,
    MAXOUT,
    STEPS,
    boxes,
    degenerate,
    domains,
    generic,
    network,
    random_network,
    sizes,
)

SIZES = st.sampled_from([1, 2, 3, 5, "dense"])
SMALL = sizes(inputs=(1, 3), units=6)
SMALLER = sizes(inputs=(1, 2), units=4, layers=2)


def regions(net, domain, xors=(), by=Search):
    """Return the patterns of the regions that satisfy some XORs, each found once."""
    search = by(net, domain.bind(net.n_inputs), keep=True, parities=True)
    for xor in xors:
        search.add(xor)
    for _ in search.run(budget=50):
        pass
    found = [region.pattern for region in search.regions]
    assert len(found) == len(set(found)) == search.found
    return set(found)


def xors_of_a_run(net, domain, family, run, by):
    """Add XORs at every region until one cuts it off; return how many it took to the end."""
    drawn = []

    def tell(pattern):
        assert all(xor.holds(pattern) for xor in drawn), "a region that was cut off came back"
        while not drawn or all(xor.holds(pattern) for xor in drawn):
            drawn.append(family.draw(run, len(drawn)))
            search.add(drawn[-1])

    search = by(net, domain.bind(net.n_inputs), parities=True, on_region=tell)
    for _ in search.run(budget=50):
        pass
    return len(drawn)


def least_xors(patterns, family, run):
    """Return the least s for which no pattern satisfies the first s XORs: what a run returns."""
    left, s = set(patterns), 0
    while left:
        xor = family.draw(run, s)
        left, s = {pattern for pattern in left if xor.holds(pattern)}, s + 1
    return s


def check(net, domain, size, seed):
    everything = regions(net, domain)
    family = XorFamily(all_variables(net), size, seed)
    few = has_few_inputs(domain.bind(net.n_inputs))
    for by in (Search, VertexSearch) if few else (Search,):
        for count in (1, 3):
            xors = [family.draw(0, k) for k in range(count)]
            satisfied = {p for p in everything if all(xor.holds(p) for xor in xors)}
            assert regions(net, domain, xors, by) == satisfied
        for run in range(2):
            wanted = least_xors(everything, family, run)
            assert xors_of_a_run(net, domain, family, run, by) == wanted


class TestKnown:
    # |x| <> 1/2 on [-1, 1]: patterns (off, on), (off, off), (on, off) in a row.
    net = network([[[1.0], [-1.0]]], [[-0.5, -0.5]])

    @pytest.mark.parametrize(
        ("xor", "left"),
        [
            (Xor(((0, 1),), True), {(1, 0)}),
            (Xor(((0, 1),), False), {(0, 0), (0, 1)}),
            (Xor(((0, 1), (1, 1)), True), {(1, 0), (0, 1)}),
            (Xor(((0, 1), (1, 1)), False), {(0, 0)}),
            (Xor((), False), {(0, 0), (0, 1), (1, 0)}),
            (Xor((), True), set()),
        ],
    )
    @pytest.mark.parametrize("by", [Search, VertexSearch])
    def test_three_regions_and_one_xor(self, xor, left, by):
        assert regions(self.net, mc.Box(-1, 1), [xor], by) == left

    @pytest.mark.parametrize("by", [Search, VertexSearch])
    def test_one_that_comes_late_rules_out_what_was_decided(self, by):
        # The first region that is found has the second unit on; then it is to be off.
        net, told = network([[[1.0], [1.0], [1.0]]], [[-0.5, 0.0, 0.5]]), []

        def tell(pattern):
            told.append(pattern)
            if len(told) == 1:
                search.add(Xor(((1, 1),), not pattern[1]))

        search = by(net, mc.Box(-1, 1).bind(1), parities=True, on_region=tell)
        for _ in search.run():
            pass
        assert len(told) == 3 and [p[1] for p in told[1:]] == [1 - told[0][1]] * 2

    def test_what_contradicts_leaves_nothing(self):
        both = [Xor(((0, 1),), True), Xor(((0, 1),), False)]
        assert regions(self.net, mc.Box(-1, 1), both) == set()

    def test_a_consequence_is_enforced_where_its_last_unit_is_decided(self):
        # z0 + z9 = 0 and z1 + z9 = 1 say z0 + z1 = 1: no subtree with z0 = z1 is entered.
        net = network([np.eye(10)], [np.zeros(10)])
        xors = [Xor(((0, 1), (9, 1)), False), Xor(((1, 1), (9, 1)), True)]
        found = regions(net, mc.Box(-1, 1), xors)
        assert len(found) == 2**8
        assert all(p[0] != p[1] == 1 - p[9] for p in found)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(generic(SMALL), SIZES, st.integers(0, 99), st.data())
def test_generic_networks(net, size, seed, data):
    check(net, data.draw(boxes(net.n_inputs)), size, seed)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(degenerate(SMALL), SIZES, st.integers(0, 99), st.data())
def test_degenerate_networks(net, size, seed, data):
    check(net, data.draw(domains(net.n_inputs)), size, seed)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.data(), st.sampled_from([LEAKY, STEPS, MAXOUT]), SIZES, st.integers(0, 99))
def test_units_of_any_pieces(data, activation, size, seed):
    kind = data.draw(st.sampled_from([generic, degenerate]))
    net = data.draw(kind(SMALLER, activation))
    check(net, data.draw(domains(net.n_inputs)), size, seed)


@pytest.mark.parametrize("size", [2, 3, "dense"])
@pytest.mark.parametrize("n_inputs", [1, 3, 20])
def test_regions_that_only_exact_arithmetic_finds_obey_the_xors_too(n_inputs, size):
    # Pairs of hyperplanes 2^-50 apart: the regions between them are out of reach of float64.
    normal = np.ones(n_inputs) / n_inputs
    rows = np.array([normal, normal, -normal, -normal, normal])
    bias = [0.25, 0.25 + 2.0**-50, 0.125, 0.125 + 2.0**-50, -0.5]
    net = network([rows, [[1.0, -1, 1, 0, 0], [0, 1, 1, -1, 0]]], [bias, [0.0, -0.125]])
    search = Search(net, mc.Box(-1, 1).bind(n_inputs))
    for _ in search.run():
        pass
    assert search.thin_regions >= 2
    for seed in range(3):
        check(net, mc.Box(-1, 1), size, seed)


@pytest.mark.parametrize("size", [3, "dense"])
def test_more_variables_than_a_word_holds(size):
    net = random_network(0, 1, (34, 32))
    assert len(all_variables(net)) > 64
    check(net, mc.Box(-1, 1), size, 0)
    several = network(
        [np.random.default_rng(0).normal(size=(34, 1))], [np.linspace(-2, 2, 34)], STEPS
    )
    check(several, mc.Box(-3, 3), size, 0)


def test_without_xors_there_is_nothing_to_keep():
    state = Search(random_network(0, 2, (4, 3)), mc.Box(-1, 1).bind(2)).state
    assert state.parities.rows.size == 0
