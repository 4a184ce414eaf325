"""Linear regions, closed ones and affine pieces: known numbers, polygons, laws, limits."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import milpcount as mc
from milpcount.errors import OptionError
from milpcount.examples import stargalla_2025
from milpcount.network import leaky_relu, piecewise_linear
from tests.partition.polygon_truth import NAMES
from tests.partition.two_inputs import chain, difference, networks

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
JOINED = NAMES[1:]
METHODS = (mc.RegionTree(), mc.ExactTree(), mc.BruteForce(), mc.SolutionPool())


def numbers(network, domain, method=None):
    found = []
    for name in NAMES:
        result = mc.count(network, domain, method, quantity=name)
        assert result.is_exact and result.status is mc.Status.COMPLETE, str(result)
        assert result.quantity.value == name
        found.append(result.lower)
    return tuple(found)


def known_networks():
    """Networks whose four numbers are known; none where the shared data is not there."""
    if not DATA.is_dir():
        return []
    found = []
    for name, entry in json.loads((DATA / "graphs" / "expected.json").read_text()).items():
        expected = tuple(entry[n] for n in NAMES)
        found.append(pytest.param(DATA / "graphs" / name, entry["box"], expected, id=name))
    deep = {one["name"]: one for one in json.loads((DATA / "deep_networks.json").read_text())}
    for name, entry in json.loads((DATA / "definitions.json").read_text()).items():
        expected = tuple(entry[n] for n in NAMES)
        found.append(pytest.param(deep[name], deep[name]["box"], expected, id=name))
    return found


@pytest.mark.skipif(not DATA.is_dir(), reason=f"the shared data is not at {DATA}")
@pytest.mark.parametrize(("source", "box", "expected"), known_networks())
def test_known_numbers(source, box, expected):
    if isinstance(source, Path):
        network, domain = mc.Network.load(source), mc.Box(*box)
    else:
        output = len(source["W"]) > len(source["widths"])
        network = mc.Network.from_arrays(source["W"], source["b"], output=output)
        domain = mc.Box(*np.array(box).T)
    assert numbers(network, domain) == expected


IDENTITY = mc.Network.from_arrays(
    [[[1.0], [-1.0]], [[1.0, 0.0], [0.0, 1.0]], [[1.0, -1.0]]], [[0, 0], [0, 0], [0]]
)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_the_identity_by_two_units_has_one_linear_region(method):
    # ReLU(ReLU(x)) - ReLU(ReLU(-x)) = x: its two patterns differ in all four units
    assert numbers(IDENTITY, mc.Box(-1, 1), method) == (2, 1, 1, 1)
    assert numbers(IDENTITY, mc.Unbounded(), mc.RegionTree()) == (2, 1, 1, 1)


def test_pieces_of_one_map_that_touch_in_a_corner_only():
    # f(x, y) = min(ReLU(x), ReLU(y)) + min(ReLU(-x), ReLU(-y)) is zero for x y <= 0: in two
    # quadrants that meet in the origin. min(a, b) = a - ReLU(a - b).
    network = mc.Network.from_arrays(
        [
            [[1, 0], [0, 1], [-1, 0], [0, -1]],
            [[1, 0, 0, 0], [1, -1, 0, 0], [0, 0, 1, 0], [0, 0, 1, -1]],
            [[1, -1, 1, -1]],
        ],
        [[0] * 4, [0] * 4, [0]],
    )
    regions, linear, closed, maps = numbers(network, mc.Box(-1, 1))
    assert (linear, closed, maps) == (6, 5, 5)
    assert regions >= linear
    assert numbers(network, mc.Box(-1, 1), mc.ExactTree()) == (regions, linear, closed, maps)


FOLD = ([[1], [1], [-1]], [-1, -2, 4])
"""5 h1 - 4 h2 + 3 h3 falls to 9, rises to 11, falls to 7 and rises again."""


@pytest.mark.parametrize(
    ("weights", "biases", "expected"),
    [
        ([[-5, 4, -3]], [10], (8, 7, 7, 5)),
        ([[5, -4, 3]], [-10], (8, 6, 6, 5)),
        ([[-5, 4, -3], [-5, 4, -3]], [10, 9.5], (12, 11, 11, 9)),
    ],
)
def test_dead_cells_of_a_fold_merge(weights, biases, expected):
    # the most activation regions that 1-3-1 and 1-3-2 have on all of R, 8 and 12, and fewer others
    network = mc.Network.from_arrays([FOLD[0], weights], [FOLD[1], biases], output=False)
    assert numbers(network, mc.Unbounded()) == expected
    assert numbers(network, mc.Unbounded(), mc.ExactTree()) == expected


def test_against_polygons():
    for label, network in networks(30, 100):
        assert difference(label, network) is None


def test_exact_tree_and_polygons():
    for label, network in networks(4, 200):
        assert difference(label, network, mc.ExactTree()) is None


def random_cases(count, seed):
    for number in range(count):
        random = np.random.default_rng([seed, number, 1])
        yield chain(random), random


def test_laws():
    for network, random in random_cases(8, 1):
        box = mc.Box(-2, 2)
        regions, linear, closed, maps = found = numbers(network, box)
        assert maps <= closed <= linear <= regions
        # units in another order
        weights = [m.weight.copy() for m in network.maps]
        biases = [m.bias.copy() for m in network.maps]
        unit = network.layers[0].activation
        if unit.rank == 1:
            order = random.permutation(len(biases[0]))
            weights[0], biases[0] = weights[0][order], biases[0][order]
            weights[1] = weights[1][:, order]
            shuffled = mc.Network.from_arrays(weights, biases, activation=unit)
            assert numbers(shuffled, box) == found
        if unit.is_relu:
            # powers of two move through a rectifier
            scale = 2.0 ** random.integers(-3, 4, size=len(biases[0]))
            weights[0], biases[0] = weights[0] * scale[:, None], biases[0] * scale
            weights[1] = weights[1] / scale
            assert numbers(mc.Network.from_arrays(weights, biases), box) == found
        # a unit that nothing reads cuts activation regions only
        row = random.integers(-2, 3, size=(unit.rank, 2))
        weights[0] = np.concatenate([weights[0], row])
        biases[0] = np.concatenate([biases[0], np.zeros(unit.rank)])
        weights[1] = np.concatenate([weights[1], np.zeros((len(weights[1]), 1))], axis=1)
        dead = mc.Network.from_arrays(weights, biases, activation=unit)
        assert numbers(dead, box)[1:] == found[1:]


@pytest.mark.parametrize("domain", [mc.Box(-1, 1), mc.Unbounded()], ids=lambda d: d.title)
def test_zero_output_weights_leave_one_linear_region(domain):
    random = np.random.default_rng(0)
    network = mc.Network.from_arrays(
        [random.normal(size=(7, 2)), random.normal(size=(4, 7)), np.zeros((2, 4))],
        [random.normal(size=7), random.normal(size=4), np.ones(2)],
    )
    regions, *others = numbers(network, domain)
    assert regions > 20 and others == [1, 1, 1]


def test_maps_are_compared_on_the_domain_only():
    # |x - y| and 0 are the same on the line x = y
    network = mc.Network.from_arrays([[[1, -1], [1, 1]], [[1, 1]]], [[0, 0], [0]])
    assert numbers(network, mc.Box(-1, 1)) == (4, 4, 4, 4)
    line = mc.Section([0, 0], [[1, 1]], mc.Box(-1, 1))
    assert numbers(network, line) == (2, 2, 2, 2)
    anti = mc.Section([0, 0], [[1, -1]], mc.Box(-1, 1))
    assert numbers(network, anti) == (2, 2, 2, 2)


def test_one_ulp_makes_two_maps():
    up = np.nextafter(1.0, 2.0)
    network = mc.Network.from_arrays([[[1.0], [-1.0]], [[up, -1.0]]], [[0, 0], [0]])
    assert numbers(network, mc.Box(-1, 1)) == (2, 2, 2, 2)
    network = mc.Network.from_arrays([[[1.0], [-1.0]], [[1.0, -1.0]]], [[0, 0], [0]])
    assert numbers(network, mc.Box(-1, 1)) == (2, 1, 1, 1)


def test_numbers_at_the_ends_of_float64():
    # without output layer the two units are the outputs: maps (1e300 x, 0) and (0, -1e300 x)
    for size in (1e300, 5e-324):
        network = mc.Network.from_arrays([[[size], [-size]], [[1.0, -1.0]]], [[0, 0], [0]])
        assert numbers(network, mc.Box(-1e300, 1e300)) == (2, 1, 1, 1)


def test_a_network_without_units():
    network = mc.Network.from_arrays([[[1.0, 2.0]]], [[0.0]])
    assert numbers(network, mc.Box(-1, 1)) == (1, 1, 1, 1)
    assert mc.count(network, mc.Box(0, 1), quantity="live_regions").lower == 1


def test_live_regions():
    network = mc.Network.from_arrays([[[1.0], [-1.0]], [[1, 0]]], [[-1, -1], [-1]], output=False)
    # x < -1, -1..1, 1..2, 2.. : a unit of both layers is active in the last only
    result = mc.count(network, mc.Box(-4, 4), quantity="live_regions", keep_regions=True)
    assert (result.lower, result.upper, result.details["activation_regions"]) == (1, 1, 4)
    assert [tuple(r.pattern) for r in result.regions] == [(1, 0, 1)]
    assert result.verify()
    wrong = mc.count(network, mc.Box(-4, 4), keep_regions=True).regions
    assert not replace(result, regions=wrong, lower=4, upper=4).verify()


def test_live_regions_are_those_of_relu_chains():
    leaky = mc.Network.from_arrays([[[1.0]]], [[0.0]], output=False, activation=leaky_relu(0.5))
    with pytest.raises(OptionError, match=r"chain of ReLU.*activation_regions"):
        mc.count(leaky, mc.Box(-1, 1), quantity="live_regions")


@pytest.mark.parametrize("name", JOINED)
def test_units_that_jump_are_refused(name):
    step = piecewise_linear([0.0], [0.0, 0.0], [0.0, 1.0])
    network = mc.Network.from_arrays([[[1.0]]], [[0.0]], output=False, activation=step)
    with pytest.raises(OptionError, match="continuous"):
        mc.count(network, mc.Box(-1, 1), quantity=name)


@pytest.mark.parametrize("name", JOINED)
def test_limits(name):
    network = next(net for net, _ in random_cases(1, 7))
    random = np.random.default_rng(3)
    network = mc.Network.from_arrays(
        [random.normal(size=(12, 3)), random.normal(size=(12, 12)), random.normal(size=(1, 12))],
        [random.normal(size=12), random.normal(size=12) - 2, [0]],
    )
    whole = mc.count(network, mc.Box(-1, 1), quantity=name)
    assert whole.is_exact
    some = mc.count(network, mc.Box(-1, 1), quantity=name, limits=mc.Limits(regions=10))
    assert some.status is mc.Status.REGION_LIMIT
    assert 10 <= some.lower <= whole.lower <= some.upper
    brief = mc.count(network, mc.Box(-1, 1), quantity=name, limits=mc.Limits(seconds=0.05))
    assert brief.lower <= whole.lower <= brief.upper
    assert brief.is_exact or brief.status is mc.Status.TIME_LIMIT


def test_an_interrupt_keeps_what_was_shown():
    network = mc.Network.from_arrays(
        [np.random.default_rng(1).normal(size=(14, 4)), np.ones((1, 14))], [np.ones(14), [0]]
    )

    def stop(event):
        if getattr(event, "regions", 0) > 3:
            raise KeyboardInterrupt

    with pytest.raises(mc.Interrupted) as caught:
        mc.count(network, mc.Box(-2, 2), mc.ExactTree(), quantity="linear_regions", listener=stop)
    result = caught.value.result
    assert result.status is mc.Status.INTERRUPTED
    assert 3 < result.lower <= result.upper


def test_in_two_processes():
    from concurrent.futures import ProcessPoolExecutor

    random = np.random.default_rng(3)
    network = mc.Network.from_arrays(
        [random.normal(size=(10, 3)), random.normal(size=(8, 10)), random.normal(size=(1, 8))],
        [random.normal(size=10), random.normal(size=8) - 2, [0]],
    )
    with ProcessPoolExecutor(1) as pool:
        result = mc.count(network, mc.Box(-1, 1), quantity="linear_regions", executor=pool)
    assert result.is_exact
    assert result.lower == mc.count(network, mc.Box(-1, 1), quantity="linear_regions").lower


def test_definitions_differ_on_the_example_of_stargalla_et_al():
    example = stargalla_2025()
    found = numbers(example.network, example.domain)
    assert (patterns(example), *found) == (7, 5, 3, 3, 3)


def patterns(example):
    return mc.count(example.network, example.domain, quantity="activation_patterns").lower


@pytest.mark.parametrize("name", JOINED)
def test_kept_regions_prove_the_count(name, tmp_path):
    for label, network in networks(9, 300):
        result = mc.count(network, mc.Box(-2, 2), quantity=name, keep_regions=True)
        proof = result.verify()
        assert proof and proof.sets == result.lower, label
        path = tmp_path / "regions.npz"
        mc.save_regions(result, path)
        again = mc.load_regions(path, network)
        assert again.quantity is result.quantity and again.verify() == proof
        if len(result.regions) > 1:
            # a list that lacks a region proves no more than there is
            some = replace(again, regions=again.regions[1:])
            assert some.verify().sets <= result.lower
        if result.lower > 1:
            assert not replace(result, lower=result.lower + 1, upper=result.lower + 1).verify()
            assert replace(result, lower=1, upper=result.lower - 1).verify().is_refuted


def test_regions_of_one_map_that_only_a_flip_joins():
    # The output is -2 left of -1 and right of 1, and -|x| - 1 in between: two pieces apart have one
    # map, and each is what lies behind the other's hyperplane x = 0, where neither of them is.
    net = mc.Network.from_arrays(
        [[[1.0], [-1.0]], [[1.0, 1.0], [1.0, 1.0]], [[1.0, -1.0]]],
        [[0.0, 0.0], [-1.0, 1.0], [0.0]],
    )
    assert mc.count(net, mc.Box(-2, 2), quantity="linear_regions").lower == 4
    assert mc.count(net, mc.Box(-2, 2), quantity="affine_pieces").lower == 3
