"""Random walks that were made, as they come back from wherever they were."""

from dataclasses import dataclass

import numpy as np

from milpcount.tree.populations import TRANSITION
from milpcount.types import Array

NO_TRANSITIONS = np.zeros((0, TRANSITION))


@dataclass(frozen=True, eq=False)
class Walked:
    """Walks that were made.

    Attributes
    ----------
    entered : bool
        Whether a point of the domain's interior was found, so that there is a region.
    log_size : ndarray, shape (walks,)
        Natural logarithms of the estimates, one for each walk or population; fewer than asked for
        if there was no time.
    log_square : ndarray, shape (walks,)
        Natural logarithms of the mean squares of each walk's descents.
    taken : ndarray of int, shape (walks, units)
        Of a population, that of one of its walks, drawn by their weights.
    population : int
        Walks of each estimate.
    transitions : ndarray, shape (stages, 13)
        Of the walks of populations; see `milpcount.tree.populations`.
    moments : ndarray, shape (layers, 8, 8)
        Sums of products over all choices: what was known, how they leaned, and what came below.
    tests, descent_tests, undecided, dead_ends, counted : int
        Projections; those of the descents of the last layer; sides left out because floating point
        could not decide them; walks that ended early for that reason; subtrees counted.
    seconds : float
    """

    entered: bool
    log_size: Array
    log_square: Array
    taken: Array
    population: int
    transitions: Array
    moments: Array
    tests: int
    descent_tests: int
    undecided: int
    dead_ends: int
    counted: int
    seconds: float

    @classmethod
    def alone(
        cls,
        entered: bool,
        log_size: Array,
        taken: Array,
        layers: int,
        tests: int,
        undecided: int,
        seconds: float,
    ) -> "Walked":
        """Return walks on their own, of one descent each, whose choices nothing is learned from."""
        return cls(
            entered, log_size, 2.0 * log_size, taken, 1, NO_TRANSITIONS, np.zeros((layers, 8, 8)),
            tests, 0, undecided, 0, 0, seconds,
        )  # fmt: skip
