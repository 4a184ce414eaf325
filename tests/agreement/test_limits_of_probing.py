"""Time limits of a few seconds are kept by probing at a thousand and ten thousand units."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse

import milpcount as mc
from milpcount.network import Network, relu

SECONDS, FACTOR = 3.0, 4.0
"""The limit, and how many times as long a machine that others load may take."""


def wide() -> Network:
    rng = np.random.default_rng(0)
    shapes = pairwise((784, 256, 256, 256, 256))
    weights = [rng.normal(size=(b, a)) * np.sqrt(2.0 / a) for a, b in shapes]
    return Network.from_arrays(weights, [np.zeros(256)] * 4, output=False)


def blocks() -> Network:
    rng = np.random.default_rng(1)
    weights = [
        sparse.block_diag([rng.normal(size=(b, a)) for _ in range(1000)]).tocsr()
        for a, b in pairwise((4, 6, 4))
    ]
    layers = [({k: w}, rng.normal(size=w.shape[0]), relu()) for k, w in enumerate(weights)]
    return Network.from_layers(4000, layers)


@pytest.mark.slow
@pytest.mark.parametrize("make", [wide, blocks])
def test_the_time_is_kept(make: object) -> None:
    network = make()  # type: ignore[operator]
    _ = network.fingerprint
    limits = mc.Limits(seconds=SECONDS)
    result = mc.count(network, mc.Box(-1, 1), mc.Probing(probes=10**6), limits=limits)
    assert result.seconds < FACTOR * SECONDS
    assert 1 <= result.lower <= result.upper
    print(network.architecture, result.status.value, f"{result.seconds:.1f} s", result.details)
