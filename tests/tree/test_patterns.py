"""Patterns attained anywhere in the closed domain, by the tree and by the exact tree."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount import examples
from milpcount.counters.method import Method
from milpcount.network import maxout
from milpcount.tree.search import Search
from tests.networks import (
    LEAKY,
    MAXOUT,
    RELU,
    STEPS,
    boxes,
    degenerate,
    domains,
    generic,
    network,
    patterns,
    random_network,
    sizes,
)

QUANTITY = "activation_patterns"
TREES = [mc.RegionTree(), mc.ExactTree()]
FAST = settings(max_examples=40, deadline=None, derandomize=True)
MANY = settings(max_examples=1500, deadline=None, derandomize=True)
EITHER = st.one_of(generic(), degenerate(), degenerate())
ON_ANY_DOMAIN = EITHER.flatmap(lambda net: st.tuples(st.just(net), domains(net.n_inputs)))

each_tree = pytest.mark.parametrize("method", TREES, ids=lambda method: method.name)


def count(net: mc.Network, domain: Any, method: Method | None = None) -> int:
    """Return the number of patterns, which must be exact and proved by its witnesses."""
    result = mc.count(net, domain, method, quantity=QUANTITY, keep_regions=True)
    assert result.is_exact and result.status is mc.Status.COMPLETE
    assert result.verify(), str(result.verify())
    return result.lower


@each_tree
class TestKnown:
    def test_both_units_are_inactive_at_the_origin_of_relu_x_and_relu_minus_x(self, method):
        net = network([[[1.0], [-1.0]]], [[0.0, 0.0]])
        for domain in mc.Box(-1, 1), mc.Unbounded():
            assert patterns(net, domain, method, QUANTITY) == {(1, 0), (0, 1), (0, 0)}
        assert patterns(net, mc.Box(0, 1), method, QUANTITY) == {(1, 0), (0, 0)}

    def test_a_face_of_the_box_is_part_of_it(self, method):
        net = network([np.eye(3)], [np.zeros(3)])
        assert count(net, mc.Box(0, 1), method) == 8
        assert count(net, mc.Box(-1, 0), method) == 1

    def test_a_face_of_the_polytope_is_part_of_it(self, method):
        net = network([np.eye(2)], [np.zeros(2)])
        corner = mc.Polytope(-np.eye(2), [0.0, 0.0], lower=-1, upper=1)
        assert count(net, corner, method) == 4

    def test_a_duplicate_turned_round_is_inactive_on_the_line(self, method):
        # Both signs of every line: of n in general position there are as many patterns as faces.
        lines = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        net = network([np.vstack([lines, -lines])], [[0, 0, -1.0, 0, 0, 1.0]])
        assert count(net, mc.Box(-3, 3), method) == 7 + 9 + 3

    def test_a_unit_that_vanishes_has_no_pattern_of_its_own(self, method):
        net = network([[[1.0], [-1.0]], [[1.0, 1.0], [0.0, 0.0]]], [[0.0, 0.0], [0.0, 0.0]])
        assert count(net, mc.Box(-1, 1), method) == 3

    def test_maxout_units_that_tie_belong_to_the_first(self, method):
        net = network([[[1.0], [-1.0]]], [[0.0, 0.0]], activation=maxout(2))
        assert count(net, mc.Box(-1, 1), method) == 2

    def test_a_section_with_witnesses_that_are_no_floats(self, method):
        # x = 3 t, y = t: the units meet at t = 1/3, which no float64 point of the section has.
        net = network([[[1.0, 0.0], [-1.0, 0.0]]], [[-1.0, 1.0]])
        section = mc.Section([0.0, 0.0], [[3.0, 1.0]], mc.Box(-1, 1))
        assert count(net, section, method) == 3

    @pytest.mark.parametrize("example", examples.library(), ids=lambda example: example.name)
    def test_the_library(self, method, example):
        if mc.Quantity.ACTIVATION_PATTERNS in example.known:
            known = example.known[mc.Quantity.ACTIVATION_PATTERNS]
            assert count(example.network, example.domain, method) == known


def test_arrangements_of_others(shared_data: Path) -> None:
    key = "patterns_active_iff_strictly_positive_in_box"
    entries = json.loads((shared_data / "arrangements.json").read_text())
    chosen = [entry for entry in entries if entry.get(key) is not None]
    assert len(chosen) >= 30
    for entry in chosen:
        net = network([entry["W"]], [entry["b"]])
        box = mc.Box(entry["domain"]["lower"], entry["domain"]["upper"])
        assert count(net, box) == entry[key], entry["name"]


@FAST
@given(ON_ANY_DOMAIN)
def test_the_trees_find_what_brute_force_finds(case: Any) -> None:
    expected = patterns(*case, mc.BruteForce(), QUANTITY)
    for method in TREES:
        assert patterns(*case, method, QUANTITY) == expected
    count(*case)


@settings(FAST, max_examples=15)
@given(st.data(), st.sampled_from([STEPS, LEAKY, MAXOUT]))
def test_other_units(data: st.DataObject, activation: Any) -> None:
    net = data.draw(degenerate(sizes(units=5), activation))
    case = net, data.draw(domains(net.n_inputs))
    expected = patterns(*case, mc.BruteForce(), QUANTITY)
    for method in TREES:
        assert patterns(*case, method, QUANTITY) == expected


@FAST
@given(ON_ANY_DOMAIN)
def test_regions_are_patterns_too(case: Any) -> None:
    tree = mc.RegionTree()
    assert patterns(*case, tree) <= patterns(*case, tree, QUANTITY)


@settings(FAST, max_examples=25)
@given(EITHER.flatmap(lambda net: st.tuples(st.just(net), boxes(net.n_inputs))), st.data())
def test_any_cut_of_the_tree_keeps_the_patterns(case: Any, data: st.DataObject) -> None:
    net, domain = case
    inputs = domain.bind(net.n_inputs)

    def found(forced: dict[int, int], budget: int) -> tuple[list[Any], list[dict[int, int]]]:
        search = Search(net, inputs, keep=True, forced=forced, patterns=True)
        for _ in search.run(budget):
            if search.can_split and budget < 1000:
                break
        return [region.pattern for region in search.regions], search.left()

    everything, waiting = [], [{}]
    budget = data.draw(st.integers(1, 12))
    while waiting:
        more, left = found(waiting.pop(), budget)
        everything += more
        waiting += left
    assert sorted(everything) == sorted(patterns(net, domain, mc.RegionTree(), QUANTITY))
    unit = data.draw(st.integers(0, net.n_units - 1))
    parts = [found({unit: k}, 10**6)[0] for k in (0, 1)]
    assert sorted(parts[0] + parts[1]) == sorted(everything)


@pytest.mark.parametrize("n_inputs", [2, 3, 20])
def test_generic_networks_hardly_need_exact_arithmetic(n_inputs: int) -> None:
    net = random_network(n_inputs, n_inputs, (9, 7))
    result = mc.count(net, mc.Box(-1, 1), quantity=QUANTITY)
    assert result.lower == mc.count(net, mc.Box(-1, 1)).lower
    assert result.details["decisions"]["decided_in_exact_arithmetic"] <= 2


def test_a_limit_leaves_a_valid_lower_bound() -> None:
    net = network([np.vstack([np.eye(6), -np.eye(6)])], [np.zeros(12)])
    result = mc.count(net, mc.Box(-1, 1), quantity=QUANTITY, limits=mc.Limits(regions=100))
    assert result.status is mc.Status.REGION_LIMIT
    assert 100 <= result.lower <= 3**6 <= result.upper


@pytest.mark.slow
@MANY
@given(ON_ANY_DOMAIN)
def test_many(case: Any) -> None:
    expected = patterns(*case, mc.BruteForce(), QUANTITY)
    for method in TREES:
        assert patterns(*case, method, QUANTITY) == expected


@pytest.mark.slow
@settings(MANY, max_examples=300)
@given(st.data(), st.sampled_from([RELU, STEPS, LEAKY, MAXOUT]))
def test_many_units(data: st.DataObject, activation: Any) -> None:
    net = data.draw(degenerate(sizes(units=6), activation))
    case = net, data.draw(domains(net.n_inputs))
    assert patterns(*case, mc.RegionTree(), QUANTITY) == patterns(*case, mc.BruteForce(), QUANTITY)
