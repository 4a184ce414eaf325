"""Exact answers to what the kernel cannot decide in floating point."""

from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from milpcount.domain import InputSet
from milpcount.errors import DomainError
from milpcount.exact.conditions import Conditions
from milpcount.exact.geometry import Point, Rows
from milpcount.exact.program import decide
from milpcount.exact.proofs import is_proof_of_empty, prove_empty
from milpcount.exact.rows import ExactNetwork
from milpcount.kernel import rows as kinds
from milpcount.kernel.columns import LAYER_ROW
from milpcount.kernel.program import Layout
from milpcount.kernel.state import State
from milpcount.network import Network
from milpcount.types import Array


@dataclass(frozen=True, eq=False)
class Answer:
    """What is known of a cell.

    Attributes
    ----------
    cell : Conditions
    witness : Point or None
        A point of the cell, None if it is empty.
    support : (ndarray, ndarray) or None
        Rows and signs that exclude each other, where the cell is empty.
    """

    cell: Conditions
    witness: Point | None
    support: tuple[Array, Array] | None


class ExactAnswers:
    """A network in exact arithmetic beside its program; built when first needed.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    layout : Layout
        Its program, and how it numbers units and rows.
    patterns : bool
        Whether cells contain the faces that belong to them, as patterns do; those of regions are
        open.
    """

    def __init__(self, network: Network, inputs: InputSet, layout: Layout, patterns: bool) -> None:
        self._given, self._patterns = (network, inputs), patterns
        self._program, self._numbering = layout
        self._network: ExactNetwork | None = None

    @property
    def network(self) -> ExactNetwork:
        """The exact network."""
        if self._network is None:
            self._network = ExactNetwork(*self._given)
        return self._network

    def kind_of_row(self, r: int, pattern: list[int]) -> int:
        """Return the kind of a row below a pattern of the layers above; see `rows`."""
        row = self._rows(np.array([r]), pattern)
        return self._kind(row, closed=self._patterns)

    def kind_of_domain_row(self, i: int) -> int:
        """Return the kind of the program's i-th row of the domain, which must not be negative."""
        inputs = self._given[1].exact or self._given[1]
        if i >= len(inputs.rhs):  # a bound on a parameter, of an unbounded set
            return kinds.TINY
        row = Rows.of(np.append(inputs.rhs[i], -inputs.rows[i])[None])
        return self._kind(row, closed=False)

    def _kind(self, row: Rows, *, closed: bool) -> int:
        """Return the kind of a row; if `closed`, one that is zero on a face is not positive."""
        values, box = row.values[0], self.network.inputs.box
        highest, lowest = box.scaled_maximum(values), box.scaled_maximum(-values)
        if not values.any():
            return kinds.ZERO
        if highest is not None and highest <= 0:
            return kinds.NEGATIVE
        if lowest is not None and (lowest < 0 or (lowest == 0 and not closed)):
            # Where patterns are counted, a unit is inactive on a face that its row is zero on.
            return kinds.POSITIVE
        return kinds.TINY

    def decide(self, state: State, first: int, count: int) -> Answer:
        """Decide the kernel's current cell, of which the rows ``first..count`` are those of units.

        The multipliers that the kernel tried are a hint.
        """
        ids, signs = state.cell.id[first:count], state.cell.sign[first:count]
        own = ids < self._program.row_values.shape[0]
        domain = self.network.inputs.rows
        hint = np.concatenate(
            [np.zeros(len(domain)), (state.trial.lam[first:count] * state.rows.norm[ids])[own]]
        )
        ids, signs = ids[own], signs[own]
        cell = Conditions.of(domain, strict=not self._patterns).joined(
            Conditions.signed(
                self._rows(ids, state.pattern.tolist()), signs.tolist(), closed=self._patterns
            )
        )
        witness, multipliers = self._decide(cell, hint)
        if multipliers is None:
            return Answer(cell, witness, None)
        support = np.flatnonzero([m != 0 for m in multipliers]) - len(domain)
        support = support[support >= 0]
        return Answer(cell, witness, (ids[support], signs[support]))

    def _decide(self, cell: Conditions, hint: Array) -> tuple[Point | None, tuple[int, ...] | None]:
        """Return a point of a cell, or multipliers that prove it empty; a hint may save work."""
        box, every_sign = self.network.inputs.box, (1,) * len(cell)
        found = prove_empty(cell.rows, every_sign, box, hint)
        if found is not None and is_proof_of_empty(cell.rows, every_sign, box, found, cell.strict):
            return None, found
        verdict = cell.decide(box, closed=self._patterns)
        return verdict.witness, verdict.multipliers

    def _rows(self, ids: Array, pattern: list[int]) -> Rows:
        parts, whole = [], self._numbering.whole_pattern(pattern)
        for layer in sorted({self._layer(int(r)) for r in ids}):
            base, count = self._program.layers[layer, 4:6].tolist()
            mine = ids[(base <= ids) & (ids < base + count)] - base
            places = self._numbering.rows[layer][mine].tolist()
            parts.append(self.network.rows(layer, whole).take(places))
        return Rows.stack(parts)

    def _layer(self, r: int) -> int:
        # Of layers without rows, which begin where the next one does, it is the last one.
        return int(np.searchsorted(self._program.layers[:, LAYER_ROW], r, side="right")) - 1

    def reject_domain(self) -> NoReturn:
        """Say why the search cannot enter its domain.

        Raises
        ------
        DomainError
            Always.
        """
        rows = self.network.inputs.rows
        if decide(rows, (1,) * len(rows), self.network.inputs.box).is_empty:
            raise DomainError(
                "the polytope has no interior point: its rows contradict each other or make it "
                "flat; describe a flat set as a Section"
            )
        raise DomainError(
            "the domain is too thin for floating point (less than about 1e-9 of its box), or its "
            "numbers are too far apart: scale its bounds to it, or count with the method 'tree'"
        )
