"""Rows of counts as a table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from milpcount.errors import NotInstalledError
from milpcount.result import CountResult

if TYPE_CHECKING:
    import pandas

INTEGERS = ("lower", "upper")


def row_of(result: CountResult) -> dict[str, Any]:
    """Return what a table says of a count."""
    return {
        "lower": result.lower,
        "upper": result.upper,
        "exact": result.is_exact,
        "seconds": result.seconds,
        "status": result.status.name.lower(),
        "guarantee": result.guarantee.name.lower(),
    }


def frame(rows: Sequence[dict[str, Any]], columns: Sequence[str] = ()) -> "pandas.DataFrame":
    """Return a table; counts are Python's integers, of any size.

    Raises
    ------
    NotInstalledError
        Without pandas.
    """
    try:
        import pandas
    except ImportError:
        raise NotInstalledError("a table of counts", "pandas", "pandas") from None
    names = list(dict.fromkeys([*columns, *(name for row in rows for name in row)]))
    return pandas.DataFrame(
        {
            name: pandas.Series(
                [row.get(name) for row in rows], dtype=object if name in INTEGERS else None
            )
            for name in names
        }
    )
