"""From linear regions to closed ones: components of one affine map whose closures meet are one.

Closures may meet in a corner only. The pairs of regions of a class that meet are found by a descent
through two trees of patterns at once: two sets of patterns that begin with different pieces cannot
hold a pair that meets if the closed cells of what the patterns begin with do not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from milpcount.partitions.cells import Row
from milpcount.partitions.components import Components
from milpcount.types import Array


@dataclass(frozen=True, eq=False)
class _Node:
    """Regions whose patterns begin alike.

    Attributes
    ----------
    members : ndarray of int
        Places in the class.
    depth : int
        The first unit in which they differ; the number of units where there is one region.
    rows : list of Row
        Of the closed cell of the units before.
    """

    members: Array
    depth: int
    rows: list[Row]


class ClosedCells(Protocol):
    """What is asked about closed cells; `Cells` and `Between` answer."""

    def prefix_rows(self, pattern: Sequence[int]) -> list[Row]:
        """Return the rows of the first units of a pattern."""

    def touch(self, one: list[Row], other: list[Row]) -> bool:
        """Return whether two closed cells have a point in common."""


class Touching:
    """Joins the regions of a class of one affine map whose closures meet.

    Parameters
    ----------
    cells : ClosedCells
    components : Components
        Of all regions: those of linear regions at first, those of closed ones in the end.
    """

    def __init__(self, cells: ClosedCells, components: Components) -> None:
        self.cells, self.components = cells, components

    def run(self, members: Array, patterns: Array) -> Iterator[None]:
        """Join the regions of one class; yield now and then.

        Parameters
        ----------
        members : ndarray of int
        patterns : ndarray of int, shape (k, units)
        """
        self._index, self._patterns = members, patterns
        root = self._node(np.arange(len(members)))
        yield from self._descend([(root, root)])

    def between(self, one: Array, here: Array, other: Array, there: Array) -> Iterator[None]:
        """Join regions of two lists, each one of the first with each of the second.

        Parameters
        ----------
        one, other : ndarray of int
        here, there : ndarray of int, shape (k, units) and (m, units)
            Their patterns.
        """
        self._index = np.concatenate([one, other])
        self._patterns = np.concatenate([here, there])
        places = np.arange(len(self._index))
        yield from self._descend([(self._node(places[: len(one)]), self._node(places[len(one) :]))])

    def _descend(self, pairs: list[tuple[_Node, _Node]]) -> Iterator[None]:
        while pairs:
            one, other = pairs.pop()
            if self._is_joined(one, other):
                continue
            if one is not other and not self.cells.touch(one.rows, other.rows):
                yield
                continue
            if one is other:
                children = self._children(one)
                pairs += [(a, b) for i, a in enumerate(children) for b in children[i:]]
            elif len(one.members) == len(other.members) == 1:
                self.components.join(*(int(self._index[n.members[0]]) for n in (one, other)))
            else:
                wide, narrow = sorted((one, other), key=lambda n: len(n.members), reverse=True)
                pairs += [(child, narrow) for child in self._children(wide)]
            yield

    def _is_joined(self, one: _Node, other: _Node) -> bool:
        """Return whether all regions of two nodes are in one component."""
        first = int(self._index[one.members[0]])
        both = np.concatenate([one.members, other.members])
        return all(self.components.same(first, int(i)) for i in self._index[both])

    def _children(self, node: _Node) -> list[_Node]:
        if len(node.members) == 1:
            return []
        pieces = self._patterns[node.members, node.depth]
        return [self._node(node.members[pieces == piece]) for piece in np.unique(pieces)]

    def _node(self, members: Array) -> _Node:
        patterns = self._patterns[members]
        differ = np.flatnonzero((patterns != patterns[0]).any(axis=0))
        depth = int(differ[0]) if len(differ) else patterns.shape[1]
        rows = self.cells.prefix_rows(tuple(patterns[0, :depth].tolist()))
        return _Node(members, depth, rows)
