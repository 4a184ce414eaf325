"""Populations: unbiased whatever the potential, reproducible, used where walks differ wildly."""

import math

import numpy as np
import pytest

import milpcount as mc
from milpcount.counters.probing.potentials import potentials
from milpcount.kernel.descent_state import Batch
from milpcount.tree.descent_tasks import make_walks
from milpcount.tree.subtree_tasks import PackedNetwork
from tests.networks import random_network

BOX = mc.Box(-1, 1)


def estimates(network, number, population, potential, seed=0, leaning=0.0):
    subject = PackedNetwork.pack(network, BOX.bind(network.n_inputs))
    preference = np.zeros((network.n_units, 2))
    leanings = np.full((len(network.layers), 2), leaning)
    batch = Batch(preference, leanings, number, seed, 0, 1, population, potential)
    return make_walks(subject, batch)


@pytest.mark.parametrize("shape", [(3, (5, 4)), (4, (3, 4, 3))])
@pytest.mark.parametrize("kind", ["learned", "none", "absurd"])
def test_the_mean_is_the_count_whatever_the_potential(shape, kind):
    network = random_network(11, *shape)
    layers = len(network.layers)
    if kind == "learned":
        potential = potentials(estimates(network, 300, 1, None).moments)
    elif kind == "none":
        potential = np.zeros((layers, 5))
    else:
        potential = np.random.default_rng(0).normal(size=(layers, 5))
    size = np.exp(estimates(network, 100, 4, potential, leaning=0.3).log_size)
    truth = mc.count(network, BOX).lower
    assert abs(size.mean() - truth) <= 5.0 * size.std() / math.sqrt(size.size) + 1e-9 * truth


def test_learned_potentials_lower_the_spread():
    network = random_network(3, 12, (8, 8))
    alone = estimates(network, 300, 1, None)
    together = estimates(network, 60, 8, potentials(alone.moments), seed=1)
    assert together.log_size.std() < 0.7 * alone.log_size.std()
    assert together.population == 8
    assert together.taken.shape == (60, 16)
    assert len(together.transitions) > 100


def test_a_seed_makes_the_same_estimates():
    network, potential = random_network(3, 12, (8, 8)), np.full((2, 5), 0.1)
    first, again, other = (estimates(network, 5, 6, potential, seed=s) for s in (4, 4, 5))
    assert (first.log_size == again.log_size).all()
    assert (first.log_size != other.log_size).any()


def test_a_run_uses_them_where_most_of_the_work_is_above_the_last_layer():
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=shape) for shape in ((40, 60), (20, 40), (2, 20))]
    network = mc.Network.from_arrays(
        weights, [rng.normal(size=n) for n in (40, 20, 2)], output=False
    )
    found, again = (
        mc.count(network, BOX, mc.Probing(probes=48, population=8), seed=1) for _ in "ab"
    )
    assert found.details["walks_for_an_estimate"] == 8
    assert found.details["estimates"] == 16 + 4
    assert (found.lower, found.estimate) == (again.lower, again.estimate)
    alone = mc.count(network, BOX, mc.Probing(probes=48, population=1), seed=1)
    assert alone.details["walks_for_an_estimate"] == 1
