"""The upper end of a running search: never below the count, at any moment, and it never grows."""

from itertools import islice, pairwise

import numpy as np
import pytest

import milpcount as mc
from milpcount.bounds.in_cells import CellBounds
from milpcount.network import Dense, Layer, Network, leaky_relu, maxout, relu
from milpcount.network.activation import clip
from milpcount.tree.closing_bound import Closing, PathBound, bounds_of
from milpcount.tree.few_inputs import VertexSearch, searching
from milpcount.tree.first_layers import FirstLayers
from milpcount.tree.search import Search
from milpcount.types import OPEN
from tests.graphs import graphs
from tests.networks import random_network

UNITS = (relu(), relu(), leaky_relu(0.1), clip(-1, 1), maxout(2), maxout(3))


def chain(rng):
    """Return a small network of any units; some have small integers as weights."""
    sizes = [int(rng.integers(1, 5)), *rng.integers(1, 4, size=int(rng.integers(2, 4))).tolist()]
    kinds = [UNITS[k] for k in rng.integers(0, len(UNITS), size=len(sizes) - 1)]
    weights, biases = [], []
    for (a, b), kind in zip(pairwise(sizes), kinds, strict=True):
        weights.append(rng.normal(size=(b * kind.rank, a)))
        biases.append(rng.normal(size=b * kind.rank) * 0.5)
        if rng.random() < 0.3:
            weights[-1], biases[-1] = np.round(weights[-1]), np.round(biases[-1])
    maps = zip(weights, biases, kinds, strict=True)
    return Network(tuple(Layer(Dense(w, b), kind) for w, b, kind in maps))


def cases(count, seed=0):
    rng = np.random.default_rng(seed)
    some = graphs(count, seed)
    for k in range(count):
        network = next(some)[1] if k % 2 else chain(rng)
        domains = (
            mc.Box(-1, 1),
            mc.Unbounded(),
            mc.Polytope([[1.0] * network.n_inputs], [0.5], lower=-1, upper=1),
            mc.Section([0.1] * network.n_inputs, [[1.0] * network.n_inputs], mc.Box(-1, 1)),
        )
        yield network, domains[k % 4 if k % 3 else 0].bind(network.n_inputs), rng


def engines(network, inputs, patterns, **options):
    yield Search(network, inputs, patterns=patterns, **options)
    if inputs.is_boxed:
        yield searching(network, inputs, patterns=patterns, **options)


def rows_of(search):
    """Return the known pieces in every cell that is open, and in every node of the path."""
    path = search.open_path
    if path is None:
        return np.zeros((0, sum(search.network.widths)), dtype=int)
    rows = [] if path.leaf is None else [path.known(path.leaf)]
    for node in path.nodes:
        rows.append(path.known(node))
        for piece in node.pieces:
            rows.append(path.known(node))
            rows[-1][node.unit] = piece
    if isinstance(search, VertexSearch):
        for pieces in search.handed:
            rows.append(np.full(sum(search.network.widths), OPEN))
            rows[-1][list(pieces)] = list(pieces.values())
    return np.array(rows).reshape(-1, sum(search.network.widths))


def check(network, inputs, rng, patterns):
    """Compare every bound with the patterns of a whole search, at every pause of another."""
    whole = Search(network, inputs, True, patterns=patterns)
    for _ in whole.run():
        pass
    found = np.array(list(whole.regions.patterns())).reshape(-1, sum(network.widths))
    for search in engines(network, inputs, patterns):
        cells = CellBounds(network, inputs, patterns, search.numbering.settled)
        ahead = FirstLayers(network, inputs, 1, cells, patterns, {})
        assert ahead.advance(60.0)
        closing, last = Closing(search), None
        for _ in search.run(budget=int(rng.integers(1, 4))):
            rows = rows_of(search)
            counts = [int(((found == r) | (r == OPEN)).all(axis=1).sum()) for r in rows]
            bounds = cells.of(rows) if len(rows) else []
            assert all(c <= b for c, b in zip(counts, bounds, strict=True))
            if not ahead.is_useless:
                assert all(c <= b for c, b in zip(counts, ahead.of(rows), strict=True))
            upper = closing.look(now=True)
            assert upper is None or len(found) <= upper
            assert last is None or upper <= last
            last = upper
        assert closing.look(now=True) == search.found == len(found)


