"""Input domains: what the count is relative to.

Every domain is bound to a network's number of inputs and becomes an `InputSet`, the one form
that the counting methods read.
"""

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from milpcount import caps
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
    exact : InputSet or None
        The same set in exact numbers, arrays of dtype object, where float64 does not hold it: its
        own numbers are then the nearest ones, each off by half a unit in the last place at most.
    """

    origin: Array
    directions: Array
    lower: Array
    upper: Array
    rows: Array
    rhs: Array
    exact: "InputSet | None" = field(default=None, kw_only=True)

    @classmethod
    def of(
        cls, origin: Array, directions: Array, lower: Array, upper: Array, rows: Array, rhs: Array
    ) -> "InputSet":
        """Return the set of float64 numbers, or of exact ones in arrays of dtype object.

        Raises
        ------
        DomainError
            If an exact number is beyond the range of float64.
        """
        given = (origin, directions, lower, upper, rows, rhs)
        if all(array.dtype != object for array in given):
            return cls(*given)
        nearest = [_nearest(array) for array in given]
        same = all(bool((a == b).all()) for a, b in zip(nearest, given, strict=True))
        exact = None if same else cls(*[array.astype(object) for array in given])
        return replace(cls(*nearest), exact=exact)

    @property
    def dimension(self) -> int:
        """Number of parameters."""
        return int(self.lower.shape[0])

    @property
    def is_boxed(self) -> bool:
        """Whether every parameter has finite bounds."""
        return bool(np.isfinite(self.lower).all() and np.isfinite(self.upper).all())

    @property
    def width(self) -> Array:
        """Lengths of the parameters' ranges, rounded once, shape (d,); infinite from 2^1024 on."""
        with np.errstate(over="ignore"):
            width = self.upper - self.lower
        if self.exact is None or not np.isfinite(width).all():
            return np.asarray(width)
        return np.asarray(self.exact.upper - self.exact.lower).astype(np.float64)

    def to_inputs(self, t: Array) -> Array:
        """Return the inputs of parameters t, shape (..., d) to (..., n_inputs)."""
        return np.asarray(self.origin + t @ self.directions.T)


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


def _array(value: object, what: str) -> Array:
    """Return numbers in float64, or of dtype object where float64 would round one of them."""
    try:
        given = np.asarray(value)
        if given.dtype.kind not in "biufO":
            raise TypeError
        floats = given.astype(np.float64)
        if given.dtype in (np.float64, np.float32, np.float16):
            return floats
        exact = np.empty(given.shape, dtype=object)
        exact.ravel()[:] = [_exact_number(v) for v in given.ravel().tolist()]
    except (AttributeError, OverflowError, TypeError, ValueError):
        raise DomainError(
            f"{what} is {reprlib.repr(value)}: numbers are needed, each within float64's range"
        ) from None
    return floats if bool(((floats == exact) | np.isnan(floats)).all()) else exact


def _exact_number(value: Any) -> Any:
    """Return a number as a fraction, or as it is if it is not finite."""
    if isinstance(value, float) and not np.isfinite(value):
        return value
    return Fraction(*value.as_integer_ratio())


def _nearest(array: Array) -> Array:
    nearest = array.astype(np.float64)
    if array.dtype == object:
        # Error bounds take rounding to be relative, as it is for normal numbers.
        lost = (abs(nearest) < np.finfo(np.float64).smallest_normal) & (nearest != array)
        if lost.any():
            raise DomainError(
                "the domain holds a number between 0 and 2.2e-308, which float64 rounds: scale "
                "the input"
            )
    return nearest


def _is_finite(array: Array) -> Array:
    return np.isfinite(array.astype(np.float64))


def _vector(value: object, n: int, what: str) -> Array:
    array = _array(value, what)
    if array.ndim == 0:
        array = np.full(n, array.item(), dtype=array.dtype)
    if array.shape != (n,):
        raise DomainError(f"{what} has shape {array.shape}, but there are {n} inputs")
    nan = np.isnan(array.astype(np.float64))
    if nan.any():
        raise DomainError(f"{what} holds nan at input {int(np.argmax(nan))}")
    return array


def _matrix(rows: object, rhs: object, n: int, what: str) -> tuple[Array, Array]:
    a, b = _array(rows, f"{what}'s A"), _array(rhs, f"{what}'s b")
    if a.ndim != 2 or a.shape[1] != n or b.shape != (a.shape[0],):
        raise DomainError(
            f"{what} with A of shape {a.shape} and b of shape {b.shape}: for {n} inputs A must "
            f"have shape (rows, {n}) and b (rows,)"
        )
    if not (_is_finite(a).all() and _is_finite(b).all()):
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
    bounded = _is_finite(lower) & _is_finite(upper)
    if finite and not bounded.all():
        i = int(np.argmax(~bounded))
        raise DomainError(
            f"{what} is [{lower[i]}, {upper[i]}] at input {i}: bounds must be finite; "
            "use Unbounded() for all of space"
        )
    if (lower == np.inf).any() or (upper == -np.inf).any():
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
        rows, rhs = _matrix(self.A, self.b, n_inputs, "the polytope")
        lower = _vector(self.lower, n_inputs, "the polytope's lower bound")
        upper = _vector(self.upper, n_inputs, "the polytope's upper bound")
        _box(lower, upper, "the polytope's box", finite=False)
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
        origin = _vector(self.p0, n_inputs, "the section's p0")
        directions = np.atleast_2d(_array(self.directions, "the section's directions"))
        if directions.ndim != 2 or directions.shape[1] != n_inputs:
            raise DomainError(
                f"the section's directions have shape {directions.shape}, but there are "
                f"{n_inputs} inputs"
            )
        if not (_is_finite(directions).all() and _is_finite(origin).all()):
            raise DomainError("the section holds a number that is not finite")
        if not _independent(directions):
            raise DomainError("the section's directions are linearly dependent")
        if not isinstance(self.box, Box):
            raise DomainError(
                f"the section's box is a {type(self.box).__name__}: give mc.Box(lower, upper)"
            )
        lower = _vector(self.box.lower, len(directions), "the box's lower bound")
        upper = _vector(self.box.upper, len(directions), "the box's upper bound")
        _box(lower, upper, "the box")
        free, fixed = lower < upper, np.flatnonzero(lower == upper)
        if lower[fixed].any():
            # Without rounding: what is fixed shifts the section by an exact vector.
            shifted = [_exactly(origin)]
            shifted += [_exactly(directions[i]) * _exactly(lower[i : i + 1])[0] for i in fixed]
            origin = np.asarray(np.sum(shifted, axis=0), dtype=object)
        none = np.zeros((0, int(free.sum())))
        return InputSet.of(origin, directions[free].T, lower[free], upper[free], none, np.zeros(0))

    @property
    def title(self) -> str:
        """One line for people."""
        return f"section of dimension {np.atleast_2d(np.asarray(self.directions)).shape[0]}"


