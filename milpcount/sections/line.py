"""A line's cells, cut by a layer of units all at once.

Where no bounds on errors are kept, every unit of one value that has certain, different signs at the
ends A and B of a cell crosses zero at ``w = f(A) / (f(A) - f(B))`` of the way, and nowhere else. So
all crossings of a layer are known before any is cut: they are sorted, and the numbers of the
network are made for the new points when the next layer needs them, a few points at a time.

A value that is off by the tolerance moves the crossing by ``tolerance / |f(A) - f(B)|``. Crossings
whose ranges overlap, and units whose sign is open at an end of a cell, are left to be cut one after
the other, as in a plane: `cut` says of which cells.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from milpcount.limits import tick
from milpcount.sections.candidates import Candidates
from milpcount.sections.cells import Cells
from milpcount.sections.corners import Points
from milpcount.sections.cut import Cutter
from milpcount.sections.exact import Vertex
from milpcount.sections.program import Program, Step
from milpcount.types import Array

_BLOCK = 3 << 20
"""Numbers of a layer that are made at once: they stay in a processor's cache."""
_SCALE = 2.0**40
"""Places on a cell in integers: a cell's own stay apart from those of the others."""


@dataclass(eq=False)
class NewPoints:
    """Points of a layer that are not made yet: ``(1 - w) a + w b`` of those before it.

    Attributes
    ----------
    old : Points
    a, b : ndarray of int, shape (points,)
    w : ndarray, shape (points,)
    column : ndarray of int, shape (points,)
        The value that is ``threshold`` there; -1 for a point of those before.
    threshold : ndarray, shape (points,)
    vertices : ndarray of Vertex, dtype object, or None
    """

    old: Points
    a: Array
    b: Array
    w: Array
    column: Array
    threshold: Array
    vertices: Array | None = None

    def __len__(self) -> int:
        return len(self.a)

    @property
    def where(self) -> Array:
        """Their parameters."""
        w, where = self.w[:, None], self.old.where
        return np.asarray((1 - w) * where[self.a] + w * where[self.b])

    def taken(self, which: Array) -> "NewPoints":
        """Return some of the points."""
        vertices = None if self.vertices is None else self.vertices[which]
        column, threshold = self.column[which], self.threshold[which]
        return NewPoints(
            self.old, self.a[which], self.b[which], self.w[which], column, threshold, vertices
        )

    def values(self, name: Any, of_layer: Any) -> Any:
        """Return the numbers of that name; those of the layer are on its thresholds."""
        arrays = self.old.arrays
        found = arrays.between(self.old.values[name], self.a, self.b, self.w)
        if name == of_layer:
            new = np.flatnonzero(self.column >= 0)
            arrays.put(found, new, self.column[new], self.threshold[new])
        return found

    def made(self, of_layer: Any) -> Points:
        """Return the points, with all numbers."""
        values = {name: self.values(name, of_layer) for name in self.old.values}
        return Points(self.old.arrays, self.where, values, None, self.vertices)


def can_cut(step: Step) -> bool:
    """Whether the units of a layer have one value each, and no jumps."""
    return step.is_continuous and not any(g.activation.is_maxout for g in step.groups)


