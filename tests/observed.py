"""How far off the kernel's numbers are, of what their bounds allow, measured in fractions.

``python -m tests.observed`` prints the largest share for each engine and layer.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

import milpcount as mc
from milpcount.domain import InputSet
from milpcount.exact.rows import ExactNetwork
from milpcount.kernel import polygon, vertex_search
from milpcount.kernel import rows as kinds
from milpcount.kernel import vertex_state as vertices
from milpcount.kernel.columns import (
    LAYER_FOLLOWS,
    LAYER_ROW,
    LAYER_ROWS,
    LAYER_UNIT,
    LAYER_UNITS,
    LAYER_VALUES,
    UNIT_PIECE,
    UNIT_ROW,
)
from milpcount.kernel.program import compile_program
from milpcount.network import Activation, leaky_relu, maxout, piecewise_linear, relu
from milpcount.preactivation.rounding import gamma
from milpcount.tree.few_inputs import VertexSearch
from milpcount.tree.search import Search
from tests.cancelling import cancelling, handed_on, shifted, underflowing
from tests.interpreted import interpreted

Array = np.ndarray
Share = tuple[int, float]
"""A layer, and the error of a number in it over the bound on it."""

compose_layer = interpreted(kinds.compose_layer)
compose_on_base = interpreted(kinds.compose_on_base)
compose_rows = interpreted(kinds.compose_rows)
set_output = interpreted(kinds.set_output)
clip = interpreted(polygon.clip)
RELU = relu()
CLIP = piecewise_linear([-1.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 1.0])


def fractions(array: Array) -> Array:
    """Return floats as fractions."""
    out = np.array([Fraction(float(v)) for v in np.ravel(array)] or [None], dtype=object)
    return out[: np.size(array)].reshape(np.shape(array))


def on_the_cube(row: Array, inputs: InputSet) -> Array:
    """Return an exact row of a set's parameters as one of the unit cube's: constant and slopes."""
    given = inputs.exact or inputs
    low, high = fractions(given.lower), fractions(given.upper)
    return np.array([row[0] + (row[1:] * low).sum(), *(row[1:] * (high - low))], dtype=object)


def farthest(difference: Array) -> Fraction:
    """Return the largest magnitude of an affine function on the unit cube."""
    slopes = difference[1:]
    return max(
        abs(difference[0] + sum((s for s in slopes if s > 0), start=Fraction(0))),
        abs(difference[0] + sum((s for s in slopes if s < 0), start=Fraction(0))),
    )


def exact_rows(exact: ExactNetwork, layer: int, pattern: list[int]) -> Array:
    """Return the branch rows of a layer, in fractions."""
    found = exact.rows(layer, pattern)
    divisors = np.array([Fraction(1, q) for q in found.denominators], dtype=object)
    return found.values * divisors[:, None]


def of_rows(
    network: mc.Network, domain: Any, seed: int, *, reduce: bool = False, base: bool = False
) -> Iterator[Share]:
    """Yield the shares of all rows that `rows` composes, on the pattern of a random point."""
    inputs = domain.bind(network.n_inputs)
    layout = compile_program(network, inputs, reduce=reduce)
    search = Search(network, inputs, program=layout)
    p, s, random = search.program, search.state, np.random.default_rng(seed)
    exact, V = ExactNetwork(network, inputs), fractions(p.V)
    y = random.uniform(size=p.V.shape[1])
    g = p.V @ y
    for layer in range(len(p.layers)):
        values, count = (int(p.layers[layer, k]) for k in (LAYER_VALUES, LAYER_ROWS))
        if base and layer and p.layers[layer, LAYER_FOLLOWS]:
            # Half of the units above are open, and added to what the others make.
            first, above = (int(p.layers[layer - 1, k]) for k in (LAYER_UNIT, LAYER_UNITS))
            opened = np.arange(first, first + above)[::2]
            for based in (False, True):
                compose_on_base(
                    p, layer, 0, values, based, opened, len(opened), s.values, s.outputs
                )
        else:
            compose_layer(p, layer, 0, values, s.values, s.outputs)
        compose_rows(p, layer, 0, count, search.rounding, s.values, s.rows)
        whole = search.numbering.whole_pattern(s.pattern.tolist())
        true = exact_rows(exact, layer, whole)[search.numbering.rows[layer]]
        for k, r in enumerate(range(*_range(p, layer, LAYER_ROW, LAYER_ROWS))):
            if s.rows.s[r] == kinds.LOST:
                continue
            bound = kinds.UNIT_ROUNDOFF * (p.ops[layer] + search.rounding) * s.rows.s[r]
            right = on_the_cube(true[k], inputs)
            M, b = fractions(s.rows.M[r]), Fraction(float(s.rows.b[r]))
            off = farthest(np.array([b, *(M @ V)], dtype=object) - right)
            at = Fraction(float(s.rows.b[r] + s.rows.M[r] @ g))
            off = max(off, abs(at - right[0] - (right[1:] * fractions(y)).sum()))
            if bound == 0.0:
                assert off == 0
                continue
            yield layer, float(off / Fraction(bound))
            if s.rows.kind[r] == kinds.NORMAL:  # what is handed on is the same, scaled
                assert np.isclose(s.rows.error[r], bound * s.rows.norm[r])
        _take_pieces(p, s, layer, g, random)


def _range(p, layer: int, first: int, count: int) -> tuple[int, int]:
    return int(p.layers[layer, first]), int(p.layers[layer, first] + p.layers[layer, count])


def _take_pieces(p, s, layer: int, g: Array, random: np.random.Generator) -> None:
    """Put the units of a layer on the pieces that hold a point, nearly."""
    for unit in range(*_range(p, layer, LAYER_UNIT, LAYER_UNITS)):
        first, count = int(p.units[unit, UNIT_PIECE]), int(p.units[unit, UNIT_PIECE + 1])
        piece = int(random.integers(count))
        for k in range(count):
            own = p.literals[p.piece_literals[first + k] : p.piece_literals[first + k + 1]]
            signs = [(s.rows.b[r] + s.rows.M[r] @ g > 0) == (sign > 0) for r, sign in own]
            if all(signs) and all(s.rows.s[r] != kinds.LOST for r, _ in own):
                piece = k
        s.pattern[unit] = piece
        set_output(p, unit, first + piece, s.values, s.outputs)


def of_vertices(network: mc.Network, domain: Any) -> Iterator[tuple[str, int, float]]:
    """Yield the shares of forms and of vertices of a search that carries them, at its pauses."""
    inputs = domain.bind(network.n_inputs)
    exact, search = ExactNetwork(network, inputs), VertexSearch(network, inputs, keep=True)
    p, n = search.program, search.program.V.shape[1]
    seen = set[tuple[int, ...]]()
    for _ in search.run(budget=1):
        s = search.state
        d = int(s.control[vertices.DEPTH])
        if d < 0:
            return
        layer, stage = int(s.path.node[d, vertices.LAYER]), s.path.node[d, vertices.STAGE]
        if stage != vertex_search.CHILDREN:
            continue
        above = s.pattern[: int(p.layers[layer, LAYER_UNIT])].tolist()
        if (layer, *above) in seen:
            continue
        seen.add((layer, *above))
        true = exact_rows(exact, layer, s.pattern.tolist())
        first = int(search._tables.layers[layer, vertices.FIRST_COLUMN])
        for k in range(int(p.layers[layer, LAYER_ROWS])):
            form, bound = s.forms.table[:, first + k], float(s.forms.error[first + k])
            made = fractions(np.array([form[n], *form[:n]]))
            off = farthest(made - on_the_cube(true[k], inputs))
            if 0.0 < bound < np.inf:
                yield "forms", layer, float(off / Fraction(bound))
        if d:
            yield from (("vertices", layer, share) for share in _of_cell(search, exact, d))


def _of_cell(search: VertexSearch, exact: ExactNetwork, d: int) -> Iterator[float]:
    """Yield the shares of a cell's vertices, as distances from the true ones."""
    s, n = search.state, search.program.V.shape[1]
    rows: dict[int, Array] = {}
    for a in range(n):
        unit = [Fraction(int(a == b)) for b in range(n)]
        rows[2 * a] = np.array([Fraction(0), *unit], dtype=object)
        rows[2 * a + 1] = np.array([Fraction(1), *(-u for u in unit)], dtype=object)
    for above in range(d):
        layer, unit = (int(s.path.node[above, k]) for k in (vertices.LAYER, vertices.UNIT))
        at = int(search.program.units[unit, UNIT_ROW] - search.program.layers[layer, LAYER_ROW])
        true = exact_rows(exact, layer, s.pattern.tolist())[at]
        rows[2 * n + above] = on_the_cube(true, search.inputs)
    for at in s.path.member[d, : s.path.node[d, vertices.VERTICES]].tolist()[-3:]:
        error = float(s.pool.error[at])
        facets = s.pool.facet[at].tolist()
        true = solution([rows[f] for f in facets])
        off = max(abs(Fraction(float(x)) - t) for x, t in zip(s.pool.x[at], true, strict=True))
        if error > 0.0:
            yield float(off / Fraction(error))
        defect = float(s.pool.known[at, vertices.DEFECT])
        product = fractions(s.facets[facets, :n]) @ fractions(s.pool.inverse[at])
        off = max(abs(row).sum() for row in product - np.eye(n, dtype=int))
        if defect > 0.0:
            yield float(off / Fraction(defect))
        else:
            assert off == 0


