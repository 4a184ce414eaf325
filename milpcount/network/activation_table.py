"""Tables of piecewise linear units, and the proof that a table is a function.

A table is a number of values (the rank), rows and pieces; see `milpcount.network.activation`. It is
a function if every point has exactly one piece. A scalar table shows it by its order, that of
maxout by being equal to it, and any other by going through the cells that its rows cut the values
into.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise
from math import isfinite
from numbers import Integral, Real
from typing import Any, NamedTuple

from milpcount import caps
from milpcount.errors import NetworkError
from milpcount.network.activation_rows import Row, cells

LARGEST_RANK = caps.RANK.most
"""Pre-activations of a maxout unit: its table has a row for every two of them."""
MOST_ROWS = 12
"""Rows of a table of several values that is no maxout: they cut the values into cells."""


@dataclass(frozen=True)
class Piece:
    """One affine piece of a unit.

    Attributes
    ----------
    value : int
        Which pre-activation the output uses.
    slope, intercept : float
        Output ``slope * v_value + intercept``.
    literals : tuple of (int, int)
        (row, sign) pairs: the piece is the set where ``sign * row > 0`` for all of them. A row
        that is zero counts as not positive.
    """

    value: int
    slope: float
    intercept: float
    literals: tuple[tuple[int, int], ...]


class Table(NamedTuple):
    """What a unit computes, without a name."""

    rank: int
    rows: tuple[Row, ...]
    pieces: tuple[Piece, ...]


def scalar_table(breakpoints: Any, slopes: Any, intercepts: Any) -> Table:
    """Return the table of a scalar unit, whose pieces go from left to right.

    Raises
    ------
    NetworkError
        If the arguments are not three lists of finite numbers that fit, or the breakpoints do not
        increase.
    """
    at, slope, offset = (
        _numbers(given, what)
        for given, what in zip(
            (breakpoints, slopes, intercepts), ("breakpoints", "slopes", "intercepts"), strict=True
        )
    )
    caps.PIECES.check(max(map(len, (at, slope, offset))), "an activation", NetworkError)
    if not len(slope) == len(offset) == len(at) + 1:
        raise NetworkError(
            f"{len(at)} breakpoints need {len(at) + 1} slopes and intercepts, "
            f"not {len(slope)} and {len(offset)}"
        )
    if any(b <= a for a, b in pairwise(at)):
        raise NetworkError(f"breakpoints {at}: they must increase")
    rows = tuple(Row(0, -1, t) for t in at)
    return Table(
        1,
        rows,
        tuple(Piece(0, slope[k], offset[k], _interval(k, len(rows))) for k in range(len(slope))),
    )


def relu_table() -> Table:
    """Return the table of the rectifier."""
    return scalar_table([0.0], [0.0, 1.0], [0.0, 0.0])


def maxout_table(rank: int) -> Table:
    """Return the table of ``max(v_0, .., v_{rank-1})``; the lowest index wins a tie.

    Raises
    ------
    NetworkError
        If the rank is no integer, below 2 or above `LARGEST_RANK`.
    """
    if not _is_integer(rank) or not 2 <= rank <= LARGEST_RANK:
        raise NetworkError(
            f"a maxout unit of rank {rank!r}: give an integer of at least 2 and at most "
            f"{LARGEST_RANK}"
        )
    return _maxout_table(int(rank))


@lru_cache(maxsize=8)
def _maxout_table(rank: int) -> Table:
    # v_b - v_a with a < b is positive where the later value wins, and zero is not positive.
    pairs = list(combinations(range(rank), 2))
    literals: list[list[tuple[int, int]]] = [[] for _ in range(rank)]
    for r, (a, b) in enumerate(pairs):
        literals[a].append((r, -1))
        literals[b].append((r, 1))
    rows = tuple(Row(b, a, 0.0) for a, b in pairs)
    return Table(rank, rows, tuple(Piece(k, 1.0, 0.0, tuple(literals[k])) for k in range(rank)))


def checked_table(rank: Any, rows: Any, pieces: Any) -> Table:
    """Return a table in its one form: plain numbers, the literals of a piece in order.

    Raises
    ------
    NetworkError
        If a number is of the wrong kind or not finite, a reference leads nowhere, or some point
        has no piece or several.
    """
    for given in (rows, pieces):
        if isinstance(given, list | tuple) and rank == 1:
            caps.PIECES.check(len(given), "an activation", NetworkError)
    table = _plain(rank, rows, pieces)
    if not table.pieces:
        raise NetworkError("it has no pieces: at least one is needed")
    if table.rank == 1:
        return _checked_scalar(table)
    if len(table.pieces) == table.rank <= LARGEST_RANK and table == maxout_table(table.rank):
        return maxout_table(table.rank)
    if len(table.rows) > MOST_ROWS or table.rank > MOST_ROWS:
        raise NetworkError(
            f"it has {table.rank} values and {len(table.rows)} rows: at most {MOST_ROWS} of each "
            "are allowed, unless it is the table of maxout"
        )
    _check_cells(table, cells(table.rank, table.rows))
    return table


def number(value: Any, what: str, *, finite: bool = True) -> float:
    """Return a number as a float; NetworkError if it is none, or is not finite."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise NetworkError(f"{what} {value!r}: a number is needed")
    try:
        found = float(value) + 0.0  # -0.0 and 0.0 are one number, and print alike
    except OverflowError:
        found = float("inf")
    if finite and not isfinite(found):
        raise NetworkError(f"{what} {found}: every number must be finite")
    return found


