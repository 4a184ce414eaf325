"""Boxes, polytopes, sections, lines and planes, and all of space."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from milpcount import caps
from milpcount.domain.input_set import InputSet
from milpcount.domain.numbers import (
    array_of,
    check_box,
    exactly,
    independent,
    is_finite,
    matrix,
    vector,
)
from milpcount.errors import DomainError
from milpcount.types import Array


class Domain(Protocol):
    """A set of inputs, not yet bound to a number of inputs; convex, but for a `Union`."""

    def bind(self, n_inputs: int) -> InputSet:
        """Return the set for a network with so many inputs, or raise DomainError."""

    @property
    def title(self) -> str:
        """One line for people."""


def _check_room(n_inputs: int, dimension: int) -> None:
    """Refuse what would fill the memory: an input set holds a matrix of inputs and parameters."""
    caps.NUMBERS.check(
        n_inputs * dimension, f"a domain of {dimension} parameters in {n_inputs} inputs",
        DomainError,
    )  # fmt: skip


def _span(value: object) -> str:
    array = np.asarray(value, dtype=np.float64)
    if array.size and (array == array.flat[0]).all():
        return f"{float(array.flat[0]):g}"
    return f"({', '.join(f'{v:g}' for v in array.flat[:3])}{', ...' if array.size > 3 else ''})"


@dataclass(frozen=True, eq=False)
class Box:
    """The box ``lower <= x <= upper``.

    Parameters
    ----------
    lower, upper : float or array_like of shape (n_inputs,)
        Finite. An input with equal bounds is fixed; the count is relative to the others.
    """

    lower: Any = 0.0
    upper: Any = 1.0

    @classmethod
    def from_omlt(cls, definition: Any) -> "Box":
        """Return the box of an OMLT definition; see `milpcount.network.omlt_reader.input_bounds`.

        It is of the inputs before they are scaled, which are those of `Network.from_omlt`.
        """
        from milpcount.network.omlt_reader import input_bounds

        return cls(*input_bounds(definition))

    def bind(self, n_inputs: int) -> InputSet:
        """Return the set for a network with so many inputs.

        Raises
        ------
        DomainError
            If the box is empty, a point, not finite, or of another dimension.
        """
        lower = vector(self.lower, n_inputs, "the box's lower bound")
        upper = vector(self.upper, n_inputs, "the box's upper bound")
        check_box(lower, upper, "the box")
        free = np.flatnonzero(lower < upper)
        _check_room(n_inputs, free.size)
        origin = np.where(lower < upper, 0.0, lower)
        directions = np.zeros((n_inputs, free.size))
        directions[free, np.arange(free.size)] = 1.0
        none = np.zeros((0, free.size))
        return InputSet.of(origin, directions, lower[free], upper[free], none, np.zeros(0))

    @property
    def title(self) -> str:
        """One line for people."""
        return f"box [{_span(self.lower)}, {_span(self.upper)}]"


@dataclass(frozen=True, eq=False)
class Polytope:
    """The polyhedron ``A x <= b``, cut with a box where one is given; it may be unbounded.

    Parameters
    ----------
    A : array_like, shape (rows, n_inputs)
    b : array_like, shape (rows,)
    lower, upper : float or array_like, optional

    Notes
    -----
    It must have interior points; a flat one is a `Section`.
    """

    A: Any
    b: Any
    lower: Any = -np.inf
    upper: Any = np.inf

    def bind(self, n_inputs: int) -> InputSet:
        """Return the set for a network with so many inputs.

        Raises
        ------
        DomainError
            If shapes do not fit or the box is empty. (Whether the rows leave an interior is found
            by the counting method.)
        """
        rows, rhs = matrix(self.A, self.b, n_inputs, "the polytope")
        lower = vector(self.lower, n_inputs, "the polytope's lower bound")
        upper = vector(self.upper, n_inputs, "the polytope's upper bound")
        check_box(lower, upper, "the polytope's box", finite=False)
        if (lower == upper).any():
            raise DomainError("a polytope with a fixed input is flat: describe it as a Section")
        _check_room(n_inputs, n_inputs)
        return InputSet.of(np.zeros(n_inputs), np.eye(n_inputs), lower, upper, rows, rhs)

    @property
    def title(self) -> str:
        """One line for people."""
        return f"polytope of {np.asarray(self.b).size} rows"


@dataclass(frozen=True, eq=False)
class Section:
    """The affine image of a box, ``x = p0 + sum_i t_i directions[i]``.

    Counts are relative to the section: regions are full-dimensional within it.

    Parameters
    ----------
    p0 : array_like, shape (n_inputs,)
    directions : array_like, shape (d, n_inputs)
        Linearly independent.
    box : Box
        Of dimension d.
    """

    p0: Any
    directions: Any
    box: Box = field(default_factory=Box)

    def bind(self, n_inputs: int) -> InputSet:
        """Return the set for a network with so many inputs.

        Raises
        ------
        DomainError
            If shapes do not fit, a number is not finite, or the directions are dependent.
        """
        origin = vector(self.p0, n_inputs, "the section's p0")
        directions = np.atleast_2d(array_of(self.directions, "the section's directions"))
        if directions.ndim != 2 or directions.shape[1] != n_inputs:
            raise DomainError(
                f"the section's directions have shape {directions.shape}, but there are "
                f"{n_inputs} inputs"
            )
        if not (is_finite(directions).all() and is_finite(origin).all()):
            raise DomainError("the section holds a number that is not finite")
        if not independent(directions):
            raise DomainError("the section's directions are linearly dependent")
        if not isinstance(self.box, Box):
            raise DomainError(
                f"the section's box is a {type(self.box).__name__}: give mc.Box(lower, upper)"
            )
        lower = vector(self.box.lower, len(directions), "the box's lower bound")
        upper = vector(self.box.upper, len(directions), "the box's upper bound")
        check_box(lower, upper, "the box")
        free, fixed = lower < upper, np.flatnonzero(lower == upper)
        if lower[fixed].any():
            # Without rounding: what is fixed shifts the section by an exact vector.
            shifted = [exactly(origin)]
            shifted += [exactly(directions[i]) * exactly(lower[i : i + 1])[0] for i in fixed]
            origin = np.asarray(np.sum(shifted, axis=0), dtype=object)
        none = np.zeros((0, int(free.sum())))
        return InputSet.of(origin, directions[free].T, lower[free], upper[free], none, np.zeros(0))

    @property
    def title(self) -> str:
        """One line for people."""
        return f"section of dimension {np.atleast_2d(np.asarray(self.directions)).shape[0]}"


@dataclass(frozen=True, eq=False)
class Segment:
    """The straight line between two points, ``x = (1 - t) a + t b`` for t in [0, 1].

    Without rounding: the direction ``b - a`` is exact. Counts are relative to the line: regions
    are intervals of t.

    Parameters
    ----------
    a, b : array_like, shape (n_inputs,) or the shape of one input, e.g. of an image
    """

    a: Any
    b: Any

    def bind(self, n_inputs: int) -> InputSet:
        """Return the set for a network with so many inputs.

        Raises
        ------
        DomainError
            If the points do not fit the network, are not finite, or are the same.
        """
        a, b = (
            _point(p, n_inputs, f"the segment's {n}") for p, n in ((self.a, "a"), (self.b, "b"))
        )
        if bool((a == b).all()):
            raise DomainError("the segment's ends are one point: give two different ones")
        direction = exactly(b) - exactly(a)
        ends, none = np.zeros(1), np.zeros((0, 1))
        return InputSet.of(a, _plain(direction)[:, None], ends, ends + 1.0, none, np.zeros(0))

    @property
    def title(self) -> str:
        """One line for people."""
        return "segment"


@dataclass(frozen=True, eq=False)
class Plane:
    """A window of a plane, ``x = origin + s u + t v`` for (s, t) in a box.

    Parameters
    ----------
    origin, u, v : array_like, shape (n_inputs,) or the shape of one input
        u and v linearly independent.
    box : Box
        Of s and t; [0, 1]^2 by default.
    """

    origin: Any
    u: Any
    v: Any
    box: Box = field(default_factory=Box)

    @classmethod
    def through(cls, a: Any, b: Any, c: Any, box: Box | None = None) -> "Plane":
        """Return the plane with a at (0, 0), b at (1, 0) and c at (0, 1), without rounding."""
        flat = [array_of(point, "a point of the plane").ravel() for point in (a, b, c)]
        if len({point.size for point in flat}) > 1:
            raise DomainError(f"points of {[point.size for point in flat]} numbers: give one shape")
        if not all(is_finite(point).all() for point in flat):
            raise DomainError("a point of the plane holds a number that is not finite")
        origin, *others = flat
        u, v = (exactly(point) - exactly(origin) for point in others)
        return cls(origin, _plain(u), _plain(v), Box() if box is None else box)

    def bind(self, n_inputs: int) -> InputSet:
        """Return the set for a network with so many inputs.

        Raises
        ------
        DomainError
            If shapes do not fit, a number is not finite, or u and v are dependent.
        """
        origin, u, v = (
            _point(value, n_inputs, f"the plane's {name}")
            for name, value in (("origin", self.origin), ("u", self.u), ("v", self.v))
        )
        directions = np.empty((2, n_inputs), dtype=np.result_type(u, v))
        directions[0], directions[1] = u, v
        return Section(origin, directions, self.box).bind(n_inputs)

    @property
    def title(self) -> str:
        """One line for people."""
        return f"plane, (s, t) in {self.box.title}" if isinstance(self.box, Box) else "plane"


@dataclass(frozen=True, eq=False)
class Polyline:
    """The path from point to point along straight lines.

    Parameters
    ----------
    points : array_like, shape (k, n_inputs) or (k, ...) with the shape of one input
        At least two; those that follow each other differ.

    Notes
    -----
    It is not convex, so a pattern may be met several times: `milpcount.count` counts patterns, each
    once, and its result's ``details["transitions"]`` the changes of the pattern along the path.
    """

    points: Any

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The straight parts, in order."""
        points = list(self.points)
        if len(points) < 2:
            raise DomainError(f"a polyline of {len(points)} points: give two or more")
        return tuple(Segment(a, b) for a, b in pairwise(points))

    def bind(self, n_inputs: int) -> InputSet:
        """Return the set if it is one segment, else raise DomainError."""
        parts = self.segments
        if len(parts) == 1:
            return parts[0].bind(n_inputs)
        raise DomainError(
            f"a {self.title} is no convex set, which is needed here: only counts by the method "
            "section take it; give its segments one by one"
        )

    @property
    def title(self) -> str:
        """One line for people."""
        return f"polyline of {len(self.segments)} segments"


