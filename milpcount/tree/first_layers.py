"""The cells of a network's first layers, listed ahead of the search, with bounds of what they hold.

A theorem for the whole domain takes every combination of pieces for a cell that the ranks allow.
The cells that there are can be listed by a search of the first layers alone, which are few beside
the regions of the whole network; in each of them the theorem goes by the pieces that it has.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping

import numpy as np

from milpcount.bounds.in_cells import CellBounds
from milpcount.domain import InputSet
from milpcount.limits import OutOfTime
from milpcount.network import Network
from milpcount.tree.few_inputs import searching
from milpcount.types import OPEN, Array

MOST_CELLS = 2**18
"""Cells that are listed."""
_CHUNK = 128
"""Cells that are bounded between two looks at the clock."""
_STEP_SECONDS = 0.02


class FirstLayers:
    """The cells of the first layers of a network, listed bit by bit.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    depth : int
        Layers that are searched.
    bounds : CellBounds
        Of the whole network.
    patterns : bool
        Whether patterns are counted, and not regions.
    forced : mapping of int to int
        Pieces to which the search is confined.

    Attributes
    ----------
    is_useless : bool
        They are not listed yet, or cannot be: there are too many, or some need code that is not
        compiled.
    """

    def __init__(
        self,
        network: Network,
        inputs: InputSet,
        depth: int,
        bounds: CellBounds,
        patterns: bool,
        forced: Mapping[int, int],
    ) -> None:
        self._network, self._inputs, self._bounds = network, inputs, bounds
        self._depth, self._patterns = depth, patterns
        self._units = sum(network.widths[:depth])
        self._forced = {unit: piece for unit, piece in forced.items() if unit < self._units}
        self._pieces: Array = np.zeros((self._units, 0), dtype=np.int16)
        self._sums: Array = np.zeros(1, dtype=object)
        self._work = self._steps()
        self.is_useless = True

    def advance(self, seconds: float) -> bool:
        """Go on for some seconds of work, or a little longer; return whether that is the end."""
        end = time.thread_time() + seconds
        with contextlib.suppress(OutOfTime):
            for _ in self._work:
                if time.thread_time() >= end:
                    return False
        return True

    def of(self, pieces: Array) -> list[int]:
        """Return a bound for each cell, the sum over the listed cells in it; see `CellBounds.of`.

        In the order in which a search finds them the cells below a node are neighbours.
        """
        found = []
        for row in pieces:
            inside: Array | None = None
            for unit in np.flatnonzero(row[: self._units] != OPEN).tolist():
                same = self._pieces[unit] == row[unit]
                inside = same if inside is None else inside & same
            found.append(self._sum(inside))
        return found

    def _sum(self, inside: Array | None) -> int:
        if inside is None:
            return int(self._sums[-1])
        at = np.flatnonzero(inside)
        if not at.size:
            return 0
        if at[-1] - at[0] + 1 == at.size:
            return int(self._sums[at[-1] + 1] - self._sums[at[0]])
        return int(sum((self._sums[at + 1] - self._sums[at]).tolist()))

    def _steps(self) -> Iterator[None]:
        first = Network(self._network.layers[: self._depth], inputs=self._network.n_inputs)
        search = searching(
            first, self._inputs, True, self._forced, self._patterns, compile_other=_be_compiled
        )
        yield
        for _ in search.run(most=MOST_CELLS + 1, seconds=_STEP_SECONDS):
            yield
        if search.found > MOST_CELLS:
            raise OutOfTime
        rows = np.array(list(search.regions.patterns()), dtype=np.int16).reshape(-1, self._units)
        del search
        sums = [0]
        units = sum(self._network.widths)
        for start in range(0, len(rows), _CHUNK):
            some = rows[start : start + _CHUNK]
            whole = np.full((len(some), units), OPEN)
            whole[:, : self._units] = some
            for bound in self._bounds.of(whole):
                sums.append(sums[-1] + bound)
            yield
        self._pieces, self._sums = np.ascontiguousarray(rows.T), np.array(sums, dtype=object)
        self.is_useless = False


def _be_compiled() -> None:
    """Give up where the general kernel would have to be compiled first."""
    from milpcount.tree.warm_up import KERNELS

    if not KERNELS["tree"].is_compiled:
        raise OutOfTime
