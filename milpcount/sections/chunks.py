"""Parts of a section on their way through a network, and how they are divided."""

from dataclasses import dataclass

import numpy as np

from milpcount.sections.candidates import Candidates
from milpcount.sections.cells import Cells
from milpcount.sections.corners import Points
from milpcount.sections.line import NewPoints
from milpcount.types import Array


@dataclass(eq=False)
class Chunk:
    """Cells on their way, before a step.

    Attributes
    ----------
    number : int
        Of the step.
    patterns : ndarray of int, shape (.., units so far), or None
        Of the cells before the layer; a cell's is the one of its ``origin``.
    candidates : Candidates or None
        What is left to cut them, in the middle of a layer.
    """

    number: int
    cells: Cells
    points: Points
    patterns: Array | None = None
    candidates: Candidates | None = None


@dataclass(eq=False)
class Strip:
    """Cells of a line that a layer is done with; the numbers of their points are not made yet.

    Attributes
    ----------
    number : int
        Of the layer's step.
    cells : Cells
    points : NewPoints
        In the order in which the cells come.
    patterns : ndarray of int, shape (.., units so far), or None
    """

    number: int
    cells: Cells
    points: NewPoints
    patterns: Array | None = None


def compact(chunk: Chunk) -> Chunk:
    """Return a chunk without the points that it does not need."""
    cells, patterns = chunk.cells, chunk.patterns
    used = np.unique(np.concatenate([cells.corner, cells.base.ravel()]))
    places = np.zeros(len(chunk.points), dtype=np.int64)
    places[used] = np.arange(len(used))
    cells = cells.numbered(places)
    if patterns is not None:
        origins, at = np.unique(cells.data["origin"], return_inverse=True)
        cells = Cells(cells.start, cells.corner, cells.base, cells.data | {"origin": at})
        patterns = patterns[origins]
    return Chunk(chunk.number, cells, chunk.points.taken(used), patterns, chunk.candidates)


def strip_of(number: int, cells: Cells, points: NewPoints, patterns: Array | None) -> Strip:
    """Return a strip, its points in the order in which the cells come."""
    used, first, corner = np.unique(cells.corner, return_index=True, return_inverse=True)
    order = np.argsort(first)
    places = np.empty(len(used), dtype=np.int64)
    places[order] = np.arange(len(used))
    cells = Cells(cells.start, places[corner], cells.base, cells.data)
    if patterns is not None:
        patterns, data = patterns[cells.data["origin"]], cells.data
        cells = Cells(
            cells.start, cells.corner, cells.base, data | {"origin": np.arange(len(cells))}
        )
    return Strip(number, cells, points.taken(used[order]), patterns)


def halves(chunk: Chunk) -> list[Chunk]:
    """Return a chunk in two, by place along its longer side."""
    cells, where = chunk.cells, chunk.points.where
    if len(cells) < 2:
        return [chunk]
    middle = np.add.reduceat(where[cells.corner], cells.start[:-1]) / cells.sizes[:, None]
    axis = int(np.argmax(np.nan_to_num(np.ptp(middle, axis=0))))
    order = np.argsort(middle[:, axis], kind="stable")
    parts = []
    for half in np.array_split(order, 2):
        part = cells.taken(half)
        if chunk.candidates is None:
            part = part.rebased()
        parts.append(
            compact(Chunk(chunk.number, part, chunk.points, chunk.patterns, chunk.candidates))
        )
    return parts
