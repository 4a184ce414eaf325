"""The four numbers of a two-input network on a box, by polygons with rational corners.

Nothing is shared with the package but the networks' numbers: a polygon is cut layer by layer at the
breakpoints of all units, and carries its affine map; polygons are then merged by their maps, two of
them if their edges overlap (linear regions) or they have a point in common (closed ones).
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

import milpcount as mc

Affine = tuple[Fraction, Fraction, Fraction]
Corner = tuple[Fraction, Fraction]
Polygon = list[Corner]

NAMES = ("activation_regions", "linear_regions", "closed_linear_regions", "affine_pieces")


def four_numbers(network: mc.Network, box: Sequence[float]) -> tuple[int, int, int, int]:
    pieces = pieces_of(network, box)
    classes: dict[tuple[Affine, ...], list[Polygon]] = {}
    for polygon, outputs in pieces:
        classes.setdefault(tuple(outputs), []).append(polygon)
    linear = sum(_components(c, _share_an_edge) for c in classes.values())
    closed = sum(_components(c, _meet) for c in classes.values())
    return len(pieces), linear, closed, len(classes)


def pieces_of(network: mc.Network, box: Sequence[float]) -> list[tuple[Polygon, list[Affine]]]:
    """Return the polygon and the outputs of each activation region."""
    low, high = (Fraction(v) for v in box)
    square = [(low, low), (high, low), (high, high), (low, high)]
    start = [(Fraction(0), Fraction(1), Fraction(0)), (Fraction(0), Fraction(0), Fraction(1))]
    tables = [affine.exact() for affine in network.maps]
    return _cut(network, tables, square, [start], 0)


def _cut(network, tables, polygon, outputs, number):
    """Return (polygon, outputs) for all regions in a polygon where the layers before are affine."""
    columns = [f for source in outputs for f in source]
    layers = network.layers
    if number == len(layers) and network.output is None:
        return [(polygon, outputs[-1])]
    reads = network.output_reads if number == len(layers) else layers[number].reads
    given = outputs[-1] if reads is None else [columns[i] for i in reads]
    table, q = tables[number]
    values = [
        tuple(
            (
                int(row[0]) * (k == 0)
                + sum(int(w) * f[k] for w, f in zip(row[1:], given, strict=True))
            )
            / Fraction(q)
            for k in range(3)
        )
        for row in table
    ]
    if number == len(layers):
        return [(polygon, values)]
    return _cut_units(network, tables, polygon, outputs, number, values, 0, 0, [])


def _cut_units(network, tables, polygon, outputs, number, values, unit, first, done):
    layer = network.layers[number]
    if unit == layer.width:
        return _cut(network, tables, polygon, [*outputs, done], number + 1)
    kind = layer.unit(unit)
    own = values[first : first + kind.rank]
    rows = []
    for row in kind.rows:
        a, b = own[row.a], own[row.b] if row.b >= 0 else (Fraction(0),) * 3
        t = Fraction(row.threshold)
        rows.append((a[0] - b[0] - t, a[1] - b[1], a[2] - b[2]))
    found = []
    for piece in kind.pieces:
        inside = polygon
        for r, sign in piece.literals:
            if any(rows[r]):
                inside = _clip(inside, tuple(sign * v for v in rows[r]))
            elif sign > 0:
                inside = []
        if _twice_area(inside) > 0:
            slope, chosen = Fraction(piece.slope), own[piece.value]
            out = tuple(slope * v + (Fraction(piece.intercept) if k == 0 else 0)
                        for k, v in enumerate(chosen))  # fmt: skip
            found += _cut_units(
                network, tables, inside, outputs, number, values, unit + 1, first + kind.rank,
                [*done, out],
            )  # fmt: skip
    return found


def _clip(polygon: Polygon, row: Affine) -> Polygon:
    values = [row[0] + row[1] * x + row[2] * y for x, y in polygon]
    kept: Polygon = []
    for i, (p, v) in enumerate(zip(polygon, values, strict=True)):
        before, was = polygon[i - 1], values[i - 1]
        if v * was < 0:
            t = was / (was - v)
            kept.append((before[0] + t * (p[0] - before[0]), before[1] + t * (p[1] - before[1])))
        if v >= 0:
            kept.append(p)
    return kept


def _twice_area(polygon: Polygon) -> Fraction:
    pairs = ((polygon[i - 1], p) for i, p in enumerate(polygon))
    return sum((a[0] * b[1] - b[0] * a[1] for a, b in pairs), Fraction(0))


def _components(polygons: list[Polygon], joined) -> int:
    group = list(range(len(polygons)))
    for i, j in combinations(range(len(polygons)), 2):
        if group[i] != group[j] and joined(polygons[i], polygons[j]):
            old, new = group[j], group[i]
            group = [new if g == old else g for g in group]
    return len(set(group))


def _share_an_edge(one: Polygon, other: Polygon) -> bool:
    """Whether edges of two polygons overlap in more than a point."""
    for a, b in zip(one, [*one[1:], one[0]], strict=True):
        if a == b:
            continue
        dx, dy = b[0] - a[0], b[1] - a[1]
        for c, d in zip(other, [*other[1:], other[0]], strict=True):
            on = [(p[0] - a[0]) * dy - (p[1] - a[1]) * dx == 0 for p in (c, d)]
            if c == d or not all(on):
                continue
            s, t = sorted((p[0] - a[0]) * dx + (p[1] - a[1]) * dy for p in (c, d))
            if min(t, dx * dx + dy * dy) > max(s, Fraction(0)):
                return True
    return False


def _meet(one: Polygon, other: Polygon) -> bool:
    """Whether two convex polygons, corners counterclockwise, have a point in common."""
    rest = one
    for (ax, ay), (bx, by) in zip(other, [*other[1:], other[0]], strict=True):
        if (ax, ay) != (bx, by):
            # Left of the edge from a to b: (b - a) x (p - a) >= 0.
            dx, dy = bx - ax, by - ay
            rest = _clip(rest, (dy * ax - dx * ay, -dy, dx))
    return bool(rest)
