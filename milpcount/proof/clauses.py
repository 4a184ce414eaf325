"""Clauses: signs of rows that exclude each other, with the multipliers that show it.

A block of a proof has some cells of a layer and the clauses that its sides cite; see
`milpcount.proof.check`. Those that float multipliers prove are found by the compiled projections,
all others in exact arithmetic here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from milpcount.exact.conditions import Conditions
from milpcount.exact.proofs import is_proof_of_empty, prove_empty
from milpcount.exact.rows import ExactNetwork
from milpcount.types import Array

_EXACT_FLOATS = 2**53
"""Integers up to it are float64 numbers."""


@dataclass
class Clauses:
    """The clauses of a block, in the arrays of the format.

    Attributes
    ----------
    row, size : list of int
        Of each clause: a pattern of the block in its cell, and how many rows it has.
    literals : list of int
        Twice a row's number, plus 1 for the sign "not positive".
    multipliers : list of float or int
        Integers where no float64 is the number.
    sure : list of bool
        Of each clause, whether it is known that the multipliers refute it.
    """

    row: list[int] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    literals: list[int] = field(default_factory=list)
    multipliers: list[float | int] = field(default_factory=list)
    sure: list[bool] = field(default_factory=list)

    @property
    def has_integers(self) -> bool:
        """Whether some multipliers are no floats."""
        return int in set(map(type, self.multipliers))

    def add(self, row: int, literals: Sequence[int], multipliers: Sequence[Any]) -> int:
        """Append a clause and return its number."""
        self.row.append(row)
        self.sure.append(False)
        self.size.append(len(literals))
        self.literals += literals
        self.multipliers += map(_short, multipliers)
        return len(self.size) - 1

    def extend(
        self, row: Array, size: Array, literals: Array, multipliers: Array, sure: Array
    ) -> None:
        """Append clauses that floats prove, given in arrays."""
        self.sure += sure.tolist()
        self.row += row.tolist()
        self.size += size.tolist()
        self.literals += literals.tolist()
        self.multipliers += multipliers.tolist()

    def replace(self, start: int, multipliers: Sequence[int]) -> None:
        """Set the multipliers from a place on."""
        self.multipliers[start : start + len(multipliers)] = map(_short, multipliers)

    def taken(self, kept: Array) -> tuple["Clauses", Array]:
        """Return some of the clauses, and the new number of each by its old one."""
        out, new = Clauses(), np.full(len(self.size), -1)
        start = np.cumsum([0, *self.size])
        for c in kept.tolist():
            e = slice(int(start[c]), int(start[c + 1]))
            new[c] = out.add(self.row[c], self.literals[e], self.multipliers[e])
        return out, new


def _short(multiplier: Any) -> Any:
    """Return a multiplier as a float, if it is one."""
    return float(multiplier) if multiplier <= _EXACT_FLOATS else multiplier


class ExactClauses:
    """Finds clauses in exact arithmetic.

    Parameters
    ----------
    network : ExactNetwork
    patterns : bool
        Whether patterns are counted, and so closed cells.
    """

    def __init__(self, network: ExactNetwork, patterns: bool) -> None:
        self._network, self._patterns = network, patterns
        self._starts = network.starts
        sizes = [int(layer.row_starts[-1]) for layer in network.network.layers]
        self.row_base = [0, *np.cumsum(sizes).tolist()]
        inputs = network.inputs
        self._domain_ids = [2 * (self.row_base[-1] + i) for i in range(len(inputs.rows))]
        self._domain = Conditions.of(inputs.rows, strict=not patterns)

    def layer_of(self, unit: int) -> int:
        """Return the layer of a unit."""
        return int(np.searchsorted(self._starts, unit, side="right")) - 1

    def side(
        self, pattern: Sequence[int], unit: int, piece: int
    ) -> tuple[list[int], list[int]] | None:
        """Return literals and multipliers that refute a side; None if it holds a pattern.

        Parameters
        ----------
        pattern : sequence of int
            Of which the units before `unit` count.
        unit, piece : int
        """
        path = [*pattern[:unit], piece]
        ids: list[int] = []
        cell = self._domain
        for layer in range(self.layer_of(unit) + 1):
            first, end = self._starts[layer], min(unit + 1, self._starts[layer + 1])
            rows = self._network.rows(layer, path)
            flat = rows.is_zero()
            own = self._literals(layer, first, path[first:end])
            excluded = [(r, s) for r, s in own if flat[r] and s > 0]
            if excluded:
                return [2 * (self.row_base[layer] + excluded[0][0])], [1]
            own = [(r, s) for r, s in own if not flat[r]]
            signed = Conditions.signed(
                rows.take([r for r, _ in own]), [s for _, s in own], closed=self._patterns
            )
            cell = cell.joined(signed)
            ids += [2 * (self.row_base[layer] + r) + (s < 0) for r, s in own]
        verdict = cell.decide(self._network.inputs.box, closed=self._patterns)
        if verdict.multipliers is None:
            return None
        return self._used([*self._domain_ids, *ids], verdict.multipliers)

    def repaired(
        self, pattern: Sequence[int], literals: Sequence[int], hint: Sequence[float]
    ) -> list[int] | None:
        """Return multipliers of given literals that prove what a float hint does not quite."""
        n_rows, parts, order = self.row_base[-1], [], []
        numbers = np.array(literals)
        for layer in range(len(self.row_base) - 1):
            base, end = self.row_base[layer : layer + 2]
            mine = np.flatnonzero((numbers >> 1 >= base) & (numbers >> 1 < end))
            if mine.size:
                rows = self._network.rows(layer, pattern).take((numbers[mine] // 2 - base).tolist())
                signs = (1 - 2 * (numbers[mine] & 1)).tolist()
                parts.append(Conditions.signed(rows, signs, closed=self._patterns))
                order += mine.tolist()
        if (numbers >> 1 >= n_rows).any() or not parts:
            return None  # of the domain: the whole side is decided anew
        cell = parts[0]
        for part in parts[1:]:
            cell = cell.joined(part)
        every, box = (1,) * len(cell), self._network.inputs.box
        found = prove_empty(cell.rows, every, box, np.array(hint)[order])
        if found is None or not is_proof_of_empty(cell.rows, every, box, found, cell.strict):
            return None
        out = [0] * len(order)
        for place, m in zip(order, found, strict=True):
            out[place] = m
        return out

    def _literals(self, layer: int, first: int, pieces: Sequence[int]) -> list[tuple[int, int]]:
        known = self._network.network.layers[layer]
        start = known.row_starts
        return [
            (int(start[place]) + r, sign)
            for place, k in enumerate(pieces)
            for r, sign in known.unit(place).pieces[k].literals
        ]

    @staticmethod
    def _used(ids: Sequence[int], multipliers: Sequence[int]) -> tuple[list[int], list[int]]:
        pairs = [(i, m) for i, m in zip(ids, multipliers, strict=True) if m]
        return [i for i, _ in pairs], [m for _, m in pairs]
