"""Lines and planes through many random graph networks, against the exact tree."""

import os

import pytest

from tests.sections.lines import difference

CASES = int(os.environ.get("MILPCOUNT_SECTIONS", "300"))


@pytest.mark.slow
def test_random_graphs() -> None:
    assert [d for number in range(CASES) if (d := difference(number, seed=1))] == []


@pytest.mark.slow
@pytest.mark.parametrize("tolerance", [1e-10, 1e-3, 0.3])
def test_random_graphs_with_a_tolerance(tolerance: float) -> None:
    found = (difference(number, seed=2, tolerance=tolerance) for number in range(CASES))
    assert [d for d in found if d] == []
