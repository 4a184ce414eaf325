"""A count in independent parts: what is found, what is left, and who has which part.

Whoever holds the parts hands out batches of prefixes, and adds up what comes back. A batch that is
lost with its process is handed out again as it was, and counts once; a `Checkpoint` taken at any
moment counts the batches that are out as left.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from milpcount import integers
from milpcount.errors import FileFormatError
from milpcount.tree.kept import KeptRegions
from milpcount.tree.split import Outcome, Prefix, Task

SLICE_SECONDS = 1.0
"""Of a task while others have work too."""
SHORT_SECONDS = 0.2
"""Of a task that takes all that is left, until there is enough for all."""


@dataclass(frozen=True)
class Checkpoint:
    """A count that can be gone on with: an integer and the prefixes left.

    Attributes
    ----------
    found : int
        Regions outside the prefixes.
    left : tuple of (dict, float)
        Prefixes, and the share of the tree each is taken for.
    tests : int
        Projections computed.
    decisions : dict
        How sides were decided, by name.
    seconds, cpu_seconds : float
        Of all processes together; the second without what others took of their processors.
    """

    found: int = 0
    left: tuple[tuple[Prefix, float], ...] = (({}, 1.0),)
    tests: int = 0
    decisions: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def share(self) -> float:
        """Share of the tree that is closed, estimated."""
        return max(0.0, 1.0 - sum(share for _, share in self.left)) if self.left else 1.0

    def to_record(self) -> dict[str, Any]:
        """Return a record for JSON."""
        return {
            "found": integers.to_text(self.found),
            "left": [[sorted(prefix.items()), share] for prefix, share in self.left],
            "tests": self.tests,
            "decisions": self.decisions,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Checkpoint":
        """Return the checkpoint that `to_record` wrote.

        Raises
        ------
        FileFormatError
            If the record is not one.
        """
        try:
            left = tuple(
                ({int(unit): int(piece) for unit, piece in prefix}, float(share))
                for prefix, share in record["left"]
            )
            return cls(
                integers.from_text(record["found"]),
                left,
                int(record["tests"]),
                {str(name): int(count) for name, count in record["decisions"].items()},
                float(record["seconds"]),
                float(record["cpu_seconds"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FileFormatError(f"not a checkpoint of a count ({error!r}): delete it") from error


class Parts:
    """A count of which parts are handed out.

    Parameters
    ----------
    start : Checkpoint, optional
        What to go on with; the whole tree by default.
    regions : KeptRegions, optional
        What is to take them in, if they are kept.
    most : int, optional
        Hand nothing out once so many regions are found.
    patterns : bool
        Whether all patterns attained are counted, not only those of regions.
    """

    def __init__(
        self,
        start: Checkpoint | None = None,
        *,
        regions: KeptRegions | None = None,
        most: int | None = None,
        patterns: bool = False,
    ) -> None:
        start = start or Checkpoint()
        self.found, self.tests, self.seconds = start.found, start.tests, start.seconds
        self.cpu_seconds = start.cpu_seconds
        self.decisions = Counter(start.decisions)
        self.regions, self.most, self.patterns = regions, most, patterns
        self._waiting = list(start.left)
        self._out: dict[int, list[tuple[Prefix, float]]] = {}
        self._number = 0

    @property
    def is_done(self) -> bool:
        """Whether every region was found, or as many as were asked for."""
        return not self._out and not self._has_work

    @property
    def is_complete(self) -> bool:
        """Whether every region was found."""
        return not self._out and not self._waiting

    @property
    def is_idle(self) -> bool:
        """Whether no task is out."""
        return not self._out

    @property
    def _has_work(self) -> bool:
        return bool(self._waiting) and (self.most is None or self.found < self.most)

    def take(self, idle: int = 1, workers: int = 1, until: float | None = None) -> Task | None:
        """Return a task, None if nothing is left that is not out.

        Parameters
        ----------
        idle : int
            Workers that have nothing to do, this task's included.
        workers : int
            All of them.
        until : float, optional
            When the count has to stop, as `time.time` counts.
        """
        if not self._has_work:
            return None
        self._waiting.sort(key=lambda part: len(part[0]))
        # Long and short ones; the others stay for those that come back early.
        stride = max(1, idle, 2 * workers if workers > 1 else 1)
        batch = self._waiting[::stride]
        del self._waiting[::stride]
        scarce = workers > 1 and len(self._waiting) < workers
        self._number += 1
        self._out[self._number] = batch
        return Task(
            tuple(prefix for prefix, _ in batch),
            SHORT_SECONDS if scarce else SLICE_SECONDS,
            None if self.most is None else self.most - self.found,
            self.regions is not None,
            self.patterns,
            self._number,
            until,
        )

    def accept(self, task: Task, outcome: Outcome) -> None:
        """Add what came of a task; what comes back a second time is left out."""
        batch = self._out.pop(task.number, None)
        if batch is None:
            return
        share = sum(part for _, part in batch)
        self._waiting += [(prefix, share * part) for prefix, part in outcome.left]
        self.found += outcome.found
        self.tests += outcome.tests
        self.seconds += outcome.seconds
        self.cpu_seconds += outcome.cpu_seconds
        self.decisions.update(outcome.decisions)
        if self.regions is not None and outcome.regions is not None:
            self.regions.unpack(outcome.regions)

    def checkpoint(self) -> Checkpoint:
        """Return what is found and left; the tasks that are out are left."""
        out: Sequence[tuple[Prefix, float]] = [part for b in self._out.values() for part in b]
        return Checkpoint(
            self.found, (*self._waiting, *out), self.tests, dict(self.decisions), self.seconds,
            self.cpu_seconds,
        )  # fmt: skip
