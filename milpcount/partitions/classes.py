"""Regions by their affine maps: told apart modulo a prime as they come, compared exactly at last.

Residues that differ prove that maps differ, so the number of distinct residues is a lower bound on
the number of affine maps at every moment. Regions with equal residues have, but for a chance of
about 2^-61 for each two of them, equal maps; exact arithmetic compares all of them in the end.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.geometry import Rows
from milpcount.exact.rows import ExactNetwork
from milpcount.limits import tick
from milpcount.network import Network
from milpcount.partitions import residues as mod
from milpcount.partitions.dependencies import Relevance
from milpcount.partitions.residue_walk import HullPoint, ResidueWalk
from milpcount.types import Array

_BATCH = 2048
"""Regions whose maps are evaluated at a time."""
_SEED = 20180710
"""Of the random point. Whatever it is, answers are the same."""


class PatternStore:
    """Patterns in arrays, a bit a unit where all units have two pieces.

    Parameters
    ----------
    network : Network
    """

    def __init__(self, network: Network) -> None:
        self.n_units = network.n_units
        most = max((int(layer.n_pieces.max()) for layer in network.layers), default=2)
        self._bits, self._dtype = most <= 2, np.min_scalar_type(most)
        self._parts: list[Array] = []
        self._joined: Array | None = None

    def add(self, patterns: Array) -> None:
        """Append patterns, shape (k, units)."""
        self._parts.append(self.pack(patterns))
        self._joined = None

    def pack(self, patterns: Array) -> Array:
        """Return patterns as they are held, a row each."""
        if self._bits:
            return np.packbits(patterns.astype(bool), axis=1)
        return patterns.astype(self._dtype)

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def take(self, indices: Array) -> Array:
        """Return the patterns at some indices, shape (k, units)."""
        packed = self.packed[indices]
        if not self._bits:
            return np.asarray(packed)
        return np.unpackbits(packed, axis=1, count=self.n_units)

    def tuples(self, indices: Array) -> list[tuple[int, ...]]:
        """Return the same as tuples."""
        return list(map(tuple, self.take(indices).tolist()))

    @property
    def packed(self) -> Array:
        """All of them as they are held."""
        if self._joined is None:
            width = (self.n_units + 7) // 8 if self._bits else self.n_units
            none = np.zeros((0, width), dtype=np.uint8)
            self._joined = np.concatenate(self._parts) if self._parts else none
            self._parts = [self._joined]
        return self._joined


class MapClasses:
    """The regions of a network on an input set, by their affine maps on its affine hull.

    Parameters
    ----------
    network : Network
    inputs : InputSet

    Attributes
    ----------
    patterns : PatternStore
        Of the regions, in the order in which they came.
    """

    def __init__(self, network: Network, inputs: InputSet) -> None:
        random = np.random.default_rng(_SEED)
        self.network = network
        self.patterns = PatternStore(network)
        self._walk, self._point = ResidueWalk(network), HullPoint(inputs, random)
        self._weights: Array | None = None
        self._random = random
        self._residues: list[Array] = []
        self._distinct: set[int] = set()

    def add(self, patterns: Iterable[Sequence[int]]) -> None:
        """Take regions, given by their patterns."""
        batch: list[Sequence[int]] = []
        for pattern in patterns:
            batch.append(pattern)
            if len(batch) == _BATCH:
                self._take(batch)
                batch = []
        if batch:
            self._take(batch)

    @property
    def lower(self) -> int:
        """A lower bound on the number of affine maps: those that differ modulo a prime."""
        return len(self._distinct)

    def __len__(self) -> int:
        return len(self.patterns)

    def _take(self, batch: list[Sequence[int]]) -> None:
        patterns = np.array(batch, dtype=np.int64)
        outputs = self._walk.outputs(patterns, self._point)
        if self._weights is None:
            self._weights = self._random.integers(1, mod.P, size=len(outputs), dtype=np.uint64)
        found = np.zeros(len(batch), dtype=np.uint64)
        for row, weight in zip(outputs, self._weights, strict=True):
            found = mod.plus(found, mod.times(row, weight))
        self.patterns.add(patterns)
        self._residues.append(found)
        self._distinct.update(found.tolist())

    def shared(self) -> list[Array]:
        """Return, for each residue that several regions have, the regions' indices."""
        if not self._residues:
            return []
        residues = np.concatenate(self._residues)
        self._residues = [residues]
        order = np.argsort(residues, kind="stable")
        cuts = np.flatnonzero(np.diff(residues[order])) + 1
        starts = np.concatenate([[0], cuts])
        sizes = np.diff(starts, append=len(order))
        several = sizes > 1
        pairs = zip(starts[several].tolist(), sizes[several].tolist(), strict=True)
        return [order[start : start + size] for start, size in pairs]

    def exactly(self, exact: ExactNetwork, shared: Sequence[Array]) -> Iterator[Array]:
        """Yield the classes of two regions or more that have the same map, proved exactly.

        `shared` are the regions that have the same residue, see the method of that name.

        Regions whose maps read the same units, on the same pieces, have the same map; of those that
        do not, one of each kind is compared with one of each other.
        """
        relevance = Relevance(self.network)
        for group in shared:
            patterns = self.patterns.take(group)
            kinds = relevance.kinds(patterns)
            order = np.argsort(kinds, kind="stable")
            firsts = np.flatnonzero(np.diff(kinds[order], prepend=-1))
            found: list[tuple[Rows, list[Array]]] = []
            for alike in np.split(order, firsts[1:]):
                tick()
                own = exact.affine_map(tuple(patterns[alike[0]].tolist()))
                for representative, members in found:
                    if is_same(own, representative):
                        members.append(group[alike])
                        break
                else:
                    found.append((own, [group[alike]]))
            for _, members in found:
                together = np.sort(np.concatenate(members))
                if len(together) > 1:
                    yield together


def is_same(one: Rows, other: Rows) -> bool:
    """Return whether two affine maps are the same on the affine hull of the input set."""
    p = np.array(one.denominators, dtype=object)[:, None]
    q = np.array(other.denominators, dtype=object)[:, None]
    return bool((one.values * q == other.values * p).all())
