from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

import milpcount as mc
from milpcount.counters.brute_force import BruteForce
from milpcount.enumeration.no_good import no_good
from milpcount.enumeration.one_tree import OneTree
from milpcount.enumeration.search import STOP, Parity, SearchState
from milpcount.formulation import Formulation, Row, formulate
from milpcount.limits import Deadline
from milpcount.network import Network


def random_network(seed: int, *sizes: int) -> Network:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(b, a)) for a, b in pairwise(sizes)]
    return Network.from_arrays(weights, [0.3 * rng.normal(size=b) for b in sizes[1:]], output=False)


def finish(tree: OneTree) -> SearchState:
    for _ in tree.run():
        pass
    return tree.state


def all_patterns(built: Formulation) -> set[tuple[int, ...]]:
    found: set[tuple[int, ...]] = set()
    finish(OneTree(built, lambda pattern, point: found.add(pattern)))
    return found


@pytest.fixture(scope="module")
def built() -> Formulation:
    return formulate(random_network(1, 2, 5, 5), mc.Box(-1, 1))


def test_every_pattern_is_told_once_with_a_point_of_its_own(built: Formulation) -> None:
    told: list[tuple[int, ...]] = []

    def tell(pattern: tuple[int, ...], point: np.ndarray) -> None:
        told.append(pattern)
        assert tuple(built.network.pattern(point)) == pattern

    state = finish(OneTree(built, tell))
    exact = mc.count(built.network, mc.Box(-1, 1), BruteForce()).lower
    assert len(told) == len(set(told)) == state.solutions == exact
    assert state.exhausted and not state.stopped and state.share == 1.0


def test_the_callback_can_stop_the_search(built: Formulation) -> None:
    told: list[tuple[int, ...]] = []

    def three(pattern: tuple[int, ...], point: np.ndarray) -> object:
        told.append(pattern)
        return STOP if len(told) == 3 else None

    state = finish(OneTree(built, three))  # type: ignore[arg-type]
    assert len(told) == 3 and state.stopped and not state.exhausted
    assert state.share is not None and state.share < 1


@pytest.mark.parametrize("unit", [0, 4, 7])
def test_rows_that_are_returned_hold_from_then_on(built: Formulation, unit: int) -> None:
    patterns = all_patterns(built)
    told: list[tuple[int, ...]] = []

    def same_side(pattern: tuple[int, ...], point: np.ndarray) -> Sequence[Row]:
        told.append(pattern)
        side = float(pattern[unit])
        return [Row(built.columns.z[[unit]], np.ones(1), side, side)] if len(told) == 1 else []

    state = finish(OneTree(built, same_side))
    assert set(told) == {p for p in patterns if p[unit] == told[0][unit]}
    assert state.rows == 1


def test_parity_rows_leave_the_patterns_of_that_parity(built: Formulation) -> None:
    # The hull of the points of odd parity of three units: four rows, given at the first pattern.
    patterns, units = all_patterns(built), [1, 5, 8]
    rows = []
    for ones in ([], [0, 1], [0, 2], [1, 2]):
        signs = np.array([1.0 if k in ones else -1.0 for k in range(3)])
        rows.append(Row(built.columns.z[units], signs, -np.inf, len(ones) - 1.0))
    told: list[tuple[int, ...]] = []

    def odd(pattern: tuple[int, ...], point: np.ndarray) -> Sequence[Row]:
        told.append(pattern)
        return rows if len(told) == 1 else []

    finish(OneTree(built, odd))
    assert len(told) == len(set(told))
    wanted = {p for p in patterns if sum(p[u] for u in units) % 2}
    assert set(told[1:]) == wanted - {told[0]}


@pytest.mark.parametrize("units", [(1, 5, 8), (0,), (9, 2), tuple(range(10))])
@pytest.mark.parametrize("odd", [False, True])
def test_parities_are_enforced_as_they_are(
    built: Formulation, units: tuple[int, ...], odd: bool
) -> None:
    patterns = all_patterns(built)
    parity = Parity(tuple(int(built.columns.z[u]) for u in units), odd)
    told: list[tuple[int, ...]] = []

    def tell(pattern: tuple[int, ...], point: np.ndarray) -> Sequence[Parity]:
        told.append(pattern)
        return [parity] if len(told) == 1 else []

    state = finish(OneTree(built, tell))
    assert state.exhausted and state.share == 1.0 and len(told) == len(set(told))
    wanted = {p for p in patterns if sum(p[u] for u in units) % 2 == odd}
    assert set(told[1:]) == wanted - {told[0]}


def test_no_goods_change_nothing_in_a_tree_that_tells_each_pattern_once(
    built: Formulation,
) -> None:
    patterns, told = all_patterns(built), set()
    free = np.arange(built.columns.z.size)

    def cut(pattern: tuple[int, ...], point: np.ndarray) -> Sequence[Row]:
        told.add(pattern)
        return [no_good(built.columns.z, pattern, free)]

    state = finish(OneTree(built, cut))
    assert told == patterns and state.rows == len(patterns)


def test_rows_on_inputs_cut_the_domain(built: Formulation) -> None:
    half = Row(built.columns.t[[0]], np.ones(1), -np.inf, 0.0)
    told: list[tuple[int, ...]] = []

    def left(pattern: tuple[int, ...], point: np.ndarray) -> Sequence[Row]:
        told.append(pattern)
        return [half] if len(told) == 1 else []

    finish(OneTree(built, left))
    expected = all_patterns(formulate(built.network, mc.Box([-1, -1], [0, 1])))
    assert expected <= set(told) <= expected | {told[0]}


def test_the_deadline_ends_the_search_with_its_state() -> None:
    tree = OneTree(
        formulate(random_network(2, 6, 12, 12), mc.Box(-1, 1)),
        lambda pattern, point: None,
        deadline=Deadline(0.3),
    )
    state = finish(tree)
    assert state.solutions > 0 and not state.exhausted
    assert state.share is not None and 0 < state.share < 1
