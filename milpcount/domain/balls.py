"""Balls round points, in the norms in which they are polytopes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from milpcount import caps
from milpcount.domain.input_set import InputSet
from milpcount.domain.numbers import array_of, exact_number, exactly, is_finite, vector
from milpcount.domain.shapes import Box, Domain
from milpcount.errors import DomainError
from milpcount.types import Array

NORMS = ("linf", "l1")


@dataclass(frozen=True, eq=False)
class L1Ball:
    """The points with ``|x_1 - c_1| + .. + |x_n - c_n| <= radius``.

    Its parameters are u and v with ``x = c + u - v``, ``u, v >= 0`` and ``sum(u + v) <= radius``:
    twice as many as inputs, instead of a row for each of 2^n faces. That maps the parameters onto
    the ball, and open sets to open sets: a pattern has a region in the one if it has in the other.

    Parameters
    ----------
    center : array_like, shape (n_inputs,)
    radius : float
    """

    center: Any
    radius: Any

    def bind(self, n_inputs: int) -> InputSet:
        """Return the set for a network with so many inputs.

        Raises
        ------
        DomainError
            If the centre does not fit, or the radius is not positive.
        """
        center = vector(self.center, n_inputs, "the ball's centre")
        radius = _radius(self.radius)
        if not is_finite(center).all():
            raise DomainError("the ball's centre holds a number that is not finite")
        caps.NUMBERS.check(n_inputs * 2 * n_inputs, "a ball in the 1-norm", DomainError)
        one = np.eye(n_inputs)
        lower, upper = np.zeros(2 * n_inputs), np.empty(2 * n_inputs, dtype=radius.dtype)
        upper[:] = radius
        return InputSet.of(
            center, np.hstack([one, -one]), lower, upper, np.ones((1, 2 * n_inputs)), radius[:1]
        )

    @property
    def title(self) -> str:
        """One line for people."""
        return f"1-norm ball of radius {float(self.radius):g}"


def ball(center: Any, radius: Any, norm: Any = "linf", within: Any = None) -> Domain:
    """Return the ball round a point, without rounding its bounds.

    Parameters
    ----------
    center : array_like
        Of any shape, row by row.
    radius : float
        Positive.
    norm : {"linf", "l1"}
    within : (lower, upper), optional
        Bounds on all inputs; only for boxes.

    Raises
    ------
    DomainError
        If the ball is no polytope, as in the 2-norm, or a number does not do.
    """
    if norm in ("l2", "2") or norm == 2:
        raise DomainError(
            "a ball in the 2-norm is no polytope, so that its regions are not counted: take "
            "norm='linf' or norm='l1', or the box around it"
        )
    if norm not in NORMS:
        raise DomainError(f"norm {norm!r}: give 'linf' or 'l1'")
    point = array_of(center, "the ball's centre").ravel()
    if not is_finite(point).all():
        raise DomainError("the ball's centre holds a number that is not finite")
    if norm == "l1":
        if within is not None:
            raise DomainError("bounds on the inputs are for norm='linf' only: leave `within` out")
        return L1Ball(point, radius)
    reach = exactly(_radius(radius))[0]
    lower, upper = exactly(point) - reach, exactly(point) + reach
    if within is not None:
        low, high = (exact_number(v) for v in within)
        lower, upper = np.maximum(lower, low), np.minimum(upper, high)
    return Box(lower, upper)


def _radius(value: Any) -> Array:
    radius = array_of(value, "the ball's radius").ravel()
    if radius.size != 1 or not is_finite(radius).all() or not radius[0] > 0:
        raise DomainError(f"radius {value!r}: give one positive number")
    return radius
