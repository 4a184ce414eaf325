"""Decision boundaries of hundreds of classifiers against polygons that are cut exactly."""

import os

import pytest

import milpcount as mc
from milpcount.partitions.partition import Partition
from tests.partition.decision_truth import boundary_numbers
from tests.partition.two_inputs import classifiers

COUNT = int(os.environ.get("MILPCOUNT_CLASSIFIERS", "150"))


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_polygons_and_the_region_tree():
    wrong, box = [], mc.Box(-2, 2)
    for label, network in classifiers(COUNT, seed=0):
        expected = boundary_numbers(network, (-2, 2))
        names = ("boundary_regions", "boundary_pieces")
        found = tuple(mc.count(network, box, quantity=name).lower for name in names)
        part = mc.partition(network, box)
        boundary = Partition(network, box, part.result).decision_boundary()  # by linear programs
        again = (len(boundary.cut), int(boundary.is_inside.sum()))
        if not expected == found == again:
            wrong.append(f"{label}: {found}, {again}, by polygons {expected}")
    assert not wrong
