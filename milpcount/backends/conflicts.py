"""Why a pattern is not attained: short clauses over the units, proved in exact arithmetic.

The cell of a pattern is decided layer by layer. Where the rows of the first layers contradict each
other, the Farkas multipliers name the few that do; the clause forbids their states together with
the states of the units above them on which these rows depend, and nothing else. When the cell of
some first layers is met for the first time, the units of the next layer that have one sign on it
are found at once.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from milpcount.exact.geometry import Point, Rows
from milpcount.exact.program import Verdict, attained, decide
from milpcount.exact.rows import ExactNetwork
from milpcount.formulation.formulate import Formulation
from milpcount.result import Quantity

Array = np.ndarray
Pattern = tuple[int, ...]
Clause = tuple[tuple[int, int], ...]
"""Pairs (unit, state); no pattern that is counted has all of them."""


def excludes(clause: Clause, pattern: Pattern) -> bool:
    """Return whether a pattern has all of the clause's states."""
    return all(pattern[unit] == bit for unit, bit in clause)


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
        self.free = formulation.columns.fixed < 0
        self.starts, self.domain = self.network.starts, self.network.inputs.rows
        self.met: set[Pattern] = set()
        layers = formulation.network.layers
        self.uses = [(layer.affine.weight != 0).astype(np.int64) for layer in layers]
        self.slopes = [
            np.array([piece.slope != 0 for piece in layer.activation.pieces]) for layer in layers
        ]

    def explain(self, pattern: Pattern) -> tuple[Point | None, list[Clause]]:
        """Return a point of the pattern's cell, None if there is none, and what was learned.

        Parameters
        ----------
        pattern : tuple of int
            The states of all units.

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
            verdict = self._decide(rows, signs, prefix)
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
        needs = self._needs(layer, prefix)
        while verdict.witness is None:
            support = [u for u in verdict.support if u < len(prefix)]
            yield self._clause(support, prefix, needs)
            last = [u for u in support if u >= self.starts[layer]]
            if not last:
                return
            for unit in last:
                signs[unit] = 0
            verdict = self._decide(rows, signs, prefix)

    def _implied(self, layer: int, prefix: Pattern, witness: Point) -> Iterator[Clause]:
        """Yield clauses for the units of a layer that have one sign on the cell above it."""
        first = self.starts[layer]
        needs = self._needs(layer, prefix + (0,) * (self.starts[layer + 1] - first))
        above, signs = self._cell(layer - 1, prefix)
        rows = self.network.rows(layer, prefix)
        values, zero = rows.at(witness), rows.is_zero()
        for i in np.flatnonzero(self.free[first : self.starts[layer + 1]]):
            if values[i] == 0 and not zero[i]:
                continue  # the witness shows neither side: the pattern itself will be decided
            bit = int(not values[i] > 0)  # the side that the witness does not show
            tried = Rows.stack([above.take(range(first)), rows.take([int(i)]), self.domain])
            verdict = self._decide(tried, [*signs, 1 if bit else -1], (*prefix, bit))
            if verdict.witness is None:
                unit = first + int(i)
                support = [unit if u == first else u for u in verdict.support if u <= first]
                yield self._clause(support, (*prefix, *[bit] * (int(i) + 1)), needs)

    def _clause(self, support: Sequence[int], pattern: Pattern, needs: Array) -> Clause:
        used = np.array(needs[list(support)].any(axis=0))
        used[list(support)] = True
        units = np.flatnonzero(used & self.free[: used.size])
        return tuple((int(u), pattern[u]) for u in units)

    def _cell(self, layer: int, prefix: Pattern) -> tuple[Rows, list[int]]:
        """Return the rows of all units down to a layer, and the sign that is asked of each."""
        rows = Rows.stack([self.network.rows(index, prefix) for index in range(layer + 1)])
        states = np.array([1 if bit else -1 for bit in prefix])
        signs = np.where(self.free[: len(prefix)], states, 0)
        if self.strict:
            # A unit that is identically zero is inactive, and bounds nothing.
            signs = np.where(rows.is_zero() & (signs < 0), 0, signs)
        return Rows.stack([rows, self.domain]), signs.tolist()

    def _decide(self, rows: Rows, signs: list[int], pattern: Pattern) -> Verdict:
        self.checks += 1
        every, box = [*signs, *[1] * len(self.domain)], self.network.inputs.box
        if self.strict:
            return decide(rows, every, box)
        strict = [bit == 1 for bit in pattern] + [False] * len(self.domain)
        return attained(rows, every, strict, box)

    def _needs(self, layer: int, pattern: Pattern) -> Array:
        """Return on which units the row of each unit down to a layer depends, shape (k, k)."""
        needs = np.zeros((len(pattern), len(pattern)), dtype=bool)
        for index in range(1, layer + 1):
            above = slice(self.starts[index - 1], self.starts[index])
            own = slice(self.starts[index], self.starts[index + 1])
            passed = self.slopes[index - 1][np.array(pattern[above])]
            reach = needs[above] & passed[:, None]
            reach[:, above] |= np.eye(reach.shape[0], dtype=bool)
            needs[own] = self.uses[index] @ reach > 0
        return needs
