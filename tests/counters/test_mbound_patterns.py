"""MBound on activation patterns, where they are more than the regions."""

import numpy as np
import pytest

import milpcount as mc
from milpcount.counters.mbound.mbound import MBound
from milpcount.formulation.xor import XorFamily, unstable_variables
from milpcount.limits import Deadline
from tests.networks import network, patterns

PATTERNS = "activation_patterns"
BOX = mc.Box(-1, 1)
RNG = np.random.default_rng(0)
PAIRS = network([np.kron(np.eye(3), [[1.0], [-1.0]])], [np.zeros(6)])
"""ReLU(x), ReLU(-x) three times: 8 regions and 27 patterns."""
CENTRAL = network([RNG.integers(-2, 3, (5, 2)), RNG.integers(-2, 3, (3, 5))], [[0] * 5, [0] * 3])
LATE = network([[[-1.0, 0.0]], [[-1.0], [0.0], [0.0]]], [[1.0], [-1.0, 0.0, 1.0]])
CASES = {
    "pairs": (PAIRS, BOX),
    "no biases": (CENTRAL, BOX),
    "a face of the box": (network([[[1.0]], [[1.0], [-1.0]]], [[0.0], [0.0, 0.5]]), mc.Box(0, 1)),
    "a face of a polytope": (LATE, mc.Polytope([[1.0, 1.0]], [1.0], -1, 1)),
    "a corner": (network([[[1, 2, -1], [0, 2, -1], [-2, -2, 1]]], [[1, 1, -1]]), mc.Box(0, 1)),
}


def enumerated(found, variables, size, seed, runs):
    """The XORs of every run after which no pattern is left."""
    family, needed = XorFamily(variables, size, seed), []
    for run in range(runs):
        left, s = set(found), 0
        while left:
            xor = family.draw(run, s)
            left, s = {pattern for pattern in left if xor.holds(pattern)}, s + 1
        needed.append(s)
    return needed


@pytest.fixture(scope="module", params=CASES)
def case(request):
    net, domain = CASES[request.param]
    variables = unstable_variables(net, domain.bind(net.n_inputs), "lp", Deadline())
    return net, domain, variables, patterns(net, domain, mc.ExactTree(), PATTERNS)


@pytest.mark.parametrize("backend", ["tree", "highs", "scip", "cpsat", "pyomo:highs"])
@pytest.mark.parametrize("size", [2, "dense"])
def test_a_run_ends_when_no_pattern_satisfies_its_xors(case, backend, size):
    net, domain, variables, found = case
    assert len(found) > mc.count(net, domain).lower
    for seed in range(4 if backend == "tree" else 1):
        method = MBound(size, 5, backend=backend)
        result = mc.count(net, domain, method, quantity=PATTERNS, seed=seed)
        assert result.details["xors"] == enumerated(found, variables, size, seed, 5)
        assert result.details["complete"] == [True] * 5
        assert result.quantity is mc.Quantity.ACTIVATION_PATTERNS


@pytest.mark.parametrize("backend", ["tree", "cpsat"])
def test_the_hybrid_form_counts_the_patterns_that_the_xors_leave(case, backend):
    net, domain, variables, found = case
    method = MBound("dense", 6, backend=backend, hybrid=8)
    result = mc.count(net, domain, method, quantity=PATTERNS, seed=2)
    family = XorFamily(variables, "dense", 2)
    for run, counted in enumerate(result.details["counted"]):
        xors = [family.draw(run, k) for k in range(result.details["s"])]
        assert counted == min(8, sum(all(x.holds(p) for x in xors) for p in found))


def test_units_that_are_zero_on_a_face_only_are_free():
    net, domain = CASES["a face of the box"]  # ReLU(x) on [0, 1]: active, but not at 0
    assert unstable_variables(net, domain.bind(1), "lp", Deadline())[0] == (0, 1)


def test_regions_that_only_exact_arithmetic_finds():
    # Lines 2^-50 apart: XORs that come with a thin region say nothing of the sides beside it.
    net = network([[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]], [[0.25, 0.25 + 2.0**-50, 0.0]])
    found, free = patterns(net, BOX, mc.ExactTree()), tuple((unit, 1) for unit in range(3))
    assert len(found) == 6
    for seed in range(10):
        result = mc.count(net, BOX, MBound("dense", 5), seed=seed)
        assert result.details["xors"] == enumerated(found, free, "dense", seed, 5)


@pytest.mark.parametrize("size", [2, "dense"])
@pytest.mark.parametrize("hybrid", [None, 8])
def test_the_claim_holds(size, hybrid):
    two = network([np.kron(np.eye(2), [[1.0], [-1.0]])], [np.zeros(4)])  # 4 regions, 9 patterns
    method = MBound(size, 5, hybrid=hybrid, tighten="interval")
    bounds = [mc.count(two, BOX, method, quantity=PATTERNS, seed=s).lower for s in range(20)]
    # A bound is wrong with a probability of 5 % at most: 6 or more of 20 are one in 3,000.
    assert sum(bound > 9 for bound in bounds) <= 5
    assert max(bounds) > 2


@pytest.mark.slow
@pytest.mark.parametrize(("net", "exact"), [(PAIRS, 27), (CENTRAL, None)])
@pytest.mark.parametrize("size", [2, 5, "dense"])
@pytest.mark.parametrize("hybrid", [None, 8])
def test_the_claim_holds_over_many_seeds(net, exact, size, hybrid):
    exact = exact or mc.count(net, BOX, quantity=PATTERNS).lower
    method = MBound(size, hybrid=hybrid, tighten="interval")
    bounds = [mc.count(net, BOX, method, quantity=PATTERNS, seed=s).lower for s in range(200)]
    # 21 or more failures of 200 have a probability below 1 in 1,000 if a failure has 5 %.
    assert sum(bound > exact for bound in bounds) <= 20
