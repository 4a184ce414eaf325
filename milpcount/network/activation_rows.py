"""The boundaries of a unit's pieces, and the cells that they cut its pre-activations into.

A row compares two values at most, so a cell is a system of difference constraints: it is empty
exactly if some cycle of them is negative.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Row:
    """The boundary ``v_a - v_b - threshold = 0``; `b` is -1 where there is no second value."""

    a: int
    b: int
    threshold: float


_Weight = tuple[Fraction, int]
_NOTHING: _Weight = (Fraction(0), 0)


def cells(rank: int, rows: Sequence[Row]) -> Iterator[tuple[int, ...]]:
    """Yield the signs of all rows for every cell that has points; a zero counts as negative."""
    # distances[i][j] bounds x_i - x_j, x_rank being 0: an amount, and -1 where it is not attained.
    nodes = rank + 1
    start = [[_NOTHING if i == j else None for j in range(nodes)] for i in range(nodes)]
    pending: list[tuple[tuple[int, ...], list[list[_Weight | None]]]] = [((), start)]
    while pending:
        signs, distances = pending.pop()
        if len(signs) == len(rows):
            yield signs
            continue
        row = rows[len(signs)]
        a, b, t = row.a, rank if row.b < 0 else row.b, Fraction(row.threshold)
        for sign, bound in ((1, (b, a, (-t, -1))), (-1, (a, b, (t, 0)))):
            closer = _bounded(distances, *bound)
            if closer is not None:
                pending.append(((*signs, sign), closer))


def _bounded(
    distances: list[list[_Weight | None]], i: int, j: int, weight: _Weight
) -> list[list[_Weight | None]] | None:
    """Return all bounds on differences once ``x_i - x_j`` has one more; None if none is left."""
    back = distances[j][i]
    if back is not None and _sum(back, weight) < _NOTHING:
        return None
    found = [list(row) for row in distances]
    for k, row in enumerate(distances):
        to = row[i]
        if to is None:
            continue
        for m, onward in enumerate(distances[j]):
            if onward is None:
                continue
            through, known = _sum(_sum(to, weight), onward), found[k][m]
            if known is None or through < known:
                found[k][m] = through
    return found


def _sum(a: _Weight, b: _Weight) -> _Weight:
    return a[0] + b[0], min(a[1], b[1])
