"""Parts of the region tree as tasks for other processes: prefixes in, a count and prefixes out."""

import hashlib
import pickle
import time
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from milpcount.domain import InputSet
from milpcount.kernel.program import Layout, compile_program
from milpcount.limits import Deadline, OutOfTime, tick
from milpcount.network import Network
from milpcount.tree.blocks import Block
from milpcount.tree.few_inputs import VertexSearch, searching
from milpcount.tree.search import Search

Prefix = dict[int, int]
"""Pieces of some units; see `milpcount.tree.search.Search.left`."""

_STEP_SECONDS = 0.02


@dataclass(frozen=True)
class Subject:
    """A network and its inputs, packed once and sent with every task.

    Attributes
    ----------
    key : str
        SHA-256 of `content`; a process unpacks and compiles a subject once.
    content : bytes
    """

    key: str
    content: bytes

    @classmethod
    def pack(cls, network: Network, inputs: InputSet) -> "Subject":
        """Return the packed pair; of a box of n inputs, the n by n directions shrink to little."""
        content = zlib.compress(pickle.dumps((network, inputs)), 1)
        return cls(hashlib.sha256(content).hexdigest(), content)

    def unpack(self, deadline: Deadline) -> tuple[Network, InputSet, Layout] | None:
        """Return the pair and its program, None without time; a process keeps the last ones."""
        try:
            with deadline.in_force():
                tick()
                return _unpack(self.key, self.content)
        except OutOfTime:
            return None


@dataclass(frozen=True)
class Task:
    """What a process is asked to search.

    Attributes
    ----------
    prefixes : tuple of dict
        Disjoint parts of the tree.
    seconds : float
        When to stop and hand back what is left.
    most : int or None
        Stop once so many regions are found.
    keep : bool
        Whether regions are returned.
    patterns : bool
        Whether all patterns attained are searched, not only those of regions.
    number : int
        Tells a task that is sent again from the one that was lost.
    until : float or None
        When the whole count has to stop, as `time.time` counts: a task may wait for its process.
    """

    prefixes: tuple[Prefix, ...]
    seconds: float
    most: int | None = None
    keep: bool = False
    patterns: bool = False
    number: int = 0
    until: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a task.

    Attributes
    ----------
    found : int
        Regions in the parts that were searched.
    left : tuple of (dict, float)
        Prefixes of the parts that were not, and for each the share of the task that it is taken
        for: they add up to at most 1. A part whose search was cut off by `Task.until` where it
        cannot be split is left as a whole, with what was found in it.
    tests : int
        Projections computed.
    decisions : dict
        How sides were decided, by name.
    seconds : float
        That the task took.
    cpu_seconds : float
        Of its process, which shares its processor with others.
    regions : Block or None
        If they are kept; see `KeptRegions.unpack`.
    """

    found: int
    left: tuple[tuple[Prefix, float], ...]
    tests: int
    decisions: dict[str, int]
    seconds: float
    cpu_seconds: float
    regions: Block | None = field(default=None, repr=False)


def search_parts(subject: Subject, task: Task) -> Outcome:
    """Search the prefixes of a task, the longest first, until its time is over.

    The prefixes handed back are then the shortest, which are worth the most to other processes.

    Parameters
    ----------
    subject : Subject
    task : Task

    Returns
    -------
    Outcome
    """
    from milpcount.tree.warm_up import warm_up

    warm_up("vertices")  # no part of the time
    warm_up()
    began, cpu = time.perf_counter(), time.process_time()
    deadline = Deadline(None if task.until is None else task.until - time.time())
    waiting = sorted(task.prefixes, key=len)
    share = 1.0 / max(1, len(waiting))
    found, tests, decisions = 0, 0, Counter[str]()
    left: list[tuple[Prefix, float]] = []
    regions = Block(None) if task.keep else None
    unpacked = subject.unpack(deadline)
    while unpacked and waiting and not left and (task.most is None or found < task.most):
        network, inputs, program = unpacked
        prefix = waiting.pop()
        search = searching(
            network, inputs, task.keep, forced=prefix, program=program, patterns=task.patterns
        )
        most = None if task.most is None else task.most - found
        try:
            with deadline.in_force():
                _advance(search, began + task.seconds, most, deadline)
            left = spread(search.left(), share * (1.0 - search.share))
        except OutOfTime:
            left = [(prefix, share)]
        found += search.found
        tests += search.tests
        decisions.update(search.statistics)
        if regions is not None:
            search.regions.pack(regions)
        if time.perf_counter() - began >= task.seconds or deadline.passed():
            break
    left += [(prefix, share) for prefix in waiting]
    return Outcome(
        found, tuple(left), tests, dict(decisions), time.perf_counter() - began,
        time.process_time() - cpu, regions,
    )  # fmt: skip


def spread(prefixes: Sequence[Prefix], share: float) -> list[tuple[Prefix, float]]:
    """Return prefixes with their parts of a share: half as much for each decision more."""
    weights = [2.0 ** -len(prefix) for prefix in prefixes]
    return [
        (prefix, share * weight / sum(weights))
        for prefix, weight in zip(prefixes, weights, strict=True)
    ]


@lru_cache(maxsize=4)
def _unpack(key: str, content: bytes) -> tuple[Network, InputSet, Layout]:
    network, inputs = pickle.loads(zlib.decompress(content))
    return network, inputs, compile_program(network, inputs)


def _advance(
    search: Search | VertexSearch, end: float, most: int | None, deadline: Deadline
) -> None:
    for _ in search.run(most=most, seconds=_STEP_SECONDS):
        late = deadline.passed()
        if (late or time.perf_counter() >= end) and search.can_split:
            return
        if late:
            raise OutOfTime
