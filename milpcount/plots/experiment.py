"""The figure that an experiment asks for: counts and bounds over a feature of its networks."""

from collections.abc import Iterable
from statistics import fmean
from typing import Any

from milpcount.bounds.architecture import parse
from milpcount.bounds.registry import THEOREMS
from milpcount.errors import FileFormatError, InputError
from milpcount.plots import style
from milpcount.quantities import Quantity
from milpcount.store import Record, Store, decoded
from milpcount.sweep.experiment import Experiment
from milpcount.sweep.figure_spec import FEATURES, FigureSpec

_COLOURS = (
    style.BLACK, style.VERMILION, style.BLUE, style.GREEN, style.ORANGE, style.PURPLE, style.SKY,
)  # fmt: skip
_HALF_A_LINE = 55
"""Letters of a label in half the figure's width."""
_MARKERS = "osD^vP<>"
_DASHES = ("-", "--", "-.", ":")
Points = dict[tuple[str, Any], dict[Any, list[float]]]


def draw(experiment: Experiment, store: Store) -> Any:
    """Return the figure: a line for each quantity or theorem and each value of the split.

    Of counts, the mean of the networks at a place and their range; of theorems, the mean.

    Parameters
    ----------
    experiment : Experiment
    store : Store

    Raises
    ------
    InputError
        If the experiment has no figure, or the store none of its results.
    """
    spec = experiment.figure
    if spec is None:
        raise FileFormatError(f"{experiment.title}: the experiment has no [figure]: add one")
    wanted = {subject.title for subject in experiment.subjects}
    lines = [decoded(r) for r in store.records.values() if r.get("subject") in wanted]
    points = _points(lines, spec)
    if not points:
        raise InputError(f"{store.path} has no results for the figure: run the sweep first")
    figure, axes = style.figure(size=(6.5, 5.0))
    splits = sorted({split for _, split in points}, key=lambda s: (isinstance(s, str), s))
    for name in spec.lines:
        for number, split in enumerate(splits):
            if (name, split) in points:
                _line(axes, spec, name, split, points[name, split], number)
    axes.set_xlabel(FEATURES[spec.x])
    axes.set_ylabel(_label_of_y(experiment, spec))
    axes.set_xscale("log" if spec.log_x else "linear")
    axes.set_yscale("log" if spec.log_y else "linear")
    places = sorted({x for line in points.values() for x in line})
    if all(isinstance(x, int) for x in places) and len(places) < 12:
        axes.set_xticks(places, [str(x) for x in places])
        axes.minorticks_off() if spec.log_x else None
    axes.set_title(experiment.title, fontsize=9)
    longest = max(map(len, axes.get_legend_handles_labels()[1]))
    columns = 2 if longest <= _HALF_A_LINE else 1
    figure.legend(loc="outside lower center", ncols=columns, fontsize=7)
    return figure


def _points(lines: Iterable[Record], spec: FigureSpec) -> Points:
    found: Points = {}
    for line in lines:
        features = features_of(line)
        if spec.x not in features or (spec.split is not None and spec.split not in features):
            continue
        x, split = features[spec.x], None if spec.split is None else features[spec.split]
        for name in spec.lines:
            value = _value(line, name)
            if value is not None:
                number = value / features["parameters"] if spec.per_parameter else float(value)
                found.setdefault((name, split), {}).setdefault(x, []).append(number)
    return found


def _value(line: Record, name: str) -> int | None:
    """Return the number that a line of the store has for a quantity or a theorem."""
    if name in {q.value for q in Quantity}:
        is_count = line["quantity"] == name and line.get("exact") is True
        return int(line["lower"]) if is_count and "confidence" not in line else None
    return line.get(name)


def features_of(line: Record) -> dict[str, Any]:
    """Return what a figure may have on its axis, of the network of a line."""
    found = {key: line[key] for key in ("pruned",) if key in line}
    if "n1" in line:
        return found | {"first": line["n1"], "units": line["n1"] + line["n2"]}
    if "architecture" not in line:
        return found
    architecture = parse(line["architecture"])
    layers = [layer for layer in architecture.layers if not layer.is_identity]
    units = ", ".join(dict.fromkeys(_unit(layer) for layer in layers))
    form = "convolutions" if architecture.is_convolutional else "fully connected"
    form = "ternary" if architecture.is_ternary else form
    density = architecture.density
    return found | {
        "inputs": architecture.n_inputs,
        "layers": len(layers),
        "units": sum(layer.width for layer in layers),
        "parameters": architecture.n_parameters,
        "breakpoints": max(layer.cuts for layer in layers),
        "first": layers[0].width,
        "density": 1.0 if density is None else float(density),
        "kind": f"{form}, {units}",
    }


def _unit(layer: Any) -> str:
    if layer.is_rectifier:
        return "rectifiers"
    return "maxima" if layer.is_maxout else f"p = {layer.breakpoints}"


def _label_of_y(experiment: Experiment, spec: FigureSpec) -> str:
    quantities = [name for name in spec.lines if name in {q.value for q in Quantity}]
    what = quantities[0] if len(quantities) == 1 else "number"
    what = what.replace("_", " ") + (", per parameter" if spec.per_parameter else "")
    return f"{what}, {experiment.domain.title}"


def _line(
    axes: Any, spec: FigureSpec, name: str, split: Any, line: dict[Any, list[float]], number: int
) -> None:
    places = sorted(line)
    means = [fmean(line[x]) for x in places]
    order, several = spec.lines.index(name), len(spec.lines) > 1
    colour = _COLOURS[(number if spec.split else order) % len(_COLOURS)]
    label = _name(name) if spec.split is None else f"{_split(spec.split, split)}"
    label += f": {_name(name)}" if several and spec.split is not None else ""
    shown = {"color": colour, "label": label, "markersize": 4, "linewidth": 1.2}
    shown |= {"marker": _MARKERS[order % len(_MARKERS)], "linestyle": _DASHES[order % 4]}
    if name in {q.value for q in Quantity}:
        below = [m - min(line[x]) for x, m in zip(places, means, strict=True)]
        above = [max(line[x]) - m for x, m in zip(places, means, strict=True)]
        axes.errorbar(places, means, yerr=[below, above], capsize=2, **shown)
    else:
        axes.plot(places, means, **shown)


def _name(name: str) -> str:
    titles = {row.key: row.title for row in THEOREMS}
    return titles.get(name, f"{name.replace('_', ' ')}, counted")


def _split(feature: str, split: Any) -> str:
    return str(split) if feature == "kind" else f"{FEATURES[feature]} {split:g}"
