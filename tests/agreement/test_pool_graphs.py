"""The pool and MBound on networks that are no chains, beside the region tree."""

import pytest

import milpcount as mc
from milpcount.network import Network
from tests.graphs import graphs

BOX = mc.Box(-1, 1)
BACKENDS = ("highs", "scip", "cpsat")
QUANTITIES = ("activation_regions", "activation_patterns")
MOST = 1_000


def patterns(network: Network, method: object, quantity: str) -> set[tuple[int, ...]]:
    result = mc.count(network, BOX, method, quantity=quantity, keep_regions=True)  # type: ignore[arg-type]
    found = {tuple(map(int, region.pattern)) for region in result.regions}
    assert result.lower == result.upper == len(found)
    assert result.verify()
    return found


def agree(network: Network, backends: tuple[str, ...] = BACKENDS) -> None:
    for quantity in QUANTITIES:
        expected = patterns(network, mc.ExactTree(), quantity)
        if len(expected) <= MOST:
            for backend in backends:
                assert patterns(network, mc.SolutionPool(backend), quantity) == expected


@pytest.mark.parametrize("label, network", list(graphs(9, seed=2)), ids=lambda v: str(v)[:16])
def test_backends_agree_with_the_tree(label: str, network: Network) -> None:
    agree(network)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(6))
def test_backends_agree_with_the_tree_often(part: int) -> None:
    for number, (_, network) in enumerate(list(graphs(108))[part::6]):
        agree(network, BACKENDS if number % 3 == 0 else ("highs", "cpsat"))


@pytest.mark.parametrize("size", [2, 3, "dense"])
def test_xor_runs_are_the_same_for_all_backends(size: int | str) -> None:
    some = [case for k, case in enumerate(graphs(36, seed=4)) if k in (9, 14, 25)]
    for label, network in some:
        true = mc.count(network, BOX, mc.ExactTree()).lower
        found = set()
        for backend in ("tree", *BACKENDS):
            method = mc.MBound(size, runs=5, backend=backend)  # type: ignore[arg-type]
            result = mc.count(network, BOX, method, seed=1)
            found.add((result.lower, tuple(result.details["xors"])))
            assert all(result.details["complete"]), (label, backend)
        assert len(found) == 1, (label, found)
        assert found.pop()[0] <= true
