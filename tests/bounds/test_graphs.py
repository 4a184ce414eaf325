"""Upper bounds on graphs: never below exact counts, equal to the chains' formulas on chains."""

import os
from collections import defaultdict
from math import log2

import numpy as np
import pytest

import milpcount as mc
from milpcount.bounds import any_network, piecewise, rectifier, wiring
from milpcount.bounds.best import best_upper
from milpcount.bounds.case import Case
from milpcount.bounds.empirical import empirical_bound
from milpcount.bounds.empirical_graph import covered_cells
from milpcount.bounds.graph_recursion import count_cells
from milpcount.bounds.layer_cells import layer_cells
from milpcount.domain import Domain
from milpcount.network import Network, leaky_relu, relu
from milpcount.network.activation import clip
from milpcount.preactivation import interval_bounds
from milpcount.quantities import Quantity
from tests.bounds import networks
from tests.graphs import graphs

FEW = int(os.environ.get("BOUND_GRAPHS", "108"))


def domain_of(number: int, n_inputs: int) -> Domain:
    if number % 4 == 3 and n_inputs > 1:
        rng = np.random.default_rng(number)
        flat = int(rng.integers(1, n_inputs))
        directions = rng.normal(size=(flat, n_inputs))
        return mc.Section(rng.normal(size=n_inputs) / 2, directions, mc.Box(-1, 1))
    return (mc.Box(-1, 1), mc.Box(-2, 2), mc.Unbounded())[number % 3]


def check(count: int, seed: int) -> dict[str, list[tuple[int, int, int, int, int]]]:
    """Return patterns, the three bounds and the count of random graphs, by their kind."""
    found = defaultdict(list)
    for number, (label, network) in enumerate(graphs(count, seed)):
        domain = domain_of(number, network.n_inputs)
        exact = mc.count(network, domain)
        assert exact.is_exact, label
        table = mc.bound(network, domain)
        wrong = [bound for bound in table.upper_bounds if bound.value < exact.lower]
        best, _ = best_upper(network, domain.bind(network.n_inputs), Quantity.ACTIVATION_REGIONS)
        assert not wrong and exact.lower <= best <= table.upper, (label, domain, exact, str(table))
        keys = ("naive", "layer-product", "serra2018-any", "serra2020-any")
        values = [int(table[key].value) for key in keys]
        assert values == sorted(values, reverse=True), (label, values)
        found[label.split()[0]].append((*values, exact.lower))
    return found


