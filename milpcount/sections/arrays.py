"""What the walk does with large arrays, for those of numpy; torch's are in `torch_arrays`.

Rows are points and columns are a network's numbers. What comes back for the combinatorics is always
of numpy.
"""

from typing import Any, Protocol

import numpy as np

from milpcount.preactivation.rounding import ROUNDOFF, UNDERFLOW
from milpcount.sections.program import Step
from milpcount.sections.units import applied, unit_errors
from milpcount.types import Array

_TINY = UNDERFLOW * 2.0**70
"""Errors below it may come of products that underflow."""


class Arrays(Protocol):
    """Operations on arrays of shape (points, numbers)."""

    def rows(self, x: Any, which: Array) -> Any:
        """Return some rows."""

    def extended(self, x: Any, capacity: int) -> Any:
        """Return an array with the same rows and room for more, up to a number of rows."""

    def entries(self, x: Any, rows: Array, columns: Array) -> Array:
        """Return single numbers."""

    def put(self, x: Any, rows: Array, columns: Array, values: Any) -> None:
        """Set single numbers."""

    def between(self, x: Any, a: Array, b: Array, w: Array) -> Any:
        """Return ``(1 - w) x[a] + w x[b]``, row by row."""

    def between_error(self, x: Any, e: Any, a: Array, b: Array, w: Array, dw: Array) -> Any:
        """Return what bounds the error of `between` for errors e of x and dw of w."""

    def signs(self, x: Any, e: Any, columns: Any, threshold: float, tolerance: float) -> Any:
        """Return three arrays of bool: certainly above a threshold, below it, and unknown."""

    def largest(self, x: Any) -> float:
        """Return the largest absolute value."""

    def winners(
        self, x: Any, e: Any, columns: Any, rank: int, tolerance: float
    ) -> tuple[Array, Array]:
        """Return, as bits, which values of each maximum are certainly not below the others.

        And which are certainly below another.
        """

    def activate(self, step: Step, x: Any) -> Any:
        """Return the outputs of a layer's units for their values."""

    def unit_errors(self, step: Step, x: Any, e: Any, y: Any) -> Any:
        """Return what bounds the errors of continuous units, for those of their values."""


class NumpyArrays:
    """The operations for numpy's arrays."""

    def rows(self, x: Array, which: Array) -> Array:
        """Return some rows."""
        return np.asarray(x[which])

    def extended(self, x: Array, capacity: int) -> Array:
        """Return an array with the same rows and room for more."""
        found = np.empty((capacity, *x.shape[1:]))
        found[: len(x)] = x
        return found

    def entries(self, x: Array, rows: Array, columns: Array) -> Array:
        """Return single numbers."""
        return np.asarray(x[rows, columns])

    def put(self, x: Array, rows: Array, columns: Array, values: Any) -> None:
        """Set single numbers."""
        x[rows, columns] = values

    def between(self, x: Array, a: Array, b: Array, w: Array) -> Array:
        """Return ``(1 - w) x[a] + w x[b]``, row by row."""
        w = w[:, None]
        found = x[a]
        found *= 1.0 - w
        other = x[b]
        other *= w
        found += other
        return np.asarray(found)

    def between_error(self, x: Array, e: Array, a: Array, b: Array, w: Array, dw: Array) -> Array:
        """Return what bounds the error of `between`; see the module `points`."""
        w, dw = w[:, None], dw[:, None]
        xa, xb, ea, eb = x[a], x[b], e[a], e[b]
        found = np.abs(xb - xa)
        found += ea
        found += eb
        found *= dw
        # Where both ends are zero, exactly, so is what lies between.
        for end, off, weight in ((xa, ea, 1.0 - w), (xb, eb, w)):
            np.abs(end, out=end)
            end *= 8 * ROUNDOFF
            end += off
            end *= weight
            found += end
        found *= 1.0 + 16 * ROUNDOFF
        # What underflows loses besides, unless both ends are zero.
        small = found < _TINY
        if small.any():
            found[small & ((x[a] != 0) | (x[b] != 0))] += UNDERFLOW
        return np.asarray(found)

    def signs(
        self, x: Array, e: Array | None, columns: Any, threshold: float, tolerance: float
    ) -> tuple[Array, Array, Array]:
        """Return which numbers are certainly above a threshold, below it, and unknown."""
        f = x[:, columns] - threshold if threshold else x[:, columns]
        bound: Any = tolerance if e is None else e[:, columns] * (1.0 + 8 * ROUNDOFF)
        above, below = f > bound, f < -bound
        zero = (f == 0.0) if e is None else (f == 0.0) & (bound == 0.0)
        return above, below, ~(above | below | zero)

    def largest(self, x: Array) -> float:
        """Return the largest absolute value."""
        return float(max(x.max(initial=0.0), -x.min(initial=0.0)))

    def winners(
        self, x: Array, e: Array | None, columns: Any, rank: int, tolerance: float
    ) -> tuple[Array, Array]:
        """Return, as bits, which values of maxima certainly win, and which certainly lose."""
        v = x[:, columns].reshape(len(x), -1, rank)
        r = None if e is None else e[:, columns].reshape(len(x), -1, rank)
        won, lost = np.zeros((2, *v.shape[:2]), dtype=np.int64)
        for k in range(rank):
            wins, loses = np.ones(v.shape[:2], dtype=bool), np.zeros(v.shape[:2], dtype=bool)
            for j in range(rank):
                if j != k:
                    f = v[..., k] - v[..., j]
                    bound: Any = tolerance if r is None else (r[..., k] + r[..., j])
                    zero = (f == 0.0) if r is None else (f == 0.0) & (bound == 0.0)
                    bound = bound * (1.0 + 8 * ROUNDOFF)
                    wins &= (f > bound) | zero
                    loses |= f < -bound
            won |= wins.astype(np.int64) << k
            lost |= loses.astype(np.int64) << k
        return won, lost

    def activate(self, step: Step, x: Array) -> Array:
        """Return the outputs of a layer's units."""
        return applied(step, x)

    def unit_errors(self, step: Step, x: Array, e: Array, y: Array) -> Array:
        """Return what bounds the errors of continuous units."""
        return unit_errors(step, x, e, y)
