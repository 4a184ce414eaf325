"""Every kept region proves itself: from memory, from a pickle, from a file, by every method."""

import pickle
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.network import maxout, piecewise_linear
from milpcount.network.layer import Layer
from tests.networks import (
    LEAKY,
    MAXOUT,
    RELU,
    STEPS,
    degenerate,
    domains,
    generic,
    network,
    random_network,
    sizes,
)

SHAPES = sizes(units=7)
NETWORKS = st.one_of(
    *(
        kind(SHAPES, unit)
        for kind, unit in product((generic, degenerate), (RELU, LEAKY, STEPS, MAXOUT))
    )
)
CASES = NETWORKS.flatmap(lambda net: st.tuples(st.just(net), domains(net.n_inputs)))
METHODS = {"tree": mc.RegionTree(), "exact": mc.ExactTree(), "brute": mc.BruteForce()}
SLAB = network([np.eye(3)[[0, 0, 1]]], [[0.25, 0.25 + 2.0**-54, 0.0]])


def proved_everywhere(result, net, folder):
    """Whether the regions prove the count in memory, from a pickle, and from a file."""
    assert len(result.regions) == result.lower
    assert result.verify(), str(result.verify())
    again = pickle.loads(pickle.dumps(result))
    assert again.verify() == result.verify()
    path = folder / "regions.npz"
    mc.save_regions(result, path)
    read = mc.load_regions(path)
    assert read.verify(net) == result.verify()
    assert read.to_record() == result.to_record()
    assert [r.pattern for r in read.regions] == [tuple(r.pattern) for r in result.regions]
    return True


@settings(max_examples=60, deadline=None, derandomize=True)
@given(case=CASES, quantity=st.sampled_from(["activation_regions", "activation_patterns"]))
def test_the_trees_regions_hold_everywhere(case, quantity, tmp_path_factory):
    net, domain = case
    result = mc.count(net, domain, quantity=quantity, keep_regions=True)
    assert proved_everywhere(result, net, tmp_path_factory.mktemp("kept"))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(case=CASES, method=st.sampled_from(["exact", "brute"]))
def test_the_exact_methods_regions_hold_everywhere(case, method, tmp_path_factory):
    net, domain = case
    patterns = np.prod([float(y.activation.n_pieces) ** y.width for y in net.layers])
    if method == "brute" and patterns > 300:
        method = "exact"
    result = mc.count(net, domain, METHODS[method], keep_regions=True)
    assert proved_everywhere(result, net, tmp_path_factory.mktemp("kept"))


@pytest.mark.parametrize("backend", ["highs", "cpsat"])
@pytest.mark.parametrize(
    "domain",
    [
        mc.Box(-1, 1),
        mc.Box([0, 0.3], [1, 0.3]),
        mc.Section([0.1, 0.2], [[0.3, 0.7]], mc.Box(-3, 4)),
        mc.Polytope([[1.0, 1.0]], [-1.0], -1, 1),
    ],
    ids=lambda d: d.title,
)
def test_the_pools_regions_hold_everywhere(backend, domain, tmp_path):
    net = random_network(3, 2, (5, 3))
    result = mc.count(net, domain, mc.SolutionPool(backend), keep_regions=True)
    assert proved_everywhere(result, net, tmp_path)


@pytest.mark.parametrize(
    ("domain", "count"),
    [
        # The half of the square below x + y = -1: x > -1/2 or not, and the same of y.
        (mc.Polytope([[1.0, 1.0]], [-1.0], -1, 1), 3),
        (mc.Polytope([[1.0, 1.0]], [-1.0]), 3),
        (mc.Unbounded(), 4),
        (mc.Box(-1, 1), 4),
        (mc.Box([-1, 0.3], [1, 0.3]), 2),
        (mc.Section([0.1, 0.2], [[1.0, 0.7]], mc.Box(-3, 3)), 3),
        (mc.Section([Fraction(1, 3), 0], [[0, 1]]), 1),
        (mc.Box([Fraction(-1, 3), 0], [Fraction(1, 3), Fraction(1, 7)]), 1),
    ],
    ids=lambda x: getattr(x, "title", x),
)
def test_witnesses_lie_in_the_domain(domain, count, tmp_path):
    net = network([np.eye(2)], [[0.5, 0.5]])
    result = mc.count(net, domain, keep_regions=True)
    assert result.lower == count
    assert proved_everywhere(result, net, tmp_path)


