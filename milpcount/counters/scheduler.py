"""The one scheduler: tasks on an executor, none of which is lost with its worker."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from milpcount.errors import LostWorkersError, SolverError
from milpcount.workers import count_workers, failure, is_lost

MOST_LOSSES = 5
"""Times that a task is done again before it is given up."""

Label = TypeVar("Label")


@dataclass(eq=False)
class _Task(Generic[Label]):
    label: Label
    call: tuple[Any, ...]
    losses: int = 0

    @property
    def is_suspect(self) -> bool:
        """Whether it may be what kills the workers: once could have been chance."""
        return self.losses > 1


class Tasks(Generic[Label]):
    """Tasks on an executor; those that are lost with their workers are done again.

    A process that dies takes every task of its pool along, so a task that was lost twice runs by
    itself from then on: what kills its worker again is then told from what merely ran beside it.
    Tasks are pure functions of their arguments, so that what they return does not depend on how
    often they were lost.

    Parameters
    ----------
    executor : Executor
    notice : callable
        Takes one line for the user.
    """

    def __init__(self, executor: Executor, notice: Callable[[str], None]) -> None:
        self._executor, self._notice = executor, notice
        self._running: dict[Future[Any], _Task[Label]] = {}
        self._waiting: list[_Task[Label]] = []
        self._said = False

    def __len__(self) -> int:
        return len(self._running) + len(self._waiting)

    @property
    def workers(self) -> int:
        """How many tasks run at a time."""
        return count_workers(self._executor)

    @property
    def idle(self) -> int:
        """Workers that have nothing to do."""
        return max(0, self.workers - len(self))

    def submit(self, label: Label, function: Callable[..., Any], *arguments: Any) -> None:
        """Hand a task out.

        Parameters
        ----------
        label : object
            What `finished` returns with it.
        function : callable
        *arguments
        """
        self._waiting.append(_Task(label, (function, *arguments)))
        self._start()

    def finished(self, seconds: float) -> list[tuple[Label, Future[Any]]]:
        """Return the tasks that came to an end, after waiting for the first up to so many seconds.

        Returns
        -------
        list of (label, future)
            The future has what the task returned or raised; of a task that was given up
            `LostWorkersError`.
        """
        done, _ = wait(self._running, seconds, FIRST_COMPLETED)
        ended = []
        for future in [f for f in self._running if f in done]:
            task, error = self._running.pop(future), failure(future)
            if error is None or not is_lost(error):
                ended.append((task.label, _named(future, error)))
            elif task.losses >= MOST_LOSSES:
                ended.append((task.label, _failed(_given_up(task.losses + 1))))
            else:
                task.losses += 1
                self._waiting.append(task)
                if not self._said:
                    self._notice("a worker was lost; its task is done again")
                    self._said = True
        self._start()
        return ended

    def cancel(self) -> None:
        """Take back the tasks that no worker has begun."""
        for future in self._running:
            future.cancel()

    def _start(self) -> None:
        while self._waiting:
            alone = self._waiting[0].is_suspect
            if self._running and (alone or any(t.is_suspect for t in self._running.values())):
                return
            task = self._waiting.pop(0)
            self._running[self._executor.submit(*task.call)] = task


def _given_up(losses: int) -> LostWorkersError:
    return LostWorkersError(
        f"a task was lost with its worker {losses} times: the workers are killed, for want of "
        "memory perhaps, or cannot start, as where milpcount cannot be imported; try fewer"
    )


def _named(future: Future[Any], error: BaseException | None) -> Future[Any]:
    """Return a future that failed for want of a package as one that says so."""
    cause = error
    while cause is not None and not isinstance(cause, ModuleNotFoundError):
        cause = cause.__cause__
    if cause is None:
        return future
    return _failed(
        SolverError(
            f"the executor's workers lack a module ({cause}): install the same version of "
            "milpcount where they run, or count without an executor"
        )
    )


def _failed(error: BaseException) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future
