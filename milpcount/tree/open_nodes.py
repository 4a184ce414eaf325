"""What a search has left to search, as plain lists: the nodes of its path and their open pieces.

Beside the decisions that lead to a node, the search knows the pieces of the units that do not split
the cell it met when it entered a layer. Both are what theorems for the cell go by.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from milpcount.kernel import stages, vertex_stages
from milpcount.kernel import vertex_state as vertices
from milpcount.kernel.cell import COUNTED
from milpcount.kernel.columns import UNIT_PIECES
from milpcount.kernel.projection import EMPTY, FULL
from milpcount.kernel.state import DEPTH
from milpcount.kernel.unit_numbering import Numbering
from milpcount.types import OPEN, Array

if TYPE_CHECKING:
    from milpcount.tree.few_inputs import VertexSearch
    from milpcount.tree.search import Search


@dataclass(frozen=True, eq=False)
class OpenNode:
    """A node of the path, whose children are the pieces of one unit.

    Units are those of the network.

    Attributes
    ----------
    unit : int
    pieces : tuple of int
        Those not searched yet.
    current : int
        The piece on which the path goes on; `OPEN` at the last node.
    is_first : bool
        Whether nothing is searched of its other pieces.
    end : int
        The first unit of the layers below.
    undecided : ndarray of int
        Units of the node's layer that are neither decided nor known not to split its cell.
    """

    unit: int
    pieces: tuple[int, ...]
    current: int
    is_first: bool
    end: int
    undecided: Array


@dataclass(frozen=True, eq=False)
class OpenPath:
    """What is left of a search.

    Attributes
    ----------
    nodes : list of OpenNode
        From the root on.
    leaf : OpenNode or None
        A node that is left as a whole, without a unit.
    pattern : ndarray of int, shape (units,)
        The pieces of the units that the path says something of.
    forced : dict of int to int
        Pieces to which the whole search is confined.
    found : int
        Regions below the root that are not below what is left.
    """

    nodes: list[OpenNode]
    leaf: OpenNode | None
    pattern: Array
    forced: Mapping[int, int]
    found: int

    def known(self, node: OpenNode) -> Array:
        """Return the piece of every unit in a node's cell, `OPEN` where it is not known."""
        found = np.full(self.pattern.size, OPEN)
        found[: node.end] = self.pattern[: node.end]
        found[node.undecided] = OPEN
        for unit, piece in self.forced.items():
            found[unit] = piece
        return found


def _undecided(numbering: Numbering, opened: Array, place: int) -> Array:
    return np.array([numbering.to_network(int(u)) for u in opened[place:]], dtype=np.int64)


def path_of(search: "Search") -> OpenPath:
    """Return what is left of a search; not while it counts a cell exactly."""
    s, numbering = search.state, search.numbering
    depth = int(s.control[DEPTH])
    pattern = np.array(numbering.whole_pattern(s.pattern.tolist()))
    forced, nodes = search.forced, list[OpenNode]()
    leaf = None
    for d in range(depth + 1):
        layer, stage = int(s.path.layer[d]), int(s.path.stage[d])
        start = numbering.first_unit(layer)
        if d == depth and stage in (stages.ROOT, stages.COMPOSE):
            leaf = OpenNode(OPEN, (), OPEN, True, start, np.zeros(0, dtype=np.int64))
            break
        opened = s.opened.unit[layer, : s.opened.number[layer]]
        own = int(opened[s.path.place[d]])
        unit = numbering.to_network(own)
        full = s.sides.verdict[d, : search.program.units[own, UNIT_PIECES]].tolist()
        if stage == stages.DESCEND:
            pieces = [k for k in range(int(s.path.turn[d]), len(full)) if full[k] == FULL]
        else:
            pieces = [k for k in range(len(full)) if full[k] not in (EMPTY, COUNTED)]
            pieces = [k for k in pieces if forced.get(unit, k) == k]
        current = int(s.pattern[own]) if d < depth else OPEN
        # What is counted exactly is counted before the path goes on below any other piece.
        first = COUNTED not in full
        first &= stage != stages.DESCEND or full[: s.path.turn[d]].count(FULL) <= 1
        end = start + numbering.width(layer)
        undecided = _undecided(numbering, opened, int(s.path.place[d]))
        nodes.append(OpenNode(unit, tuple(pieces), current, first, end, undecided))
    for node in nodes:
        if node.current != OPEN:
            pattern[node.unit] = node.current
    return OpenPath(nodes, leaf, pattern, forced, search.counted)


def path_of_vertices(search: "VertexSearch") -> OpenPath:
    """Return what is left of a search whose cells carry vertices, but for what it hands over."""
    s, numbering = search.state, search.numbering
    depth = int(s.control[vertices.DEPTH])
    pattern = np.array(numbering.whole_pattern(s.pattern.tolist()))
    nodes, leaf = list[OpenNode](), None
    none = np.zeros(0, dtype=np.int64)
    for d in range(depth + 1):
        layer, stage = int(s.path.node[d, vertices.LAYER]), int(s.path.node[d, vertices.STAGE])
        start = numbering.first_unit(layer)
        if stage == vertex_stages.CHILDREN:
            end = start + numbering.width(layer)
            own, turn = int(s.path.node[d, vertices.UNIT]), int(s.path.node[d, vertices.TURN])
            opened = s.opened.unit[layer, : s.opened.number[layer]]
            undecided = _undecided(numbering, opened, int(s.path.node[d, vertices.PLACE]))
            pieces = tuple(k for k in search.pieces(d) if k >= turn)
            current = turn - 1 if d < depth else OPEN
            first = sum(k < turn for k in search.pieces(d)) <= 1
            unit = numbering.to_network(own)
            nodes.append(OpenNode(unit, pieces, current, first, end, undecided))
        elif d == depth and stage != vertex_stages.OVER:
            # Its unit may be decided and not yet settled: that is known from the node above.
            leaf = OpenNode(OPEN, (), OPEN, True, start, none)
            if stage in (vertex_stages.DECIDE, vertex_stages.ROWS) and nodes:
                opened = s.opened.unit[layer, : s.opened.number[layer]]
                undecided = _undecided(numbering, opened, int(s.path.node[d, vertices.PLACE]))
                undecided = undecided[undecided != nodes[-1].unit]
                end = start + numbering.width(layer)
                leaf = OpenNode(OPEN, (), OPEN, True, end, undecided)
    for node in nodes:
        if node.current != OPEN:
            pattern[node.unit] = node.current
    return OpenPath(nodes, leaf, pattern, search.forced, int(s.control[vertices.REGIONS]))
