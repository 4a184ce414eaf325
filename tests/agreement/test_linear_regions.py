"""Linear regions of hundreds of networks against polygons that are merged exactly."""

import os

import pytest

from tests.partition import union_truth
from tests.partition.two_inputs import classifiers, difference, networks

COUNT = int(os.environ.get("MILPCOUNT_LINEAR_NETWORKS", "300"))


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_polygons_and_the_region_tree():
    wrong = [d for label, net in networks(COUNT, seed=0) if (d := difference(label, net))]
    assert not wrong


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_polygons_and_unions():
    some = enumerate(classifiers(COUNT, seed=1))
    wrong = [d for k, (label, net) in some if (d := union_truth.difference(label, net, k))]
    assert not wrong
