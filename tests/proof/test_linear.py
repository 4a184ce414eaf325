"""Proofs of linear regions, closed linear regions and affine pieces."""

import json
from itertools import pairwise

import numpy as np
import pytest

import milpcount as mc
from milpcount.examples.definitions import nested_minimum
from milpcount.network import leaky_relu, maxout, piecewise_linear, relu
from milpcount.proof import check_linear
from milpcount.proof.writing import write_proof
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


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_the_example_whose_numbers_all_differ(quantity, tmp_path):
    result, line = proved(nested_minimum(), mc.Box(-1, 1), tmp_path, quantity)
    assert result.details["activation_regions"] == 5
    assert line == f"exactly 3 {quantity.replace('_', ' ')} of the same"


def test_regions_that_differ_in_several_units_share_a_facet(tmp_path):
    """ReLU(ReLU(x)) - ReLU(ReLU(-x)) = x has two regions, and one linear region."""
    weights = [[[1.0], [-1.0]], np.eye(2), [[1.0, -1.0]]]
    net = mc.Network.from_arrays(weights, [[0, 0], [0, 0], [0]])
    assert proved(net, mc.Box(-1, 1), tmp_path, "linear_regions")[1].startswith("exactly 1 ")


def test_regions_that_meet_in_a_corner(tmp_path):
    """min(|x|, |y|)-like: opposite cones of one map meet in the origin alone."""
    weights = [[[1, 1], [-1, -1], [1, -1], [-1, 1]], [[1, 1, -1, -1]], [[1]]]
    net = mc.Network.from_arrays(weights, [[0] * 4, [0], [0]])
    numbers = [proved(net, mc.Box(-1, 1), tmp_path, q)[0].lower for q in QUANTITIES]
    assert numbers[0] > numbers[1] >= numbers[2]


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_graphs_sections_and_generic_networks(quantity, tmp_path):
    for label, net in graphs.graphs(2, 1):
        result, line = proved(net, mc.Box(-1, 1), tmp_path, quantity)
        assert line.startswith(f"exactly {result.lower} "), label
    net, section = random_network(1, 3, [6, 5]), mc.Section([0.1] * 3, [[0.3, 0.1, -0.2]])
    for domain in section, mc.Box(-1, 1), mc.Polytope([[1, 1, 0]], [0.5], -1, 1):
        result, line = proved(net, domain, tmp_path, quantity)
        assert line.startswith(f"exactly {result.lower} ")


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_stopped_count_has_the_maps_it_found_and_the_regions_upper_end(quantity, tmp_path):
    net = random_network(3, 3, [8, 6])
    true = mc.count(net, mc.Box(-1, 1), quantity=quantity).lower
    path = tmp_path / "count.proof"
    result = mc.count(net, mc.Box(-1, 1), keep_regions=True, limits=mc.Limits(regions=20))
    given = type(result)(**{**vars(result), "quantity": mc.Quantity(quantity)})
    lower, upper = write_proof(path, net, mc.Box(-1, 1), given)
    code, line = verdict(tmp_path / "count.proof.npz", path, check_linear.check_further)
    assert code == 0 and line.startswith(f"at least {lower}, at most {upper} ")
    assert lower <= true <= upper


NET = degenerate(0, [2, 3, 2], relu())


@pytest.fixture(scope="module", params=["linear_regions", "closed_linear_regions"])
def proof(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("linear")
    for seed in range(40):  # one that has all kinds of steps
        net = degenerate(seed, [2, 4, 2], relu())
        proved(net, mc.Box(-1, 1), folder, request.param)
        section = section_of(folder / "count.proof")
        if section["joined"] and any(section["apart"]):
            return folder / "count.proof"
    raise AssertionError


def section_of(path):
    with np.load(path) as file:
        return json.loads(file["further"].item())


def of_section(change):
    def put(arrays):
        section = json.loads(arrays["further"].item())
        change(section)
        arrays["further"] = np.array(json.dumps(section))

    return put


def claimed(more):
    def change(arrays):
        header = json.loads(arrays["header"].item())
        value = str(int(header["further"]["lower"]) + more)
        header["further"] |= {"lower": value, "upper": value}
        arrays["header"] = np.array(json.dumps(header))

    return change


def both(*changes):
    def change(arrays):
        for one in changes:
            one(arrays)

    return change


def entry(section):
    return next(e for e in section["apart"] if e)[0]


KINDS = {
    "fewer": claimed(-1),
    "more": claimed(1),
    "a join dropped": both(of_section(lambda s: s["joined"].pop()), claimed(1)),
    "a join of others": of_section(lambda s: s["joined"][0].__setitem__(0, 0)),
    "a join of what is not there": of_section(lambda s: s["joined"][0].__setitem__(0, 10**6)),
    "a point moved": of_section(lambda s: s["joined"][0].__setitem__(2, ["7/3", "1/5"])),
    "a point of other dimension": of_section(lambda s: s["joined"][0][2].append("0")),
    "an apartness dropped": of_section(lambda s: next(e for e in s["apart"] if e).pop()),
    "a multiplier turned": of_section(lambda s: entry(s)[2][0].__setitem__(2, "-1")),
    "multipliers dropped": of_section(lambda s: entry(s).__setitem__(2, [])),
    "a multiplier scaled": of_section(lambda s: entry(s)[2][0].__setitem__(2, "12345/7")),
    "a row that is not there": of_section(lambda s: entry(s)[2][0].__setitem__(1, 999)),
}


@pytest.mark.parametrize("change", KINDS.values(), ids=KINDS)
def test_a_change_is_caught(change, proof):
    path = proof
    other = tampered(path, change)
    code, line = verdict(path.with_name("count.proof.npz"), other, check_linear.check_further)
    assert code == 1 and line.startswith("NOT proved: ")
