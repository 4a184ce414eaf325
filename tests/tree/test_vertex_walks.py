"""Random walks among cells with vertices: their weights are unbiased estimates of the count."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import milpcount as mc
from milpcount.domain.implied_bounds import with_implied_bounds
from milpcount.kernel.vertex_descent import LEFT_OUT, WALK, VertexWalks, new_walks
from milpcount.kernel.vertex_state import Room
from milpcount.tree.few_inputs import VertexSearch
from milpcount.tree.vertex_walks import can_be_walked
from tests.graphs import KINDS
from tests.tree.test_vertices import case

Array = np.ndarray


def walked(
    net: mc.Network,
    domain: mc.Box | mc.Polytope,
    walks: int,
    power: float = 1.0,
    budget: int = 9999,
) -> tuple[VertexWalks, VertexSearch]:
    search = VertexSearch(net, with_implied_bounds(domain.bind(net.n_inputs)))
    units, pieces = search.program.units.shape[0], int(search.program.units[:, 5].max())
    random = np.random.default_rng(0)
    made = new_walks(
        random.normal(size=(units, pieces)) * 0.3, np.full(len(net.layers), power), walks, seed=1
    )
    while not search.walk(made, budget):
        pass
    assert made.control[WALK] == walks
    return made, search


def assert_mean(log_size: Array, expected: int) -> None:
    sizes = np.exp(log_size)
    error = sizes.std() / np.sqrt(sizes.size)
    assert abs(sizes.mean() - expected) <= 5.0 * error + 1e-9 * expected


def test_three_regions_by_hand() -> None:
    # ReLU(x - 1/2) and ReLU(-x - 1/2) on [-1, 1]. The first unit splits it 3 : 1; the second then
    # splits the left part, of which it is the last: both of its regions are counted.
    net = mc.Network.from_arrays([[[1.0], [-1.0]]], [[-0.5, -0.5]], output=False)
    search = VertexSearch(net, mc.Box(-1, 1).bind(1))
    made = new_walks(np.zeros((2, 2)), np.ones(1), 40, seed=0)
    while not search.walk(made, 1000):
        pass
    left = made.taken[:, 0] == 0
    assert 0 < left.sum() < 40
    assert np.exp(made.log_size[left]) == pytest.approx(2 / 0.75)
    assert np.exp(made.log_size[~left]) == pytest.approx(1 / 0.25)


@pytest.mark.parametrize("seed", [0, 16, 32])
def test_by_probing(seed: int) -> None:
    net, box = case(seed)
    found = mc.count(net, box, mc.Probing(probes=300), seed=1)
    assert found.details["by_vertices"] == can_be_walked(net, box.bind(net.n_inputs))
    right = mc.count(net, box).lower
    assert found.lower <= right
    error = found.details["relative_standard_error_of_the_estimate_no_guarantee"]
    assert abs(2.0 ** found.details["log2_estimate"] / right - 1.0) <= 5.0 * error + 1e-9
    with ThreadPoolExecutor(2) as pool:
        again = mc.count(net, box, mc.Probing(probes=300), seed=1, executor=pool)
    assert again.estimate == found.estimate


def test_corners_that_regions_meet_in_are_left_to_other_walks() -> None:
    net = mc.Network.from_arrays([np.eye(2), [[1.0, -1.0]]], [[0.0, 0.0], [0.0]], output=False)
    assert not can_be_walked(net, mc.Box(-1, 1).bind(2))
    found = mc.count(net, mc.Box(-1, 1), mc.Probing(probes=100))
    assert not found.details["by_vertices"]


@pytest.mark.parametrize("power", [0.0, 1.0])
@pytest.mark.parametrize("seed", [0, 1, 7, 8, 9, 16, 17, 25])
def test_their_mean_is_the_number_of_regions(seed: int, power: float) -> None:
    net, box = case(seed)
    made, _ = walked(net, box, 4000, power)
    if made.control[LEFT_OUT] == 0:
        assert_mean(made.log_size, mc.count(net, box).lower)


def test_most_of_these_leave_nothing_out() -> None:
    nets = [case(seed) for seed in (0, 1, 7, 8, 9, 16, 17, 25)]
    assert sum(walked(*one, 50)[0].control[LEFT_OUT] == 0 for one in nets) >= 5


@pytest.mark.parametrize("seed", [2, 3, 4, 5, 10, 11, 12])
def test_what_is_left_out_makes_them_smaller(seed: int) -> None:
    net, box = case(seed)
    made, _ = walked(net, box, 1000)
    sizes, right = np.exp(made.log_size), mc.count(net, box).lower
    assert sizes.mean() <= right + 5.0 * sizes.std() / np.sqrt(sizes.size) + 1e-9 * right


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_units_of_several_rows_and_graphs(kind: object) -> None:
    net = kind(np.random.default_rng(1), 3, False)  # type: ignore[operator]
    made, _ = walked(net, mc.Box(-2, 2), 3000)
    if made.control[LEFT_OUT] == 0:
        assert_mean(made.log_size, mc.count(net, mc.Box(-2, 2)).lower)


def test_a_polytope() -> None:
    net, _ = case(9)
    random = np.random.default_rng(0)
    domain = mc.Polytope(
        np.vstack(
            [random.normal(size=(4, net.n_inputs)), np.eye(net.n_inputs), -np.eye(net.n_inputs)]
        ),
        np.full(4 + 2 * net.n_inputs, 1.0),
    )
    made, _ = walked(net, domain, 4000)
    assert made.control[LEFT_OUT] == 0
    assert_mean(made.log_size, mc.count(net, domain).lower)


def test_pauses_and_more_room_change_nothing() -> None:
    random = np.random.default_rng(0)
    net = mc.Network.from_arrays(
        [random.normal(size=(40, 3)), random.normal(size=(60, 40)), random.normal(size=(40, 60))],
        [random.normal(size=40) * 0.3, random.normal(size=60) * 0.3, random.normal(size=40) * 0.3],
        output=False,
    )  # fmt: skip
    one, _ = walked(net, mc.Box(-1, 1), 50)
    two, search = walked(net, mc.Box(-1, 1), 50, budget=1)
    assert np.array_equal(one.log_size, two.log_size) and np.array_equal(one.taken, two.taken)
    assert Room.of(search.state) >= Room(64, 32 + 2**4, 512 + 2**7)
    assert np.exp(one.log_size).mean() > 1000
