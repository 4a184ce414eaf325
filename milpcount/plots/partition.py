"""The partition of a plane into activation regions."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from milpcount import optional
from milpcount.api import count
from milpcount.counters.region_tree import RegionTree
from milpcount.domain import Domain
from milpcount.exact.polygons import polygons
from milpcount.network import Network
from milpcount.plots import style
from milpcount.result import patterns_of


def draw(
    network: Network,
    domain: Domain,
    points: Sequence[tuple[float, float]] = (),
    labels: Sequence[str] = (),
) -> Any:
    """Return the figure: every region as the polygon it is, coloured by its pattern.

    Regions are counted by the region tree and kept; their corners are computed in rational
    arithmetic.

    Parameters
    ----------
    network : Network
    domain : Domain
        Of two parameters, bounded: a box of two inputs, or a section.
    points : sequence of (float, float)
        Parameters of points to mark.
    labels : sequence of str
        What to write beside them.

    Raises
    ------
    DomainError
        If the domain is not a bounded plane one.
    """
    inputs = domain.bind(network.n_inputs)
    polygons(network, inputs, [])  # complains about the domain before anything is counted
    result = count(network, domain, RegionTree(), keep_regions=True)
    patterns = list(patterns_of(result.regions or []))
    figure, axes = style.figure(size=(5.5, 5.2))
    collections = optional.load("matplotlib.collections")
    shapes = [np.array(p, dtype=float) for p in polygons(network, inputs, patterns)]
    colours = [colour(pattern, network.widths) for pattern in patterns]
    axes.add_collection(
        collections.PolyCollection(shapes, facecolors=colours, edgecolors="black", linewidths=0.25)
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
    axes.set_title(
        f"{network.architecture}, {domain.title}: {result.lower:,} activation regions", fontsize=9
    )
    return figure


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
