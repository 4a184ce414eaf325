"""Random walks among cells with vertices: their weights are unbiased estimates of the count."""

import numpy as np
import pytest

import milpcount as mc
from milpcount.domain.implied_bounds import with_implied_bounds
from milpcount.kernel.vertex_descent import LEFT_OUT, WALK, VertexWalks, new_walks
from milpcount.kernel.vertex_state import Room
from milpcount.tree.few_inputs import VertexSearch
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
