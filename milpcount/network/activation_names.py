"""Names of activations as text: what table a name stands for."""

import ast
import re
import reprlib
from collections.abc import Callable
from typing import Any

from milpcount.errors import NetworkError
from milpcount.network.activation_table import Table, maxout_table, relu_table, scalar_table

_TABLES: dict[str, Callable[..., Table]] = {
    "relu": relu_table,
    "leaky_relu": lambda slope: scalar_table([0.0], [slope, 1.0], [0.0, 0.0]),
    "maxout": maxout_table,
    "piecewise_linear": scalar_table,
}


def table_of(name: str) -> Table | None:
    """Return the table that a name stands for; None for a name of the user's own."""
    parts = re.fullmatch(r"(\w+)(\(.*\))?", name)
    table: Table | None = made_by_name(name, _TABLES) if parts and parts[1] in _TABLES else None
    return table


def made_by_name(name: str, makers: dict[str, Callable[..., Any]]) -> Any:
    """Return what the maker that a name begins with makes of the arguments in it.

    Raises
    ------
    NetworkError
        If there is no such maker, or the arguments are not for it.
    """
    parts = re.fullmatch(r"(\w+)(?:\((.+)\))?", name)
    kind, arguments = parts.groups() if parts else ("", None)
    try:
        given = ast.literal_eval(f"({arguments},)") if arguments else ()
        return makers[kind](*given)
    except NetworkError:
        raise
    # Text nested too deeply ends in a RecursionError or a MemoryError.
    except (
        KeyError, MemoryError, OverflowError, RecursionError, SyntaxError, TypeError, ValueError
    ):  # fmt: skip
        raise NetworkError(
            f"activation {reprlib.repr(name)} is not known: allowed are relu, leaky_relu(slope), "
            "maxout(rank) and piecewise_linear([breakpoints],[slopes],[intercepts])"
        ) from None


def scalar_name(table: Table) -> str:
    """Return the name ``piecewise_linear(...)`` of a scalar table."""
    breakpoints = [row.threshold for row in table.rows]
    slopes = [piece.slope for piece in table.pieces]
    intercepts = [piece.intercept for piece in table.pieces]
    return f"piecewise_linear({breakpoints},{slopes},{intercepts})"