@pytest.mark.parametrize("patterns", [False, True])
def test_the_bound_of_every_open_cell_holds_at_every_pause(patterns):
    for network, inputs, rng in cases(6):
        check(network, inputs, rng, patterns)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 9))
def test_the_bound_of_every_open_cell_holds_on_many_networks(seed):
    for network, inputs, rng in cases(40, seed):
        for patterns in False, True:
            check(network, inputs, rng, patterns)


def test_the_minimum_is_needed():
    network = random_network(0, 11, (22,))
    cells = CellBounds(network, mc.Box(-1, 1).bind(11))
    rows = np.full((3, 22), OPEN)
    rows[1, 0], rows[2, 0] = 0, 1
    assert cells.of(rows) == [2_449_868, 1_401_292, 1_401_292]


def test_where_the_recursion_has_too_many_terms_the_product_stands_for_it(monkeypatch):
    for network, inputs, rng in cases(20):
        if not network.is_chain:
            continue
        rows = np.full((8, sum(network.widths)), OPEN)
        rows[np.arange(8), rng.integers(0, rows.shape[1], size=8)] = 0
        exact = CellBounds(network, inputs).of(rows)
        with monkeypatch.context() as patch:
            patch.setattr("milpcount.bounds.in_cells._MOST_TERMS", -1)
            product = CellBounds(network, inputs).of(rows)
        assert all(a <= b for a, b in zip(exact, product, strict=True))
    network = random_network(0, 1000, (800, 800, 800))
    upper = CellBounds(network, mc.Box(0, 1).bind(1000)).of(np.full((1, 2400), OPEN))
    assert upper == [2**2400]


def test_what_is_open_is_what_is_left():
    network = random_network(3, 6, (6, 5))
    for search in engines(network, mc.Box(-1, 1).bind(6), False):
        for _ in islice(search.run(budget=20), 40):
            path = search.open_path
            open_cells = sum(len(node.pieces) for node in path.nodes) + (path.leaf is not None)
            handed = len(search.handed) if isinstance(search, VertexSearch) else 0
            assert open_cells + handed == len(search.left())
            upper, uppers = bounds_of(search, CellBounds(network, search.inputs), 1.0)
            assert len(uppers) == len(search.left())
            assert upper <= search.found + sum(uppers)


def test_cells_of_the_first_layers_close_more_than_the_whole():
    network = Network.load("example:mnist-784-4-18.npz")
    inputs = mc.Box(0, 1).bind(784)
    cells = CellBounds(network, inputs)
    ahead = FirstLayers(network, inputs, 1, cells, False, {})
    assert ahead.is_useless
    assert ahead.advance(60.0) and not ahead.is_useless
    everything = np.full((1, 22), OPEN)
    count = mc.count(network, mc.Box(0, 1)).lower
    assert count <= ahead.of(everything)[0] < cells.of(everything)[0]


def test_layers_ahead_are_given_up_where_there_are_too_many_cells(monkeypatch):
    monkeypatch.setattr("milpcount.tree.first_layers.MOST_CELLS", 10)
    network = random_network(0, 6, (8, 2))
    inputs = mc.Box(-1, 1).bind(6)
    ahead = FirstLayers(network, inputs, 1, CellBounds(network, inputs), False, {})
    assert ahead.advance(60.0) and ahead.is_useless


def test_bounds_find_their_pieces_again_when_the_layers_ahead_are_there():
    network = random_network(1, 10, (7, 7))
    inputs = mc.Box(-1, 1).bind(10)
    count = mc.count(network, mc.Box(-1, 1)).lower
    search = Search(network, inputs)
    cells = CellBounds(network, inputs)
    bound = PathBound(cells)
    ahead = FirstLayers(network, inputs, 1, cells, False, {})
    assert ahead.advance(60.0)
    for k, _ in enumerate(search.run(budget=50)):
        if k == 5:
            bound.take(ahead)
        assert bound.at(search.open_path, 0.0 if k % 2 else 1.0) >= count
