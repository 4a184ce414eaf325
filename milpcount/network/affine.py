"""Affine maps between layers, over the real numbers.

A layer's affine map answers its sizes, a matrix and an offset in float64, and the same without any
rounding. For a `Dense` map the two are one; see `milpcount.network.composite` for maps that are no
float64 matrix.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from milpcount.errors import NetworkError
from milpcount.rationals import to_integers
from milpcount.types import Array


class Affine(Protocol):
    """An affine map ``v -> weight @ v + bias``."""

    @property
    def n_in(self) -> int:
        """Number of inputs."""

    @property
    def n_out(self) -> int:
        """Number of outputs."""

    @property
    def weight(self) -> Array:
        """Dense matrix, shape (n_out, n_in), float64."""

    @property
    def matrix(self) -> Any:
        """The matrix as it is held: `weight`, or a `scipy.sparse.csr_array` without zeros."""

    @property
    def bias(self) -> Array:
        """Offset, shape (n_out,), float64."""

    @property
    def is_rounded(self) -> bool:
        """Whether `weight` and `bias` are the nearest float64 numbers to the map's, not the map's.

        Each is then off by at most half a unit in the last place; zero exactly where the map's is.
        """

    def exact(self) -> tuple[Array, int]:
        """Return the map without rounding.

        Returns
        -------
        integers : ndarray of int, dtype object, shape (n_out, 1 + n_in)
            Bias and weights.
        denominator : int
        """


def frozen(values: Any, what: str, ndim: int) -> Array:
    """Return numbers as an array of float64 that nobody can change.

    Raises
    ------
    NetworkError
        If they are no finite real numbers, or of another dimension.
    """
    try:
        # A cast of complex numbers would drop their imaginary parts.
        if np.iscomplexobj(values):
            raise NetworkError(f"{what} is complex: real numbers are needed")
        array = np.array(values, dtype=np.float64)
    except (OverflowError, RuntimeError, TypeError, ValueError) as error:
        if isinstance(error, NetworkError):
            raise
        raise NetworkError(f"{what} is not an array of numbers: {error}") from None
    if array.ndim != ndim:
        raise NetworkError(f"{what} has shape {array.shape}: a {ndim}-dimensional array is needed")
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise NetworkError(f"{what} holds {array[where]} at {where}: every number must be finite")
    array += 0.0  # -0.0 and 0.0 are the same weight, and give the same fingerprint
    array.setflags(write=False)
    return array


def check_shapes(weight: tuple[int, ...], bias: tuple[int, ...]) -> None:
    """Raise NetworkError unless the shapes of a weight and a bias fit, and are not empty."""
    if weight[0] != bias[0]:
        raise NetworkError(
            f"a weight of shape {weight} needs a bias of shape ({weight[0]},), not {bias}"
        )
    if 0 in weight:
        raise NetworkError(f"a weight of shape {weight}: a layer needs at least one unit")


@dataclass(frozen=True, eq=False)
class Dense:
    """A dense affine map.

    Parameters
    ----------
    weight : array_like, shape (n_out, n_in)
    bias : array_like, shape (n_out,)

    Raises
    ------
    NetworkError
        If a number is not finite or the shapes do not fit.
    """

    weight: Array
    bias: Array

    def __post_init__(self) -> None:
        weight, bias = frozen(self.weight, "weight", 2), frozen(self.bias, "bias", 1)
        check_shapes(weight.shape, bias.shape)
        object.__setattr__(self, "weight", weight)
        object.__setattr__(self, "bias", bias)

    @property
    def matrix(self) -> Array:
        """The matrix as it is held."""
        return self.weight

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return int(self.weight.shape[1])

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return int(self.weight.shape[0])

    @property
    def is_rounded(self) -> bool:
        """Whether the numbers are rounded: they are not."""
        return False

    def exact(self) -> tuple[Array, int]:
        """Return bias and weights, shape (n_out, 1 + n_in), in integers, and their denominator."""
        return to_integers(np.c_[self.bias, self.weight])


@dataclass(frozen=True, eq=False)
class Elementwise:
    """The map ``v -> (factor * v + shift) / divisor``, entry by entry; a factor of a composite map.

    Parameters
    ----------
    factor, shift, divisor : array_like, shape (n,)

    Raises
    ------
    NetworkError
        If a number is not finite, a divisor is zero, or the lengths differ.
    """

    factor: Array
    shift: Array
    divisor: Array

    def __post_init__(self) -> None:
        for name in ("factor", "shift", "divisor"):
            object.__setattr__(self, name, frozen(getattr(self, name), name, 1))
        lengths = {self.factor.size, self.shift.size, self.divisor.size}
        if len(lengths) > 1:
            raise NetworkError(f"factor, shift and divisor of lengths {sorted(lengths)}")
        if not self.divisor.all():
            raise NetworkError("a divisor is zero")

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return int(self.factor.size)

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return int(self.factor.size)