def test_layers_of_several_kinds(tmp_path):
    rng = np.random.default_rng(5)
    kinds = [maxout(3), RELU, piecewise_linear([0, 1], [0, 1, 0], [0, 0, 1]), LEAKY]
    layers, n = [], 2
    for unit in kinds:
        affine = network(
            [rng.normal(size=(3 * unit.rank, n))], [rng.normal(size=3 * unit.rank)], unit
        )
        layers.append(Layer(affine.layers[0].affine, unit))
        n = 3
    net = mc.Network(tuple(layers))
    result = mc.count(net, mc.Box(-2, 2), keep_regions=True)
    assert result.lower > 10
    assert proved_everywhere(result, net, tmp_path)


def test_a_slab_of_which_no_float_is_in_is_kept_in_rational_numbers(tmp_path):
    result = mc.count(SLAB, mc.Box(-1, 1), keep_regions=True)
    assert result.lower == 6
    assert sum(r.witness.dtype == object for r in result.regions) == 2
    assert proved_everywhere(result, SLAB, tmp_path)


def test_on_a_section_the_parameters_are_the_point(tmp_path):
    net = random_network(1, 3, (6,))
    section = mc.Section([0.1, 0.2, 0.3], [[0.3, 0.1, 0.7], [0.1, -0.5, 0.2]], mc.Box(-3, 3))
    result = mc.count(net, section, keep_regions=True)
    assert all(r.parameters is not None and r.parameters.shape == (2,) for r in result.regions)
    assert proved_everywhere(result, net, tmp_path)
    boxed = mc.count(net, mc.Box(-1, 1), keep_regions=True)
    assert all(r.parameters is None for r in boxed.regions)


def test_witnesses_are_well_inside():
    net = random_network(2, 30, (4,))
    result = mc.count(net, mc.Box(0, 1), keep_regions=True)
    for region in result.regions:
        assert ((region.witness > 0) & (region.witness < 1)).all()


def test_units_of_more_than_256_pieces(tmp_path):
    breakpoints = [k / 260 for k in range(1, 260)]
    unit = piecewise_linear(breakpoints, [float(k % 2) for k in range(260)], [0.0] * 260)
    result = mc.count(network([[[1.0]]], [[0.0]], unit), mc.Box(0, 1), keep_regions=True)
    assert result.lower == 260
    mc.save_regions(result, tmp_path / "regions.npz")
    read = mc.load_regions(tmp_path / "regions.npz")
    assert sorted(r.pattern for r in read.regions) == [(k,) for k in range(260)]
    read.regions[:] = [r for r in read.regions if r.pattern[0] >= 255]
    assert read.verify(network([[[1.0]]], [[0.0]], unit)).n_verified == 5


@pytest.mark.parametrize("quantity", ["activation_regions", "activation_patterns"])
def test_unions(quantity, tmp_path):
    net = random_network(6, 2, (5, 3))
    union = mc.Union([mc.Box(-1, 0.5), mc.Box([0, 0], [2, 1]), mc.Polytope([[1, 1]], [-1], -3, 3)])
    result = mc.count(net, union, quantity=quantity, keep_regions=True)
    assert proved_everywhere(result, net, tmp_path)
    result.regions.pop()
    assert not result.verify()


def test_a_network_without_units(tmp_path):
    net = mc.Network.from_arrays([[[1.0, 2.0]]], [[3.0]])
    section = mc.Section([0.1, 0], [[1.0, 0.3]], mc.Box(-1, 1))
    for domain in (mc.Box(-1, 1), mc.Unbounded(), section):
        assert proved_everywhere(mc.count(net, domain, keep_regions=True), net, tmp_path)


def test_regions_of_workers_are_proved_too(tmp_path):
    from milpcount.workers import Here

    net = random_network(4, 3, (6, 4))
    section = mc.Section([0.1, 0.2, 0.3], [[0.3, 0.1, 0.7], [0.1, -0.5, 0.2]], mc.Box(-3, 3))
    result = mc.count(net, section, keep_regions=True, executor=Here())
    assert proved_everywhere(result, net, tmp_path)
