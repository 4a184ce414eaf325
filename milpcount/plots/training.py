"""Counts over a training, beside what else was measured."""

from typing import Any

from milpcount.errors import OptionError
from milpcount.plots import style

_COLOURS = (style.BLUE, style.VERMILION, style.GREEN, style.PURPLE, style.ORANGE, style.SKY)
_DASHES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "^", "D", "v", "X")


def draw(table: Any, beside: tuple[str, ...] = ("loss", "accuracy")) -> Any:
    """Return a figure of the counts of `mc.track` or a `mc.Tracker`.

    Parameters
    ----------
    table : pandas.DataFrame
        With columns step, domain, quantity, lower and upper.
    beside : tuple of str
        Columns to draw below, each in axes of its own; those that the table lacks are left out.

    Raises
    ------
    OptionError
        If the table is empty or lacks a column.
    """
    missing = [c for c in ("step", "domain", "quantity", "lower", "upper") if c not in table]
    if missing or not len(table):
        raise OptionError(
            f"a table of {len(table)} rows without {missing}: give the frame of mc.track or of a "
            "mc.Tracker with at least one row"
        )
    others = [name for name in beside if name in table]
    figure, axes = style.figure(1 + len(others), 1, size=(6.4, 3.2 + 1.6 * len(others)))
    top, *rest = [axes] if not others else list(axes)
    several = table.quantity.nunique() > 1
    for number, (key, part) in enumerate(table.groupby(["domain", "quantity"], sort=False)):
        look = {
            "color": _COLOURS[number % len(_COLOURS)],
            "linestyle": _DASHES[number % len(_DASHES)],
        }
        label = f"{key[0]}, {key[1].replace('_', ' ')}" if several else str(key[0])
        lower, upper = part.lower.astype(float), part.upper.astype(float)
        top.plot(part.step, lower, label=label, marker=_MARKERS[number % len(_MARKERS)],
                 markersize=3.5, **look)  # fmt: skip
        if (upper > lower).any():
            top.fill_between(part.step, lower, upper, color=look["color"], alpha=0.2, linewidth=0)
    top.set_yscale("log")
    top.set_ylabel("regions" if several else str(table.quantity.iloc[0]).replace("_", " "))
    top.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4)
    once = table.drop_duplicates("step")
    for name, place in zip(others, rest, strict=True):
        place.plot(once.step, once[name], color=style.BLACK, marker="o", markersize=3.5)
        place.set_ylabel(name)
        place.sharex(top)
    for place in [top, *rest][:-1]:
        place.tick_params(labelbottom=False)
    if _is_denser_at_first(once.step):
        # Linear up to the first step but 0, from there on each power of ten as wide as the next.
        first = min(s for s in once.step if s > 0)
        top.set_xscale("symlog", linthresh=first)
        top.set_xlim(-0.2 * first, 1.25 * max(once.step))
        top.xaxis.set_major_formatter("{x:g}")
    (rest[-1] if rest else top).set_xlabel("step")
    return figure


def _is_denser_at_first(steps: Any) -> bool:
    """Whether steps are so much closer together at first that they would fall on one another."""
    try:
        own = sorted(float(s) for s in steps)
    except (TypeError, ValueError):  # names
        return False
    if len(own) < 4 or own[0] < 0:
        return False
    return (own[-1] - own[-2]) > 20 * (own[1] - own[0]) > 0
