"""The region tree, exact arithmetic and brute force on hundreds of networks that are no chains."""

import os

import pytest

from tests.graphs import difference, graphs

NETWORKS = int(os.environ.get("GRAPH_NETWORKS", "180"))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(6))
def test_methods_agree_on_graphs(part: int) -> None:
    networks = list(graphs(NETWORKS))[part::6]
    assert [found for case in networks if (found := difference(*case))] == []
