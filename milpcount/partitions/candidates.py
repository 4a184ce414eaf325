"""Pairs of regions with one map that may share a facet: no such pair is missed.

Crossing a facet on which the rows of a single unit vanish, and no other row of the region is a
multiple of theirs or identically zero, changes the piece of that unit and of no other. Modulo a
prime, rows that are not multiples of each other are told apart at two random points with certainty
(equal quotients prove nothing, different ones that they are none). Where several rows may vanish
together, the region is handed back: exact arithmetic finds what lies behind its facets.
"""

from dataclasses import dataclass

import numpy as np

from milpcount.domain import InputSet
from milpcount.limits import tick
from milpcount.network import Network
from milpcount.partitions import residues as mod
from milpcount.partitions.dependencies import Relevance
from milpcount.partitions.residue_walk import HullPoint, ResidueWalk
from milpcount.types import Array

_BATCH = 1024
_SEED = 20180711


@dataclass(frozen=True, eq=False)
class Candidates:
    """What `find` returns.

    Attributes
    ----------
    pairs : ndarray of int, shape (k, 2)
        Members that differ in one unit.
    units : ndarray of int, shape (k,)
        The unit.
    unclear : ndarray of int
        Members of which rows may vanish together, or everywhere.
    """

    pairs: Array
    units: Array
    unclear: Array


class CandidateFinder:
    """Finds candidates among regions.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    """

    def __init__(self, network: Network, inputs: InputSet) -> None:
        random = np.random.default_rng(_SEED)
        self.network = network
        self._walk, self._relevance = ResidueWalk(network), Relevance(network)
        self._points = [HullPoint(inputs, random) for _ in range(2)]
        layers = network.layers
        most = max(int(layer.n_pieces.max()) for layer in layers)
        self._keys = random.integers(0, 2**63, size=(network.n_units, most), dtype=np.uint64)

    def find(self, patterns: Array, classes: Array) -> Candidates:
        """Return the candidates among members of classes of regions with the same map.

        Parameters
        ----------
        patterns : ndarray of int, shape (k, units)
            Distinct.
        classes : ndarray of int, shape (k,)
        """
        alone, unclear = self._alone(patterns)
        hashes = np.zeros(len(patterns), dtype=np.uint64)
        for unit in range(patterns.shape[1]):
            hashes ^= self._keys[unit, patterns[:, unit]]
        # A class is part of the hash: only neighbours of the same one are looked for.
        random = np.random.default_rng(_SEED)
        hashes ^= random.integers(0, 2**63, size=int(classes.max()) + 1, dtype=np.uint64)[classes]
        order = np.argsort(hashes, kind="stable")
        ordered = hashes[order]
        found: list[Array] = []
        for unit, place, piece, behind in self._crossings():
            tick()
            here = np.flatnonzero(alone[:, place] & (patterns[:, unit] == piece))
            wanted = hashes[here] ^ self._keys[unit, piece] ^ self._keys[unit, behind]
            at = np.searchsorted(ordered, wanted)
            at[at == len(ordered)] = 0
            hit = ordered[at] == wanted
            one, other = here[hit], order[at[hit]]
            equal = classes[one] == classes[other]
            differ = patterns[one] != patterns[other]
            equal &= (differ.sum(axis=1) == 1) & differ[:, unit]
            equal &= patterns[other, unit] == behind
            one, other = one[equal], other[equal]
            low, high = np.minimum(one, other), np.maximum(one, other)
            found.append(np.stack([low, high, np.full(len(low), unit)], axis=1))
        none = np.zeros((0, 3), dtype=np.int64)
        every = np.unique(np.concatenate([none, *found]), axis=0)
        return Candidates(every[:, :2], every[:, 2], np.flatnonzero(unclear))

    def _alone(self, patterns: Array) -> tuple[Array, Array]:
        """Return which rows may bound a region and are alone, and which regions are unclear."""
        alone, unclear = [], []
        for at in range(0, len(patterns), _BATCH):
            tick()
            some, doubt = self._alone_in(patterns[at : at + _BATCH])
            alone.append(some)
            unclear.append(doubt)
        return np.concatenate(alone), np.concatenate(unclear)

    def _alone_in(self, patterns: Array) -> tuple[Array, Array]:
        first, second = (self._walk.rows(patterns, point).T for point in self._points)
        asked = self._asked(patterns)
        constant = asked & ~self._relevance.moving_rows(patterns) & (first != 0)
        asked &= ~constant
        flat = asked & ((first == 0) | (second == 0))
        quotients = mod.times(first, _inverses(second))
        # Rows that are not asked for get numbers of their own, beyond all residues.
        own = np.uint64(mod.P) + np.arange(first.shape[1], dtype=np.uint64)
        quotients = np.where(asked & ~flat, quotients, own)
        order = np.argsort(quotients, axis=1, kind="stable")
        ordered = np.take_along_axis(quotients, order, axis=1)
        equal = np.zeros(ordered.shape, dtype=bool)
        equal[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
        equal[:, :-1] |= equal[:, 1:]
        together = np.zeros(ordered.shape, dtype=bool)
        np.put_along_axis(together, order, equal, axis=1)
        together &= asked
        unclear = flat.any(axis=1) | together.any(axis=1)
        return asked & ~together & ~unclear[:, None], unclear

    def _asked(self, patterns: Array) -> Array:
        """Return which rows the pieces of the patterns read, shape (k, rows)."""
        found = []
        for number, layer in enumerate(self.network.layers):
            start, stop = self._walk.starts[number : number + 2]
            table = layer.table
            kinds = table.kind + patterns[:, start:stop].astype(np.int64)
            found.append(table.asks[kinds[:, table.row_unit], table.row_place] != 0)
        return np.concatenate(found, axis=1)

    def _crossings(self) -> list[tuple[int, int, int, int]]:
        """Return (unit, place of a row, piece, piece behind the row), for all that there are."""
        found, first = [], 0
        for number, layer in enumerate(self.network.layers):
            for place in range(layer.width):
                kind, unit = layer.unit(place), self._walk.starts[number] + place
                for k, piece in enumerate(kind.pieces):
                    for row, sign in piece.literals:
                        behind = next(
                            j
                            for j, other in enumerate(kind.pieces)
                            if (row, -sign) in other.literals
                        )
                        found.append((unit, first + row, k, behind))
                first += len(kind.rows)
        return found


def _inverses(values: Array) -> Array:
    """Return inverses modulo p, of zeros anything, shape (k, n); Montgomery's trick along rows."""
    safe = np.where(values == 0, np.uint64(1), values)
    before = np.empty_like(safe)
    total = np.ones(len(safe), dtype=np.uint64)
    for j in range(safe.shape[1]):
        before[:, j] = total
        total = mod.times(total, safe[:, j])
    back = mod.inverse(total)
    found = np.empty_like(safe)
    for j in reversed(range(safe.shape[1])):
        found[:, j] = mod.times(back, before[:, j])
        back = mod.times(back, safe[:, j])
    return found
