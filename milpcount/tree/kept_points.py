"""Points of kept regions with many inputs, computed when they are asked for."""

import numpy as np

from milpcount.domain import InputSet
from milpcount.kernel.allocation import Room, new_scratch, with_room
from milpcount.kernel.cell import NARROWEST
from milpcount.kernel.program import Layout
from milpcount.kernel.region_points import find_points
from milpcount.network import Network
from milpcount.tree.search import Search
from milpcount.types import Array


class PointFinder:
    """Finds points of regions where the image of the parameters has fewer dimensions than they.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    layout : Layout
        Of the two.
    """

    def __init__(self, network: Network, inputs: InputSet, layout: Layout) -> None:
        search = Search(network, inputs, program=layout)
        search.begin()
        program, self._numbering = layout
        self._program, self._rounding = program, search.rounding
        first = Room.of(search.state)
        room = Room(first.depth, first.rows + program.row_values.shape[0])
        self._state = with_room(program, search.state, room)
        self._scratch = new_scratch(program, room)

    def points(self, patterns: Array) -> Array:
        """Return a point of the cube for every pattern; its centre where none was found.

        Parameters
        ----------
        patterns : ndarray of int, shape (k, units)

        Returns
        -------
        ndarray, shape (k, n)
        """
        points, found = self.points_within(patterns, NARROWEST)
        points[~found] = 0.5
        return points

    def points_within(self, patterns: Array, aim: float) -> tuple[Array, Array]:
        """Return points that clear the rows of their cells by `aim`, and which were found.

        Parameters
        ----------
        patterns : ndarray of int, shape (k, units)
        aim : float
            Distance in the cube of side 1.

        Returns
        -------
        points : ndarray, shape (k, n)
        found : ndarray of bool, shape (k,)
        """
        p, s = self._program, self._state
        points, found = np.empty((len(patterns), p.V.shape[1])), np.zeros(len(patterns), dtype=bool)
        pieces = np.ascontiguousarray(self._numbering.part(patterns), dtype=np.int64)
        above = np.zeros(p.units.shape[0] + 1, dtype=np.int64)
        find_points(p, s, self._scratch, self._rounding, pieces, above, points, found, aim)
        return points, found
