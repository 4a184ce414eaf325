"""Counts over unions: every pattern once, whatever the parts have in common."""

from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.counters.comparison import every_candidate
from milpcount.counters.union import packing
from milpcount.domain_files import read_vnnlib
from milpcount.errors import DomainError, OptionError
from milpcount.events import Progress
from milpcount.result import Status
from milpcount.workers import Processes
from tests import networks

METHODS = (
    mc.RegionTree(),
    mc.ExactTree(),
    mc.BruteForce(),
    mc.SolutionPool(),
    mc.SolutionPool(backend="cpsat"),
)
PARTS = [mc.Box(-1, 0.2), mc.Box([-0.5, -1], 1), mc.Box([2, 2], [3, 2.5])]


@pytest.fixture(scope="module")
def net() -> mc.Network:
    return networks.random_network(3, 2, [4, 3])


def by_parts(net, parts, quantity="activation_regions"):
    """Count by brute force over every part, and join the patterns."""
    return set().union(*(networks.patterns(net, p, mc.BruteForce(), quantity) for p in parts))


@pytest.mark.parametrize("method", METHODS, ids=lambda m: getattr(m, "backend", m.name))
@pytest.mark.parametrize("quantity", ["activation_regions", "activation_patterns"])
def test_every_method_counts_a_pattern_once(net, method, quantity):
    expected = by_parts(net, PARTS, quantity)
    result = mc.count(net, mc.Union(PARTS), method, quantity=quantity, keep_regions=True)
    assert result.is_exact and result.status is Status.COMPLETE
    assert result.regions is not None and result.lower == len(result.regions) == len(expected)
    assert {region.pattern for region in result.regions} == expected
    assert result.domain == "union of 3 boxes"
    assert sum(result.details["parts"]) > result.lower  # the first two overlap


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_any_union_of_boxes(data):
    net = data.draw(networks.degenerate(networks.sizes(units=6, layers=2)))
    parts = data.draw(st.lists(networks.boxes(net.n_inputs), min_size=1, max_size=3))
    full = [part for part in parts if np.all(np.less(part.lower, part.upper))]
    if full:
        result = mc.count(net, mc.Union(full), mc.ExactTree())
        assert result.lower == result.upper == len(by_parts(net, full))


def test_regions_are_verified_in_the_part_they_lie_in(net):
    result = mc.count(net, mc.Union(PARTS), mc.ExactTree(), keep_regions=True)
    assert result.verify()
    assert result.regions is not None
    other = mc.count(net, mc.Union(PARTS[:1]), mc.ExactTree(), keep_regions=True)
    other.regions.append(result.regions[-1])  # a witness outside of the part
    assert other.verify().n_failed == 1
    result.regions.append(result.regions[0])
    assert result.verify().n_repeated == 1 and not result.verify()


def test_polytopes_and_boxes(net):
    half = mc.Polytope([[1.0, 1.0]], [0.25], -1, 1)
    parts = [half, mc.Box(0.5, 2)]
    assert mc.count(net, mc.Union(parts), mc.ExactTree()).lower == len(by_parts(net, parts))


def test_boxes_that_fix_the_same_input(net):
    parts = [mc.Box([-1, 0.5], [0.1, 0.5]), mc.Box([-0.2, 0.5], [1, 0.5])]
    joined = mc.Box([-1, 0.5], [1, 0.5])
    result = mc.count(net, mc.Union(parts), mc.ExactTree(), keep_regions=True)
    assert result.lower == mc.count(net, joined, mc.ExactTree()).lower
    assert result.verify()


def test_what_a_limit_leaves_are_valid_bounds(net):
    complete = mc.count(net, mc.Union(PARTS), mc.ExactTree())
    for most in (1, complete.lower - 1):
        for method in (mc.ExactTree(), mc.RegionTree(), mc.SolutionPool()):
            result = mc.count(net, mc.Union(PARTS), method, limits=mc.Limits(regions=most))
            assert result.status is Status.REGION_LIMIT
            assert result.lower == most
            assert complete.lower <= result.upper
    result = mc.count(net, mc.Union(PARTS), mc.ExactTree(), limits=mc.Limits(seconds=1e-6))
    assert result.status is Status.TIME_LIMIT and result.lower <= complete.lower <= result.upper


def test_the_upper_bound_is_the_sum_of_the_parts_where_that_is_less(net):
    """Two small boxes, far apart: few units change sign in either, many between them."""
    parts = [mc.Box(10, 10.01), mc.Box(-10.01, -10)]
    limits = mc.Limits(seconds=1e-6)
    result = mc.count(net, mc.Union(parts), mc.ExactTree(), limits=limits)
    assert result.upper_source == "the sum of bounds over 2 parts"
    alone = [mc.count(net, part, mc.ExactTree(), limits=limits).upper for part in parts]
    hull = mc.count(net, mc.Box(-10.01, 10.01), mc.ExactTree(), limits=limits).upper
    assert result.upper == sum(alone) < hull


