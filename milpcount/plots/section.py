"""Cells of a line or a plane through a network, and how they change over a training."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from milpcount import arguments
from milpcount.counters import section_runs, sectioned_network
from milpcount.counters.section import SectionWalk
from milpcount.domain import Domain
from milpcount.errors import OptionError
from milpcount.plots import style

Cells = Sequence[tuple[bytes, np.ndarray]]


def draw(
    subject: Any,
    domain: Domain,
    method: SectionWalk | None = None,
    points: Sequence[tuple[float, float]] = (),
    labels: Sequence[str] = (),
) -> Any:
    """Return a figure of the cells, each in a colour of its pattern.

    Parameters
    ----------
    subject : Network or torch.nn.Module
    domain : Segment, Plane, or another domain of one or two parameters
    method : SectionWalk, optional
    points : sequence of (float, float)
        Parameters of points to mark, in a plane.
    labels : sequence of str
    """
    cells = cells_of(subject, domain, method)
    flat = cells[0][1].shape[1] == 1
    figure, axes = style.figure(size=(6.4, 1.6) if flat else (5.2, 5.2))
    paint(axes, cells)
    _mark(axes, points, labels)
    axes.set_title(_title(domain.title, cells), fontsize=9)
    return figure


def panels(
    frames: Sequence[tuple[str, Cells]],
    points: Sequence[tuple[float, float]] = (),
    labels: Sequence[str] = (),
    *,
    columns: int = 4,
) -> Any:
    """Return a figure with a panel for each of several sets of cells, e.g. over a training.

    Parameters
    ----------
    frames : sequence of (title, cells)
        As `cells_of` returns them.
    points, labels
        As in `draw`; those that lie outside a panel are left out.
    columns : int
        Panels in a row.

    Raises
    ------
    OptionError
        If there is none.
    """
    if not frames:
        raise OptionError("panels: give at least one (title, cells)")
    columns = min(columns, len(frames))
    rows = -(-len(frames) // columns)
    flat = frames[0][1][0][1].shape[1] == 1
    figure, axes = style.figure(rows, columns, size=(2.4 * columns, (1.1 if flat else 2.7) * rows))
    places, most = np.ravel(axes), max(len(cells) for _, cells in frames)
    for number, ((title, cells), place) in enumerate(zip(frames, places, strict=False)):
        paint(place, cells, most)
        _mark(place, points, labels)
        place.set_title(_title(title, cells), fontsize=9)
        if number < len(frames) - columns:
            place.set_xlabel("")
        if number % columns:
            place.set_ylabel("")
    for place in places[len(frames) :]:
        place.set_axis_off()
    return figure


def _mark(axes: Any, points: Sequence[tuple[float, float]], labels: Sequence[str]) -> None:
    sides = (axes.get_xlim(), axes.get_ylim())
    for point, label in zip(points, labels or [""] * len(points), strict=True):
        if not all(low <= v <= high for v, (low, high) in zip(point, sides, strict=True)):
            continue
        axes.plot(*([v] for v in point), marker="o", color="white", markeredgecolor="black",
                  markersize=6, clip_on=False, zorder=5)  # fmt: skip
        # Inside the panel, whichever side the point is on.
        left, low = (v <= sum(side) / 2 for v, side in zip(point, sides, strict=True))
        axes.annotate(label, point, (6 if left else -6, 6 if low else -6),
                      textcoords="offset points", fontsize=9,
                      ha="left" if left else "right", va="bottom" if low else "top",
                      bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"})  # fmt: skip


def cells_of(subject: Any, domain: Domain, method: SectionWalk | None = None) -> Cells:
    """Return the cells of a network or of a module as it is; see `section_runs.cells_of`."""
    if arguments.is_module(subject):
        from milpcount.sections.torch_program import Traced

        traced = Traced.of(subject, sectioned_network.input_shape(domain))
        return section_runs.cells_of(sectioned_network.of_traced(traced), domain, method)
    network = arguments.network(subject)
    return section_runs.cells_of(sectioned_network.of_network(network), domain, method)


def paint(axes: Any, cells: Cells, most: int = 0) -> None:
    """Draw cells on axes: polygons of a plane, or stretches of a line.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    cells : sequence of (digest, corners)
    most : int
        The most cells in a panel beside it, so that all look alike.
    """
    from matplotlib.collections import PolyCollection

    one = cells[0][1].shape[1] == 1
    shapes = [_stretch(corners) if one else corners for _, corners in cells]
    colours = [colour(digest) for digest, _ in cells]
    # Lines between many small cells would hide them; without one, gaps would shine through.
    width = 0.0 if one else 0.3 * min(1.0, 1500 / max(len(cells), most))
    edges = colours if one or width < 0.1 else "black"
    axes.add_collection(
        PolyCollection(
            shapes,
            facecolors=colours,
            edgecolors=edges,
            linewidths=max(width, 0.1),
            rasterized=len(cells) > 5000,
        )
    )
    every = np.concatenate(shapes)
    low, high = every.min(axis=0), every.max(axis=0)
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_xlabel("$t$" if one else "$s$")
    if one:
        axes.set_yticks([])
        return
    axes.set_aspect("equal")
    axes.set_ylabel("$t$")


def colour(digest: bytes) -> tuple[float, float, float]:
    """Return the colour of a pattern: the same one wherever, and whenever, it is met."""
    from colorsys import hls_to_rgb

    hue, light = digest[:2] or b"\0\0"
    return hls_to_rgb(hue / 256, 0.45 + 0.35 * light / 256, 0.5)


def animate(
    frames: Iterable[tuple[str, Cells]], path: Path, *, per_second: int = 4, size: float = 4.6
) -> None:
    """Write an animation of a plane's cells, e.g. over a training.

    Parameters
    ----------
    frames : iterable of (title, cells)
        As `cells_of` returns them.
    path : Path
        A .gif.
    per_second : int
        Frames.
    size : float
        Inches.

    Raises
    ------
    OptionError
        If the file is none that can be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".gif":
        raise OptionError(f"{path}: an animation is written as .gif, give such a name")
    if not path.parent.is_dir():
        raise OptionError(f"{path}: there is no folder {path.parent}")
    figure, axes = style.figure(size=(size, size))
    from matplotlib.animation import PillowWriter
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    writer = PillowWriter(fps=per_second)
    with writer.saving(figure, str(path), dpi=100):
        for title, cells in frames:
            axes.clear()
            paint(axes, cells)
            axes.set_title(_title(title, cells), fontsize=9)
            writer.grab_frame()


def _title(text: str, cells: Cells) -> str:
    return f"{text}: {len(cells):,} {'region' if len(cells) == 1 else 'regions'}"


def _stretch(corners: np.ndarray) -> np.ndarray:
    a, b = float(corners[0, 0]), float(corners[-1, 0])
    return np.array([[a, 0.0], [b, 0.0], [b, 1.0], [a, 1.0]])