def cut(
    cutter: Cutter, cells: Cells, candidates: Candidates
) -> tuple[NewPoints, Cells, Cells, Candidates]:
    """Return what a layer makes of the cells of a line.

    Returns
    -------
    points : NewPoints
        The old ones first.
    done : Cells
        Those that nothing cuts any more.
    rest : Cells
        Those that are left to be cut one after the other.
    candidates : Candidates
        What may cut the rest.
    """
    owner, k = _ranges(cells.data["next"], cells.data["stop"])
    column, threshold = candidates.column[k], candidates.threshold[k]
    ends = cells.corner.reshape(-1, 2)
    one = np.full(len(k), -1)
    p, q = (cutter.values(ends[owner, side], column, one, threshold)[0] for side in (0, 1))
    tolerance = cutter.tolerance
    sure = (np.minimum(p, q) < -tolerance) & (np.maximum(p, q) > tolerance)
    at = np.flatnonzero(sure)
    w = p[at] / (p[at] - q[at])
    order = np.lexsort((w, owner[at]))
    at, w = at[order], w[order]
    alone = _alone(owner[at], w, tolerance / np.abs(p[at] - q[at]))
    new, w_new = at[alone], w[alone]
    known, total = len(cutter.points), len(new)

    # Along every cell: its first end, the new points in order, its other end.
    number = np.bincount(owner[new], minlength=len(cells))
    first = np.concatenate([[0], np.cumsum(number + 2)])
    along, share = np.empty(first[-1], dtype=np.int64), np.zeros(first[-1])
    inner = np.arange(total) + 2 * owner[new] + 1
    along[inner], share[inner] = known + np.arange(total), w_new
    along[first[:-1]], along[first[1:] - 1], share[first[1:] - 1] = ends[:, 0], ends[:, 1], 1.0
    begins = np.delete(np.arange(first[-1]), first[1:] - 1)
    parent = np.repeat(np.arange(len(cells)), number + 1)
    pairs = np.stack([along[begins], along[begins + 1]], axis=1)

    points = _points(cutter, cells, owner[new], column[new], threshold[new], w_new)
    # What is left: crossings that are not alone, and signs that are open.
    place = begins.searchsorted(first[:-1])
    before = np.cumsum(alone) - alone
    before -= np.concatenate([[0], np.cumsum(number)])[owner[at]]
    part, which = [(place[owner[at]] + before)[~alone]], [at[~alone]]
    for i in np.flatnonzero(~sure).tolist():
        o = owner[i]
        f = (1 - share[first[o] : first[o + 1]]) * p[i] + share[first[o] : first[o + 1]] * q[i]
        is_open = (np.abs(f) <= tolerance) & (f != 0)
        touched = np.flatnonzero(is_open[:-1] | is_open[1:])
        part.append(place[o] + touched)
        which.append(np.full(len(touched), i))
    left, what = np.concatenate(part), np.concatenate(which)
    order = np.argsort(left, kind="stable")
    left, what = left[order], k[what[order]]
    data = {n: v[parent] for n, v in cells.data.items() if n not in ("next", "stop")}
    is_left = np.zeros(len(parent), dtype=bool)
    is_left[left] = True
    made = Cells(2 * np.arange(len(parent) + 1), pairs.ravel(), np.repeat(pairs, 2, axis=0), data)
    rest = made.taken(np.flatnonzero(is_left)).rebased()
    stops = np.searchsorted(left, np.flatnonzero(is_left), side="right")
    rest.data |= {"next": np.concatenate([[0], stops[:-1]])[: len(stops)], "stop": stops}
    return (
        points,
        made.taken(np.flatnonzero(~is_left)),
        rest,
        Candidates(
            candidates.column[what],
            candidates.row[what],
            candidates.threshold[what],
            candidates.rank[what],
        ),
    )


def _ranges(first: Array, stop: Array) -> tuple[Array, Array]:
    """Return the numbers of ranges, and which range each belongs to."""
    sizes = stop - first
    owner = np.repeat(np.arange(len(sizes)), sizes)
    begins = np.cumsum(sizes) - sizes
    return owner, np.arange(len(owner)) - begins[owner] + first[owner]


def _alone(owner: Array, w: Array, reach: Array) -> Array:
    """Return which crossings, sorted, are nobody else's neighbours within their reach."""
    if not len(w):
        return np.zeros(0, dtype=bool)
    offset = owner.astype(np.int64) << 41
    low = np.floor((w - reach) * _SCALE).astype(np.int64) + offset
    high = np.ceil((w + reach) * _SCALE).astype(np.int64) + offset
    farthest = np.maximum.accumulate(high)
    begins = np.concatenate([[True], low[1:] > farthest[:-1]])
    cluster = np.cumsum(begins) - 1
    return np.asarray(np.bincount(cluster)[cluster] == 1)


