import dataclasses
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milpcount import Box, Network, Polytope, Section
from milpcount.exact.evaluate import (
    attains_pattern,
    parameters_of,
    pattern_at,
    piece_of,
    region_at,
    verify_region,
)
from milpcount.exact.geometry import Point
from milpcount.exact.inputs import ExactInputs
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.weights import ExactWeights
from milpcount.network import maxout, piecewise_linear, relu
from milpcount.result import Region

PAIR = Network.from_arrays([[[1.0], [-1.0]]], [[0.0, 0.0]], output=False)
# The second layer's unit is 0 wherever both units of the first are inactive or x > 0.
FLAT = Network.from_arrays([[[1.0], [-1.0]], [[0.0, 1.0]]], [[0.0, 0.0], [0.0]], output=False)


def exact(net: Network, low: float = -1.0, high: float = 1.0) -> ExactNetwork:
    return ExactNetwork(net, Box(low, high).bind(net.n_inputs))


def region(pattern: tuple[int, ...], *x: float) -> Region:
    return Region(pattern, np.array(x))


def test_boundaries_are_flagged_and_inactive() -> None:
    found = pattern_at(PAIR, [0.0])
    assert found.pattern == (0, 0)
    assert found.on_boundary == (True, True)
    assert pattern_at(PAIR, [5e-324]).pattern == (1, 0)


def test_what_floats_round_to_zero_is_not_zero() -> None:
    net = Network.from_arrays([[[1.0, 1.0, 1.0]]], [[-1.0]], output=False)
    x = [1.0, 2.0**-80, 0.0]
    assert net.pattern(np.array(x)).tolist() == [0]
    assert pattern_at(net, x).pattern == (1,)


@given(st.lists(st.floats(-2, 2), min_size=3, max_size=3), st.integers(0, 2))
def test_away_from_boundaries_floats_agree(x: list[float], kind: int) -> None:
    activation = [relu(), piecewise_linear([-0.5], [2.0, 1.0], [0.0, -0.5]), None][kind]
    rng = np.random.default_rng(2)
    net = Network.from_arrays(
        [rng.normal(size=(5, 3)), rng.normal(size=(4, 5))],
        [rng.normal(size=5), rng.normal(size=4)],
        output=False,
        activation=activation,
    )
    assert pattern_at(ExactWeights(net), x).pattern == tuple(net.pattern(np.array(x)).tolist())


def test_rational_points_are_exact() -> None:
    net = Network.from_arrays([[[3.0]]], [[-1.0]], output=False)
    third = Point.of(np.array([Fraction(1, 3)], dtype=object))
    assert pattern_at(net, third).on_boundary == (True,)


def test_points_must_fit() -> None:
    with pytest.raises(ValueError, match="the network has 1 inputs"):
        pattern_at(PAIR, [1.0, 2.0])
    with pytest.raises(ValueError, match="finite"):
        pattern_at(PAIR, [np.nan])


def test_pieces_follow_from_signs() -> None:
    hat = piecewise_linear([0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0])
    signs = ([-1, -1], [0, -1], [1, -1], [1, 0], [1, 1])
    assert [piece_of(hat, s) for s in signs] == [0, 0, 1, 1, 2]
    with pytest.raises(ValueError, match="no piece"):
        piece_of(dataclasses.replace(hat, pieces=hat.pieces[:2]), [1, 1])


def test_a_witness_inside_proves_its_region() -> None:
    assert verify_region(exact(PAIR), region((1, 0), 0.5))
    assert not verify_region(exact(PAIR), region((0, 1), 0.5))


@pytest.mark.parametrize("x", [1.0 + 2**-52, -2.0, 0.0])
def test_a_witness_outside_or_on_a_boundary_proves_nothing(x: float) -> None:
    assert not verify_region(exact(PAIR), region(pattern_at(PAIR, [x]).pattern, x))


def test_a_witness_on_the_domains_edge_proves_what_begins_there() -> None:
    assert verify_region(exact(PAIR), region((1, 0), 1.0))


def test_a_unit_that_is_zero_on_the_region_is_no_boundary() -> None:
    assert verify_region(exact(FLAT), region((1, 0, 0), 0.5))
    assert verify_region(exact(FLAT), region((0, 1, 1), -0.5))


def test_a_witness_must_satisfy_the_polytopes_rows() -> None:
    half = ExactNetwork(PAIR, Polytope([[1.0]], [0.5], -1.0, 1.0).bind(1))
    assert verify_region(half, region((1, 0), 0.5))
    assert not verify_region(half, region((1, 0), 0.75))
    assert attains_pattern(half, region((1, 0), 0.5))
    assert not attains_pattern(half, region((1, 0), 0.75))


