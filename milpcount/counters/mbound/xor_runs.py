"""One run under random XORs, by the region tree or by a solver of the MILP.

Whether a run is feasible with its first s XORs depends on nothing but the patterns and the XORs:
the number of XORs after which it has none left is the same whatever the mechanism, the order in
which it finds patterns, and what it keeps from run to run. A pattern found is proved, so every
claim of feasibility is; that a solver calls a run infeasible is never relied on.
"""

import math
import platform
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, Protocol

from milpcount.backends import registry
from milpcount.backends.backend import Capability
from milpcount.domain import InputSet
from milpcount.enumeration.search import STOP, Constraint, Parity, Stop
from milpcount.formulation.formulate import Formulation, with_integers
from milpcount.formulation.xor import Xor, XorFamily
from milpcount.limits import Deadline, OutOfTime
from milpcount.network import Network

_SLICE_SECONDS = 0.05
_SHORT = 6
"""XORs of up to so many units are the 2^(k-1) rows of their convex hull, where they are rows."""
_SPARE = 64
"""Integer columns for longer XORs, beyond one for every unit."""


@dataclass
class Tally:
    """What a run has shown; updated while it goes on.

    Attributes
    ----------
    xors : int
        XORs that were drawn; the run is feasible with all but the last of them.
    regions : int
        Distinct patterns found that satisfied all XORs in force.
    solved : int
        Linear, quadratic or mixed-integer programs.
    complete : bool
        Whether nothing is left that satisfies the XORs.
    ended : bool
        Whether the run came to its end, rather than to that of its time.
    """

    xors: int = 0
    regions: int = 0
    solved: int = 0
    complete: bool = False
    ended: bool = False


@dataclass
class Run:
    """The XORs of one run, drawn when they are needed.

    Parameters
    ----------
    family : XorFamily
    number : int
        Of the run.
    fixed : int, optional
        XORs that are in force from the start; then none are added.
    most : int, optional
        Stop after so many patterns.
    """

    family: XorFamily
    number: int
    fixed: int | None = None
    most: int | None = None
    tally: Tally = field(default_factory=Tally)
    active: list[Xor] = field(default_factory=list)

    def start(self) -> list[Xor]:
        """Return the XORs that are in force from the start."""
        self.active = [self.family.draw(self.number, k) for k in range(self.fixed or 0)]
        self.tally.xors = len(self.active)
        return self.active

    def tell(self, pattern: Sequence[int]) -> list[Xor]:
        """Take a pattern, and return XORs the last of which cuts it off, unless they are fixed."""
        if not all(xor.holds(pattern) for xor in self.active):
            return []  # it was proposed before the XORs took effect
        self.tally.regions += 1
        added: list[Xor] = []
        while self.fixed is None and (not added or added[-1].holds(pattern)):
            added.append(self.family.draw(self.number, len(self.active)))
            self.active.append(added[-1])
        self.tally.xors = len(self.active)
        return added

    def again(self) -> "Run":
        """Return the run as it was before it began."""
        return Run(self.family, self.number, self.fixed, self.most)

    def take(self, tally: Tally) -> None:
        """Take over what another trial of this run has shown, if it is more."""
        mine, other = self.tally, tally
        if (other.ended, other.xors, other.regions) >= (mine.ended, mine.xors, mine.regions):
            self.tally = tally

    @property
    def is_full(self) -> bool:
        """Whether as many patterns as were asked for are found."""
        return self.most is not None and self.tally.regions >= self.most


class Mechanism(Protocol):
    """A way to search under XORs; it can be pickled."""

    def search(self, run: Run, deadline: Deadline) -> Iterator[None]:
        """Search until nothing is left or the run is full; pause every fraction of a second."""


@dataclass(frozen=True, eq=False)
class TreeMechanism:
    """The region tree, with the XORs kept in echelon form along its path.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    patterns : bool
        Whether patterns are searched that are attained on faces only, too.
    """

    network: Network
    inputs: InputSet
    patterns: bool = False

    @cached_property
    def _program(self) -> Any:
        from milpcount.kernel.program import compile_program

        return compile_program(self.network, self.inputs)

    def __getstate__(self) -> dict[str, Any]:
        return {"network": self.network, "inputs": self.inputs, "patterns": self.patterns}

    def search(self, run: Run, deadline: Deadline) -> Iterator[None]:
        """Search until nothing is left or the run is full; pause every fraction of a second."""
        from milpcount.tree.few_inputs import searching
        from milpcount.tree.warm_up import warm_up

        def tell(pattern: tuple[int, ...]) -> None:
            for xor in run.tell(pattern):
                search.add(xor)

        search = searching(
            self.network,
            self.inputs,
            patterns=self.patterns,
            program=self._program,
            compile_other=partial(warm_up, "mbound"),
            parities=True,
            on_region=tell,
        )
        for xor in run.start():
            search.add(xor)
        spoke = time.perf_counter()
        for _ in search.run(seconds=_SLICE_SECONDS):
            run.tally.solved = search.tests
            if run.is_full:
                return
            if time.perf_counter() - spoke >= 0.5 * _SLICE_SECONDS:
                yield
                spoke = time.perf_counter()
        run.tally.solved = search.tests
        run.tally.complete = True


