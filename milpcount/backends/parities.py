"""Parities over the units of a tree that decides them in order: a system over GF(2)."""

from collections.abc import Iterable

import numpy as np

Array = np.ndarray


class ParitySystem:
    """Parities in echelon form, the last unit of every row its pivot.

    Pivots are distinct, so a combination of rows ends at the last of their pivots: deciding each
    pivot by its row enforces every consequence of the system as early as it can be known.
    """

    def __init__(self) -> None:
        self.rows: dict[int, tuple[int, int]] = {}
        self.others: dict[int, Array] = {}
        self.is_contradictory = False

    def add(self, units: Iterable[int], odd: bool) -> None:
        """Add the constraint that an odd (or even) number of distinct units is active."""
        mask, rhs = sum(1 << unit for unit in units), int(odd)
        while mask:
            pivot = mask.bit_length() - 1
            if pivot not in self.rows:
                self.rows[pivot] = mask, rhs
                others = [unit for unit in range(pivot) if mask >> unit & 1]
                self.others[pivot] = np.array(others, dtype=np.intp)
                return
            mask, rhs = mask ^ self.rows[pivot][0], rhs ^ self.rows[pivot][1]
        self.is_contradictory |= bool(rhs)

    def implied(self, unit: int, bits: Array) -> int | None:
        """Return the state that the states of the units before it leave to a unit, if only one."""
        if unit not in self.rows:
            return None
        return (self.rows[unit][1] + int(bits[self.others[unit]].sum())) % 2

    def allow(self, bits: Array, depth: int) -> bool:
        """Return whether the states of the first `depth` units contradict nothing."""
        if self.is_contradictory:
            return False
        decided = (unit for unit in self.rows if unit < depth)
        return all(self.implied(unit, bits) == bits[unit] for unit in decided)
