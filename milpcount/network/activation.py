"""Activations as data: a unit has pieces, a piece is a set of strict affine inequalities.

A unit takes ``rank`` pre-activations ``v_0, .., v_{rank-1}`` (affine functions of the previous
layer's outputs; one for every activation but maxout). Its boundaries are *rows*

    rho = v_a - v_b - t        (v_b absent for scalar activations)

and each *piece* names the sign of some rows and the affine output ``slope * v_i + intercept``
that holds there. Counting methods read only these tables, so a new activation is a new table.

A row that is zero counts as not positive. A breakpoint of a scalar unit thus belongs to the piece
on its left, and where the unit jumps it takes the value of that piece. A unit that takes the value
on its right is the mirror image of one of these: ``f(v) = g(-v)``, with -v as the pre-activation.
"""

import ast
import re
import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network.activation_table import (
    Piece,
    Row,
    Table,
    checked_table,
    maxout_table,
    number,
    scalar_table,
)

__all__ = [
    "Activation",
    "Piece",
    "Row",
    "clip",
    "leaky_relu",
    "maxout",
    "parse_activation",
    "piecewise_linear",
    "relu",
]


@dataclass(frozen=True)
class Activation:
    """What a unit does with its pre-activations; see the module's text.

    Attributes
    ----------
    name : str
        For people. A name that `parse_activation` knows has to be that of the table.
    rank : int
        Pre-activations per unit.
    rows : tuple of Row
        Of a scalar activation from left to right.
    pieces : tuple of Piece
        Every point has exactly one. Piece k of a scalar activation is the k-th from the left; for
        a ReLU piece 1 is active.

    Raises
    ------
    NetworkError
        If the table is no function, or the name is that of another one.
    """

    name: str
    rank: int
    rows: tuple[Row, ...]
    pieces: tuple[Piece, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name or not self.name.isprintable():
            raise NetworkError(f"activation name {self.name!r}: one line of text is needed")
        try:
            table = checked_table(self.rank, self.rows, self.pieces)
            if _table_of(self.name) not in (None, table):
                raise NetworkError("its table is another one: give it the table of that name")
        except NetworkError as error:
            raise NetworkError(f"activation {self.name!r}: {error}") from None
        for field, value in zip(Table._fields, table, strict=True):
            object.__setattr__(self, field, value)

    @property
    def table(self) -> Table:
        """What a unit computes, without the name."""
        return Table(self.rank, self.rows, self.pieces)

    @property
    def n_pieces(self) -> int:
        """Number of pieces of a unit."""
        return len(self.pieces)

    @property
    def is_relu(self) -> bool:
        """Whether a unit computes what the rectifier does, by whatever name."""
        return self.table == _RELU

    @property
    def is_maxout(self) -> bool:
        """Whether a unit computes the maximum of its pre-activations, by whatever name."""
        several = self.rank > 1 and self.n_pieces == self.rank
        return several and self.table == maxout_table(self.rank)

    @property
    def is_continuous(self) -> bool:
        """Whether a scalar unit or a maximum is continuous, in exact arithmetic.

        Raises
        ------
        NetworkError
            For another table of several pre-activations: that is not decided.
        """
        if self.is_maxout:
            return True
        if self.rank > 1:
            raise NetworkError(
                f"activation {self.name!r} takes {self.rank} values and is no maxout: whether it "
                "is continuous is not decided"
            )
        return all(
            _value(left, row.threshold) == _value(right, row.threshold)
            for row, (left, right) in zip(self.rows, pairwise(self.pieces), strict=True)
        )

    @property
    def key(self) -> str:
        """Text that tells the table, whatever the name; part of the network's fingerprint."""
        if _table_of(self.name) is not None:
            return self.name
        if self.is_maxout:
            return f"maxout({self.rank})"
        if self.rank == 1:
            return _scalar_name(self.table)
        return f"table{tuple(self.table)!r}"

    def pieces_at(self, values: np.ndarray) -> np.ndarray:
        """Return the piece of each unit.

        Parameters
        ----------
        values : ndarray, shape (..., units * rank)
            Pre-activations, those of one unit next to each other.

        Returns
        -------
        ndarray of int64, shape (..., units)
        """
        v = values.reshape(*values.shape[:-1], -1, self.rank)
        if self.rank == 1:
            return np.asarray(np.searchsorted([r.threshold for r in self.rows], v[..., 0], "left"))
        if self.is_maxout:
            return np.asarray(np.argmax(v, axis=-1))
        against = np.concatenate([v, np.zeros((*v.shape[:-1], 1))], axis=-1)  # -1 is the last
        signs = [v[..., row.a] - against[..., row.b] > row.threshold for row in self.rows]
        holds = np.ones((self.n_pieces, *v.shape[:-1]), dtype=bool)
        for k, piece in enumerate(self.pieces):
            for r, sign in piece.literals:
                holds[k] &= signs[r] == (sign > 0)
        return np.asarray(np.argmax(holds, axis=0))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Return the outputs of the units for pre-activations as in `pieces_at`."""
        v = values.reshape(*values.shape[:-1], -1, self.rank)
        at = self.pieces_at(values)
        chosen = np.take_along_axis(v, np.array([p.value for p in self.pieces])[at][..., None], -1)
        slopes = np.array([p.slope for p in self.pieces])
        intercepts = np.array([p.intercept for p in self.pieces])
        return np.asarray(slopes[at] * chosen[..., 0] + intercepts[at])


def piecewise_linear(
    breakpoints: list[float], slopes: list[float], intercepts: list[float], name: str | None = None
) -> Activation:
    """Return a scalar activation with ``len(breakpoints) + 1`` pieces, from left to right.

    Parameters
    ----------
    breakpoints : list of float
        Increasing.
    slopes, intercepts : list of float
        One more than breakpoints; the function need not be continuous to be counted. At a
        breakpoint it has the value of the piece on the left.

    Raises
    ------
    NetworkError
        If the lists do not fit, hold anything but finite numbers, or the breakpoints do not
        increase.
    """
    table = scalar_table(breakpoints, slopes, intercepts)
    return Activation(_scalar_name(table) if name is None else name, *table)


def relu() -> Activation:
    """Return the rectifier ``max(0, v)``; piece 1 is active."""
    return Activation("relu", *_RELU)


def leaky_relu(slope: float) -> Activation:
    """Return the leaky rectifier with the given slope on the negative side; 0 is the rectifier."""
    slope = number(slope, "a leaky ReLU of slope")
    if slope == 1:
        raise NetworkError("a leaky ReLU of slope 1 is affine: leave the activation out")
    if slope == 0:
        return relu()
    return piecewise_linear([0.0], [slope, 1.0], [0.0, 0.0], f"leaky_relu({slope!r})")


def clip(lower: float, upper: float) -> Activation:
    """Return the unit ``min(max(v, lower), upper)``; one of the bounds may be infinite.

    Raises
    ------
    NetworkError
        If the bounds do not increase, or neither is finite.
    """
    lower, upper = (number(bound, "clipping at", finite=False) for bound in (lower, upper))
    if not lower < upper or (np.isinf(lower) and np.isinf(upper)):
        raise NetworkError(
            f"clipping to [{lower}, {upper}]: the bounds must increase, and one must be finite"
        )
    if lower == 0 and np.isinf(upper):
        return relu()
    breakpoints = [t for t in (lower, upper) if np.isfinite(t)]
    slopes, intercepts = [1.0], [0.0]
    if np.isfinite(lower):
        slopes, intercepts = [0.0, *slopes], [lower, *intercepts]
    if np.isfinite(upper):
        slopes, intercepts = [*slopes, 0.0], [*intercepts, upper]
    return piecewise_linear(breakpoints, slopes, intercepts)


def maxout(rank: int) -> Activation:
    """Return the unit ``max(v_0, .., v_{rank-1})``; piece k is where ``v_k`` is the largest.

    The lowest index wins a tie, so that of equal values on a whole region only one has a piece.

    Parameters
    ----------
    rank : int
        At least 2, at most 512.

    Raises
    ------
    NetworkError
        If the rank is no integer, or outside that range.
    """
    table = maxout_table(rank)
    return Activation(f"maxout({table.rank})", *table)


def parse_activation(name: str) -> Activation:
    """Return the activation of a canonical name, as in `Activation.name`.

    Raises
    ------
    NetworkError
        If the name is not one of ``relu``, ``leaky_relu(slope)``, ``maxout(rank)`` and
        ``piecewise_linear([breakpoints],[slopes],[intercepts])``.
    """
    found: Activation = _read(name, _MAKERS)
    return found


_RELU = scalar_table([0.0], [0.0, 1.0], [0.0, 0.0])
_MAKERS: dict[str, Callable[..., Activation]] = {
    "relu": relu,
    "leaky_relu": leaky_relu,
    "maxout": maxout,
    "piecewise_linear": piecewise_linear,
}
_TABLES: dict[str, Callable[..., Table]] = {
    "relu": lambda: _RELU,
    "leaky_relu": lambda slope: scalar_table([0.0], [slope, 1.0], [0.0, 0.0]),
    "maxout": maxout_table,
    "piecewise_linear": scalar_table,
}


def _table_of(name: str) -> Table | None:
    """Return the table that a name stands for; None for a name of the user's own."""
    parts = re.fullmatch(r"(\w+)(\(.*\))?", name)
    table: Table | None = _read(name, _TABLES) if parts and parts[1] in _TABLES else None
    return table


def _read(name: str, makers: dict[str, Callable[..., Any]]) -> Any:
    parts = re.fullmatch(r"(\w+)(?:\((.+)\))?", name)
    kind, arguments = parts.groups() if parts else ("", None)
    try:
        given = ast.literal_eval(f"({arguments},)") if arguments else ()
        return makers[kind](*given)
    except NetworkError:
        raise
    # Text nested too deeply ends in a RecursionError or a MemoryError.
    except (
        KeyError, MemoryError, OverflowError, RecursionError, SyntaxError, TypeError, ValueError
    ):  # fmt: skip
        raise NetworkError(
            f"activation {reprlib.repr(name)} is not known: allowed are relu, leaky_relu(slope), "
            "maxout(rank) and piecewise_linear([breakpoints],[slopes],[intercepts])"
        ) from None


def _scalar_name(table: Table) -> str:
    breakpoints = [row.threshold for row in table.rows]
    slopes = [piece.slope for piece in table.pieces]
    intercepts = [piece.intercept for piece in table.pieces]
    return f"piecewise_linear({breakpoints},{slopes},{intercepts})"


def _value(piece: Piece, at: float) -> Fraction:
    return Fraction(piece.slope) * Fraction(at) + Fraction(piece.intercept)
