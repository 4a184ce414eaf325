"""Parts of the region tree as tasks for other processes: prefixes in, a count and prefixes out."""

import hashlib
import pickle
import time
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from milpcount.bounds.in_cells import CellBounds
from milpcount.domain import InputSet
from milpcount.kernel.program import Layout, compile_program
from milpcount.limits import Deadline, OutOfTime, tick
from milpcount.network import Network
from milpcount.tree.closing_bound import bounds_of
from milpcount.tree.few_inputs import VertexSearch, searching
from milpcount.tree.region_blocks import Block
from milpcount.tree.search import Search

Prefix = dict[int, int]
"""Pieces of some units; see `milpcount.tree.search.Search.left`."""

_STEP_SECONDS = 0.02
_BOUND_SECONDS = 0.02
"""For bounds on what a task leaves."""


@dataclass(frozen=True)
class PackedNetwork:
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
    def pack(cls, network: Network, inputs: InputSet) -> "PackedNetwork":
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

    def bounds(self, patterns: bool) -> CellBounds:
        """Return the bounds of cells; a process keeps the last ones."""
        return _bounds(self.key, self.content, patterns)


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


class Left(NamedTuple):
    """A part of the tree that is not searched.

    Attributes
    ----------
    prefix : dict
    share : float
        Of the tree, or of the part that it comes from, that it is taken for.
    upper : int or None
        A bound on its regions, where one is known.
    """

    prefix: Prefix
    share: float
    upper: int | None = None


@dataclass(frozen=True)
class Searched:
    """What came of a prefix of a task.

    Attributes
    ----------
    found : int
        Regions in what was searched of it.
    left : tuple of Left
        What was not. Shares add up to at most 1. A part whose search was cut off by `Task.until`
        where it cannot be split is left as a whole, with what was found in it.
    upper : int or None
        A bound on all of its regions, found ones included.
    """

    found: int
    left: tuple[Left, ...]
    upper: int | None = None


@dataclass(frozen=True)
class TaskResult:
    """What came of a task.

    Attributes
    ----------
    parts : tuple of Searched
        One for each prefix.
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

    parts: tuple[Searched, ...]
    tests: int
    decisions: dict[str, int]
    seconds: float
    cpu_seconds: float
    regions: Block | None = field(default=None, repr=False)

    @property
    def found(self) -> int:
        """Regions in all of the parts."""
        return sum(part.found for part in self.parts)


def search_parts(subject: PackedNetwork, task: Task) -> TaskResult:
    """Search the prefixes of a task, the longest first, until its time is over.

    The prefixes handed back are then the shortest, which are worth the most to other processes.

    Parameters
    ----------
    subject : PackedNetwork
    task : Task

    Returns
    -------
    TaskResult
    """
    from milpcount.tree.warm_up import warm_up

    warm_up("vertices")  # no part of the time
    warm_up()
    began, cpu = time.perf_counter(), time.process_time()
    deadline = Deadline(None if task.until is None else task.until - time.time())
    waiting = sorted(range(len(task.prefixes)), key=lambda k: len(task.prefixes[k]))
    parts = [Searched(0, (Left(prefix, 1.0),)) for prefix in task.prefixes]
    found, tests, decisions = 0, 0, Counter[str]()
    is_open = False
    regions = Block(None) if task.keep else None
    unpacked = subject.unpack(deadline)
    while unpacked and waiting and not is_open and (task.most is None or found < task.most):
        network, inputs, program = unpacked
        at = waiting.pop()
        prefix = task.prefixes[at]
        search = searching(
            network, inputs, task.keep, forced=prefix, program=program, patterns=task.patterns
        )
        most = None if task.most is None else task.most - found
        try:
            with deadline.in_force():
                _advance(search, began + task.seconds, most, deadline)
            parts[at] = _searched(search, subject.bounds(task.patterns))
        except OutOfTime:
            parts[at] = Searched(search.found, (Left(prefix, 1.0),))
        is_open = bool(parts[at].left)
        found += search.found
        tests += search.tests
        decisions.update(search.statistics)
        if regions is not None:
            search.regions.pack(regions)
        if time.perf_counter() - began >= task.seconds or deadline.passed():
            break
    return TaskResult(
        tuple(parts), tests, dict(decisions), time.perf_counter() - began,
        time.process_time() - cpu, regions,
    )  # fmt: skip


def _searched(search: Search | VertexSearch, bounds: CellBounds) -> Searched:
    """Return what a search has found and left."""
    left = spread(search.left(), 1.0 - search.share)
    if not left:
        return Searched(search.found, (), search.found)
    upper, uppers = bounds_of(search, bounds, _BOUND_SECONDS)
    if len(uppers) != len(left):  # the rest was not looked at
        uppers = [*uppers, *[None] * len(left)][: len(left)]
    bounded = (Left(prefix, share, u) for (prefix, share), u in zip(left, uppers, strict=True))
    return Searched(search.found, tuple(bounded), upper)


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


@lru_cache(maxsize=4)
def _bounds(key: str, content: bytes, patterns: bool) -> CellBounds:
    network, inputs, layout = _unpack(key, content)
    return CellBounds(network, inputs, patterns, layout.numbering.settled)


def _advance(
    search: Search | VertexSearch, end: float, most: int | None, deadline: Deadline
) -> None:
    for _ in search.run(most=most, seconds=_STEP_SECONDS):
        late = deadline.passed()
        if (late or time.perf_counter() >= end) and search.can_split:
            return
        if late:
            raise OutOfTime
