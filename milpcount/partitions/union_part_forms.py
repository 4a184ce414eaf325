"""A part of a union in the parameters of the space that all parts span, in exact numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from milpcount.exact.arithmetic import product, solve
from milpcount.exact.inputs import ExactInputs
from milpcount.partitions.cells import Row, primitive, sides
from milpcount.types import Array


@dataclass(frozen=True, eq=False)
class Part:
    """A part in the parameters of the space: a box, with infinite sides, and oblique rows."""

    lower: Array
    upper: Array
    rows: tuple[Row, ...]


def in_space(part: ExactInputs, space: ExactInputs) -> Part:
    """Return a part in the parameters of the space that holds it, its bounds as fractions."""
    rows = [primitive(row) for row in part.rows.values.tolist()]
    if _same_parameters(part, space):
        lower = _fractions(part.box.lower, part.box.denominator, -np.inf)
        upper = _fractions(part.box.upper, part.box.denominator, np.inf)
    else:  # of full dimension: its parameters are functions of the inputs
        rows = _of_inputs(part, [*sides(part.box), *rows])
        lower, upper = objects([-np.inf] * space.dimension), objects([np.inf] * space.dimension)
    oblique = []
    for row in rows:
        slopes = [k for k, v in enumerate(row[1:]) if v]
        if len(slopes) != 1:
            oblique.append(row)
            continue
        k = slopes[0]
        at = Fraction(-row[0], row[1 + k])
        if row[1 + k] > 0:
            lower[k] = max(lower[k], at)
        else:
            upper[k] = min(upper[k], at)
    return Part(lower, upper, tuple(dict.fromkeys(oblique)))


def _same_parameters(one: ExactInputs, other: ExactInputs) -> bool:
    """Return whether equal parameters are equal inputs."""
    p, q = one.denominator, other.denominator
    return bool(
        one.directions.shape == other.directions.shape
        and (one.directions * q == other.directions * p).all()
        and (one.origin * q == other.origin * p).all()
    )


def _of_inputs(part: ExactInputs, rows: list[Row]) -> list[Row]:
    """Return rows in a part's parameters t as rows in the inputs x = (origin + D t) / q.

    With D^-1 = N / m: m (c + a t) = (m c - a N origin) + q (a N) x.
    """
    n = part.dimension
    solved = solve(part.directions.tolist(), [[int(i == j) for j in range(n)] for i in range(n)])
    assert solved is not None  # directions of a section are independent
    inverse, m = np.array(solved[0], dtype=object).reshape(n, n), solved[1]
    table = np.array(rows, dtype=object).reshape(-1, 1 + n)
    slopes = product(table[:, 1:], inverse)
    constant = m * table[:, 0] - product(slopes, part.origin)
    found = np.c_[constant, part.denominator * slopes]
    return [primitive(row) for row in found.tolist()]


def _fractions(ends: Array, denominator: int, infinity: float) -> Array:
    return objects([infinity if v is None else Fraction(int(v), denominator) for v in ends])


def objects(values: Sequence[object]) -> Array:
    """Return numbers, and infinities, in an array of dtype object."""
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found
