"""Lower bounds that rest on chance, on graphs whose counts are known: wrong no more than said."""

import os
from math import comb

import numpy as np
import pytest

import milpcount as mc
from milpcount.counters.method import Method
from tests.graphs import KINDS

SEEDS = int(os.environ.get("COVERAGE_SEEDS", "12"))
"""200 take a quarter of an hour of one core."""
CONFIDENCE = 0.95
BOX = mc.Box(-3, 3)
METHODS: tuple[Method, ...] = (
    mc.MBound(2),
    mc.MBound(3),
    mc.MBound("dense"),
    mc.Probing(probes=200),
)
GRAPHS = [
    (*KINDS, KINDS[0])[number](np.random.default_rng(number), 4, False) for number in range(10)
]


def chance_of_so_many(wrong: int, runs: int) -> float:
    """Return the probability of at least so many wrong bounds if each is with 1 - confidence."""
    p = 1.0 - CONFIDENCE
    return 1.0 - sum(comb(runs, k) * p**k * (1 - p) ** (runs - k) for k in range(wrong))


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS, ids=lambda method: f"{method.name} {method}"[:40])
def test_coverage(method: Method) -> None:
    told = []
    for number, network in enumerate(GRAPHS):
        exact = mc.count(network, BOX)
        results = [mc.count(network, BOX, method, seed=seed) for seed in range(SEEDS)]
        wrong = sum(result.lower > exact.lower for result in results)
        assert all(result.upper >= exact.lower for result in results)
        told.append((number, exact.lower, wrong, float(np.median([r.lower for r in results]))))
        assert chance_of_so_many(wrong, SEEDS) > 1e-5, told
    print(method.name, told)
    # They say something: of ten networks, most are bounded by more than one region.
    assert sum(median > 1 for *_, median in told) >= 7, told
