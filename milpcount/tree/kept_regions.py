"""Kept regions as a list has them; what they are made of is in `region_blocks`."""

from collections.abc import Iterable, Iterator, MutableSequence
from itertools import pairwise
from typing import Any, SupportsIndex, overload

import numpy as np

from milpcount.result import Region, patterns_of
from milpcount.tree.region_blocks import BATCH, Block, Source
from milpcount.types import Array

_ROW_BITS = 40
"""An address is the number of a block times 2 to this, plus a row of it."""


class KeptRegions(MutableSequence[Region]):
    """Regions as a list has them, computed when they are read.

    Slices are copies, as those of a list. Reading all in order is much faster than one by one.
    A region's point is the same whenever it is computed, but for rounding.

    Parameters
    ----------
    source : Source, optional
        Of regions that `add` takes.
    """

    def __init__(self, source: Source | None = None) -> None:
        self._source = source
        self._blocks: list[Block] = []
        self._order: Array | None = None
        """Addresses; None for all rows of the only block."""

    def add(self, patterns: Array, points: Array | None) -> None:
        """Append regions as a search finds them: see `Block.add`."""
        assert self._source is not None
        layers = self._source.network.layers
        number, block = self._block(self._source)
        start = block.count
        block.add(patterns, points, max(int(layer.n_pieces.max()) for layer in layers))
        self._put(len(self), number, start)

    def add_own(self, region: Region) -> None:
        """Append a region that has its witness."""
        number, block = self._block(self._source)
        block.add_own(region)
        self._put(len(self), number, block.count - 1)

    def pack(self, parcel: Block) -> None:
        """Append the regions to a block without their source, for a process that has it."""
        for block, rows in self._runs(self._addresses()):
            parcel.join(block, rows)

    def unpack(self, parcel: Block) -> None:
        """Append the regions that `pack` put into a parcel: they are of this one's source."""
        number, block = self._block(self._source)
        start = block.count
        block.join(parcel, np.arange(parcel.count))
        self._put(len(self), number, start)

    def patterns(self) -> Iterator[tuple[int, ...]]:
        """Yield the patterns; no point is computed."""
        for block, rows in self._runs(self._addresses()):
            for start in range(0, len(rows), BATCH):
                yield from block.patterns(rows[start : start + BATCH])

    def taken(self, indices: Iterable[int]) -> "KeptRegions":
        """Return the regions at some indices."""
        taken = KeptRegions(self._source)
        taken._take(self, self._addresses()[np.fromiter(indices, dtype=np.int64)])
        return taken

    # What a sequence has ------------------------------------------------------------------------

    def __len__(self) -> int:
        if self._order is not None:
            return len(self._order)
        return self._blocks[0].count if self._blocks else 0

    @overload
    def __getitem__(self, index: SupportsIndex) -> Region: ...
    @overload
    def __getitem__(self, index: "slice[Any, Any, Any]") -> "KeptRegions": ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.taken(range(len(self))[index])
        try:
            at = range(len(self))[index]
        except IndexError:
            raise IndexError("list index out of range") from None
        address = np.array([at]) if self._order is None else self._order[at : at + 1]
        ((block, rows),) = self._runs(address)
        return next(block.regions(rows))

    def __iter__(self) -> Iterator[Region]:
        start = 0
        while start < len(self):  # it may grow, as a list may, while it is read
            addresses = self._addresses()[start:]
            start += len(addresses)
            for block, rows in self._runs(addresses):
                yield from block.regions(rows)

    def __setitem__(self, index: Any, value: Any) -> None:
        addresses = self._addresses().tolist()
        if isinstance(index, slice):
            addresses[index] = self._taken_in(value)
        else:
            (addresses[index],) = self._taken_in([value])
        self._order = np.array(addresses, dtype=np.int64)

    def __delitem__(self, index: Any) -> None:
        addresses = self._addresses().tolist()
        del addresses[index]
        self._order = np.array(addresses, dtype=np.int64)

    def insert(self, index: int, value: Region) -> None:
        """Insert a region before an index."""
        self[index:index] = [value]

    def clear(self) -> None:
        """Forget all regions."""
        self._blocks, self._order = [], None

    def extend(self, values: Iterable[Region]) -> None:
        """Append regions."""
        end = len(self)
        if isinstance(values, KeptRegions):
            self._take(values, values._addresses())
        else:
            self[end:end] = values

    def __add__(self, other: Iterable[Region]) -> "KeptRegions":
        both = self[:]
        both.extend(other)
        return both

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KeptRegions | list):
            return NotImplemented
        # Patterns first: they cost little.
        return (
            len(self) == len(other)
            and all(a == b for a, b in zip(self.patterns(), patterns_of(other), strict=True))
            and all(_is_same(a, b) for a, b in zip(self, other, strict=True))
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self):,} kept regions>"

    def __getstate__(self) -> dict[str, Any]:
        if self._order is None:
            return self.__dict__
        only = KeptRegions(self._source)  # without regions that were taken out
        only._take(self, self._order)
        return only.__dict__

    # Addresses ----------------------------------------------------------------------------------

    def _addresses(self) -> Array:
        return np.arange(len(self)) if self._order is None else self._order

    def _runs(self, addresses: Array) -> Iterator[tuple[Block, Array]]:
        """Yield addresses as rows of one block after the other, in their order."""
        numbers = addresses >> _ROW_BITS
        rows = addresses & ((1 << _ROW_BITS) - 1)
        cuts = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(rows)]
        for start, end in pairwise(cuts):
            if end > start:
                yield self._blocks[numbers[start]], rows[start:end]

    def _block(self, source: Source | None) -> tuple[int, Block]:
        """Return the block of a source and its number."""
        for number, block in enumerate(self._blocks):
            if block.source is source:
                return number, block
        if self._blocks:
            self._order = self._addresses()  # of several blocks the order has to be told
        self._blocks.append(Block(source))
        return len(self._blocks) - 1, self._blocks[-1]

    def _put(self, at: int, number: int, start: int) -> None:
        """Put the rows of a block from `start` on where they belong in the order."""
        if self._order is not None:
            rows = np.arange(start, self._blocks[number].count) + (number << _ROW_BITS)
            self._order = np.insert(self._order, at, rows)

    def _taken_in(self, values: Iterable[Region]) -> list[int]:
        """Put regions into blocks, and return their addresses."""
        self._order = self._addresses()
        if isinstance(values, KeptRegions):
            before = self._order
            self._take(values, values._addresses())
            added, self._order = self._order[len(before) :], before
            return list(added.tolist())
        number, block = self._block(None)
        start = block.count
        for region in values:
            block.add_own(region)
        return [(number << _ROW_BITS) + row for row in range(start, block.count)]

    def _take(self, other: "KeptRegions", addresses: Array) -> None:
        """Append regions of another sequence."""
        for theirs, rows in other._runs(addresses):
            number, block = self._block(theirs.source)
            start = block.count
            block.join(theirs, rows)
            self._put(len(self), number, start)


def _is_same(a: Region, b: Region) -> bool:
    both = ((a.witness, b.witness), (a.parameters, b.parameters))
    return all(
        (x is None) == (y is None) and np.array_equal(x, y)  # type: ignore[arg-type]
        for x, y in both
    )
