"""Counts and bounds over the width of the first layer."""

from collections.abc import Callable, Sequence
from typing import Any

from milpcount.plots import style
from milpcount.plots.data import NetworkRow, by_width

# Name, label, colour, marker, dashes.
UPPER = (
    ("naive", "all patterns", style.GREY, "", ":"),
    ("montufar2017", "Montúfar 2017", style.ORANGE, "s", "--"),
    ("serra2018", "Serra et al. 2018", style.VERMILION, "^", "-."),
    ("serra2020", "empirical upper bound", style.PURPLE, "v", "-"),
)
LOWER = (
    ("probe", "probing", style.GREEN, "D", "-"),
    ("mbound 5", "MBound XOR-5", style.BLUE, "P", "--"),
    ("mbound 4", "MBound XOR-4", style.BLUE, "X", "-."),
    ("mbound 3", "MBound XOR-3", style.SKY, "<", "--"),
    ("mbound 2", "MBound XOR-2", style.SKY, ">", ":"),
)
Value = Callable[[NetworkRow], int | None]

_EXACT, _PARTLY = "exact count, mean and range", "of some of the networks only"
_STOPPED = "stopped counts, both ends"
_BOTH = "both ends with a confidence"


def draw(rows: Sequence[NetworkRow]) -> Any:
    """Return the figure: averages over the networks of a width, and for counts their range.

    Parameters
    ----------
    rows : sequence of NetworkRow
    """
    figure, axes = style.figure(size=(8.0, 5.0))
    groups = by_width(rows)
    for name, label, colour, marker, dashes in UPPER:
        _line(axes, groups, _bound(name), label, colour, marker, dashes)
    _exact(axes, groups)
    _bars(axes, groups, lambda row: row.stopped, _STOPPED, style.BLACK, 0.04)
    known = {r.confidence["approx"] for r in rows if r.both is not None}
    both = f"{_BOTH}, {100 * min(known):g} %" if known else _BOTH
    _bars(axes, groups, lambda row: row.both, both, style.BLUE, -0.04)
    for name, label, colour, marker, dashes in LOWER:
        confidence = {r.confidence[name] for r in rows if name in r.confidence}
        sure = f", {100 * min(confidence):g} %" if confidence else ""
        _line(axes, groups, _bound(name), label + sure, colour, marker, dashes)
    axes.set_yscale("log")
    axes.set_xticks(range(min(groups), max(groups) + 1))
    axes.set_xlabel("units in the first layer, of 22 in two layers")
    axes.set_ylabel("activation regions on [0, 1]$^{784}$")
    axes.grid(axis="y", color="#dddddd", linewidth=0.5)
    handles, labels = axes.get_legend_handles_labels()
    found = sorted(zip(handles, labels, strict=True), key=lambda entry: _rank(entry[1]))
    handles, labels = zip(*found, strict=True)
    axes.legend(handles, labels, loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8)
    return figure


def _rank(label: str) -> int:
    """Return where a label stands in the legend: upper bounds, counts, lower bounds."""
    if label in (_EXACT, _PARTLY, _STOPPED) or label.startswith(_BOTH):
        return 1
    return 0 if label in {entry[1] for entry in UPPER} else 2


def _line(
    axes: Any,
    groups: dict[int, list[NetworkRow]],
    value: Value,
    label: str,
    colour: str,
    marker: str,
    dashes: str,
) -> None:
    points = [(n1, mean(_known(group, value))) for n1, group in groups.items()]
    kept = [(n1, y) for n1, y in points if y is not None]
    if kept:
        axes.plot(
            *zip(*kept, strict=True), label=label, color=colour, marker=marker, linestyle=dashes,
            markersize=4, linewidth=1.1,
        )  # fmt: skip


def _bound(name: str) -> Value:
    return lambda row: row.upper.get(name, row.lower.get(name))


def _exact(axes: Any, groups: dict[int, list[NetworkRow]]) -> None:
    counts = {n1: _known(group, lambda r: r.exact) for n1, group in groups.items()}
    counts = {n1: found for n1, found in counts.items() if found}
    if not counts:
        return
    means = [sum(found) / len(found) for found in counts.values()]
    below = [m - min(found) for m, found in zip(means, counts.values(), strict=True)]
    above = [max(found) - m for m, found in zip(means, counts.values(), strict=True)]
    axes.errorbar(
        list(counts), means, yerr=[below, above], label=_EXACT,
        color=style.BLACK, marker="o", markersize=4.5, linewidth=1.6, capsize=2.5, zorder=5,
    )  # fmt: skip
    partly = [
        (n1, y) for (n1, found), y in zip(counts.items(), means, strict=True)
        if len(found) < len(groups[n1])
    ]  # fmt: skip
    if partly:
        axes.plot(
            *zip(*partly, strict=True), linestyle="", marker="o", markersize=4.5, zorder=6,
            color=style.BLACK, markerfacecolor="white", label=_PARTLY,
        )  # fmt: skip


def _bars(
    axes: Any,
    groups: dict[int, list[NetworkRow]],
    ends_of: Callable[[NetworkRow], tuple[int, int] | None],
    label: str,
    colour: str,
    step: float,
) -> None:
    """Draw a bar from one end to the other for each network that has them, side by side."""
    bars: list[tuple[float, int, int]] = []
    for n1, group in groups.items():
        ends = [both for row in group if (both := ends_of(row)) is not None]
        bars += [(n1 + step * (k + 1), *both) for k, both in enumerate(ends)]
    if bars:
        at, low, high = zip(*bars, strict=True)
        axes.vlines(at, low, high, color=colour, linewidth=0.9, alpha=0.6, label=label)


def _known(group: Sequence[NetworkRow], value: Value) -> list[int]:
    return [found for row in group if (found := value(row)) is not None]


def mean(values: Sequence[int]) -> float | None:
    """Return the arithmetic mean, None of nothing."""
    return sum(values) / len(values) if values else None
