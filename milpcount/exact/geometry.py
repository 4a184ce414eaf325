"""Exact points, boxes and affine functions of the parameters of an input set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any

import numpy as np

from milpcount.errors import DomainError
from milpcount.exact.arithmetic import product
from milpcount.limits import tick
from milpcount.rationals import to_float, to_integers
from milpcount.types import Array


@dataclass(frozen=True, eq=False)
class Point:
    """A rational point, ``numerators / denominator``.

    Attributes
    ----------
    numerators : ndarray of int, dtype object, shape (d,)
    denominator : int
        Positive.
    """

    numerators: Array
    denominator: int

    @classmethod
    def of(cls, values: Any) -> "Point":
        """Return the point of float64 or exact numbers, shape (d,)."""
        return cls(*to_integers(values))

    def floats(self) -> Array:
        """Return the nearest float64 point."""
        return np.array([to_float(int(n), self.denominator) for n in self.numerators])

    def is_same(self, other: "Point") -> bool:
        """Return whether two points have the same coordinates."""
        same = self.numerators * other.denominator == other.numerators * self.denominator
        return bool(np.all(same))

    def fractions(self) -> list[Fraction]:
        """Return the coordinates as fractions."""
        return [Fraction(int(n), self.denominator) for n in self.numerators]


@dataclass(frozen=True, eq=False)
class Rows:
    """Affine functions ``(values[i, 0] + values[i, 1:] @ t) / denominators[i]``.

    Attributes
    ----------
    values : ndarray of int, dtype object, shape (r, 1 + d)
        Constant, then coefficients.
    denominators : tuple of int, length r
        Positive.
    """

    values: Array
    denominators: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.denominators)

    @property
    def dimension(self) -> int:
        """Number of parameters."""
        return int(self.values.shape[1]) - 1

    @classmethod
    def of(cls, values: Any) -> "Rows":
        """Return the rows of a matrix of float64 or exact numbers, shape (r, 1 + d)."""
        integers, q = to_integers(values)
        return cls(integers, (q,) * len(integers))

    @classmethod
    def stack(cls, parts: Iterable["Rows"]) -> "Rows":
        """Return the rows of all parts, one after the other; at least one part is needed."""
        parts = list(parts)
        values = np.concatenate([p.values for p in parts])
        return cls(values, tuple(q for p in parts for q in p.denominators))

    def take(self, indices: Sequence[int]) -> "Rows":
        """Return some of the rows."""
        at = list(indices)
        return Rows(self.values[at], tuple(self.denominators[i] for i in at))

    def at(self, point: Point) -> Array:
        """Return every row at a point, times positive integers: only the signs are meant.

        Returns
        -------
        ndarray of int, dtype object, shape (r,)
        """
        slopes = product(self.values[:, 1:], point.numerators)
        return np.asarray(slopes + self.values[:, 0] * point.denominator)

    def is_zero(self) -> Array:
        """Return which rows vanish identically, shape (r,)."""
        return np.asarray(~(self.values != 0).any(axis=1))

    def floats(self) -> Array:
        """Return the rows in float64, every entry rounded once, shape (r, 1 + d)."""
        table = []
        for row, q in zip(self.values.tolist(), self.denominators, strict=True):
            tick()
            table.append([to_float(v, q) for v in row])
        return np.array(table, dtype=np.float64).reshape(self.values.shape)


@dataclass(frozen=True, eq=False)
class ExactBox:
    """The box ``lower / denominator <= t <= upper / denominator``, sides may be infinite.

    Attributes
    ----------
    lower, upper : ndarray, dtype object, shape (d,)
        Integers, or None where there is no bound.
    denominator : int
    """

    lower: Array
    upper: Array
    denominator: int

    @classmethod
    def of(cls, lower: Any, upper: Any) -> "ExactBox":
        """Return the box of float64 or exact bounds, shape (d,) each.

        Raises
        ------
        DomainError
            If the box has no interior or a bound is nan.
        """
        ends = np.concatenate([np.asarray(lower, dtype=object), np.asarray(upper, dtype=object)])
        finite = np.array([abs(v) != float("inf") for v in ends], dtype=bool)
        if any(v != v for v in ends):
            raise DomainError("a bound of the box is nan; give a number or an infinity")
        integers, q = to_integers(np.array([*ends[finite]], dtype=object))
        out = np.full(ends.shape, None, dtype=object)
        out[finite] = integers
        low, high = np.split(out, 2)
        for i, (a, b) in enumerate(zip(ends[: low.size], ends[low.size :], strict=True)):
            if not a < b:
                raise DomainError(f"the box is [{a}, {b}] at parameter {i}: it has no interior")
        return cls(low, high, q)

    @property
    def dimension(self) -> int:
        """Number of parameters."""
        return int(self.lower.shape[0])

    @cached_property
    def unbounded_below(self) -> Array:
        """Which parameters have no lower bound, shape (d,)."""
        return np.array([v is None for v in self.lower], dtype=bool)

    @cached_property
    def unbounded_above(self) -> Array:
        """Which parameters have no upper bound, shape (d,)."""
        return np.array([v is None for v in self.upper], dtype=bool)

    @cached_property
    def is_finite(self) -> bool:
        """Whether every side is finite."""
        return not (self.unbounded_below.any() or self.unbounded_above.any())

    @cached_property
    def floats(self) -> tuple[Array, Array]:
        """The bounds in float64, each of shape (d,)."""
        low = [-np.inf if v is None else to_float(v, self.denominator) for v in self.lower]
        high = [np.inf if v is None else to_float(v, self.denominator) for v in self.upper]
        return np.array(low), np.array(high)

    @cached_property
    def middle(self) -> Point:
        """A point of the interior: the centre, or one unit from a single bound."""
        q = self.denominator

        def of(a: int | None, b: int | None) -> int:
            if a is None:
                return 0 if b is None else 2 * (b - q)
            return 2 * (a + q) if b is None else a + b

        values = [of(a, b) for a, b in zip(self.lower, self.upper, strict=True)]
        return Point(np.array(values, dtype=object), 2 * q)

    def contains_inside(self, point: Point) -> bool:
        """Return whether a point lies strictly inside."""
        return self._holds(point, strict=True)

    def contains(self, point: Point) -> bool:
        """Return whether a point lies in the closed box."""
        return self._holds(point, strict=False)

    def _holds(self, point: Point, *, strict: bool) -> bool:
        q, least = self.denominator, int(strict)
        for n, a, b in zip(point.numerators * q, self.lower, self.upper, strict=True):
            if a is not None and n - a * point.denominator < least:
                return False
            if b is not None and b * point.denominator - n < least:
                return False
        return True

    def maximum(self, row: Array) -> Fraction | None:
        """Return the largest value of ``row[0] + row[1:] @ t``; None where it is infinite.

        Parameters
        ----------
        row : ndarray of int, dtype object, shape (1 + d,)
        """
        scaled = self.scaled_maximum(row)
        return None if scaled is None else Fraction(scaled, self.denominator)

    def scaled_maximum(self, row: Array) -> int | None:
        """Return `maximum` times the box's denominator, an integer."""
        slopes = row[1:]
        up, down = slopes > 0, slopes < 0
        if not self.is_finite:
            if (up & self.unbounded_above).any() or (down & self.unbounded_below).any():
                return None
        gain = (slopes[up] * self.upper[up]).sum() + (slopes[down] * self.lower[down]).sum()
        return int(row[0] * self.denominator + gain)

    def is_positive(self, row: Array) -> bool:
        """Return whether ``row[0] + row[1:] @ t`` is positive on the whole closed box."""
        scaled = self.scaled_maximum(-row)
        return scaled is not None and scaled < 0

    def is_nowhere_positive(self, row: Array) -> bool:
        """Return whether ``row[0] + row[1:] @ t`` is positive at no point of the closed box."""
        scaled = self.scaled_maximum(row)
        return scaled is not None and scaled <= 0


def common_multipliers(multipliers: Sequence[int], denominators: Sequence[int]) -> list[int]:
    """Return integers proportional to ``multipliers[i] / denominators[i]``."""
    q = lcm(*denominators)
    return [m * (q // d) for m, d in zip(multipliers, denominators, strict=True)]
