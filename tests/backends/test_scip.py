from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import milpcount as mc
from milpcount.backends.scip import EXHAUSTED, LazyTree, mathopt
from milpcount.enumeration.search import STOP
from milpcount.errors import OptionError, SolverError
from milpcount.formulation import Formulation, Row, formulate
from milpcount.limits import Deadline


def random_network(seed: int, *sizes: int) -> mc.Network:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(b, a)) for a, b in pairwise(sizes)]
    biases = [0.3 * rng.normal(size=b) for b in sizes[1:]]
    return mc.Network.from_arrays(weights, biases, output=False)


@pytest.fixture(scope="module")
def built() -> Formulation:
    return formulate(random_network(1, 2, 5, 5), mc.Box(-1, 1), form="one_sided")


def told(built: Formulation, answer: Any = None) -> tuple[list[tuple[int, ...]], LazyTree]:
    found: list[tuple[int, ...]] = []

    def tell(pattern: tuple[int, ...], point: np.ndarray) -> Any:
        found.append(pattern)
        return None if answer is None else answer(found)

    search = LazyTree(built, tell, Deadline())
    for _ in search.run():
        pass
    return found, search


def test_every_pattern_is_told_once_in_one_tree(built: Formulation) -> None:
    found, search = told(built)
    expected = mc.count(built.network, mc.Box(-1, 1)).lower
    assert len(found) == len(set(found)) == expected == search.state.solutions
    assert search.state.exhausted


def test_rows_that_are_returned_hold_in_the_tree(built: Formulation) -> None:
    everything, _ = told(built)
    row = Row(built.columns.z[:4], np.ones(4), -np.inf, 1.0)
    found, search = told(built, lambda found: [row] if len(found) == 1 else None)
    assert set(found[1:]) == {p for p in everything if sum(p[:4]) <= 1} - {found[0]}
    assert search.state.rows == 1 and search.state.exhausted


def test_the_callback_can_stop_the_search(built: Formulation) -> None:
    found, search = told(built, lambda found: STOP if len(found) == 3 else None)
    assert len(found) == 3 and search.state.stopped and not search.state.exhausted


def test_an_error_in_the_callback_comes_out(built: Formulation) -> None:
    def broken(found: list[tuple[int, ...]]) -> None:
        raise ZeroDivisionError("in the callback")

    with pytest.raises(ZeroDivisionError, match="in the callback"):
        told(built, broken)


def test_scip_does_not_litter_stderr(built: Formulation, capfd: pytest.CaptureFixture[str]) -> None:
    told(built)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("engine", ["HIGHS", "CP_SAT"])
def test_engines_without_lazy_rows_are_refused(built: Formulation, engine: str) -> None:
    with pytest.raises(OptionError, match="HIGHS drops lazy rows in silence"):
        LazyTree(built, lambda pattern, point: None, Deadline(), engine)


def test_a_search_that_accepted_a_solution_is_an_error(built: Formulation) -> None:
    search = LazyTree(built, lambda pattern, point: None, Deadline())
    statistics = SimpleNamespace(node_count=1)
    for reason in {one.name for one in mathopt().TerminationReason} - set(EXHAUSTED):
        ended = SimpleNamespace(reason=SimpleNamespace(name=reason), detail="")
        with pytest.raises(SolverError, match=reason):
            search._end(SimpleNamespace(termination=ended, solve_stats=statistics))
    assert set(EXHAUSTED) <= {one.name for one in mathopt().TerminationReason}
