"""Batches of random walks, made here or by an executor, and taken in their order."""

import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from milpcount.counters.method import Problem
from milpcount.counters.scheduler import Tasks
from milpcount.domain import InputSet
from milpcount.network import Network

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 0.5
"""For workers to hand in what they have when the time is up."""

Take = Callable[[Any, int], bool]
"""Takes what came of a batch, None if nothing, and the number of walks that were wanted; says
whether the walks go on. A batch that was cut short is the last one."""


def subject_of(
    network: Network, inputs: InputSet, problem: Problem, by_vertices: bool = False
) -> Any:
    """Return what is walked: what makes a search here, or what is packed for other processes."""
    if problem.executor is None:
        from milpcount.kernel.program import compile_program
        from milpcount.tree.few_inputs import VertexSearch
        from milpcount.tree.search import Search

        program, kind = compile_program(network, inputs), VertexSearch if by_vertices else Search
        return lambda: kind(network, inputs, program=program)
    from milpcount.tree.subtree_tasks import PackedNetwork

    return PackedNetwork.pack(network, inputs)


def make(problem: Problem, jobs: Sequence[tuple[Any, Any]], take: Take) -> Iterator[Any]:
    """Make batches and hand them over in their order; yield what is under way, for the progress.

    Parameters
    ----------
    problem : Problem
    jobs : sequence of (object, milpcount.kernel.descent_state.Batch)
        What is walked, as `subject_of` returns it, and the batch.
    take : callable

    Yields
    ------
    milpcount.tree.descent_tasks.Walked or None
        The walks of an unfinished batch, where they are known.
    """
    if problem.executor is None:
        before, search = None, None
        for subject, batch in jobs:
            if subject is not before:
                before, search = subject, subject()
            if not (yield from _here(search, batch, problem, take)):
                return
        return
    yield from _elsewhere(problem, jobs, take)


def _elsewhere(problem: Problem, jobs: Sequence[tuple[Any, Any]], take: Take) -> Iterator[Any]:
    from milpcount.tree.descent_tasks import make_walks

    assert problem.executor is not None
    seconds = problem.deadline.remaining()
    ends = time.time() + seconds
    until = None if math.isinf(seconds) else ends
    tasks, walks_of = Tasks[int](problem.executor, problem.notice), dict[int, Any]()
    taken = 0
    try:
        for i, (subject, batch) in enumerate(jobs):
            tasks.submit(i, make_walks, subject, batch, until)
        while taken < len(jobs):
            patience = min(_POLL_SECONDS, problem.deadline.remaining() + _GRACE_SECONDS)
            walks_of |= {i: future.result() for i, future in tasks.finished(patience)}
            while taken in walks_of:  # in their order, whatever comes back first
                if not take(walks_of.pop(taken), jobs[taken][1].walks):
                    return
                taken += 1
            # At the end of its time the driver listens once more: what is done counts by then.
            if not problem.deadline.passed():
                yield None
            elif time.time() > ends + _GRACE_SECONDS:
                take(None, 0)
                return
    finally:
        tasks.cancel()


def _here(search: Any, batch: Any, problem: Problem, take: Take) -> Generator[Any, None, bool]:
    """Make the walks of a batch in this process, or as many as there is time for."""
    from milpcount.tree.descent_tasks import walking

    done = None
    try:
        for done in walking(search, batch, problem.deadline):
            # At the end of its time the driver listens once more: what is done counts by then.
            if not problem.deadline.passed():
                yield done
    except KeyboardInterrupt:
        if done is not None:
            take(done, batch.walks)
        raise
    return take(done, batch.walks)
