"""Compilation in the workers of an executor, before the clock of a count starts."""

import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import Executor, wait

from milpcount.workers import count_workers, failure

_ROUNDS = 3
_PAUSE_SECONDS = 0.05


def warm_workers(executor: Executor, prepare: Callable[[], None]) -> None:
    """Run a function in every worker of an executor, as far as its tasks reach all of them.

    Parameters
    ----------
    executor : Executor
    prepare : callable
        A function that can be pickled.
    """
    workers, warm = count_workers(executor), set[tuple[str, int]]()
    for _ in range(_ROUNDS):
        tasks = [executor.submit(_prepared, prepare) for _ in range(workers)]
        wait(tasks)
        warm |= {task.result() for task in tasks if failure(task) is None}
        if len(warm) >= workers:
            return


def _prepared(prepare: Callable[[], None]) -> tuple[str, int]:
    prepare()
    time.sleep(_PAUSE_SECONDS)  # so that the others get theirs
    return platform.node(), os.getpid()