def _exactly(numbers: Array) -> Array:
    """Return finite numbers as fractions, in an array of dtype object."""
    exact = np.empty(numbers.shape, dtype=object)
    exact.ravel()[:] = [_exact_number(v) for v in numbers.ravel().tolist()]
    return exact


def _independent(directions: Array) -> bool:
    """Return whether the rows of a matrix of finite numbers are linearly independent."""
    nearest = directions.astype(np.float64)
    scale = np.abs(nearest).max(axis=1, initial=0.0, keepdims=True)
    # Scaled, since a short direction is no dependent one. What looks independent to floating point
    # is, by more than all rounding; what does not is eliminated exactly.
    if scale.all() and np.linalg.matrix_rank(nearest / scale) == len(directions):
        return True
    rows = _exactly(directions).tolist()
    for k, row in enumerate(rows):
        pivot = next((j for j, v in enumerate(row) if v), None)
        if pivot is None:
            return False
        for later in rows[k + 1 :]:
            ratio = later[pivot] / row[pivot]
            later[:] = [a - ratio * b for a, b in zip(later, row, strict=True)]
    return True


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


@dataclass(frozen=True, eq=False)
class Union:
    """The union of several domains, which may overlap: what is in two of them counts once.

    Parameters
    ----------
    parts : sequence of Domain
        All of full dimension, or all in one plane, e.g. boxes that fix the same inputs at the same
        values: counts are relative to it.

    Notes
    -----
    It is not convex, so only `milpcount.count` and `milpcount.compare` take it, with methods that
    name each region: they count part by part.
    """

    parts: Sequence[Domain]

    def __post_init__(self) -> None:
        flat = [
            one
            for part in self.parts
            for one in (part.parts if isinstance(part, Union) else [part])
        ]
        if not flat:
            raise DomainError("a union of no parts: give at least one domain")
        for number, part in enumerate(flat, start=1):
            if not callable(getattr(part, "bind", None)):
                raise DomainError(
                    f"part {number} of a union is {reprlib.repr(part)}: give a domain, e.g. "
                    "Box(0, 1)"
                )
        caps.PARTS.check(len(flat), "a union", DomainError)
        object.__setattr__(self, "parts", tuple(flat))

    def bind(self, n_inputs: int) -> InputSet:
        """Return the set if there is only one part, else raise DomainError."""
        if len(self.parts) == 1:
            return self.parts[0].bind(n_inputs)
        raise DomainError(
            f"a {self.title} is no convex set, which is needed here: only counts and comparisons "
            "of methods take unions; give its parts one by one"
        )

    def hull(self, n_inputs: int) -> InputSet:
        """Return a convex set that holds all parts, of the same dimension.

        Raises
        ------
        DomainError
            If a part does not fit the network, or the parts are of several dimensions or planes.
        """
        first, aligned = _exact_form(self.parts[0].bind(n_inputs)), True
        lower, upper = first.lower, first.upper
        for number, part in enumerate(self.parts[1:], start=2):
            other = _exact_form(part.bind(n_inputs))
            if not _in_one_plane(first, other):
                raise DomainError(
                    f"a {self.title}: part {number} has dimension {other.dimension} and the first "
                    f"{first.dimension}, or they lie in different planes; a count is relative to "
                    "one: all parts must be of full dimension, or fix the same inputs at the same "
                    "values"
                )
            aligned = aligned and _same_parameters(first, other)
            lower, upper = np.minimum(lower, other.lower), np.maximum(upper, other.upper)
        if not aligned:
            return Unbounded().bind(n_inputs)
        none = np.zeros((0, first.dimension))
        return InputSet.of(first.origin, first.directions, lower, upper, none, np.zeros(0))

    @property
    def title(self) -> str:
        """One line for people."""
        if len(self.parts) == 1:
            return self.parts[0].title
        kind = "boxes" if all(isinstance(part, Box) for part in self.parts) else "parts"
        return f"union of {len(self.parts)} {kind}"


def _exact_form(inputs: InputSet) -> InputSet:
    return inputs.exact or inputs


def _same_parameters(one: InputSet, other: InputSet) -> bool:
    same = np.array_equal(one.directions, other.directions)
    return same and np.array_equal(one.origin, other.origin)


def _in_one_plane(one: InputSet, other: InputSet) -> bool:
    """Whether two sets are known to span the same affine space."""
    n_inputs = one.directions.shape[0]
    full = one.dimension == other.dimension == n_inputs
    return full or _same_parameters(one, other)
