import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from milpcount import Box, Network, Polytope, Section, Unbounded
from milpcount.exact.geometry import Point, Rows
from milpcount.exact.inputs import ExactInputs
from milpcount.exact.rows import ExactNetwork
from milpcount.network import Activation, leaky_relu, piecewise_linear, relu

HAT = piecewise_linear([-0.25, 0.7], [0.5, 1.0, -0.3], [0.1, 0.225, 1.135])


def network(
    sizes: list[int], activation: Activation | None = None, seed: int = 0, output: bool = False
) -> Network:
    rng = np.random.default_rng(seed)
    pairs = [(rng.normal(size=(b, a)), rng.normal(size=b)) for a, b in itertools.pairwise(sizes)]
    weights, biases = zip(*pairs, strict=True)
    return Network.from_arrays(weights, biases, output=output, activation=activation)


def fractions(array: np.ndarray) -> np.ndarray:
    return np.vectorize(Fraction, otypes=[object])(array)


def forward(net: Network, x: np.ndarray, pattern: list[int]) -> list[list[Fraction]]:
    """Return every layer's branch values at a rational point under a pattern: the plain way."""
    out, at = [], 0
    for layer in net.layers:
        weight, bias = fractions(layer.affine.weight), fractions(layer.affine.bias)
        v = [
            sum(w * y for w, y in zip(row, x, strict=True)) + b
            for row, b in zip(weight, bias, strict=True)
        ]
        rows = layer.activation.rows
        out.append([y - Fraction(r.threshold) for y in v for r in rows])
        pieces = [layer.activation.pieces[p] for p in pattern[at : at + layer.width]]
        x = np.array(
            [Fraction(p.slope) * y + Fraction(p.intercept) for p, y in zip(pieces, v, strict=True)],
            dtype=object,
        )
        at += layer.width
    return out


def values(rows: Rows, t: list[Fraction]) -> list[Fraction]:
    return [
        (row[0] + sum(a * y for a, y in zip(row[1:], t, strict=True))) / Fraction(q)
        for row, q in zip(rows.values, rows.denominators, strict=True)
    ]


@pytest.mark.parametrize("activation", [relu(), leaky_relu(0.01), HAT])
def test_rows_equal_plain_rational_evaluation(activation: Activation) -> None:
    net = network([3, 4, 3, 2], activation)
    exact = ExactNetwork(net, Box(-1, 1).bind(3))
    rng = np.random.default_rng(1)
    for _ in range(5):
        pattern = rng.integers(0, activation.n_pieces, net.n_units).tolist()
        t = [Fraction(int(n), 7) for n in rng.integers(-7, 8, 3)]
        wanted = forward(net, np.array(t, dtype=object), pattern)
        for layer, expected in enumerate(wanted):
            assert values(exact.rows(layer, pattern), t) == expected


def test_the_rows_of_one_unit_are_part_of_the_layer() -> None:
    exact = ExactNetwork(network([2, 3, 3], HAT), Box(-1, 1).bind(2))
    whole, one = exact.rows(1, [0, 1, 2]), exact.unit_rows(1, 2, [0, 1, 2])
    assert whole.take([4, 5]).values.tolist() == one.values.tolist()


def test_a_section_is_composed_exactly() -> None:
    net = network([3, 4])
    section = Section([0.1, 0.2, 0.3], [[1.0, 0.5, 0.1], [0.0, 1.0, 0.7]], Box(0, 1))
    exact = ExactNetwork(net, section.bind(3))
    t = [Fraction(1, 3), Fraction(2, 7)]
    origin, directions = fractions(np.array(section.p0)), fractions(np.array(section.directions))
    x = origin + np.array(t, dtype=object) @ directions
    assert values(exact.rows(0, ()), t) == forward(net, x, [0] * 4)[0]


def test_an_input_that_the_box_fixes_is_folded_in() -> None:
    net = network([3, 2])
    exact = ExactNetwork(net, Box([0, 0.3, -1], [1, 0.3, 1]).bind(3))
    t = [Fraction(1, 3), Fraction(1, 5)]
    x = np.array([t[0], Fraction(0.3), t[1]], dtype=object)
    assert values(exact.rows(0, ()), t) == forward(net, x, [0, 0])[0]