@dataclass(frozen=True, eq=False)
class SolverMechanism:
    """A solver of the MILP; XORs reach it as it takes them.

    That is as parities, as the rows of their convex hull where those are few, or as one row with an
    integer column, of which it has some to spare.

    Parameters
    ----------
    formulation : Formulation
    backend : str
    """

    formulation: Formulation
    backend: str
    learned: list[Any] = field(default_factory=list)

    def __getstate__(self) -> dict[str, Any]:
        return {"formulation": self.formulation, "backend": self.backend, "learned": []}

    def search(self, run: Run, deadline: Deadline) -> Iterator[None]:
        """Search until nothing is left or the run is full; pause every fraction of a second."""
        solver = registry.backend(self.backend)
        takes_parities = Capability.PARITY in solver.capabilities
        rows_do = takes_parities or _is_short(run.family)
        formulation, spares = (self.formulation, iter([0])) if rows_do else self._with_spares()
        pending = run.start()
        nothing_left = any(xor.odd and not xor.terms for xor in pending)

        def tell(pattern: tuple[int, ...], point: Any) -> "list[Constraint] | Stop":
            nonlocal pending, nothing_left
            added, pending = [*pending, *run.tell(pattern)], []
            nothing_left |= any(xor.odd and not xor.terms for xor in added)
            if nothing_left or run.is_full:
                return STOP
            parities = [self._parity(xor) for xor in added if xor.terms]
            if takes_parities:
                return list(parities)
            try:
                return [p if len(p.columns) <= _SHORT else p.row(next(spares)) for p in parities]
            except StopIteration:
                return STOP  # cut short, with what it has proved

        if not nothing_left:
            search = solver.search(formulation, tell, solver.modes[0], deadline)
            if hasattr(search, "learn"):
                search.learn(self.learned)
            for state in search.run():
                run.tally.solved = state.lps + state.milps
                yield
            nothing_left |= search.state.exhausted
            self.learned[:] = getattr(search, "clauses", ())
        run.tally.complete = nothing_left

    def _with_spares(self) -> tuple[Formulation, Iterator[int]]:
        variables = self.formulation.columns.z.size
        count, first = variables + _SPARE, self.formulation.program.n_columns
        extended = with_integers(self.formulation, count, variables // 2)
        return extended, iter(range(first, first + count))

    def _parity(self, xor: Xor) -> Parity:
        columns = self.formulation.columns
        return Parity(tuple(columns.indicator(unit, k) for unit, k in xor.terms), xor.odd)


def _is_short(family: XorFamily) -> bool:
    size = len(family.variables) if family.size == "dense" else family.size
    return size <= _SHORT


@lru_cache(maxsize=1)
def _kept(token: str, box: "_Box") -> Mechanism:
    return box.mechanism


@dataclass(frozen=True)
class _Box:
    """A mechanism that equals every other, so that the first of a token is the one that is kept."""

    mechanism: Mechanism = field(compare=False)


@dataclass(frozen=True, eq=False)
class Task:
    """One run, as it is sent to a worker.

    Attributes
    ----------
    mechanism : Mechanism
    run : Run
    token : str
        The same for all tasks that share a mechanism: a worker keeps what the first has built.
    seconds : float
        To be spent at most; may be infinite.
    until : float
        Time of the wall clock at which to stop; may be infinite.
    alive : str
        A folder that exists as long as the answer is wanted, on machines that can see it.
    host : str
        The machine that has made it.
    """

    mechanism: Mechanism
    run: Run
    token: str
    seconds: float
    until: float
    alive: str
    host: str = field(default_factory=platform.node)


def perform(task: Task) -> Tally:
    """Return what a run shows by its end, or by the time it is stopped."""
    seconds = max(0.0, min(task.seconds, task.until - time.time()))
    deadline = Deadline(None if math.isinf(seconds) else seconds)
    watched = Path(task.alive) if Path(task.alive).exists() else None
    # A task that was already on its way to a worker cannot be cancelled: it comes too late.
    unwanted = watched is None and platform.node() == task.host
    if unwanted or deadline.passed():
        return task.run.tally
    mechanism = _kept(task.token, _Box(task.mechanism))
    for _ in advance(mechanism, task.run, deadline):
        if watched is not None and not watched.exists():
            break
    return task.run.tally


def advance(mechanism: Mechanism, run: Run, deadline: Deadline) -> Generator[None, None, None]:
    """Pause with every sign of life of a run, and end with it or at the deadline."""
    search = mechanism.search(run, deadline)
    try:
        while True:
            with deadline.in_force():
                if next(search, search) is search:
                    break
            yield
            if deadline.passed():
                return
    except OutOfTime:
        return
    run.tally.ended = run.tally.complete or not deadline.passed()