def test_progress_grows_over_all_parts(net):
    seen: list[Progress] = []
    mc.count(
        net, mc.Union(PARTS), mc.ExactTree(),
        listener=lambda event: seen.append(event) if isinstance(event, Progress) else None,
    )  # fmt: skip
    assert [e.regions for e in seen] == sorted(e.regions for e in seen)
    assert [e.share for e in seen] == sorted(e.share for e in seen)
    assert seen[-1].share == 1.0
    assert seen[-1].note.endswith("regions   part 3 of 3")


def test_a_network_without_units_has_one_region_and_it_lies_in_a_part():
    net = mc.Network.from_arrays([[[1.0, 2.0]]], [[0.0]])
    union = mc.Union([mc.Box(2, 3), mc.Box(-3, -2)])
    result = mc.count(net, union, mc.ExactTree(), keep_regions=True)
    assert result.is_exact and result.lower == 1 and result.verify()
    assert 2 <= result.regions[0].witness.min() <= result.regions[0].witness.max() <= 3


def test_ctrl_c_keeps_what_is_found(net):
    def interrupt(event):
        if isinstance(event, Progress) and "part 2" in event.note:
            raise KeyboardInterrupt

    union = mc.Union(PARTS)
    with pytest.raises(mc.Interrupted) as stop:
        mc.count(net, union, mc.ExactTree(), listener=interrupt, keep_regions=True)
    result = stop.value.result
    assert result.status is Status.INTERRUPTED
    assert result.lower >= len(networks.patterns(net, PARTS[0], mc.ExactTree()))
    assert result.verify()


def test_workers(net):
    executor: Executor = Processes(2)
    try:
        result = mc.count(net, mc.Union(PARTS), executor=executor, keep_regions=True)
    finally:
        executor.stop()
    assert {region.pattern for region in result.regions} == by_parts(net, PARTS)
    assert result.verify()


def test_patterns_of_many_pieces_are_told_apart():
    steps = mc.network.piecewise_linear(
        [float(k) for k in range(299)], [float(k % 7) for k in range(300)], [0.0] * 300
    )
    pack = packing(networks.network([[[1.0]]], [[0.0]], steps))
    assert len({pack((k,)) for k in range(300)}) == 300


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (mc.Probing(), "method 'probe' bounds the regions of one convex set, not of a union of 3"),
        (mc.MBound(), "method 'mbound' bounds the regions of one convex set"),
    ],
)
def test_methods_that_rest_on_chance_refuse(net, method, message):
    with pytest.raises(OptionError, match=message):
        mc.count(net, mc.Union(PARTS), method)


def test_parts_that_do_not_fit_together_are_refused(net):
    for parts in (
        [mc.Box(-1, 1), mc.Box([0, 0], [1, 0])],
        [mc.Box([0, 0], [1, 0]), mc.Box([0, 1], [1, 1])],
        [mc.Box([0, 0], [1, 0]), mc.Box([0, 0], [0, 1])],
    ):
        with pytest.raises(DomainError, match=r"part 2 has dimension \d and the first \d, or they"):
            mc.count(net, mc.Union(parts), mc.ExactTree())
    with pytest.raises(DomainError, match="a union of no parts"):
        mc.Union([])
    with pytest.raises(DomainError, match=r"part 2 of the union of 2 parts: .* no interior"):
        mc.count(net, mc.Union([mc.Box(0, 1), mc.Polytope([[1, 0], [-1, 0]], [0, 0])]))


def test_what_needs_one_convex_set_refuses(net):
    union = mc.Union(PARTS)
    for ask in (mc.bound, mc.formulate):
        with pytest.raises(DomainError, match="union of 3 boxes is no convex set, which is needed"):
            ask(net, union)


def test_compare(net):
    titles = ["tree", "pool highs one_tree", "exact", "pool pyscipopt countsols"]
    some = tuple(candidate for candidate in every_candidate() if candidate.title in titles)
    found = mc.compare(net, mc.Union(PARTS), candidates=some)
    assert found.lower == found.upper == len(by_parts(net, PARTS))
    reasons = {one.title: one.reason for one in found.outcomes}
    assert [title for title, reason in reasons.items() if not reason] == titles[:3]
    why = reasons["pool pyscipopt countsols"]
    assert "is counted by keeping regions, and" in why or "which is not installed" in why


def test_a_property_with_two_boxes_and_one_with_a_triangle(net, tmp_path: Path):
    path = tmp_path / "property.vnnlib"
    head = "(declare-const X_0 Real)(declare-const X_1 Real)"
    inside = "(and (>= X_0 {0}) (<= X_0 {1}) (>= X_1 {0}) (<= X_1 {1}))"
    path.write_text(f"{head}(assert (or {inside.format(-1, 0.5)} {inside.format(0, 2)}))")
    two = mc.count(net, read_vnnlib(path), mc.ExactTree())
    assert two.lower == two.upper == len(by_parts(net, [mc.Box(-1, 0.5), mc.Box(0, 2)]))
    path.write_text(f"{head}(assert {inside.format(-1, 1)})(assert (<= (+ X_0 (* 2 X_1)) 0.5))")
    triangle = mc.Polytope([[1, 2]], [0.5], -1, 1)
    cut = mc.count(net, read_vnnlib(path), mc.ExactTree())
    assert cut.lower == cut.upper == len(by_parts(net, [triangle]))
