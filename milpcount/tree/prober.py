"""Batches of random walks as tasks: what goes to a worker, and what comes back."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from milpcount.domain import InputSet
from milpcount.network import Network
from milpcount.tree import kernel, probe
from milpcount.tree.probe import new_walks, walk
from milpcount.tree.search import Search
from milpcount.tree.state import ASKED, TESTS

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Subject:
    """What is walked; it goes to the workers with every task, which lay it out once.

    Attributes
    ----------
    network : Network
    inputs : InputSet
    """

    network: Network
    inputs: InputSet

    @cached_property
    def key(self) -> str:
        """SHA-256 of the network and of the input set."""
        i = self.inputs
        digest = hashlib.sha256(self.network.fingerprint.encode())
        for array in (i.origin, i.directions, i.lower, i.upper, i.rows, i.rhs):
            digest.update(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Subject) and self.key == other.key


@dataclass(frozen=True, eq=False)
class Batch:
    """Walks to be made, one after the other; the same batch gives the same walks anywhere.

    Attributes
    ----------
    subject : Subject
    preference : ndarray, shape (units, pieces)
    walks : int
    seed : int
        64 bits.
    count_below : int
        Subtrees of the last layer with at most so many regions are counted.
    descents : int
        Descents of the last layer in every walk.
    """

    subject: Subject
    preference: Array
    walks: int
    seed: int
    count_below: int
    descents: int


@dataclass(frozen=True, eq=False)
class Walked:
    """Walks that were made.

    Attributes
    ----------
    log_size : ndarray, shape (walks,)
        Natural logarithms of the estimates; fewer than asked for if there was no time.
    taken : ndarray of uint8, shape (walks, units)
    tests, undecided, dead_ends, counted : int
        Projections; sides left out because floating point could not decide them; walks that ended
        for that reason; subtrees counted.
    seconds : float
    """

    log_size: Array
    taken: Array
    tests: int
    undecided: int
    dead_ends: int
    counted: int
    seconds: float


def make_walks(batch: Batch, seconds: float | None = None) -> Walked:
    """Make the walks of a batch; stop after the last one that is complete when time is up.

    Parameters
    ----------
    batch : Batch
    seconds : float, optional

    Raises
    ------
    DomainError
        If the domain has no interior.
    """
    *_, last = walking(batch, seconds)
    return last


def walking(batch: Batch, seconds: float | None = None) -> Iterator[Walked]:
    """Make the walks of a batch; yield what is complete about ten times a second and at the end.

    Raises
    ------
    DomainError
        If the domain has no interior.
    """
    began = time.perf_counter()
    search = _search(batch.subject)
    search.begin()
    walks = new_walks(batch.preference, batch.walks, batch.seed, batch.count_below, batch.descents)
    slice_of_tests = 10
    while True:
        before, start = search.tests, time.perf_counter()
        walks.control[probe.PAUSE_AT] = before + slice_of_tests
        wanted = walk(search.program, search.state, search.scratch, walks, search.rounding)
        now = time.perf_counter()
        if wanted == kernel.ASK_ROW:
            search.answer_row(int(search.state.control[ASKED]))
            continue
        if wanted == kernel.ASK_DOMAIN:
            search.reject_domain()
        late = seconds is not None and now - began >= seconds
        yield _walked(walks, search, now - began)
        if wanted == kernel.DONE or late:
            return
        rate = max(1, search.tests - before) / max(now - start, 1e-6)
        slice_of_tests = int(np.clip(0.1 * rate, 1, 10**6))


def _walked(walks: probe.Walks, search: Search, seconds: float) -> Walked:
    c, done = walks.control, int(walks.control[probe.WALK])
    return Walked(
        walks.log_size[:done].copy(),
        walks.taken[:done].copy(),
        int(search.state.control[TESTS]),
        int(c[probe.UNDECIDED]),
        int(c[probe.DEAD_ENDS]),
        int(c[probe.COUNTED]),
        seconds,
    )


@lru_cache(maxsize=1)
def _search(subject: Subject) -> Search:
    return Search(subject.network, subject.inputs)
