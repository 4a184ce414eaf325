"""Limits on a run, and the deadline that is handed down instead of a time limit.

Long computations below a run look at its deadline by `tick`, which ends them with `OutOfTime`; the
run itself keeps what it has found. Their caller puts a deadline in force.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from milpcount import caps, interrupts, optional
from milpcount.errors import OptionError


@dataclass(frozen=True)
class Limits:
    """When a run stops by itself; what it has shown by then stays valid.

    Parameters
    ----------
    seconds : float, optional
        Wall-clock seconds, counted from the start of the method, compilation excluded.
    regions : int, optional
        Stop once so many regions have been found.
    memory : int, optional
        Stop once this process and its children hold so many bytes of memory.
    """

    seconds: float | None = None
    regions: int | None = None
    memory: int | None = None

    def __post_init__(self) -> None:
        if self.seconds is not None:
            seconds = caps.check_seconds("time limit", self.seconds)
            object.__setattr__(self, "seconds", seconds)
        if self.regions is not None:
            regions = caps.check_integer("region limit", self.regions, cap=caps.REGIONS)
            object.__setattr__(self, "regions", regions)
        if self.memory is not None:
            memory = caps.check_integer("memory limit, in bytes:", self.memory)
            object.__setattr__(self, "memory", memory)
            if memory_in_use() is None:
                raise OptionError(
                    "memory limit: this system does not say how much a process holds: install "
                    "psutil"
                )


class OutOfTime(Exception):
    """The deadline in force has come in the midst of a computation."""


class Deadline:
    """A point in time after which a run has to stop.

    Parameters
    ----------
    seconds : float, optional
        Seconds from now; without it the deadline never comes.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._end = math.inf if seconds is None else time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds left, ``inf`` without a limit, never below 0."""
        return max(0.0, self._end - time.monotonic())

    def share(self, parts: int, of: int) -> "Deadline":
        """Return a deadline after `parts` of `of` equal parts of the seconds that are left."""
        left = self.remaining()
        return Deadline(None if math.isinf(left) else left * min(parts, of) / of)

    def passed(self) -> bool:
        """Return whether the deadline has come."""
        return time.monotonic() >= self._end

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Let `tick` heed this deadline, in this thread and as long as the context lasts."""
        token = _IN_FORCE.set(self)
        try:
            yield
        finally:
            _IN_FORCE.reset(token)


_NEVER = Deadline()
_IN_FORCE = ContextVar("deadline in force", default=_NEVER)


def tick() -> None:
    """Go on, unless the deadline in force has come.

    Raises
    ------
    OutOfTime
        If it has.
    KeyboardInterrupt
        If Ctrl-C was lost, see `interrupts`.
    """
    interrupts.look()
    if _IN_FORCE.get().passed():
        raise OutOfTime


def seconds_in_force() -> float:
    """Return the seconds left to the deadline in force, ``inf`` without one."""
    return _IN_FORCE.get().remaining()


def memory_in_use() -> int | None:
    """Return the bytes of memory that this process and its children hold; None if unknown."""
    own = Path("/proc/self/statm")
    try:
        pages = int(own.read_text().split()[1])
        return pages * _page_size() + sum(_held(child) for child in _children())
    except OSError:
        pass
    try:
        process = optional.load("psutil").Process()  # where there is no /proc
    except ImportError:
        return None
    return sum(int(one.memory_info().rss) for one in (process, *process.children()))


def _children() -> Iterator[str]:
    for thread in Path("/proc/self/task").iterdir():
        try:
            yield from (thread / "children").read_text().split()
        except OSError:
            continue  # the thread has ended, or the kernel does not list them


def _held(process: str) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _page_size()
    except (OSError, IndexError):
        return 0  # it has ended


def _page_size() -> int:
    import resource

    return resource.getpagesize()
