"""Tables on stdout: plain columns, the same on a terminal, in a pipe and in a paper's appendix."""

from collections.abc import Sequence

from milpcount.printable import printable


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; columns of numbers are flush right.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequences of str
        As long as the header.
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    lines = [list(header), *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    right = [_is_numeric(column) for column in zip(*rows, strict=True)] if rows else []
    right += [False] * (len(widths) - len(right))

    def text(line: Sequence[str]) -> str:
        cells = (
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(line, widths, right, strict=True)
        )
        return "  ".join(cells).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([text(header), rule, *map(text, rows)])


def _is_numeric(column: Sequence[str]) -> bool:
    return all(not cell or cell in "-–" or cell[0].isdigit() for cell in column)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    print(table(header, rows))
