"""Random networks on random domains: every count has a proof, and it says the count."""

import os
from itertools import pairwise
from random import Random

import numpy as np
import pytest

import milpcount as mc
from milpcount.network import leaky_relu, maxout, piecewise_linear, relu
from milpcount.proof import check, check_linear
from tests import graphs
from tests.proof.files import verdict

CASES = int(os.environ.get("PROOF_CASES", "30"))
STEPS = piecewise_linear([0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0])
KINDS = [relu(), relu(), leaky_relu(0.25), maxout(3), STEPS]
QUANTITIES = [
    "activation_regions", "activation_patterns",
    "linear_regions", "closed_linear_regions", "affine_pieces",
]  # fmt: skip


def drawn(random):
    """Return a chain of random or of small integer weights, or a graph."""
    if random.random() < 0.25:
        return next(iter(graphs.graphs(1, random.randrange(2**32))))[1]
    rng, kind = np.random.default_rng(random.randrange(2**32)), random.choice(KINDS)
    sizes = [random.randint(1, 3), *(random.randint(1, 4) for _ in range(random.randint(1, 3)))]
    pairs = [(kind.rank * b, a) for a, b in pairwise(sizes)]
    if random.random() < 0.6:
        offset = random.random() < 0.5
        weights = [rng.integers(-2, 3, size=pair) for pair in pairs]
        biases = [rng.integers(-1, 2, size=n) * offset for n, _ in pairs]
    else:
        weights, biases = ([rng.normal(size=s) for s in x] for x in (pairs, [n for n, _ in pairs]))
    return mc.Network.from_arrays(weights, biases, output=False, activation=kind)


def domain(random, n):
    rows = [[random.randint(-2, 2) for _ in range(n)] for _ in range(2)]
    choices = [
        mc.Box(-1, 1),
        mc.Unbounded(),
        mc.Box(0.1, [random.choice([1.0, 2.0, 0.3]) for _ in range(n)]),
        mc.Polytope([*rows, [0] * n], [1, random.choice([1, 2]), 0]),
        mc.Polytope(rows, [1, 2], -1, 1),
        mc.Section([0.1] * n, [[random.choice([1, -1, 0.1]) for _ in range(n)]]),
    ]
    return random.choice(choices)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_count_has_a_proof(tmp_path):
    proof, network = tmp_path / "count.proof", tmp_path / "count.proof.npz"
    for seed in range(CASES):
        random = Random(seed)
        net = drawn(random)
        where = domain(random, net.n_inputs)
        for quantity in QUANTITIES:
            what = check.check if quantity.startswith("activation") else check_linear.check_further
            result = mc.count(net, where, quantity=quantity, proof=proof)
            code, line = verdict(network, proof, what)
            assert code == 0 and result.is_exact, (seed, line)
            assert line.startswith(f"exactly {result.lower} "), (seed, line)
