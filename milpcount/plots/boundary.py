"""The decision boundary of a classifier over its partition of a plane."""

from typing import Any

import numpy as np

from milpcount import optional
from milpcount.api import partition
from milpcount.domain import Domain
from milpcount.exact.polygons import polygons
from milpcount.network.decision import with_decision
from milpcount.plots import style
from milpcount.plots.subjects import Subject, partition_of, plane_of

_LIGHT = 0.65
"""How far faces are on the way from a decision's colour to white."""


def draw(subject: Subject, domain: Domain | None = None, threshold: float = 0.0) -> Any:
    """Return the figure: a colour for each decision, thin lines between activation regions.

    The boundary is drawn from the exact ends of its pieces, those along facets included.

    Parameters
    ----------
    subject : Network or Partition
        A classifier: the largest output decides.
    domain : Domain, optional
        Of a network: of two parameters, bounded.
    threshold : float
        Of a single output, which decides 1 above it.

    Raises
    ------
    DomainError
        If the domain is not a bounded plane one.
    OptionError
        If a unit is not continuous, or the threshold does not fit.
    """
    inputs = plane_of(subject, domain)
    found = partition_of(subject, domain)
    boundary = found.decision_boundary(threshold)
    decided = with_decision(found.network, threshold)
    cells = partition(decided, found.domain).patterns
    shapes = _polygons(decided, inputs, cells)
    decisions = cells[:, -1]
    figure, axes = style.figure(size=(5.5, 5.2))
    collections = optional.load("matplotlib.collections")
    axes.add_collection(
        collections.PolyCollection(
            shapes, facecolors=[_face(k) for k in decisions.tolist()], edgecolors="none",
            antialiaseds=False,
        )
    )  # fmt: skip
    axes.add_collection(
        collections.PolyCollection(
            _polygons(found.network, inputs, found.patterns),
            facecolors="none", edgecolors=style.GREY, linewidths=0.3,
        )
    )  # fmt: skip
    axes.add_collection(
        collections.LineCollection(boundary.segments(), colors="black", linewidths=1.6)
    )
    patches = optional.load("matplotlib.patches")
    handles = [
        patches.Patch(color=_face(k), label=f"decision {k}") for k in np.unique(decisions).tolist()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=5, fontsize=7)
    axes.set_xlim(inputs.lower[0], inputs.upper[0])
    axes.set_ylim(inputs.lower[1], inputs.upper[1])
    axes.set_aspect("equal")
    axes.set_xlabel("$t_1$")
    axes.set_ylabel("$t_2$")
    axes.set_title(
        f"{found.network.architecture}, {found.domain.title}: the boundary cuts "
        f"{len(boundary.cut):,} of {len(found):,} activation regions",
        fontsize=9,
    )
    return figure


def _polygons(network: Any, inputs: Any, patterns: np.ndarray) -> list[np.ndarray]:
    every = [tuple(p) for p in patterns.tolist()]
    return [np.array(corners, dtype=float) for corners in polygons(network, inputs, every)]


def _face(decision: int) -> tuple[float, float, float]:
    own = optional.load("matplotlib.colors").to_rgb(style.SERIES[decision % len(style.SERIES)])
    red, green, blue = (v + _LIGHT * (1 - v) for v in own)
    return red, green, blue
