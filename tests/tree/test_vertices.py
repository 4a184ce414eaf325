"""Cells that carry their vertices: bounds that hold, and the regions of the exact tree."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

import milpcount as mc
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.tree import ExactRegionTree
from milpcount.kernel import vertex_search
from milpcount.kernel import vertex_state as vertices
from milpcount.kernel.columns import LAYER_UNIT
from milpcount.kernel.vertex_state import MOST_INPUTS
from milpcount.network import Activation, leaky_relu, piecewise_linear, relu
from milpcount.tree.few_inputs import VertexSearch, has_few_inputs, searching
from milpcount.tree.search import Search

Array = np.ndarray
ABSOLUTE = piecewise_linear([0.0], [-1.0, 1.0], [0.0, 0.0])
STEP = piecewise_linear([0.0], [0.0, 0.0], [0.0, 1.0])
CLIP = piecewise_linear([-1.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 1.0])
KINDS = (relu(), leaky_relu(0.25), ABSOLUTE, CLIP, STEP)
MOST = {1: 7, 2: 6, 3: 5, 4: 4, 5: 4}


def case(seed: int) -> tuple[mc.Network, mc.Box]:
    """Return a network of one to five inputs and a box; two of eight are in general position."""
    random = np.random.default_rng(seed)
    n, kind = int(random.integers(1, 6)), seed % 8
    layers: list[tuple[dict[int, Array], Array, Activation]] = []
    before = n
    for number in range(int(random.integers(1, 4))):
        width = int(random.integers(1, MOST[n] + 1))
        weight, bias = random.normal(size=(width, before)), random.normal(size=width) * 0.5
        if kind == 2:
            weight = random.integers(-2, 3, size=weight.shape).astype(float)
            bias = random.integers(-1, 2, size=width).astype(float)
        elif kind == 3:
            bias = np.zeros(width)
        elif kind == 4:
            weight = random.integers(-1, 2, size=weight.shape).astype(float)
            bias = random.integers(-2, 3, size=width) / 2
        elif kind == 5:  # a row again, turned round, scaled, or zero
            weight[-1] = weight[0] * random.choice([1.0, -1.0, 2.0, 0.0])
            bias[-1] = bias[0] * random.choice([1.0, -1.0, 0.0])
        elif kind == 6:
            weight = random.integers(-8, 9, size=weight.shape) / 8
            bias = random.integers(-8, 9, size=width) / 8
        elif kind == 7:
            weight *= 10.0 ** random.integers(-3, 4, size=(width, 1))
            bias *= 10.0 ** random.integers(-3, 4, size=width)
        unit = KINDS[int(random.integers(len(KINDS)))] if kind in (1, 4, 6) else relu()
        layers.append(({number: weight}, bias, unit))
        before = width
    low = random.normal(size=n)
    box = mc.Box(low, low + random.uniform(0.5, 3, size=n)) if seed % 2 else mc.Box(-1, 1)
    return mc.Network.from_layers(n, layers), box


def exact_patterns(
    network: mc.Network, inputs: mc.domain.InputSet, patterns: bool
) -> set[tuple[int, ...]]:
    tree = ExactRegionTree(ExactNetwork(network, inputs), patterns=patterns)
    return {cell.pattern for cell in tree.walk() if cell is not None}


def in_parts(
    network: mc.Network, inputs: mc.domain.InputSet, patterns: bool, seed: int
) -> list[tuple[int, ...]]:
    """Return the patterns that searches find which are stopped, and go on as others, many times."""
    random, left = np.random.default_rng(seed), [dict[int, int]()]
    found: list[tuple[int, ...]] = []
    while left:
        search = VertexSearch(network, inputs, True, left.pop(), patterns)
        stop = int(random.integers(0, 6))
        for slices, _ in enumerate(search.run(budget=int(random.integers(1, 9)))):
            if slices >= stop and search.can_split:
                break
        left += search.left()
        found += search.regions.patterns()
    return found


@pytest.mark.parametrize("part", range(4))
def test_the_regions_of_the_exact_tree(part: int) -> None:
    handed_over = runs = 0
    for seed in range(part, 120, 4):
        network, box = case(seed)
        inputs = box.bind(network.n_inputs)
        for patterns in (False, True) if seed % 3 == 0 else (False,):
            expected = exact_patterns(network, inputs, patterns)
            kept = VertexSearch(network, inputs, keep=True, patterns=patterns)
            list(kept.run())
            found = list(kept.regions.patterns())
            assert (len(found), set(found)) == (len(expected), expected), seed
            counted = VertexSearch(network, inputs, patterns=patterns)
            list(counted.run())
            assert counted.found == len(expected), seed
            parts = in_parts(network, inputs, patterns, seed)
            assert (len(parts), set(parts)) == (len(expected), expected), seed
            handed_over += kept.handed_over > 0
            runs += 1
    assert handed_over < runs  # both ways are taken


def general(widths: tuple[int, ...], seed: int = 0) -> mc.Network:
    random = np.random.default_rng(seed)
    sizes = list(pairwise(widths))
    weights = [random.normal(size=(b, a)) * np.sqrt(2 / a) for a, b in sizes]
    biases = [random.normal(size=b) * 0.3 for _, b in sizes]
    return mc.Network.from_arrays(weights, biases, output=False)


@pytest.mark.parametrize(
    "widths", [(2, 24, 20), (2, 40), (3, 14, 12), (3, 20), (4, 9, 9), (5, 7, 7), (6, 5, 6)]
)
def test_sections_count_what_cells_do(widths: tuple[int, ...]) -> None:
    for seed in range(4):
        network = general(widths, seed)
        inputs = mc.Box(-1, 1).bind(widths[0])
        counted, kept = VertexSearch(network, inputs), VertexSearch(network, inputs, keep=True)
        list(counted.run()), list(kept.run())
        found = list(kept.regions.patterns())
        assert counted.found == kept.found == len(set(found))
        assert counted.tests < kept.tests or counted.statistics != kept.statistics


def exact_vertex(rows: list[list[Fraction]]) -> list[Fraction]:
    """Solve ``row[0] + row[1:] x = 0`` by Gauss's elimination."""
    n = len(rows)
    rows = [[*row[1:], -row[0]] for row in rows]
    for i in range(n):
        pivot = next(j for j in range(i, n) if rows[j][i] != 0)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for j in range(n):
            if j != i:
                rows[j] = [a - rows[j][i] * b for a, b in zip(rows[j], rows[i], strict=True)]
    return [row[-1] for row in rows]


