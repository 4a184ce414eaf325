"""Probing on twenty networks whose counts are known: wrong no more than said, whenever looked at.

A run counts as wrong if any of its snapshots is: whoever stops it when its bound looks best gets
one of these. Half of the networks are heavy-tailed: a branch that walks seldom come to holds most
of the regions. Populations are used on all of them, however tame.
"""

import os
from functools import cache
from itertools import pairwise
from math import comb

import numpy as np
import pytest

import milpcount as mc
from milpcount.counters.method import Problem
from milpcount.counters.probing import importance_tilt
from milpcount.network import Network, relu

SEEDS = int(os.environ.get("COVERAGE_SEEDS", "8"))
"""200 take about a quarter of an hour of one core."""
CONFIDENCE = 0.95
BOX, REGIONS = mc.Box(-1, 1), mc.Quantity.ACTIVATION_REGIONS
SHAPES = (
    (2, 10, 8), (3, 8, 6), (4, 6, 6, 4), (5, 10), (6, 8, 8), (2, 6, 6, 6, 6), (3, 12, 12),
    (8, 7, 5), (4, 14), (20, 6, 6),
)  # fmt: skip


def plain(number: int) -> Network:
    """Return a random network."""
    rng = np.random.default_rng(number)
    shapes = list(pairwise(SHAPES[number]))
    weights = [rng.normal(size=(b, a)) for a, b in shapes]
    return Network.from_arrays(weights, [0.3 * rng.normal(size=b) for _, b in shapes], output=False)


def heavy(number: int) -> Network:
    """Return a network with most regions behind gates that walks go through seldom.

    Gate k is ``relu(x_0 - t_k)`` with growing thresholds; the last layer's hyperplanes cross each
    other where the last gate is open only.
    """
    rng = np.random.default_rng(100 + number)
    gates, cuts, n = 3 + number % 4, 6 + number, 2 + number % 2
    thresholds = np.sort(rng.uniform(-0.5, 0.8, size=gates))
    rng.shuffle(thresholds[:-1])
    first = np.zeros((gates, n))
    first[:, 0] = 1.0
    slopes = rng.normal(size=(cuts, n))
    slopes[:, 0] = 0.0
    to_last = np.zeros((cuts, gates))
    to_last[:, np.argmax(thresholds)] = rng.uniform(60.0, 80.0, size=cuts)
    layers = [
        ({0: first}, -thresholds, relu()),
        ({0: slopes, 1: to_last}, -rng.uniform(3.0, 5.0, size=cuts), relu()),
    ]
    return Network.from_layers(n, layers)


NETWORKS = [(plain, number) for number in range(10)] + [(heavy, number) for number in range(10)]


@cache
def known(kind: object, number: int) -> tuple[Network, int]:
    network = kind(number)  # type: ignore[operator]
    return network, mc.count(network, BOX).lower


def chance_of_so_many(wrong: int, runs: int) -> float:
    """Return the probability of at least so many wrong bounds if each is with 1 - confidence."""
    p = 1.0 - CONFIDENCE
    return 1.0 - sum(comb(runs, k) * p**k * (1 - p) ** (runs - k) for k in range(wrong))


def is_ever_wrong(network: Network, truth: int, method: mc.Probing, seed: int) -> tuple[bool, int]:
    """Return whether a bound exceeds the truth at any time, and the last one."""
    problem = Problem(network, BOX.bind(network.n_inputs), REGIONS, seed=seed)
    bounds = [snapshot.lower for snapshot in method.run(problem)]
    return max(bounds) > truth, bounds[-1]


@pytest.mark.slow
@pytest.mark.parametrize("population", [1, 4])
@pytest.mark.parametrize(("kind", "number"), NETWORKS)
def test_coverage(
    kind: object, number: int, population: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if population > 1:
        monkeypatch.setattr(importance_tilt, "_WILD", 0.0)
    network, truth = known(kind, number)
    method = mc.Probing(probes=112, count_below=0, descents=2, population=population)
    runs = [is_ever_wrong(network, truth, method, seed) for seed in range(SEEDS)]
    wrong = sum(ever for ever, _ in runs)
    print(network.architecture, truth, population, wrong, int(np.median([b for _, b in runs])))
    assert chance_of_so_many(wrong, SEEDS) > 1e-4
