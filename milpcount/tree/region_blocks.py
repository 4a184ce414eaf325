"""Blocks of kept regions: patterns in arrays, and a `Region` with its point when asked for.

What a search keeps of a region is its pattern, a bit a unit, and its point where the search knows
one in the parameters of the domain, which it does where they are few. With many parameters a point
takes a hundred times the room of a pattern and more time than the count: it is computed on access
(see `points`), and certified as always (see `witnesses`). Regions that only exact arithmetic could
find keep the witness that it found.
"""

import pickle
import zlib
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.rows import ExactNetwork
from milpcount.kernel.program import Program, compile_program
from milpcount.network import Network
from milpcount.result import Region
from milpcount.tree.witnesses import Witnesses
from milpcount.types import Array

if TYPE_CHECKING:
    from milpcount.tree.kept_points import PointFinder


BATCH = 256
"""Regions whose points are computed at a time while all are read."""
_FIRST = 64
"""Rows of new arrays, which then grow by a half at a time."""


def knows_points(program: Program) -> bool:
    """Return whether a search works in the parameters themselves, not in an image of them."""
    m, n = program.V.shape
    return bool(program.small) or (m == n and np.array_equal(program.V, np.eye(n)))


class Source:
    """Where regions come from, and so what their points are computed from.

    What that takes is made when it is first needed, in every process anew, and is not pickled.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    """

    def __init__(self, network: Network, inputs: InputSet) -> None:
        self.network, self.inputs = network, inputs

    def __reduce__(self) -> tuple[Any, ...]:
        # Of a box of n inputs the n by n directions shrink to little.
        return _unpacked, (self.network, zlib.compress(pickle.dumps(self.inputs), 1))

    @cached_property
    def _exact(self) -> ExactNetwork:
        return ExactNetwork(self.network, self.inputs)

    @cached_property
    def _witnesses(self) -> Witnesses:
        return Witnesses(self.network, self.inputs, lambda: self._exact)

    @cached_property
    def _finder(self) -> "PointFinder":
        from milpcount.tree.kept_points import PointFinder
        from milpcount.tree.warm_up import warm_up

        warm_up("points")
        return PointFinder(self.network, self.inputs, compile_program(self.network, self.inputs))

    def regions(self, patterns: Array, points: Array | None) -> Iterator[Region]:
        """Yield regions with witnesses; `points` are in the cube, None if they are not known."""
        if points is not None:
            return self._witnesses.regions(patterns, points)
        points = self._finder.points(patterns)
        return self._witnesses.regions(patterns, points, self._finder.points_within)


def _unpacked(network: Network, inputs: bytes) -> Source:
    return Source(network, pickle.loads(zlib.decompress(inputs)))


class Block:
    """Regions of one source in arrays that grow.

    Parameters
    ----------
    source : Source or None
        None where every region has its own witness, and on the way between processes.

    Attributes
    ----------
    count : int
    own : dict of int to Region
        Rows that have a region of their own, whose arrays say nothing.
    """

    def __init__(self, source: Source | None) -> None:
        self.source, self.count, self.own = source, 0, dict[int, Region]()
        self._units, self._pieces = 0, 2
        self._packed: Array | None = None
        self._points: Array | None = None

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        for name in ("_packed", "_points"):
            if state[name] is not None:
                state[name] = state[name][: self.count].copy()
        return state

    def add(self, patterns: Array, points: Array | None, pieces: int) -> None:
        """Append patterns, and points if they are known.

        Parameters
        ----------
        patterns : ndarray of int, shape (k, units)
        points : ndarray, shape (k, n), or None
        pieces : int
            Of the unit that has most of them; with two a unit takes a bit.
        """
        self._units, self._pieces = patterns.shape[1], pieces
        if pieces <= 2:
            packed = np.packbits(patterns.astype(bool), axis=1)
        else:
            packed = patterns.astype(np.min_scalar_type(pieces))
        self._append(packed, points)

    def add_own(self, region: Region) -> None:
        """Append a region that has its witness."""
        self._packed = _grown(self._packed, self.count + 1)
        self._points = _grown(self._points, self.count + 1)
        self.own[self.count] = region
        self.count += 1

    def join(self, other: "Block", rows: Array) -> None:
        """Append rows of another block of the same source."""
        self.own |= {
            self.count + i: other.own[row]
            for i, row in enumerate(rows.tolist() if other.own else ())
            if row in other.own
        }
        if other._packed is None:
            self._packed = _grown(self._packed, self.count + len(rows))
            self._points = _grown(self._points, self.count + len(rows))
            self.count += len(rows)
        else:
            self._units, self._pieces = other._units, other._pieces
            points = None if other._points is None else other._points[rows]
            self._append(other._packed[rows], points)

    def patterns(self, rows: Array) -> list[tuple[int, ...]]:
        """Return the patterns in some rows."""
        if self._packed is None:
            return [self.own[row].pattern for row in rows.tolist()]
        found = list(map(tuple, self._patterns(rows).tolist()))
        if self.own:
            pairs = zip(rows.tolist(), found, strict=True)
            found = [self.own[row].pattern if row in self.own else one for row, one in pairs]
        return found

    def regions(self, rows: Array) -> Iterator[Region]:
        """Yield the regions in some rows."""
        if self.own:
            stored = [row not in self.own for row in rows.tolist()]
            computed = self._computed(rows[np.array(stored, dtype=bool)])
            for row, known in zip(rows.tolist(), stored, strict=True):
                yield next(computed) if known else self.own[row]
        else:
            yield from self._computed(rows)

    def _computed(self, rows: Array) -> Iterator[Region]:
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            assert self.source is not None
            points = None if self._points is None else self._points[batch]
            yield from self.source.regions(self._patterns(batch), points)

    def _patterns(self, rows: Array) -> Array:
        assert self._packed is not None
        packed = self._packed[rows]
        return packed if self._pieces > 2 else np.unpackbits(packed, axis=1, count=self._units)

    def _append(self, packed: Array, points: Array | None) -> None:
        start, end = self.count, self.count + len(packed)
        self._packed = _grown(self._packed, end, packed)
        self._packed[start:end] = packed
        if points is not None:
            self._points = _grown(self._points, end, points)
            self._points[start:end] = points
        self.count = end


@overload
def _grown(array: Array | None, rows: int, like: Array) -> Array: ...
@overload
def _grown(array: Array | None, rows: int) -> Array | None: ...
def _grown(array: Array | None, rows: int, like: Array | None = None) -> Array | None:
    """Return an array with room for so many rows; a first one is like what comes into it."""
    if array is None:
        if like is None:
            return None
        array = np.zeros((_FIRST, like.shape[1]), like.dtype)
    if len(array) < rows:
        more = max(rows, len(array) + len(array) // 2)
        larger = np.zeros((more, array.shape[1]), array.dtype)
        larger[: len(array)] = array
        array = larger
    return array
