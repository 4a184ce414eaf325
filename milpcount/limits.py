"""Limits on a run, and the deadline that is handed down instead of a time limit."""

import math
import time
from dataclasses import dataclass

from milpcount import caps


@dataclass(frozen=True)
class Limits:
    """When a run stops by itself; what it has shown by then stays valid.

    Parameters
    ----------
    seconds : float, optional
        Wall-clock seconds, counted from the start of the method.
    regions : int, optional
        Stop once so many regions have been found.
    """

    seconds: float | None = None
    regions: int | None = None

    def __post_init__(self) -> None:
        if self.seconds is not None:
            seconds = caps.check_seconds("time limit", self.seconds)
            object.__setattr__(self, "seconds", seconds)
        if self.regions is not None:
            regions = caps.check_integer("region limit", self.regions, cap=caps.REGIONS)
            object.__setattr__(self, "regions", regions)


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