def cells(search: VertexSearch) -> Iterator[tuple[int, Array]]:
    """Yield the depth and the vertices (of the pool) of nodes on the way of a search."""
    s = search.state
    for _ in search.run(budget=3):
        d = int(s.control[vertices.DEPTH])
        if d > 0 and s.path.node[d - 1, vertices.STAGE] == vertex_search.CHILDREN:
            yield d, s.path.member[d, : s.path.node[d, vertices.VERTICES]].copy()


@pytest.mark.parametrize("widths", [(1, 30, 30), (2, 8, 8, 8), (3, 6, 6), (4, 5, 5), (5, 5, 4)])
def test_true_vertices_are_within_their_bounds(widths: tuple[int, ...]) -> None:
    n = widths[0]
    network = general(widths, 7)
    inputs = mc.Box(0, 1).bind(n)
    exact, search = ExactNetwork(network, inputs), VertexSearch(network, inputs, keep=True)
    s, checked, worst = search.state, 0, 0.0
    for number, (d, members) in enumerate(cells(search)):
        if (n > 1 and number % 7) or checked > 300:
            continue
        rows: dict[int, list[Fraction]] = {}
        for a in range(n):
            unit = [Fraction(int(a == b)) for b in range(n)]
            rows[2 * a], rows[2 * a + 1] = [Fraction(0), *unit], [Fraction(1), *(-u for u in unit)]
        for above in range(d):
            layer, unit = (int(s.path.node[above, k]) for k in (vertices.LAYER, vertices.UNIT))
            first = int(search.program.layers[layer, LAYER_UNIT])
            values = exact.rows(layer, s.pattern.tolist()).values[unit - first]
            rows[2 * n + above] = [Fraction(int(v)) for v in values]  # a positive multiple
        for at in members[:6].tolist():
            true = exact_vertex([rows[facet] for facet in s.pool.facet[at].tolist()])
            error = max(
                abs(Fraction(x) - t) for x, t in zip(s.pool.x[at].tolist(), true, strict=True)
            )
            assert error <= Fraction(float(s.pool.error[at]))
            worst = max(worst, float(s.pool.error[at]))
            checked += 1
    assert checked > 20
    assert worst < 1e-9  # and the bounds are of use


