"""The partition as an object: geometry, location, neighbours, files."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from scipy.io import loadmat

import milpcount as mc
from milpcount.errors import DomainError, NetworkError, OptionError
from tests.networks import random_network
from tests.partition.two_inputs import networks

BOX = mc.Box(-1, 1)


def with_output(seed, n_inputs, widths, n_outputs=2):
    random = np.random.default_rng(seed)
    sizes = [n_inputs, *widths, n_outputs]
    weights = [random.normal(size=(b, a)) for a, b in pairwise(sizes)]
    return mc.Network.from_arrays(weights, [0.3 * random.normal(size=b) for b in sizes[1:]])


@pytest.fixture(scope="module")
def plane():
    return mc.partition(with_output(0, 2, (7, 5)), BOX)


def test_regions_have_points_maps_and_rows(plane):
    network = plane.network
    assert len(plane) == mc.count(network, BOX).lower > 20
    for i in range(len(plane)):
        x = plane.point(i)
        assert tuple(network.pattern(x)) == plane.pattern(i)
        slopes, offset = plane.affine_map(i)
        np.testing.assert_allclose(slopes @ x + offset, network(x), atol=1e-12)
        every, few = plane.rows(i, irredundant=False), plane.rows(i)
        assert (every.A @ x < every.b).all() and len(few) <= len(every)
        corners = plane.vertices(i)
        assert len(corners) == len(few)  # in the plane there are as many corners as sides
        assert (corners @ every.A.T <= every.b + 1e-9).all()
        centre, radius = plane.ball(i)
        room = (few.b - few.A @ centre) / np.linalg.norm(few.A, axis=1)
        assert radius > 0 and abs(room.min() - radius) < 1e-9
        assert plane.is_bounded(i)


def test_units_of_facets_vanish_there(plane):
    exact = plane._cells.exact
    for i in range(len(plane)):
        rows = plane.rows(i, exact=True)
        for normal, b, units in zip(rows.A, rows.b, rows.units, strict=True):
            for unit in units:
                layer = int(np.searchsorted(exact.starts, unit, side="right")) - 1
                own = exact.unit_rows(layer, unit - exact.starts[layer], plane.pattern(i))
                values = own.values[0]
                row = np.array([b, *(-normal)], dtype=object)
                assert (np.outer(values, row) == np.outer(row, values)).all()


def test_volumes_add_up(plane):
    assert abs(sum(plane.volume(i) for i in range(len(plane))) - 4) < 1e-9
    line = mc.partition(random_network(3, 1, (6, 4)), mc.Box(-2, 3))
    assert abs(sum(line.volume(i) for i in range(len(line))) - 5) < 1e-12
    space = mc.partition(random_network(4, 3, (6, 4)), mc.Box(0, 1))
    assert abs(sum(space.volume(i) for i in range(len(space))) - 1) < 1e-9


def test_a_region_too_thin_for_float64_has_a_volume():
    network = mc.Network.from_arrays([[[1, 0], [1, 0]]], [[0.25, 0.25 + 2.0**-50]], output=False)
    found = mc.partition(network, BOX)
    volumes = sorted(found.volume(i) for i in range(len(found)))
    assert volumes[0] == pytest.approx(2.0**-49, rel=1e-6) and abs(sum(volumes) - 4) < 1e-9


def test_location_agrees_with_evaluation(plane):
    points = np.random.default_rng(1).uniform(-1, 1, size=(5000, 2))
    where = plane.locate(points)
    assert (plane.patterns[where] == plane.network.pattern(points)).all()
    assert plane.locate([[2, 0], [0, np.nextafter(1.0, 2)]]).tolist() == [-1, -1]
    assert plane.locate(np.zeros((2, 3, 2))).shape == (2, 3)
    for i in range(0, len(plane), 5):
        for x in plane.vertices(i):  # rounded, they are next to a boundary
            k = int(plane.locate(x))
            if k >= 0:
                rows = plane.rows(k, irredundant=False)
                assert (rows.A @ x <= rows.b + 1e-12).all()


def test_points_on_boundaries_get_a_region_that_holds_them():
    # the origin has the pattern (0, 0), which is that of no region
    network = mc.Network.from_arrays([[[1.0], [-1.0]]], [[0.0, 0.0]], output=False)
    found = mc.partition(network, BOX)
    assert sorted(found.locate([[-1.0], [0.0], [1.0]]).tolist())[0] >= 0
    four = mc.Network.from_arrays(
        [[[1, 1], [-1, -1], [1, -1], [-1, 1]]], [[0, 0, 0, 0]], output=False
    )
    found = mc.partition(four, BOX)
    assert len(found) == 4
    for x in ([0, 0], [0.5, 0.5], [0.25, -0.25], [1, 1], [-1, 1]):
        i = int(found.locate(x))
        rows = found.rows(i, exact=True)
        assert all(a @ np.array(x) <= b for a, b in zip(rows.A, rows.b, strict=True))


def test_section_and_fixed_inputs():
    network = random_network(2, 3, (5, 4))
    fixed = mc.partition(network, mc.Box([0, 0.5, -1], [1, 0.5, 1]))
    assert fixed.inputs.dimension == 2
    points = np.random.default_rng(0).uniform([0, 0.5, -1], [1, 0.5, 1], size=(200, 3))
    assert (fixed.patterns[fixed.locate(points)] == network.pattern(points)).all()
    assert fixed.locate([0.5, 0.25, 0]) == -1
    section = mc.partition(network, mc.Section([0, 0, 0], [[1, 1, 0], [0, 1, 1]], mc.Box(0, 1)))
    assert abs(sum(section.volume(i) for i in range(len(section))) - 1) < 1e-9
    assert section.locate([0.25, 0.75, 0.5]) >= 0 and section.locate([0.25, 0.7, 0.5]) == -1


def test_neighbours_by_every_pair():
    for label, network in networks(6, 31):
        found = mc.partition(network, mc.Box(-2, 2))
        graph, cells = found.neighbours().graph.toarray(), found._cells
        for i in range(len(found)):
            for j in range(i):
                mine = {p.row for p in cells.hyperplanes(found.pattern(i))}
                meet = any(
                    tuple(-v for v in p.row) in mine
                    and cells.share_facet(found.pattern(j), found.pattern(i), p.row)
                    for p in cells.hyperplanes(found.pattern(j))
                )
                assert graph[i, j] == graph[j, i] == meet, label


def test_average_degree_of_generic_networks():
    for n in (1, 2, 3):
        found = mc.partition(random_network(5, n, (6, 4)), mc.Unbounded())
        assert 0 < found.neighbours().degrees.mean() <= 2 * n


def test_labels(plane):
    assert plane.labels("activation_regions").tolist() == list(range(len(plane)))
    random = np.random.default_rng(0)
    network = mc.Network.from_arrays(
        [random.normal(size=(6, 2)), random.normal(size=(3, 6)), [[1, 1, 1]]],
        [random.normal(size=6), random.normal(size=3) - 2, [0]],
    )
    found = mc.partition(network, BOX)
    for name in ("linear_regions", "closed_linear_regions", "affine_pieces"):
        labels = found.labels(name)
        assert set(labels.tolist()) == set(range(mc.count(network, BOX, quantity=name).lower))
        for label in set(labels.tolist()):
            maps = [found.affine_map(i, exact=True) for i in np.flatnonzero(labels == label)]
            assert all((c == maps[0][0]).all() and (d == maps[0][1]).all() for c, d in maps)
    assert isinstance(found.affine_map(0, exact=True)[1][0], Fraction)


def test_bounded_and_unbounded_regions():
    # three lines in general position: a triangle and six unbounded regions
    network = mc.Network.from_arrays([[[1, 0], [0, 1], [1, 1]]], [[0, 0, -1]], output=False)
    found = mc.partition(network, mc.Unbounded())
    assert found.bounded.tolist().count(True) == 1 and len(found) == 7
    (triangle,) = np.flatnonzero(found.bounded).tolist()
    assert sorted(map(tuple, found.vertices(triangle).tolist())) == [(0, 0), (0, 1), (1, 0)]
    assert found.volume(triangle) == pytest.approx(0.5)
    other = 1 - min(triangle, 1) if triangle == 0 else 0
    assert found.volume(other) == np.inf
    with pytest.raises(OptionError, match="not bounded"):
        found.vertices(other)
    assert found.histogram.tolist() == [1, 2, 3, 1] or found.histogram.sum() == 7
    half = mc.partition(network, mc.Polytope([[-1, 0], [0, -1]], [0, 0]))
    assert sorted(half.bounded.tolist()) == [False, True]


def test_a_half_plane_has_balls_of_any_size():
    network = mc.Network.from_arrays([[[1.0, 0.0]]], [[0.0]], output=False)
    found = mc.partition(network, mc.Unbounded())
    assert found.ball(0)[1] == np.inf and not found.bounded.any()


def test_conditions_on_inputs_and_outputs(plane):
    points = np.random.default_rng(2).uniform(-1, 1, size=(4000, 2))
    where, values = plane.locate(points), plane.network(points)
    left = set(plane.where([[1.0, 0.0]], [-0.5]).tolist())
    assert set(where[points[:, 0] <= -0.5].tolist()) <= left < set(range(len(plane)))
    level = float(np.median(values[:, 0]))
    low = set(plane.where([[1.0, 0.0]], [level], on="outputs").tolist())
    assert set(where[values[:, 0] <= level].tolist()) <= low
    assert plane.where([[1.0, 0.0]], [-2.0]).size == 0
    with pytest.raises(OptionError, match="must have shape"):
        plane.where([[1.0]], [0.0])


def test_files(plane, tmp_path):
    path = tmp_path / "plane.npz"
    mc.save_partition(plane, path)
    again = mc.load_partition(path, plane.network)
    assert again == plane and again.result.lower == len(plane)
    with pytest.raises(NetworkError):
        mc.load_partition(path, with_output(9, 2, (7, 5)))
    plane.export(tmp_path / "law.mat")
    law = loadmat(tmp_path / "law.mat")
    points = np.random.default_rng(3).uniform(-1, 1, size=(1000, 2))
    expected, read = plane.network(points), np.full((1000, 2), np.nan)
    for A, b, C, d in zip(law["A"][:, 0], law["b"][:, 0], law["C"][:, 0], law["d"][:, 0],
                          strict=True):  # fmt: skip
        inside = (points @ A.T <= b[:, 0]).all(axis=1)
        read[inside] = points[inside] @ C.T + d[:, 0]
    np.testing.assert_allclose(read, expected, atol=1e-12)
    plane.export(tmp_path / "law.json")
    with pytest.raises(OptionError, match=r"\.mat or \.json"):
        plane.export(tmp_path / "law.txt")


def test_a_table(plane):
    frame = plane.to_frame()
    assert len(frame) == len(plane)
    assert frame["pattern"][0] == "".join(map(str, plane.pattern(0)))
    assert frame["active"].sum() == plane.active_units.sum()
    np.testing.assert_array_equal(frame[["x0", "x1"]].to_numpy()[3], plane.point(3))


def test_what_is_no_partition():
    network = with_output(0, 2, (7, 5))
    with pytest.raises(OptionError, match="not complete"):
        mc.partition(network, BOX, limits=mc.Limits(regions=3))
    with pytest.raises(DomainError, match="no convex set"):
        mc.partition(network, mc.Union([mc.Box(0, 1), mc.Box(1, 2)]))


def test_the_stream_yields_each_region_once():
    network = with_output(0, 2, (7, 5))
    found = [region.pattern for region in mc.regions(network, BOX)]
    assert len(found) == len(set(found)) == mc.count(network, BOX).lower
    assert len(list(mc.regions(network, BOX, limits=mc.Limits(regions=5)))) == 5
    some = mc.regions(network, mc.Union([mc.Box(-1, 0), mc.Box(-0.5, 1)]), mc.ExactTree())
    patterns = [region.pattern for region in some]
    assert len(patterns) == len(set(patterns)) > 5
    with pytest.raises(OptionError, match="names no regions"):
        list(mc.regions(network, BOX, mc.Probing()))


def test_a_network_without_units():
    network = mc.Network.from_arrays([[[1.0, 2.0]]], [[0.5]])
    found = mc.partition(network, BOX)
    assert len(found) == 1 and found.locate([0.0, 0.0]) == 0 and found.volume(0) == 4
    assert found.neighbours().pairs.shape == (0, 2) and found.linear_regions().tolist() == [0]
