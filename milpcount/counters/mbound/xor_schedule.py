"""Runs under random XORs, one after the other or by an executor."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from uuid import uuid4

from milpcount.counters.mbound.xor_runs import Mechanism, Run, Task, advance, perform
from milpcount.counters.method import Problem
from milpcount.counters.scheduler import Tasks
from milpcount.limits import Deadline

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 3.0
"""For workers to hand in what they have when the time is up."""


def perform_all(
    mechanism: Mechanism, runs: Sequence[Run], deadline: Deadline, problem: Problem
) -> Iterator[None]:
    """Make the runs, here or by the executor; their tallies are up to date at every pause.

    A time limit is shared out among the runs, so that none is left without having begun; those that
    were cut short are made again as long as there is time.
    """
    left = [run for run in runs if not run.tally.ended]
    while left and not deadline.passed():
        if problem.executor is None:
            yield from _one_by_one(mechanism, left, deadline)
        else:
            yield from _distribute(mechanism, left, deadline, problem.executor, problem.notice)
        left = [run for run in left if not run.tally.ended]


def _one_by_one(mechanism: Mechanism, runs: Sequence[Run], deadline: Deadline) -> Iterator[None]:
    for k, run in enumerate(runs):
        trial = run.again()
        for _ in advance(mechanism, trial, deadline.share(1, len(runs) - k)):
            run.take(trial.tally)
            if not deadline.passed():
                yield
        run.take(trial.tally)
        yield
        if deadline.passed():
            return


def _distribute(
    mechanism: Mechanism,
    runs: Sequence[Run],
    deadline: Deadline,
    executor: Executor,
    notice: Callable[[str], None],
) -> Iterator[None]:
    tasks, token = Tasks[Run](executor, notice), uuid4().hex
    seconds = deadline.share(min(len(runs), tasks.workers), len(runs)).remaining()
    ends = time.time() + deadline.remaining()
    with tempfile.TemporaryDirectory(prefix="milpcount-") as alive:
        try:
            for run in runs:
                task = Task(mechanism, run.again(), token, seconds, ends, alive)
                tasks.submit(run, perform, task)
            while len(tasks) and not (deadline.passed() and time.time() > ends + _GRACE_SECONDS):
                for run, future in tasks.finished(_POLL_SECONDS):
                    run.take(future.result())
                if not deadline.passed():  # the last word is for what is handed in by then
                    yield
        finally:
            tasks.cancel()
