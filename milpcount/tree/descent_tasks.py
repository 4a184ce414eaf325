"""Batches of random walks as tasks: what goes to a worker, and what comes back."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from milpcount.kernel import descent_state, stages
from milpcount.kernel.columns import UNIT_PIECES
from milpcount.kernel.descent_state import Batch
from milpcount.kernel.random_descent import walk
from milpcount.kernel.state import ASKED, BUDGET, PATIENCE, TESTS
from milpcount.limits import Deadline, OutOfTime
from milpcount.tree.search import Pace, Search
from milpcount.tree.split import Subject

Array = np.ndarray
_SLICE_SECONDS = 0.1


@dataclass(frozen=True, eq=False)
class Walked:
    """Walks that were made.

    Attributes
    ----------
    entered : bool
        Whether a point of the domain's interior was found, so that there is a region.
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

    entered: bool
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


def make_walks(subject: Subject, batch: Batch, until: float | None = None) -> Walked | None:
    """Make the walks of a batch in another process.

    Parameters
    ----------
    subject : Subject
        What is walked.
    batch : Batch
    until : float, optional
        When to stop, as `time.time` counts: a batch may have waited for its process.

    Returns
    -------
    Walked or None
        None if there was no time to begin.

    Raises
    ------
    DomainError
        If the domain has no interior.
    """
    from milpcount.tree.warm_up import warm_up

    warm_up("probe")  # no part of the time
    deadline = Deadline(None if until is None else until - time.time())
    unpacked = subject.unpack(deadline)
    if unpacked is None:
        return None
    network, inputs, program = unpacked
    *_, last = walking(Search(network, inputs, program=program), batch, deadline)
    return last


def walking(search: Search, batch: Batch, deadline: Deadline | None = None) -> Iterator[Walked]:
    """Make the walks of a batch; yield what is complete about ten times a second and at the end.

    Parameters
    ----------
    search : Search
        What is walked; what it has found so far is forgotten.
    batch : Batch
    deadline : Deadline, optional
        When to stop, with the walks that are complete.

    Raises
    ------
    DomainError
        If the domain has no interior.
    """
    began = time.perf_counter()
    search.begin()
    if search.state.cell.inputs.shape[0] > 1:
        # With hundreds of rows a second attempt takes seconds; leaving a side out costs a bit.
        search.state.control[PATIENCE] = 0
    own = search.numbering
    batch = replace(batch, preference=own.part(batch.preference.T).T)
    made, pace, c = descent_state.new_walks(batch), Pace(_SLICE_SECONDS), search.state.control
    deadline, spoke = deadline or Deadline(), began
    while True:
        c[BUDGET], start = pace.budget, time.perf_counter()
        wanted = walk(search.program, search.state, search.scratch, made, search.rounding)
        now = time.perf_counter()
        pace.note(pace.budget - int(c[BUDGET]), now - start)
        if wanted == stages.ASK_DOMAIN:
            search.reject_domain()
        if wanted == stages.ASK_ROOM:
            search.make_room()
        if wanted == stages.ASK_ROW:
            try:
                with deadline.in_force():
                    search.answer_row(int(c[ASKED]))
            except OutOfTime:
                yield _walked(made, search, now - began)
                return
        late = deadline.passed()
        if wanted == stages.DONE or late or now - spoke >= 0.5 * _SLICE_SECONDS:
            spoke = now
            yield _walked(made, search, now - began)
        if wanted == stages.DONE or late:
            return


def _walked(made: descent_state.Walks, search: Search, seconds: float) -> Walked:
    c, done = made.control, int(made.control[descent_state.WALK])
    return Walked(
        bool(search.state.path.stage[0] != stages.ROOT),
        made.log_size[:done].copy(),
        made.log_square[:done].copy(),
        search.numbering.spread(
            made.taken[:done].astype(
                np.min_scalar_type(-int(search.program.units[:, UNIT_PIECES].max()))
            ),
            descent_state.NOT_SPLIT,
        ),
        made.moments.copy(),
        int(search.state.control[TESTS]),
        int(c[descent_state.DESCENT_TESTS]),
        int(c[descent_state.UNDECIDED]),
        int(c[descent_state.DEAD_ENDS]),
        int(c[descent_state.COUNTED]),
        seconds,
    )
