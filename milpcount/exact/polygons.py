"""Regions of a plane as polygons with rational corners."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from milpcount.domain import InputSet
from milpcount.errors import DomainError
from milpcount.exact.geometry import ExactBox
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.tree import ExactRegionTree
from milpcount.network import Network

Corner = tuple[Fraction, Fraction]


def polygons(
    network: Network, inputs: InputSet, patterns: Iterable[Sequence[int]]
) -> list[list[Corner]]:
    """Return the polygon of each activation region, in the set's two parameters.

    Parameters
    ----------
    network : Network
    inputs : InputSet
        Of dimension 2, with finite bounds.
    patterns : iterable of sequences of int
        Of full-dimensional regions, e.g. those that a count has kept.

    Returns
    -------
    list of lists of (Fraction, Fraction)
        Corners in order, the domain's included; together the polygons cover the domain, and they
        meet in their boundaries only.

    Raises
    ------
    DomainError
        If the set is not a bounded plane one, or a pattern has no interior in it.
    """
    if inputs.dimension != 2 or not inputs.is_boxed:
        raise DomainError(
            f"a partition is drawn in a bounded plane, and the domain has dimension "
            f"{inputs.dimension}: give a Section with two directions, or a box with two free inputs"
        )
    tree = ExactRegionTree(ExactNetwork(network, inputs))
    square = _corners(tree.network.inputs.box)
    found = []
    for pattern in patterns:
        cell = tree.cell(pattern)
        if cell is None:
            raise DomainError(f"pattern {tuple(pattern)} has no region in the domain")
        polygon = square
        for row in cell.conditions.rows.values.tolist():
            polygon = clip(polygon, row)
        found.append(polygon)
    return found


def _corners(box: ExactBox) -> list[Corner]:
    lower, upper = ([Fraction(int(v), box.denominator) for v in side]
                    for side in (box.lower, box.upper))  # fmt: skip
    return [
        (lower[0], lower[1]), (upper[0], lower[1]), (upper[0], upper[1]), (lower[0], upper[1]),
    ]  # fmt: skip


def clip(polygon: Sequence[Corner], row: Sequence[int]) -> list[Corner]:
    """Return the part of a convex polygon where ``row[0] + row[1] x + row[2] y >= 0``."""
    values = [row[0] + row[1] * x + row[2] * y for x, y in polygon]
    kept: list[Corner] = []
    for i, (corner, value) in enumerate(zip(polygon, values, strict=True)):
        before, was = polygon[i - 1], values[i - 1]
        if value * was < 0:
            t = was / (was - value)
            kept.append(
                (before[0] + t * (corner[0] - before[0]), before[1] + t * (corner[1] - before[1]))
            )
        if value >= 0:
            kept.append(corner)
    return kept


def area(polygon: Sequence[Corner]) -> Fraction:
    """Return the area of a polygon, positive for corners in counterclockwise order."""
    twice = sum(
        (polygon[i - 1][0] * y - x * polygon[i - 1][1] for i, (x, y) in enumerate(polygon)),
        start=Fraction(0),
    )
    return twice / 2
