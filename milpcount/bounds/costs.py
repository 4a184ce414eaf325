"""Orders of magnitude of a theorem's work, in milliseconds of one core, from a case's sizes.

They only decide which theorems are asked where an upper bound must cost next to nothing
(`milpcount.bounds.best`): a wrong one costs time or a weaker bound, never truth. They are functions
of the case and not of a clock, so that the same count has the same upper end everywhere.
"""

from collections.abc import Callable
from itertools import accumulate

from milpcount.bounds.case import Case
from milpcount.bounds.graph_recursion import MOST_STEPS

_STEP = 1e-3
"""Python's arithmetic on short integers."""
_BITS = 6e6
"""Bits of binomials that a millisecond writes."""


def closed_form(case: Case) -> float:
    """Return the work of one sum of binomials per layer; sums of all of them are powers."""
    work = 0.02 + 2 * _STEP * len(case.widths)
    for n, d in zip(case.widths, accumulate([case.dimension, *case.widths], min), strict=False):
        if d < n:
            work += d * min(n, d * n.bit_length()) / _BITS
    return work


def per_unit(milliseconds: float, most_units: int) -> Callable[[Case], float]:
    """Return the rule of work that grows with the units, out of reach beyond so many."""

    def cost(case: Case) -> float:
        units = case.n_units
        return milliseconds * units if units <= most_units else float("inf")

    return cost


def histograms(case: Case) -> float:
    """Return the work of a table of ``d n^2`` numbers."""
    if not case.widths:
        return 0.0
    widest = max(case.widths)
    dimensions = accumulate([min(case.dimension, widest), *case.widths], min)
    table = min(case.dimension, widest) * widest**2
    used = sum(d * n for d, n in zip(dimensions, case.widths, strict=False))
    return 0.02 + (table + used) * _STEP / 4


def weights(case: Case) -> float:
    """Return the work of looking at every weight, some of it by sorting."""
    return 0.1 + 2e-4 * case.n_weights


def recursion(case: Case) -> float:
    """Return the work of the recursion over the layers of any network; see `graph_recursion`."""
    bits = 1 + min(case.n_units, 64 * case.dimension) / 1000
    ranks = 1 + min(case.dimension, max(case.widths, default=0))
    steps = min(MOST_STEPS, 20 * ranks**2 * len(case.widths))
    tables = sum(min(case.dimension, n) ** 2 for n in case.widths)
    return 0.1 + _STEP * bits * (steps * (1 + _sources(case) / 10) + tables / 2)


def _sources(case: Case) -> float:
    """Return how many sources a layer reads on average: about as many numbers a state has."""
    if case.network is None or case.is_chain:
        return 1.0
    read = case.network.sources[: len(case.widths)]
    return sum(map(len, read)) / max(1, len(read))


def recursion_with_ranges(case: Case) -> float:
    """Return the work of `recursion`, twice, after intervals, ranks and coverages."""
    coverages = 0.2 * case.n_units if case.n_units <= 1_500 else 0.0
    return 3 * recursion(case) + weights(case) + coverages
