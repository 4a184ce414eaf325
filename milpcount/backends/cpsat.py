"""CP-SAT over the units' pieces, with linear programs as the theory.

CP-SAT takes integers only, so it cannot hold a network of real weights. It holds what is Boolean:
the units' pieces, which of them are fixed, and the clauses learned so far. It proposes patterns
in batches; each is decided exactly, layer by layer (`conflicts`). One that is attained is told and
excluded, one that is not gives clauses that exclude many more. When CP-SAT has no proposal left,
every pattern has been found (logic-based Benders decomposition, Hooker and Ottosson 2003).
"""

from collections.abc import Generator, Iterator, Mapping, Sequence

import numpy as np

from milpcount.backends.backend import Capability
from milpcount.backends.cpsat_master import Master, cp_model
from milpcount.enumeration.conflict_clauses import Clause, Conflicts, excludes
from milpcount.enumeration.search import Constraint, OnPattern, Search, SearchState, Stop
from milpcount.exact.geometry import Point
from milpcount.exact.inputs import ExactInputs
from milpcount.formulation.formulate import Formulation
from milpcount.limits import Deadline
from milpcount.types import Array, Pattern

BATCH = 64
"""Patterns proposed by one solve: every solve reads all clauses again."""


class Decomposition:
    """An enumeration by CP-SAT and exact conflicts; see the module's text.

    Parameters
    ----------
    formulation : Formulation
        Only its units, their possible pieces and its quantity are used.
    on_pattern : callable
        May return parities, and rows over z columns with integers as coefficients.
    deadline : Deadline
    """

    def __init__(self, formulation: Formulation, on_pattern: OnPattern, deadline: Deadline) -> None:
        self.formulation, self.on_pattern, self.deadline = formulation, on_pattern, deadline
        self.state = SearchState()
        self.conflicts = Conflicts(formulation)
        self.master = Master(self.state)
        columns, program = formulation.columns, formulation.program
        self.free = np.flatnonzero(columns.fixed < 0)
        high = program.upper[columns.z] > 0
        units = [unit for layer in formulation.network.layers for unit in layer.units]
        for number, (activation, piece) in enumerate(zip(units, columns.fixed, strict=True)):
            at = slice(*columns.z_starts[number : number + 2])
            alone = at.stop - at.start == 1  # of two pieces both, unless the unit is stable
            possible = [True, True] if alone else high[at].tolist()
            if piece >= 0:
                possible = [k == piece for k in range(activation.n_pieces)]
            self.master.add_unit(possible)
        self.clauses: list[Clause] = []

    def learn(self, clauses: Sequence[Clause]) -> None:
        """Take over what an earlier search of the same formulation has learned.

        Its `clauses` exclude patterns that are not attained, whatever rows it was given.
        """
        for clause in clauses:
            self.master.exclude(clause)
        self.clauses += clauses

    def run(self) -> Iterator[SearchState]:
        """Yield the state while a solve runs, after each pattern, and at the end.

        Raises
        ------
        SolverError
            If CP-SAT fails.
        OptionError
            If the callback returns a row that CP-SAT cannot hold.
        """
        while not self.state.stopped and not self.deadline.passed():
            proposal = yield from self.master.propose(BATCH, self.deadline)
            if (yield from self._judge(proposal.patterns)) and proposal.complete:
                self.state.exhausted = True
                break
        yield self.state

    def _judge(self, patterns: list[Pattern]) -> Generator[SearchState, None, bool]:
        """Decide a batch and return whether it was finished; what it taught goes to CP-SAT."""
        clauses: list[Clause] = []
        added: list[Constraint] = []
        for pattern in patterns:
            if self.state.stopped or self.deadline.passed():
                return False
            known = any(excludes(clause, pattern) for clause in clauses)
            if known or not self._satisfies(pattern, added):
                continue
            point, learned = self.conflicts.explain(pattern)
            clauses += learned
            if point is not None:
                added += self._tell(pattern, point)
            self._count(len(clauses))
            yield self.state
        self.learn(clauses)
        return not self.state.stopped

    def _tell(self, pattern: Pattern, point: Point) -> Sequence[Constraint]:
        self.state.solutions += 1
        self.master.exclude(tuple((int(u), pattern[u]) for u in self.free))
        answer = self.on_pattern(pattern, _input(self.conflicts.network.inputs, point))
        if isinstance(answer, Stop):
            self.state.stopped = True
            return []
        for constraint in answer or ():
            self.master.add(constraint, self.formulation.columns)
        self.state.rows += len(answer or ())
        return answer or ()

    def _satisfies(self, pattern: Pattern, constraints: Sequence[Constraint]) -> bool:
        x = np.zeros(self.formulation.program.n_columns)
        columns = self.formulation.columns
        x[columns.z] = columns.indicators(np.array(pattern))
        return all(constraint.holds(x) for constraint in constraints)

    def _count(self, learning: int) -> None:
        self.state.lps = self.conflicts.checks
        self.state.details = {
            "learned_clauses": len(self.clauses) + learning,
            "lp_checks": self.state.lps,
        }


def _input(inputs: ExactInputs, t: Point) -> Array:
    """Return the input of parameters: float64 where that is exact, else an array of Fraction."""
    x = inputs.to_input(t)
    floats, exact = x.floats(), x.fractions()
    if np.isfinite(floats).all() and Point.of(floats).fractions() == exact:
        return floats
    return np.array(exact, dtype=object)


class CpSat:
    """The backend ``cpsat``: Boolean search with exact conflicts, or whole networks of integers."""

    name = "cpsat"
    package = "ortools"
    modes: tuple[str, ...] = ("decomposition", "grid")
    affordable: Mapping[str, int] = {"decomposition": 5_000}
    capabilities = frozenset(
        {
            Capability.REAL_COEFFICIENTS,
            Capability.ENUMERATION,
            Capability.RESTARTS,
            Capability.WARM_ROWS,
            Capability.INTERRUPT,
            Capability.PROVES_INFEASIBILITY,
            Capability.PARITY,
            Capability.EXACT,
        }
    )

    def require(self) -> None:
        """Import the solver."""
        cp_model()

    def search(
        self, formulation: Formulation, on_pattern: OnPattern, mode: str, deadline: Deadline
    ) -> Search:
        """Return an enumeration that has not begun."""
        if mode == "grid":
            from milpcount.backends.cpsat_grid import Grid

            found: Search = Grid(formulation, on_pattern, deadline)
            return found
        return Decomposition(formulation, on_pattern, deadline)
