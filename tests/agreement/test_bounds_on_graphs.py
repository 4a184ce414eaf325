"""Upper bounds on a thousand graphs against exact counts, and how much they say."""

import os

import pytest

from tests.bounds.test_graphs import check, summary

GRAPHS = int(os.environ.get("BOUND_GRAPHS", "1000"))


@pytest.mark.slow
def test_no_upper_bound_on_a_graph_is_below_its_count(capsys: pytest.CaptureFixture[str]) -> None:
    found = check(GRAPHS, seed=11)
    with capsys.disabled():
        print(f"\n{summary(found)}")
    assert sum(map(len, found.values())) == GRAPHS
