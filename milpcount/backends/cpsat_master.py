"""A CP-SAT model that proposes patterns, by one worker, and is told what to leave out."""

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import numpy as np

from milpcount import optional
from milpcount.enumeration.conflict_clauses import Clause
from milpcount.enumeration.search import Constraint, Parity, SearchState
from milpcount.errors import OptionError, SolverError
from milpcount.formulation.pattern_map import PatternMap
from milpcount.limits import Deadline
from milpcount.types import Pattern

YIELD_SECONDS = 0.2
ROUNDING = 1e-6
"""By how much the side of a row of integers may be off."""
NOTHING_LEFT = {"OPTIMAL": False, "INFEASIBLE": True, "FEASIBLE": False, "UNKNOWN": False}
"""Every status of CP-SAT that may come, and whether it proves that nothing is left. An enumeration
that ended as OPTIMAL is not taken for a proof: one more solve, with everything excluded that was
decided, has to have no solution at all."""


def cp_model() -> Any:
    """Return the module of CP-SAT.

    Raises
    ------
    NotInstalledError
        If it is missing, or cannot be loaded.
    """
    return optional.require("ortools.sat.python.cp_model", "the backend 'cpsat'")


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
    pieces : list of list
        For each unit a literal (or constant) for each piece, of which one is true; a proposal is
        read from them.
    """

    def __init__(self, state: SearchState) -> None:
        self.module, self.state = cp_model(), state
        self.model = self.module.CpModel()
        self.pieces: list[list[Any]] = []

    def add_unit(self, possible: Sequence[bool]) -> None:
        """Add a unit, and which of its pieces are possible."""
        model, unit = self.model, len(self.pieces)
        if sum(possible) == 1:
            self.pieces.append([model.new_constant(int(p)) for p in possible])
        elif len(possible) == 2:
            bit = model.new_bool_var(f"z{unit}")
            self.pieces.append([~bit, bit])
        else:
            one = [
                model.new_bool_var(f"z{unit}_{k}") if p else model.new_constant(0)
                for k, p in enumerate(possible)
            ]
            model.add_exactly_one(one)
            self.pieces.append(one)

    def exclude(self, clause: Clause) -> None:
        """Forbid that all of (unit, piece) hold at once."""
        self.model.add_bool_or([~self.pieces[unit][piece] for unit, piece in clause])

    def add(self, constraint: Constraint, columns: PatternMap) -> None:
        """Add a constraint over z columns.

        Raises
        ------
        OptionError
            If CP-SAT cannot hold it.
        """
        which_piece = zip(columns.unit_of.tolist(), columns.piece_of.tolist(), strict=True)
        literals = {
            int(column): self.pieces[unit][piece]
            for column, (unit, piece) in zip(columns.z, which_piece, strict=True)
        }
        if isinstance(constraint, Parity):
            bits = [literals[c] for c in constraint.columns]
            # CP-SAT's constraint asks for an odd number of trues.
            self.model.add_bool_xor(bits if constraint.odd else [*bits, True])
            return
        which, values = constraint.columns.tolist(), constraint.coefficients
        if not set(which) <= set(literals) or (values != np.rint(values)).any():
            raise OptionError(
                "the backend 'cpsat' takes rows over the units' states z with integers as "
                "coefficients, and parities: add other rows with the backend 'highs'"
            )
        bits = [literals[c] for c in which]
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
        units = self.pieces

        class Collector(self.module.CpSolverSolutionCallback):  # type: ignore[name-defined,misc]
            def __init__(self) -> None:
                super().__init__()
                self.patterns: list[Pattern] = []
                self.values: list[list[int]] = []

            def on_solution_callback(self) -> None:
                if len(self.patterns) < most:
                    pieces = (
                        next(k for k, literal in enumerate(one) if self.boolean_value(literal))
                        for one in units
                    )
                    self.patterns.append(tuple(pieces))
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
