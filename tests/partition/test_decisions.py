"""The decision boundary: regions that it cuts, its pieces, against polygons cut exactly."""

from dataclasses import replace

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import OptionError
from milpcount.network import Dense
from milpcount.network.activation import piecewise_linear
from milpcount.network.decision import n_outputs, with_decision
from milpcount.partitions.partition import Partition
from tests.partition.decision_truth import boundary_numbers, boundary_of
from tests.partition.two_inputs import classifiers

QUANTITIES = ("boundary_regions", "boundary_pieces")
METHODS = (mc.RegionTree(), mc.ExactTree(), mc.BruteForce(), mc.SolutionPool())
BOX = mc.Box(-1, 1)


def classifier(weight, bias, hidden=((1.0, 0.0), (-1.0, 0.0))):
    """Return ReLU(x), ReLU(-x) and an affine output."""
    return mc.Network.from_arrays([hidden, weight], [np.zeros(len(hidden)), bias])


def two_numbers(network, domain=BOX, method=None, **options):
    found = []
    for name in QUANTITIES:
        result = mc.count(network, domain, method, quantity=name, **options)
        assert result.is_exact and result.status is mc.Status.COMPLETE, str(result)
        found.append(result.lower)
    return tuple(found)


def test_counts_against_polygons():
    for label, network in classifiers(40, 5):
        assert two_numbers(network, mc.Box(-2, 2)) == boundary_numbers(network, (-2, 2)), label


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_every_method_and_its_proof(method, tmp_path):
    for label, network in classifiers(5, 9):
        expected = dict(zip(QUANTITIES, boundary_numbers(network, (-2, 2)), strict=True))
        for name, number in expected.items():
            result = mc.count(network, mc.Box(-2, 2), method, quantity=name, keep_regions=True)
            assert result.lower == result.upper == number, label
            assert result.fingerprint == network.fingerprint
            proof = result.verify()
            assert proof and proof.sets == number
            path = tmp_path / "cells.npz"
            mc.save_regions(result, path)
            again = mc.load_regions(path, network)
            assert again.verify() == proof
            assert not replace(result, lower=number + 1, upper=number + 1).verify()


def test_pieces_of_a_partition_against_polygons():
    between = 0
    for number, (label, network) in enumerate(classifiers(24, 3)):
        threshold = (0.0, 0.5, -1.0)[number % 3] if n_outputs(network) == 1 else 0.0
        cut, inside, along = boundary_of(network, (-2, 2), threshold)
        part = mc.partition(network, mc.Box(-2, 2))
        found = part.decision_boundary(threshold)
        # without a method to count the cells by, they are found by linear programs
        alone = Partition(network, part.domain, part.result).decision_boundary(threshold)
        assert alone.decisions == found.decisions, label
        assert np.array_equal(alone.regions, found.regions)
        assert np.array_equal(alone.outputs, found.outputs)
        ends = found.segments()
        length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
        assert len(found.cut) == cut, label
        np.testing.assert_allclose(sorted(length[found.is_inside]), sorted(inside))
        np.testing.assert_allclose(sorted(length[~found.is_inside]), sorted(along))
        between += len(along)
    assert between > 3


def test_outputs_tie_on_every_piece():
    network = next(net for label, net in classifiers(40, 11) if label.endswith("of 4"))
    found = mc.partition(network, mc.Box(-2, 2)).decision_boundary()
    assert len(found) > 3
    for (a, b), ends in zip(found.outputs, found.segments(), strict=True):
        for x in (*ends, ends.mean(axis=0)):
            values = network(x)
            np.testing.assert_allclose(values[[a, b]], values.max(), atol=1e-9)


def test_equal_outputs_are_one():
    # two identical rows of weights tie on all of every region, and make no boundary
    same = classifier([[1.0, 2.0], [1.0, 2.0]], [0.5, 0.5])
    assert two_numbers(same) == (0, 0)
    boundary = mc.partition(same, BOX).decision_boundary()
    assert len(boundary) == 0 and boundary.decisions == ((0,), (0,))
    # a third output above them for x > 0.5: one piece, not two
    third = classifier([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]], [0.5, 0.5, 0.0])
    assert two_numbers(third) == (1, 1)
    boundary = mc.partition(third, BOX).decision_boundary()
    assert boundary.outputs.tolist() == [[0, 2]]
    assert sorted(boundary.decisions) == [(0,), (0, 2)]


