from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import DomainError, OptionError
from milpcount.exact.rows import ExactNetwork
from milpcount.formulation.composed import Composer, LayerRows
from milpcount.formulation.gradient_lengths import typical_slopes
from milpcount.formulation.parameters import parameter_box
from milpcount.network import Network, leaky_relu
from milpcount.preactivation import interval_bounds
from tests.exact_walk import exact_walk
from tests.extremes import case
from tests.networks import patterns


def random_network(seed: int, *sizes: int, scale: float = 1.0) -> Network:
    rng = np.random.default_rng(seed)
    weights = [scale * rng.normal(size=(b, a)) for a, b in pairwise(sizes)]
    return Network.from_arrays(weights, [rng.normal(size=b) for b in sizes[1:]])


@pytest.mark.parametrize("seed", range(5))
def test_bounds_hold_at_every_corner_in_exact_arithmetic(seed: int) -> None:
    net = random_network(seed, 3, 5, 1, scale=10.0**seed)
    bounds = interval_bounds(net, mc.Box(-1, 0.3).bind(3))
    affine = net.layers[0].affine
    for i in range(5):
        corner = [Fraction(0.3) if w > 0 else Fraction(-1) for w in affine.weight[i]]
        exact = sum(Fraction(w) * x for w, x in zip(affine.weight[i], corner, strict=True))
        exact += Fraction(affine.bias[i])
        assert exact <= Fraction(bounds.upper[0][i])
        assert bounds.upper[0][i] == pytest.approx(float(exact), rel=1e-13)


@pytest.mark.parametrize("activation", [None, leaky_relu(-0.5)])
def test_bounds_hold_at_random_points(activation: object) -> None:
    plain = random_network(7, 4, 6, 6, 6, 1)
    net = plain if activation is None else leaky_copy(plain)
    bounds = interval_bounds(net, mc.Box(-1, 2).bind(4))
    value = np.random.default_rng(0).uniform(-1, 2, size=(2000, 4))
    for k, layer in enumerate(net.layers):
        v = value @ layer.affine.weight.T + layer.affine.bias
        assert (v >= bounds.lower[k]).all() and (v <= bounds.upper[k]).all()
        value = layer.activation.apply(v)


def leaky_copy(net: Network) -> Network:
    maps = [layer.affine for layer in net.layers]
    return Network.from_arrays(
        [m.weight for m in maps], [m.bias for m in maps], output=False, activation=leaky_relu(-0.5)
    )


def test_stable_units_are_told_apart_from_units_that_touch_zero() -> None:
    net = Network.from_arrays([[[1.0], [1.0], [-1.0], [0.0]]], [[1.0, 0.0, 0.0, 0.0]], output=False)
    bounds = interval_bounds(net, mc.Box(0, 1).bind(1))
    assert bounds.settled(net)[0].tolist() == [1, -1, -1, 0]


def test_a_polytope_gets_its_bounding_box() -> None:
    triangle = mc.Polytope([[1, 1], [-1, 0]], [1, 0], lower=[-np.inf, 0]).bind(2)
    low, high = parameter_box(triangle)
    assert (low <= 0).all() and (high >= 1).all() and low[1] == 0
    assert np.allclose(low, 0, atol=1e-5) and np.allclose(high, 1, atol=1e-5)


@pytest.mark.parametrize("domain", [mc.Unbounded(), mc.Polytope([[1.0, 0.0]], [1.0])])
def test_an_unbounded_domain_says_what_to_do(domain: mc.Unbounded | mc.Polytope) -> None:
    with pytest.raises(DomainError, match=r"unbounded at input 0.*give a Box"):
        mc.count(random_network(0, 2, 3, 1), domain, mc.SolutionPool())
    with pytest.raises(DomainError, match=r"unbounded at input 0.*give a Box"):
        parameter_box(domain.bind(2))


def test_an_empty_polytope_is_refused() -> None:
    with pytest.raises(DomainError, match="empty"):
        parameter_box(mc.Polytope([[1.0], [-1.0]], [0.0, -1.0]).bind(1))


