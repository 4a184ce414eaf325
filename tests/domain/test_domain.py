"""Domains become one form, the image of a box cut by rows; what is wrong is said at the border."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from milpcount.domain import Box, Polytope, Section, Unbounded
from milpcount.errors import DomainError


def corners(domain, n: int) -> list[list[float]]:
    inputs = domain.bind(n)
    return [inputs.to_inputs(t).tolist() for t in (inputs.lower, inputs.upper)]


def test_scalar_bounds_hold_for_every_input():
    assert corners(Box(-1, 2), 3) == [[-1, -1, -1], [2, 2, 2]]
    assert corners(Box([0, -5], 1), 2) == [[0, -5], [1, 1]]


def test_a_fixed_input_costs_a_dimension():
    inputs = Box([0, 7, -1], [1, 7, 1]).bind(3)
    assert inputs.dimension == 2
    assert inputs.to_inputs(np.array([0.5, 0.25])).tolist() == [0.5, 7, 0.25]


def test_a_section_is_the_image_of_its_box():
    section = Section([1, 1, 1], [[1, 0, 0], [0, 2, 0]], Box([0, -1], [4, 1]))
    assert corners(section, 3) == [[1, -1, 1], [5, 3, 1]]


def test_a_section_with_a_fixed_parameter():
    inputs = Section([0, 0], [[1, 1], [1, -1]], Box([0, 3], [1, 3])).bind(2)
    assert inputs.dimension == 1
    assert inputs.to_inputs(np.array([1.0])).tolist() == [4, -2]


def test_a_polytope_keeps_its_rows():
    inputs = Polytope([[1, 1]], [1], lower=0).bind(2)
    assert (inputs.rows.tolist(), inputs.rhs.tolist()) == ([[1, 1]], [1])
    assert not inputs.is_boxed
    assert Polytope([[1, 1]], [1], 0, 1).bind(2).is_boxed


def test_all_of_space():
    inputs = Unbounded().bind(2)
    assert inputs.dimension == 2 and not inputs.is_boxed and not inputs.rows.size


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 3)), min_size=4, max_size=4),
)
def test_points_between_the_bounds_are_the_box(n, spans):
    spans = [*spans[: n - 1], (0, 1)]  # not a single point
    lower = np.array([low for low, _ in spans], float)
    upper = lower + [width for _, width in spans]
    inputs = Box(lower, upper).bind(n)
    middle = inputs.to_inputs((inputs.lower + inputs.upper) / 2)
    np.testing.assert_allclose(middle, (lower + upper) / 2, rtol=0, atol=1e-15)
    assert inputs.dimension == np.count_nonzero(upper > lower)


BAD = {
    "a reversed box": (
        Box([0, 3], [1, 2]),
        r"the box is reversed at input 1: \[3.0, 2.0\]; the lower bound must not be above",
    ),
    "a single point": (Box([1, 2], [1, 2]), "a single point: at least one input must have room"),
    "an infinite box": (
        Box([0, -np.inf], 1),
        r"\[-inf, 1.0\] at input 1: bounds must be finite; use Unbounded\(\)",
    ),
    "nan": (Box(0, [1, np.nan]), "the box's upper bound holds nan at input 1"),
    "a box of another dimension": (
        Box([0, 0, 0], 1),
        r"the box's lower bound has shape \(3,\), but there are 2 inputs",
    ),
    "a box of text": (Box("low", 1), "the box's lower bound is 'low': numbers are needed"),
    "a box of nothing": (Box(0, None), "upper bound holds nan|numbers are needed"),
    "a number past all floats": (Box(0, 10**400), "upper bound is 1000.*: numbers are needed"),
    "rows of another dimension": (Polytope([[1, 1, 1]], [1]), r"A must have shape \(rows, 2\)"),
    "as many sides as rows": (Polytope([[1, 1]], [1, 2]), r"b of shape \(2,\)"),
    "ragged rows": (Polytope([[1, 1], [1]], [1, 2]), "the polytope's A is .*numbers are needed"),
    "rows with inf": (Polytope([[1, np.inf]], [1]), "the polytope holds a number that is not fin"),
    "a reversed polytope": (Polytope([[1, 1]], [1], 1, 0), "the polytope's box is reversed"),
    "a flat polytope": (Polytope([[1, 1]], [1], [0, 0], [0, 1]), "describe it as a Section"),
    "an empty polytope": (Polytope([[1, 1]], [1], np.inf), "the polytope's box is empty"),
    "a section of another dimension": (
        Section([0, 0], [[1, 0, 0]]),
        r"directions have shape \(1, 3\), but there are 2 inputs",
    ),
    "a base point of another dimension": (Section([0], [[1, 0]]), r"p0 has shape \(1,\)"),
    "dependent directions": (
        Section([0, 0], [[1, 2], [2, 4]]),
        "the section's directions are linearly dependent",
    ),
    "no direction": (Section([0, 0], [[0, 0]]), "directions are linearly dependent"),
    "ragged directions": (Section([0, 0], [[1, 0], [1]]), "directions is .*: numbers are needed"),
    "directions with nan": (Section([0, 0], [[1, np.nan]]), "a number that is not finite"),
    "a section with a box too large": (
        Section([0, 0], [[1, 0]], Box([0, 0], [1, 1])),
        r"the box's lower bound has shape \(2,\), but there are 1 inputs",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_domains(name):
    domain, message = BAD[name]
    with pytest.raises(DomainError, match=message) as caught:
        domain.bind(2)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_short_directions_are_not_dependent():
    directions = [[1e-20, 0.0], [0.0, 1e3]]
    assert Section([0, 0], directions).bind(2).dimension == 2


@pytest.mark.parametrize(
    ("domain", "title"),
    [
        (Box(), "box [0, 1]"),
        (Box(-0.5, [1, 2]), "box [-0.5, (1, 2)]"),
        (Box(np.zeros(784), np.arange(784)), "box [0, (0, 1, 2, ...)]"),
        (Polytope([[1, 1]], [1]), "polytope of 1 rows"),
        (Section([0, 0], [1, 0]), "section of dimension 1"),
        (Unbounded(), "all of space"),
    ],
)
def test_titles(domain, title):
    assert domain.title == title
