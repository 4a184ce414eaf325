"""The figures that gain from pointing at them, by plotly: partitions, functions, counts, bounds."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from milpcount import arguments, optional
from milpcount.bounds.table import BoundTable, row_of, text_of
from milpcount.domain import Domain
from milpcount.errors import DomainError, OptionError
from milpcount.network import Network
from milpcount.network.decision import n_outputs
from milpcount.network.paths import write_atomically
from milpcount.partitions.partition import Partition
from milpcount.plots import style
from milpcount.plots.counts import log_axis, names
from milpcount.plots.partition import colour
from milpcount.plots.subjects import inputs_of, partition_of, plane_of
from milpcount.result import CountResult

MOST_REGIONS = 20_000
"""A figure of more regions is too slow to be pointed at."""
_SHOWN = 8
"""Entries of a map or a pattern that are written out."""


def draw(subject: Any, domain: Domain | None, kind: str | None, options: dict[str, Any]) -> Any:
    """Return the plotly figure of a subject; see `milpcount.plot`.

    Raises
    ------
    OptionError
        If there is no such interactive figure.
    NotInstalledError
        Without plotly.
    """
    optional.require("plotly", "an interactive figure", extra="plotly")
    drawings = _kinds(subject, domain)
    chosen = next(iter(drawings), None) if kind is None else kind
    if chosen is None or chosen not in drawings:
        known = ", ".join(drawings) or "none"
        raise OptionError(f"interactive, kind={kind!r}: of this subject there are {known}")
    try:
        return drawings[chosen](**options)
    except TypeError as error:
        if "keyword argument" not in str(error):
            raise
        raise OptionError(f"an interactive figure of kind {chosen!r}: {error}") from None


def save(figure: Any, target: Path) -> None:
    """Write a figure as a page that needs nothing else."""
    if target.suffix.lower() != ".html":
        raise OptionError(f"{target}: an interactive figure is a page, give a name in .html")
    text = figure.to_html(include_plotlyjs=True)

    def write(stream: BinaryIO) -> None:
        stream.write(text.encode())

    write_atomically(target, write)


def _kinds(subject: Any, domain: Domain | None) -> dict[str, Any]:
    if isinstance(subject, Network | Partition):
        given = None if domain is None else arguments.domain(domain)
        dimension = inputs_of(subject, given).dimension
        found: dict[str, Any] = {
            "partition": partial(_partition, subject, given),
            "function": partial(_function, subject, given),
        }
        return {"function": found["function"]} if dimension == 1 else found
    if isinstance(subject, BoundTable):
        return {"theorems": partial(_theorems, subject)}
    results = [subject] if isinstance(subject, CountResult) else list(subject)
    if results and all(isinstance(result, CountResult) for result in results):
        return {"counts": partial(_counts, results)}
    return {}


def _figure(title: str, **layout: Any) -> Any:
    objects = optional.load("plotly.graph_objects")
    return objects, objects.Figure(
        layout={
            "title": {"text": title, "font": {"size": 14}},
            "template": "simple_white",
            **layout,
        }
    )


def _partition(subject: Network | Partition, domain: Domain | None) -> Any:
    plane_of(subject, domain)
    found = _small(partition_of(subject, domain))
    objects, figure = _figure(
        _title(found), xaxis_title="t<sub>1</sub>", yaxis_title="t<sub>2</sub>", showlegend=False
    )
    figure.update_yaxes(scaleanchor="x")
    widths = found.network.widths
    for i in range(len(found)):
        corners = found.vertices(i)
        closed = np.vstack([corners, corners[:1]])
        figure.add_trace(
            objects.Scatter(
                x=closed[:, 0], y=closed[:, 1], mode="lines", fill="toself", hoveron="fills",
                fillcolor=_css(colour(found.pattern(i), widths)), text=_said(found, i),
                line={"color": "black", "width": 0.5}, hoverinfo="text", name=f"region {i}",
            )
        )  # fmt: skip
    return figure


def _function(subject: Network | Partition, domain: Domain | None, component: int = 0) -> Any:
    inputs = inputs_of(subject, domain)
    network = subject.network if isinstance(subject, Partition) else subject
    if inputs.dimension > 2 or not inputs.is_boxed:
        raise DomainError(
            f"a function is drawn over a bounded line or plane, and the domain has dimension "
            f"{inputs.dimension}: give a Section with one or two directions"
        )
    outputs = n_outputs(network)
    if not 0 <= component < outputs:
        raise OptionError(f"output {component}: the network has {outputs}, numbered from 0")
    found = _small(partition_of(subject, domain))
    return (_line if inputs.dimension == 1 else _surface)(found, component)


def _line(found: Partition, output: int) -> Any:
    objects, figure = _figure(_title(found), xaxis_title="t", yaxis_title=f"output {output}")
    order = sorted(range(len(found)), key=lambda i: float(found.point_in_parameters(i)[0]))
    for i in order:
        slopes, offset = found.affine_map(i)
        t = np.sort(found.vertices(i)[:, 0])
        figure.add_trace(
            objects.Scatter(
                x=t, y=slopes[output, 0] * t + offset[output], mode="lines+markers",
                text=_said(found, i), hoverinfo="text", name=f"region {i}", showlegend=False,
                marker={"size": 4},
            )
        )  # fmt: skip
    return figure


def _surface(found: Partition, output: int) -> Any:
    objects, figure = _figure(
        _title(found),
        scene={"xaxis_title": "t1", "yaxis_title": "t2", "zaxis_title": f"output {output}"},
    )
    points: list[Any] = []
    triangles: list[tuple[int, int, int]] = []
    faces: list[str] = []
    for i in range(len(found)):
        corners = found.vertices(i)
        slopes, offset = found.affine_map(i)
        first = sum(len(one) for one in points)
        points.append(np.c_[corners, corners @ slopes[output] + offset[output]])
        face = _css(colour(found.pattern(i), found.network.widths))
        for k in range(1, len(corners) - 1):  # a convex polygon as a fan
            triangles.append((first, first + k, first + k + 1))
            faces.append(face)
    (x, y, z), (a, b, c) = np.concatenate(points).T, np.array(triangles).T
    figure.add_trace(
        objects.Mesh3d(x=x, y=y, z=z, i=a, j=b, k=c, facecolor=faces, flatshading=True)
    )
    return figure


def _counts(results: Sequence[CountResult], labels: Sequence[str] = ()) -> Any:
    if labels and len(labels) != len(results):
        raise OptionError(f"{len(results)} counts with {len(labels)} labels: give one for each")
    objects, figure = _figure("counts", xaxis_title="log10 of the count", showlegend=False)
    for name, result in zip(list(labels) or names(results), results, strict=True):
        ends = [log_axis(result.lower), log_axis(result.upper)]
        text = "<br>".join(f"{key}: {value}" for key, value in result.rows())
        figure.add_trace(
            objects.Scatter(
                x=ends, y=[name, name], mode="lines+markers", text=[text, text], hoverinfo="text",
                line={"color": style.BLUE, "width": 4}, marker={"size": 9},
            )
        )  # fmt: skip
    return figure


def _theorems(table: BoundTable, result: CountResult | None = None) -> Any:
    if result is not None and result.quantity is not table.quantity:
        raise OptionError(
            f"the table bounds {table.quantity.title} and the count is one of "
            f"{result.quantity.title}: give a count of the same"
        )
    objects, figure = _figure(
        table.subject, xaxis_title=f"log10 of {table.quantity.title}", showlegend=True
    )
    groups = [
        ("upper bound", table.upper_bounds, style.SKY),
        ("the best network reaches", table.best_network_bounds, style.YELLOW),
    ]
    for name, bounds, face in groups:
        figure.add_trace(
            objects.Bar(
                x=[log_axis(int(bound.value)) for bound in bounds],
                y=[bound.theorem.title for bound in bounds], orientation="h", name=name,
                text=[text_of(bound.value) for bound in bounds], marker_color=face,
                hovertext=["<br>".join(row_of(bound)) for bound in bounds], hoverinfo="text",
            )
        )  # fmt: skip
    figure.update_yaxes(autorange="reversed")
    if result is not None:
        figure.add_vline(x=log_axis(result.lower), line_color=style.VERMILION)
        figure.add_vline(x=log_axis(result.upper), line_color=style.VERMILION)
    return figure


def _small(found: Partition) -> Partition:
    if len(found) > MOST_REGIONS:
        raise OptionError(
            f"{len(found):,} regions are too many to be pointed at, {MOST_REGIONS:,} are not: take "
            "a smaller domain, or leave out interactive"
        )
    return found


def _title(found: Partition) -> str:
    return f"{found.network.architecture}, {found.domain.title}: {len(found):,} activation regions"


def _said(found: Partition, index: int) -> str:
    """Return what is shown beside a region: its number, pattern and map."""
    pattern = found.pattern(index)
    slopes, offset = found.affine_map(index)
    bits = ("" if max(pattern, default=0) < 10 else ",").join(map(str, pattern[: 8 * _SHOWN]))
    maps = [
        f"y{k + 1} = {' '.join(f'{v:+.4g} t{j + 1}' for j, v in enumerate(row))} {offset[k]:+.4g}"
        for k, row in enumerate(slopes[:_SHOWN])
    ]
    return "<br>".join([f"region {index}", f"pattern {bits}", *maps])


def _css(face: tuple[float, float, float]) -> str:
    red, green, blue = (round(255 * value) for value in face)
    return f"rgb({red},{green},{blue})"
