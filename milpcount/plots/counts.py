"""Counts side by side as intervals, and the regions of a count by their active units."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from milpcount.errors import OptionError
from milpcount.plots import style
from milpcount.result import CountResult


def draw(results: Sequence[CountResult], labels: Sequence[str] = ()) -> Any:
    """Return the figure: the interval of each count, a point where it is exact.

    Parameters
    ----------
    results : sequence of CountResult
    labels : sequence of str
        By default what the counts differ in, of network, domain, quantity and method.

    Raises
    ------
    OptionError
        If there is none, or there are not as many labels.
    """
    if not results or (labels and len(labels) != len(results)):
        raise OptionError(f"{len(results)} counts with {len(labels)} labels: give one for each")
    written = list(labels) or names(results)
    figure, axes = style.figure(size=(7.0, 1.2 + 0.35 * max(2, len(results))))
    for place, result in enumerate(results):
        low, high = log_axis(result.lower), log_axis(result.upper)
        axes.plot([low, high], [place, place], color=style.BLUE, linewidth=3)
        axes.plot([low], [place], "o" if result.is_exact else ">", color=style.BLUE)
        if not result.is_exact:
            axes.plot([high], [place], "<", color=style.BLUE)
        text = f"{result.lower:,}" if result.is_exact else f"{result.lower:,} to {result.upper:,}"
        axes.annotate(
            text, ((low + high) / 2, place), (0, 5), textcoords="offset points", fontsize=7,
            ha="center",
        )  # fmt: skip
    axes.set_yticks(range(len(results)), written, fontsize=7)
    axes.set_ylim(len(results) - 0.4, -0.6)
    axes.margins(x=0.15)
    axes.set_xlabel("count")
    axes.xaxis.set_major_formatter(power)
    shared = {result.network for result in results}
    axes.set_title(shared.pop() if len(shared) == 1 else f"{len(results)} counts", fontsize=9)
    return figure


def histogram(counts: np.ndarray, title: str) -> Any:
    """Return a figure of how many regions have k active units.

    Parameters
    ----------
    counts : ndarray of int, shape (units + 1,)
    title : str
    """
    figure, axes = style.figure(size=(6.5, 3.6))
    axes.bar(range(len(counts)), counts, color=style.SKY, edgecolor="black", linewidth=0.5)
    axes.set_xlabel("active units (on another piece than their first)")
    axes.set_ylabel("regions")
    axes.set_title(title, fontsize=9)
    return figure


def log_axis(count: int) -> float:
    """Return where a count is on a logarithmic axis: any integer, and 0 with 1.

    Counts can exceed every float64, so the axis has the logarithm itself.
    """
    shift = max(0, count.bit_length() - 64)  # to the leading digits, which are all that shows
    return float(np.log10(max(1, count >> shift)) + shift * np.log10(2))


def power(place: float, _: object = None) -> str:
    """Return what is written at a place of a logarithmic axis."""
    return f"$10^{{{place:g}}}$"


def names(results: Sequence[CountResult]) -> list[str]:
    """Return what the counts differ in."""
    facts = [
        (r.network, r.domain, r.quantity.title, str(r.method.get("name", ""))) for r in results
    ]
    differ = [k for k in range(4) if len({fact[k] for fact in facts}) > 1] or [2]
    return [" · ".join(fact[k] for k in differ) for fact in facts]
