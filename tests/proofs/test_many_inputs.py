"""Regions of many inputs, whose points are computed when they are read."""

import gc
import pickle
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.exact.evaluate import verify_region
from milpcount.exact.rows import ExactNetwork
from milpcount.tree import kept_points
from milpcount.tree.search import Search
from milpcount.workers import Here
from tests.networks import (
    LEAKY,
    MAXOUT,
    RELU,
    STEPS,
    degenerate,
    generic,
    network,
    patterns,
    random_network,
)
from tests.proofs.test_kept_regions import proved_everywhere

N = 20
SHAPES = st.sampled_from([[N, 4], [N, 3, 2], [N, 2, 2, 2]])
NETWORKS = st.one_of(
    *(kind(SHAPES, unit) for kind, unit in product((generic, degenerate), (RELU, LEAKY, STEPS)))
)
DIRECTIONS = np.vstack([np.eye(N - 1), np.linspace(-1, 1, N - 1)])
DOMAINS = {
    "box": mc.Box(-1, 1),
    "unit box": mc.Box(0, 1),
    "fixed inputs": mc.Box([-1.0] * N, [1.0] * (N - 2) + [-1.0] * 2),
    "polytope": mc.Polytope([np.ones(N), np.arange(N) - 9.0], [1.0, 3.0], -1, 1),
    "unbounded polytope": mc.Polytope([np.ones(N)], [1.0]),
    "unbounded": mc.Unbounded(),
    "section": mc.Section(np.full(N, 0.1), DIRECTIONS.T, mc.Box(-1, 1)),
}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    net=NETWORKS,
    domain=st.sampled_from(list(DOMAINS)),
    quantity=st.sampled_from(["activation_regions", "activation_patterns"]),
)
def test_what_is_kept_is_what_exact_arithmetic_finds(net, domain, quantity, tmp_path_factory):
    domain = DOMAINS[domain]
    result = mc.count(net, domain, quantity=quantity, keep_regions=True)
    assert set(result.regions.patterns()) == patterns(net, domain, mc.ExactTree(), quantity)
    assert proved_everywhere(result, net, tmp_path_factory.mktemp("kept"))


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=list(DOMAINS))
def test_maxima(domain, tmp_path):
    net = _maxima()
    result = mc.count(net, domain, keep_regions=True)
    assert set(result.regions.patterns()) == patterns(net, domain, mc.ExactTree())
    assert proved_everywhere(result, net, tmp_path)


def _maxima():
    rng = np.random.default_rng(3)
    weights = [rng.normal(size=(6, N)), rng.normal(size=(6, 2))]
    return network(weights, [rng.normal(size=6), rng.normal(size=6)], MAXOUT)


@pytest.mark.parametrize("widths", [(12, 6), (40, 5), (5, 5, 5)])
def test_as_many_are_kept_as_are_counted(widths):
    net, domain = random_network(5, 60, widths), mc.Box(0, 1)
    limits = mc.Limits(regions=300)
    result = mc.count(net, domain, limits=limits, keep_regions=True)
    assert result.lower == len(result.regions) == mc.count(net, domain, limits=limits).lower
    assert len(set(result.regions.patterns())) == result.lower
    assert result.verify()


def test_a_region_takes_the_room_of_its_pattern():
    net = random_network(2, 400, (6, 6))
    result = mc.count(net, mc.Box(0, 1), keep_regions=True)
    assert len(result.regions) > 500
    fixed = len(pickle.dumps(result.regions[:1]))
    assert len(pickle.dumps(result.regions)) < fixed + 3 * len(result.regions)
    assert result.regions[-1].witness.shape == (400,)


def test_a_result_does_not_hold_its_search():
    def searches():
        gc.collect()
        return {id(one) for one in gc.get_objects() if type(one) is Search}

    before = searches()
    result = mc.count(random_network(2, N, (4,)), mc.Box(0, 1), keep_regions=True)
    assert searches() <= before
    assert result.verify()