def test_composed_rows_are_right_within_their_error_bound() -> None:
    net = random_network(3, 3, 5, 5, 5, 1, scale=3.0)
    inputs = mc.Box([-1, 0.1, 2], [1, 0.7, 5]).bind(3)
    composer, exact = Composer(net, inputs), ExactNetwork(net, inputs)
    pattern = np.random.default_rng(1).integers(0, 2, size=15)
    outputs = list[LayerRows]()
    for layer in range(3):
        composed = composer.layer(layer, outputs)
        rows = composed.branches
        true = exact.rows(layer, pattern.tolist())
        for i in range(5):
            row = [Fraction(int(v), true.denominators[i]) for v in true.values[i]]
            corner = row[0] + sum(
                c * Fraction(v) for c, v in zip(row[1:], composer.low, strict=True)
            )
            assert abs(corner - Fraction(rows.offsets[i])) <= Fraction(rows.offset_error[i])
            for k in range(3):
                slope = row[1 + k] * Fraction(composer.width[k])
                assert abs(slope - Fraction(rows.slopes[i, k])) <= Fraction(rows.slope_error[i])
        own = pattern[5 * layer : 5 * layer + 5]
        outputs.append(composer.outputs(layer, composed.values, own))


def test_a_cancellation_is_not_taken_for_a_boundary() -> None:
    # 0.1 x + 0.2 x - 0.3 x is 2.8e-17 x in floating point, and not zero exactly either;
    # the same units with weights 1, 2, -3 cancel.
    for weights, vanishes in (([0.1, 0.2, -0.3], False), ([1.0, 2.0, -3.0], True)):
        net = Network.from_arrays([[[1.0]] * 3, [weights]], [[0.0] * 3, [0.0]], output=False)
        composer = Composer(net, mc.Box(-1, 1).bind(1))
        first = composer.layer(0, []).values
        rows = composer.layer(1, [composer.outputs(0, first, np.ones(3, dtype=int))]).branches
        assert rows.may_vanish.tolist() == [True]
        exact = ExactNetwork(net, mc.Box(-1, 1).bind(1)).rows(1, [1, 1, 1])
        assert exact.is_zero().tolist() == [vanishes]


def test_bounds_hold_where_numbers_overflow_and_underflow() -> None:
    decided = 0
    for seed in range(300):
        net, box = case(seed)
        inputs = box.bind(net.n_inputs)
        bounds = interval_bounds(net, inputs)
        random = np.random.default_rng(seed)
        sides = np.stack([inputs.lower, inputs.upper])
        for _ in range(5):
            x = sides[random.integers(2, size=net.n_inputs), range(net.n_inputs)]
            exact = exact_walk(net, [Fraction(float(v)) for v in x]).values
            for low, high, true in zip(bounds.lower, bounds.upper, exact, strict=True):
                for a, b, value in zip(low.tolist(), high.tolist(), true, strict=True):
                    assert a == -np.inf or Fraction(a) <= value
                    assert b == np.inf or value <= Fraction(b)
                decided += int(np.isfinite(low).sum())
    assert decided > 300


def test_a_unit_whose_inputs_underflow_is_not_stable() -> None:
    # Its pre-activation is 1e-400 x or so: positive, and 0 in float64.
    net = Network.from_arrays([[[1e-200]], [[1e-200], [0.0]]], [[0.0], [0.0, 0.0]], output=False)
    bounds = interval_bounds(net, mc.Box(0.5, 1).bind(1))
    assert bounds.settled(net)[1].tolist() == [-1, 0]
    assert bounds.upper[1][0] > 0.0 == bounds.upper[1][1]


@pytest.mark.parametrize("seed", range(40))
def test_the_pool_is_right_or_refuses_numbers_far_apart(seed: int) -> None:
    net, box = case(seed, (1.0, 3.0, 6.0, 30.0), 7.0)
    try:
        found = patterns(net, box, mc.SolutionPool())
    except OptionError as refused:
        assert "too far apart for the MILP's solvers" in str(refused)
    else:
        assert found == patterns(net, box, mc.ExactTree())


def test_lengths_of_gradients_neither_underflow_nor_overflow() -> None:
    inputs, width = mc.Box(-1, 1).bind(2), np.full(2, 2.0)
    net = Network.from_arrays(
        [[[3e200, 4e200], [3e-200, 4e-200], [0, 0]]], [[0.0] * 3], output=False
    )
    assert np.allclose(typical_slopes(net, inputs, width)[0], [1e201, 1e-199, 0.0])
