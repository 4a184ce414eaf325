"""Executors: in this process, in a pool that outlives its dead, or a cluster's.

Whatever is handed out here can be handed out again: tasks are pure functions of their arguments,
and `is_lost` tells the failures that say nothing about the task. `Lasting` goes on where the
executor that was given is broken for good, and `counters.scheduler.Tasks` does again what was lost.
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

from milpcount.errors import OptionError


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
        From 1 to `most_workers()`.
    like : Executor, optional
        A ``ProcessPoolExecutor`` whose way to start processes is taken over; they are spawned
        otherwise.

    Raises
    ------
    OptionError
        If the number of workers is none.
    """

    def __init__(self, workers: int, *, like: Executor | None = None) -> None:
        whole = isinstance(workers, int) and not isinstance(workers, bool)
        if not (whole and 1 <= workers <= most_workers()):
            raise OptionError(
                f"workers={workers!r}: give an integer from 1 to {most_workers()}; more processes "
                f"than processors (this machine has {os.cpu_count()}) only cost memory"
            )
        self.workers = workers
        self._context = getattr(like, "_mp_context", None) or multiprocessing.get_context("spawn")
        self._initializer = getattr(like, "_initializer", None)
        self._arguments = getattr(like, "_initargs", ())
        self._pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        arguments = os.getpid(), self._initializer, self._arguments
        return ProcessPoolExecutor(self.workers, self._context, _begin, arguments)

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


def most_workers() -> int:
    """Return the most processes that a pool may have on this machine."""
    return max(64, 4 * (os.cpu_count() or 1))


def _begin(owner: int, initializer: Callable[..., object] | None, arguments: Any) -> None:
    """Set a process up: Ctrl-C is left to its owner."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _die_with(owner)
    if initializer is not None:
        initializer(*arguments)


def _die_with(owner: int) -> None:
    """End this process soon after its owner, who may have been killed without a chance to say."""
    import threading
    import time

    def watch() -> None:
        while os.getppid() == owner:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class Lasting(Executor):
    """An executor that goes on when the one that was given takes no more tasks.

    A ``ProcessPoolExecutor`` is broken for good once one of its workers is killed. Tasks then go
    to processes of its own, as many, or are done in this process where none can be started. The
    executor that was given is left to its owner: what is shut down is the replacement.

    Parameters
    ----------
    executor : Executor
    notice : callable
        Takes one line for the user.
    """

    def __init__(self, executor: Executor, notice: Callable[[str], None]) -> None:
        self._given, self._now, self._notice = executor, executor, notice
        self._used = False

    @property
    def given(self) -> Executor:
        """The executor that was given."""
        return self._given

    @property
    def workers(self) -> int:
        """How many tasks run at a time."""
        return count_workers(self._now)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit a task, to a replacement if need be.

        Raises
        ------
        OptionError
            If the executor takes no tasks from the start, because it was shut down.
        """
        try:
            future = self._now.submit(fn, *args, **kwargs)
        except (RuntimeError, OSError) as error:
            if not (self._used or isinstance(error, BrokenExecutor)):
                raise OptionError(
                    f"the executor takes no tasks ({error}): give one that is open"
                ) from error
            self._replace(error)
            return self.submit(fn, *args, **kwargs)
        self._used = True
        return future

    def _replace(self, error: Exception) -> None:
        self._used, failed, size = True, self._now, self.workers
        self.shutdown()
        self._now = Here()
        if failed is self._given:
            self._now = _started(min(size, most_workers()), failed) or self._now
        where = f"{size} new processes" if isinstance(self._now, Processes) else "this process"
        reason = " ".join(str(error).split())
        self._notice(f"the executor takes no more tasks ({reason}); going on in {where}")

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Shut the replacement down, where there is one."""
        if isinstance(self._now, Processes) and self._now is not self._given:
            self._now.stop()


def _started(workers: int, like: Executor) -> Processes | None:
    """Return a pool like another one; None where its processes cannot be started."""
    try:
        pool = Processes(workers, like=like)
    except OSError:
        return None
    try:
        pool.submit(os.getpid).result()
    # A script without a main guard, a daemon that may have no children, no memory: all of it means
    # that there will be no workers.
    except Exception:
        pool.stop()
        return None
    return pool


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
