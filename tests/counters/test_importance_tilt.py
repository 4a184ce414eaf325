"""What walks lean to: fitted to choices whose worth is known, and to those of a wide network."""

import math

import numpy as np
import pytest
from scipy.linalg import hadamard

from milpcount import Box, Network, Probing, count
from milpcount.counters.probing.importance_tilt import differ_wildly, leanings
from milpcount.kernel.descent_state import Batch
from milpcount.tree.descent_tasks import make_walks
from milpcount.tree.subtree_tasks import PackedNetwork

NONE = np.zeros((1, 2))


def simulated(own: float, near: float, choices: int, noise: float = 3.0, spread: float = 2.0):
    """Moments of choices below which the logarithm of the weight is linear in how they leaned."""
    rng = np.random.default_rng(0)
    place, distance = rng.uniform(size=choices), rng.normal(10.0, 2.0, size=choices)
    leaned_own = rng.choice([-0.5, 0.5], size=choices)
    leaned_near = rng.normal(0.0, spread, size=choices)
    below = 40.0 - 30.0 * place - 1.5 * distance + own * leaned_own + near * leaned_near
    below += rng.normal(0.0, noise, size=choices)
    known = [np.ones(choices), place, place**2, distance, leaned_own, leaned_near, below]
    row = np.stack(known, axis=1)
    return (row.T @ row)[None]


def wide_network() -> Network:
    rng = np.random.default_rng(0)
    return Network.from_arrays(
        [rng.normal(size=(30, 60)), rng.normal(size=(60, 30))],
        [rng.normal(size=30), rng.normal(size=60)],
        output=False,
    )


def test_the_slopes_are_found_whatever_the_nodes_have_in_common() -> None:
    once = leanings(simulated(1.0, 0.4, 20_000), NONE)[0]
    assert once == pytest.approx([0.7, 0.28], abs=0.1)


def test_what_was_fitted_again_stays() -> None:
    moments = simulated(1.0, 0.4, 20_000)
    once = leanings(moments, NONE)
    assert leanings(moments, once) == pytest.approx(once, abs=0.02)


def test_few_choices_move_little() -> None:
    many, few = (np.abs(leanings(simulated(1.0, 0.4, n), NONE)) for n in (20_000, 30))
    assert (few <= many).all()
    assert not leanings(simulated(1.0, 0.4, 5), NONE).any()


def test_slopes_are_limited_by_the_spread_of_what_they_act_on() -> None:
    steep = leanings(simulated(0.0, 1e6, 20_000, spread=1e-3), NONE)[0, 1]
    assert steep * 1e-3 == pytest.approx(1.4, rel=0.1)


@pytest.mark.parametrize("moments", [np.zeros((1, 7, 7)), simulated(0.0, 0.0, 100, spread=0.0)])
def test_choices_that_tell_nothing(moments: np.ndarray) -> None:
    found = leanings(moments, NONE)
    assert np.isfinite(found).all()
    assert found[0, 1] == 0.0


def test_walks_of_a_wide_network_find_more_with_them() -> None:
    network = wide_network()
    subject = PackedNetwork.pack(network, Box(-1, 1).bind(60))
    leaning, means, spreads = np.zeros((2, 2)), [], []
    for seed in range(3):
        made = make_walks(subject, Batch(np.zeros((90, 2)), leaning, 240, seed, 16, 2))
        bits = made.log_size / math.log(2.0)
        means.append(bits.mean())
        spreads.append(bits.std())
        leaning = leanings(made.moments, leaning)
    assert min(means[1:]) > means[0] + 1.0
    assert max(spreads[1:]) < 1.2 * spreads[0]  # and are not wilder


def test_a_run_learns_them_where_walks_are_wild() -> None:
    first, *found = (
        count(wide_network(), Box(-1, 1), Probing(probes=n), seed=1) for n in (16, 112, 112)
    )
    assert not first.details["choices_leaned"]
    assert found[0].details["choices_leaned"]
    assert (found[0].lower, found[0].estimate) == (found[1].lower, found[1].estimate)
    tame = Network.from_arrays([hadamard(4)], [np.zeros(4)], output=False)
    assert not count(tame, Box(-1, 1), Probing(probes=48)).details["choices_leaned"]


@pytest.mark.parametrize(("bits", "wild"), [(1.0, False), (2.0, False), (5.0, True)])
def test_walks_lean_where_they_differ_by_bits(bits: float, wild: bool) -> None:
    log_size = np.random.default_rng(1).normal(50.0, bits * math.log(2.0), size=16)
    assert differ_wildly(np.append(log_size, -np.inf)) is wild
    assert not differ_wildly(log_size[:1])
