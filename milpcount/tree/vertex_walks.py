"""Batches of random walks among cells that carry their vertices; see `kernel.vertex_descent`."""

import time
from collections.abc import Iterator

import numpy as np

from milpcount.domain import InputSet
from milpcount.kernel.columns import UNIT_PIECES
from milpcount.kernel.descent_state import Batch
from milpcount.kernel.vertex_descent import LEFT_OUT, WALK, VertexWalks, new_walks
from milpcount.limits import Deadline, tick
from milpcount.network import Network
from milpcount.tree.few_inputs import VertexSearch, has_few_inputs
from milpcount.tree.search import Pace
from milpcount.tree.walk_results import Walked

_POWER = 1.0
"""Of the widths by which sides are chosen. Of 0 to 6 it makes walks least wild, on networks of
three to six inputs and layers of 16 to 64 units; where layers are wide 2 is level with it."""
_TRIALS, _TRIAL_BUDGET, _SLICE_BUDGET = 64, 100_000, 2_000
"""Walks of a first look, as far as some tenths of a second go."""
_SLICE_SECONDS = 0.1


def can_be_walked(network: Network, inputs: InputSet) -> bool:
    """Return whether some first walks come to no cell that vertices do not decide.

    Where regions meet in corners of the domain or of each other, most cells are such: other walks
    go further there. The answer depends on nothing but the network and the inputs.

    Parameters
    ----------
    network : Network
    inputs : InputSet

    Raises
    ------
    OutOfTime
        If the deadline in force comes first.
    """
    if not has_few_inputs(inputs):
        return False
    search, left = VertexSearch(network, inputs), _TRIAL_BUDGET
    units = search.program.units
    even = np.zeros((units.shape[0], int(units[:, UNIT_PIECES].max())))
    made = _walks(search, even, _TRIALS, 0)
    while left > 0 and not search.walk(made, _SLICE_BUDGET):
        tick()
        left -= _SLICE_BUDGET
    return bool(made.control[LEFT_OUT] == 0)


def walking_by_vertices(
    search: VertexSearch, batch: Batch, deadline: Deadline | None = None
) -> Iterator[Walked]:
    """Make the walks of a batch; yield what is complete about ten times a second and at the end.

    Parameters
    ----------
    search : VertexSearch
        What is walked; what it has found so far is forgotten.
    batch : Batch
        Its leanings are not taken up, and the last layer is counted instead of descended.
    deadline : Deadline, optional
        When to stop, with the walks that are complete.
    """
    deadline, pace = deadline or Deadline(), Pace(_SLICE_SECONDS)
    began = spoke = time.perf_counter()
    preference = search.numbering.part(batch.preference.T).T
    made = _walks(search, preference, batch.walks, batch.seed)
    while True:
        tests, granted, start = search.tests_of_rows, pace.budget, time.perf_counter()
        is_done = search.walk(made, granted)
        now = time.perf_counter()
        if search.tests_of_rows > tests:
            pace.note(granted - search.budget_left, now - start)
        late = deadline.passed()
        if is_done or late or now - spoke >= 0.5 * _SLICE_SECONDS:
            spoke = now
            yield _walked(search, made, now - began)
        if is_done or late:
            return


def _walks(search: VertexSearch, preference: np.ndarray, walks: int, seed: int) -> VertexWalks:
    layers = search.program.layers.shape[0]
    return new_walks(preference, np.full(layers, _POWER), walks, seed)


def _walked(search: VertexSearch, made: VertexWalks, seconds: float) -> Walked:
    done = slice(0, int(made.control[WALK]))
    sizes = made.log_size[done].copy()
    return Walked.alone(
        entered=bool(np.isfinite(sizes).any()),
        log_size=sizes,
        taken=search.numbering.spread(made.taken[done], -1),
        layers=search.program.layers.shape[0],
        tests=search.tests,  # of programs: vertices need none
        undecided=int(made.control[LEFT_OUT]),
        seconds=seconds,
    )
