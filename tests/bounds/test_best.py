"""The registry, asked by cost, against what it replaces: a list of theorems by hand."""

import time

import numpy as np
import pytest

import milpcount as mc
from milpcount.bounds.best import best_upper, naive
from milpcount.bounds.empirical import empirical_bound
from milpcount.bounds.piecewise import hu_zhang_theorem_2
from milpcount.bounds.rectifier import montufar_2017, serra_2018
from milpcount.preactivation import interval_bounds
from milpcount.quantities import Quantity
from tests.bounds import networks

REGIONS = Quantity.ACTIVATION_REGIONS
MAKERS = (networks.rectifier, networks.piecewise, networks.maxouts, networks.mixed)


def by_hand(network, inputs):
    """Return what a list by hand gave for chains."""
    d, widths = inputs.dimension, network.widths
    if not all(layer.activation.is_relu for layer in network.layers):
        cuts = [layer.activation.n_pieces - 1 for layer in network.layers]
        return min(naive(network), hu_zhang_theorem_2(d, widths, cuts))
    if network.n_units > 40_000:
        return montufar_2017(d, widths)
    found = serra_2018(d, widths)
    if network.n_units <= 1_500:
        found = min(found, empirical_bound(network, d, interval_bounds(network, inputs)))
    return found


def random_network(sizes):
    rng = np.random.default_rng(0)
    shapes = list(zip(sizes[1:], sizes, strict=False))
    weights = [rng.normal(size=shape) for shape in shapes]
    return mc.Network.from_arrays(weights, [np.ones(n) for n, _ in shapes])


def test_never_above_the_list_by_hand(capsys):
    below = []
    for make in MAKERS:
        cases = [(make(seed), networks.domain(seed)) for seed in range(60)]
        pairs = []
        for network, domain in cases:
            inputs = domain.bind(network.n_inputs)
            pairs.append((best_upper(network, inputs, REGIONS)[0], by_hand(network, inputs)))
        assert all(new <= old for new, old in pairs)
        below.append(f"{make.__name__} {sum(new < old for new, old in pairs)} of {len(pairs)}")
    with capsys.disabled():
        print(f"\nthe registry is below the list by hand: {', '.join(below)}")


@pytest.mark.parametrize(
    "sizes",
    [(784, 11, 11, 10), (20, *[75] * 20, 1), (784, 512, 512, 512, 10), (4, 20_000, 20_000, 1),
     (3, 20_001, 20_000, 1), (1500, 1500, 1)],
    ids=str,
)  # fmt: skip
def test_never_above_it_where_networks_are_large(sizes):
    if max(sizes[1:-1]) < 2_000:
        network = random_network(sizes)
    else:
        from scipy import sparse

        eye = sparse.eye_array(*sizes[2:0:-1], format="csr")
        layers = [
            ({0: np.ones((sizes[1], sizes[0]))}, np.zeros(sizes[1]), mc.network.relu()),
            ({1: eye}, np.zeros(sizes[2]), mc.network.relu()),
        ]
        network = mc.Network.from_layers(sizes[0], layers)
    inputs = mc.Box(0, 1).bind(sizes[0])
    began = time.process_time()
    upper, _ = best_upper(network, inputs, REGIONS)
    assert time.process_time() - began < 2.0
    assert upper <= by_hand(network, inputs)


def test_a_tiny_network_costs_about_a_millisecond():
    network, inputs = random_network((2, 3, 3, 1)), mc.Box(0, 1).bind(2)
    best_upper(network, inputs, REGIONS)
    times = []
    for _ in range(20):
        began = time.process_time()
        best_upper(network, inputs, REGIONS)
        times.append(time.process_time() - began)
    assert min(times) < 0.004  # with room for a slow machine