def test_a_flat_polytope_has_no_regions() -> None:
    flat = ExactNetwork(PAIR, Polytope([[1.0], [-1.0]], [0.5, -0.5], -1.0, 1.0).bind(1))
    assert not verify_region(flat, region((1, 0), 0.5))
    assert attains_pattern(flat, region((1, 0), 0.5))


def test_an_attained_pattern_may_lie_on_a_boundary() -> None:
    assert attains_pattern(exact(PAIR), region((0, 0), 0.0))
    assert attains_pattern(exact(PAIR), region((1, 0), 1.0))
    assert not attains_pattern(exact(PAIR), region((1, 0), 2.0))
    assert not attains_pattern(exact(PAIR), region((1, 1), 0.5))


def test_a_fixed_input_must_keep_its_value() -> None:
    inputs = ExactInputs.from_inputs(Box([0, 0.3], [1, 0.3]).bind(2))
    found = parameters_of(inputs, [0.5, 0.3])
    assert found is not None
    assert found.floats().tolist() == [0.5]
    assert parameters_of(inputs, [0.5, 0.25]) is None


def test_a_witness_on_a_section_is_exact_or_none() -> None:
    section = Section([0.1, 0.2, 0.3], [[0.3, 0.1, 0.7]], Box(0, 1)).bind(3)
    inputs = ExactInputs.from_inputs(section)
    t = Point.of([0.4])
    assert not inputs.takes_floats
    found = parameters_of(inputs, np.array(inputs.to_input(t).fractions(), dtype=object))
    assert found is not None and found.is_same(t)
    x = section.to_inputs(np.array([0.4]))
    assert parameters_of(inputs, x) is None  # next to the section, not on it
    net = Network.from_arrays([[[1.0, 0.0, 0.0]]], [[-0.2]], output=False)
    on_section = ExactNetwork(net, section)
    assert not verify_region(on_section, Region((1,), x))
    assert verify_region(on_section, region_at(inputs, (1,), t))
    assert verify_region(on_section, Region((1,), x, np.array([0.4])))
    assert verify_region(on_section, Region((1,), x, np.array([Fraction(2, 5)], dtype=object)))
    for wrong in ([0.3], [1.5], [np.nan], [0.4, 0.4], []):
        assert not verify_region(on_section, Region((1,), x, np.array(wrong)))
        assert not attains_pattern(on_section, Region((1,), x, np.array(wrong)))
    assert not verify_region(on_section, region((1,), 5.0, 5.0, 5.0))
    assert not attains_pattern(on_section, region((1,), 5.0, 5.0, 5.0))


def test_a_witness_of_another_shape_or_none_at_all_proves_nothing() -> None:
    for x in ([], [0.5, 0.5], [np.nan], [np.inf]):
        assert not verify_region(exact(PAIR), region((1, 0), *x))


def test_zeros_between_two_losing_values_of_a_maximum_are_no_boundary() -> None:
    # max(2, x, -x): on [-1, 1] the first value wins, and the others are equal at 0.
    net = Network.from_arrays(
        [[[0.0], [1.0], [-1.0]]], [[2.0, 0.0, 0.0]], output=False, activation=maxout(3)
    )
    assert verify_region(exact(net), region((0,), 0.0))
    assert pattern_at(net, [0.0]).on_boundary == (False,)
    # Where two of them win together, the point proves nothing.
    assert not verify_region(exact(net, -3, 3), region((0,), 2.0))
    assert verify_region(exact(net, -3, 3), region((1,), 2.5))


def test_identical_values_of_a_maximum_are_the_piece_of_the_lowest_index() -> None:
    net = Network.from_arrays(
        [[[1.0], [1.0], [-1.0]]], [[0.0, 0.0, 0.0]], output=False, activation=maxout(3)
    )
    assert verify_region(exact(net), region((0,), 0.5))
    assert not verify_region(exact(net), region((1,), 0.5))
    assert verify_region(exact(net), region((2,), -0.5))


def test_sets_that_hold_float64_points_exactly() -> None:
    def takes_floats(domain: Any, n: int) -> bool:
        return ExactInputs.from_inputs(domain.bind(n)).takes_floats

    assert takes_floats(Box(0, 1), 2) and takes_floats(Box([0, 0.3], [1, 0.3]), 2)
    assert takes_floats(Polytope([[1.0, 1.0]], [1.0]), 2)
    assert takes_floats(Section([0, 0.5], [[1, 0]]), 2)
    assert not takes_floats(Section([0.1, 0.5], [[1, 0]]), 2)
    assert not takes_floats(Section([0, 0], [[0.1, 0.3]]), 2)
