"""Figures of lines, planes and trainings."""

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import OptionError
from milpcount.plots import section, style, training

NET = mc.Network.from_arrays(
    [[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]], [[0.0, 0.0, -0.5]], output=False
)
WINDOW = mc.Plane([-1.0, -1.0], [2.0, 0.0], [0.0, 2.0])


def test_cells_cover_the_window() -> None:
    cells = section.cells_of(NET, WINDOW)
    assert len(cells) == mc.count(NET, WINDOW).lower == len({digest for digest, _ in cells})
    area = 0.0
    for _, corners in cells:
        x, y = corners.T
        area += 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
    assert area == pytest.approx(1.0, abs=1e-12)
    stretches = section.cells_of(NET, mc.Segment([-1.0, -1.0], [1.0, 1.0]))
    assert sum(float(np.ptp(corners)) for _, corners in stretches) == pytest.approx(1.0)


def test_figures_are_drawn(tmp_path) -> None:
    for name, domain in (("plane", WINDOW), ("line", mc.Segment([-1.0, 0.5], [1.0, 0.5]))):
        target = tmp_path / f"{name}.png"
        marks = ([(0.5, 0.5)], ["middle"]) if name == "plane" else ()
        style.save(section.draw(NET, domain, None, *marks), target)
        assert target.read_bytes()[:4] == b"\x89PNG"


def test_a_training_and_its_animation(tmp_path) -> None:
    pytest.importorskip("pandas")
    tracker = mc.Tracker({"line": mc.Segment([-1.0, -1.0], [1.0, 1.0]), "plane": WINDOW})
    for step in range(3):
        tracker(step, NET, loss=1.0 / (1 + step))
    figure = training.draw(tracker.frame())
    assert [axes.get_ylabel() for axes in figure.axes] == ["activation regions", "loss"]
    target = tmp_path / "plane.gif"
    section.animate([(f"step {k}", section.cells_of(NET, WINDOW)) for k in range(3)], target)
    from PIL import Image

    with Image.open(target) as image:
        assert image.n_frames >= 1
        # 4.6 inches of 100 dots; versions of matplotlib round 4.6 * 100 differently
        assert image.size in ((460, 460), (459, 459))
    with pytest.raises(OptionError, match=r"\.gif"):
        section.animate([], tmp_path / "plane.mp4")
    with pytest.raises(OptionError, match=r"mc\.track"):
        training.draw(tracker.frame().head(0))


def test_panels_mark_what_they_show() -> None:
    frames = [(f"step {k}", section.cells_of(NET, WINDOW)) for k in range(3)]
    figure = section.panels(frames, [(0.0, 0.0), (50.0, 0.0)], ["in", "out"], columns=2)
    shown, empty = figure.axes[:3], figure.axes[3]
    assert [a.get_title().split(":")[0] for a in shown] == ["step 0", "step 1", "step 2"]
    assert all([t.get_text() for t in a.texts] == ["in"] for a in shown)
    assert not empty.axison and not list(empty.collections)
    with pytest.raises(OptionError, match="at least one"):
        section.panels([])


def test_steps_that_grow_have_room() -> None:
    pytest.importorskip("pandas")
    tracker = mc.Tracker({"window": WINDOW})
    for step in (0, 1, 2, 4, 400):
        tracker(step, NET)
    assert training.draw(tracker.frame()).axes[0].get_xscale() == "symlog"
    even = tracker.frame().assign(step=range(5))
    assert training.draw(even).axes[0].get_xscale() == "linear"
    named = tracker.frame().assign(step=list("abcde"))
    assert training.draw(named).axes[0].get_xscale() == "linear"
