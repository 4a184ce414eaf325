"""Segments, planes and polylines as domains: exact, and counted by every method."""

from fractions import Fraction

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import DomainError


def test_a_segment_does_not_round() -> None:
    # 0.3 - 1e-20 is no float: the direction is the difference all the same.
    inputs = mc.Segment([1e-20, 0.0], [0.3, 1.0]).bind(2)
    exact = inputs.exact
    assert exact is not None
    assert exact.origin[0] + exact.directions[0, 0] == Fraction(0.3)
    assert (inputs.lower[0], inputs.upper[0]) == (0.0, 1.0)


def test_a_plane_through_three_points_does_not_round() -> None:
    a, b, c = np.random.default_rng(0).normal(size=(3, 5))
    inputs = mc.Plane.through(a, b, c).bind(5)
    exact = inputs.exact or inputs
    for column, point in enumerate((b, c)):
        assert [
            Fraction(o) + Fraction(d)
            for o, d in zip(exact.origin, exact.directions[:, column], strict=True)
        ] == [Fraction(v) for v in point]


def test_points_may_have_the_shape_of_an_image() -> None:
    a, b = np.zeros((2, 3)), np.ones((2, 3))
    assert mc.Segment(a, b).bind(6).directions.shape == (6, 1)


@pytest.mark.parametrize(
    "domain",
    [
        mc.Segment([0.0, 0.0], [0.0, 0.0]),
        mc.Segment([0.0], [1.0]),
        mc.Segment([0.0, np.nan], [1.0, 1.0]),
        mc.Plane([0.0, 0.0], [1.0, 0.0], [2.0, 0.0]),
        mc.Polyline([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]),
        mc.Polyline([[0.0, 0.0]]),
    ],
    ids=["point", "dimension", "nan", "dependent", "bent", "short"],
)
def test_refusals(domain: object) -> None:
    with pytest.raises(DomainError):
        domain.bind(2)  # type: ignore[attr-defined]


@pytest.mark.parametrize("method", [mc.RegionTree(), mc.ExactTree(), mc.SolutionPool()])
def test_methods_count_on_lines_and_planes(method: object) -> None:
    # relu(x), relu(-x), relu(x - y): three regions on the diagonal-free line below.
    net = mc.Network.from_arrays([[[1, 0], [-1, 0], [1, -1]]], [[0, 0, 0]], output=False)
    assert mc.count(net, mc.Segment([-1.0, 0.5], [1.0, 0.5]), method).lower == 3  # type: ignore[arg-type]
    plane = mc.Plane([-1.0, -1.0], [2.0, 0.0], [0.0, 2.0])
    assert mc.count(net, plane, method).lower == 4  # type: ignore[arg-type]