def summary(found: dict[str, list[tuple[int, int, int, int, int]]]) -> str:
    """Return the means of the base 2 logarithms, and how often 2^N is beaten, as a table."""
    lines = ["| kind | graphs | below all patterns | patterns | product | recursion | with ranges"
             " | count |", "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for kind, rows in found.items():
        below = sum(row[3] < row[0] for row in rows)
        means = " | ".join(f"{sum(map(log2, column)) / len(rows):.2f}"
                           for column in zip(*rows, strict=True))  # fmt: skip
        lines.append(f"| {kind} | {len(rows)} | {below} | {means} |")
    return "\n".join(lines)


def test_no_bound_is_below_a_count() -> None:
    found = check(FEW, seed=7)
    beaten = sum(row[3] < row[0] for rows in found.values() for row in rows)
    assert beaten > FEW / 2


def values(network: Network) -> tuple[int, int]:
    case = Case.of(network, mc.Unbounded().bind(network.n_inputs))
    return any_network.layer_product(case), any_network.recursion(case)


@pytest.mark.parametrize("seed", range(80))
def test_on_chains_they_are_the_formulas_for_chains(seed: int) -> None:
    network = networks.rectifier(seed)
    n_inputs, widths = network.n_inputs, network.widths
    expected = rectifier.montufar_2017(n_inputs, widths), rectifier.serra_2018(n_inputs, widths)
    assert values(network) == expected
    for make in (networks.piecewise, networks.maxouts, networks.mixed):
        network = make(seed)
        cuts = [layer.activation.n_pieces - 1 for layer in network.layers]
        printed = piecewise.hu_zhang_theorem_2(network.n_inputs, network.widths, cuts)
        product, recursion = values(network)
        assert product == printed >= recursion
        if make is networks.maxouts:
            assert recursion == printed


@pytest.mark.parametrize("seed", range(80))
def test_on_chains_of_rectifiers_coverages_give_the_empirical_bound(seed: int) -> None:
    network = networks.rectifier(seed)
    inputs = networks.domain(seed).bind(network.n_inputs)
    for ranges in (None, interval_bounds(network, inputs)):
        layers, readings = covered_cells(network, ranges), wiring.of_graph(network)
        expected = empirical_bound(network, network.n_inputs, ranges)
        assert count_cells(network.n_inputs, layers, readings) == expected


def test_constant_pieces_make_the_recursion_smaller_than_the_product() -> None:
    weights = [np.ones((4, 3)), np.ones((4, 4)), np.ones((4, 4))]
    for unit, smaller in ((clip(0.0, 1.0), True), (leaky_relu(0.1), False)):
        network = mc.Network.from_arrays(weights, [np.zeros(4)] * 3, output=False, activation=unit)
        product, recursion = values(network)
        assert (recursion < product) == smaller


@pytest.mark.parametrize("most", [1, 2, 3])
def test_fewer_states_never_make_it_smaller(most: int) -> None:
    for _, network in graphs(45, seed=3):
        readings, d = wiring.of_graph(network), network.n_inputs
        for layers in ([layer_cells(layer) for layer in network.layers],
                       covered_cells(network, None)):  # fmt: skip
            exact = count_cells(d, layers, readings)
            assert exact <= count_cells(d, layers, readings, most_states=most)


def carried(seed: int) -> tuple[Network, Network]:
    """Return a residual block and the chain that carries the skip by rectifiers of h >= 0."""
    rng = np.random.default_rng(seed)
    n, h, k = 2, 3, 2
    first, inner, outer = rng.normal(size=(h, n)), rng.normal(size=(k, h)), rng.normal(size=(h, k))
    a, b, c = rng.normal(size=h), rng.normal(size=k), rng.normal(size=h)
    graph = Network.from_layers(n, [
        ({0: first}, a, relu()), ({1: inner}, b, relu()), ({2: outer, 1: np.eye(h)}, c, relu()),
    ])  # fmt: skip
    chain = Network.from_arrays(
        [first, np.vstack([inner, np.eye(h)]), np.hstack([outer, np.eye(h)])],
        [a, np.concatenate([b, np.zeros(h)]), c],
        output=False,
    )
    return graph, chain


@pytest.mark.parametrize("seed", range(10))
def test_a_skip_written_as_a_chain_of_carried_units(seed: int) -> None:
    graph, chain = carried(seed)
    for domain in (mc.Box(-1, 1), mc.Unbounded()):
        exact = mc.count(graph, domain).lower
        assert exact == mc.count(chain, domain).lower
        uppers = [mc.bound(network, domain).upper for network in (graph, chain)]
        assert min(uppers) >= exact
        assert uppers[0] <= uppers[1]  # carried units are units more


def test_readings_find_bottlenecks() -> None:
    # 1 -> 2 -> 3, with 3 reading 1 too; 4 reads 3; 5 reads 2 and 4, all of which 1 determines.
    found = wiring.readings(
        [[(0, None)], [(1, None)], [(1, None), (2, None)], [(3, None)], [(2, None), (4, None)]]
    )
    assert [reading.dominator for reading in found] == [0, 1, 1, 3, 1]
    assert [reading.determining for reading in found] == [(0,), (1,), (1,), (3,), (2, 4)]
    caps = {0: 9, 1: 3, 2: 2, 3: 5, 4: 4}
    assert [reading.rank(caps) for reading in found] == [9, 3, 3, 5, 3]
    some = wiring.readings([[(0, 2)], [(0, 1), (1, 3)]])
    assert [reading.rank({0: 4, 1: 2}) for reading in some] == [2, 3]
