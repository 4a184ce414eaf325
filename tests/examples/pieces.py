"""Linear regions and affine pieces from activation regions, in exact arithmetic."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from typing import Any

import milpcount as mc
from milpcount.exact.rows import ExactNetwork

Form = tuple[Fraction, ...]
"""A constant, then coefficients."""


class Pieces:
    """The regions of a network with their affine maps; neighbours in up to two dimensions."""

    def __init__(self, network: mc.Network, domain: Any) -> None:
        result = mc.count(network, domain, keep_regions=True)
        assert result.regions is not None and result.is_exact
        self.exact = ExactNetwork(network, domain.bind(network.n_inputs))
        self.patterns = [tuple(region.pattern) for region in result.regions]
        self.maps = [self._map(pattern) for pattern in self.patterns]

    @property
    def affine_pieces(self) -> int:
        return len(set(self.maps))

    @property
    def linear_regions(self) -> int:
        """The components of regions that share a facet and a map."""
        parent = list(range(len(self.maps)))

        def root(i: int) -> int:
            while parent[i] != i:
                i = parent[i]
            return i

        for i, j in combinations(range(len(self.maps)), 2):
            if self.maps[i] == self.maps[j] and self._touch(i, j):
                parent[root(i)] = root(j)
        return sum(parent[i] == i for i in range(len(parent)))

    def _map(self, pattern: tuple[int, ...]) -> tuple[Form, ...]:
        rows = self.exact.affine_map(pattern)
        pairs = zip(rows.values, rows.denominators, strict=True)
        return tuple(tuple(Fraction(int(v), q) for v in row) for row, q in pairs)

    def _cell(self, i: int) -> list[Form]:
        """Return what is positive inside a region, scaled so that equal half-spaces are equal."""
        pattern, forms = self.patterns[i], list(self._sides())
        for number, layer in enumerate(self.exact.network.layers):
            start, rows = self.exact.starts[number], self.exact.rows(number, pattern).values
            for unit in range(layer.width):
                first = unit * len(layer.activation.rows)
                for row, sign in layer.activation.pieces[pattern[start + unit]].literals:
                    forms.append(tuple(Fraction(int(v)) * sign for v in rows[first + row]))
        return [scaled(form) for form in forms if any(form[1:])]

    def _sides(self) -> Iterator[Form]:
        box = self.exact.inputs.box
        assert box.dimension <= 2 and not len(self.exact.inputs.rows)
        for axis in range(box.dimension):
            unit = [Fraction(int(axis == k)) for k in range(box.dimension)]
            for bound, sign in ((box.lower[axis], 1), (box.upper[axis], -1)):
                if bound is not None:
                    limit = -sign * Fraction(int(bound), box.denominator)
                    yield (limit, *(sign * v for v in unit))

    def _touch(self, i: int, j: int) -> bool:
        one, other = self._cell(i), self._cell(j)
        return any(
            opposite(form) in other and has_facet(form, {*one, *other} - {form, opposite(form)})
            for form in set(one)
        )


def scaled(form: Form) -> Form:
    size = max(abs(v) for v in form[1:])
    return tuple(v / size for v in form)


def opposite(form: Form) -> Form:
    return tuple(-v for v in form)


def has_facet(wall: Form, others: set[Form]) -> bool:
    """Return whether the others are all positive on an open part of a wall."""
    c, *slope = wall
    squares = sum(v * v for v in slope)
    foot = [-c * v / squares for v in slope]
    along = [-slope[1], slope[0]] if len(slope) == 2 else [Fraction(0)]
    lower, upper = [], []
    for form in others:
        at = form[0] + sum(v * x for v, x in zip(form[1:], foot, strict=True))
        rate = sum(v * x for v, x in zip(form[1:], along, strict=True))
        if rate == 0 and at <= 0:
            return False
        if rate:
            (lower if rate > 0 else upper).append(-at / rate)
    return not lower or not upper or max(lower) < min(upper)
