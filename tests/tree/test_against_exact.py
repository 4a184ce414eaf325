"""Small networks, half of them degenerate: the search finds what exact arithmetic finds."""

import numpy as np
import pytest

import milpcount as mc
from milpcount.network import leaky_relu, maxout, piecewise_linear, relu
from milpcount.tree.few_inputs import VertexSearch
from milpcount.tree.search import Search
from tests.networks import patterns

CLIP = piecewise_linear([0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0])
STEP = piecewise_linear([0.0], [0.0, 0.0], [0.0, 1.0])
KINDS = (relu(), leaky_relu(0.25), CLIP, maxout(2), STEP)


def case(seed, n):
    """Return a network of n inputs and two or three layers of two to four units."""
    random = np.random.default_rng([seed, n])
    before, layers, is_whole = n, [], seed % 2 == 0
    for number in range(int(random.integers(2, 4))):
        unit = KINDS[int(random.integers(len(KINDS)))] if seed % 4 > 1 else relu()
        width = int(random.integers(2, 5 if unit.is_relu else 3))
        shape = (width * unit.rank, before)
        if is_whole:
            weight, bias = random.integers(-2, 3, size=shape), random.integers(-1, 2, size=shape[0])
        else:
            weight, bias = random.normal(size=shape), 0.3 * random.normal(size=shape[0])
        layers.append(({number: weight}, bias, unit))
        before = width
    return mc.Network.from_layers(n, layers)


def same(net, domain, quantity="activation_regions"):
    expected = patterns(net, domain, mc.ExactTree(), quantity)
    return patterns(net, domain, None, quantity) == expected


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_few_inputs(n):
    for seed in range(8):
        assert same(case(seed, n), mc.Box(-1, 1)), seed


@pytest.mark.parametrize("n", [7, 17])
def test_more_inputs(n):
    for seed in range(6 if n == 7 else 4):
        assert same(case(seed, n), mc.Box(-1, 1)), seed


@pytest.mark.parametrize("n", [1, 2, 3])
def test_patterns(n):
    for seed in range(6):
        assert same(case(seed, n), mc.Box(-1, 1), "activation_patterns"), seed


def test_patterns_by_brute_force():
    """Exact arithmetic is compared with what shares nothing with it but its linear programs."""
    for seed in range(4):
        given = case(seed, 1), mc.Box(-1, 1)
        found = patterns(*given, mc.BruteForce(), "activation_patterns")
        assert patterns(*given, mc.ExactTree(), "activation_patterns") == found, seed
    pair = mc.Network.from_arrays([[[1.0], [-1.0]]], [[0.0, 0.0]], output=False)
    found = patterns(pair, mc.Box(-1, 1), mc.ExactTree(), "activation_patterns")
    assert found == {(0, 0), (0, 1), (1, 0)}


@pytest.mark.parametrize("n", [1, 2, 3])
def test_all_of_space(n):
    for seed in range(8):
        assert same(case(seed, n), mc.Unbounded()), seed


def test_polytopes():
    for seed in range(8):
        normals = np.array([[1.0, 1.0], [-1.0, 2.0]])
        assert same(case(seed, 2), mc.Polytope(normals, [0.5, 1.0], lower=-1, upper=1)), seed


@pytest.mark.parametrize("engine", [VertexSearch, Search])
def test_one_engine(engine):
    """Each by itself, on what the other would take over: two inputs have polygons in one."""
    for seed in range(16):
        net, box = case(seed, 2), mc.Box(-1, 1)
        search = engine(net, box.bind(2), keep=True)
        list(search.run())
        found = list(search.regions.patterns())
        assert len(found) == len(set(found))
        assert set(found) == patterns(net, box, mc.ExactTree()), seed
