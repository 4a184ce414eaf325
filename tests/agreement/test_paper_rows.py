"""Rows of the registry against exact counts, on three hundred random networks each."""

import os

import pytest

from tests.bounds.paper_rows import CHECKS, sparse_average, violations

NETWORKS = int(os.environ.get("ROW_NETWORKS", "150"))


@pytest.mark.slow
@pytest.mark.parametrize("name", CHECKS)
def test_no_violation(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = violations(name, NETWORKS)
    with capsys.disabled():
        print(f"\n{name}: {NETWORKS} networks, {len(wrong)} violations")
    assert not wrong


@pytest.mark.slow
def test_the_mean_of_sparse_networks_is_below_the_expectation() -> None:
    mean, bound = sparse_average(NETWORKS)
    assert 1 < mean <= bound
