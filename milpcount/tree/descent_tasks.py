"""Batches of random walks as tasks: what goes to a worker, and what comes back."""

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from milpcount.kernel import descent_state, stages
from milpcount.kernel.columns import UNIT_PIECES
from milpcount.kernel.descent_state import Batch
from milpcount.kernel.random_descent import walk
from milpcount.kernel.state import ASKED, BUDGET, PATIENCE, TESTS
from milpcount.limits import Deadline, OutOfTime
from milpcount.tree.few_inputs import VertexSearch
from milpcount.tree.populations import TRANSITION, Population, affordable, log_mean
from milpcount.tree.search import Pace, Search
from milpcount.tree.subtree_tasks import PackedNetwork
from milpcount.tree.vertex_walks import walking_by_vertices
from milpcount.tree.walk_results import NO_TRANSITIONS, Walked
from milpcount.types import Array

_SLICE_SECONDS = 0.1
_OUT_OF_TIME = -1
"""In place of what the kernel wants."""


def make_walks(subject: PackedNetwork, batch: Batch, until: float | None = None) -> Walked | None:
    """Make the walks of a batch in another process.

    Parameters
    ----------
    subject : PackedNetwork
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

    warm_up("vertices_probe" if batch.by_vertices else "probe")  # no part of the time
    deadline = Deadline(None if until is None else until - time.time())
    unpacked = subject.unpack(deadline)
    if unpacked is None:
        return None
    network, inputs, program = unpacked
    kind = VertexSearch if batch.by_vertices else Search
    *_, last = walking(kind(network, inputs, program=program), batch, deadline)
    return last


def walking(
    search: Search | VertexSearch, batch: Batch, deadline: Deadline | None = None
) -> Iterator[Walked]:
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
    if isinstance(search, VertexSearch):
        yield from walking_by_vertices(search, batch, deadline)
        return
    search.begin()
    if search.state.cell.inputs.shape[0] > 1:
        # With hundreds of rows a second attempt takes seconds; leaving a side out costs a bit.
        search.state.control[PATIENCE] = 0
    own = search.numbering
    batch = replace(batch, preference=own.part(batch.preference.T).T)
    deadline = deadline or Deadline()
    if batch.population > 1:
        yield from _in_populations(search, batch, deadline)
        return
    began, made, pace = time.perf_counter(), descent_state.new_walks(batch), Pace(_SLICE_SECONDS)
    spoke = began
    while True:
        wanted = _slice(search, made, pace, deadline)
        now = time.perf_counter()
        late = wanted == _OUT_OF_TIME or deadline.passed()
        if wanted == stages.DONE or late or now - spoke >= 0.5 * _SLICE_SECONDS:
            spoke = now
            done = slice(0, int(made.control[descent_state.WALK]))
            sizes = made.log_size[done].copy()
            taken = made.taken[done]
            yield _walked(made, search, sizes, made.log_square[done].copy(), taken, began)
        if wanted == stages.DONE or late:
            return


def _slice(search: Search, made: descent_state.Walks, pace: Pace, deadline: Deadline) -> int:
    """Walk for a while, answer what the kernel asks, and return what it wanted."""
    c = search.state.control
    c[BUDGET], start = pace.budget, time.perf_counter()
    wanted = int(walk(search.program, search.state, search.scratch, made, search.rounding))
    pace.note(pace.budget - int(c[BUDGET]), time.perf_counter() - start)
    if wanted == stages.ASK_DOMAIN:
        search.reject_domain()
    if wanted == stages.ASK_ROOM:
        search.make_room()
    if wanted == stages.ASK_ROW:
        try:
            with deadline.in_force():
                search.answer_row(int(c[ASKED]))
        except OutOfTime:
            return _OUT_OF_TIME
    return wanted


def _in_populations(search: Search, batch: Batch, deadline: Deadline) -> Iterator[Walked]:
    """Make estimates by populations; yield what is complete, as `walking` does."""
    began, pace = time.perf_counter(), Pace(_SLICE_SECONDS)
    potential = batch.potential
    assert potential is not None
    batch = replace(batch, population=affordable(search.program, batch.population))
    made, random = descent_state.new_walks(batch), np.random.default_rng(batch.seed)
    sizes, taken = np.zeros(0), made.taken[:0]
    transitions = list[Array]()

    def so_far() -> Walked:
        stages_made = np.array(transitions).reshape(-1, TRANSITION)
        return _walked(
            made, search, sizes, 2.0 * sizes, taken, began, batch.population, stages_made
        )

    while sizes.size < batch.walks:
        population = Population(search, made, potential, random)
        while not population.is_done:
            stop = population.stop()
            made.control[descent_state.STOP_LAYER : descent_state.STOP_PLACE + 1] = stop
            for i in population.waiting():
                if population.is_ahead(i, stop):
                    continue
                population.take_up(i)
                wanted = stages.PAUSED
                while wanted not in (stages.DONE, descent_state.HALTED):
                    wanted = _slice(search, made, pace, deadline)
                    if wanted == _OUT_OF_TIME or deadline.passed():
                        yield so_far()
                        return
                    yield so_far()
                population.put_down(i, is_done=wanted == stages.DONE)
            population.draw()
        sizes = np.append(sizes, log_mean(population.log_weight))
        # Walks of a population have most of their choices in common: one of them is learned from.
        share = np.exp(population.log_weight - max(population.log_weight.max(), -1e300))
        drawn = random.choice(batch.population, p=share / share.sum()) if share.any() else 0
        taken = np.vstack([taken, made.taken[drawn : drawn + 1]])
        transitions += population.transitions
        made.log_size[:] = 0.0
        made.taken[:] = descent_state.NOT_SPLIT
    yield so_far()


def _walked(
    made: descent_state.Walks,
    search: Search,
    log_size: Array,
    log_square: Array,
    taken: Array,
    began: float,
    population: int = 1,
    transitions: Array = NO_TRANSITIONS,
) -> Walked:
    c = made.control
    return Walked(
        bool(search.state.path.stage[0] != stages.ROOT),
        log_size,
        log_square,
        search.numbering.spread(
            taken.astype(np.min_scalar_type(-int(search.program.units[:, UNIT_PIECES].max()))),
            descent_state.NOT_SPLIT,
        ),
        population,
        transitions,
        made.moments.copy(),
        int(search.state.control[TESTS]),
        int(c[descent_state.DESCENT_TESTS]),
        int(c[descent_state.UNDECIDED_SIDES]),
        int(c[descent_state.DEAD_ENDS]),
        int(c[descent_state.COUNTED]),
        time.perf_counter() - began,
    )
