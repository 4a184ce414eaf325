"""Time of lower bounds against time of the exact count."""

from collections.abc import Sequence
from typing import Any

from milpcount.errors import InputError
from milpcount.plots import style
from milpcount.plots.bounds import LOWER
from milpcount.plots.data import SMALL, NetworkRow


def draw(rows: Sequence[NetworkRow]) -> Any:
    """Return the figure: a point for each network and method, hollow for small networks.

    Parameters
    ----------
    rows : sequence of NetworkRow

    Raises
    ------
    InputError
        If no network has both an exact count and a lower bound.
    """
    both = [
        (row, row.exact, row.exact_seconds)
        for row in rows
        if row.exact is not None and row.exact_seconds and row.lower
    ]
    if not both:
        raise InputError("no network has an exact count and a lower bound: run both methods")
    figure, axes = style.figure(size=(8.0, 5.0))
    for name, label, colour, marker, _ in LOWER:
        chosen = [(row, exact, x) for row, exact, x in both if name in row.seconds]
        for small, face in ((True, "none"), (False, colour)):
            part = [(row, x) for row, exact, x in chosen if (exact < SMALL) is small]
            axes.scatter(
                [x for _, x in part], [row.seconds[name] for row, _ in part], s=16,
                marker=marker, facecolors=face, edgecolors=colour, linewidths=0.8,
                label=label if not small and chosen else None,
            )  # fmt: skip
    times = [x for _, _, x in both]
    low = min(times) / 1.5
    high = 1.5 * max(*times, *(s for row, _, _ in both for s in row.seconds.values()))
    axes.plot([low, high], [low, high], color=style.GREY, linewidth=0.8)
    axes.annotate("as long as the count", (high, high), (-12, 0), textcoords="offset points",
                  ha="right", va="center", fontsize=8, color=style.GREY)  # fmt: skip
    axes.scatter([], [], s=16, facecolors="none", edgecolors=style.BLACK, marker="o",
                 label="hollow: fewer than $2^{12}$ regions")  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("seconds of the exact count (region tree, one core)")
    axes.set_ylabel("seconds of the lower bound (one core)")
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
