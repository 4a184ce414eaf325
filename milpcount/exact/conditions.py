"""Inequalities that make a cell: each asks a row to be positive, or only not to be negative.

Counting regions, every inequality is strict: what is left of a cell has interior points or is
empty. Counting patterns, a unit is inactive at 0 as well, so cells contain some of their faces and
may be thin, and the pieces of a unit share them out between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from milpcount.exact.geometry import ExactBox, Point, Rows
from milpcount.exact.program import Verdict, attained, decide


@dataclass(frozen=True, eq=False)
class Conditions:
    """Inequalities ``rows[i] > 0`` where strict, ``rows[i] >= 0`` elsewhere.

    Attributes
    ----------
    rows : Rows
    strict : tuple of bool
    """

    rows: Rows
    strict: tuple[bool, ...]

    @classmethod
    def of(cls, rows: Rows, *, strict: bool) -> "Conditions":
        """Return rows with inequalities of one kind."""
        return cls(rows, (strict,) * len(rows))

    @classmethod
    def signed(cls, rows: Rows, signs: Sequence[int], *, closed: bool) -> "Conditions":
        """Return what signs ask of rows: 1 that they are positive, -1 that they are not.

        Parameters
        ----------
        rows : Rows
        signs : sequence of int
            1 or -1.
        closed : bool
            Whether a row that is asked not to be positive may be 0.
        """
        factors = np.array(signs, dtype=object)
        strict = tuple(not closed or sign > 0 for sign in signs)
        return cls(Rows(rows.values * factors[:, None], rows.denominators), strict)

    def __len__(self) -> int:
        return len(self.strict)

    def joined(self, other: "Conditions") -> "Conditions":
        """Return both."""
        return Conditions(Rows.stack([self.rows, other.rows]), self.strict + other.strict)

    def hold(self, point: Point) -> bool:
        """Return whether a point satisfies all of them."""
        values = self.rows.at(point)
        return all(v > 0 or (v == 0 and not s) for v, s in zip(values, self.strict, strict=True))

    def cutting(self, box: ExactBox) -> "Conditions":
        """Return those that do not hold on the whole closed box."""
        cut = [i for i in range(len(self)) if not self._holds_on(i, box)]
        return Conditions(self.rows.take(cut), tuple(self.strict[i] for i in cut))

    def fail_on(self, box: ExactBox) -> bool:
        """Return whether one of them holds nowhere in the closed box."""
        return any(self._fails_on(i, box) for i in range(len(self)))

    def decide(self, box: ExactBox, *, closed: bool) -> Verdict:
        """Return a point that satisfies them, or multipliers that show that there is none.

        Parameters
        ----------
        box : ExactBox
        closed : bool
            Whether the point may lie on the box's boundary and where rows are zero that may be;
            else it is an interior point, and all have to be strict.
        """
        signs = (1,) * len(self)
        return (
            attained(self.rows, signs, self.strict, box)
            if closed
            else decide(self.rows, signs, box)
        )

    def _holds_on(self, i: int, box: ExactBox) -> bool:
        lowest = box.scaled_maximum(-self.rows.values[i])
        return lowest is not None and (lowest < 0 or (lowest == 0 and not self.strict[i]))

    def _fails_on(self, i: int, box: ExactBox) -> bool:
        highest = box.scaled_maximum(self.rows.values[i])
        return highest is not None and (highest < 0 or (highest == 0 and self.strict[i]))
