"""Corners of cells: where they are, and what the network has computed there.

A corner that a unit makes is the point of an edge (A, B) where a row f of its layer is zero. With
``f(A)`` and ``f(B)`` of opposite signs it is ``(1 - w) A + w B`` for ``w = f(A) / (f(A) - f(B))``,
and every number g of the network that is affine there is ``(1 - w) g(A) + w g(B)``.

Errors. The corner is the true one; what is bounded are the numbers there. With computed values p, q
of f(A), f(B) that are off by at most d, e, the computed w is off by at most ::

    |p / (p - q) - f(A) / (f(A) - f(B))| <= (|p| e + |q| d) / (|p - q| (|p - q| - d - e))

(cross-multiply: the numerators' difference is ``q d' - p e'`` for the true errors d', e'), and by
1 in any case since both lie in [0, 1]. A number g is then off by at most ``(1 - w) err g(A) +
w err g(B)``, plus that bound times ``|g(B) - g(A)|``, plus the roundings of two products, a sum and
``1 - w``: eight roundoffs of the terms cover them. The row itself is zero there, without an error.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from milpcount.preactivation.rounding import ROUNDOFF
from milpcount.sections.arrays import Arrays
from milpcount.sections.exact import Vertex
from milpcount.types import Array


@dataclass(eq=False)
class Points:
    """Points and the numbers that the network has there.

    Attributes
    ----------
    arrays : Arrays
    where : ndarray, shape (points, d)
        Parameters, for figures and to keep what is close together.
    values : dict
        Arrays of shape (points, numbers) by the name of a value that is still needed.
    errors : dict or None
        Bounds on their errors; None where none are kept.
    vertices : ndarray of Vertex, dtype object, or None
        How each point is found exactly, where that may be asked.
    """

    arrays: Arrays
    where: Array
    values: dict[Any, Any]
    errors: dict[Any, Any] | None
    vertices: Array | None = None

    def __len__(self) -> int:
        return len(self.where)

    @property
    def numbers(self) -> int:
        """Numbers held for one point."""
        size = sum(int(np.prod(value.shape[1:])) for value in self.values.values())
        return size * (1 if self.errors is None else 2)

    def taken(self, which: Array) -> "Points":
        """Return some of the points."""
        rows = self.arrays.rows
        errors = self.errors
        return Points(
            self.arrays,
            self.where[which],
            {name: rows(value, which) for name, value in self.values.items()},
            None if errors is None else {name: rows(e, which) for name, e in errors.items()},
            None if self.vertices is None else self.vertices[which],
        )

    def keep_only(self, names: Iterable[Any]) -> None:
        """Forget the values of all other names."""
        kept = set(names)
        for held in (self.values, self.errors):
            if held is not None:
                for name in [n for n in held if n not in kept]:
                    del held[name]


@dataclass(eq=False)
class GrowingPoints:
    """The points of a layer while it cuts: new ones are added, with the layer's values.

    Other values follow at the end, by `finished`.

    Attributes
    ----------
    old : Points
    name : object
        Of the layer's values.
    """

    old: Points
    name: Any
    x: Any = None
    e: Any = None
    n: int = 0
    parents: list[Array] = field(default_factory=list)
    weights: list[Array] = field(default_factory=list)
    level: list[Array] = field(default_factory=list)
    vertices: list[Vertex] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.x = self.old.values[self.name]
        self.e = None if self.old.errors is None else self.old.errors[self.name]
        self.n = len(self.old)
        self.levels = np.zeros(self.n, dtype=np.int64)

    def add(self, base: Array, p: Array, q: Array, d: Array, e: Array) -> Array:
        """Add the points of edges where a row is zero; return their numbers.

        Parameters
        ----------
        base : ndarray of int, shape (new, 2)
        p, q, d, e : ndarray, shape (new,)
            The row's values at the two ends of each base, and bounds on their errors.
        """
        arrays, new, a, b = self.old.arrays, len(base), base[:, 0], base[:, 1]
        gap = np.abs(p - q)
        w = np.clip(np.nan_to_num(p / (p - q), nan=0.5), 0.0, 1.0)
        dw = (np.abs(p) * e + np.abs(q) * d) / (gap * (gap - d - e)) * (1 + 16 * ROUNDOFF)
        dw = np.where(gap > d + e, np.minimum(dw + 4 * ROUNDOFF, 1.0), 1.0)
        dw = np.nan_to_num(dw, nan=1.0)
        if self.n + new > len(self.x):
            capacity = max(2 * len(self.x), self.n + new)
            self.x = arrays.extended(self.x, capacity)
            if self.e is not None:
                self.e = arrays.extended(self.e, capacity)
            self.levels = np.concatenate([self.levels, np.zeros(capacity - len(self.levels), int)])
        ids = np.arange(self.n, self.n + new)
        at = slice(self.n, self.n + new)
        if self.e is not None:
            self.e[at] = arrays.between_error(self.x, self.e, a, b, w, dw)
        self.x[at] = arrays.between(self.x, a, b, w)
        self.levels[at] = 1 + np.maximum(self.levels[a], self.levels[b])
        self.parents.append(base)
        self.weights.append(np.stack([w, dw], axis=1))
        self.n += new
        return ids

    def vertex(self, number: int) -> Vertex:
        """Return how a point is found exactly."""
        assert self.old.vertices is not None
        known = len(self.old)
        found = self.old.vertices[number] if number < known else self.vertices[number - known]
        assert isinstance(found, Vertex)
        return found

    def finished(self) -> Points:
        """Return all points with all values."""
        old, arrays = self.old, self.old.arrays
        known = len(old)
        if self.n == known:
            return old
        base, weights = np.concatenate(self.parents), np.concatenate(self.weights)
        w, dw = weights[:, 0], weights[:, 1]
        levels = self.levels[known : self.n]
        where = np.concatenate([old.where, np.empty((self.n - known, old.where.shape[1]))])
        values, errors = {}, None if old.errors is None else dict[Any, Any]()
        orders = [np.flatnonzero(levels == k) for k in range(1, int(levels.max()) + 1)]
        for name, value in old.values.items():
            if name == self.name:
                values[name] = self.x[: self.n]
                if errors is not None:
                    errors[name] = self.e[: self.n]
                continue
            x = arrays.extended(value, self.n)
            e = None
            if old.errors is not None:
                e = arrays.extended(old.errors[name], self.n)
            for at in orders:
                a, b = base[at].T
                if e is not None:
                    e[at + known] = arrays.between_error(x, e, a, b, w[at], dw[at])
                x[at + known] = arrays.between(x, a, b, w[at])
            values[name] = x
            if errors is not None:
                errors[name] = e
        for at in orders:
            a, b = base[at].T
            where[at + known] = (1 - w[at])[:, None] * where[a] + w[at][:, None] * where[b]
        vertices = None
        if old.vertices is not None:
            vertices = np.empty(self.n, dtype=object)
            vertices[:known] = old.vertices
            vertices[known:] = self.vertices
        return Points(arrays, where, values, errors, vertices)