def _numbers(given: Any, what: str) -> list[float]:
    if not isinstance(given, Iterable) or isinstance(given, str | bytes):
        raise NetworkError(f"{what} {given!r}: a list of numbers is needed")
    return [number(value, f"{what} hold") for value in given]


def _is_integer(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _plain(rank: Any, rows: Any, pieces: Any) -> Table:
    """Return a table whose numbers are plain and whose references lead somewhere."""
    if not _is_integer(rank) or rank < 1:
        raise NetworkError(f"rank {rank!r}: an integer of at least 1 is needed")
    plain_rows = []
    for r, row in enumerate(_items(rows, Row, "rows")):
        a = _reference(row.a, 0, rank, f"row {r} refers to value")
        b = _reference(row.b, -1, rank, f"row {r} refers to value")
        if a == b:
            raise NetworkError(f"row {r} compares value {a} with itself: give two, or -1 as second")
        plain_rows.append(Row(a, b, number(row.threshold, f"row {r} has threshold")))
    return Table(
        int(rank),
        tuple(plain_rows),
        tuple(
            _plain_piece(piece, f"piece {k}", int(rank), len(plain_rows))
            for k, piece in enumerate(_items(pieces, Piece, "pieces"))
        ),
    )


def _plain_piece(piece: Piece, name: str, rank: int, n_rows: int) -> Piece:
    value = _reference(piece.value, 0, rank, f"{name} refers to value")
    slope = number(piece.slope, f"{name} has slope")
    intercept = number(piece.intercept, f"{name} has intercept")
    literals = set()
    for literal in _items(piece.literals, object, f"the literals of {name}"):
        if not isinstance(literal, list | tuple) or len(literal) != 2:
            raise NetworkError(f"{name} has literal {literal!r}: a row and a sign are needed")
        row = _reference(literal[0], 0, n_rows, f"{name} refers to row")
        if not _is_integer(literal[1]) or literal[1] not in (-1, 1):
            raise NetworkError(f"{name} has sign {literal[1]!r}: 1 or -1 is needed")
        literals.add((row, int(literal[1])))
    return Piece(value, slope, intercept, tuple(sorted(literals)))


def _items(given: Any, kind: type, what: str) -> list[Any]:
    found = list(given) if isinstance(given, list | tuple) else [None]
    if not all(isinstance(item, kind) and item is not None for item in found):
        of = "" if kind is object else f" of {kind.__name__}"
        raise NetworkError(f"{what} are {given!r}: a tuple{of} is needed")
    return found


def _reference(index: Any, first: int, end: int, what: str) -> int:
    if not _is_integer(index) or not first <= index < end:
        allowed = f"{first} to {end - 1} are allowed" if first < end else "there is none"
        raise NetworkError(f"{what} {index!r}: {allowed}")
    return int(index)


def _interval(k: int, n_rows: int) -> tuple[tuple[int, int], ...]:
    """Return the literals of the k-th interval from the left."""
    return (((k - 1, 1),) if k else ()) + (((k, -1),) if k < n_rows else ())


def _checked_scalar(table: Table) -> Table:
    rows, pieces = table.rows, table.pieces
    thresholds = [row.threshold for row in rows]
    if any(b <= a for a, b in pairwise(thresholds)):
        raise NetworkError(f"the rows have thresholds {thresholds}: they must increase")
    wanted = [_interval(k, len(rows)) for k in range(len(rows) + 1)]
    if [piece.literals for piece in pieces] == wanted:
        return table
    # Several literals may say the same.
    order = _check_cells(table, (_signs(k, len(rows)) for k in range(len(wanted))))
    if order != list(range(len(pieces))):
        raise NetworkError(
            f"from left to right its pieces are {order}: they must be in this order, one for each "
            "interval"
        )
    return Table(
        1, rows, tuple(Piece(0, p.slope, p.intercept, wanted[k]) for k, p in enumerate(pieces))
    )


def _signs(k: int, n_rows: int) -> tuple[int, ...]:
    return (1,) * k + (-1,) * (n_rows - k)


def _check_cells(table: Table, cells: Iterable[tuple[int, ...]]) -> list[int]:
    """Return the piece of each cell, a cell being the sign of every row there.

    Raises
    ------
    NetworkError
        If a cell has no piece, or several.
    """
    found: list[int] = []
    for signs in cells:
        holding = [
            k
            for k, piece in enumerate(table.pieces)
            if all(signs[row] == sign for row, sign in piece.literals)
        ]
        if len(holding) != 1:
            where = ", ".join(f"row {r} {'>' if s > 0 else '<='} 0" for r, s in enumerate(signs))
            what = f"pieces {holding} all hold" if holding else "no piece holds"
            raise NetworkError(
                f"{what} where {where or 'it has no rows'}: every point needs exactly one"
            )
        found += holding
    return found
