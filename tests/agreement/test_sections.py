"""Lines and planes through many random graph networks, against the exact tree."""

import os

import pytest

from tests.sections.lines import difference

CASES = int(os.environ.get("MILPCOUNT_SECTIONS", "300"))


@pytest.mark.slow
def test_random_graphs() -> None:
    assert [d for number in range(CASES) if (d := difference(number, seed=1))] == []
