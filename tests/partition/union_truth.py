"""Numbers of a two-input network on a union of parts, by polygons with rational corners.

The regions are those of `polygon_truth` on a square that holds all parts, and each is cut by each
part. What belongs together is told from edges, corners and areas that polygons have in common.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, product

import numpy as np

import milpcount as mc
from milpcount.domain import Domain
from tests.partition.decision_truth import decided
from tests.partition.polygon_truth import (
    Affine,
    Polygon,
    _clip,
    _components,
    _meet,
    _share_an_edge,
    _twice_area,
    pieces_of,
)

SQUARE = (-4.0, 4.0)
NAMES = (
    "activation_regions",
    "linear_regions",
    "closed_linear_regions",
    "affine_pieces",
    "boundary_regions",
    "boundary_pieces",
)


def numbers(network: mc.Network, parts: Sequence[list[Affine]]) -> tuple[int, ...]:
    """Return what there is of each of `NAMES`; a part is rows that are not negative in it."""
    cells: dict[tuple[Affine, ...], list[Polygon]] = {}
    regions = cut = facets = 0
    for polygon, outputs in pieces_of(network, SQUARE):
        own = _within(polygon, parts)
        regions += bool(own)
        if own:
            cells.setdefault(tuple(outputs), []).extend(own)
        of = {k: _within(part, parts) for k, part in decided(polygon, outputs).items()}
        shared = sum(
            any(_share_an_edge(p, q) for p, q in product(of[a], of[b]))
            for a, b in combinations(of, 2)
        )
        cut, facets = cut + (shared > 0), facets + shared
    linear = sum(_components(own, _are_one) for own in cells.values())
    closed = sum(_components(own, _meet) for own in cells.values())
    return regions, linear, closed, len(cells), cut, facets


def _within(polygon: Polygon, parts: Sequence[list[Affine]]) -> list[Polygon]:
    found = []
    for rows in parts:
        left = polygon
        for row in rows:
            left = _clip(left, row)
        if _twice_area(left) > 0:
            found.append(left)
    return found


def _are_one(one: Polygon, other: Polygon) -> bool:
    return _overlap(one, other) or _share_an_edge(one, other)


def _overlap(one: Polygon, other: Polygon) -> bool:
    left = one
    for (ax, ay), (bx, by) in zip(other, [*other[1:], other[0]], strict=True):
        dx, dy = bx - ax, by - ay
        left = _clip(left, (dy * ax - dx * ay, -dy, dx))
    return _twice_area(left) > 0


def random_parts(random: np.random.Generator) -> tuple[list[Domain], list[list[Affine]]]:
    """Return two to four parts on a coarse grid, which overlap, abut, touch or are apart."""
    kinds = [(0,), (0, 1), (0, 1, 2)][int(random.integers(3))]
    domains, rows = [], []
    for _ in range(int(random.integers(2, 5))):
        kind = kinds[int(random.integers(len(kinds)))]
        low = random.integers(-3, 2, size=2) / (1 + random.integers(2))
        size = random.integers(1, 3, size=2) / (1 + random.integers(2))
        high = low + size
        box = [(-low[0], 1, 0), (high[0], -1, 0), (-low[1], 0, 1), (high[1], 0, -1)]
        if kind == 0:
            domains.append(mc.Box(low, high))
        elif kind == 1:  # a corner of the box is cut off: x + y <= c, or both ways
            sign = 1 if random.random() < 0.5 else -1
            c = sign * float(low.sum() + size.max())
            box.append((c, -sign, -sign))
            table = np.array(box, dtype=float)
            domains.append(mc.Polytope(-table[:, 1:], table[:, 0]))
        else:  # a diamond around the middle
            middle, half = (low + high) / 2, float(size.min()) / 2
            domains.append(mc.Section(middle, [[1, 1], [1, -1]], mc.Box(-half, half)))
            box = [(2 * half + sx * middle[0] + sy * middle[1], -sx, -sy)
                   for sx, sy in ((1, 1), (1, -1), (-1, 1), (-1, -1))]  # fmt: skip
        rows.append([tuple(Fraction(v) for v in row) for row in box])
    return domains, rows


def difference(label: str, network: mc.Network, number: int, method: object = None) -> str | None:
    """Return what polygons and a method say differently on a random union, None if nothing."""
    domains, rows = random_parts(np.random.default_rng([7, number]))
    expected = numbers(network, rows)
    union = mc.Union(domains)
    results = [mc.count(network, union, method, quantity=name) for name in NAMES]
    found = tuple(r.lower if r.is_exact else (r.lower, r.upper) for r in results)
    if found == expected:
        return None
    return f"{label} on {domains}: {found}, by polygons {expected}"
