"""How a walk through a section goes, and what it finds."""

from dataclasses import dataclass, field

import numpy as np

from milpcount.sections.cells import Cells
from milpcount.types import Array


@dataclass(frozen=True)
class Settings:
    """How a walk goes.

    Attributes
    ----------
    memory : int
        Bytes that it may hold.
    tolerance : float
        Of a certain sign, as a part of the largest value of the layer; where errors are bounded,
        it is not used.
    digests : bool
        Whether each cell's pattern is told, by a digest of 16 bytes.
    polygons : bool
        Whether each cell's corners are told.
    regions : bool
        Whether each cell's pattern is told itself, and how its corners are found exactly.
    """

    memory: int = 1 << 30
    tolerance: float = 1e-10
    digests: bool = False
    polygons: bool = False
    regions: bool = False


@dataclass(eq=False)
class Found:
    """What a walk has found so far.

    Attributes
    ----------
    cells : int
        Finished ones: as many different patterns at least.
    most : int
        The most patterns that there can be in them.
    uncertain : int
        Cells that some unit may or may not cut.
    rigorous : bool
        Whether nothing rests on a tolerance.
    share : float
        Of the section that is finished.
    digests : list of ndarray of bytes
    polygons : list of (Cells, ndarray)
        Cells and the parameters of their points.
    regions : list of (ndarray, Cells, ndarray)
        Patterns of cells, the cells, and the vertices of their corners.
    points : int
        Corners made.
    """

    cells: int = 0
    most: int = 0
    uncertain: int = 0
    rigorous: bool = True
    share: float = 0.0
    points: int = 0
    chunks: int = 0
    digests: list[Array] = field(default_factory=list)
    polygons: list[tuple[Cells, Array]] = field(default_factory=list)
    regions: list[tuple[Array, Cells, Array]] = field(default_factory=list)


def size_of(cells: Cells, where: Array) -> float:
    """Return the length or area of cells."""
    x = where[cells.corner]
    if x.shape[1] == 1:
        return float(np.abs(x[:, 0] - cells.following(x[:, 0])).sum() / 2)
    u, v = x.T
    return float(abs((u * cells.following(v) - v * cells.following(u)).sum()) / 2)
