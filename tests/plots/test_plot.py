"""One verb for all figures: what it draws of what, and what it refuses."""

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import DomainError, InputError
from milpcount.plots import counts

NET = mc.Network.from_arrays(
    [[[1, 0], [-1, 0], [0, 1]], [[1, 0, 0], [0, 1, 0], [0, 0, 1]]], [[0, 0, 0], [0, 0, -0.25]]
)
BOX = mc.Box(-1, 1)


@pytest.fixture(scope="module")
def part():
    return mc.partition(NET, BOX)


@pytest.mark.parametrize("kind", [None, "partition", "function", "boundary", "histogram"])
def test_a_partition(part, kind, tmp_path):
    target = tmp_path / "figure.png"
    figure = mc.plot(part, kind=kind, output=target)
    assert target.read_bytes()[:4] == b"\x89PNG"
    assert "4" in figure.axes[0].get_title()


def test_the_boundary_is_drawn_along_facets_too(part):
    (axes,) = mc.plot(part, kind="boundary").axes
    faces, edges, lines = axes.collections
    assert len(edges.get_paths()) == len(part) == 4
    assert len(faces.get_paths()) == 6  # two regions are cut
    ends = sorted(np.sort(np.array(s), axis=0).ravel().tolist() for s in lines.get_segments())
    boundary = part.decision_boundary()
    assert len(ends) == len(boundary) == 4 and boundary.is_inside.sum() == 2
    # along x = 0 the decision is 0 or 1 below y = 1/4, and 2 above
    assert [-1, 0] in [e[:2] for e in ends] or [0, -1] in [e[:2] for e in ends]


def test_the_threshold_of_one_output(part):
    one = mc.Network.from_arrays([[[1.0, 0.0]]], [[0.0]])
    (axes,) = mc.plot(one, BOX, "boundary", threshold=0.5).axes
    (segment,) = axes.collections[2].get_segments()
    np.testing.assert_allclose(sorted(map(tuple, segment)), [(0.5, -1), (0.5, 1)])
    with pytest.raises(InputError, match="single output"):
        mc.plot(part, kind="boundary", threshold=0.5)


def test_lines_planes_and_spaces(part):
    line = mc.Segment([-1, 0.5], [1, 0.5])
    assert mc.plot(NET, line).axes[0].get_xlabel() == "$t$"
    assert len(mc.plot(NET, line, "function").axes[0].get_lines()) > 3
    assert mc.plot(NET, mc.Plane([-1, -1], [2, 0], [0, 2])).axes[0].get_ylabel() == "$t$"
    across = mc.Section([0, 0], [[1, 1]], BOX)
    assert mc.plot(mc.partition(NET, across)).axes[0].get_xlabel() == "$t$"
    space = mc.Network.from_arrays([np.eye(3)], [[0, 0, 0]], output=False)
    bars = mc.plot(space, BOX).axes[0].patches
    assert [bar.get_height() for bar in bars] == [1, 3, 3, 1]


def test_a_page(part, tmp_path):
    target = tmp_path / "page.html"
    text = mc.plot(part, output=target, colour="map")
    assert target.read_text() == text and text.count("<polygon ") == 4


def test_counts_and_bounds():
    result = mc.count(NET, BOX, keep_regions=True)
    stopped = mc.count(NET, BOX, mc.ExactTree(), limits=mc.Limits(regions=1))
    (axes,) = mc.plot([result, stopped]).axes
    assert [t.get_text() for t in axes.get_yticklabels()] == ["tree", "exact"]
    texts = [t.get_text() for t in axes.texts]
    assert texts == ["4", f"1 to {stopped.upper:,}"]
    (axes,) = mc.plot({"a": result, "b": stopped}).axes
    assert [t.get_text() for t in axes.get_yticklabels()] == ["a", "b"]
    bars = mc.plot(result, kind="histogram").axes[0].patches
    assert sum(bar.get_height() for bar in bars) == 4
    table = mc.bound(NET, BOX)
    (axes,) = mc.plot(table, result=result).axes
    assert len(axes.patches) >= len(table.upper_bounds) + len(table.best_network_bounds)
    with pytest.raises(InputError, match="count of the same"):
        mc.plot(table, result=mc.count(NET, BOX, quantity="affine_pieces"))


def test_counts_beyond_float64():
    assert counts.log_axis(0) == counts.log_axis(1) == 0
    assert counts.log_axis(10**18) == pytest.approx(18)
    assert counts.log_axis(10**5000) == pytest.approx(5000)


def test_a_sweep_and_a_training(store):
    for kind in ("bounds", "runtime", "accuracy"):
        assert mc.plot(store, kind=kind).axes
        assert mc.plot(store.path, kind=kind).axes
    pytest.importorskip("pandas")
    table = mc.track(enumerate([NET, NET]), {"line": mc.Segment([-1, 0], [1, 0])})
    assert mc.plot(table, beside=()).axes[0].get_ylabel() == "activation regions"


@pytest.mark.parametrize(
    ("arguments", "options", "line"),
    [
        ((NET,), {}, "give one, e.g. mc.Box"),
        ((NET, BOX, "bounds"), {}, "there are partition, function, boundary, histogram"),
        ((NET, BOX), {"size": 3}, "unexpected keyword argument 'size'"),
        ((NET, BOX), {"colour": "blue"}, "region, linear_region, map, layer"),
        ((NET, BOX, "boundary"), {"output": "figure.html"}, "ends in .pdf"),
        ((NET, BOX), {"output": "figure.jpg"}, ".pdf, .svg, .png"),
        ((3,), {}, "no figure of a int"),
        (([],), {}, "no figure of a list"),
        (("none.jsonl",), {}, "no such store"),
        (([], BOX), {}, "belongs to a network"),
    ],
)
def test_what_is_refused(arguments, options, line):
    with pytest.raises(InputError, match=line):
        mc.plot(*arguments, **options)


def test_domains_that_are_no_bounded_plane(part):
    with pytest.raises(DomainError, match="is not bounded"):
        mc.plot(NET, mc.Unbounded(), "boundary")
    with pytest.raises(DomainError, match="dimension 1"):
        mc.plot(NET, mc.Section([0, 0], [[1, 1]], BOX), "partition")
    with pytest.raises(InputError, match="its own domain"):
        mc.plot(part, BOX)
