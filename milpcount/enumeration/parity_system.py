"""Parities over the variables of a tree that decides them in order: a system over GF(2).

A variable is the indicator of one piece of a unit, for every piece but the first; a unit of two
pieces has one, whether it is active.
"""

from collections.abc import Iterable

import numpy as np

from milpcount.types import Array


class ParitySystem:
    """Parities in echelon form, the last variable of every row its pivot.

    Pivots are distinct, so a combination of rows ends at the last of their pivots: deciding each
    pivot by its row enforces every consequence of the system as early as it can be known.
    """

    def __init__(self) -> None:
        self.rows: dict[int, tuple[int, int]] = {}
        self.others: dict[int, Array] = {}
        self.is_contradictory = False

    def add(self, variables: Iterable[int], odd: bool) -> None:
        """Add the constraint that an odd (or even) number of distinct variables is 1."""
        mask, rhs = sum(1 << variable for variable in variables), int(odd)
        while mask:
            pivot = mask.bit_length() - 1
            if pivot not in self.rows:
                self.rows[pivot] = mask, rhs
                others = [variable for variable in range(pivot) if mask >> variable & 1]
                self.others[pivot] = np.array(others, dtype=np.intp)
                return
            mask, rhs = mask ^ self.rows[pivot][0], rhs ^ self.rows[pivot][1]
        self.is_contradictory |= bool(rhs)

    def implied(self, variable: int, bits: Array) -> int | None:
        """Return the value that those before it leave to a variable, if only one."""
        if variable not in self.rows:
            return None
        return (self.rows[variable][1] + int(bits[self.others[variable]].sum())) % 2

    def allow(self, bits: Array, depth: int, first: int = 0) -> bool:
        """Return whether the values of the first `depth` variables contradict nothing.

        Parameters
        ----------
        bits : ndarray of int
        depth : int
        first : int
            Only rows with pivots from here on are looked at.
        """
        if self.is_contradictory:
            return False
        decided = (variable for variable in self.rows if first <= variable < depth)
        return all(self.implied(variable, bits) == bits[variable] for variable in decided)
