"""Runs jobs on an executor: small jobs whole, long counts in parts, what is stored not again."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from milpcount.counters.scheduler import Tasks
from milpcount.counters.warming import compile_kernel
from milpcount.counters.work_queue import Checkpoint, Parts
from milpcount.domain.implied_bounds import with_implied_bounds
from milpcount.errors import LostWorkersError, MilpcountError
from milpcount.network import Network
from milpcount.result import Status
from milpcount.store import Record, Store
from milpcount.sweep.checkpoints import Checkpoints
from milpcount.sweep.jobs import Job, counted_in_parts, is_settled, line_of, run_whole
from milpcount.tree.subtree_tasks import PackedNetwork, Task, search_parts
from milpcount.workers import Lasting, count_workers, failure

_CHECKPOINT_SECONDS = 10.0
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class SweepProgress:
    """How far a sweep has come.

    Attributes
    ----------
    done, total : int
        Jobs; done ones include those that the store held.
    regions_per_second : float
        Over all workers, since the start.
    seconds : float
        Since the start.
    seconds_left : float or None
        Estimated from the jobs done; None before there is anything to go by.
    running : tuple of str
        Titles of the jobs that are being worked on.
    found : tuple of int
        Regions that each of them has found so far: lower bounds; 0 for jobs that are one task.
    """

    done: int
    total: int
    regions_per_second: float
    seconds: float
    seconds_left: float | None
    running: tuple[str, ...]
    found: tuple[int, ...] = ()


@dataclass
class Watcher:
    """What a sweep tells: plain functions, which do nothing by default.

    Attributes
    ----------
    notice : callable
        Takes one line for the user.
    finished : callable
        Takes a job and its line in the store.
    standing : callable
        Takes a `SweepProgress`, about twice a second.
    """

    notice: Callable[[str], None] = lambda text: None
    finished: Callable[[Job, Record], None] = lambda job, line: None
    standing: Callable[[SweepProgress], None] = lambda standing: None


@dataclass
class SweepResult:
    """How a sweep ended.

    Attributes
    ----------
    done : int
        Jobs that the store answers.
    total : int
    failed : list of str
        A line for each job that raised an error.
    stopped : bool
        Whether it was interrupted, or its time was over.
    """

    done: int
    total: int
    failed: list[str] = field(default_factory=list)
    stopped: bool = False


class _Whole:
    """A job that is one task."""

    def __init__(self, job: Job, record: Record | None) -> None:
        self.job, self._left = job, (record or {}).get("left")
        self._taken = False
        self.fields: dict[str, Any] | None = None

    def take(self, idle: int, workers: int) -> tuple[Any, ...] | None:
        if self._taken:
            return None
        self._taken = True
        return run_whole, self.job, self._left

    def accept(self, call: tuple[Any, ...], fields: dict[str, Any]) -> None:
        self.fields = fields

    @property
    def regions(self) -> int:
        return 0

    @property
    def found(self) -> int:
        return 0

    def pause(self) -> None:
        """Nothing of it can be kept."""


class _Count:
    """A count in parts, with its checkpoint."""

    def __init__(self, job: Job, checkpoints: Checkpoints) -> None:
        assert job.network is not None
        self.job, self._checkpoints = job, checkpoints
        self._network: Network = job.network
        self._inputs = with_implied_bounds(job.domain.bind(self._network.n_inputs))
        self._subject = PackedNetwork.pack(self._network, self._inputs)
        start = checkpoints.load(job.key, self._network.fingerprint) or Checkpoint()
        self._parts = Parts(start)
        self._start, self._saved = start.found, time.monotonic()

    def take(self, idle: int, workers: int) -> tuple[Any, ...] | None:
        limit = self.job.spec.seconds
        if limit is not None and self._parts.seconds >= limit:
            return None
        task = self._parts.take(idle, workers)
        return None if task is None else (search_parts, self._subject, task)

    def accept(self, call: tuple[Any, ...], outcome: Any) -> None:
        task: Task = call[2]
        self._parts.accept(task, outcome)
        if time.monotonic() - self._saved >= _CHECKPOINT_SECONDS:
            self.pause()

    @property
    def regions(self) -> int:
        return self.found - self._start

    @property
    def found(self) -> int:
        return self._parts.found

    @property
    def fields(self) -> dict[str, Any] | None:
        """The fields of the line, None while there is something to do."""
        limit = self.job.spec.seconds
        if self._parts.is_complete:
            status = Status.COMPLETE
        elif limit is not None and self._parts.seconds >= limit and self._parts.is_idle:
            status = Status.TIME_LIMIT
            self.pause()
        else:
            return None
        found = self._parts.checkpoint()
        return counted_in_parts(self.job, self._network, self._inputs, found, status)

    def pause(self) -> None:
        """Write the checkpoint."""
        self._checkpoints.save(self.job.key, self._network.fingerprint, self._parts.checkpoint())
        self._saved = time.monotonic()


class Runner:
    """A sweep over jobs.

    Parameters
    ----------
    jobs : sequence of Job
    store : Store
    executor : Executor
    watcher : Watcher
    seconds : float, optional
        Stop after so long; the next run goes on from there.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        store: Store,
        executor: Executor,
        watcher: Watcher | None = None,
        seconds: float | None = None,
    ) -> None:
        self._store = store
        self._watcher = watcher or Watcher()
        self._executor = Lasting(executor, self._watcher.notice)
        self._tasks = Tasks[tuple[_Whole | _Count, tuple[Any, ...]]](
            self._executor, self._watcher.notice
        )
        self._seconds = seconds
        self._checkpoints = Checkpoints(store.path, self._watcher.notice)
        todo = [job for job in jobs if not is_settled(job, store.records.get(job.key))]
        estimates = store.estimates()
        self._waiting = sorted(todo, key=lambda job: expected_size(job, estimates))
        self._total = len(jobs)
        self._done = len(jobs) - len(todo)
        self._active: list[_Whole | _Count] = []
        self._failed: list[str] = []
        self._regions_done = 0
        self._has_workers = False
        self._began = time.monotonic()
        self._pace = _Pace()

    def run(self) -> SweepResult:
        """Do what is to be done; return how it ended. Ctrl-C is one of the ways."""
        stopped = False
        try:
            self._warm_up()
            self._began = time.monotonic()
            while (self._active or self._waiting) and not stopped:
                self._fill()
                self._collect()
                self._watcher.standing(self.standing())
                stopped = self._is_over() and bool(self._active or self._waiting)
        except KeyboardInterrupt:
            stopped = True
        finally:
            self._tasks.cancel()
            self._executor.shutdown()
            for work in self._active:
                work.pause()
        return SweepResult(self._done, self._total, self._failed, stopped)

    def standing(self) -> SweepProgress:
        """Return how far it has come."""
        seconds = time.monotonic() - self._began
        regions = self._regions_done + sum(work.regions for work in self._active)
        rate = regions / seconds if seconds > 0 else 0.0
        rest = [*(work.job for work in self._active), *self._waiting]
        workers = count_workers(self._executor)
        left = self._pace.seconds_left(rest, rate, workers)
        titles = tuple(work.job.title for work in self._active)
        found = tuple(work.found for work in self._active)
        return SweepProgress(self._done, self._total, rate, seconds, left, titles, found)

    def _is_over(self) -> bool:
        return self._seconds is not None and time.monotonic() - self._began >= self._seconds

    def _warm_up(self) -> None:
        if not any(job.in_parts for job in self._waiting):
            return
        compile_kernel("tree", self._watcher.notice)

    def _fill(self) -> None:
        """Give every idle worker a task, those of the jobs begun first before others."""
        workers = count_workers(self._executor)
        while idle := self._tasks.idle:
            found = next(
                ((work, call) for work in self._active if (call := work.take(idle, workers))), None
            )
            if found is None:
                if not self._waiting or self._is_over():
                    return
                self._begin(self._waiting.pop(0))
                continue
            self._tasks.submit(found, *found[1])

    def _begin(self, job: Job) -> None:
        self._store.refresh()  # another process may have done it meanwhile
        if is_settled(job, self._store.records.get(job.key)):
            self._done += 1
            return
        try:
            whole = _Whole(job, self._store.records.get(job.key))
            self._active.append(_Count(job, self._checkpoints) if job.in_parts else whole)
        except MilpcountError as error:
            self._fail(job, error)

    def _collect(self) -> None:
        for (work, call), future in self._tasks.finished(_POLL_SECONDS):
            error = failure(future)
            if error is None:
                self._has_workers = True
                work.accept(call, future.result())
                continue
            if isinstance(error, LostWorkersError) and not self._has_workers:
                raise error  # the next jobs would fare no better
            self._fail(work.job, error)
            self._active = [other for other in self._active if other is not work]
        for work in list(self._active):
            fields = work.fields
            if fields is not None:
                self._finish(work, fields)

    def _fail(self, job: Job, error: BaseException) -> None:
        if not isinstance(error, (MilpcountError, OSError)):
            raise error
        self._failed.append(f"{job.title}: {error}")
        self._watcher.notice(f"failed: {self._failed[-1]}")

    def _finish(self, work: _Whole | _Count, fields: dict[str, Any]) -> None:
        line = line_of(work.job, fields)
        self._store.add(line)
        if fields["status"] != Status.TIME_LIMIT.name.lower():
            self._checkpoints.drop(work.job.key)
        self._active.remove(work)
        self._regions_done += work.regions
        self._done += 1
        self._pace.note(work.job, line)
        self._watcher.finished(work.job, line)


def expected_size(job: Job, estimates: dict[str, int]) -> int:
    """Return the regions to expect: an estimate where there is one, else Serra's bound.

    Parameters
    ----------
    job : Job
    estimates : dict of str to int
        By fingerprint.
    """
    network = job.network
    return 0 if network is None else estimates.get(network.fingerprint, job.size)


class _Pace:
    """How long jobs took, for what the others will take."""

    def __init__(self) -> None:
        self._regions = self._expected = 0.0
        self._whole: dict[str, list[float]] = {}

    def note(self, job: Job, line: Record) -> None:
        if job.in_parts:
            self._regions += float(line["lower"])
            self._expected += job.size
        else:
            self._whole.setdefault(job.spec.name, []).append(line["seconds"])

    def seconds_left(self, jobs: Sequence[Job], rate: float, workers: int) -> float | None:
        counts = [job for job in jobs if job.in_parts]
        seconds = 0.0
        if counts:
            if not (rate > 0 and self._expected > 0):
                return None
            seconds = sum(job.size for job in counts) * self._regions / self._expected / rate
        for job in jobs:
            if not job.in_parts:
                known = self._whole.get(job.spec.name)
                if known is None:
                    return None
                seconds += sum(known) / len(known) / workers
        return seconds