def test_a_tie_on_a_whole_region():
    # outputs x+ and 0: equal for x < 0, where 1 comes after 0, and 0 > 1 beyond: one decision
    assert two_numbers(classifier([[1.0, 0.0], [0.0, 0.0]], [0, 0])) == (0, 0)
    # in the other order the decision changes on the facet x = 0, inside of no region
    turned = classifier([[0.0, 0.0], [1.0, 0.0]], [0, 0])
    assert two_numbers(turned) == (0, 0)
    boundary = mc.partition(turned, BOX).decision_boundary()
    assert boundary.outputs.tolist() == [[0, 1]] and not boundary.is_inside.any()
    np.testing.assert_allclose(boundary.segments(), [[[0, -1], [0, 1]]])


def test_a_boundary_along_a_facet_cuts_no_region():
    network = classifier([[1.0, 0.0], [0.0, 1.0]], [0, 0])  # ReLU(x) against ReLU(-x)
    assert two_numbers(network) == (0, 0)
    assert two_numbers(network, method=mc.ExactTree()) == (0, 0)
    boundary = mc.partition(network, BOX).decision_boundary()
    assert boundary.regions.tolist() == [[0, 1]] and len(boundary.cut) == 0


def test_a_boundary_that_touches_a_region_in_a_corner_only():
    # |x| + |y| - 1 against 0 on [-1, 0] x [-1, 0] and beyond: corners of the diamond on x = 0
    weights = [[1, 0], [-1, 0], [0, 1], [0, -1]]
    network = mc.Network.from_arrays([weights, [[1, 1, 1, 1]]], [np.zeros(4), [-1]])
    assert two_numbers(network) == (4, 4)
    corner = mc.Box([0, 1], [1, 2])  # touched in (0, 1)
    assert two_numbers(network, corner) == (0, 0)
    assert len(mc.partition(network, corner).decision_boundary()) == 0
    assert two_numbers(network, mc.Unbounded()) == (4, 4)


def test_three_decisions_in_one_region():
    # 0, x and y have three pieces; x, 0 and -x + y do too; 0, x - 1/2 and 2x - 2 meet two by two
    linear = mc.Network.from_arrays([[[0, 0], [1, 0], [0, 1]]], [[0, 0, 0]])
    assert two_numbers(linear) == (1, 3)
    steps = mc.Network.from_arrays([[[0, 0], [1, 0], [3, 0]]], [[0, 0, -1]])
    assert two_numbers(steps) == (1, 2)
    assert two_numbers(steps, method=mc.ExactTree()) == (1, 2)
    boundary = mc.partition(steps, BOX).decision_boundary()
    assert boundary.outputs.tolist() == [[0, 1], [1, 2]] and boundary.decisions == ((0, 1, 2),)


def test_dimensions():
    on_line = mc.Section([0, 0.5], [[1, 0]], BOX)
    network = classifier([[1.0, 1.0], [0.0, 0.0]], [0, 0.25])  # |x| against 1/4
    assert two_numbers(network, on_line) == (2, 2)
    boundary = mc.partition(network, on_line).decision_boundary()
    assert sorted(boundary.corners(k).item() for k in range(2)) == [-0.25, 0.25]
    space = mc.Network.from_arrays([np.eye(3), [[1, 1, 1], [0, 0, 0]]], [np.zeros(3), [0, 1]])
    assert two_numbers(space, BOX) == two_numbers(space, BOX, mc.ExactTree()) == (4, 4)
    boundary = mc.partition(space, BOX).decision_boundary()
    sizes = sorted(len(boundary.corners(k)) for k in range(len(boundary)))
    assert sizes == [3, 4, 4, 4]  # a triangle, and squares below it
    rows = boundary.halfspaces(0)
    assert all((rows.A @ x <= rows.b + 1e-12).all() for x in boundary.corners(0))
    with pytest.raises(OptionError, match="plane"):
        boundary.segments()
    endless = mc.partition(network, mc.Unbounded()).decision_boundary()
    assert len(endless) == 2
    with pytest.raises(OptionError, match="bounded domains"):
        endless.segments()


def test_one_ulp_makes_a_boundary():
    up = np.nextafter(1.0, 2.0)
    assert two_numbers(classifier([[1.0, 1.0], [1.0, 1.0]], [0, 0])) == (0, 0)
    assert two_numbers(classifier([[1.0, 1.0], [up, 1.0]], [0, 0])) == (0, 0)  # 1 for all x > 0
    tilted = classifier([[1.0, 1.0], [up, 1.0]], [2.0**-53, 0])  # from x = 1/2 on
    assert two_numbers(tilted) == two_numbers(tilted, method=mc.ExactTree()) == (1, 1)


