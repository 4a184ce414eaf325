"""The region tree against exact arithmetic on thousands of networks of any scale."""

import os

import pytest

from tests.extremes import difference

NETWORKS = int(os.environ.get("EXTREME_NETWORKS", "400"))
"""4,000 take four to five minutes of one core."""


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, NETWORKS, 250))
def test_the_tree_agrees_with_exact_arithmetic(first: int) -> None:
    last = min(first + 250, NETWORKS)
    assert [found for seed in range(first, last) if (found := difference(seed))] == []


@pytest.mark.slow
def test_it_does_on_graphs() -> None:
    found = [difference(seed, skips=True) for seed in range(NETWORKS // 5)]
    assert [text for text in found if text] == []
