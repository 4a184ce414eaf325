"""Exact counting by the region tree: the default method."""

import math
import time
from collections.abc import Iterator, Mapping, MutableSequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from milpcount.counters.affine_network import the_one_region
from milpcount.counters.method import CLOSING, REGIONS_AND_PATTERNS, Candidate, Problem, Snapshot
from milpcount.counters.options import Options
from milpcount.counters.scheduler import Tasks
from milpcount.counters.warming import prepare
from milpcount.domain.implied_bounds import with_implied_bounds
from milpcount.limits import OutOfTime
from milpcount.quantities import Quantity
from milpcount.result import Guarantee, Region

if TYPE_CHECKING:
    from milpcount.counters.work_queue import Parts

_SLICE_SECONDS = 0.1
_SNAPSHOT_SECONDS = 0.4
_LOOK_SECONDS = 0.2
"""Of a search for few inputs, to see whether it does without the general kernel."""
_GRACE_SECONDS = 0.5
"""For workers to hand in what they have when the time is up."""


@dataclass(frozen=True)
class RegionTree(Options):
    """Count activation regions, or activation patterns, by a depth-first search over the units.

    A node is a pattern of the units decided so far whose cell is full-dimensional; its children are
    the pieces of the next unit for which that stays true. There are no dead ends, so leaves are
    regions. Every verdict is certified against a bound on its rounding errors: a counted region has
    a point that satisfies all its rows beyond rounding, a pruned side has Farkas multipliers that
    prove it empty, and what floating point cannot prove is decided in exact rational arithmetic.
    With few inputs (up to six) cells carry their vertices: a row with certain signs at all of them
    needs no program. Any activation with pieces, bounded and unbounded domains, degenerate
    arrangements included. Patterns that are attained on faces only are found in exact arithmetic,
    below the side of a region that they lie on.
    """

    name: ClassVar[str] = "tree"
    quantities: ClassVar[frozenset[Quantity]] = REGIONS_AND_PATTERNS
    guarantee: ClassVar[Guarantee] = Guarantee.CERTIFIED
    packages: ClassVar[tuple[str, ...]] = ("numba",)
    in_parts: ClassVar[bool] = True
    kernels: ClassVar[tuple[str, ...]] = ("vertices", "tree")

    @classmethod
    def candidates(cls) -> tuple[Candidate, ...]:
        """Return how it takes part in comparisons."""
        return (Candidate(cls.name, cls),)

    def warm_up(self, problem: Problem) -> None:
        """Compile what the count needs, or load it, here and in the workers."""
        prepare_search(problem, "vertices", "tree")

    def run(self, problem: Problem) -> Iterator[Snapshot]:
        """Yield snapshots about ten times a second, with an executor about twice."""
        if not problem.network.n_units:
            return the_one_region(problem)
        if problem.executor is None:
            return self._run_here(problem)
        return self._run_in_parts(problem, problem.executor)

    def _run_here(self, problem: Problem) -> Iterator[Snapshot]:
        from milpcount.tree.closing_bound import Closing
        from milpcount.tree.few_inputs import searching

        problem = _bounded(problem)
        patterns = problem.quantity is Quantity.ACTIVATION_PATTERNS
        began = time.thread_time()
        search = searching(
            problem.network,
            problem.inputs,
            problem.keep_regions,
            patterns=patterns,
            compile_other=lambda: prepare(problem, "tree"),
        )

        closing = Closing(search, time.thread_time() - began)
        most = problem.limits.regions

        def shown(upper: int | None) -> Snapshot:
            regions = search.regions if search.keep else None
            shares = search.found, search.tests, search.share, search.statistics
            return snapshot(*shares, regions, upper)

        yield shown(None)
        spoke = time.perf_counter()
        try:
            for _ in search.run(most=most, seconds=_SLICE_SECONDS):
                if time.perf_counter() - spoke >= 0.5 * _SLICE_SECONDS:
                    # Whoever reads this stops at either limit, and asks for nothing more.
                    is_full = most is not None and search.found >= most
                    yield shown(closing.look(now=is_full or problem.deadline.passed()))
                    spoke = time.perf_counter()
        except OutOfTime:  # what was found is there
            yield shown(closing.look(now=True))
            return
        except KeyboardInterrupt:
            yield shown(closing.look(now=True))
            raise
        is_all = most is None or search.found < most
        is_late = problem.deadline.passed()  # which ends the count, though all is found
        yield shown(closing.look(now=True) if is_late or not is_all else None)

    def _run_in_parts(self, problem: Problem, executor: Executor) -> Iterator[Snapshot]:
        from milpcount.counters.work_queue import Parts
        from milpcount.tree.kept_regions import KeptRegions
        from milpcount.tree.region_blocks import Source
        from milpcount.tree.subtree_tasks import PackedNetwork, Task, search_parts

        problem = _bounded(problem)
        subject = PackedNetwork.pack(problem.network, problem.inputs)
        patterns = problem.quantity is Quantity.ACTIVATION_PATTERNS
        kept = KeptRegions(Source(problem.network, problem.inputs))
        parts = Parts(
            regions=kept if problem.keep_regions else None,
            most=problem.limits.regions,
            patterns=patterns,
        )
        tasks, deadline = Tasks[Task](executor, problem.notice), problem.deadline
        ends = time.time() + deadline.remaining()
        until = None if math.isinf(ends) else ends
        try:
            while not parts.is_done:
                while tasks.idle and not deadline.passed():
                    task = parts.take(tasks.idle, tasks.workers, until)
                    if task is None:
                        break
                    tasks.submit(task, search_parts, subject, task)
                patience = min(_SNAPSHOT_SECONDS, deadline.remaining() + _GRACE_SECONDS)
                for task, future in tasks.finished(patience):
                    parts.accept(task, future.result())
                # At the end the workers hand in what they have: the last word waits for that.
                if deadline.passed() and len(tasks) and time.time() < ends + _GRACE_SECONDS:
                    continue
                yield _shown(parts)
        finally:
            tasks.cancel()
        yield _shown(parts)