def test_thresholds_are_exact():
    network = mc.Network.from_arrays([[[1.0, 0.0]]], [[0.1]])
    cut = with_decision(network, 0.1 + 2.0**-40)
    assert mc.count(cut, mc.Box(-(2.0**-41), 1)).lower == 2
    assert mc.count(cut, mc.Box(-1, 2.0**-41)).lower == 1
    with pytest.raises(OptionError, match="single output"):
        with_decision(classifier(np.eye(2), [0, 0]), 0.5)
    with pytest.raises(OptionError, match="finite"):
        mc.partition(network, BOX).decision_boundary(np.nan)


def test_limits_keep_bounds():
    random = np.random.default_rng(4)
    network = mc.Network.from_arrays(
        [random.normal(size=(12, 3)), random.normal(size=(4, 12))],
        [random.normal(size=12), np.zeros(4)],
    )
    for name in QUANTITIES:
        whole = mc.count(network, BOX, quantity=name)
        some = mc.count(network, BOX, mc.ExactTree(), quantity=name, limits=mc.Limits(regions=5),
                        keep_regions=True)  # fmt: skip
        assert some.status is mc.Status.REGION_LIMIT
        assert 5 <= some.lower <= whole.lower <= some.upper
        assert some.verify().sets >= some.lower
    assert whole.details["boundary_regions"] < whole.lower
    assert whole.details["activation_regions"] == mc.count(network, BOX).lower


def test_what_is_refused():
    network = classifier(np.eye(2), [0, 0])
    for name in QUANTITIES:
        with pytest.raises(OptionError, match="cannot count"):
            mc.count(network, BOX, mc.Probing(), quantity=name)
    wide = mc.Network((), Dense(np.zeros((513, 2)), np.zeros(513)))
    with pytest.raises(OptionError, match="at most 512"):
        mc.count(wide, BOX, quantity="boundary_regions")
    step = piecewise_linear([0.0], [0.0, 0.0], [0.0, 1.0])
    jump = mc.Network.from_arrays([[[1.0, 0.0]]], [[0.0]], output=False, activation=step)
    assert mc.count(jump, BOX, quantity="boundary_regions").lower == 0
    with pytest.raises(OptionError, match="continuous"):
        mc.partition(jump, BOX).decision_boundary()


def test_bounds_speak_of_boundary_regions():
    network = classifier(np.eye(2), [0, 0])
    table = mc.bound(network, BOX, quantity="boundary_regions")
    assert table.quantity is mc.Quantity.BOUNDARY_REGIONS
    with pytest.raises(OptionError, match="no theorem bounds boundary_pieces"):
        mc.bound(network, BOX, quantity="boundary_pieces")


def of_seven_inputs(number):
    """A classifier; with ties on whole regions, and outputs that are the mean of two others."""
    random = np.random.default_rng([5, number])
    width, outputs = int(random.integers(2, 6)), int(random.integers(3, 7))
    weights = [random.integers(-2, 3, size=shape).astype(float)
               for shape in ((width, 7), (outputs, width))]  # fmt: skip
    biases = [random.integers(-1, 2, size=n).astype(float) for n in (width, outputs)]
    for table in weights[1], biases[1]:
        if number % 3 == 1:
            table[0] = table[1]
        if number % 3 == 2:
            table[2] = (table[0] + table[1]) / 2
    return mc.Network.from_arrays(weights, biases)


def test_the_search_and_linear_programs_find_the_same_pieces():
    """With more than a few inputs facets are found by the tree's search of orders of outputs."""
    every = 0
    for number in range(6):
        network = of_seven_inputs(number)
        one, other = (mc.count(network, BOX, method, quantity="boundary_pieces").lower
                      for method in (mc.RegionTree(), mc.ExactTree()))  # fmt: skip
        assert one == other, number
        every += one
    assert every > 20


def test_a_partition_from_a_file_has_the_same_boundary(tmp_path):
    for number, (_, network) in enumerate(classifiers(4, seed=8)):
        whole = mc.partition(network, BOX)
        mc.save_partition(whole, tmp_path / f"{number}.npz")
        again = mc.load_partition(tmp_path / f"{number}.npz", network)
        alone = Partition(network, BOX, whole.result)  # by linear programs, region by region
        one = whole.decision_boundary()
        for other in again.decision_boundary(), alone.decision_boundary():
            assert other.decisions == one.decisions
            assert np.array_equal(other.regions, one.regions)
            assert np.array_equal(other.outputs, one.outputs)
