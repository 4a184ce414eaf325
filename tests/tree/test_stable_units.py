"""Units that have one piece on the whole domain, composed before the search."""

import os

import numpy as np
import pytest

import milpcount as mc
from milpcount.formulation.xor import Xor
from milpcount.kernel.descent_state import Batch
from milpcount.kernel.program import compile_program
from milpcount.kernel.stable_units import LEAST_UNITS, reduced
from milpcount.kernel.unit_numbering import Numbering
from milpcount.network import Layer, relu
from milpcount.network.sparse import Sparse
from milpcount.tree.descent_tasks import walking
from milpcount.tree.search import Search
from tests.networks import random_network
from tests.reduction import difference, drawn, searched, settled

NETWORKS = int(os.environ.get("REDUCED_NETWORKS", "1500"))


def box(network: mc.Network, radius: float, seed: int = 0) -> mc.Box:
    centre = np.random.default_rng(seed).normal(size=network.n_inputs)
    return mc.Box(centre - radius, centre + radius)


def band(seed: int, n: int, width: int, depth: int) -> mc.Network:
    """Return a network of many units, each of which reads five neighbours."""
    random, layers, before = np.random.default_rng(seed), [], n
    for _ in range(depth):
        weight = np.zeros((width, before))
        for i in range(width):
            at = (i * before // width + np.arange(min(5, before))) % before
            weight[i, at] = random.normal(size=at.size)
        layers.append(Layer(Sparse(weight, random.normal(size=width)), relu()))
        before = width
    return mc.Network(tuple(layers))


@pytest.mark.parametrize("seed", range(24))
def test_regions_and_patterns_are_the_exact_ones(seed: int) -> None:
    assert difference(*drawn(seed)) is None


@pytest.mark.slow
@pytest.mark.parametrize("part", range(6))
def test_they_are_on_many_networks(part: int) -> None:
    found = {}
    for seed in range(24 + part, NETWORKS, 6):
        try:
            found[seed] = difference(*drawn(seed))
        except mc.errors.DomainError:
            continue  # a polytope without interior
    assert {seed: text for seed, text in found.items() if text} == {}


def test_what_is_drawn_has_settled_units_and_live_ones() -> None:
    shares = []
    for seed in range(24):
        network, domain = drawn(seed)
        layout = compile_program(network, domain.bind(network.n_inputs), reduce=True)
        shares.append(settled(layout) / network.n_units)
    assert sum(0 < share < 0.99 for share in shares) >= 8


def test_a_deep_network_is_reduced_by_itself_and_counted_as_it_was() -> None:
    network = band(1, 5, 120, 3)
    domain = box(network, 0.02)
    inputs = domain.bind(5)
    layout = compile_program(network, inputs)
    assert network.n_units >= LEAST_UNITS
    assert layout.program.units.shape[0] + settled(layout) == network.n_units
    assert settled(layout) > network.n_units // 2
    found = searched(network, inputs, layout)
    whole = searched(network, inputs, compile_program(network, inputs, reduce=False))
    assert 10 < found.found < 5000
    assert sorted(found.regions.patterns()) == sorted(whole.regions.patterns())
    result = mc.count(network, domain, keep_regions=True)
    assert result.is_exact and result.lower == found.found and result.verify()


def test_where_most_units_split_the_domain_all_are_kept() -> None:
    network = random_network(0, 3, (200, 200))
    inputs = mc.Box(-3, 3).bind(3)
    assert reduced(network, inputs) is None
    assert reduced(random_network(0, 3, (20, 20)), box(network, 1e-6).bind(3)) is None
    assert reduced(network, mc.Unbounded().bind(3), always=True) is None


def test_where_nothing_splits_the_domain_there_is_one_region() -> None:
    network = random_network(2, 3, (6, 5, 4))
    domain = box(network, 1e-9)
    inputs = domain.bind(3)
    layout = compile_program(network, inputs, reduce=True)
    assert layout.program.units.shape[0] == 1
    found = searched(network, inputs, layout)
    assert found.found == 1
    assert next(iter(found.regions.patterns())) == tuple(
        network.pattern(inputs.origin * 0 + [*(0.5 * (inputs.lower + inputs.upper))]).tolist()
    )


class TestNumbers:
    """Whoever uses a search knows all units by the network's numbers."""

    network = random_network(5, 3, (7, 7, 6))
    inputs = box(network, 0.8, 4).bind(3)
    layout = compile_program(network, inputs, reduce=True)

    def patterns(self, **options: object) -> list[tuple[int, ...]]:
        search = searched(self.network, self.inputs, self.layout, **options)
        return sorted(search.regions.patterns())

    def test_there_are_both_kinds(self) -> None:
        assert 2 <= settled(self.layout) < self.network.n_units - 2
        assert len(self.patterns()) > 5

    def test_forced_pieces(self) -> None:
        every = self.patterns()
        for unit in range(self.network.n_units):
            for piece in (0, 1):
                expected = [pattern for pattern in every if pattern[unit] == piece]
                assert self.patterns(forced={unit: piece}) == expected

    def test_what_is_left_is_the_rest(self) -> None:
        every = self.patterns()
        search = Search(self.network, self.inputs, keep=True, program=self.layout)
        for _ in search.run(most=3):
            pass
        found = list(search.regions.patterns())
        for prefix in search.left():
            found += self.patterns(forced=prefix)
        assert sorted(found) == every

    def test_parities_of_all_units(self) -> None:
        random, every = np.random.default_rng(0), self.patterns()
        for _ in range(10):
            units = np.flatnonzero(random.integers(2, size=self.network.n_units))
            xor = Xor(tuple((int(unit), 1) for unit in units), bool(random.integers(2)))
            search = Search(
                self.network, self.inputs, keep=True, parities=True, program=self.layout
            )
            search.add(xor)
            for _ in search.run():
                pass
            assert sorted(search.regions.patterns()) == [p for p in every if xor.holds(p)]

    def test_walks(self) -> None:
        """Their mean estimates the count; pieces taken are those of units that split a cell."""
        units, every = self.network.n_units, self.patterns()
        search = Search(self.network, self.inputs, program=self.layout)
        batch = Batch(np.zeros((units, 2)), np.zeros((3, 2)), 400, 1, 0, 1)
        *_, walked = walking(search, batch)
        assert abs(np.exp(walked.log_size).mean() / len(every) - 1) < 0.3
        assert walked.taken.shape == (400, units)
        settled_units = self.layout.numbering.settled >= 0
        assert (walked.taken[:, settled_units] == -1).all()

    def test_without_settled_units_nothing_is_renumbered(self) -> None:
        plain = Numbering(self.network)
        pattern = np.arange(self.network.n_units)
        assert plain.whole(pattern) is pattern and plain.own(3) == plain.to_network(3) == 3