def _point(value: Any, n_inputs: int, what: str) -> Array:
    """Return the numbers of a point, row by row where it has the shape of an input."""
    array = array_of(value, what)
    if array.size != n_inputs or not array.ndim:
        raise DomainError(f"{what} has shape {array.shape}, but there are {n_inputs} inputs")
    array = array.ravel()
    if not is_finite(array).all():
        raise DomainError(f"{what} holds a number that is not finite")
    return array


def _plain(exact: Array) -> Array:
    """Return exact numbers in float64 where that holds them all.

    Raises
    ------
    DomainError
        If one is beyond its range.
    """
    try:
        floats = exact.astype(np.float64)
    except OverflowError:
        raise DomainError(
            "two points are further apart than 1.8e308, float64's largest number: scale the input"
        ) from None
    return floats if bool((floats == exact).all()) else exact


@dataclass(frozen=True)
class Unbounded:
    """All of input space."""

    def bind(self, n_inputs: int) -> InputSet:
        """Return the set for a network with so many inputs."""
        _check_room(n_inputs, n_inputs)
        infinite = np.full(n_inputs, np.inf)
        none = np.zeros((0, n_inputs))
        return InputSet(
            np.zeros(n_inputs), np.eye(n_inputs), -infinite, infinite, none, np.zeros(0)
        )

    @property
    def title(self) -> str:
        """One line for people."""
        return "all of space"
