"""The partition of a plane into activation regions."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from milpcount import optional
from milpcount.domain import Domain
from milpcount.errors import OptionError
from milpcount.exact.polygons import polygons
from milpcount.partitions.partition import Partition
from milpcount.plots import style
from milpcount.plots.subjects import Subject, partition_of, plane_of
from milpcount.quantities import Quantity

COLOURS = ("region", "linear_region", "map", "layer")
"""What the colours of a partition may tell apart."""


def draw(
    subject: Subject,
    domain: Domain | None = None,
    points: Sequence[tuple[float, float]] = (),
    labels: Sequence[str] = (),
    colour: str = "region",
) -> Any:
    """Return the figure: every activation region as the polygon it is.

    Regions are counted by the region tree and kept; their corners are computed in rational
    arithmetic.

    Parameters
    ----------
    subject : Network or Partition
    domain : Domain, optional
        Of a network: of two parameters, bounded, e.g. a box of two inputs, or a section.
    points : sequence of (float, float)
        Parameters of points to mark.
    labels : sequence of str
        What to write beside them.
    colour : {"region", "linear_region", "map", "layer"}
        One colour for each activation region, each linear region or
        each affine map; or all in white, and lines coloured by the layer whose units vanish there.

    Raises
    ------
    DomainError
        If the domain is not a bounded plane one.
    OptionError
        If the colour is none of these.
    """
    if colour not in COLOURS:
        raise OptionError(f"colour={colour!r}: give one of {', '.join(COLOURS)}")
    inputs = plane_of(subject, domain)
    found = partition_of(subject, domain)
    network = found.network
    patterns = [tuple(p) for p in found.patterns.tolist()]
    figure, axes = style.figure(size=(5.5, 5.2))
    collections = optional.load("matplotlib.collections")
    shapes = [np.array(p, dtype=float) for p in polygons(network, inputs, patterns)]
    if colour == "layer":
        axes.add_collection(
            collections.PolyCollection(shapes, facecolors="white", edgecolors="none")
        )
        _lines_by_layer(axes, found)
    else:
        face_colours, title = faces(found, colour)
        axes.add_collection(
            collections.PolyCollection(
                shapes, facecolors=face_colours, edgecolors="black", linewidths=0.25
            )
        )
    for (x, y), label in zip(points, labels or [""] * len(points), strict=True):
        axes.plot([x], [y], marker="o", color="white", markeredgecolor="black", markersize=6)
        axes.annotate(label, (x, y), (5, 5), textcoords="offset points", fontsize=9,
                      bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"})  # fmt: skip
    axes.set_xlim(inputs.lower[0], inputs.upper[0])
    axes.set_ylim(inputs.lower[1], inputs.upper[1])
    axes.set_aspect("equal")
    axes.set_xlabel("$t_1$")
    axes.set_ylabel("$t_2$")
    text = f"{network.architecture}, {found.domain.title}: {len(found):,} activation regions"
    if colour in ("linear_region", "map"):
        text += f", {title}"
    axes.set_title(text, fontsize=9)
    return figure


def faces(found: Partition, by: str) -> tuple[list[tuple[float, float, float]], str]:
    """Return the colour of each region, and what they count."""
    patterns = [tuple(p) for p in found.patterns.tolist()]
    widths = found.network.widths
    if by == "region":
        return [colour(pattern, widths) for pattern in patterns], ""
    kind = Quantity.LINEAR_REGIONS if by == "linear_region" else Quantity.AFFINE_PIECES
    labels = found.labels(kind).tolist()
    first: dict[int, tuple[int, ...]] = {}
    for label, pattern in zip(labels, patterns, strict=True):
        first.setdefault(label, pattern)
    return [colour(first[label], widths) for label in labels], f"{len(first):,} {kind.title}"


def _lines_by_layer(axes: Any, found: Partition) -> None:
    """Draw the facets in the colour of the first layer whose units vanish on them."""
    collections = optional.load("matplotlib.collections")

    ends = np.cumsum(found.network.widths)
    lines: list[list[Any]] = [[] for _ in ends]
    for i in range(len(found)):
        corners = found.vertices(i)
        rows = found.rows(i)
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            # The row that both ends are nearest to.
            at = np.abs(rows.A @ a - rows.b) + np.abs(rows.A @ b - rows.b)
            units = rows.units[int(np.argmin(at / np.linalg.norm(rows.A, axis=1)))]
            if units:
                lines[int(np.searchsorted(ends, min(units), side="right"))].append([a, b])
    for number, segments in enumerate(lines):
        label = f"layer {number + 1}"
        axes.add_collection(
            collections.LineCollection(segments, colors=f"C{number}", linewidths=1.0, label=label)
        )
    if len(lines) > 1:
        axes.legend(loc="upper right", fontsize=7)


def colour(pattern: Sequence[int], widths: Sequence[int]) -> tuple[float, float, float]:
    """Return the colour of a pattern: the hue is the first layer's, the lightness the others'.

    Neighbours differ in a unit, hence in colour; the lines between them show where not enough.
    """
    from colorsys import hls_to_rgb

    end = sum(widths[:1])
    first, rest = _unit(pattern[:end]), _unit(pattern[end:])
    active = sum(map(bool, pattern)) / max(1, len(pattern))
    return hls_to_rgb(first, 0.45 + 0.3 * rest + 0.15 * active, 0.55)


def _unit(bits: Sequence[int]) -> float:
    digest = hashlib.sha256(bytes(int(b) for b in bits)).digest()
    return int.from_bytes(digest[:4], "big") / 2**32
