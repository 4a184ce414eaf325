"""The interval rule: sound on any network and domain, and tight where it can be."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import milpcount as mc
from milpcount.domain import InputSet
from milpcount.network import (
    Activation,
    Dense,
    Elementwise,
    Layer,
    Network,
    Sparse,
    compose,
    leaky_relu,
    maxout,
    piecewise_linear,
    relu,
)
from milpcount.preactivation import PreActivationBounds, carried_forward, interval_bounds
from milpcount.preactivation.outputs import output_range
from tests.exact_walk import exact_walk, output

JUMP = piecewise_linear([-1.0, 0.5], [0.0, 2.0, -1.0], [3.0, 0.0, 1e5])
CLIP = piecewise_linear([0.0, 6.0], [0.0, 1.0, 0.0], [0.0, 0.0, 6.0])
UNITS = [relu(), leaky_relu(-0.5), JUMP, CLIP, maxout(2), maxout(3)]


def number(random: Any, reach: float) -> float:
    """A number of any size, or 0, or a small integer."""
    kind = random.integers(4)
    if kind == 0:
        return float(random.integers(-2, 3))
    return float(random.normal() * 10.0 ** random.uniform(-reach, reach)) if kind > 1 else 0.0


def array(random: Any, reach: float, *shape: int) -> np.ndarray:
    size = int(np.prod(shape))
    return np.array([number(random, reach) for _ in range(size)]).reshape(shape)


def random_graph(random: Any, reach: float) -> Network:
    """A graph of residual, parallel and skipping layers, units mixed within them or not."""
    n = int(random.integers(1, 4))
    sizes, layers = [n], []
    for number_of in range(int(random.integers(1, 5))):
        read = [k for k in range(number_of + 1) if random.random() < 0.6] or [number_of]
        width = int(random.integers(1, 4))
        kinds = [UNITS[random.integers(len(UNITS))] for _ in range(width)]
        if random.integers(2):
            kinds = [kinds[0]] * width
        values = sum(kind.rank for kind in kinds)
        weights = {k: array(random, reach, values, sizes[k]) for k in read}
        layers.append((weights, array(random, reach, values), kinds))
        sizes.append(width)
    return Network.from_layers(n, layers)


def random_domain(random: Any, reach: float, n: int) -> Any:
    kind = random.integers(3)
    ends = np.sort(array(random, reach, 2, n), axis=0)
    ends[1] += ends[0] == ends[1]
    if kind < 2:
        return mc.Box(ends[0], np.nextafter(ends[1], np.inf))
    directions = array(random, reach / 2, 1, n)
    directions[0, 0] = 1.0
    return mc.Section(array(random, reach / 2, n), directions, mc.Box(ends[0][:1], ends[1][:1]))


def points(random: Any, inputs: InputSet, count: int) -> list[list[Fraction]]:
    """Corners, and points between them, of the exact set."""
    true = inputs.exact or inputs
    found = []
    for _ in range(count):
        t = []
        for low, high in zip(true.lower.tolist(), true.upper.tolist(), strict=True):
            share = Fraction(int(random.choice([0, 0, 4, 4, 1, 2])), 4)
            t.append(Fraction(low) * (1 - share) + Fraction(high) * share)
        rows = zip(true.origin.tolist(), true.directions.tolist(), strict=True)
        found.append(
            [
                Fraction(o) + sum(Fraction(d) * s for d, s in zip(row, t, strict=True))
                for o, row in rows
            ]
        )
    return found


def assert_sound(
    network: Network, inputs: InputSet, bounds: PreActivationBounds, random: Any, count: int = 6
) -> None:
    for x in points(random, inputs, count):
        walk = exact_walk(network, x)
        for low, high, true in zip(bounds.lower, bounds.upper, walk.values, strict=False):
            assert not (np.isnan(low).any() or np.isnan(high).any())
            for a, b, value in zip(low.tolist(), high.tolist(), true, strict=True):
                assert a == -np.inf or Fraction(a) <= value
                assert b == np.inf or value <= Fraction(b)
        for pieces, layer, true in zip(
            bounds.settled(network), network.layers, walk.values, strict=False
        ):
            for place, piece in enumerate(pieces.tolist()):
                unit, at = layer.unit(place), layer.value_starts[place]
                if piece >= 0:
                    held = unit.pieces[piece]
                    own = true[at : at + unit.rank]
                    expected = Fraction(held.slope) * own[held.value] + Fraction(held.intercept)
                    assert output(unit, own) == expected


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.5, 5.0, 100.0, 300.0]))
def test_sound_on_random_graphs(seed: int, reach: float) -> None:
    random = np.random.default_rng(seed)
    network = random_graph(random, reach)
    inputs = random_domain(random, reach, network.n_inputs).bind(network.n_inputs)
    assert_sound(network, inputs, interval_bounds(network, inputs), random)


@pytest.mark.parametrize("seed", range(20))
def test_sound_where_maps_are_products_rounded_once(seed: int) -> None:
    random = np.random.default_rng(seed)
    scale = Elementwise(random.normal(size=3), random.normal(size=3), random.uniform(0.1, 3, 3))
    first = compose([scale, Dense(random.normal(size=(4, 3)), random.normal(size=4))])
    assert first.is_rounded
    network = Network((Layer(first, relu()), Layer(Dense(np.ones((1, 4)), [0.0]), relu())))
    inputs = mc.Box(0.5, 1).bind(3)
    assert_sound(network, inputs, interval_bounds(network, inputs), random, 20)


def test_sound_where_the_domain_is_not_of_floats() -> None:
    # float(1/3) is below 1/3.
    network = Network.from_arrays([[[3.0], [1e300]]], [[0.0, 0.0]], output=False)
    random = np.random.default_rng(0)
    third = Fraction(1, 3)
    for box in (mc.Box([0], [third]), mc.Box([third], [2 * third])):
        inputs = box.bind(1)
        assert_sound(network, inputs, interval_bounds(network, inputs), random, 20)


def test_large_weights_do_not_undo_an_underflow() -> None:
    # On the section the input is 2^-1100 t or so: zero in float64, before the weight of 2^1000.
    section = mc.Section([0.0], [[2.0**-600]], mc.Box(2.0**-600, 2.0**-500))
    network = Network.from_arrays([[[2.0**1000], [0.0]]], [[0.0, 0.0]], output=False)
    inputs = section.bind(1)
    bounds = interval_bounds(network, inputs)
    assert_sound(network, inputs, bounds, np.random.default_rng(0))
    assert bounds.lower[0][1] == 0.0 == bounds.upper[0][1]


def test_what_inputs_have_in_common_is_kept_in_every_layer_that_reads_them() -> None:
    # Along the diagonal x - y is zero, whichever layer computes it.
    difference = {0: [[1.0, -1.0]]}
    network = Network.from_layers(
        2, [(difference, [0.0], relu()), (difference | {1: [[1.0]]}, [0.0], relu())]
    )
    inputs = mc.Section([0.0, 0.0], [[1.0, 1.0]], mc.Box(-1, 1)).bind(2)
    bounds = interval_bounds(network, inputs)
    for low, high in zip(bounds.lower, bounds.upper, strict=True):
        assert -1e-14 <= low[0] <= 0 <= high[0] <= 1e-14


def test_unbounded_sets_bound_what_does_not_depend_on_them() -> None:
    network = Network.from_layers(
        2,
        [
            ({0: [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]}, [0.0, 0.0, 2.0], CLIP),
            ({1: [[1.0, 0.0, 0.0], [0.0, -1.0, 1.0]]}, [0.0, 0.0], relu()),
        ],
    )
    inputs = mc.Polytope([[1.0, 1.0]], [9.0], lower=[0.0, -np.inf]).bind(2)
    bounds = interval_bounds(network, inputs)
    assert bounds.lower[0].tolist()[1:] == [-np.inf, 2.0]
    assert bounds.upper[0].tolist() == [np.inf, np.inf, 2.0]
    assert bounds.lower[0][0] == pytest.approx(0.0)
    assert np.isfinite(bounds.lower[1]).all() and np.isfinite(bounds.upper[1]).all()
    everywhere = interval_bounds(network, mc.Unbounded().bind(2))
    assert everywhere.lower[0].tolist() == [-np.inf, -np.inf, 2.0]


def test_a_slope_that_cancels_is_not_taken_for_zero_on_a_line() -> None:
    # 0.1 + 0.2 - 0.3 is not zero, and float64 need not say so.
    infinite = np.full(1, np.inf)
    line = InputSet(
        np.zeros(3),
        np.array([[0.1], [0.2], [0.3]]),
        -infinite,
        infinite,
        np.zeros((0, 1)),
        np.zeros(0),
    )
    weights = [[1.0, 1.0, -1.0], [1.0, -1.0, 0.0], [0.0, 0.0, 0.0]]
    network = Network.from_arrays([weights], [[0.0, 0.0, 3.0]], output=False)
    bounds = interval_bounds(network, line)
    assert bounds.lower[0].tolist() == [-np.inf, -np.inf, 3.0]
    assert bounds.upper[0].tolist() == [np.inf, np.inf, 3.0]


def test_sparse_maps_are_bounded_as_they_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    dense = random.normal(size=(6, 5)) * (random.random((6, 5)) < 0.3)
    inputs = mc.Box(-1, 2).bind(5)
    bias = random.normal(size=6)
    wanted = interval_bounds(Network((Layer(Dense(dense, bias), relu()),)), inputs)
    network = Network((Layer(Sparse(dense, bias), relu()),))
    monkeypatch.setattr(Sparse, "weight", property(lambda _: pytest.fail("written out")))
    found = interval_bounds(network, inputs)
    assert np.allclose(found.lower[0], wanted.lower[0], rtol=1e-14)
    assert np.allclose(found.upper[0], wanted.upper[0], rtol=1e-14)


@pytest.mark.parametrize("unit", UNITS)
def test_ranges_of_units_hold_and_are_attained(unit: Activation) -> None:
    random = np.random.default_rng(5)
    layer = Layer(Dense(np.eye(unit.rank), np.zeros(unit.rank)), unit)
    for _ in range(30):
        low = random.uniform(-2, 7, unit.rank)
        high = low + random.uniform(0, 3, unit.rank)
        below, above = output_range(layer, low, high)
        values = unit.apply(random.uniform(low, high, (400, unit.rank)))
        assert below[0] <= values.min() and values.max() <= above[0]
        if unit is not JUMP:  # whose limits at its jumps count, too
            assert values.min() - below[0] < 0.5 and above[0] - values.max() < 0.5


def test_tighter_bounds_of_a_layer_are_carried_to_all_that_read_it() -> None:
    one = [[1.0]]
    network = Network.from_layers(
        1,
        [
            ({0: one}, [0.0], relu()),
            ({0: one, 1: one}, [0.0], relu()),
            ({1: one, 2: one}, [0.0], relu()),
        ],
    )
    inputs = mc.Box(-1, 1).bind(1)
    bounds = interval_bounds(network, inputs)
    assert bounds.upper[2][0] == pytest.approx(3.0)
    tighter = PreActivationBounds(bounds.lower, (np.array([0.5]), *bounds.upper[1:]))
    found = carried_forward(network, inputs, tighter, 0)
    assert [high[0] for high in found.upper] == pytest.approx([0.5, 1.5, 2.0])
