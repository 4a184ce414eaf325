"""Proofs of linear regions, closed linear regions and affine pieces."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.network import leaky_relu, maxout, piecewise_linear, relu
from milpcount.proof import check_linear
from tests import graphs
from tests.networks import random_network
from tests.proof.files import tampered, verdict

QUANTITIES = ["linear_regions", "closed_linear_regions", "affine_pieces"]
CLIP = piecewise_linear([0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0])


def proved(net, domain, folder, quantity, **given):
    path = folder / "count.proof"
    result = mc.count(net, domain, quantity=quantity, proof=path, **given)
    code, line = verdict(folder / "count.proof.npz", path, check_linear.check_further)
    assert code == 0, line
    return result, line


def degenerate(seed, sizes, activation):
    rng, rank = np.random.default_rng(seed), activation.rank
    pairs = list(pairwise(sizes))
    weights = [rng.integers(-1, 2, size=(rank * b, a)) for a, b in pairs]
    biases = [rng.integers(-1, 2, size=rank * b) for _, b in pairs]
    last = rng.integers(-1, 2, size=(1, sizes[-1]))
    return mc.Network.from_arrays([*weights, last], [*biases, [0]], activation=activation)


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("activation", [relu(), leaky_relu(0.25), CLIP, maxout(2)])
@pytest.mark.parametrize("seed", range(2))
def test_degenerate_networks(seed, activation, quantity, tmp_path):
    net = degenerate(seed, [2, 3, 2], activation)
    for domain in mc.Box(-1, 1), mc.Unbounded():
        result, line = proved(net, domain, tmp_path, quantity)
        title = quantity.replace("_", " ")
        assert result.is_exact and line == f"exactly {result.lower} {title} of the same"
