from itertools import pairwise

import numpy as np
import pytest

import milpcount as mc
from experiments.benchmarks.lp_tree_highs import count
from milpcount.counters.brute_force import BruteForce
from milpcount.network import Network


def random_network(seed: int, *sizes: int) -> Network:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(b, a)) for a, b in pairwise(sizes)]
    return Network.from_arrays(weights, [rng.normal(size=b) for b in sizes[1:]], output=False)


@pytest.mark.parametrize("sizes", [(1, 5), (2, 4, 4), (3, 4, 3, 3)])
def test_the_yardstick_counts_right(sizes: tuple[int, ...]) -> None:
    net, box = random_network(0, *sizes), mc.Box(-1, 2)
    regions, lps, seconds, complete = count(net, box.bind(sizes[0]), 60)
    assert complete and lps > 0 and seconds > 0
    assert regions == mc.count(net, box, BruteForce()).lower


def test_the_yardstick_stops_at_its_limit() -> None:
    net = random_network(0, 10, 20, 20)
    regions, _, seconds, complete = count(net, mc.Box(-1, 1).bind(10), 0.3)
    assert not complete and regions > 0 and seconds < 2
