"""The numbers of a domain: float64, or exact ones where float64 would round them."""

import reprlib
from fractions import Fraction
from typing import Any

import numpy as np

from milpcount.errors import DomainError
from milpcount.types import Array


def array_of(value: object, what: str) -> Array:
    """Return numbers in float64, or of dtype object where float64 would round one of them."""
    try:
        given = np.asarray(value)
        if given.dtype.kind not in "biufO":
            raise TypeError
        floats = given.astype(np.float64)
        if given.dtype in (np.float64, np.float32, np.float16):
            return floats
        exact = np.empty(given.shape, dtype=object)
        exact.ravel()[:] = [exact_number(v) for v in given.ravel().tolist()]
    except (AttributeError, OverflowError, TypeError, ValueError):
        raise DomainError(
            f"{what} is {reprlib.repr(value)}: numbers are needed, each within float64's range"
        ) from None
    return floats if bool(((floats == exact) | np.isnan(floats)).all()) else exact


def exact_number(value: Any) -> Any:
    """Return a number as a fraction, or as it is if it is not finite."""
    if isinstance(value, float) and not np.isfinite(value):
        return value
    return Fraction(*value.as_integer_ratio())


def nearest(array: Array) -> Array:
    """Return the nearest float64 numbers.

    Raises
    ------
    DomainError
        If one is rounded to a number that is not normal.
    """
    found = array.astype(np.float64)
    if array.dtype == object:
        # Error bounds take rounding to be relative, as it is for normal numbers.
        lost = (abs(found) < np.finfo(np.float64).smallest_normal) & (found != array)
        if lost.any():
            raise DomainError(
                "the domain holds a number between 0 and 2.2e-308, which float64 rounds: scale "
                "the input"
            )
    return found


def is_finite(array: Array) -> Array:
    """Return which numbers are finite."""
    return np.isfinite(array.astype(np.float64))


def vector(value: object, n: int, what: str) -> Array:
    """Return one number per input, from as many or from one for all.

    Raises
    ------
    DomainError
        If they are no numbers, or not as many.
    """
    array = array_of(value, what)
    if array.ndim == 0:
        array = np.full(n, array.item(), dtype=array.dtype)
    if array.shape != (n,):
        raise DomainError(f"{what} has shape {array.shape}, but there are {n} inputs")
    nan = np.isnan(array.astype(np.float64))
    if nan.any():
        raise DomainError(f"{what} holds nan at input {int(np.argmax(nan))}")
    return array


def matrix(rows: object, rhs: object, n: int, what: str) -> tuple[Array, Array]:
    """Return the coefficients and right-hand sides of inequalities.

    Raises
    ------
    DomainError
        If they are no finite numbers, or shapes do not fit.
    """
    a, b = array_of(rows, f"{what}'s A"), array_of(rhs, f"{what}'s b")
    if a.ndim != 2 or a.shape[1] != n or b.shape != (a.shape[0],):
        raise DomainError(
            f"{what} with A of shape {a.shape} and b of shape {b.shape}: for {n} inputs A must "
            f"have shape (rows, {n}) and b (rows,)"
        )
    if not (is_finite(a).all() and is_finite(b).all()):
        raise DomainError(f"{what} holds a number that is not finite")
    return a, b


def check_box(lower: Array, upper: Array, what: str, *, finite: bool = True) -> tuple[Array, Array]:
    """Return the bounds of a box.

    Raises
    ------
    DomainError
        If it is reversed, empty, a point, or, where it should be finite, is not.
    """
    wrong = np.flatnonzero(lower > upper)
    if wrong.size:
        i = int(wrong[0])
        raise DomainError(
            f"{what} is reversed at input {i}: [{lower[i]}, {upper[i]}]; the lower bound must not "
            "be above the upper one"
        )
    bounded = is_finite(lower) & is_finite(upper)
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


def exactly(numbers: Array) -> Array:
    """Return finite numbers as fractions, in an array of dtype object."""
    exact = np.empty(numbers.shape, dtype=object)
    exact.ravel()[:] = [exact_number(v) for v in numbers.ravel().tolist()]
    return exact


def independent(directions: Array) -> bool:
    """Return whether the rows of a matrix of finite numbers are linearly independent."""
    nearest = directions.astype(np.float64)
    scale = np.abs(nearest).max(axis=1, initial=0.0, keepdims=True)
    # Scaled, since a short direction is no dependent one. What looks independent to floating point
    # is, by more than all rounding; what does not is eliminated exactly.
    if scale.all() and np.linalg.matrix_rank(nearest / scale) == len(directions):
        return True
    rows = exactly(directions).tolist()
    for k, row in enumerate(rows):
        pivot = next((j for j, v in enumerate(row) if v), None)
        if pivot is None:
            return False
        for later in rows[k + 1 :]:
            ratio = later[pivot] / row[pivot]
            later[:] = [a - ratio * b for a, b in zip(later, row, strict=True)]
    return True