class TestOneUlp:
    """Rows that miss a corner of the box, or one another, by as little as floats can tell."""

    @pytest.mark.parametrize("step", [-2, -1, 0, 1, 2])
    def test_a_hyperplane_near_a_corner(self, step: int) -> None:
        bias = -2.0
        for _ in range(abs(step)):
            bias = float(np.nextafter(bias, np.inf * step))
        network = mc.Network.from_arrays([[[1.0, 1.0]]], [[bias]], output=False)
        assert mc.count(network, mc.Box(0, 1)).lower == (2 if bias > -2.0 else 1)

    @pytest.mark.parametrize("step", [-1, 0, 1])
    def test_three_lines_near_a_point(self, step: int) -> None:
        third = 1.0 if step == 0 else float(np.nextafter(1.0, np.inf * step))
        weights = [[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]]
        network = mc.Network.from_arrays(weights, [[-0.5, -0.5, -third]], output=False)
        assert mc.count(network, mc.Box(0, 1)).lower == (6 if step == 0 else 7)


def test_room_grows_with_what_is_met() -> None:
    network = general((4, 30, 3), 1)
    inputs = mc.Box(-1, 1).bind(4)
    search = VertexSearch(network, inputs, keep=True)
    first = vertices.Room.of(search.state)
    list(search.run(most=3000))
    assert vertices.Room.of(search.state) > first
    other = Search(network, inputs, keep=True)
    list(other.run(most=3000))
    whole = VertexSearch(network, inputs)
    list(whole.run())
    assert search.found == 3000 <= whole.found


def test_a_limit_of_regions_is_met_exactly() -> None:
    network, inputs = general((3, 8, 8)), mc.Box(-1, 1).bind(3)
    whole = VertexSearch(network, inputs)
    list(whole.run())
    for keep in (False, True):
        for most in (1, 2, 3, 10, whole.found - 1, whole.found, whole.found + 1):
            search = VertexSearch(network, inputs, keep)
            list(search.run(most=most))
            assert search.found == min(most, whole.found)


def test_the_share_grows_to_one() -> None:
    search = VertexSearch(general((3, 8, 8)), mc.Box(-1, 1).bind(3))
    shares = [search.share for _ in search.run(budget=5)]
    assert shares == sorted(shares)
    assert shares[0] < 0.2 < 0.8 < shares[-1]
    assert search.share == 1.0


def test_what_takes_too_long_elsewhere_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from milpcount.tree import few_inputs

    monkeypatch.setattr(few_inputs, "_RETREAT_SECONDS", 0.0)
    network, box = case(4)  # a degenerate one
    inputs = box.bind(network.n_inputs)
    expected = exact_patterns(network, inputs, False)
    search = VertexSearch(network, inputs, keep=True)
    list(search.run(budget=1))
    found = list(search.regions.patterns())
    assert (len(found), set(found)) == (len(expected), expected)


def test_few_inputs_are_those_of_a_bounded_set() -> None:
    net = mc.Network.from_arrays([np.ones((1, 3))], [[0.5]], output=False)
    assert isinstance(searching(net, mc.Box(0, 1).bind(3)), VertexSearch)
    assert isinstance(searching(net, mc.Unbounded().bind(3)), Search)
    assert has_few_inputs(mc.Box(0, 1).bind(MOST_INPUTS))
    assert not has_few_inputs(mc.Box(0, 1).bind(MOST_INPUTS + 1))


def test_polytopes_and_sections() -> None:
    network = general((3, 6, 6), 3)
    rows, rhs = np.array([[1.0, 1.0, 0.5], [-0.3, 0.2, 1.0]]), np.array([0.7, 0.4])
    polytope = mc.Polytope(rows, rhs, lower=-1.0, upper=1.0)
    section = mc.Section([0.1, 0.2, 0.3], [[1.0, 0.0, 1.0], [0.0, 1.0, -1.0]], mc.Box(-1, 1))
    for domain in (polytope, section):
        inputs = domain.bind(3)
        assert has_few_inputs(inputs)
        expected = exact_patterns(network, inputs, False)
        search = VertexSearch(network, inputs, keep=True)
        list(search.run())
        assert set(search.regions.patterns()) == expected
        assert search.found == len(expected)
        assert search.handed_over == 0


def test_kept_regions_verify() -> None:
    result = mc.count(general((4, 7, 7), 2), mc.Box(-1, 1), keep_regions=True)
    assert result.regions is not None and len(result.regions) == result.lower
    assert result.details["decisions"]["decided_by_vertices"] > 0
    assert result.verify().is_proved
