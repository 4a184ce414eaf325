"""How many descents a walk should make of the last layer: simulated walks of known variances."""

from dataclasses import dataclass

import numpy as np
import pytest

from milpcount import Box, Network, Probing, count
from milpcount.counters.probing.last_layer_replication import descents_that_pay


@dataclass
class Batch:
    log_size: np.ndarray
    log_square: np.ndarray
    tests: int
    descent_tests: int


def simulated(
    between: float, within: float, descents: int = 8, walks: int = 4000, above: int = 10
) -> Batch:
    """Walks of log-normal sizes; a way to the last layer costs `above` tests, a descent one."""
    rng = np.random.default_rng(0)
    sizes = np.exp(
        rng.normal(0.0, between, size=(walks, 1)) + rng.normal(0.0, within, size=(walks, descents))
    )
    below = walks * descents
    return Batch(
        np.log(sizes.mean(axis=1)), np.log((sizes**2).mean(axis=1)), below + walks * above, below
    )


def test_steady_walks_stay_as_they_are() -> None:
    assert descents_that_pay([simulated(0.3, 0.5)], 8, 8) == 8


def test_a_wild_last_layer_is_descended_more_often() -> None:
    assert descents_that_pay([simulated(0.2, 2.2)], 8, 8) > 16


def test_wildness_above_the_last_layer_is_not_met_there() -> None:
    assert descents_that_pay([simulated(2.0, 0.2)], 8, 8) == 8


def test_a_dear_way_down_favours_descents() -> None:
    cheap, dear = simulated(1.2, 1.4, above=1), simulated(1.2, 1.4, above=200)
    assert descents_that_pay([cheap], 8, 8) < descents_that_pay([dear], 8, 8)


def test_growth_is_limited() -> None:
    assert descents_that_pay([simulated(0.0, 3.0, above=10**6)], 8, 8) == 32
    assert descents_that_pay([simulated(0.0, 3.0, 100, above=10**6)], 100, 8) == 256
    assert descents_that_pay([simulated(0.0, 3.0, 300, above=10**6)], 300, 300) == 300


def test_batches_are_taken_together() -> None:
    whole = simulated(0.2, 2.2)
    half = [
        Batch(whole.log_size[i::2], whole.log_square[i::2], whole.tests // 2,
              whole.descent_tests // 2)
        for i in range(2)
    ]  # fmt: skip
    assert descents_that_pay(half, 8, 8) == descents_that_pay([whole], 8, 8)


@pytest.mark.parametrize(
    "batch",
    [
        Batch(np.zeros(0), np.zeros(0), 0, 0),
        Batch(np.zeros(1), np.zeros(1), 20, 10),
        Batch(np.full(4, -np.inf), np.full(4, -np.inf), 20, 10),
        Batch(np.array([0.0, -np.inf, 50.0]), np.array([0.0, -np.inf, 100.0]), 20, 0),
    ],
)
def test_walks_that_tell_nothing(batch: Batch) -> None:
    assert descents_that_pay([batch], 8, 8) == 8


def test_a_network_whose_last_layer_is_wild() -> None:
    rng = np.random.default_rng(0)
    network = Network.from_arrays(
        [rng.normal(size=(30, 60)), rng.normal(size=(60, 30))],
        [rng.normal(size=30), rng.normal(size=60)],
        output=False,
    )
    method = Probing(probes=112, population=1)
    found, again = (count(network, Box(-1, 1), method, seed=1) for _ in range(2))
    assert found.details["descents_of_the_last_layer"] > 8
    assert (found.lower, found.estimate) == (again.lower, again.estimate)
