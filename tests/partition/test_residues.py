"""Arithmetic modulo 2^61 - 1, and maps of regions evaluated in it."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse

import milpcount as mc
from milpcount.exact.rows import ExactNetwork
from milpcount.network import Elementwise, Layer, compose, relu
from milpcount.network.affine import Dense
from milpcount.partitions import residues as mod
from milpcount.partitions.dependencies import Relevance
from milpcount.partitions.residue_walk import HullPoint, ResidueWalk
from tests.graphs import graphs

P = mod.P
EXTREMES = [0.0, 5e-324, -5e-324, 1e308, -1.0, 0.1, 2.0**52 + 1]


def residue(value):
    exact = Fraction(value)
    return exact.numerator * pow(exact.denominator, -1, P) % P


def drawn(shape, seed=0):
    return np.random.default_rng(seed).integers(0, P, size=shape, dtype=np.uint64)


def test_floats():
    random = np.random.default_rng(1)
    values = np.concatenate(
        [EXTREMES, random.normal(size=300) * 10.0 ** random.uniform(-320, 300, 300)]
    )
    assert mod.of_floats(values).tolist() == [residue(v) for v in values.tolist()]


def test_sums_and_products():
    ends = np.array([0, 1, 2, P - 1, P - 2, (P - 1) // 2], dtype=np.uint64)
    a = np.concatenate([np.repeat(ends, 6), drawn(500, 1)])
    b = np.concatenate([np.tile(ends, 6), drawn(500, 2)])
    pairs = list(zip(a.tolist(), b.tolist(), strict=True))
    assert mod.times(a, b).tolist() == [x * y % P for x, y in pairs]
    assert mod.plus(a, b).tolist() == [(x + y) % P for x, y in pairs]
    assert mod.minus(a, b).tolist() == [(x - y) % P for x, y in pairs]
    assert mod.times(a[a > 0], mod.inverse(a[a > 0])).tolist() == [1] * int((a > 0).sum())
    for power in (0, 1, 31, 60):
        assert mod.rotated(a, power).tolist() == [x * 2**power % P for x in a.tolist()]


@pytest.mark.parametrize("columns", [1, 5, 2048, 5000])
def test_matrices(columns):
    matrix = np.random.default_rng(3).normal(size=(3, columns))
    matrix[:, ::3] = 0
    values = drawn((columns, 2), 4)
    values[: min(columns, 2)] = P - 1
    weights = [[residue(w) for w in row] for row in matrix.tolist()]
    expected = [
        [sum(w * int(v) for w, v in zip(row, values[:, k], strict=True)) % P for k in range(2)]
        for row in weights
    ]
    assert mod.Matrix(matrix).times(values).tolist() == expected
    assert mod.Matrix(sparse.csr_array(matrix)).times(values).tolist() == expected


def test_the_largest_sums_of_limbs():
    columns = 8192
    matrix = np.full((1, columns), 2.0**53 - 1.0)
    values = np.full((columns, 1), P - 1, dtype=np.uint64)
    values[::3] = P - 2
    expected = sum((2**53 - 1) * int(v) for v in values[:, 0]) % P
    assert mod.Matrix(matrix).times(values).tolist() == [[expected]]


def check_walk(network, domain):
    """Outputs and rows modulo p are those of the exact affine functions, at the same point."""
    inputs = domain.bind(network.n_inputs)
    exact = ExactNetwork(network, inputs)
    result = mc.count(network, domain, keep_regions=True)
    patterns = np.array([r.pattern for r in result.regions])
    random = np.random.default_rng(20180710)
    point = HullPoint(inputs, random)
    # The point's parameters in homogeneous coordinates: its draw, repeated.
    drawn = np.random.default_rng(20180710).integers(
        1, P, size=1 + inputs.dimension, dtype=np.uint64
    )
    scale = int(point.scale) * pow(int(drawn[0]), -1, P) % P
    walk = ResidueWalk(network)
    outputs, rows = walk.outputs(patterns, point), walk.rows(patterns, point)
    for k, pattern in enumerate(map(tuple, patterns.tolist())):
        found = [exact.affine_map(pattern)]
        found += [exact.rows(layer, pattern) for layer in range(len(network.layers))]
        wanted = [
            sum(v * int(t) for v, t in zip(row, drawn, strict=True)) * pow(q, -1, P) * scale % P
            for part in found
            for row, q in zip(part.values.tolist(), part.denominators, strict=True)
        ]
        assert [*outputs[:, k].tolist(), *rows[:, k].tolist()] == wanted


def test_walks_of_all_kinds_of_graphs():
    for _, network in graphs(18, seed=5):
        check_walk(network, mc.Box(-1, 1))


def test_walks_on_exact_domains_and_through_divisions():
    divided = compose([Dense([[1, 2], [3, 1]], [0, 1]), Elementwise([1, 1], [0.5, 0], [3, 0.7])])
    network = mc.Network((Layer(divided, relu()),), Dense([[1, -1]], [0.1]))
    check_walk(network, mc.Box(-1, 1))
    check_walk(network, mc.Box([Fraction(-1, 3), 0], [Fraction(2, 7), 1]))
    check_walk(network, mc.Section([Fraction(1, 3), 0.1], [[1, Fraction(1, 7)]], mc.Box(-1, 1)))


def test_patterns_of_one_kind_have_one_map_and_still_rows_are_constant():
    for _, network in graphs(18, seed=6):
        if any(not k.is_maxout and not k.is_continuous for y in network.layers for k in y.units):
            continue
        box = mc.Box(-1, 1)
        exact = ExactNetwork(network, box.bind(network.n_inputs))
        regions = mc.count(network, box, keep_regions=True).regions
        patterns = np.array([r.pattern for r in regions])
        relevance, maps = Relevance(network), {}
        moving = relevance.moving_rows(patterns)
        for k, (kind, pattern) in enumerate(
            zip(relevance.kinds(patterns).tolist(), map(tuple, patterns.tolist()), strict=True)
        ):
            own = exact.affine_map(pattern)
            key = [Fraction(int(v), own.denominators[0]) for v in own.values.ravel()]
            assert maps.setdefault(kind, key) == key
            rows = np.concatenate(
                [exact.rows(y, pattern).values for y in range(len(network.layers))]
            )
            assert not rows[~moving[k], 1:].any()
