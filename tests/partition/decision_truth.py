"""The decision boundary of a two-input classifier on a box, by polygons with rational corners.

The regions are those of `polygon_truth`; each polygon is cut into those on which an output is at
least as large as all others, of several equal ones the first only. Where two of them with different
decisions have more than a point in common, there is a piece of the boundary: inside of a region, or
between two.
"""

from fractions import Fraction
from itertools import combinations
from math import sqrt

from tests.partition.polygon_truth import _clip, _twice_area, pieces_of

Polygon = list[tuple[Fraction, Fraction]]


def decided(polygon: Polygon, outputs, threshold=0.0) -> dict[int, Polygon]:
    """Return the part of a polygon where each output decides, by the output."""
    values = [tuple(f) for f in outputs]
    if len(values) == 1:  # against the threshold, which decides 0
        values = [(Fraction(threshold), Fraction(0), Fraction(0)), values[0]]
    found = {}
    for k, own in enumerate(values):
        part = polygon if values.index(own) == k else []
        for other in values:
            part = _clip(part, tuple(a - b for a, b in zip(own, other, strict=True)))
        if _twice_area(part) > 0:
            found[k] = part
    return found


def boundary_of(network, box, threshold=0.0):
    """Return the number of cut regions, the length of the boundary inside, and between regions.

    The second and third are lists with the length of each piece.
    """
    parts = [decided(polygon, f, threshold) for polygon, f in pieces_of(network, box)]
    inside = [
        length
        for own in parts
        for a, b in combinations(own.values(), 2)
        if (length := common_length(a, b))
    ]
    between = [
        length
        for one, other in combinations(parts, 2)
        for a, p in one.items()
        for b, q in other.items()
        if a != b and (length := common_length(p, q))
    ]
    return sum(len(own) > 1 for own in parts), inside, between


def boundary_numbers(network, box) -> tuple[int, int]:
    """Return the numbers of regions that the boundary cuts, and of its pieces in them."""
    cut, inside, _ = boundary_of(network, box)
    return cut, len(inside)


def common_length(one: Polygon, other: Polygon) -> float:
    """Return the length of the edge that two convex polygons share, 0 if it is none."""
    for a, b in zip(one, [*one[1:], one[0]], strict=True):
        if a == b:
            continue
        dx, dy = b[0] - a[0], b[1] - a[1]
        square = dx * dx + dy * dy
        for c, d in zip(other, [*other[1:], other[0]], strict=True):
            if c == d or any((p[0] - a[0]) * dy - (p[1] - a[1]) * dx for p in (c, d)):
                continue
            s, t = sorted((p[0] - a[0]) * dx + (p[1] - a[1]) * dy for p in (c, d))
            shared = min(t, square) - max(s, Fraction(0))
            if shared > 0:
                return float(shared / square) * sqrt(square)
    return 0.0
