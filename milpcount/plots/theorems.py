"""A table of bounds as a figure: every theorem that applies, tightest first."""

from typing import Any

from milpcount.bounds.table import BoundTable
from milpcount.errors import OptionError
from milpcount.plots import style
from milpcount.plots.counts import log_axis, power
from milpcount.result import CountResult


def draw(table: BoundTable, result: CountResult | None = None) -> Any:
    """Return the figure: a bar for each upper bound, and for what the best network reaches.

    Parameters
    ----------
    table : BoundTable
    result : CountResult, optional
        A count of the same quantity, whose interval is drawn across.

    Raises
    ------
    OptionError
        If the count is of another quantity.
    """
    if result is not None and result.quantity is not table.quantity:
        raise OptionError(
            f"the table bounds {table.quantity.title} and the count is one of "
            f"{result.quantity.title}: give a count of the same"
        )
    upper, best = table.upper_bounds, table.best_network_bounds
    rows = [*((bound, style.SKY) for bound in upper), *((bound, style.YELLOW) for bound in best)]
    figure, axes = style.figure(size=(7.0, 1.2 + 0.32 * max(2, len(rows))))
    for place, (bound, colour) in enumerate(rows):
        length = log_axis(int(bound.value))
        axes.barh([place], [length], color=colour, edgecolor="black", linewidth=0.5, height=0.7)
    axes.set_yticks(range(len(rows)), [bound.theorem.title for bound, _ in rows], fontsize=7)
    axes.invert_yaxis()
    if result is not None:
        axes.axvspan(log_axis(result.lower), log_axis(result.upper), color=style.VERMILION)
        text = f"{result.lower:,}" if result.is_exact else f"{result.lower:,} to {result.upper:,}"
        axes.axvline(log_axis(result.lower), color=style.VERMILION, label=f"counted: {text}")
    patches = [(style.SKY, "upper bound", upper), (style.YELLOW, "the best network reaches", best)]
    for colour, label, bounds in patches:
        if bounds:
            axes.plot([], [], "s", color=colour, markeredgecolor="black", label=label)
    axes.legend(fontsize=7, loc="lower right", frameon=True)
    axes.set_xlabel(table.quantity.title)
    axes.xaxis.set_major_formatter(power)
    domain = f", {table.domain}" if table.domain else ""
    axes.set_title(f"{table.subject}{domain}", fontsize=9)
    return figure
