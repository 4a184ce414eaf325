"""How often a random walk should descend the last layer.

A walk's estimate is a mean over descents of the last layer from one cell of the layers above. With
a cost a for the way to that cell and b for a descent, and a variance A between cells and B between
descents, ``sqrt(a B / (b A))`` descents make the most of the time (two-stage sampling; Cochran,
Sampling Techniques, 1977, section 10.6). With a hundred units in the last layer B is most of it:
one descent of a 784-100-100 network strays by nine bits, the mean of 64 by three.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Protocol

import numpy as np

_WILD = 2.0
"""Relative variance of the walks from which more descents are worth their price."""
_NONE = 1e-12
"""Relative variance that may be nothing but rounding."""
_GROWTH, _MOST = 4.0, 256
_LEAST_BETWEEN = 0.02
"""Least share of the variance taken to lie between cells: few wild walks tell little of it."""


class Walked(Protocol):
    """What is needed of a batch of walks; see `milpcount.tree.descent_tasks.Walked`."""

    log_size: np.ndarray
    log_square: np.ndarray
    tests: int
    descent_tests: int


def descents_that_pay(batches: Sequence[Walked], descents: int, least: int) -> int:
    """Return the number of descents for the next round.

    Parameters
    ----------
    batches : sequence of Walked
        A round of walks of `descents` descents each.
    descents : int
    least : int
        For walks that are not wild.

    Returns
    -------
    int
        From `least` to four times `descents`, 256 at most.
    """
    log_size = np.concatenate([batch.log_size for batch in batches])
    log_square = np.concatenate([batch.log_square for batch in batches])
    walks, top = log_size.size, log_size.max(initial=-np.inf)
    below = sum(batch.descent_tests for batch in batches)
    above = sum(batch.tests for batch in batches) - below
    if walks < 2 or descents < 2 or below == 0 or top == -np.inf:
        return descents
    size = np.exp(log_size - top)
    variance = size.var(ddof=1)
    if variance < (_WILD if descents == least else _NONE) * size.mean() ** 2:
        return least
    square = np.exp(log_square - 2.0 * top)
    within = float((square - size**2).mean()) * descents / (descents - 1)
    between = max(variance - within / descents, _LEAST_BETWEEN * variance)
    best = sqrt(max(above, 1) / (below / descents) * max(within, 0.0) / between)
    return int(max(least, min(best, _GROWTH * descents, _MOST)))
