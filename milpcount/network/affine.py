"""Affine maps between layers.

A layer's affine map answers two questions, its sizes and its dense matrix; a convolution is one
more class that answers the same (its structure is then there for bounds that use it).
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from milpcount.errors import NetworkError

Array = np.ndarray


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
    def bias(self) -> Array:
        """Offset, shape (n_out,), float64."""


def _frozen(values: Any, what: str, ndim: int) -> Array:
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
        weight, bias = _frozen(self.weight, "weight", 2), _frozen(self.bias, "bias", 1)
        if weight.shape[0] != bias.shape[0]:
            raise NetworkError(
                f"a weight of shape {weight.shape} needs a bias of shape ({weight.shape[0]},), "
                f"not {bias.shape}"
            )
        if 0 in weight.shape:
            raise NetworkError(f"a weight of shape {weight.shape}: a layer needs at least one unit")
        object.__setattr__(self, "weight", weight)
        object.__setattr__(self, "bias", bias)

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return int(self.weight.shape[1])

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return int(self.weight.shape[0])


def merge(first: Affine, second: Affine) -> Dense:
    """Return the one affine map that applies `first`, then `second`.

    Raises
    ------
    NetworkError
        If the sizes do not chain.
    """
    if first.n_out != second.n_in:
        raise NetworkError(
            f"an affine map with {first.n_out} outputs is followed by one with {second.n_in} inputs"
        )
    return Dense(second.weight @ first.weight, second.weight @ first.bias + second.bias)
