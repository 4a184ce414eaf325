"""The function that a network computes on a line or a plane, piece by piece."""

from typing import Any

import numpy as np

from milpcount import optional
from milpcount.domain import Domain
from milpcount.errors import DomainError, OptionError
from milpcount.network.decision import n_outputs
from milpcount.partitions.partition import Partition
from milpcount.plots import style
from milpcount.plots.partition import colour
from milpcount.plots.subjects import Subject, inputs_of, partition_of

_MOST_CURVES = 10
"""Outputs that are drawn together over a line."""


def draw(subject: Subject, domain: Domain | None = None, component: int | None = None) -> Any:
    """Return the figure: the outputs over a line with their breakpoints, or one over a plane.

    Every piece is drawn from its own affine map, between its exact corners.

    Parameters
    ----------
    subject : Network or Partition
        Of continuous units.
    domain : Domain, optional
        Of a network: of one or two parameters, bounded: a box of so many free inputs, or a section.
    component : int, optional
        Which output, from 0; over a line all of them by default, over a plane the first.

    Raises
    ------
    DomainError
        If the domain is no bounded line or plane.
    OptionError
        If there is no such output, or a unit is not continuous.
    """
    inputs = inputs_of(subject, domain)
    network = subject.network if isinstance(subject, Partition) else subject
    if inputs.dimension > 2 or not inputs.is_boxed:
        raise DomainError(
            f"a function is drawn over a bounded line or plane, and the domain has dimension "
            f"{inputs.dimension}: give a Section with one or two directions"
        )
    outputs = n_outputs(network)
    if component is not None and not 0 <= component < outputs:
        raise OptionError(f"output {component}: the network has {outputs}, numbered from 0")
    found = partition_of(subject, domain)
    if inputs.dimension == 1:
        chosen = range(min(outputs, _MOST_CURVES)) if component is None else (component,)
        return _line(found, tuple(chosen))
    return _plane(found, component or 0)


def _line(found: Partition, outputs: tuple[int, ...]) -> Any:
    figure, axes = style.figure(size=(6.5, 4.0))
    ends = [np.sort(found.vertices(i)[:, 0]) for i in range(len(found))]
    order = sorted(range(len(found)), key=lambda i: float(found.point_in_parameters(i)[0]))
    labels = found.linear_regions()
    for k, output in enumerate(outputs):
        t, y = [], []
        for i in order:
            slopes, offset = found.affine_map(i)
            t += ends[i].tolist()
            y += (slopes[output, 0] * ends[i] + offset[output]).tolist()
        axes.plot(t, y, color=f"C{k}", linewidth=1.2, label=f"output {output}")
        breaks = [
            2 * place
            for place, (i, before) in enumerate(zip(order[1:], order, strict=False), start=1)
            if labels[i] != labels[before]
        ]
        axes.plot([t[b] for b in breaks], [y[b] for b in breaks], "o", color=f"C{k}", markersize=3)
    for i in order[1:]:
        axes.axvline(ends[i][0], color=style.GREY, linewidth=0.3, zorder=0)
    if len(outputs) > 1:
        axes.legend(fontsize=7)
    axes.set_xlabel("$t$")
    axes.set_title(_title(found, labels), fontsize=9)
    return figure


def _plane(found: Partition, output: int) -> Any:
    figure, flat = style.figure(size=(6.0, 5.5))
    art3d = optional.load("mpl_toolkits.mplot3d.art3d")

    flat.remove()
    axes = figure.add_subplot(projection="3d")
    labels, shapes, faces = found.linear_regions(), [], []
    first: dict[int, tuple[int, ...]] = {}
    for i in range(len(found)):
        corners = found.vertices(i)
        slopes, offset = found.affine_map(i)
        heights = corners @ slopes[output] + offset[output]
        shapes.append(np.concatenate([corners, heights[:, None]], axis=1))
        first.setdefault(int(labels[i]), found.pattern(i))
        faces.append(colour(first[int(labels[i])], found.network.widths))
    axes.add_collection3d(
        art3d.Poly3DCollection(shapes, facecolors=faces, edgecolors="black", linewidths=0.2)
    )
    every = np.concatenate(shapes)
    low, high = every.min(axis=0), every.max(axis=0)
    high = np.where(high > low, high, low + 1.0)
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_zlim(low[2], high[2])
    axes.set_xlabel("$t_1$")
    axes.set_ylabel("$t_2$")
    axes.set_zlabel(f"output {output}")
    axes.set_title(_title(found, labels), fontsize=9)
    return figure


def _title(found: Partition, labels: Any) -> str:
    linear = len(set(labels.tolist()))
    return (
        f"{found.network.architecture}, {found.domain.title}: {len(found):,} activation regions, "
        f"{linear:,} linear"
    )
