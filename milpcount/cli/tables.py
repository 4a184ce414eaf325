"""Tables and facts on stdout: plain columns, that fit the terminal where there is one."""

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence

from milpcount.cli.plain import writable
from milpcount.printable import printable

_GAP = "  "
_NARROWEST = 12
"""A column of words is not made narrower than this: below it, a row becomes lines."""


def width() -> int | None:
    """Return the columns there are to write in; None where nothing limits them, as in a pipe."""
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS", "").isdecimal():
        return None
    return shutil.get_terminal_size().columns


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], most: int | None = None, indent: str = ""
) -> str:
    """Return a table; columns of numbers are flush right.

    Where it is too wide its columns of words are wrapped; where that is not enough, every row
    becomes lines of names and values.

    Parameters
    ----------
    header : sequence of str
        Empty for none.
    rows : sequence of sequences of str
        All of one length, that of the header where there is one.
    most : int, optional
        Columns of the terminal.
    indent : str
        Before every line.
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    lines = [list(header), *rows] if header else rows
    natural = [max(map(len, column)) for column in zip(*lines, strict=True)]
    right = [_is_numeric(column) for column in zip(*rows, strict=True)] if rows else []
    right += [False] * (len(natural) - len(right))
    room = None if most is None else most - len(indent) - len(_GAP) * (len(natural) - 1)
    widths = natural if room is None else _fitted(natural, right, lines, room)
    if widths is None:
        return _records(header, rows, most or 0, indent)
    found = [text for row in rows for text in _wrapped(row, widths, right)]
    if header:
        found = [*_wrapped(header, widths, right), _GAP.join("-" * w for w in widths), *found]
    return "\n".join(f"{indent}{line}".rstrip() for line in found)


def _fitted(
    natural: Sequence[int], right: Sequence[bool], lines: Sequence[Sequence[str]], room: int
) -> list[int] | None:
    """Return widths that fit, the widest columns of words narrowed; None if there are none."""
    widths = list(natural)
    least = [
        full if flush else min(full, max(_NARROWEST, _longest_word(column)))
        for full, flush, column in zip(natural, right, zip(*lines, strict=True), strict=True)
    ]
    while sum(widths) > room:
        spare = [have - need for have, need in zip(widths, least, strict=True)]
        if not any(spare):
            return None
        at = max((i for i, left in enumerate(spare) if left), key=lambda i: widths[i])
        widths[at] -= 1
    return widths


def _longest_word(cells: Sequence[str]) -> int:
    return max((len(word) for cell in cells for word in cell.split()), default=0)


def _wrapped(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[str]:
    cells = [
        textwrap.wrap(cell, size, break_on_hyphens=False) if len(cell) > size else [cell]
        for cell, size in zip(row, widths, strict=True)
    ]
    found = []
    for number in range(max(map(len, cells))):
        parts = [cell[number] if number < len(cell) else "" for cell in cells]
        aligned = (
            part.rjust(size) if flush else part.ljust(size)
            for part, size, flush in zip(parts, widths, right, strict=True)
        )
        found.append(_GAP.join(aligned).rstrip())
    return found


def _records(header: Sequence[str], rows: Sequence[Sequence[str]], most: int, indent: str) -> str:
    """Return every row as its first cell and, below it, the others with their names."""
    blocks = []
    for row in rows:
        names = header[1:] or [""] * (len(row) - 1)
        rest = [pair for pair in zip(names, row[1:], strict=True) if pair[1]]
        head = " ".join([*header[:1], row[0]])
        blocks.append(f"{indent}{head}\n{facts(rest, most, f'{indent}  ')}")
    return "\n".join(blocks)


def facts(pairs: Sequence[tuple[str, str]], most: int | None = None, indent: str = "") -> str:
    """Return names and values, one pair a line; long values go on below themselves.

    Parameters
    ----------
    pairs : sequence of (str, str)
    most : int, optional
        Columns of the terminal.
    indent : str
        Before every line.
    """
    left = max((len(name) for name, _ in pairs), default=0)
    start = len(indent) + left + (len(_GAP) if left else 0)
    found = []
    for name, value in ((name, printable(value)) for name, value in pairs):
        head = f"{indent}{name:<{left}}{_GAP if left else ''}"
        if most is None or start + len(value) <= most:
            found.append(f"{head}{value}".rstrip())
            continue
        wrapped = textwrap.wrap(
            value,
            max(most - start, _NARROWEST),
            break_long_words=False,  # a fingerprint is copied in one piece
            break_on_hyphens=False,
        )
        found += [f"{head}{wrapped[0]}", *(" " * start + line for line in wrapped[1:])]
    return "\n".join(found)


def _is_numeric(column: Sequence[str]) -> bool:
    return all(not cell or cell in "-–" or cell.lstrip("~")[:1].isdigit() for cell in column)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], indent: str = "") -> None:
    """Print a table as wide as the terminal is."""
    print(table(_plain(header), [_plain(row) for row in rows], width(), indent))


def print_facts(pairs: Sequence[tuple[str, str]]) -> None:
    """Print names and values as wide as the terminal is."""
    print(facts([(name, writable(value, sys.stdout)) for name, value in pairs], width()))


def print_text(text: str) -> None:
    """Print a line as wide as the terminal is."""
    most = width()
    plain = writable(text, sys.stdout)
    print(plain if most is None else textwrap.fill(plain, most, break_on_hyphens=False))


def _plain(row: Sequence[str]) -> list[str]:
    return [writable(cell, sys.stdout) for cell in row]
