"""Text from files and options as it may be printed: on one line, and without commands to terminals.

A name in a file can hold anything, escape sequences that recolour or rewrite a terminal included,
or marks that reverse the direction of writing. Wherever text is shown to people it goes through
here; records for machines are JSON, which escapes by itself.
"""

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


def printable(text: str) -> str:
    r"""Return the text with everything that is not printed escaped, as in ``\x1b``.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        The same text if it holds letters, digits, marks, symbols and single spaces only.
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii")
        for c in text
    )


def one_line(text: str, longest: int = 2_000) -> str:
    """Return a message as one printable line; newlines in it become spaces.

    Parameters
    ----------
    text : str
    longest : int
        Characters; the middle of what is longer is left out.
    """
    line = printable(" ".join(part.strip() for part in text.splitlines()))
    if len(line) <= longest:
        return line
    half = (longest - 5) // 2
    return f"{line[:half]} ... {line[-half:]}"


def as_html(text: str) -> str:
    """Return text as HTML that shows it; what is not printed is escaped as in `printable`."""
    return escape(printable(text))


def html_table(rows: Iterable[tuple[str, str]]) -> str:
    """Return (name, text) pairs as a table of HTML."""
    cells = "".join(
        f"<tr><th style='text-align:left'>{as_html(n)}</th>"
        f"<td style='text-align:left'>{as_html(t)}</td></tr>"
        for n, t in rows
    )
    return f"<table>{cells}</table>"


def rich_table(rows: Iterable[Iterable[str]], title: str = "") -> "Table":
    """Return rows of text as a table for `rich.print`, the first column flush right.

    Nothing in the texts is taken for markup.
    """
    from rich.table import Table
    from rich.text import Text

    lines = [[Text(printable(text)) for text in row] for row in rows]
    table = Table(title=Text(printable(title)) if title else None, show_header=False, box=None)
    for number in range(max(map(len, lines), default=0)):
        table.add_column(justify="left" if number else "right", style="bold" if not number else "")
    for line in lines:
        table.add_row(*line)
    return table
