"""Why a pattern is not attained: short clauses over the units, proved in exact arithmetic.

The cell of a pattern is decided layer by layer. Where the branch rows of the first layers
contradict each other, the Farkas multipliers name the few that do; the clause forbids the pieces of
their units together with those of the units above them on which these rows depend, and nothing
else. When the cell of some first layers is met for the first time, the pieces of the next layer's
units that have no part in it are found at once.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from milpcount.exact.evaluate import piece_of
from milpcount.exact.geometry import Point, Rows
from milpcount.exact.program import Verdict, attained, decide
from milpcount.exact.rows import ExactNetwork
from milpcount.formulation.formulate import Formulation
from milpcount.quantities import Quantity
from milpcount.types import Array, Pattern

Clause = tuple[tuple[int, int], ...]
"""Pairs (unit, piece); no pattern that is counted has all of them."""


def excludes(clause: Clause, pattern: Pattern) -> bool:
    """Return whether a pattern has all of the clause's pieces."""
    return all(pattern[unit] == piece for unit, piece in clause)


class Conflicts:
    """Decides patterns and explains those that are not attained.

    Parameters
    ----------
    formulation : Formulation
        Its quantity says whether a pattern has to be full-dimensional.

    Attributes
    ----------
    checks : int
        Exact decisions so far.
    """

    def __init__(self, formulation: Formulation) -> None:
        self.checks = 0
        self.network = ExactNetwork(formulation.network, formulation.inputs)
        self.strict = formulation.quantity is Quantity.ACTIVATION_REGIONS
        self.fixed = formulation.columns.fixed
        self.free = self.fixed < 0
        self.starts, self.domain = self.network.starts, self.network.inputs.rows
        self.met: set[Pattern] = set()
        self.layers = formulation.network.layers
        self.sources = formulation.network.sources
        self.uses = [(layer.affine.matrix != 0).astype(np.int64) for layer in self.layers]
        # Where each layer's branch rows begin among those of all layers, and whose they are.
        counts = [int(layer.row_starts[-1]) for layer in self.layers]
        self.row_starts = [0, *np.cumsum(counts).tolist()]
        units = zip(self.starts, self.layers, strict=False)
        owners = [first + layer.table.row_unit for first, layer in units]
        self.unit_of_row = np.concatenate([np.zeros(0, np.int64), *owners])

    def explain(self, pattern: Pattern) -> tuple[Point | None, list[Clause]]:
        """Return a point of the pattern's cell, None if there is none, and what was learned.

        Parameters
        ----------
        pattern : tuple of int
            The pieces of all units.

        Returns
        -------
        point : Point or None
        clauses : list
            If there is no point, one of them excludes the pattern.
        """
        depth = len(self.starts) - 1
        learned: list[Clause] = []
        for layer in range(depth):
            prefix = pattern[: self.starts[layer + 1]]
            if prefix in self.met:
                continue
            rows, signs = self._cell(layer, prefix)
            verdict = self._decide(rows, signs)
            if verdict.witness is None:
                return None, [*learned, *self._clauses(layer, prefix, rows, signs, verdict)]
            if layer + 1 == depth:
                return verdict.witness, learned
            self.met.add(prefix)
            learned += self._implied(layer + 1, prefix, verdict.witness)
            if any(excludes(clause, pattern) for clause in learned):
                return None, learned
        raise AssertionError("the last layer of a pattern is always decided")

    def _clauses(
        self, layer: int, prefix: Pattern, rows: Rows, signs: list[int], verdict: Verdict
    ) -> Iterator[Clause]:
        """Yield a clause, forget the units of the last layer in it, and look for another."""
        needs, own = self._needs(layer, prefix), self.row_starts[layer + 1]
        while verdict.witness is None:
            support = [r for r in verdict.support if r < own]
            units = {int(self.unit_of_row[r]) for r in support}
            yield self._clause(units, needs[support], prefix)
            last = [unit for unit in units if unit >= self.starts[layer]]
            if not last:
                return
            for row in np.flatnonzero(np.isin(self.unit_of_row[:own], last)).tolist():
                signs[row] = 0
            verdict = self._decide(rows, signs)

    def _implied(self, layer: int, prefix: Pattern, witness: Point) -> Iterator[Clause]:
        """Yield clauses for the pieces of a layer that have no part in the cell above it."""
        known, first = self.layers[layer], self.starts[layer]
        needs = self._needs(layer, prefix + (0,) * known.width)
        above, signs = self._cell(layer - 1, prefix)
        begin = self.row_starts[layer]
        above = above.take(range(begin))
        rows = self.network.rows(layer, prefix)
        values, zero = rows.at(witness), rows.is_zero()
        for i in np.flatnonzero(self.free[first : self.starts[layer + 1]]).tolist():
            at = range(int(known.row_starts[i]), int(known.row_starts[i + 1]))
            if any(values[r] == 0 and not zero[r] for r in at):
                continue  # the witness shows no piece: the pattern itself will be decided
            shown = piece_of(known.unit(i), [1 if values[r] > 0 else -1 for r in at])
            for piece in range(known.unit(i).n_pieces):
                if piece == shown:
                    continue
                asked = self._asked(layer, i, piece, zero[at.start : at.stop])
                tried = Rows.stack([above, rows.take(at), self.domain])
                verdict = self._decide(tried, [*signs, *asked])
                if verdict.witness is None:
                    support = [r for r in verdict.support if r < begin + len(at)]
                    # The unit's rows are numbered behind those of the layers above.
                    named = [r if r < begin else r + at.start for r in support]
                    units = {int(self.unit_of_row[r]) for r in named} | {first + i}
                    pattern = (*prefix, *[0] * i, piece)
                    yield self._clause(units, needs[named], pattern)

    def _clause(self, units: Iterable[int], needs: Array, pattern: Pattern) -> Clause:
        used = np.array(needs.any(axis=0))
        used[list(units)] = True
        found = np.flatnonzero(used & self.free[: used.size])
        return tuple((int(u), pattern[u]) for u in found)

    def _cell(self, layer: int, prefix: Pattern) -> tuple[Rows, list[int]]:
        """Return the rows of all units down to a layer, and the sign that is asked of each."""
        parts, signs = [], list[int]()
        for index in range(layer + 1):
            rows, known = self.network.rows(index, prefix), self.layers[index]
            zero = rows.is_zero()
            for i in range(known.width):
                at = slice(int(known.row_starts[i]), int(known.row_starts[i + 1]))
                unit = self.starts[index] + i
                if self.free[unit]:
                    signs += self._asked(index, i, prefix[unit], zero[at])
                else:
                    signs += [0] * (at.stop - at.start)
            parts.append(rows)
        return Rows.stack([*parts, self.domain]), signs

    def _asked(self, layer: int, unit: int, piece: int, zero: Array) -> list[int]:
        """Return the signs that a piece asks of a unit's rows.

        A row that is identically zero is not positive, and bounds nothing.
        """
        signs = [0] * zero.size
        for row, sign in self.layers[layer].unit(unit).pieces[piece].literals:
            if not (zero[row] and sign < 0):
                signs[row] = sign
        return signs

    def _decide(self, rows: Rows, signs: list[int]) -> Verdict:
        self.checks += 1
        every, box = [*signs, *[1] * len(self.domain)], self.network.inputs.box
        if self.strict:
            return decide(rows, every, box)
        strict = [sign > 0 for sign in signs] + [False] * len(self.domain)
        return attained(rows, every, strict, box)

    def _needs(self, layer: int, pattern: Pattern) -> Array:
        """Return on which units each row down to a layer depends, shape (rows, units).

        A unit's output depends on its own piece and, unless that has slope 0, on what the value
        depends on that the piece is a function of; a row depends on what its two values do.
        """
        units = self.starts[layer + 1]
        outputs, found = [np.zeros((0, units), dtype=bool)], []
        for index in range(layer + 1):
            known, uses = self.layers[index], self.uses[index]
            values = np.zeros((known.affine.n_out, units), dtype=bool)
            for source in self.sources[index]:
                if source.number:
                    given = outputs[source.number]
                    given = given if source.local is None else given[source.local]
                    values |= (uses[:, source.columns] @ given.astype(np.int64)) > 0
            table, own = known.table, slice(self.starts[index], self.starts[index + 1])
            rows = values[table.first].copy()
            compared = table.second >= 0
            rows[compared] |= values[table.second[compared]]
            found.append(rows)
            kinds = table.kind + np.array(pattern[own], dtype=np.int64)
            reach = values[table.start + table.value[kinds]] & (table.slope[kinds] != 0)[:, None]
            reach[:, own] |= np.eye(known.width, dtype=bool)
            outputs.append(reach)
        return np.concatenate(found)
