"""The arrays of a batch of random walks; see `random_descent`."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

NOT_SPLIT = -1
"""In `Walks.taken`: the unit was settled, or the walk ended above it."""

# Entries of `Walks.control`.
(WALK, COUNT_FROM, COUNT_BELOW, UNDECIDED_SIDES, DEAD_ENDS, COUNTED, DESCENTS, DESCENT, BASE,
 BRANCHED_AT, DESCENT_TESTS, CHOICES, CHOICES_ABOVE, IN_STAGES, STOP_LAYER,
 STOP_PLACE) = range(16)  # fmt: skip
# Entries of `Walks.place`.
POINT, WIDTH, OFFSET, ABOVE, SUM, SQUARES, REACH = range(7)
# Columns of `Walks.leaning`.
OWN, NEAR = range(2)
# Columns of `Walks.choice`: what is known of the node, how the choice leaned, and the logarithm of
# the walk's weight after it. In `Walks.moments` the last is the logarithm of what came below.
(ONE, PLACE, PLACE_SQUARED, DISTANCE, LEFT, LEANED_OWN, LEANED_NEAR,
 BELOW) = range(8)  # fmt: skip
HALTED = -4
"""What becomes of a walk in stages, besides what the kernel wants: it has come to its next stop."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Walks to be made, one after the other; the same batch gives the same walks anywhere.

    Attributes
    ----------
    preference : ndarray, shape (units, pieces)
        Logarithms of weights.
    leaning : ndarray, shape (layers, 2)
        How much is added to them, see `branch_sampling`.
    walks : int
    seed : int
        64 bits.
    count_below : int
        Subtrees of the last layer with at most so many regions are counted.
    descents : int
        Descents of the last layer in every walk.
    population : int
        Walks that are made side by side for one estimate, see `milpcount.tree.populations`; they
        make one descent of the last layer each.
    potential : ndarray, shape (layers, 5), optional
        What the logarithm of a walk's further weight is likely to be, as a function of what is
        known of a node; needed for populations.
    by_vertices : bool
        Whether cells carry their vertices, see `milpcount.tree.vertex_walks`.
    """

    preference: np.ndarray
    leaning: np.ndarray
    walks: int
    seed: int
    count_below: int
    descents: int
    population: int = 1
    potential: np.ndarray | None = None
    by_vertices: bool = False


class Walks(NamedTuple):
    """Arrays of a batch of walks.

    ``control``: the current walk; the regions that were found before the subtree that is being
    counted; the most that a subtree of the last layer may have to be counted; how many sides were
    left out undecided, how many walks ended above the last layer for that reason, how many subtrees
    were counted, and how many tests the descents of the last layer took; how many choices are on
    record; whether walks are made in stages, and from which place of which layer on they stop.
    ``seed`` (1,): state of the generator. ``preference``, ``leaning``: of the `Batch`. ``log_size``
    (walks,): natural logarithms of the estimates; ``log_square`` (walks,): of the mean squares of
    their descents.
    ``taken`` (walks, units): pieces taken where a cell was split; ``trial`` (units,): in the
    current descent of the last layer. ``place``: where in the unit interval the choices of a
    descent are, sums over descents, and the last squared distance of a node that is known.
    ``square`` (depth, pieces), ``own_square`` (depth,): squared distances of a node's children, and
    of the node, from the centre of the cube, -1 where not known. ``weight`` (pieces,): of the
    choice under way. ``choice`` (units, 8), ``choice_layer`` (units,): choices of the current walk;
    ``moments`` (layers, 8, 8): sums of their products over all walks.
    """

    control: np.ndarray
    seed: np.ndarray
    preference: np.ndarray
    leaning: np.ndarray
    log_size: np.ndarray
    log_square: np.ndarray
    taken: np.ndarray
    trial: np.ndarray
    place: np.ndarray
    square: np.ndarray
    own_square: np.ndarray
    weight: np.ndarray
    choice: np.ndarray
    choice_layer: np.ndarray
    moments: np.ndarray


def new_walks(batch: Batch) -> Walks:
    """Return the arrays of a batch that has not begun."""
    (units, pieces), layers = batch.preference.shape, batch.leaning.shape[0]
    walks = batch.walks if batch.population == 1 else batch.population
    control = np.zeros(16, dtype=np.int64)
    control[COUNT_BELOW], control[DESCENTS] = batch.count_below, batch.descents
    control[DESCENT], control[IN_STAGES] = -1, batch.population > 1
    return Walks(
        control,
        np.array([batch.seed], dtype=np.uint64),
        np.ascontiguousarray(batch.preference),
        np.ascontiguousarray(batch.leaning),
        np.zeros(walks),
        np.zeros(walks),
        np.full((walks, units), NOT_SPLIT, dtype=np.int32),
        np.full(units, NOT_SPLIT, dtype=np.int32),
        np.zeros(7),
        np.full((units + 1, pieces), -1.0),
        np.full(units + 1, -1.0),
        np.zeros(pieces),
        np.zeros((units, BELOW + 1)),
        np.zeros(units, dtype=np.int64),
        np.zeros((layers, BELOW + 1, BELOW + 1)),
    )
