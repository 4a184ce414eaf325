"""What a search of a reduced network says differently of exact arithmetic."""

from typing import Any

import numpy as np

import milpcount as mc
from milpcount.kernel.program import Layout, compile_program
from milpcount.kernel.unit_numbering import LIVE
from milpcount.tree.search import Search
from tests import extremes, graphs

QUANTITIES = ("activation_regions", "activation_patterns")


def searched(network: mc.Network, inputs: Any, layout: Layout, **options: Any) -> Search:
    search = Search(network, inputs, keep=True, program=layout, **options)
    for _ in search.run():
        pass
    return search


def difference(network: mc.Network, domain: Any) -> str | None:
    """Return how the regions or patterns of a reduced network differ from the exact ones."""
    inputs = domain.bind(network.n_inputs)
    layout = compile_program(network, inputs, reduce=True)
    for quantity in QUANTITIES:
        exact = mc.count(network, domain, mc.ExactTree(), quantity=quantity, keep_regions=True)
        assert exact.regions is not None
        expected = sorted(tuple(map(int, region.pattern)) for region in exact.regions)
        search = searched(network, inputs, layout, patterns=quantity == QUANTITIES[1])
        found = sorted(search.regions.patterns())
        if search.found != len(found) or found != expected:
            return f"{quantity}: {len(found)} of {len(expected)}"
    return None


def drawn(seed: int) -> tuple[mc.Network, Any]:
    """Return a network, often a graph or one with degenerate numbers, and mostly a small box."""
    random = np.random.default_rng([seed, 7])
    if seed % 3 == 0:
        network, box = extremes.case(seed)
        if seed % 2:
            network = extremes.with_skips(network, seed)
        return network, box
    _, network = list(graphs.graphs(1 + seed % 27, seed))[-1]
    radius = float(random.choice([1.0, 0.5, 0.125, 1e-3]))
    centre = random.normal(size=network.n_inputs)
    if seed % 5 == 0:
        centre = np.round(2 * centre) / 2
    if seed % 7 == 0 and network.n_inputs > 1:
        normal = random.integers(-1, 2, (1, network.n_inputs)).astype(float)
        bound = normal @ centre + radius / 2
        low, high = centre - radius, centre + radius
        return network, mc.Polytope(normal, bound, lower=low, upper=high)
    return network, mc.Box(centre - radius, centre + radius)


def settled(layout: Layout) -> int:
    """Return how many units are settled."""
    pieces = layout.numbering.settled
    return 0 if pieces is None else int((pieces != LIVE).sum())
