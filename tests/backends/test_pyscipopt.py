from typing import Any

import numpy as np
import pytest

import milpcount as mc
from milpcount import examples
from milpcount.backends.backend import Capability
from milpcount.backends.pyscipopt_model import ENDED, Model
from milpcount.backends.pyscipopt_tree import HandlerTree
from milpcount.backends.registry import find
from milpcount.enumeration.search import STOP
from milpcount.errors import NotInstalledError, OptionError, SolverError
from milpcount.formulation import Formulation, Row, formulate
from milpcount.formulation.linear_program import Builder
from milpcount.limits import Deadline
from milpcount.quantities import Quantity
from milpcount.result import Status
from tests.networks import random_network

REASON = f"PySCIPOpt is not installed: {find('pyscipopt').install}"
needs_scip = pytest.mark.skipif(not find("pyscipopt").is_ready, reason=REASON)
QUANTITIES = [Quantity.ACTIVATION_REGIONS, Quantity.ACTIVATION_PATTERNS]
COUNTSOLS = mc.SolutionPool(backend="pyscipopt", mode="countsols")


@pytest.fixture(scope="module")
def built() -> Formulation:
    return formulate(random_network(1, 2, (5, 5)), mc.Box(-1, 1), form="one_sided")


def told(built: Formulation, answer: Any = None) -> tuple[list[tuple[int, ...]], HandlerTree]:
    found: list[tuple[int, ...]] = []

    def tell(pattern: tuple[int, ...], point: np.ndarray) -> Any:
        found.append(pattern)
        return None if answer is None else answer(found)

    search = HandlerTree(built, tell, Deadline())
    for _ in search.run():
        pass
    return found, search


@needs_scip
class TestOneTree:
    def test_every_pattern_is_told_once(self, built: Formulation) -> None:
        found, search = told(built)
        expected = mc.count(built.network, mc.Box(-1, 1)).lower
        assert len(found) == len(set(found)) == expected == search.state.solutions
        assert search.state.exhausted and search.state.nodes > 0

    def test_rows_that_are_returned_hold_in_the_tree(self, built: Formulation) -> None:
        everything, _ = told(built)
        row = Row(built.columns.z[:4], np.ones(4), -np.inf, 1.0)
        found, search = told(built, lambda found: [row] if len(found) == 1 else None)
        assert set(found[1:]) == {p for p in everything if sum(p[:4]) <= 1} - {found[0]}
        assert search.state.rows == 1 and search.state.exhausted

    def test_the_callback_can_stop_the_search(self, built: Formulation) -> None:
        found, search = told(built, lambda found: STOP if len(found) == 3 else None)
        assert len(found) == 3 and search.state.stopped and not search.state.exhausted

    def test_an_error_in_the_callback_comes_out(self, built: Formulation) -> None:
        def broken(found: list[tuple[int, ...]]) -> None:
            raise ZeroDivisionError("in the callback")

        with pytest.raises(ZeroDivisionError, match="in the callback"):
            told(built, broken)

    def test_nothing_is_written(
        self, built: Formulation, capfd: pytest.CaptureFixture[str]
    ) -> None:
        told(built)
        assert capfd.readouterr() == ("", "")

    def test_a_search_that_accepted_a_solution_is_an_error(self) -> None:
        build = Builder()
        build.columns("x", np.zeros(1), np.ones(1), integer=True)
        model = Model(build.build(), Deadline())
        model.scip.optimize()
        assert model.scip.getStatus() not in ENDED
        with pytest.raises(SolverError, match="'optimal' although every solution was cut off"):
            model.complete()


@needs_scip
class TestCountsols:
    @pytest.mark.parametrize("quantity", QUANTITIES)
    @pytest.mark.parametrize("sizes", [(2, (6, 6)), (3, (8, 8)), (5, (4, 4, 4))])
    def test_patterns_of_real_valued_networks_are_counted_as_such(
        self, sizes: tuple[int, tuple[int, ...]], quantity: Quantity
    ) -> None:
        net = random_network(1, *sizes)
        result = mc.count(net, mc.Box(-1, 1), COUNTSOLS, quantity=quantity)
        assert result.is_exact and result.status is Status.COMPLETE
        assert result.lower == mc.count(net, mc.Box(-1, 1), quantity=quantity).lower

    @pytest.mark.parametrize("quantity", QUANTITIES)
    def test_on_structured_networks_the_bounds_hold_the_count(self, quantity: Quantity) -> None:
        for example in examples.library():
            if isinstance(example.domain, mc.Unbounded):
                continue
            result = mc.count(example.network, example.domain, COUNTSOLS, quantity=quantity)
            assert result.lower <= example.known[quantity] <= result.upper
            open_ = result.upper - result.lower
            assert result.uncertain >= open_
            assert result.status is (Status.UNCERTAIN if result.uncertain else Status.COMPLETE)

    def test_a_count_that_is_stopped_is_a_lower_bound(self) -> None:
        net, limits = random_network(1, 6, (12, 12)), mc.Limits(seconds=1)
        result = mc.count(net, mc.Box(-1, 1), COUNTSOLS, limits=limits)
        assert result.status is Status.TIME_LIMIT and result.upper_source != "this count"
        assert 0 < result.lower < mc.count(net, mc.Box(-1, 1)).lower < result.upper

    def test_it_names_no_patterns(self) -> None:
        for options in {"keep_regions": True}, {}:
            method = COUNTSOLS
            if not options:
                method = mc.SolutionPool("pyscipopt", "countsols", form="one_sided")
            with pytest.raises(OptionError, match=r"names no patterns.*or in mode 'one_tree'$"):
                mc.count(examples.tent(2), mc.Box(0, 1), method, **options)


def test_it_says_what_it_can_do() -> None:
    backend = find("pyscipopt").load()
    assert backend.modes == ("one_tree", "countsols")
    assert {Capability.LAZY_ROWS, Capability.COUNTING} <= backend.capabilities


def test_one_that_is_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyscipopt", None)
    with pytest.raises(NotInstalledError, match=r"'pyscipopt'.*: pip install 'milpcount\[scip\]'$"):
        find("pyscipopt").load().require()
    assert not find("pyscipopt").is_ready
