"""Activations as data: a unit has pieces, a piece is a set of strict affine inequalities.

A unit takes ``rank`` pre-activations ``v_0, .., v_{rank-1}`` (affine functions of the previous
layer's outputs; one for every activation but maxout). Its boundaries are *rows*

    rho = v_a - v_b - t        (v_b absent for scalar activations)

and each *piece* names the sign of some rows and the affine output ``slope * v_i + intercept``
that holds there. Counting methods read only these tables, so a new activation is a new table.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from milpcount.errors import NetworkError


@dataclass(frozen=True)
class Row:
    """The boundary ``v_a - v_b - threshold = 0``; `b` is -1 where there is no second value."""

    a: int
    b: int
    threshold: float


@dataclass(frozen=True)
class Piece:
    """One affine piece of a unit.

    Attributes
    ----------
    value : int
        Which pre-activation the output uses.
    slope, intercept : float
        Output ``slope * v_value + intercept``.
    literals : tuple of (int, int)
        (row, sign) pairs: the piece is the set where ``sign * row > 0`` for all of them. A row
        that is identically zero counts as not positive.
    """

    value: int
    slope: float
    intercept: float
    literals: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Activation:
    """What a unit does with its pre-activations; see the module's text.

    Attributes
    ----------
    name : str
        Canonical text, part of the network's fingerprint.
    rank : int
        Pre-activations per unit.
    rows : tuple of Row
    pieces : tuple of Piece
        Piece k of a scalar activation is the k-th from the left; for a ReLU piece 1 is active.
    """

    name: str
    rank: int
    rows: tuple[Row, ...]
    pieces: tuple[Piece, ...]

    @property
    def n_pieces(self) -> int:
        """Number of pieces of a unit."""
        return len(self.pieces)

    @property
    def is_relu(self) -> bool:
        """Whether this is the rectifier."""
        return self.name == "relu"

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
        if self.rank > 1:
            return np.asarray(np.argmax(v, axis=-1))
        return np.asarray(np.searchsorted([r.threshold for r in self.rows], v[..., 0], "left"))

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
        One more than breakpoints; the function need not be continuous to be counted.

    Raises
    ------
    NetworkError
        If the lists do not fit or the breakpoints do not increase.
    """
    # Plain floats: the default name prints them, and names decide whether two networks are equal.
    breakpoints, slopes, intercepts = (
        [float(x) + 0.0 for x in numbers] for numbers in (breakpoints, slopes, intercepts)
    )
    given = [*breakpoints, *slopes, *intercepts]
    if not np.isfinite(given).all():
        raise NetworkError(f"activation with numbers {given}: every number must be finite")
    if not len(slopes) == len(intercepts) == len(breakpoints) + 1:
        raise NetworkError(
            f"{len(breakpoints)} breakpoints need {len(breakpoints) + 1} slopes and intercepts, "
            f"not {len(slopes)} and {len(intercepts)}"
        )
    if any(b <= a for a, b in pairwise(breakpoints)):
        raise NetworkError(f"breakpoints {breakpoints}: they must increase")
    rows = tuple(Row(0, -1, t) for t in breakpoints)
    pieces = []
    for k in range(len(slopes)):
        literals = ([(k - 1, 1)] if k else []) + ([(k, -1)] if k < len(rows) else [])
        pieces.append(Piece(0, slopes[k], intercepts[k], tuple(literals)))
    text = name or f"piecewise_linear({breakpoints},{slopes},{intercepts})"
    return Activation(text, 1, rows, tuple(pieces))


def relu() -> Activation:
    """Return the rectifier ``max(0, v)``; piece 1 is active."""
    return piecewise_linear([0.0], [0.0, 1.0], [0.0, 0.0], "relu")


def leaky_relu(slope: float) -> Activation:
    """Return the leaky rectifier with the given slope on the negative side; 0 is the rectifier."""
    if slope == 1:
        raise NetworkError("a leaky ReLU of slope 1 is affine: leave the activation out")
    if slope == 0:
        return relu()
    return piecewise_linear([0.0], [slope, 1.0], [0.0, 0.0], f"leaky_relu({float(slope)!r})")


def clip(lower: float, upper: float) -> Activation:
    """Return the unit ``min(max(v, lower), upper)``; one of the bounds may be infinite.

    Raises
    ------
    NetworkError
        If the bounds do not increase, or neither is finite.
    """
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
        At least 2.

    Raises
    ------
    NetworkError
        If the rank is no integer, or below 2.
    """
    if isinstance(rank, bool) or not isinstance(rank, int) or rank < 2:
        raise NetworkError(f"a maxout unit of rank {rank!r}: give an integer of at least 2")
    # v_b - v_a with a < b is positive where the later value wins, and zero is not positive.
    pairs = list(combinations(range(rank), 2))
    rows = tuple(Row(b, a, 0.0) for a, b in pairs)
    pieces = tuple(
        Piece(k, 1.0, 0.0, tuple((r, 1 if b == k else -1) for r, (a, b) in _with(pairs, k)))
        for k in range(rank)
    )
    return Activation(f"maxout({rank})", rank, rows, pieces)


def _with(pairs: list[tuple[int, int]], k: int) -> list[tuple[int, tuple[int, int]]]:
    return [(r, pair) for r, pair in enumerate(pairs) if k in pair]


def parse_activation(name: str) -> Activation:
    """Return the activation of a canonical name, as in `Activation.name`.

    Raises
    ------
    NetworkError
        If the name is not one of ``relu``, ``leaky_relu(slope)``, ``maxout(rank)`` and
        ``piecewise_linear([breakpoints],[slopes],[intercepts])``.
    """
    parts = re.fullmatch(r"(\w+)(?:\((.+)\))?", name)
    kind, arguments = parts.groups() if parts else ("", None)
    makers: dict[str, Callable[..., Activation]] = {
        "relu": relu,
        "leaky_relu": leaky_relu,
        "maxout": maxout,
        "piecewise_linear": piecewise_linear,
    }
    try:
        given = ast.literal_eval(f"({arguments},)") if arguments else ()
        return makers[kind](*given)
    except NetworkError:
        raise
    except (KeyError, SyntaxError, TypeError, ValueError):
        raise NetworkError(
            f"activation {name!r} is not known: allowed are relu, leaky_relu(slope), "
            "maxout(rank) and piecewise_linear([breakpoints],[slopes],[intercepts])"
        ) from None
