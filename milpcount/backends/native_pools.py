"""Solution pools of commercial solvers: one call finds all solutions of the MILP, as in the papers.

Gurobi searches for the n best solutions (PoolSearchMode 2), CPLEX populates a pool; with n beyond
any count and nothing to maximise both enumerate. A solution counts once however its continuous
columns differ. What they propose within their tolerances is confirmed on its cell before it counts,
as for the other backends, while the solver goes on or after it has ended. They take no rows while
they enumerate.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Protocol

from milpcount.backends.backend import Capability
from milpcount.enumeration.no_good import Proposals
from milpcount.enumeration.search import OnSolution, SearchState
from milpcount.errors import OptionError, SolverError
from milpcount.formulation.formulate import Formulation
from milpcount.formulation.linear_program import LinearProgram
from milpcount.limits import Deadline
from milpcount.types import Array

YIELD_SECONDS = 0.2
CAPABILITIES = frozenset(
    {
        Capability.REAL_COEFFICIENTS,
        Capability.ENUMERATION,
        Capability.INTERRUPT,
        Capability.PROVES_INFEASIBILITY,
    }
)


class Pool(Protocol):
    """A program in a solver that enumerates by itself.

    Attributes
    ----------
    nodes : int
    """

    nodes: int

    def solve(self, seconds: float, found: Callable[[Array], None]) -> str | None:
        """Enumerate, handing over the values of columns; None if nothing is left.

        Otherwise the solver's own word for why it ended. Solutions may be told again.
        """

    def cancel(self) -> None:
        """Make the enumeration in another thread end soon."""


class NativePool:
    """An enumeration by a solver's own pool; see the module's text.

    Parameters
    ----------
    formulation : Formulation
    on_solution : callable
        As for `no_good.Proposals`, but it may not return rows.
    solver : callable
        Makes a `Pool` of a program.
    deadline : Deadline
    name : str
        Of the solver, for messages.
    """

    def __init__(
        self,
        formulation: Formulation,
        on_solution: OnSolution,
        solver: Callable[[LinearProgram], Pool],
        deadline: Deadline,
        name: str,
    ) -> None:
        self.proposals = Proposals(formulation, on_solution)
        self.state, self.columns = self.proposals.state, formulation.columns
        self.deadline, self.name = deadline, name
        self.pool = solver(self.proposals.program())
        self.waiting: list[Array] = []
        self.known: set[tuple[int, ...]] = set()

    def run(self) -> Iterator[SearchState]:
        """Yield the state while the solver enumerates and patterns are confirmed, and at the end.

        Raises
        ------
        SolverError
            If the solver fails.
        OptionError
            If the callback returns rows.
        """
        with ThreadPoolExecutor(1) as thread:
            future = thread.submit(self.pool.solve, self.deadline.remaining(), self.waiting.append)
            try:
                while not future.done() and not self.state.stopped:
                    yield from self._confirm()
                    wait([future], YIELD_SECONDS)
                    yield self.state
            finally:
                while not future.done():
                    self.pool.cancel()
                    wait([future], 0.05)
        self.state.milps, self.state.nodes = 1, self.pool.nodes
        why = future.result()
        yield from self._confirm()
        self.state.details = {"pool": len(self.known)}
        if not (self.state.stopped or self.deadline.passed()):
            if why is not None:
                raise SolverError(
                    f"{self.name} ended with {why!r} before its pool was complete: count with the "
                    "backend 'highs'"
                )
            self.state.exhausted = True
        yield self.state

    def _confirm(self) -> Iterator[SearchState]:
        """Decide what has been proposed so far, yielding every fraction of a second."""
        last = time.monotonic()
        while self.waiting and not (self.state.stopped or self.deadline.passed()):
            values = self.waiting.pop()
            pattern = self.columns.pattern(values)
            if pattern in self.known:
                continue
            self.known.add(pattern)
            _, *rows = self.proposals.judge(pattern, values)
            if rows:
                raise OptionError(
                    f"the pool of {self.name} is enumerated in one call and takes no rows, which "
                    "XORs are: take another backend, such as 'highs'"
                )
            if time.monotonic() - last > YIELD_SECONDS:
                last = time.monotonic()
                yield self.state