def test_the_affine_map_is_that_of_the_region() -> None:
    net = network([2, 4, 3, 2], output=True)
    exact = ExactNetwork(net, Box(-1, 1).bind(2))
    x = np.array([0.25, -0.5])
    found = values(exact.affine_map(net.pattern(x).tolist()), [Fraction(v) for v in x])
    assert np.allclose([float(v) for v in found], net(x), rtol=1e-12)


def test_without_an_output_layer_the_map_is_that_of_the_last_units() -> None:
    net = network([2, 4, 3], HAT)
    exact = ExactNetwork(net, Box(-1, 1).bind(2))
    x = np.array([0.25, -0.5])
    found = values(exact.affine_map(net.pattern(x).tolist()), [Fraction(v) for v in x])
    assert np.allclose([float(v) for v in found], net(x), rtol=1e-12)


def test_a_layer_below_dead_units_is_constant() -> None:
    net = Network.from_arrays([[[1.0, 2.0]], [[3.0], [0.0]]], [[0.5], [0.25, 0.0]], output=False)
    rows = ExactNetwork(net, Box(-1, 1).bind(2)).rows(1, [0])
    assert rows.floats().tolist() == [[0.25, 0.0, 0.0], [0.0, 0.0, 0.0]]
    assert rows.is_zero().tolist() == [False, True]


def test_ten_layers_stay_exact() -> None:
    net = network([2] + [6] * 10, seed=3)
    exact = ExactNetwork(net, Box(-1, 1).bind(2))
    pattern = np.random.default_rng(5).integers(0, 2, net.n_units).tolist()
    t = [Fraction(1, 3), Fraction(-3, 5)]
    wanted = forward(net, np.array(t, dtype=object), pattern)
    assert values(exact.rows(9, pattern), t) == wanted[9]


def test_the_cache_is_bounded_and_changes_nothing(monkeypatch: Any) -> None:
    monkeypatch.setattr("milpcount.exact.rows._CACHED_INTEGERS", 1)
    net = network([2, 5, 3])
    small, large = (ExactNetwork(net, Box(-1, 1).bind(2)) for _ in range(2))
    small._capacity = 2
    for code in range(32):
        pattern = [code >> i & 1 for i in range(5)]
        assert small.rows(1, pattern).values.tolist() == large.rows(1, pattern).values.tolist()
        assert len(small._cache) <= 2


def test_a_pattern_that_is_too_short_is_refused() -> None:
    exact = ExactNetwork(network([2, 3, 3]), Box(-1, 1).bind(2))
    with pytest.raises(ValueError, match="2 units does not cover the 3 units"):
        exact.rows(1, [0, 1])


def test_a_polytopes_rows_are_kept_unless_they_hold_everywhere() -> None:
    bound = Polytope([[1.0, 1.0], [0.0, 0.0]], [1.0, 0.0]).bind(2)
    inputs = ExactInputs.from_inputs(bound)
    assert inputs.rows.floats().tolist() == [[1.0, -1.0, -1.0]]
    assert not inputs.box.is_finite
    never = ExactInputs.from_inputs(Polytope([[0.0, 0.0]], [-1.0]).bind(2))
    assert len(never.rows) == 1


def test_rational_inputs_are_taken_as_they_are() -> None:
    third = np.array([Fraction(1, 3)], dtype=object)
    inputs = ExactInputs.of(third, np.array([[Fraction(1, 7)]], dtype=object), [0.0], [1.0])
    assert inputs.to_input(Point.of([0.5])).fractions() == [Fraction(1, 3) + Fraction(1, 14)]
    assert ExactInputs.from_inputs(inputs) is inputs


def test_all_of_space_has_no_sides() -> None:
    exact = ExactNetwork(network([2, 3]), Unbounded().bind(2))
    assert exact.inputs.box.unbounded_below.all()
    assert exact.inputs.dimension == 2