def test_a_pickled_result_proves_itself_elsewhere(tmp_path):
    net = random_network(2, 300, (4, 2))
    result = mc.count(net, mc.Box(0, 1), keep_regions=True)
    assert len(pickle.dumps(result)) < len(pickle.dumps(net)) + 30_000  # the network once
    (tmp_path / "result").write_bytes(pickle.dumps(result))
    code = f"import pickle; print(pickle.load(open({str(tmp_path / 'result')!r}, 'rb')).verify())"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert told.stdout.strip() == str(result.verify())


def test_workers_send_patterns_and_nothing_is_lost(tmp_path):
    net = random_network(4, N, (6, 4))
    alone = mc.count(net, DOMAINS["section"], keep_regions=True)
    both = mc.count(net, DOMAINS["section"], keep_regions=True, executor=Here())
    assert sorted(both.regions.patterns()) == sorted(alone.regions.patterns())
    assert proved_everywhere(both, net, tmp_path)


@pytest.mark.parametrize("quantity", ["activation_regions", "activation_patterns"])
def test_unions(quantity, tmp_path):
    net = random_network(6, N, (4, 2))
    boxes = [mc.Box(-1, 0.5), mc.Box(0, 2)]
    union = mc.Union([*boxes, DOMAINS["polytope"]])
    result = mc.count(net, union, quantity=quantity, keep_regions=True)
    assert proved_everywhere(result, net, tmp_path)
    assert set(result.regions.patterns()) == set().union(
        *(patterns(net, part, None, quantity) for part in union.parts)
    )


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=list(DOMAINS))
def test_where_no_point_is_found_exact_arithmetic_finds_one(domain, monkeypatch, tmp_path):
    net = random_network(8, N, (4, 2))
    result = mc.count(net, domain, keep_regions=True)

    def none(finder, patterns):
        return np.full((len(patterns), finder._program.V.shape[1]), 0.5)

    monkeypatch.setattr(kept_points.PointFinder, "points", none)
    assert proved_everywhere(result, net, tmp_path)


def test_regions_that_no_float_is_in():
    weight, bias = np.eye(N)[[0, 0, 1]], [0.25, 0.25 + 2.0**-54, 0.0]
    net = network([weight], [bias])
    result = mc.count(net, mc.Box(-1, 1), keep_regions=True)
    assert result.lower == 6 and result.verify()
    assert sum(region.witness.dtype == object for region in result.regions) == 2


@pytest.mark.parametrize("gap", [2.0**-20, 2.0**-32, 2.0**-40, 2.0**-48])
def test_thin_regions(gap):
    weight, bias = np.vstack([np.ones(N), np.ones(N), np.eye(N)[0]]), [0.25, 0.25 + gap, 0.0]
    result = mc.count(network([weight], [bias]), mc.Box(-1, 1), keep_regions=True)
    assert result.lower == 6 and result.verify()


def test_points_do_not_depend_on_what_else_is_read():
    net = random_network(9, 100, (5, 4))
    result = mc.count(net, mc.Box(0, 1), keep_regions=True)
    read = list(result.regions)
    exact = ExactNetwork(net, mc.Box(0, 1).bind(100))
    for index in (0, 7, len(read) - 1, -3):
        region = result.regions[index]
        assert region.pattern == read[index].pattern
        np.testing.assert_allclose(region.witness, read[index].witness, rtol=0, atol=1e-9)
        assert verify_region(exact, region)
    assert result.regions[5:9] == result.regions[5:9]


def test_regions_on_sections_and_others_do_not_share_a_file(tmp_path):
    net = random_network(6, N, (3,))
    result = mc.count(net, mc.Box(-1, 1), keep_regions=True)
    result.regions.append(mc.count(net, DOMAINS["section"], keep_regions=True).regions[0])
    with pytest.raises(mc.errors.OptionError, match="one file"):
        mc.save_regions(result, tmp_path / "x.npz")
    assert not list(tmp_path.iterdir())
