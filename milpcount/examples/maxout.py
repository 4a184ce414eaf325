"""A layer of maxout units with the most regions."""

from collections.abc import Sequence

import numpy as np

from milpcount.domain import Unbounded
from milpcount.examples.example import (
    Example,
    at_least,
    each_at_least,
    known,
    parameters,
    vandermonde,
)
from milpcount.network import Network, maxout


def maxout_layer(n_inputs: int, ranks: Sequence[int]) -> Example:
    """Return a layer of maxout units with the most regions (Montúfar, Ren and Zhang 2022).

    The maximum is ``sum_{S : |S| <= n_0} prod_{i in S} (k_i - 1)`` over sets S of units, attained
    on all of space by activation regions, activation patterns, linear regions and affine pieces.
    Unit i is a convex function of one linear form: its breakpoints are k_i - 1 parallel
    hyperplanes, and those of different units are in general position.

    Parameters
    ----------
    n_inputs : int
        n_0.
    ranks : sequence of int
        k_i, at least 2. A unit of lower rank than another takes its first value again and again;
        of equal values the first is the piece, so that this adds none.
    """
    at_least(1, n_inputs=n_inputs)
    each_at_least(2, ranks=ranks)
    largest, t = max(ranks), parameters(len(ranks))
    # The divided difference of t^d is 1, and that of steps so short stays below it: no d + 1
    # hyperplanes of different units meet.
    step = 2.0 ** -(largest << n_inputs).bit_length()
    weights, biases = [], []
    for normal, at, rank in zip(vandermonde(len(ranks), n_inputs), t, ranks, strict=True):
        breakpoints = at**n_inputs + step * np.arange(1, rank)
        padding = [0] * (largest - rank)
        weights += [normal * r for r in [*range(rank), *padding]]
        biases += [-breakpoints[:r].sum() for r in [*range(rank), *padding]]
    network = Network.from_arrays([weights], [biases], output=False, activation=maxout(largest))
    count = maxout_maximum(n_inputs, ranks)
    name = f"maxout units of ranks {', '.join(map(str, ranks))} in dimension {n_inputs}"
    counts = known(count, count, count, count)
    return Example(name, network, Unbounded(), counts, "Montúfar, Ren and Zhang 2022")


def maxout_maximum(n_inputs: int, ranks: Sequence[int]) -> int:
    """Return ``sum_{S : |S| <= n_0} prod_{i in S} (k_i - 1)``."""
    by_size = [1] + [0] * n_inputs
    for rank in ranks:
        longer = [0, *by_size[:-1]]
        by_size = [a + (rank - 1) * b for a, b in zip(by_size, longer, strict=True)]
    return sum(by_size)
