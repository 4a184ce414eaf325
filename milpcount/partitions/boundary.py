"""The decision boundary of a classifier, piece by piece, in exact arithmetic.

Pieces are inside of regions, where the outputs are affine, or run along facets between regions: the
boundary of ``ReLU(x), ReLU(-x)`` is the facet x = 0.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations, product

import numpy as np

from milpcount.errors import OptionError
from milpcount.exact.arithmetic import solve
from milpcount.exact.geometry import Rows
from milpcount.exact.program import decide
from milpcount.limits import tick
from milpcount.partitions.cells import Cells, Row, inside, primitive, rows_of
from milpcount.partitions.polytopes import Halfspaces, Polytopes, floats
from milpcount.rationals import to_integers
from milpcount.types import Array, Pattern


@dataclass(frozen=True)
class _Piece:
    """A piece of the boundary: its hyperplane, and rows that are not negative on it."""

    regions: tuple[int, int]
    outputs: tuple[int, int]
    plane: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True, eq=False)
class DecisionBoundary:
    """Where the decision of a classifier changes: the facets of its argmax over a partition.

    The largest output decides, of equal ones that of lowest index; a single output decides 1 where
    it is above the threshold and 0 elsewhere. Outputs that are equal on a whole region therefore
    make no boundary there. Parts of the boundary of lower dimension (decisions that meet in a
    corner only) have no piece.

    Attributes
    ----------
    decisions : tuple of tuple of int
        For each region, what is decided on open parts of it.
    regions : ndarray of int, shape (k, 2)
        The region that each piece is in, twice; or the two whose common facet it runs along.
    outputs : ndarray of int, shape (k, 2)
        The two decisions, lower first.
    """

    decisions: tuple[tuple[int, ...], ...]
    regions: Array
    outputs: Array
    _pieces: tuple[_Piece, ...]
    _polytopes: Polytopes

    def __len__(self) -> int:
        return len(self._pieces)

    def __repr__(self) -> str:
        return f"<decision boundary of {len(self):,} pieces, in {len(self.cut):,} regions>"

    @cached_property
    def cut(self) -> Array:
        """The regions that the boundary cuts, as `Quantity.BOUNDARY_REGIONS` counts them."""
        return np.array([i for i, d in enumerate(self.decisions) if len(d) > 1], dtype=np.int64)

    @cached_property
    def is_inside(self) -> Array:
        """Which pieces are inside of a region, as `Quantity.BOUNDARY_PIECES` counts them."""
        return np.asarray(self.regions[:, 0] == self.regions[:, 1])

    def halfspaces(self, index: int) -> Halfspaces:
        """Return the closure of a piece as ``A t <= b``, its hyperplane as the first two rows."""
        piece = self._pieces[index]
        rows = [piece.plane, tuple(-v for v in piece.plane), *piece.rows, *self._polytopes.bounds]
        table = floats(np.array(rows, dtype=object).reshape(len(rows), -1))
        return Halfspaces(0 - table[:, 1:], table[:, 0], ((),) * len(rows))

    def corners(self, index: int) -> Array:
        """Return the corners of a piece, shape (corners, d), each rounded once.

        A point of a line, the two ends of a segment in a plane, a polygon in space, in order.

        Raises
        ------
        OptionError
            If the domain is not bounded, or has more than three parameters.
        """
        polytopes, piece = self._polytopes, self._pieces[index]
        d = polytopes.dimension
        if d > 3 or not polytopes.box.is_finite:
            raise OptionError(
                "pieces of a boundary have corners in bounded domains of one to three parameters; "
                f"halfspaces({index}) describes them everywhere"
            )
        rows = list(dict.fromkeys([*piece.rows, *polytopes.bounds]))
        found = list(dict.fromkeys(_corners(piece.plane, rows, d)))
        points = np.array([[float(v) for v in point] for point in found]).reshape(-1, d)
        return points[_around(found, piece.plane)] if d == 3 else points[np.lexsort(points.T)]

    def segments(self) -> Array:
        """Return the pieces of a boundary in a bounded plane, shape (k, 2, 2): their two ends.

        Raises
        ------
        OptionError
            If the domain is no bounded plane.
        """
        if self._polytopes.dimension != 2:
            raise OptionError("the pieces of a boundary are segments in a plane only: see corners")
        return np.array([self.corners(k) for k in range(len(self))]).reshape(-1, 2, 2)


class BoundaryFinder:
    """Finds the pieces of a decision boundary.

    Parameters
    ----------
    cells : Cells
        Of units that are continuous.
    threshold : float
        Of a single output.
    """

    def __init__(self, cells: Cells, threshold: float = 0.0) -> None:
        self.cells = cells
        numbers, q = to_integers(np.array([threshold], dtype=np.float64))
        self._threshold = Fraction(int(numbers[0]), q)

    def decisions(self, patterns: Sequence[Pattern]) -> list[tuple[int, ...]]:
        """Return what is decided on open parts of each region: a program for each output of each.

        Parameters
        ----------
        patterns : sequence of tuple of int
        """
        found = []
        for pattern in patterns:
            tick()
            found.append(self._decided(pattern))
        return found

    @staticmethod
    def wanted(decisions: Sequence[tuple[int, ...]]) -> Callable[[Array], Array]:
        """Return a function from pairs of regions to whether a boundary may run between them."""
        numbers: dict[tuple[int, ...], int] = {}
        own = np.array([numbers.setdefault(one, len(numbers)) for one in decisions], dtype=np.int64)
        several = np.array([len(one) > 1 for one in decisions], dtype=bool)

        def may(pairs: Array) -> Array:
            i, j = pairs.T
            return np.asarray((own[i] != own[j]) | several[i])

        return may

    def find(
        self,
        patterns: Sequence[Pattern],
        neighbours: Array,
        decisions: Sequence[tuple[int, ...]],
    ) -> DecisionBoundary:
        """Return the boundary.

        Parameters
        ----------
        patterns : sequence of tuple of int
            Of all regions.
        neighbours : ndarray of int, shape (k, 2)
            The pairs that share a facet, those at least that `wanted` asks for.
        decisions : sequence of tuple of int
            What is decided on open parts of each region, in order.
        """
        pieces = list[_Piece]()
        for i, (pattern, own) in enumerate(zip(patterns, decisions, strict=True)):
            if len(own) > 1:
                tick()
                pieces += self._inside(i, pattern, own)
        for i, j in neighbours.tolist():
            if decisions[i] != decisions[j] or len(decisions[i]) > 1:
                tick()
                pieces += self._along((i, j), patterns, decisions)
        return DecisionBoundary(
            tuple(decisions),
            np.array([piece.regions for piece in pieces], dtype=np.int64).reshape(-1, 2),
            np.array([piece.outputs for piece in pieces], dtype=np.int64).reshape(-1, 2),
            tuple(pieces),
            Polytopes(self.cells),
        )

    def _outputs(self, pattern: Pattern) -> list[Row]:
        """Return what may be the largest on a region, as integers over one denominator."""
        maps: Rows = self.cells.exact.affine_map(pattern)
        found = [tuple(row) for row in maps.values.tolist()]
        if len(found) > 1:
            return found
        # One output is compared with the threshold, which decides 0 and so wins ties.
        p, q = self._threshold.numerator, self._threshold.denominator
        level = (p * maps.denominators[0], *(0 for _ in found[0][1:]))
        return [level, tuple(q * v for v in found[0])]

    def _decided(self, pattern: Pattern) -> tuple[int, ...]:
        """Return what is decided on open parts of a region."""
        outputs = self._outputs(pattern)
        own = [plane.row for plane in self.cells.hyperplanes(pattern)]
        rows = list(dict.fromkeys([*own, *self.cells.domain_rows]))
        return tuple(
            k
            for k, f in enumerate(outputs)
            if outputs.index(f) == k
            and self._has_interior([*rows, *(_minus(f, g) for g in outputs if g != f)])
        )

    def _inside(self, index: int, pattern: Pattern, found: tuple[int, ...]) -> Iterator[_Piece]:
        """Yield the pieces in a region with several decisions."""
        outputs, box = self._outputs(pattern), self.cells.exact.inputs.box
        own = [plane.row for plane in self.cells.hyperplanes(pattern)]
        for a, b in combinations(found, 2):
            plane = primitive(_minus(outputs[a], outputs[b]))
            ahead = [_minus(outputs[a], g) for g in outputs if g != outputs[a]]
            others = [row for row in (*own, *ahead) if not _is_multiple(row, plane)]
            # Two decisions divide a convex region by one facet.
            if len(found) == 2 or inside(plane, [*others, *self.cells.domain_rows], box):
                yield _Piece((index, index), (a, b), plane, tuple(others))

    def _has_interior(self, rows: Sequence[Row]) -> bool:
        if any(not any(row[1:]) and row[0] <= 0 for row in rows):
            return False
        used = list(dict.fromkeys(primitive(row) for row in rows if any(row[1:])))
        if not used:
            return True
        return not decide(rows_of(used), (1,) * len(used), self.cells.exact.inputs.box).is_empty

    def _along(
        self, pair: tuple[int, int], patterns: Sequence[Pattern],
        decisions: Sequence[tuple[int, ...]],
    ) -> Iterator[_Piece]:  # fmt: skip
        """Yield the pieces along the facet that two regions share."""
        one, other = (patterns[i] for i in pair)
        here, first = self._outputs(one), [plane.row for plane in self.cells.hyperplanes(one)]
        known = {*first, *(tuple(-v for v in row) for row in first)}
        # On the facet the outputs are equal: their difference is 0, or a multiple of its row.
        may = [
            (a, b)
            for a, b in product(decisions[pair[0]], decisions[pair[1]])
            if a != b and (here[a] == here[b] or primitive(_minus(here[a], here[b])) in known)
        ]
        if not may:
            return
        there, second = self._outputs(other), [plane.row for plane in self.cells.hyperplanes(other)]
        behind = set(second)
        # Convex sets that share a facet are on both sides of its hyperplane and of no other one.
        plane = next(row for row in first if tuple(-v for v in row) in behind)
        opposite = tuple(-v for v in plane)
        own = [row for row in (*first, *second) if row not in (plane, opposite)]
        for a, b in may:
            if not _is_multiple(_minus(here[a], here[b]), plane):
                continue
            # Outputs that are equal to these on the facet are less than them next to it.
            if not (_decides(a, here, plane) and _decides(b, there, opposite)):
                continue
            ahead = [_minus(here[a], g) for g in here]
            rows = [*own, *(row for row in ahead if not _is_multiple(row, plane))]
            box = self.cells.exact.inputs.box
            if inside(plane, [*rows, *self.cells.domain_rows], box) is not None:
                yield _Piece(pair, (min(a, b), max(a, b)), plane, tuple(rows))


def _minus(one: Row, other: Row) -> Row:
    return tuple(a - b for a, b in zip(one, other, strict=True))


def _is_multiple(row: Row, plane: Row) -> bool:
    """Return whether a row vanishes on a hyperplane."""
    at = next(j for j in range(1, len(plane)) if plane[j])
    return all(v * plane[at] == row[at] * p for v, p in zip(row, plane, strict=True))


def _decides(k: int, outputs: Sequence[Row], plane: Row) -> bool:
    """Return whether of the outputs that tie on a hyperplane one decides where it is positive."""
    at = next(j for j in range(1, len(plane)) if plane[j])
    for j, other in enumerate(outputs):
        row = _minus(outputs[k], other)
        if j == k or not _is_multiple(row, plane):
            continue
        along = row[at] * plane[at]  # of the sign of the factor
        if along < 0 or (along == 0 and j < k):
            return False
    return True


def _corners(plane: Row, rows: Sequence[Row], d: int) -> Iterator[tuple[Fraction, ...]]:
    """Yield the corners of a bounded polytope in a hyperplane: every choice of rows is tried."""
    for chosen in combinations(rows, d - 1):
        tick()
        system = [plane, *chosen]
        solved = solve([list(row[1:]) for row in system], [[-row[0]] for row in system])
        if solved is None:
            continue
        q, numbers = solved[1], [v[0] for v in solved[0]]
        point = (q, *numbers)
        if all(sum(a * p for a, p in zip(row, point, strict=True)) >= 0 for row in rows):
            yield tuple(Fraction(v, q) for v in numbers)


def _around(points: Sequence[tuple[Fraction, ...]], plane: Row) -> Array:
    """Return the order of points of a convex polygon in space, seen along an axis."""
    axis = max(range(3), key=lambda j: abs(plane[1 + j]))
    flat = [[v for j, v in enumerate(point) if j != axis] for point in points]
    middle = [sum(column) / len(points) for column in zip(*flat, strict=True)]
    angles = [np.arctan2(float(y - middle[1]), float(x - middle[0])) for x, y in flat]
    return np.argsort(angles)
