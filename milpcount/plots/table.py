"""The table of the sweep: a row for each way to split the units."""

from collections.abc import Callable, Sequence

from milpcount.plots.bounds import mean
from milpcount.plots.data import NetworkRow, by_width

HEADER = (
    "n1-n2", "counted", "mean", "min", "max", "Montúfar 2017", "Serra 2018", "empirical",
    "XOR-5", "probing", "test error",
)  # fmt: skip


_BOTH = "with a confidence"
"""Heads the column that is there if a network of the sweep has both ends with a confidence."""


def header(rows: Sequence[NetworkRow]) -> tuple[str, ...]:
    """Return the names of the columns of `summary`."""
    return (*HEADER[:-1], _BOTH, HEADER[-1]) if _has_both(rows) else HEADER


def _has_both(rows: Sequence[NetworkRow]) -> bool:
    return any(row.both is not None for row in rows)


def summary(rows: Sequence[NetworkRow]) -> list[list[str]]:
    """Return the cells of the table; what is not known is a dash.

    Parameters
    ----------
    rows : sequence of NetworkRow

    Returns
    -------
    list of list of str
        As `header`: networks counted exactly; mean, least and largest count; the bounds of the
        architecture; means over the networks of the empirical upper bound and of the lower bounds
        (5 units an XOR; probing); means of both ends that hold with a confidence, if there are
        any; the mean test error.
    """
    both = _has_both(rows)
    return [_row(n1, group, both=both) for n1, group in by_width(rows).items()]


def _row(n1: int, group: Sequence[NetworkRow], *, both: bool) -> list[str]:
    exact = [row.exact for row in group if row.exact is not None]
    error = sum(row.test_error for row in group) / len(group)
    return [
        f"{n1}-{group[0].n2}",
        f"{len(exact)} of {len(group)}",
        _text(mean(exact)),
        _text(min(exact, default=None)),
        _text(max(exact, default=None)),
        _mean(group, lambda row: row.upper.get("montufar2017")),
        _mean(group, lambda row: row.upper.get("serra2018")),
        _mean(group, lambda row: row.upper.get("serra2020")),
        _mean(group, lambda row: row.lower.get("mbound 5")),
        _mean(group, lambda row: row.lower.get("probe")),
        *([_ends(group)] if both else []),
        f"{100 * error:.2f} %",
    ]


def _ends(group: Sequence[NetworkRow]) -> str:
    low = mean([row.both[0] for row in group if row.both is not None])
    high = mean([row.both[1] for row in group if row.both is not None])
    return _text(None) if low is None else f"{_text(low)} to {_text(high)}"


def _mean(group: Sequence[NetworkRow], value: Callable[[NetworkRow], int | None]) -> str:
    return _text(mean([found for row in group if (found := value(row)) is not None]))


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def markdown(rows: Sequence[NetworkRow]) -> str:
    """Return the table in Markdown."""
    head = header(rows)
    lines = [head, ("---:",) * len(head), *summary(rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
