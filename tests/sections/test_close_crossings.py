"""Crossings that are close together, in networks that are too large to compute all of them exactly.

What is too large is set low here: signs within a tolerance are computed exactly, and no others.
"""

from typing import Any

import numpy as np
import pytest

import milpcount as mc
from milpcount.counters import section
from milpcount.result import Guarantee, Status
from milpcount.sections import walk
from tests.sections.lines import difference


@pytest.fixture(autouse=True)
def all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(section, "_EXACT_UNITS", 0)
    monkeypatch.setattr(walk, "_LARGE", 0)
    monkeypatch.setattr(walk, "bounds_may_tell", lambda program, points: False)


def count(weights: Any, biases: Any, a: Any = 0.0, b: Any = 1.0, **options: Any) -> mc.CountResult:
    net = mc.Network.from_arrays(weights, biases, output=False)
    line = mc.Segment(np.atleast_1d(a).astype(float), np.atleast_1d(b).astype(float))
    return mc.count(net, line, mc.SectionWalk(**options))


def test_crossings_far_below_a_roundoff_apart() -> None:
    # x = 1 and x = 1 + 1e-17: 2^60 x - 2^60 and 2^60 x - 2^60 - 12, whose last summand is below
    # the other's last place, comes from a sum of two units that are always active.
    far = 2.0**60
    result = count(
        [[[1.0], [0.0], [0.0]], [[far, -far, 0.0], [far, -far, -12.0], [far, -far, -12.0]]],
        [[1.0, 2.0, 1.0], [0.0, 0.0, 0.0]],
        0.0,
        3.0,
    )
    # 2^60 (x + 1) - 2^60 * 2 (- 12): x = 1, and x = 1 + 12 / 2^60 = 1 + 1.04e-17, twice.
    assert result.lower == result.upper == 3 and result.uncertain == 0
    assert result.guarantee is Guarantee.TOLERANCE and result.details["exact_signs"] > 0


def test_equal_crossings_and_duplicates() -> None:
    # At 1/3: four units, two of them the same, one upside down; at 2/3 two of different slopes; and
    # in the second layer a unit that is zero on a whole piece.
    first = [[3.0], [3.0], [-6.0], [0.3], [3.0], [30.0]]
    bias = [-1.0, -1.0, 2.0, -0.1, -2.0, -20.0]
    result = count([first, [[1.0, -1.0, 0, 0, 0, 0], [0, 0, 1.0, 0, 0, 0]]], [bias, [0.0, 0.0]])
    exact = mc.Network.from_arrays(
        [first, [[1.0, -1.0, 0, 0, 0, 0], [0, 0, 1.0, 0, 0, 0]]], [bias, [0.0, 0.0]], output=False
    )
    right = mc.count(exact, mc.Segment([0.0], [1.0]), mc.ExactTree()).lower
    # 0.1 and 0.3 are rounded, so that 0.3 x = 0.1 is a crossing of its own, next to 1/3.
    assert right == 4 and result.lower == result.upper == right


def test_ends_on_a_breakpoint() -> None:
    first, bias = [[1.0], [1.0], [-1.0]], [0.0, -1.0, 1.0]
    assert count([first], [bias]).upper == count([first], [bias]).lower == 1
    assert count([first, [[1.0, 1.0, 1.0]]], [bias, [-1.0]]).is_exact


def test_without_exact_signs_there_is_an_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [[[3.0], [3.0]], [[1.0, -1.0]]], [[-1.0, -1.0 - 2.0**-45], [2.0**-60]]
    assert count(*given).is_exact and count(*given).lower == 3
    monkeypatch.setattr(section, "_CLOSE_WORK", 0)
    result = count(*given)
    assert result.status is Status.UNCERTAIN and result.lower <= 3 <= result.upper


@pytest.mark.parametrize("tolerance", [1e-10, 0.2])
def test_random_graphs_whatever_the_tolerance(tolerance: float) -> None:
    """What is within the tolerance is computed exactly, all else on lines cut at once."""
    wrong = [difference(number, seed=9, tolerance=tolerance) for number in range(30)]
    assert [d for d in wrong if d] == []
