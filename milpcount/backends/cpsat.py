"""CP-SAT over the units' states, with linear programs as the theory.

CP-SAT takes integers only, so it cannot hold a network of real weights. It holds what is Boolean:
the units' states, which of them are fixed, and the clauses learned so far. It proposes patterns
in batches; each is decided exactly, layer by layer (`conflicts`). One that is attained is told and
excluded, one that is not gives clauses that exclude many more. When CP-SAT has no proposal left,
every pattern has been found (logic-based Benders decomposition, Hooker and Ottosson 2003).
"""

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import numpy as np

from milpcount.backends.backend import (
    Capability,
    Constraint,
    OnPattern,
    Parity,
    Search,
    SearchState,
    Stop,
)
from milpcount.backends.conflicts import Clause, Conflicts, Pattern
from milpcount.errors import NotInstalledError, OptionError, SolverError
from milpcount.exact.geometry import Point
from milpcount.exact.rows import ExactInputs
from milpcount.formulation.formulate import Formulation
from milpcount.limits import Deadline

Array = np.ndarray
BATCH = 64
"""Patterns proposed by one solve: every solve reads all clauses again."""
YIELD_SECONDS = 0.2
ROUNDING = 1e-6
"""By how much the side of a row of integers may be off."""
NOTHING_LEFT = {"OPTIMAL": False, "INFEASIBLE": True, "FEASIBLE": False, "UNKNOWN": False}
"""Every status of CP-SAT that may come, and whether it proves that nothing is left. Enumerations
have ended as OPTIMAL without some of the solutions, so that is no proof; with everything that was
found excluded, having no solution at all is one."""


def cp_model() -> Any:
    """Return the module of CP-SAT.

    Raises
    ------
    NotInstalledError
        If it is missing.
    """
    try:
        from ortools.sat.python import cp_model as module
    except ImportError:
        raise NotInstalledError("the backend 'cpsat'", "ortools") from None
    return module


@dataclass(frozen=True)
class Proposal:
    """What one solve proposes.

    Attributes
    ----------
    patterns : list of tuple
    values : list of list of int
        Of the extra variables, pattern by pattern.
    complete : bool
        Whether there is no other.
    """

    patterns: list[Pattern]
    values: list[list[int]]
    complete: bool


class Master:
    """A CP-SAT model that is solved again and again, by one worker.

    Parameters
    ----------
    state : SearchState
        Where solves are counted.

    Attributes
    ----------
    model : cp_model.CpModel
    bits : list
        Booleans (or constants), unit by unit, that a proposal is read from.
    """

    def __init__(self, state: SearchState) -> None:
        self.module, self.state = cp_model(), state
        self.model = self.module.CpModel()
        self.bits: list[Any] = []

    def exclude(self, clause: Clause) -> None:
        """Forbid that all of (unit, state) hold at once."""
        self.model.add_bool_or([~self.bits[u] if bit else self.bits[u] for u, bit in clause])

    def add(self, constraint: Constraint, columns: Array) -> None:
        """Add a constraint over z columns, given the column of every unit.

        Raises
        ------
        OptionError
            If CP-SAT cannot hold it.
        """
        unit_of = {int(column): unit for unit, column in enumerate(columns)}
        if isinstance(constraint, Parity):
            bits = [self.bits[unit_of[c]] for c in constraint.columns]
            # CP-SAT's constraint asks for an odd number of trues.
            self.model.add_bool_xor(bits if constraint.odd else [*bits, True])
            return
        which, values = constraint.columns.tolist(), constraint.coefficients
        if not set(which) <= set(unit_of) or (values != np.rint(values)).any():
            raise OptionError(
                "the backend 'cpsat' takes rows over the units' states z with integers as "
                "coefficients, and parities: add other rows with the backend 'highs'"
            )
        bits = [self.bits[unit_of[c]] for c in which]
        total = sum(int(w) * bit for w, bit in zip(values, bits, strict=True))
        if np.isfinite(constraint.lower):
            self.model.add(total >= int(np.ceil(constraint.lower - ROUNDING)))
        if np.isfinite(constraint.upper):
            self.model.add(total <= int(np.floor(constraint.upper + ROUNDING)))

    def propose(
        self, most: int, deadline: Deadline, extra: Sequence[Any] = ()
    ) -> Generator[SearchState, None, Proposal]:
        """Yield the state while a solve runs, and return the proposal.

        Parameters
        ----------
        most : int
            Patterns.
        deadline : Deadline
        extra : sequence
            Variables whose values are wanted as well.

        Raises
        ------
        SolverError
            If CP-SAT refuses the model or ends in a status that is not known.
        """
        self.state.milps += 1
        solver, found = self._solver(deadline), self._collector(most, extra)
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(solver.solve, self.model, found)
            try:
                while not wait([future], YIELD_SECONDS).done:
                    yield self.state
            finally:
                while not wait([future], 0).done:
                    solver.stop_search()
                    wait([future], 0.01)
        status = solver.status_name(future.result())
        return Proposal(found.patterns, found.values, nothing_left(status))

    def _solver(self, deadline: Deadline) -> Any:
        solver = self.module.CpSolver()
        p = solver.parameters
        # With more workers, enumeration repeats some solutions and loses others.
        p.num_workers, p.enumerate_all_solutions = 1, True
        p.symmetry_level = p.cp_model_probing_level = p.linearization_level = 0
        p.max_presolve_iterations = 1
        p.catch_sigint_signal = False  # Ctrl-C belongs to Python
        if np.isfinite(deadline.remaining()):
            p.max_time_in_seconds = max(deadline.remaining(), 1e-3)
        return solver

    def _collector(self, most: int, extra: Sequence[Any]) -> Any:
        bits = self.bits

        class Collector(self.module.CpSolverSolutionCallback):  # type: ignore[name-defined,misc]
            def __init__(self) -> None:
                super().__init__()
                self.patterns: list[Pattern] = []
                self.values: list[list[int]] = []

            def on_solution_callback(self) -> None:
                if len(self.patterns) < most:
                    self.patterns.append(tuple(int(self.boolean_value(bit)) for bit in bits))
                    self.values.append([self.value(v) for v in extra])
                if len(self.patterns) >= most:
                    self.stop_search()

        return Collector()


