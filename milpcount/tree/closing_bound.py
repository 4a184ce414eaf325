"""The upper end of a running count: what theorems leave of the cells that are not searched yet.

With B(cell) a theorem's bound (`milpcount.bounds.in_cells`) and U(node) = min(B(node's cell), sum
of U over its children), found regions being exact, U(root) is a bound on the count. The minimum is
needed: 22 rectifiers on 11 inputs have at most 2,449,868 regions, and the two cells on the sides of
one of them 1,401,292 each.

On the path of a depth-first search, with nodes e = 0, 1, .., F(e) the regions found outside of node
e before it was entered and S(e) the bounds of the open children above it, that is

    U(root) = min_e (F(e) + S(e) + B(e)),

the last term being that of what the path ends in, or of nothing. F(e) is not known to the search,
but it is at most what was found when e was first seen here. Bounds of open nodes are kept while
they are open, so that most of a look at the path costs nothing.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from milpcount.bounds.in_cells import CellBounds
from milpcount.limits import Deadline
from milpcount.tree.few_inputs import VertexSearch
from milpcount.tree.first_layers import FirstLayers
from milpcount.tree.open_nodes import OpenPath
from milpcount.tree.search import Search
from milpcount.types import OPEN, Array

_BATCH = 32
"""Nodes that are bounded together."""
_SHARE = 0.01
"""Of the time, for looks at the path. Work is measured in seconds of this thread's processor."""
_SHARE_AHEAD = 0.025
"""Of the time, for the cells of the first layers."""
_FIRST_SECONDS = 0.2
"""Before the first look: most counts are over by then."""
_FIRST_SETUPS = 10.0
"""Before the first look, in times that it took to set up the search: that work is of its size."""
_MOST_SECONDS = 0.2
"""Of one look."""
_LAST_SECONDS = 0.25
"""For the cells of the first layers where a search is stopped: limits are kept to a second."""
_SHARE_AT_THE_END = 0.25
"""Of the time that a short search took, for the same."""
_LATEST_SECONDS = 1.0
"""For the same by the clock, whatever else the machine does."""
_QUICK_SECONDS = 0.05
"""A search that took longer to set up is not set up for them then; so long they get in any case."""


class Bounds(Protocol):
    """What bounds the regions in cells."""

    def of(self, pieces: Array) -> list[int]:
        """Return a bound for each cell; see `CellBounds.of`."""


@dataclass(eq=False)
class _Seen:
    """A node of the path: how it is known again, and what bounds are known."""

    unit: int
    current: int
    start: int
    bound: int
    children: dict[int, int]


