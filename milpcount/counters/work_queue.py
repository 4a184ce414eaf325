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
from milpcount.tree.kept_regions import KeptRegions
from milpcount.tree.subtree_tasks import Left, Task, TaskResult

SLICE_SECONDS = 1.0
"""Of a task while others have work too."""
_DEEPEST = 40
"""Splits below each other whose bounds are kept apart."""
SHORT_SECONDS = 0.2
"""Of a task that takes all that is left, until there is enough for all."""


@dataclass(frozen=True)
class Checkpoint:
    """A count that can be gone on with: an integer and the prefixes left.

    Attributes
    ----------
    found : int
        Regions outside the prefixes.
    left : tuple of Left
        Prefixes, the share of the tree each is taken for, and bounds on their regions.
    tests : int
        Projections computed.
    decisions : dict
        How sides were decided, by name.
    seconds, cpu_seconds : float
        Of all processes together; the second without what others took of their processors.
    upper : int or None
        A bound on all regions, found ones included.
    """

    found: int = 0
    left: tuple[Left, ...] = (Left({}, 1.0),)
    tests: int = 0
    decisions: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    upper: int | None = None

    @property
    def share(self) -> float:
        """Share of the tree that is closed, estimated."""
        return max(0.0, 1.0 - sum(part.share for part in self.left)) if self.left else 1.0

    def to_record(self) -> dict[str, Any]:
        """Return a record for JSON."""
        return {
            "found": integers.to_text(self.found),
            "left": [
                [sorted(prefix.items()), share, _text(upper)] for prefix, share, upper in self.left
            ],
            "tests": self.tests,
            "decisions": self.decisions,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "upper": _text(self.upper),
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
                Left(
                    {int(unit): int(piece) for unit, piece in prefix},
                    float(share),
                    _integer(*upper),
                )
                for prefix, share, *upper in record["left"]
            )
            return cls(
                integers.from_text(record["found"]),
                left,
                int(record["tests"]),
                {str(name): int(count) for name, count in record["decisions"].items()},
                float(record["seconds"]),
                float(record["cpu_seconds"]),
                _integer(record.get("upper")),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FileFormatError(f"not a checkpoint of a count ({error!r}): delete it") from error


def least(*uppers: int | None) -> int | None:
    """Return the least of bounds, some of which may not be known."""
    return min((upper for upper in uppers if upper is not None), default=None)


def _text(upper: int | None) -> str | None:
    return None if upper is None else integers.to_text(upper)


def _integer(text: str | None = None) -> int | None:
    return None if text is None else integers.from_text(text)


@dataclass(eq=False)
class _Node:
    """A part of the tree: it waits or is out, or it was split into others.

    Of its regions there are no more than `cap`, and no more than those found in it outside of the
    parts that it was split into and what these can have.
    """

    left: Left
    cap: int | None
    above: "_Node | None" = None
    depth: int = 0
    found: int = 0
    parts: list["_Node"] = field(default_factory=list)
    is_split: bool = False

    @property
    def upper(self) -> int | None:
        """A bound on all of its regions, None where nothing is known."""
        if not self.is_split:
            return self.cap
        total = self.found
        for part in self.parts:
            upper = part.upper
            if upper is None:
                return self.cap
            total += upper
        return total if self.cap is None else min(total, self.cap)

    def split(self, found: int, left: Sequence[Left]) -> list["_Node"]:
        """Take in what was found and left of the part; return what was left."""
        over = self
        if self.above is not None and (not left or self.depth >= _DEEPEST):
            over = self.above
            over.parts.remove(self)
        over.found += found
        over.is_split = True
        new = [_Node(part, part.upper, over, over.depth + 1) for part in left]
        over.parts += new
        while over.above is not None and not over.parts:  # all of it is searched
            over.above.parts.remove(over)
            over.above.found += over.found
            over = over.above
        return new


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
        self._root = _Node(Left({}, 1.0, start.upper), start.upper)
        self._waiting = self._root.split(start.found, start.left)
        self._out: dict[int, list[_Node]] = {}
        self._number = 0
        self._least = start.upper

    @property
    def upper(self) -> int | None:
        """A bound on all regions; None before anything is known."""
        self._least = least(self._least, self._root.upper)
        return self._least

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
        self._waiting.sort(key=lambda part: len(part.left.prefix))
        # Long and short ones; the others stay for those that come back early.
        stride = max(1, idle, 2 * workers if workers > 1 else 1)
        batch = self._waiting[::stride]
        del self._waiting[::stride]
        scarce = workers > 1 and len(self._waiting) < workers
        self._number += 1
        self._out[self._number] = batch
        return Task(
            tuple(part.left.prefix for part in batch),
            SHORT_SECONDS if scarce else SLICE_SECONDS,
            None if self.most is None else self.most - self.found,
            self.regions is not None,
            self.patterns,
            self._number,
            until,
        )

    def accept(self, task: Task, outcome: TaskResult) -> None:
        """Add what came of a task; what comes back a second time is left out."""
        batch = self._out.pop(task.number, None)
        if batch is None:
            return
        for part, searched in zip(batch, outcome.parts, strict=True):
            share = part.left.share
            left = [Left(prefix, share * of_it, upper) for prefix, of_it, upper in searched.left]
            if not searched.found and left and left[0].prefix == part.left.prefix:
                self._waiting.append(part)  # it was not begun
                continue
            part.cap = least(part.cap, searched.upper)
            self._waiting += part.split(searched.found, left)
        self.found += outcome.found
        self.tests += outcome.tests
        self.seconds += outcome.seconds
        self.cpu_seconds += outcome.cpu_seconds
        self.decisions.update(outcome.decisions)
        if self.regions is not None and outcome.regions is not None:
            self.regions.unpack(outcome.regions)

    def checkpoint(self) -> Checkpoint:
        """Return what is found and left; the tasks that are out are left."""
        out = [part for batch in self._out.values() for part in batch]
        return Checkpoint(
            self.found, tuple(part.left for part in [*self._waiting, *out]), self.tests,
            dict(self.decisions), self.seconds, self.cpu_seconds, self.upper,
        )  # fmt: skip
