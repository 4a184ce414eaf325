from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest

import milpcount as mc
from milpcount.backends.cpsat import Decomposition
from milpcount.backends.cpsat_master import nothing_left
from milpcount.enumeration.conflict_clauses import Conflicts, excludes
from milpcount.enumeration.search import STOP, Parity
from milpcount.errors import DomainError, OptionError, SolverError
from milpcount.formulation import Formulation, Row, formulate
from milpcount.limits import Deadline


def random_network(seed: int, *sizes: int) -> mc.Network:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(b, a)) for a, b in pairwise(sizes)]
    biases = [0.3 * rng.normal(size=b) for b in sizes[1:]]
    return mc.Network.from_arrays(weights, biases, output=False)


def integer_network(seed: int, *sizes: int) -> mc.Network:
    rng = np.random.default_rng(seed)
    weights = [rng.integers(-1, 2, size=(b, a)) for a, b in pairwise(sizes)]
    return mc.Network.from_arrays(
        weights, [rng.integers(-1, 2, size=b) for b in sizes[1:]], output=False
    )


def told(built: Formulation, answer: Any = None) -> tuple[list[tuple[int, ...]], Decomposition]:
    found: list[tuple[int, ...]] = []

    def tell(pattern: tuple[int, ...], point: np.ndarray) -> Any:
        found.append(pattern)
        assert tuple(built.network.pattern(point.astype(float))) == pattern
        return None if answer is None else answer(found)

    search = Decomposition(built, tell, Deadline())
    for _ in search.run():
        pass
    return found, search


@pytest.fixture(scope="module")
def built() -> Formulation:
    return formulate(random_network(1, 2, 5, 5), mc.Box(-1, 1))


@pytest.fixture(scope="module")
def patterns(built: Formulation) -> set[tuple[int, ...]]:
    found = mc.count(built.network, mc.Box(-1, 1), keep_regions=True).regions
    assert found is not None
    return {tuple(region.pattern) for region in found}


def test_every_pattern_is_told_once(built: Formulation, patterns: set[tuple[int, ...]]) -> None:
    found, search = told(built)
    assert len(found) == len(set(found)) and set(found) == patterns
    assert search.state.exhausted and search.state.details["learned_clauses"] > 0
    assert search.state.details["lp_checks"] == search.state.lps


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("quantity", ["activation_regions", "activation_patterns"])
def test_clauses_exclude_nothing_that_is_attained(seed: int, quantity: str) -> None:
    net = integer_network(seed, 2, 3, 3, 2) if seed % 2 else random_network(seed, 2, 4, 3)
    built = formulate(net, mc.Box(-1, 1), quantity=quantity, tighten="interval")
    found = mc.count(
        net, mc.Box(-1, 1), mc.BruteForce(), quantity=quantity, keep_regions=True
    ).regions
    assert found is not None
    attained = {tuple(region.pattern) for region in found}
    conflicts = Conflicts(built)
    for pattern in product(*([bit] if bit >= 0 else [0, 1] for bit in built.columns.fixed)):
        point, clauses = conflicts.explain(pattern)
        assert (point is not None) == (pattern in attained)
        assert any(excludes(clause, pattern) for clause in clauses) == (point is None)
        assert not any(excludes(clause, p) for clause in clauses for p in attained)


def test_conflicts_of_lines_in_the_plane_are_short() -> None:
    built = formulate(random_network(3, 2, 9), mc.Box(-1, 1))
    conflicts = Conflicts(built)
    for pattern in product([0, 1], repeat=9):
        _, clauses = conflicts.explain(pattern)
        # Helly: three half-planes, less with the box's sides.
        assert all(len(clause) <= 3 for clause in clauses)


def test_the_callback_can_stop_the_search(built: Formulation) -> None:
    found, search = told(built, lambda found: STOP if len(found) == 3 else None)
    assert len(found) == 3 and search.state.stopped and not search.state.exhausted


@pytest.mark.parametrize("odd", [True, False])
def test_parities_hold_from_then_on(
    built: Formulation, patterns: set[tuple[int, ...]], odd: bool
) -> None:
    units = [0, 4, 8]
    parity = Parity(tuple(int(built.columns.z[u]) for u in units), odd)
    found, _ = told(built, lambda found: [parity] if len(found) == 1 else None)
    wanted = {p for p in patterns if sum(p[u] for u in units) % 2 == odd}
    assert set(found) - {found[0]} == wanted - {found[0]}