def _points(
    cutter: Cutter, cells: Cells, owner: Array, column: Array, threshold: Array, w: Array
) -> NewPoints:
    old, ends = cutter.points, cells.corner.reshape(-1, 2)
    known = np.arange(len(old))
    vertices = None
    if old.vertices is not None:
        new = np.empty(len(w), dtype=object)
        new[:] = [
            Vertex(place=cutter.place(cells, cell, a, -1, t))
            for cell, a, t in zip(owner.tolist(), column.tolist(), threshold.tolist(), strict=True)
        ]
        vertices = np.concatenate([old.vertices, new])
    return NewPoints(
        old,
        np.concatenate([known, ends[owner, 0]]),
        np.concatenate([known, ends[owner, 1]]),
        np.concatenate([np.zeros(len(known)), w]),
        np.concatenate([np.full(len(known), -1), column]),
        np.concatenate([np.zeros(len(known)), threshold]),
        vertices,
    )


def pieces_of(step: Step, points: NewPoints, cells: Cells) -> Array:
    """Return the piece of every unit on cells that nothing cuts any more."""
    found = np.zeros((len(cells), step.width), dtype=np.int64)
    ends, name = cells.corner.reshape(-1, 2), step.reads[0]
    size = max(1, _BLOCK // max(1, int(np.prod(points.old.values[name].shape[1:]))))
    for i in range(0, len(cells), size):
        block = slice(i, i + size)
        tick()
        used, at = np.unique(ends[block], return_inverse=True)
        values = points.taken(used).values(name, name)
        x = values if isinstance(values, np.ndarray) else values.cpu().numpy()
        x = x[at.reshape(-1, 2)].sum(axis=1)
        for group in step.groups:
            rows = group.activation.rows
            found[block, group.units] = sum(x[:, group.values] > 2 * r.threshold for r in rows)
    return found


def advanced(
    program: Program, number: int, points: NewPoints, room: int, *, beside: int, quick: bool
) -> tuple[Points, int]:
    """Return points with their numbers before the next layer of units, and its number.

    Parameters
    ----------
    program : Program
    number : int
        Of the step of the units that made the points.
    points : NewPoints
    room : int
        Numbers that may be held; of more, only the first points are made, two at least.
    beside : int
        Numbers that a point takes besides.
    quick : bool
        Whether affine steps may round a little more than they have to.
    """
    step, name = program.steps[number], program.steps[number].reads[0]
    following = number + 1
    while following < len(program.steps) and program.steps[following].affine is not None:
        following += 1
    kept = program.needed(following)
    if following == len(program.steps):
        return Points(points.old.arrays, points.where, {}, None, points.vertices), following
    size = max(1, _BLOCK // max(1, int(np.prod(points.old.values[name].shape[1:]))))
    parts: dict[Any, Any] = {}
    count, first = len(points), 0
    while first < count:
        tick()
        block = points.taken(np.arange(first, min(count, first + size)))
        values = {n: block.values(n, name) for n in points.old.values}
        y = points.old.arrays.activate(step, values[name])
        values[step.name] = y if step.shape is None else step.shape(y)
        for at in range(number + 1, following):
            made = program.steps[at]
            assert made.affine is not None
            needed = program.needed(at)
            values = {n: v for n, v in values.items() if n in needed}
            affine = made.affine.quick if quick else made.affine
            values[made.name] = affine([values[n] for n in made.reads])
        values = {n: v for n, v in values.items() if n in kept}
        if not parts:
            numbers = sum(int(np.prod(v.shape[1:])) for v in values.values())
            count = min(count, max(2, room // max(1, numbers + beside)))
            parts = {n: points.old.arrays.extended(v[:0], count) for n, v in values.items()}
        for n, v in values.items():
            parts[n][first : first + len(v)] = v[: count - first]
        first += size
    points = points.taken(np.arange(count))
    return Points(points.old.arrays, points.where, parts, None, points.vertices), following
