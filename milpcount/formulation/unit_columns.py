"""The columns of one unit, and which arguments of a maximum can win at all."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from milpcount.network import Affine
from milpcount.types import Array


@dataclass(frozen=True)
class Argument:
    """An argument of a maximum that may win.

    Attributes
    ----------
    place : int
        Among the unit's arguments.
    value : int
        Among the layer's pre-activations.
    column : int
        By how much it is behind the maximum.
    most : float
        Upper bound of that.
    length : float
        The s of the argument's margin.
    """

    place: int
    value: int
    column: int
    most: float
    length: float


def _nothing() -> Array:
    return np.zeros(0, dtype=np.int32)


@dataclass(frozen=True, eq=False)
class UnitColumns:
    """The columns of one unit; see `milpcount.formulation.big_m` for what they say.

    Attributes
    ----------
    z : ndarray of int32
        One for each piece; of a scalar unit of two pieces that of piece 1 alone.
    possible : ndarray of bool, shape (pieces,)
        Which pieces the bounds leave.
    length : float
        The s of the pre-activation; of a maximum the longest of its arguments.
    h, hbar, big_h, big_hbar : ndarray
        For each breakpoint.
    breakpoints : tuple of float
    top : int
        Of a maximum, else -1.
    rank : int
        Arguments of a maximum, else 0.
    arguments : tuple of Argument
        Those that may win.
    """

    z: Array
    possible: Array
    length: float
    h: Array = field(default_factory=_nothing)
    hbar: Array = field(default_factory=_nothing)
    big_h: Array = field(default_factory=lambda: np.zeros(0))
    big_hbar: Array = field(default_factory=lambda: np.zeros(0))
    breakpoints: tuple[float, ...] = ()
    top: int = -1
    rank: int = 0
    arguments: tuple[Argument, ...] = ()

    @property
    def behind(self) -> Array:
        """The column of each argument, -1 where it never wins."""
        found = np.full(self.rank, -1, dtype=np.int32)
        for argument in self.arguments:
            found[argument.place] = argument.column
        return found

    def open_breakpoints(self) -> Iterator[int]:
        """Yield the breakpoints that have possible pieces on both sides."""
        possible = np.flatnonzero(self.possible) if self.h.size else np.zeros(1, np.int64)
        return iter(range(int(possible[0]), int(possible[-1])))

    def sides(self, r: int) -> tuple[Array, Array]:
        """Return the z of the possible pieces above and below a breakpoint."""
        pieces = np.arange(self.z.size)
        return self.z[self.possible & (pieces > r)], self.z[self.possible & (pieces <= r)]


def contenders(affine: Affine, values: Array, low: Array, high: Array) -> Array:
    """Return which arguments of maxima can win, by bounds and by repetition.

    Parameters
    ----------
    affine : Affine
    values : ndarray of int, shape (units, rank)
        Which of the map's outputs the arguments are.
    low, high : ndarray, shape (units, rank)
        Bounds on them.

    Returns
    -------
    ndarray of bool, shape (units, rank)
        Value j never wins if an earlier one is at least as large everywhere, or a later one is
        larger. What it loses to wins or loses to another in turn, and with it j does.
    """
    rank = values.shape[1]
    wins = np.ones(values.shape, dtype=bool)
    for j in range(rank):
        wins[:, j] &= ~(low[:, :j] >= high[:, j, None]).any(axis=1)
        wins[:, j] &= ~(low[:, j + 1 :] > high[:, j, None]).any(axis=1)
    if not affine.is_rounded:
        for unit, row in enumerate(values.tolist()):
            seen = set[bytes]()
            for j, value in enumerate(row):
                key = _key(affine, value)
                wins[unit, j] &= key not in seen
                seen.add(key)
    return wins


def _key(affine: Affine, value: int) -> bytes:
    """Return what tells two outputs of a map apart."""
    bias = affine.bias[value].tobytes()
    if isinstance(affine.matrix, np.ndarray):
        return bytes(affine.matrix[value].tobytes() + bias)
    at = slice(affine.matrix.indptr[value], affine.matrix.indptr[value + 1])
    columns, data = affine.matrix.indices[at], affine.matrix.data[at]
    return bytes(columns.astype(np.int64).tobytes() + data.tobytes() + bias)
