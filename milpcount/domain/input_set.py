"""The one form of a domain that the counting methods read."""

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np

from milpcount.domain.numbers import nearest
from milpcount.types import Array


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
        floats = [nearest(array) for array in given]
        same = all(bool((a == b).all()) for a, b in zip(floats, given, strict=True))
        exact = None if same else cls(*[array.astype(object) for array in given])
        return replace(cls(*floats), exact=exact)

    @property
    def digest(self) -> str:
        """SHA-256 of the set's numbers: stores and runs that go on know it by that."""
        digest = hashlib.sha256()
        arrays = self.origin, self.directions, self.lower, self.upper, self.rows, self.rhs
        for array in arrays:
            digest.update(f"{array.shape}".encode() + array.astype("<f8").tobytes())
        if self.exact is not None:
            of = self.exact
            for exact in (of.origin, of.directions, of.lower, of.upper, of.rows, of.rhs):
                digest.update(" ".join(map(str, exact.ravel().tolist())).encode() + b"\n")
        return digest.hexdigest()

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
