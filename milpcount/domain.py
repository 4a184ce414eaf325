"""Input domains: what the count is relative to.

Every domain is bound to a network's number of inputs and becomes an `InputSet`, the one form
that the counting methods read.
"""

import reprlib
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from milpcount.errors import DomainError

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class InputSet:
    """The set ``{origin + directions @ t : lower <= t <= upper, rows @ t <= rhs}``.

    The parameter t has the set's own dimension: inputs that a box fixes are folded into `origin`.

    Attributes
    ----------
    origin : ndarray, shape (n_inputs,)
    directions : ndarray, shape (n_inputs, d)
    lower, upper : ndarray, shape (d,)
        May be infinite, unless `is_boxed`.
    rows : ndarray, shape (r, d)
    rhs : ndarray, shape (r,)
    """

    origin: Array
    directions: Array
    lower: Array
    upper: Array
    rows: Array
    rhs: Array

    @property
    def dimension(self) -> int:
        """Number of parameters."""
        return int(self.lower.shape[0])

    @property
    def is_boxed(self) -> bool:
        """Whether every parameter has finite bounds."""
        return bool(np.isfinite(self.lower).all() and np.isfinite(self.upper).all())

    def to_inputs(self, t: Array) -> Array:
        """Return the inputs of parameters t, shape (..., d) to (..., n_inputs)."""
        return np.asarray(self.origin + t @ self.directions.T)


class Domain(Protocol):
    """A set of inputs, convex, not yet bound to a number of inputs."""

    def bind(self, n_inputs: int) -> InputSet:
        """Return the set for a network with so many inputs, or raise DomainError."""

    @property
    def title(self) -> str:
        """One line for people."""


def _array(value: object, what: str) -> Array:
    try:
        return np.asarray(value, dtype=np.float64)
    except (OverflowError, TypeError, ValueError):
        raise DomainError(f"{what} is {reprlib.repr(value)}: numbers are needed") from None


def _vector(value: object, n: int, what: str) -> Array:
    array = _array(value, what)
    if array.ndim == 0:
        array = np.full(n, float(array))
    if array.shape != (n,):
        raise DomainError(f"{what} has shape {array.shape}, but there are {n} inputs")
    if np.isnan(array).any():
        raise DomainError(f"{what} holds nan at input {int(np.argmax(np.isnan(array)))}")
    return array


def _matrix(rows: object, rhs: object, n: int, what: str) -> tuple[Array, Array]:
    a, b = _array(rows, f"{what}'s A"), _array(rhs, f"{what}'s b")
    if a.ndim != 2 or a.shape[1] != n or b.shape != (a.shape[0],):
        raise DomainError(
            f"{what} with A of shape {a.shape} and b of shape {b.shape}: for {n} inputs A must "
            f"have shape (rows, {n}) and b (rows,)"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise DomainError(f"{what} holds a number that is not finite")
    return a, b


def _box(lower: Array, upper: Array, what: str, *, finite: bool = True) -> tuple[Array, Array]:
    wrong = np.flatnonzero(lower > upper)
    if wrong.size:
        i = int(wrong[0])
        raise DomainError(
            f"{what} is reversed at input {i}: [{lower[i]}, {upper[i]}]; the lower bound must not "
            "be above the upper one"
        )
    if finite and not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        i = int(np.argmax(~(np.isfinite(lower) & np.isfinite(upper))))
        raise DomainError(
            f"{what} is [{lower[i]}, {upper[i]}] at input {i}: bounds must be finite; "
            "use Unbounded() for all of space"
        )
    if np.isposinf(lower).any() or np.isneginf(upper).any():
        raise DomainError(f"{what} is empty: a lower bound is inf or an upper bound is -inf")
    if (lower == upper).all():
        raise DomainError(f"{what} is a single point: at least one input must have room to vary")
    return lower, upper


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

    def bind(self, n_inputs: int) -> InputSet:
        """Return the set for a network with so many inputs.

        Raises
        ------
        DomainError
            If the box is empty, a point, not finite, or of another dimension.
        """
        lower = _vector(self.lower, n_inputs, "the box's lower bound")
        upper = _vector(self.upper, n_inputs, "the box's upper bound")
        _box(lower, upper, "the box")
        free = np.flatnonzero(lower < upper)
        origin = np.where(lower < upper, 0.0, lower)
        directions = np.zeros((n_inputs, free.size))
        directions[free, np.arange(free.size)] = 1.0
        none = np.zeros((0, free.size))
        return InputSet(origin, directions, lower[free], upper[free], none, np.zeros(0))

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
        rows, rhs = _matrix(self.A, self.b, n_inputs, "the polytope")
        lower = _vector(self.lower, n_inputs, "the polytope's lower bound")
        upper = _vector(self.upper, n_inputs, "the polytope's upper bound")
        _box(lower, upper, "the polytope's box", finite=False)
        if (lower == upper).any():
            raise DomainError("a polytope with a fixed input is flat: describe it as a Section")
        return InputSet(np.zeros(n_inputs), np.eye(n_inputs), lower, upper, rows, rhs)

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
        origin = _vector(self.p0, n_inputs, "the section's p0")
        directions = np.atleast_2d(_array(self.directions, "the section's directions"))
        if directions.ndim != 2 or directions.shape[1] != n_inputs:
            raise DomainError(
                f"the section's directions have shape {directions.shape}, but there are "
                f"{n_inputs} inputs"
            )
        if not (np.isfinite(directions).all() and np.isfinite(origin).all()):
            raise DomainError("the section holds a number that is not finite")
        # Scaled, since a short direction is no dependent one.
        scale = np.abs(directions).max(axis=1, initial=0.0, keepdims=True)
        if not scale.all() or np.linalg.matrix_rank(directions / scale) < directions.shape[0]:
            raise DomainError("the section's directions are linearly dependent")
        inner = self.box.bind(directions.shape[0])
        return InputSet(
            origin + inner.origin @ directions,
            directions.T @ inner.directions,
            inner.lower,
            inner.upper,
            inner.rows,
            inner.rhs,
        )

    @property
    def title(self) -> str:
        """One line for people."""
        return f"section of dimension {np.atleast_2d(np.asarray(self.directions)).shape[0]}"


@dataclass(frozen=True)
class Unbounded:
    """All of input space."""

    def bind(self, n_inputs: int) -> InputSet:
        """Return the set for a network with so many inputs."""
        infinite = np.full(n_inputs, np.inf)
        none = np.zeros((0, n_inputs))
        return InputSet(
            np.zeros(n_inputs), np.eye(n_inputs), -infinite, infinite, none, np.zeros(0)
        )

    @property
    def title(self) -> str:
        """One line for people."""
        return "all of space"