def solution(rows: list[Array]) -> list[Fraction]:
    """Return the point at which rows, of a constant and slopes, are zero."""
    n, table = len(rows), [[*row[1:], -row[0]] for row in rows]
    for i in range(n):
        at = next(j for j in range(i, n) if table[j][i] != 0)
        table[i], table[at] = table[at], table[i]
        table[i] = [v / table[i][i] for v in table[i]]
        for j in range(n):
            if j != i:
                table[j] = [a - table[j][i] * b for a, b in zip(table[j], table[i], strict=True)]
    return [row[-1] for row in table]


def networks(n: int, depth: int, unit: Activation = RELU) -> Iterator[mc.Network]:
    """Yield networks of so many inputs and layers: in general position, and of rows that cancel."""
    for seed in range(3):
        random, before, weights, biases = np.random.default_rng([seed, n, depth]), n, [], []
        for _ in range(depth):
            weights.append(random.normal(size=(3 * unit.rank, before)))
            biases.append(random.normal(size=3 * unit.rank))
            before = 3
        yield mc.Network.from_arrays(weights, biases, output=False, activation=unit)
        if depth > 1 and unit.is_relu:
            yield cancelling(seed, n, depth)
            yield cancelling(seed + 1, n, depth)
            yield shifted(seed, n, depth)
        if unit.rank > 1:  # the first value of each maximum is a million times the second
            sizes = np.tile([1e6, 1.0], 3)
            layers = [(w * sizes[:, None], b * sizes) for w, b in zip(weights, biases, strict=True)]
            yield mc.Network.from_arrays(*zip(*layers, strict=True), output=False, activation=unit)


