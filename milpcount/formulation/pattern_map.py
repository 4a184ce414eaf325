"""Which columns of the program are the pattern's, and which belong to which unit."""

from dataclasses import dataclass

import numpy as np

from milpcount.types import Array


@dataclass(frozen=True, eq=False)
class PatternMap:
    """Which columns of the program are the pattern's.

    A scalar unit has h and hbar for each of its breakpoints. A unit of two pieces has one column z,
    that of piece 1; every other has one for each piece. Units follow each other in all arrays, and
    ``*_starts``, of shape (n_units + 1,), say where each begins.

    Attributes
    ----------
    t : ndarray of int32, shape (d,)
        Parameters of the input set.
    z : ndarray of int32, shape (indicators,)
        Whether a unit is on a piece.
    unit_of, piece_of : ndarray of int, shape (indicators,)
        Which unit and which piece.
    h, hbar : ndarray of int32, shape (breakpoints,)
        By how much a pre-activation is above or below a breakpoint.
    top : ndarray of int32, shape (n_units,)
        The value of a maximum; -1 for other units.
    behind : ndarray of int32, shape (arguments,)
        By how much each argument of a maximum is behind it; -1 where it never wins.
    z_starts, h_starts, behind_starts : ndarray of int
    f : int
        The objective's column, -1 where the program has none.
    fixed : ndarray of int16, shape (n_units,)
        The piece of a stable unit, -1 for the others.
    big_h, big_hbar : ndarray, shape (breakpoints,)
        Upper bounds of h and hbar.
    lengths : ndarray, shape (values,)
        The s of each pre-activation.
    shift, scale : ndarray, shape (columns,)
        With ``x = shift + scale * x'`` the columns x' have the inputs in the unit box and margins
        near 1, so that a solver's absolute tolerances mean the same for every unit.
    """

    t: Array
    z: Array
    unit_of: Array
    piece_of: Array
    h: Array
    hbar: Array
    top: Array
    behind: Array
    z_starts: Array
    h_starts: Array
    behind_starts: Array
    f: int
    fixed: Array
    big_h: Array
    big_hbar: Array
    lengths: Array
    shift: Array
    scale: Array

    def pattern(self, x: Array) -> tuple[int, ...]:
        """Return the pattern in a solution vector, integers rounded."""
        found = np.zeros(self.fixed.size, dtype=np.int64)
        np.add.at(found, self.unit_of, self.piece_of * np.rint(x[self.z]).astype(np.int64))
        return tuple(found.tolist())

    def indicators(self, pattern: Array) -> Array:
        """Return the values of z for a pattern, shape (indicators,)."""
        return np.asarray(np.asarray(pattern)[self.unit_of] == self.piece_of, dtype=float)

    def indicator(self, unit: int, piece: int) -> int:
        """Return the column that is 1 where a unit is on a piece; of two pieces, only piece 1."""
        first, stop = self.z_starts[unit : unit + 2]
        return int(self.z[first + piece if stop - first > 1 else first])
