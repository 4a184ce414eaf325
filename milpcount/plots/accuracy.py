"""Errors of trained networks against their regions."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from milpcount.plots import style
from milpcount.plots.data import NetworkRow, rank_correlation

NARROW = 4
"""A layer of at most so many units is called narrow."""


def app5(row: NetworkRow, *, geometric: bool) -> float | None:
    """Return APP-5, the average of the empirical upper bound and the lower bound by XOR-5.

    Serra and Ramalingam (2020) do not say which average.

    Parameters
    ----------
    row : NetworkRow
    geometric : bool
        The geometric mean instead of the arithmetic one.
    """
    upper, lower = row.upper.get("serra2020"), row.lower.get("mbound 5")
    if upper is None or lower is None:
        return None
    return math.sqrt(upper * lower) if geometric else (upper + lower) / 2


PANELS: tuple[tuple[str, Callable[[NetworkRow], float | None]], ...] = (
    ("exact count", lambda row: row.exact),
    ("probing, unbiased estimate", lambda row: row.estimate),
    ("APP-5, arithmetic mean", lambda row: app5(row, geometric=False)),
    ("APP-5, geometric mean", lambda row: app5(row, geometric=True)),
)


def draw(rows: Sequence[NetworkRow], narrow: int = NARROW) -> Any:
    """Return the figure: train and test error, over count, estimate and both kinds of APP-5.

    Parameters
    ----------
    rows : sequence of NetworkRow
    narrow : int
        Layers of at most so many units are marked.
    """
    panels = [(title, value) for title, value in PANELS if any(value(r) is not None for r in rows)]
    figure, grid = style.figure(2, len(panels), size=(max(6.5, 3.2 * len(panels) + 1.0), 6.0))
    shown = None
    for line, kind in enumerate(("train", "test")):
        for column, (title, value) in enumerate(panels):
            axes = grid[line][column] if len(panels) > 1 else grid[line]
            points = [(x, row) for row in rows if (x := value(row)) is not None]
            shown = _panel(axes, points, kind, narrow)
            if line == 0:
                axes.set_title(title, fontsize=9)
            else:
                axes.set_xlabel("activation regions")
            if column == 0:
                axes.set_ylabel(f"{kind} error")
    if shown is not None:
        bar = figure.colorbar(shown, ax=grid, aspect=40, pad=0.02)
        bar.set_ticks(range(1, 22, 4))
        bar.set_label("units in the first layer, of 22")
    _legend(figure, narrow)
    return figure


def _panel(axes: Any, points: Sequence[tuple[float, NetworkRow]], kind: str, narrow: int) -> Any:
    shown = None
    for marker, _, belongs in _groups(narrow):
        part = [(x, row) for x, row in points if belongs(row)]
        shown = axes.scatter(
            [x for x, _ in part], [_error(row, kind) for _, row in part],
            c=[row.n1 for _, row in part], cmap="viridis", vmin=1, vmax=21, marker=marker, s=14,
            linewidths=0.3, edgecolors="black",
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda y, _: f"{100 * y:g} %")
    axes.yaxis.set_minor_formatter(lambda y, _: "")
    ticks = [0.03, 0.05, 0.1, 0.2, 0.5]
    axes.set_yticks(ticks)
    axes.set_ylim(0.025, 1.0)
    wide = [(x, row) for x, row in points if row.narrowest > narrow]
    text = "\n".join(
        _correlation(part, kind, name) for part, name in ((points, "all"), (wide, "none narrow"))
    )
    axes.text(0.03, 0.03, text, transform=axes.transAxes, ha="left", va="bottom", fontsize=7.5)
    return shown


def _correlation(points: Sequence[tuple[float, NetworkRow]], kind: str, name: str) -> str:
    rho = rank_correlation([x for x, _ in points], [_error(row, kind) for _, row in points])
    return "" if math.isnan(rho) else f"ρ = {rho:.2f} ({name}, {len(points)})"


def _error(row: NetworkRow, kind: str) -> float:
    return row.train_error if kind == "train" else row.test_error


def _groups(narrow: int) -> tuple[tuple[str, str, Callable[[NetworkRow], bool]], ...]:
    return (
        ("v", f"first layer of at most {narrow}", lambda row: row.n1 <= narrow),
        ("^", f"second layer of at most {narrow}", lambda row: row.n2 <= narrow),
        ("o", "no narrow layer", lambda row: row.narrowest > narrow),
    )


def _legend(figure: Any, narrow: int) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="", marker=marker, color="#bbbbbb", markeredgecolor="black",
               label=label, markersize=5)
        for marker, label, _ in _groups(narrow)
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8)