DEPTH = 5


def few() -> Iterator[Share]:
    for unit in (relu(), leaky_relu(0.3), CLIP, maxout(2)):
        for net in networks(3, DEPTH, unit):
            yield from of_rows(net, mc.Box(-1, 1), 1)
    for seed in range(3):
        yield from of_rows(underflowing(seed, 3), mc.Box(-1, 1), 1)


def on_base() -> Iterator[Share]:
    for net in networks(3, DEPTH):
        yield from of_rows(net, mc.Box(-0.3, 1.7), 2, base=True)


def many() -> Iterator[Share]:
    for net in networks(20, DEPTH):
        yield from of_rows(net, mc.Box(0, 1), 3)


def section() -> Iterator[Share]:
    random = np.random.default_rng(4)
    for net in networks(6, DEPTH):
        plane = mc.Section(1e6 * random.normal(size=6), random.normal(size=(2, 6)), mc.Box(-3, 5))
        yield from of_rows(net, plane, 4)


def all_of_space() -> Iterator[Share]:
    for net in networks(3, DEPTH):
        yield from _homogeneous(net)


def live_units() -> Iterator[Share]:
    for net in (*networks(3, DEPTH), *(handed_on(seed, 3) for seed in range(4))):
        yield from of_rows(net, mc.Box(0.5, 0.75), 5, reduce=True)


def _homogeneous(net: mc.Network) -> Iterator[Share]:
    """Yield shares where constants are multiples of a coordinate of their own."""
    inputs = mc.Unbounded().bind(net.n_inputs)
    box = mc.Box(-1, 1).bind(net.n_inputs)
    search = Search(net, inputs)
    p, s, random = search.program, search.state, np.random.default_rng(0)
    exact, g = ExactNetwork(net, box), random.uniform(size=p.V.shape[1])
    for layer in range(len(p.layers)):
        compose_layer(p, layer, 0, int(p.layers[layer, LAYER_VALUES]), s.values, s.outputs)
        compose_rows(
            p, layer, 0, int(p.layers[layer, LAYER_ROWS]), search.rounding, s.values, s.rows
        )
        true = exact_rows(exact, layer, s.pattern.tolist())
        for k, r in enumerate(range(*_range(p, layer, LAYER_ROW, LAYER_ROWS))):
            # x = 2 y - s on the cube, s for 1.
            slopes = true[k][1:]
            right = np.array([-slopes.sum(), *(2 * slopes), true[k][0]], dtype=object)
            made = np.array([Fraction(float(s.rows.b[r])), *fractions(s.rows.M[r])], dtype=object)
            bound = kinds.UNIT_ROUNDOFF * (p.ops[layer] + search.rounding) * s.rows.s[r]
            if bound:
                yield layer, float(farthest(made - right) / Fraction(float(bound)))
        _take_pieces(p, s, layer, g, random)


