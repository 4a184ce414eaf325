"""Both ends that rest on chance, on graphs whose counts are known: wrong no more than said."""

import os
from math import comb

import numpy as np
import pytest

import milpcount as mc
from tests.graphs import KINDS

SEEDS = int(os.environ.get("COVERAGE_SEEDS", "12"))
"""200 take half an hour of one core."""
DELTA = 0.2
BOX = mc.Box(-3, 3)
GRAPHS = [
    (*KINDS, KINDS[0])[number](np.random.default_rng(number), 4, False) for number in range(10)
]


def chance_of_so_many(wrong: int, runs: int) -> float:
    """Return the probability of at least so many wrong intervals if each is with delta."""
    return 1.0 - sum(comb(runs, k) * DELTA**k * (1 - DELTA) ** (runs - k) for k in range(wrong))


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["strata", "hashing"])
def test_coverage(strategy: str) -> None:
    method = mc.Approximate(1.0, DELTA, strategy, count_first=1)
    limits = mc.Limits(seconds=2.0)  # strata of some have a range far above their count
    told = []
    for number, network in enumerate(GRAPHS):
        exact = mc.count(network, BOX).lower
        results = [
            mc.count(network, BOX, method, seed=seed, limits=limits) for seed in range(SEEDS)
        ]
        wrong = sum(not result.lower <= exact <= result.upper for result in results)
        widths = [result.upper / result.lower for result in results]
        told.append((number, exact, wrong, float(np.median(widths))))
        assert chance_of_so_many(wrong, SEEDS) > 1e-5, told
    print(strategy, told)
    assert sum(width <= 4.0 for *_, width in told) >= (7 if strategy == "hashing" else 3), told
