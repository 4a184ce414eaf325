"""Hu and Zhang's Proposition 1, and the proof of independence that it needs."""

from fractions import Fraction

import numpy as np
import pytest

import milpcount as mc
from milpcount.bounds.independence import has_independent_rows
from milpcount.bounds.piecewise import hu_zhang_proposition_1, hu_zhang_theorem_1
from milpcount.bounds.ranks import _exact_rank
from milpcount.errors import NetworkError
from milpcount.network import Dense, Elementwise, Network, compose, maxout, piecewise_linear

STEPS = piecewise_linear([0.0, 1.0, 2.5], [0.0, 1.0, -1.0, 0.5], [0.0, 0.0, 2.0, -1.75])


def layer(weight, biases, activation=None):
    return Network.from_arrays([weight], [biases], output=False, activation=activation)


@pytest.mark.parametrize("activation", [None, STEPS])
@pytest.mark.parametrize("seed", range(8))
def test_hu_zhang_proposition_1(seed, activation):
    """Independent normals have (p+1)^n regions on all of space; dependent ones have fewer."""
    random = np.random.default_rng(seed)
    n_inputs, n = int(random.integers(2, 4)), int(random.integers(1, 4))
    weight = random.integers(-2, 3, size=(n, n_inputs)).astype(float)
    if seed % 2 and n > 1:
        weight[-1] = weight[0] - 2 * weight[n - 2]
    net = layer(weight, random.integers(-2, 3, size=n).astype(float), activation)
    count = mc.count(net, mc.Unbounded(), mc.ExactTree()).lower
    pieces = 2 if activation is None else 4
    most = pieces**n
    independent = n <= n_inputs and np.linalg.matrix_rank(weight) == n
    assert hu_zhang_proposition_1(net) == (most if independent else None)
    assert count == most if independent else count < most
    if independent:
        assert count == hu_zhang_theorem_1(n_inputs, n, pieces - 1)


def test_rows_that_floats_cannot_tell_apart():
    tiny = 2.0**-52
    assert has_independent_rows(Dense([[1.0, 1.0], [1.0, 1.0 + tiny]], [0.0, 0.0]))
    assert has_independent_rows(Dense([[1.0, 3.0], [0.1, 0.3]], [0.0, 0.0]))  # 0.3 is not 3 * 0.1
    assert not has_independent_rows(Dense([[1.0, 2.0], [0.1, 0.2]], [0.0, 0.0]))
    assert not has_independent_rows(Dense([[1e300, 2e300], [1e-300, 2e-300]], [0.0, 0.0]))
    assert not has_independent_rows(Dense([[0.0, 0.0]], [1.0]))


def test_a_product_is_not_its_nearest_floats():
    """(x + y) / 3 twice, once through another order of factors: equal, though floats may differ."""
    third = compose([Dense([[1.0, 1.0], [2.0, 2.0]], [0, 0]), Elementwise([1, 1], [0, 0], [3, 3])])
    assert not has_independent_rows(third)
    apart = compose([Dense([[1.0, 1.0], [2.0, 3.0]], [0, 0]), Elementwise([1, 1], [0, 0], [3, 3])])
    assert has_independent_rows(apart)


def test_multiples_of_the_first_prime_are_no_zeros():
    """The determinant is 2^31 - 1: zero modulo the first prime, and not zero."""
    assert has_independent_rows(Dense([[2.0**31 - 1, 0.0], [5.0, 1.0]], [0.0, 0.0]))


@pytest.mark.parametrize("seed", range(60))
def test_against_elimination(seed):
    random = np.random.default_rng(seed)
    shape = int(random.integers(1, 6)), int(random.integers(1, 6))
    weight = random.integers(-1, 2, size=shape) * 0.1 + random.integers(0, 2, size=shape)
    rank = _exact_rank([[Fraction(v) for v in row] for row in weight.tolist()])
    assert has_independent_rows(Dense(weight, np.zeros(shape[0]))) == (rank == shape[0])


def test_a_layer_of_images():
    net = mc.Network.load("example:mnist-784-4-18.npz")
    first = Network((net.layers[0],))
    assert hu_zhang_proposition_1(first) == 16
    twice = np.concatenate([first.layers[0].affine.weight] * 2)
    assert hu_zhang_proposition_1(layer(twice, np.zeros(8))) is None


def test_only_one_layer_of_scalar_units():
    two = Network.from_arrays([[[1.0]], [[1.0]]], [[0.0], [0.0]], output=False)
    for net in (two, layer([[1.0], [2.0]], [0.0, 0.0], maxout(2))):
        with pytest.raises(NetworkError, match="speaks of one layer of scalar units, not of 1-"):
            hu_zhang_proposition_1(net)