def test_parities_are_rows_to_other_backends(
    built: Formulation, patterns: set[tuple[int, ...]]
) -> None:
    from milpcount.backends.highs import Highs

    units, found = [1, 5, 6, 8], []
    parity = Parity(tuple(int(built.columns.z[u]) for u in units), odd=False)

    def tell(pattern: tuple[int, ...], point: np.ndarray) -> list[Parity] | None:
        found.append(pattern)
        return [parity] if len(found) == 1 else None

    for _ in Highs().search(built, tell, "one_tree", Deadline()).run():
        pass
    assert set(found[1:]) == {p for p in patterns if sum(p[u] for u in units) % 2 == 0} - {found[0]}
    with pytest.raises(OptionError, match="2\\^19 rows"):
        Parity(tuple(range(20))).rows()


def test_rows_of_integers_over_states_hold(
    built: Formulation, patterns: set[tuple[int, ...]]
) -> None:
    at_most = Row(built.columns.z[:4], np.ones(4), -np.inf, 2.0)
    found, _ = told(built, lambda found: [at_most] if len(found) == 1 else None)
    assert set(found[1:]) == {p for p in patterns if sum(p[:4]) <= 2} - {found[0]}
    inputs = Row(built.columns.t[:1], np.ones(1), -np.inf, 0.0)
    with pytest.raises(OptionError, match="rows over the units' states"):
        told(built, lambda found: [inputs])


def test_every_status_is_mapped() -> None:
    assert nothing_left("INFEASIBLE")
    assert not any(map(nothing_left, ("OPTIMAL", "FEASIBLE", "UNKNOWN")))
    for status in ("MODEL_INVALID", "SURPRISE"):
        with pytest.raises(SolverError, match=status):
            nothing_left(status)


def test_more_workers_are_refused() -> None:
    assert mc.SolutionPool(backend="cpsat", workers=1).workers == 1
    with pytest.raises(OptionError, match=r"workers=4: .* in parallel"):
        mc.SolutionPool(backend="cpsat", workers=4)


GRID = mc.SolutionPool(backend="cpsat", mode="grid")


@pytest.mark.parametrize("seed", range(3))
def test_a_grid_is_counted_as_by_evaluating_every_point(seed: int) -> None:
    net = integer_network(seed, 3, 5, 4)
    points = np.array(list(product(range(-2, 3), repeat=3)), dtype=float)
    expected = {tuple(p) for p in net.pattern(points)}
    result = mc.count(net, mc.Box(-2, 2.5), GRID, quantity="grid_patterns", keep_regions=True)
    assert result.is_exact and result.regions is not None
    assert {tuple(r.pattern) for r in result.regions} == expected
    assert result.quantity is mc.Quantity.GRID_PATTERNS and "regions" not in result.rows()[0][0]
    assert "not regions" in result.details["counted"]
    for region in result.regions:
        assert tuple(net.pattern(region.witness)) == tuple(region.pattern)


def test_quantised_weights_are_integers_over_a_power_of_two() -> None:
    net = mc.Network.from_arrays([[[0.25], [-0.5]], [[0.75, 0.5]]], [[-0.5, 1.0], [-0.25]],
                                 output=False)  # fmt: skip
    expected = {tuple(p) for p in net.pattern(np.arange(-4.0, 9.0)[:, None])}
    result = mc.count(net, mc.Box(-4, 8), GRID, quantity="grid_patterns")
    assert result.is_exact and result.lower == len(expected)


def test_a_grid_says_what_it_cannot_count() -> None:
    net = integer_network(0, 2, 3)
    with pytest.raises(OptionError, match="grid_patterns are counted by backend 'cpsat'"):
        mc.count(net, mc.Box(-1, 1), GRID)
    with pytest.raises(OptionError, match="grid_patterns are counted by backend 'cpsat'"):
        mc.count(net, mc.Box(-1, 1), mc.SolutionPool(), quantity="grid_patterns")
    with pytest.raises(DomainError, match="integer inputs"):
        mc.count(net, mc.Box(0.1, 0.9), GRID, quantity="grid_patterns")
    with pytest.raises(DomainError, match="give a Box"):
        segment = mc.Section(np.zeros(2), np.ones((1, 2)), mc.Box(-1, 1))
        mc.count(net, segment, GRID, quantity="grid_patterns")
    with pytest.raises(OptionError, match="not quantised"):
        mc.count(random_network(0, 2, 3, 3), mc.Box(-1, 1), GRID, quantity="grid_patterns")
