"""What a partition shows of itself in a notebook: facts, and a picture where it is of a plane."""

from typing import TYPE_CHECKING

from milpcount.exact.polygons import polygons
from milpcount.printable import html_table

if TYPE_CHECKING:
    from milpcount.partitions.partition import Partition

MOST_DRAWN = 500
"""Regions up to which the picture is drawn: their corners are computed in rational arithmetic."""
_PIXELS = 260
_TURN = 137.508
"""Degrees of hue between one region and the next: the golden angle, which never comes back."""


def rows(part: "Partition") -> list[tuple[str, str]]:
    """Return the partition as (name, text) pairs for people."""
    network = part.network
    return [
        ("partition", f"{len(part):,} activation regions"),
        ("network", network.title),
        ("domain", part.domain.title),
        ("dimension", f"{part.inputs.dimension}"),
        ("units", f"{network.n_units:,} in {len(network.widths)} layers"),
        ("guarantee", part.result.guarantee.value),
    ]


def html(part: "Partition") -> str:
    """Return the facts as a table, and of a bounded plane the picture beside it."""
    inputs = part.inputs
    if inputs.dimension != 2 or not inputs.is_boxed or len(part) > MOST_DRAWN:
        return html_table(rows(part))
    picture = _svg(part)
    return (
        "<div style='display:flex;flex-wrap:wrap;gap:1em;align-items:center'>"
        f"{picture}{html_table(rows(part))}</div>"
    )


def _svg(part: "Partition") -> str:
    low, width = part.inputs.lower, part.inputs.width
    shapes = polygons(part.network, part.inputs, (part.pattern(i) for i in range(len(part))))
    drawn = []
    for i, corners in enumerate(shapes):
        # Upwards is up, in pixels: an SVG's y goes down.
        points = " ".join(
            f"{(float(x) - low[0]) / width[0] * _PIXELS:.2f},"
            f"{(1 - (float(y) - low[1]) / width[1]) * _PIXELS:.2f}"
            for x, y in corners
        )
        drawn.append(
            f"<polygon points='{points}' fill='hsl({i * _TURN % 360:.0f},60%,75%)'>"
            f"<title>region {i}</title></polygon>"
        )
    return (
        f"<svg width='{_PIXELS}' height='{_PIXELS}' viewBox='0 0 {_PIXELS} {_PIXELS}' "
        f"role='img' stroke='black' stroke-width='0.5'>{''.join(drawn)}</svg>"
    )