def nothing_left(status: str) -> bool:
    """Return whether a solve that ended in a status proves that nothing is left.

    Raises
    ------
    SolverError
        If the status is an error or not known.
    """
    if status not in NOTHING_LEFT:
        raise SolverError(
            f"CP-SAT ended with status {status!r}: the model is larger than it takes, or this "
            "version of ortools is not one that milpcount knows"
        )
    return NOTHING_LEFT[status]


class Decomposition:
    """An enumeration by CP-SAT and exact conflicts; see the module's text.

    Parameters
    ----------
    formulation : Formulation
        Only its units, its fixed states and its quantity are used.
    on_pattern : callable
        May return parities, and rows over z columns with integers as coefficients.
    deadline : Deadline
    """

    def __init__(self, formulation: Formulation, on_pattern: OnPattern, deadline: Deadline) -> None:
        self.formulation, self.on_pattern, self.deadline = formulation, on_pattern, deadline
        self.state = SearchState()
        self.conflicts = Conflicts(formulation)
        self.master = Master(self.state)
        fixed = formulation.columns.fixed
        self.free = np.flatnonzero(fixed < 0)
        model = self.master.model
        self.master.bits = [
            model.new_bool_var(f"z{u}") if bit < 0 else model.new_constant(int(bit))
            for u, bit in enumerate(fixed)
        ]
        self.learned = 0

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
            if _excluded(pattern, clauses) or not self._satisfies(pattern, added):
                continue
            found = self.conflicts.explain(pattern)
            if isinstance(found, Point):
                added += self._tell(pattern, found)
            else:
                clauses += found
            self._count(len(clauses))
            yield self.state
        for clause in clauses:
            self.master.exclude(clause)
        self.learned += len(clauses)
        return not self.state.stopped

    def _tell(self, pattern: Pattern, point: Point) -> Sequence[Constraint]:
        self.state.solutions += 1
        self.master.exclude(tuple((int(u), pattern[u]) for u in self.free))
        answer = self.on_pattern(pattern, _input(self.conflicts.network.inputs, point))
        if isinstance(answer, Stop):
            self.state.stopped = True
            return []
        for constraint in answer or ():
            self.master.add(constraint, self.formulation.columns.z)
        self.state.rows += len(answer or ())
        return answer or ()

    def _satisfies(self, pattern: Pattern, constraints: Sequence[Constraint]) -> bool:
        x = np.zeros(self.formulation.program.n_columns)
        x[self.formulation.columns.z] = pattern
        return all(constraint.holds(x) for constraint in constraints)

    def _count(self, learning: int) -> None:
        self.state.lps = self.conflicts.checks
        self.state.details = {
            "learned_clauses": self.learned + learning,
            "lp_checks": self.state.lps,
        }


def _excluded(pattern: Pattern, clauses: Sequence[Clause]) -> bool:
    return any(all(pattern[u] == bit for u, bit in clause) for clause in clauses)


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
