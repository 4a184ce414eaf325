"""Kept regions are a list: whatever is done to both gives the same."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.exact.rows import ExactNetwork
from milpcount.kernel.program import compile_program
from milpcount.network import maxout
from milpcount.result import Region
from milpcount.tree.kept_points import PointFinder
from milpcount.tree.kept_regions import KeptRegions
from milpcount.tree.region_blocks import Source
from milpcount.tree.witnesses import Witnesses
from tests.networks import network, random_network

FEW = mc.count(random_network(3, 2, (5, 3)), mc.Box(-1, 1), keep_regions=True).regions
MANY = mc.count(random_network(3, 20, (3, 2)), mc.Box(0, 1), keep_regions=True).regions
THREE = mc.count(
    network([np.eye(2)[[0, 1, 0, 1, 0, 1]]], [np.arange(6) / 8], maxout(3)),
    mc.Box(-1, 1),
    keep_regions=True,
).regions
NEW = Region((9, 9), np.array([0.5, 0.25]))


def same(kept, expected):
    assert len(kept) == len(expected)
    assert list(kept.patterns()) == [region.pattern for region in expected]
    for a, b in zip(kept, expected, strict=True):
        assert a.pattern == b.pattern
        np.testing.assert_allclose(a.witness, b.witness, rtol=0, atol=1e-9)
    return True


@pytest.mark.parametrize("regions", [FEW, MANY, THREE])
def test_reading(regions):
    listed = list(regions)
    assert isinstance(regions, KeptRegions) and len(listed) == len(regions) >= 3
    for at in (0, 2, -1, np.int64(1)):
        assert regions[at].pattern == listed[at].pattern
    for part in (slice(None), slice(1, 3), slice(None, None, -1), slice(-2, None), slice(3, 1)):
        assert same(regions[part], listed[part])
    for beyond in (len(regions), -len(regions) - 1):
        with pytest.raises(IndexError):
            regions[beyond]
    assert same(pickle.loads(pickle.dumps(regions)), listed)
    assert same(copy.deepcopy(regions), listed)
    assert same(regions + listed[:2], listed + listed[:2])
    assert same(regions + MANY, listed + list(MANY))
    assert regions == regions[:] and regions != regions[1:] and regions != listed[::-1]
    assert repr(regions) == f"<{len(regions):,} kept regions>"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["insert", "append", "pop", "set", "del", "slice", "cut", "extend", "again", "pickle"]
        ),
        st.integers(0, 20),
        st.integers(0, 20),
    ),
    max_size=8,
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(steps=STEPS, start=st.sampled_from([FEW, MANY]))
def test_writing(steps, start):
    kept, listed = start[:6], list(start[:6])
    for what, i, j in steps:
        i, j = i % (len(listed) + 1), j % (len(listed) + 1)
        if what == "insert":
            kept.insert(i, NEW), listed.insert(i, NEW)
        elif what == "append":
            kept.append(NEW), listed.append(NEW)
        elif what == "pop" and listed:
            assert kept.pop().pattern == listed.pop().pattern
        elif what == "set" and i < len(listed):
            kept[i] = listed[i] = NEW
        elif what == "del" and i < len(listed):
            del kept[i], listed[i]
        elif what == "slice":
            kept[i:j] = listed[i:j] = [NEW, NEW]
        elif what == "cut":
            del kept[i:j], listed[i:j]
        elif what == "extend":
            kept += MANY[:2]
            listed += list(MANY[:2])
        elif what == "again":
            kept[i:i], listed[i:i] = kept[:2], listed[:2]
        elif what == "pickle":
            kept = pickle.loads(pickle.dumps(kept))
    assert same(kept, listed)


def test_what_is_taken_out_is_not_pickled():
    kept = FEW[:]
    del kept[1:]
    assert len(pickle.dumps(kept)) < len(pickle.dumps(FEW))
    kept.clear()
    assert kept == [] and not kept
    kept.append(NEW)
    assert kept == [NEW]


def test_points_are_found_in_any_order_and_twice():
    net = random_network(3, 40, (5, 4))
    result = mc.count(net, mc.Box(0, 1), keep_regions=True)
    source = Source(net, mc.Box(0, 1).bind(40))
    finder = PointFinder(source.network, source.inputs, compile_program(net, source.inputs))
    patterns = np.array(list(result.regions.patterns()))
    order = np.random.default_rng(0).integers(len(patterns), size=300)
    order = np.repeat(order, order % 3 + 1)
    points = finder.points(patterns[order])
    np.testing.assert_allclose(points, finder.points(patterns)[order], rtol=0, atol=1e-9)
    values = points
    for layer, start in zip(net.layers, (0, 5), strict=True):
        values = values @ layer.affine.weight.T + layer.affine.bias
        asked = patterns[order][:, start : start + layer.width]
        assert ((values > 0) == asked).all()
        values = np.maximum(values, 0)


def test_points_that_float64_cannot_prove_are_looked_for_further_inside():
    """The last number of a region on the way to the cube's centre is as bad as a point can be."""
    net = random_network(5, 40, (5, 4))
    inputs = mc.Box(0, 1).bind(40)
    kept = mc.count(net, mc.Box(0, 1), keep_regions=True).regions
    finder = PointFinder(net, inputs, compile_program(net, inputs))
    patterns, points = list[tuple[int, ...]](), list[np.ndarray]()
    for region in kept:
        inside, outside = region.witness, np.full(40, 0.5)
        if pattern_at(net, outside) == region.pattern:
            continue
        for _ in range(100):
            middle = 0.5 * (inside + outside)
            if pattern_at(net, middle) == region.pattern:
                inside = middle
            else:
                outside = middle
        patterns.append(region.pattern)
        points.append(inside)
    asked = list[int]()

    def exact():
        asked.append(1)
        return ExactNetwork(net, inputs)

    witnesses, given = Witnesses(net, inputs, exact), (np.array(patterns), np.array(points))
    found = list(witnesses.regions(*given, finder.points_within))
    assert not asked
    for region, pattern in zip(found, patterns, strict=True):
        assert region.pattern == pattern == pattern_at(net, region.witness)
    assert [r.pattern for r in witnesses.regions(*given)] == patterns
    assert asked, "without it exact arithmetic finds them"


def pattern_at(net, x):
    values, pattern = x, list[int]()
    for layer in net.layers:
        values = layer.affine.weight @ values + layer.affine.bias
        pattern += (values > 0).astype(int).tolist()
        values = np.maximum(values, 0)
    return tuple(pattern)
