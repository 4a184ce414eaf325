"""Batches of random walks as tasks: what goes to a worker, and what comes back."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from milpcount.tree import kernel, walks
from milpcount.tree.probe import walk
from milpcount.tree.search import Search
from milpcount.tree.split import Subject
from milpcount.tree.state import ASKED, PATIENCE, TESTS
from milpcount.tree.walks import Batch

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Walked:
    """Walks that were made.

    Attributes
    ----------
    log_size : ndarray, shape (walks,)
        Natural logarithms of the estimates; fewer than asked for if there was no time.
    log_square : ndarray, shape (walks,)
        Natural logarithms of the mean squares of each walk's descents.
    taken : ndarray of int, shape (walks, units)
    moments : ndarray, shape (layers, 7, 7)
        Sums of products over all choices: what was known, how they leaned, and what came below.
    tests, descent_tests, undecided, dead_ends, counted : int
        Projections; those of the descents of the last layer; sides left out because floating point
        could not decide them; walks that ended for that reason; subtrees counted.
    seconds : float
    """

    log_size: Array
    log_square: Array
    taken: Array
    moments: Array
    tests: int
    descent_tests: int
    undecided: int
    dead_ends: int
    counted: int
    seconds: float


def make_walks(subject: Subject, batch: Batch, until: float | None = None) -> Walked:
    """Make the walks of a batch in another process.

    Parameters
    ----------
    subject : Subject
        What is walked.
    batch : Batch
    until : float, optional
        When to stop, as `time.time` counts: a batch may have waited for its process.

    Raises
    ------
    DomainError
        If the domain has no interior.
    """
    seconds = None if until is None else until - time.time()
    network, inputs, program = subject.unpack()
    *_, last = walking(Search(network, inputs, program=program), batch, seconds)
    return last


def walking(search: Search, batch: Batch, seconds: float | None = None) -> Iterator[Walked]:
    """Make the walks of a batch; yield what is complete about ten times a second and at the end.

    Parameters
    ----------
    search : Search
        What is walked; what it has found so far is forgotten.
    batch : Batch
    seconds : float, optional
        When to stop, with the walks that are complete.

    Raises
    ------
    DomainError
        If the domain has no interior.
    """
    began = time.perf_counter()
    search.begin()
    if search.state.cell_inputs.shape[0] > 1:
        # With hundreds of rows a second attempt takes seconds; leaving a side out costs a bit.
        search.state.control[PATIENCE] = 0
    made = walks.new_walks(batch)
    slice_of_tests = 10
    while True:
        before, start = search.tests, time.perf_counter()
        made.control[walks.PAUSE_AT] = before + slice_of_tests
        wanted = walk(search.program, search.state, search.scratch, made, search.rounding)
        now = time.perf_counter()
        if wanted == kernel.ASK_ROW:
            search.answer_row(int(search.state.control[ASKED]))
            continue
        if wanted == kernel.ASK_DOMAIN:
            search.reject_domain()
        late = seconds is not None and now - began >= seconds
        yield _walked(made, search, now - began)
        if wanted == kernel.DONE or late:
            return
        rate = max(1, search.tests - before) / max(now - start, 1e-6)
        slice_of_tests = int(np.clip(0.1 * rate, 1, 10**6))


def _walked(made: walks.Walks, search: Search, seconds: float) -> Walked:
    c, done = made.control, int(made.control[walks.WALK])
    return Walked(
        made.log_size[:done].copy(),
        made.log_square[:done].copy(),
        made.taken[:done].astype(np.min_scalar_type(-int(search.program.units[:, 5].max()))),
        made.moments.copy(),
        int(search.state.control[TESTS]),
        int(c[walks.DESCENT_TESTS]),
        int(c[walks.UNDECIDED]),
        int(c[walks.DEAD_ENDS]),
        int(c[walks.COUNTED]),
        seconds,
    )