class PathBound:
    """An upper bound on the regions of one search, from its paths in their order in time.

    Parameters
    ----------
    bounds : Bounds
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds, self._seen = bounds, list[_Seen]()

    def at(self, path: OpenPath, seconds: float = float("inf")) -> int:
        """Return an upper bound on the regions found and left together.

        Parameters
        ----------
        path : OpenPath
        seconds : float
            Nodes are bounded from the root on; after so long the bound of the last one stands for
            what is below it.
        """
        end = time.thread_time() + seconds
        seen = self._kept(path)
        above, least = 0, None
        for number, node in enumerate(path.nodes):
            if number == len(seen):
                if least is not None and time.thread_time() >= end:
                    break
                seen += self._next(path, seen)
            known = seen[number]
            term = known.start + above + known.bound
            least = term if least is None else min(least, term)
            above += sum(known.children[k] for k in node.pieces)
        else:
            term = path.found + above + self._bound(path)
            least = term if least is None else min(least, term)
        self._seen = seen
        assert least is not None
        return least

    def children(self, path: OpenPath) -> list[int | None]:
        """Return the bounds of what the path that was looked at last leaves, in its order."""
        found: list[int | None] = []
        for number, node in enumerate(path.nodes):
            known = self._seen[number].children if number < len(self._seen) else {}
            found += [known.get(piece) for piece in node.pieces]
        return found if path.leaf is None else [*found, self._bound(path)]

    def take(self, bounds: Bounds) -> None:
        """Bound the nodes anew from now on, by bounds that may be better."""
        self._bounds = bounds
        for known in self._seen:
            known.bound = OPEN

    def _bound(self, path: OpenPath) -> int:
        """Return the bound of what the path ends in."""
        return 0 if path.leaf is None else self._bounds.of(path.known(path.leaf)[None])[0]

    def _kept(self, path: OpenPath) -> list[_Seen]:
        """Return what is known of the nodes that were on the last path, too."""
        kept: list[_Seen] = []
        for node, old in zip(path.nodes, self._seen, strict=False):
            if node.unit != old.unit:
                break
            kept.append(_Seen(node.unit, node.current, old.start, old.bound, old.children))
            if node.current != old.current:
                break
        if any(known.bound == OPEN for known in kept):
            fresh: list[_Seen] = []
            while len(fresh) < len(kept):
                fresh += self._next(path, fresh)
            for known, old in zip(fresh, kept, strict=False):
                known.start = old.start
            kept = fresh
        return kept

    def _next(self, path: OpenPath, seen: list[_Seen], most: int | None = None) -> list[_Seen]:
        """Return the next nodes of the path with their bounds."""
        nodes = path.nodes[len(seen) : len(seen) + _BATCH][
            : None if most is None else most - len(seen)
        ]
        rows: list[Array] = []
        for node in nodes:
            here = path.known(node)
            rows.append(here)
            for piece in node.pieces:
                child = here.copy()
                child[node.unit] = piece
                rows.append(child)
        values = iter(self._bounds.of(np.array(rows)))
        found: list[_Seen] = []
        for number, node in enumerate(nodes, len(seen)):
            bound = next(values)
            children = {piece: min(bound, next(values)) for piece in node.pieces}
            start = path.found
            if number == 0:
                start = 0
            elif path.nodes[number - 1].is_first:
                start = [*seen, *found][number - 1].start
            found.append(_Seen(node.unit, node.current, start, bound, children))
        return found


def bounds_of(
    search: Search | VertexSearch, bounds: Bounds, seconds: float
) -> tuple[int, list[int | None]]:
    """Return a bound on all regions of a search, and bounds of what it leaves.

    Parameters
    ----------
    search : Search or VertexSearch
        It can be split now.
    bounds : Bounds
    seconds : float
        So long each path is looked at.

    Returns
    -------
    upper : int
    uppers : list of int or None
        In the order of `Search.left`.
    """
    path = search.open_path
    assert path is not None
    own = PathBound(bounds)
    upper = own.at(path, seconds)
    uppers = own.children(path)
    if isinstance(search, VertexSearch):
        units = sum(search.network.widths)
        rows = [_row(pieces, units) for pieces in search.handed]
        handed = bounds.of(np.array(rows)) if rows else []
        uppers += handed
        upper += search.found_otherwise + sum(handed)
        if search.other is not None:
            of_other, more = bounds_of(search.other, bounds, seconds)
            upper, uppers = upper + of_other, uppers + more
    return upper, uppers


def _row(pieces: Mapping[int, int], units: int) -> Array:
    row = np.full(units, OPEN)
    for unit, piece in pieces.items():
        row[unit] = piece
    return row


class _Refined:
    """The smaller of theorems in a cell and the sums over its cells of the first layers."""

    def __init__(self, cells: CellBounds, tables: list[FirstLayers]) -> None:
        self._cells, self._tables = cells, tables

    def of(self, pieces: Array) -> list[int]:
        """Return a bound for each cell."""
        found = self._cells.of(pieces)
        for table in self._tables:
            found = list(map(min, found, table.of(pieces)))
        return found


class Closing:
    """The upper end of a search, looked at from time to time.

    Parameters
    ----------
    search : Search or VertexSearch
    seconds : float
        That it took to set it up: so long it takes for the first layers, too.

    Attributes
    ----------
    upper : int or None
        What is known of all regions of the search; it never grows.
    """

    def __init__(self, search: Search | VertexSearch, seconds: float = 0.0) -> None:
        self._setup = seconds
        self._search, self._units = search, sum(search.network.widths)
        self._began = time.thread_time()
        self._due = self._began + max(_FIRST_SECONDS, _FIRST_SETUPS * seconds)
        self._ahead = 0.0
        self._cells: CellBounds | None = None
        self._next: FirstLayers | None = None
        self._ends = False
        self._tables: list[FirstLayers] = []
        self._paths: list[tuple[object, PathBound]] = []
        self._handed: dict[tuple[tuple[int, int], ...], int] = {}
        self.upper: int | None = None

    def look(self, *, now: bool = False) -> int | None:
        """Look at the search if it is time, or at once; return `upper`."""
        if not now and time.thread_time() < self._due:
            return self.upper
        began = time.thread_time()
        self._due = float("inf")  # whatever comes between
        self._see()
        took = time.thread_time() - began
        if now:
            self._go_on_to_the_end()
        else:
            elapsed = time.thread_time() - self._began
            self._go_ahead(_SHARE_AHEAD * elapsed - self._ahead)
        self._due = time.thread_time() + took / _SHARE
        return self.upper

    def _see(self) -> None:
        found = self._whole(self._bounds())
        if found is not None:
            self.upper = found if self.upper is None else min(self.upper, found)

    def _bounds(self) -> Bounds:
        if self._cells is None:
            search = self._search
            settled = search.numbering.settled
            self._cells = CellBounds(search.network, search.inputs, search.patterns, settled)
            self.upper = self._cells.of(_row(search.forced, self._units)[None])[0]
        return _Refined(self._cells, self._tables)

    # The path -----------------------------------------------------------------------------------

    def _whole(self, bounds: Bounds) -> int | None:
        """Return what the search as it stands says; None if it cannot be looked at."""
        search = self._search
        path = search.open_path
        if path is None:
            return None
        if not self._paths:
            self._paths = [(search, PathBound(bounds))]
        total = self._paths[0][1].at(path, _MOST_SECONDS)
        if isinstance(search, VertexSearch):
            total += search.found_otherwise + self._otherwise(search, bounds)
        return total

    def _otherwise(self, search: VertexSearch, bounds: Bounds) -> int:
        """Return what cells that were handed over hold at most, but for those that are done."""
        cells, rows = {}, []
        for pieces in search.handed:
            key = tuple(sorted(pieces.items()))
            cells[key] = self._handed.get(key)
            if cells[key] is None:
                rows.append(_row(pieces, self._units))
        values = iter(bounds.of(np.array(rows)) if rows else ())
        handed = {key: next(values) if n is None else n for key, n in cells.items()}
        total = sum(handed.values())
        if search.other is not None:
            total += self._other(search.other, bounds)
        self._handed = handed
        return total

    def _other(self, other: Search, bounds: Bounds) -> int:
        whole = bounds.of(_row(other.forced, self._units)[None])[0]
        if len(self._paths) < 2 or self._paths[1][0] is not other:
            self._paths = [self._paths[0], (other, PathBound(bounds))]
        path = other.open_path
        return whole if path is None else min(whole, self._paths[1][1].at(path, _MOST_SECONDS))

    # The first layers ---------------------------------------------------------------------------

    def _go_ahead(self, seconds: float) -> bool:
        """List more cells of the first layers for some seconds; return whether a layer is done."""
        if seconds <= 0.0 or self._cells is None or self._ends:
            return False
        began = time.thread_time()
        if self._next is None:
            depth = len(self._tables) + 1
            search = self._search
            if depth >= len(search.network.layers) or seconds < self._setup:
                return False
            self._next = FirstLayers(
                search.network, search.inputs, depth, self._cells, search.patterns, search.forced
            )
        # Not by the deadline of the count, which may come in its midst: it would be given up.
        with Deadline(_LATEST_SECONDS).in_force():
            done = self._next.advance(seconds)
        if done:
            self._ends = self._next.is_useless
            if not self._ends:
                self._tables.append(self._next)
                self._handed.clear()
                for _, path in self._paths:
                    path.take(_Refined(self._cells, self._tables))
            self._next = None
        self._ahead += time.thread_time() - began
        return done and not self._ends

    def _go_on_to_the_end(self) -> None:
        """List cells of the first layers where the search is stopped, whatever its deadline."""
        if self._setup > _QUICK_SECONDS or self._search.open_path is None:
            return
        now = time.thread_time()
        seconds = min(_LAST_SECONDS, max(_QUICK_SECONDS, _SHARE_AT_THE_END * (now - self._began)))
        before, end = len(self._tables), now + seconds
        while self._go_ahead(end - time.thread_time()):
            pass
        if len(self._tables) > before:
            self._see()
