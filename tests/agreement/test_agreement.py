"""Methods that share next to nothing give the same regions, not only as many."""

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.exact.verify import verify
from tests.networks import (
    LEAKY,
    MAXOUT,
    RELU,
    STEPS,
    boxes,
    degenerate,
    domains,
    generic,
    patterns,
    sizes,
)

POOLS = (mc.SolutionPool(mode="one_tree"), mc.SolutionPool(mode="no_good"))
FAST = settings(max_examples=25, deadline=None, derandomize=True)
MANY = settings(
    max_examples=int(os.environ.get("MILPCOUNT_AGREEING_NETWORKS", "250")),
    deadline=None,
    derandomize=True,
)


def on_a_box(networks: st.SearchStrategy[mc.Network]) -> st.SearchStrategy[tuple[Any, Any]]:
    return networks.flatmap(lambda net: st.tuples(st.just(net), boxes(net.n_inputs)))


def all_methods_agree(case: tuple[mc.Network, Any]) -> None:
    expected = patterns(*case, mc.BruteForce())
    for method in (mc.RegionTree(), *POOLS):
        assert patterns(*case, method) == expected, method


def trees_agree(case: tuple[mc.Network, Any]) -> None:
    assert patterns(*case, mc.RegionTree()) == patterns(*case, mc.ExactTree())


def regions_are_proved(net: mc.Network, domain: Any) -> bool:
    result = mc.count(net, domain, keep_regions=True)
    return verify(result, net, domain.bind(net.n_inputs)).is_proved


GENERIC, DEGENERATE = on_a_box(generic()), on_a_box(degenerate())


@FAST
@given(GENERIC)
def test_on_generic_networks(case: Any) -> None:
    all_methods_agree(case)


@FAST
@given(DEGENERATE)
def test_on_degenerate_networks(case: Any) -> None:
    all_methods_agree(case)


@pytest.mark.slow
@MANY
@given(GENERIC)
def test_on_many_generic_networks(case: Any) -> None:
    all_methods_agree(case)


@pytest.mark.slow
@MANY
@given(DEGENERATE)
def test_on_many_degenerate_networks(case: Any) -> None:
    all_methods_agree(case)


UNITS = st.sampled_from([RELU, LEAKY, STEPS, MAXOUT]).flatmap(
    lambda unit: st.one_of(
        degenerate(sizes(units=5), activation=unit), generic(sizes(units=5), activation=unit)
    )
)
ANYWHERE = UNITS.flatmap(lambda net: st.tuples(st.just(net), domains(net.n_inputs)))


def region_tree_agrees_with_brute_force(case: tuple[mc.Network, Any]) -> None:
    assert patterns(*case, mc.RegionTree()) == patterns(*case, mc.BruteForce())


@FAST
@given(ANYWHERE)
def test_on_other_units_and_domains(case: Any) -> None:
    region_tree_agrees_with_brute_force(case)


@pytest.mark.slow
@MANY
@given(ANYWHERE)
def test_on_many_other_units_and_domains(case: Any) -> None:
    region_tree_agrees_with_brute_force(case)


LARGER = sizes(inputs=(2, 4), units=14)
LARGER_CASES = on_a_box(st.one_of(generic(LARGER), degenerate(LARGER)))


@FAST
@given(LARGER_CASES)
def test_on_larger_networks_as_in_exact_arithmetic(case: Any) -> None:
    trees_agree(case)


@settings(FAST, max_examples=60)
@given(on_a_box(generic(LARGER)))
def test_witnesses_prove_the_regions(case: Any) -> None:
    assert regions_are_proved(*case)


def test_witnesses_are_interior_points() -> None:
    # The first unit is negative inside the box and zero on a side of it, where one of the three
    # regions has its witness: next to (-1/2, -1/2, 0), a vertex of the region too.
    weight = [[0.0, 0.0, 1.0], [-1.0, -2.0, -1.0], [-1.0, 1.0, -2.0]]
    net = mc.Network.from_arrays([weight], [np.zeros(3)], output=False)
    assert regions_are_proved(net, mc.Box([-2, -1, -2], [0, 1, 0]))


@pytest.mark.slow
@settings(MANY, max_examples=300)
@given(LARGER_CASES)
def test_on_many_larger_networks_as_in_exact_arithmetic(case: Any) -> None:
    trees_agree(case)