def prepare_search(problem: Problem, few: str, many: str) -> None:
    """Compile what a search of the tree needs, or load it, here and in the workers.

    With few inputs most searches do without the general kernel, which takes longer to compile: a
    first look tells, unless workers are to share it.

    Parameters
    ----------
    problem : Problem
    few, many : str
        The kernels for few inputs and for any number of them, keys of `tree.warm_up.KERNELS`.
    """
    from milpcount.kernel.vertex_state import MOST_INPUTS
    from milpcount.tree.few_inputs import hands_over, has_few_inputs
    from milpcount.tree.warm_up import KERNELS

    if problem.inputs.dimension <= MOST_INPUTS:  # a few small programs
        problem = _bounded(problem)
    if has_few_inputs(problem.inputs):
        prepare(problem, few)
        if problem.executor is None and not KERNELS[many].is_compiled:
            patterns = problem.quantity is Quantity.ACTIVATION_PATTERNS
            if not hands_over(problem.network, problem.inputs, patterns, _LOOK_SECONDS):
                return
    prepare(problem, many)


def _bounded(problem: Problem) -> Problem:
    """Return the problem with the bounds that its rows imply; regions are kept with its own."""
    if problem.keep_regions:
        return problem
    return replace(problem, inputs=with_implied_bounds(problem.inputs))


def _shown(parts: "Parts") -> Snapshot:
    share, upper = parts.checkpoint().share, None if parts.is_complete else parts.upper
    return snapshot(parts.found, parts.tests, share, parts.decisions, parts.regions, upper)


def snapshot(
    found: int,
    tests: int,
    share: float,
    decisions: Mapping[str, int],
    regions: MutableSequence[Region] | None = None,
    upper: int | None = None,
) -> Snapshot:
    """Return what a search of the region tree has shown.

    Parameters
    ----------
    found : int
        Regions.
    tests : int
        Projections computed.
    share : float
        Of the tree that is closed.
    decisions : mapping of str to int
        How sides were decided.
    regions : mutable sequence of Region, optional
        If they are kept.
    upper : int, optional
        On all regions, of a search that has not ended.
    """
    from milpcount.kernel.cell import NARROWEST

    return Snapshot(
        lower=found,
        upper=upper,
        upper_source=CLOSING,
        lps=tests,
        share=share,
        details={
            "tolerances": {
                "witness_margin": "above the running bound on each row's rounding error",
                "projection_margin": NARROWEST,
                "below_projection_margin": "decided in exact rational arithmetic",
            },
            "decisions": dict(decisions),
        },
        regions=regions,
    )
