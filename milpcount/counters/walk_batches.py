"""Batches of random walks, made here or by an executor, and taken in their order."""

import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from milpcount.counters.method import Problem
from milpcount.counters.scheduler import Tasks

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 0.5
"""For workers to hand in what they have when the time is up."""

Take = Callable[[Any, int], bool]
"""Takes what came of a batch, None if nothing, and the number of walks that were wanted; says
whether the walks go on. A batch that was cut short is the last one."""


def subject_of(problem: Problem) -> Any:
    """Return what is walked: laid out here, or packed for other processes."""
    if problem.executor is None:
        from milpcount.tree.search import Search

        return Search(problem.network, problem.inputs)
    from milpcount.tree.split import Subject

    return Subject.pack(problem.network, problem.inputs)


def make(problem: Problem, subject: Any, batches: Sequence[Any], take: Take) -> Iterator[Any]:
    """Make batches and hand them over in their order; yield what is under way, for the progress.

    Parameters
    ----------
    problem : Problem
    subject : object
        Of `subject_of`.
    batches : sequence of milpcount.kernel.descent_state.Batch
    take : callable

    Yields
    ------
    milpcount.tree.descent_tasks.Walked or None
        The walks of an unfinished batch, where they are known.
    """
    if problem.executor is None:
        for batch in batches:
            if not (yield from _here(subject, batch, problem, take)):
                return
        return
    yield from _elsewhere(problem, subject, batches, take)


def _elsewhere(problem: Problem, subject: Any, batches: Sequence[Any], take: Take) -> Iterator[Any]:
    from milpcount.tree.descent_tasks import make_walks

    assert problem.executor is not None
    seconds = problem.deadline.remaining()
    ends = time.time() + seconds
    until = None if math.isinf(seconds) else ends
    tasks, walks_of = Tasks[int](problem.executor, problem.notice), dict[int, Any]()
    taken = 0
    try:
        for i, batch in enumerate(batches):
            tasks.submit(i, make_walks, subject, batch, until)
        while taken < len(batches):
            patience = min(_POLL_SECONDS, problem.deadline.remaining() + _GRACE_SECONDS)
            walks_of |= {i: future.result() for i, future in tasks.finished(patience)}
            while taken in walks_of:  # in their order, whatever comes back first
                if not take(walks_of.pop(taken), batches[taken].walks):
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


def _here(subject: Any, batch: Any, problem: Problem, take: Take) -> Generator[Any, None, bool]:
    """Make the walks of a batch in this process, or as many as there is time for."""
    from milpcount.tree.descent_tasks import walking

    done = None
    try:
        for done in walking(subject, batch, problem.deadline):
            # At the end of its time the driver listens once more: what is done counts by then.
            if not problem.deadline.passed():
                yield done
    except KeyboardInterrupt:
        if done is not None:
            take(done, batch.walks)
        raise
    return take(done, batch.walks)