def of_vertex_search() -> Iterator[tuple[str, int, float]]:
    for n in (1, 2, 3):
        for net in networks(n, DEPTH if n < 3 else 3):
            yield from of_vertices(net, mc.Box(-1, 1))


def sums_of_products() -> Iterator[Share]:
    """Yield the errors of sums, by their lengths, of what intervals grant them."""
    for k, length in enumerate((1, 3, 10, 100, 1000)):
        random = np.random.default_rng(length)
        for _ in range(20):
            a = random.normal(size=length) * 10.0 ** random.integers(-6, 7, size=length)
            x = random.normal(size=length)
            x[-1] -= a[:-1] @ x[:-1] / a[-1] if length > 1 else 0.0  # the sum is next to nothing
            off = abs(Fraction(float(a @ x)) - (fractions(a) * fractions(x)).sum())
            yield k, float(off / Fraction(gamma(length) * float(np.abs(a) @ np.abs(x))))


def polygons() -> Iterator[Share]:
    """Yield how far polygons lack of the cells they stand for, of `DRIFT`, by eights of cuts.

    They are cut along the rows themselves here, without slack: tangents of a circle, so that all
    cuts leave a side and many corners come of corners that were cut before.
    """
    for seed in range(3):
        random = np.random.default_rng(seed)
        corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
        cell = [tuple(map(Fraction, corner)) for corner in corners.tolist()]
        for cut, angle in enumerate(random.uniform(0.0, 2 * np.pi, size=40).tolist()):
            a, b = float(np.cos(angle)), float(np.sin(angle))
            offset = 0.4 - (a + b) / 2
            out = np.zeros((64, 2))
            count = clip(corners, len(corners), a, b, offset, 0.0, out)
            corners = out[:count].copy()
            cell = _clipped(cell, Fraction(a), Fraction(b), Fraction(offset))
            yield cut // 8, _lacking(corners, cell) / polygon.DRIFT


def _clipped(cell: list[Any], a: Fraction, b: Fraction, offset: Fraction) -> list[Any]:
    """Return the corners of the part of a convex polygon where a row is not negative."""
    values, found = [a * x + b * y + offset for x, y in cell], list[Any]()
    for i in range(len(cell)):
        (p, v), (q, w) = (cell[i - 1], values[i - 1]), (cell[i], values[i])
        if (v >= 0) != (w >= 0):
            t = v / (v - w)
            found.append(tuple(c + t * (d - c) for c, d in zip(p, q, strict=True)))
        if w >= 0:
            found.append(q)
    return found


def _lacking(corners: Array, cell: list[Any]) -> float:
    """Return how far a cell reaches beyond the edges of a polygon of at least three corners."""
    sides, most = [tuple(map(Fraction, corner)) for corner in corners.tolist()], 0.0
    for i in range(len(sides)):
        (x0, y0), (x1, y1) = sides[i - 1], sides[i]
        length = float((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        if length > 0.0:
            across = min(  # corners go round to the left
                (y - y0) * (x1 - x0) - (x - x0) * (y1 - y0) for x, y in cell
            )
            most = max(most, float(-across) / length)
    return most


ENGINES: dict[str, Callable[[], Iterator[Share]]] = {
    "rows, few inputs": few,
    "rows on a base": on_base,
    "rows, many inputs": many,
    "rows on a plane far out": section,
    "rows on all of space": all_of_space,
    "rows of live units": live_units,
    "sums of products": sums_of_products,
    "polygons": polygons,
}


def largest(engine: str) -> dict[int, float]:
    """Return the largest share of each layer."""
    found: dict[int, float] = {}
    for layer, share in ENGINES[engine]():
        found[layer] = max(share, found.get(layer, 0.0))
    return found


def largest_of_vertices() -> dict[str, dict[int, float]]:
    """Return the same for the forms and the vertices of a search that carries vertices."""
    found: dict[str, dict[int, float]] = {"forms": {}, "vertices": {}}
    for kind, layer, share in of_vertex_search():
        found[kind][layer] = max(share, found[kind].get(layer, 0.0))
    return found


if __name__ == "__main__":
    tables = {engine: largest(engine) for engine in ENGINES} | largest_of_vertices()
    for name, shares in tables.items():
        print(f"{name:26}", *(f"{shares[k]:8.1e}" for k in sorted(shares)))
