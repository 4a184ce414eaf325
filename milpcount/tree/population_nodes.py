"""A node that a walk has come to, copied out of a search, and put back into it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from milpcount.kernel.columns import (
    LAYER_ROW,
    LAYER_ROWS,
    LAYER_UNIT,
    LAYER_UNITS,
    LAYER_VALUE,
    LAYER_VALUES,
)
from milpcount.kernel.descent_state import REACH, Walks
from milpcount.kernel.program import Program
from milpcount.kernel.state import BASED, DEPTH, POOL
from milpcount.tree.search import Search
from milpcount.types import Array


@dataclass(frozen=True, eq=False)
class Node:
    """What the kernel knows of a node whose open unit is to be tested next.

    What is the same at all nodes is left out: the first layer's values and rows, and what is
    learned of its cell, are those of the root.

    Attributes
    ----------
    layer, place, left : int
        Where it is: the layer, and the open units decided and left there.
    reach : float
        Squared distance of its cell from the centre, or of the last node above where it is known.
    """

    depth: int
    layer: int
    place: int
    left: int
    reach: float
    sizes: tuple[Array, ...]
    contents: tuple[Array, ...]

    @classmethod
    def of(cls, search: Search, made: Walks) -> "Node":
        """Copy the current node."""
        s = search.state
        depth = int(s.control[DEPTH])
        layer, place = int(s.path.layer[depth]), int(s.path.place[depth])
        left = int(s.opened.number[layer]) - place
        return cls(
            depth, layer, place, left, float(made.place[REACH]),
            tuple(view.copy() for view in _sizes(search, depth, layer)),
            tuple(view.copy() for view in _contents(search, made, depth, layer)),
        )  # fmt: skip

    def put(self, search: Search, made: Walks) -> None:
        """Make it the current node again."""
        control = search.state.control
        control[DEPTH], made.place[REACH] = self.depth, self.reach
        _restore(_sizes(search, self.depth, self.layer), self.sizes)
        _restore(_contents(search, made, self.depth, self.layer), self.contents)
        if self.layer:  # the base that is there may be of units that are open for another walk
            control[BASED + self.layer + 1] = 0

    def features(self) -> Array:
        """Return what is known of it, as is recorded of choices; see `kernel.descent_state`."""
        share = self.place / (self.place + self.left)
        return np.array([1.0, share, share * share, self.reach, self.left])


def bytes_of(p: Program) -> int:
    """Return about how much room a copy takes at most."""
    units, (m, n) = p.units.shape[0], p.V.shape
    widest = int((p.layers[:, LAYER_VALUES] + p.layers[:, LAYER_ROWS]).max())
    return int(8 * (units * (3 * m + n) + widest * m + 2 * POOL))


def _restore(views: Iterator[Array], copies: tuple[Array, ...]) -> None:
    for view, copy in zip(views, copies, strict=True):
        view[...] = copy


def _sizes(search: Search, depth: int, layer: int) -> Iterator[Array]:
    """Yield views of what the sizes of the contents depend on."""
    s, at = search.state, slice(layer, layer + 1)
    yield s.path.size[depth : depth + 1]
    yield s.opened.number[at]
    if layer:
        yield s.pool.number[at]
        yield s.pool.round[at]
        yield s.conflicts.number[at]


def _contents(search: Search, made: Walks, depth: int, layer: int) -> Iterator[Array]:
    """Yield views of all else that a node is."""
    s, p, at = search.state, search.program, slice(depth, depth + 1)
    size = int(s.path.size[depth])
    room = min(size + p.most_literals, s.path.lam.shape[1])
    for array in (
        s.path.stage, s.path.turn, s.path.layer, s.path.place, s.path.witness, s.path.prefix,
        s.path.start, s.path.polygon, s.path.corners, s.sides.verdict, s.sides.witness,
        s.sides.start, s.sides.polygon, s.sides.corners, made.own_square, made.square,
    ):  # fmt: skip
        yield array[at]
    yield s.path.lam[depth, :room]
    yield s.sides.lam[depth, :, :room]
    yield s.pattern
    yield s.opened.unit[layer, : int(s.opened.number[layer])]
    cell = s.cell
    for array in (
        cell.id, cell.sign, cell.rows, cell.stale, cell.number, cell.offset, cell.margin, cell.error
    ):  # fmt: skip
        yield array[:size]
    yield cell.columns[:, :size]
    if cell.inputs.shape[0] > 1:
        yield cell.inputs[:size]
    units = int(p.layers[layer, LAYER_UNIT] + p.layers[layer, LAYER_UNITS])
    for array in s.outputs:
        yield array[:units]
    if layer:
        yield from _of_the_layer(search, layer)


def _of_the_layer(search: Search, layer: int) -> Iterator[Array]:
    """Yield views of what is made when a layer is entered, and what is learned there."""
    s, table = search.state, search.program.layers[layer]
    for arrays, first, count in (
        (s.values, LAYER_VALUE, LAYER_VALUES), (s.rows, LAYER_ROW, LAYER_ROWS)
    ):  # fmt: skip
        for array in arrays:
            yield array[table[first] : table[first] + table[count]]
    points, conflicts = int(s.pool.number[layer]), int(s.conflicts.number[layer])
    yield s.pool.table[layer]
    yield s.pool.bits[layer, :points]
    yield s.pool.g[layer, :points]
    rows = slice(table[LAYER_ROW], table[LAYER_ROW] + table[LAYER_ROWS])
    yield s.pool.values[:points, rows]
    yield s.conflicts.bits[layer, : min(conflicts, s.conflicts.bits.shape[1])]
