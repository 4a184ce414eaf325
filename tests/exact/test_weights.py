"""Affine maps in integers: written out, without zeros, or by their factors, all are one map."""

import numpy as np
import pytest
from scipy import sparse

import milpcount as mc
from milpcount.exact import weights
from milpcount.exact.weights import ExactMap
from milpcount.network import Dense, Elementwise, Layer, Network, Sparse, compose, relu

RNG = np.random.default_rng(7)


def factors():
    scale = Elementwise(RNG.normal(size=4), RNG.normal(size=4), [3.0, -0.7, 0.1, 1.0])
    middle = RNG.normal(size=(5, 4)) * (RNG.random((5, 4)) < 0.5)
    last = Elementwise(RNG.normal(size=3), RNG.normal(size=3), RNG.uniform(0.3, 3, 3))
    thin = Sparse(sparse.csr_array(np.eye(3, 5)), RNG.normal(size=3))
    return [scale, Dense(middle, RNG.normal(size=5)), thin, last]


@pytest.mark.parametrize("columns", [slice(None), slice(1, 3), slice(3, 4)], ids=str)
def test_factors_one_after_the_other(monkeypatch, columns):
    affine = compose(factors())
    written = ExactMap(affine)
    monkeypatch.setattr(weights, "_WRITTEN_OUT", 0)
    stepwise = ExactMap(affine)
    assert stepwise._weight is None
    assert (written._weight is None) is False
    a, b = written.denominator, stepwise.denominator
    assert (written.bias * b == stepwise.bias * a).all()
    values = np.array([[int(v) for v in row] for row in RNG.integers(-9, 9, (4, 3))], dtype=object)
    found = [m.times(columns, values[columns]) for m in (written, stepwise)]
    assert (found[0] * b == found[1] * a).all()
    assert not stepwise.times(columns, 0 * values[columns]).any()


def test_counts_by_factors(monkeypatch):
    monkeypatch.setattr(weights, "_WRITTEN_OUT", 0)
    first = compose([Elementwise([1.0], [-0.3], [0.7]), Dense([[1], [3], [2]], [1, 3, -1])])
    second = compose(
        [Dense(RNG.normal(size=(2, 3)), [0.1, 0.2]), Elementwise([1, 1], [0, 1], [3, 7])]
    )
    net = Network((Layer(first, relu()), Layer(second, relu())))
    found = {mc.count(net, mc.Box(-10, 10), m).lower for m in (mc.RegionTree(), mc.ExactTree())}
    assert len(found) == 1
