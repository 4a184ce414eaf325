"""Integer networks as ternary ones: the same function, and the same counts."""

from fractions import Fraction

import numpy as np
import pytest

import milpcount as mc
from milpcount import examples as ex
from milpcount.errors import NetworkError
from milpcount.network import Network, leaky_relu


def integer_network(seed, widths, most=3, *, output=True):
    random = np.random.default_rng(seed)
    sizes = list(zip(widths[1:], widths, strict=False))
    weights = [random.integers(-most, most + 1, size=shape).astype(float) for shape in sizes]
    biases = [random.integers(-most, most + 1, size=n).astype(float) for n in widths[1:]]
    return Network.from_arrays(weights, biases, output=output)


def is_ternary(net):
    numbers = np.concatenate([np.r_[m.weight.ravel(), m.bias] for m in net.maps])
    return set(numbers.tolist()) <= {-1.0, 0.0, 1.0}


def map_at(net, x):
    """Return the affine map that a network computes around a point, bias first, as fractions."""
    eye = np.eye(1 + net.n_inputs, dtype=int)[1:]
    rows, point = np.array([[Fraction(v) for v in row] for row in eye.tolist()]), [Fraction(1), *x]
    for number, affine in enumerate(net.maps):
        rows = np.array([[Fraction(w) for w in row] for row in affine.weight.tolist()]) @ rows
        rows[:, 0] += [Fraction(b) for b in affine.bias.tolist()]
        if number < len(net.layers):
            rows[rows @ point <= 0] = Fraction(0)
    return rows


CASES = [
    (10, (1, 3, 2, 1)),
    (22, (2, 3, 2)),
    (20, (2, 3, 2, 1)),
    (2, (3, 3, 1)),
    (12, (2, 2, 2, 2, 1)),
]


@pytest.mark.parametrize(("seed", "widths"), CASES)
@pytest.mark.parametrize("signed", [False, True])
def test_the_function_is_the_same_region_by_region(seed, widths, signed):
    net = integer_network(seed, widths)
    ternary = ex.to_ternary(net, signed=signed)
    assert is_ternary(ternary) and len(ternary.layers) <= 2 * len(net.layers) + 1
    box = mc.Box(-2 if signed else 0, 3)
    found = mc.count(ternary, box, mc.ExactTree(), keep_regions=True)
    assert found.is_exact and found.lower > 1
    for region in found.regions:  # they cover the box, and on each both are affine
        x = list(region.witness)
        assert (map_at(net, x) == map_at(ternary, x)).all()


@pytest.mark.parametrize(("seed", "widths"), CASES)
def test_counts_are_those_of_the_network(seed, widths):
    net, box = integer_network(seed, widths), mc.Box(0, 3)
    counts = [mc.count(n, box).lower for n in (net, ex.to_ternary(net))]
    assert counts[0] == counts[1]
    inner = mc.Box(Fraction(1, 7), 3)  # where no input is zero, patterns are the same, too
    exact = [
        mc.count(n, inner, mc.ExactTree(), quantity="activation_patterns").lower
        for n in (net, ex.to_ternary(net))
    ]
    assert exact[0] == exact[1]


def test_signed_inputs_add_their_own_boundaries_alone():
    net = Network.from_arrays([[[2.0, 1.0]]], [[-2.0]], output=False)
    counts = [mc.count(n, mc.Box(-3, 3)).lower for n in (net, ex.to_ternary(net, signed=True))]
    # 2 x + y = 2 meets the half-planes on both sides of x = 0 and y = 0, which are cut as well.
    assert counts == [2, 7]


def test_the_folding_network_becomes_one_that_counts_as_the_paper_says():
    folding = ex.folding(3, 2, 2)
    ternary = ex.to_ternary(folding)
    assert is_ternary(ternary)
    assert mc.count(ternary, mc.Box(0, 1)).lower == 3**4 == mc.count(folding, mc.Box(0, 1)).lower
    x = np.random.default_rng(0).integers(0, 65, size=(200, 2)) / 64
    papers = ex.nakahara_ternary(2, 18, 5).network
    np.testing.assert_array_equal(ternary(x).sum(axis=1, keepdims=True), papers(x))


def test_what_is_ternary_stays_as_it_is():
    net = integer_network(0, (2, 3, 2, 1), most=1)
    assert ex.to_ternary(net).fingerprint == net.fingerprint
    bare = integer_network(5, (2, 3), output=False)
    assert ex.to_ternary(bare).output is None


BAD = {
    "a fraction": (
        Network.from_arrays([[[0.5]]], [[0.0]], output=False),
        "a weight of affine map 1",
    ),
    "a bias": (
        Network.from_arrays([[[1.0]], [[1.0]]], [[0.0], [0.1]]),
        "a bias of affine map 2 is",
    ),
    "other units": (
        Network.from_arrays([[[1.0]]], [[0.0]], output=False, activation=leaky_relu(0.5)),
        r"layer 1 has units leaky_relu\(0.5\): only rectifiers",
    ),
    "large ones": (Network.from_arrays([[[1e9]]], [[0.0]], output=False), "1,000,000,000 copies"),
}


@pytest.mark.parametrize("name", BAD)
def test_refused(name):
    net, message = BAD[name]
    with pytest.raises(NetworkError, match=message):
        ex.to_ternary(net)
