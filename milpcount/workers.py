"""Executors: in this process, in a pool that outlives its dead, or a cluster's.

Whatever is handed out here can be handed out again: tasks are pure functions of their arguments,
and `is_lost` tells the failures that say nothing about the task.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
)
from typing import Any, cast

MOST_LOSSES = 5
"""Tasks lost in a row, none finished in between, after which there is no point in going on."""


class Here(Executor):
    """Runs each task in this process, when it is submitted."""

    workers = 1

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run the task; return its future, which is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Processes(Executor):
    """A pool of processes that starts afresh when one of them dies.

    What was running or queued then fails with `BrokenExecutor`, as in a `ProcessPoolExecutor`; but
    it can be submitted again. Ctrl-C is left to the owner.

    Parameters
    ----------
    workers : int
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.workers, context, _leave_interrupts, (os.getpid(),))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit a task, to a fresh pool if need be."""
        try:
            return self._pool.submit(fn, *args, **kwargs)
        except BrokenExecutor:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = self._start()
            return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Shut the pool down."""
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def stop(self) -> None:
        """End the processes without waiting for what they are at."""
        running = list((self._pool._processes or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in running:
            process.terminate()


def _leave_interrupts(owner: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _die_with(owner)


def _die_with(owner: int) -> None:
    """End this process soon after its owner, who may have been killed without a chance to say."""
    import threading
    import time

    def watch() -> None:
        while os.getppid() == owner:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def count_workers(executor: Executor) -> int:
    """Return how many tasks an executor runs at a time; 1 if it does not say."""
    own = getattr(executor, "workers", None) or getattr(executor, "_max_workers", None)
    if own is not None:
        return int(own)
    client = getattr(executor, "_client", None)  # Dask's
    if client is not None:
        return max(1, sum(cast("dict[str, int]", client.nthreads()).values()))
    return 1


def failure(future: Future[Any]) -> BaseException | None:
    """Return why a task that is over failed, None if it did not."""
    return CancelledError() if future.cancelled() else future.exception()


def is_lost(error: BaseException) -> bool:
    """Return whether a task failed for want of its worker, not by itself."""
    return (
        isinstance(error, (BrokenExecutor, CancelledError))
        or type(error).__name__ == "KilledWorker"  # Dask's; not imported for its name
    )
