"""Linear regions of hundreds of networks against polygons that are merged exactly."""

import os

import pytest

from tests.partition.two_inputs import difference, networks

COUNT = int(os.environ.get("MILPCOUNT_LINEAR_NETWORKS", "300"))


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_polygons_and_the_region_tree():
    wrong = [d for label, net in networks(COUNT, seed=0) if (d := difference(label, net))]
    assert not wrong
