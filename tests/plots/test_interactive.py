"""Figures that say what is under the mouse."""

import pytest

import milpcount as mc
from milpcount.errors import DomainError, OptionError

pytest.importorskip("plotly", reason="plotly is not installed: pip install 'milpcount[plotly]'")
NET = mc.Network.from_arrays([[[1, 0], [-1, 0], [0, 1]], [[1, 1, 1]]], [[0, 0, 0], [0]])
BOX = mc.Box(-1, 1)


def test_a_partition_has_a_shape_for_each_region(tmp_path):
    part = mc.partition(NET, BOX)
    figure = mc.plot(part, interactive=True, output=tmp_path / "part.html")
    assert len(figure.data) == len(part) == 4
    (at,) = [k for k in range(4) if part.pattern(k) == (1, 0, 1)]
    assert "pattern 101" in figure.data[at].text and "y1 = +1 t1 +1 t2 +0" in figure.data[at].text
    page = (tmp_path / "part.html").read_text(encoding="utf-8")
    assert "<script src=" not in page  # nothing is loaded from elsewhere


def test_a_function_over_a_line_and_over_a_plane():
    line = mc.plot(NET, mc.Segment([-1, 0.5], [1, 0.5]), "function", interactive=True)
    assert len(line.data) == 2
    (surface,) = mc.plot(NET, BOX, "function", interactive=True).data
    assert len(surface.i) == 4 * 2 and max(surface.z) == 2.0 and min(surface.z) == 0.0


def test_counts_and_bounds():
    result = mc.count(NET, BOX)
    (one,) = mc.plot(result, interactive=True).data
    assert one.x[0] == one.x[1] == pytest.approx(0.60206, abs=1e-5)
    two = mc.plot([result, result], interactive=True, labels=("a", "b"))
    assert [trace.y[0] for trace in two.data] == ["a", "b"]
    table = mc.bound(NET, BOX)
    upper, _ = mc.plot(table, interactive=True, result=result).data
    assert len(upper.x) == len(table.upper_bounds)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "boundary"}, "there are partition, function"),
        ({"points": []}, "points"),
        ({"output": "a.pdf"}, "give a name in .html"),
    ],
)
def test_what_there_is_not_is_refused(given, said):
    with pytest.raises(OptionError, match=said):
        mc.plot(NET, BOX, interactive=True, **given)


def test_other_domains_and_subjects_are_refused():
    with pytest.raises(DomainError, match="bounded plane"):
        mc.plot(NET, mc.Unbounded(), interactive=True)
    with pytest.raises(OptionError, match="there are none"):
        mc.plot([], interactive=True)
