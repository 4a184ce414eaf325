"""Refutations of a proof's sides in floating point, and seeds of its witnesses.

See `milpcount.proof`, where they are checked, and `milpcount.kernel.refutations`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from milpcount.domain import InputSet
from milpcount.kernel.allocation import Room, new_scratch, with_room
from milpcount.kernel.image import input_weight
from milpcount.kernel.program import compile_program
from milpcount.kernel.refutations import (
    CLAUSES_USED,
    CURRENT,
    LITERALS_USED,
    PLACED,
    UNDECIDED,
    refute,
)
from milpcount.kernel.state import CLOSED
from milpcount.network import Network
from milpcount.tree.search import Search

Array = np.ndarray

Add = Callable[[int, Sequence[int], Sequence[float]], Any]
"""Takes what was found: a pattern in its cell, literals and multipliers."""

_CONFLICTS = 4096
"""Conflicts kept for the current cell of a layer; those beyond take the place of the oldest."""
_CLAUSES = 4096
"""Refutations that are handed out at a time."""


class Projections:
    """Decides sides of patterns by projecting the cube's centre onto their cells.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    closed : bool
        Whether patterns are counted: a row that may be zero refutes nothing then.

    Attributes
    ----------
    seeded : bool
        Whether the image of the parameters has fewer dimensions than they: a witness is then given
        by what its projection adds to the cube's centre, in the image.
    """

    def __init__(self, network: Network, inputs: InputSet, closed: bool) -> None:
        search = Search(network, inputs, program=compile_program(network, inputs, reduce=False))
        search.begin()
        self._program, self._rounding = search.program, search.rounding
        p, first = self._program, Room.of(search.state)
        room = Room(first.depth, first.rows + p.row_values.shape[0])
        self._state = with_room(p, search.state, room)
        self._state.control[CLOSED] = closed
        self._scratch = new_scratch(p, room)
        m, n = p.V.shape
        self.seeded = m < n and inputs.is_boxed and not p.small
        self._rows = p.row_values.shape[0] + len(inputs.rhs)
        self._seed_places = _seed_places(network, len(inputs.rhs))
        layers, words = p.layers.shape[0], self._scratch.bits.shape[1]
        self._conflicts = np.zeros((layers, _CONFLICTS, 2, words), dtype=np.uint64)
        self._conflict_ref = np.zeros((layers, _CONFLICTS), dtype=np.int64)

    def refute(
        self, patterns: Array, row: Array, unit: Array, piece: Array, add: Add
    ) -> Array:
        """Return for each side a clause, -1 if it holds a region, or -2 if that is left open.

        Parameters
        ----------
        patterns : ndarray of int64, shape (k, units)
        row, unit, piece : ndarray of int64, shape (sides,)
        add : callable
            Takes each clause that is found, in the order of their numbers.
        """
        ref, _ = self._run(patterns, row, unit, piece, add)
        return ref

    def seeds(self, patterns: Array) -> Array:
        """Return the seeds of witnesses of patterns; zeros where none was found."""
        k, units = patterns.shape
        every = np.arange(k)
        none = np.zeros(k, dtype=np.int64)
        _, seeds = self._run(patterns, every, np.full(k, units), none, lambda *found: None)
        found = np.zeros((k, self._seed_places[1]))
        found[:, self._seed_places[0]] = seeds
        return found

    def _run(
        self, patterns: Array, row: Array, unit: Array, piece: Array, add: Add
    ) -> tuple[Array, Array]:
        p, s = self._program, self._state
        # What is found does not depend on what was before.
        s.trial.free[:], s.trial.hessian[:] = True, p.H
        layers, most, count = p.layers.shape[0], s.cell.id.shape[0], 0
        ref, done = np.full(row.size, UNDECIDED), 0
        seeds = np.zeros((len(patterns), p.V.shape[0]))
        above = np.zeros(p.units.shape[0] + 1, dtype=np.int64)
        owner, n_conflicts = np.full(layers, -1), np.zeros(layers, dtype=np.int64)
        constant_ref = np.full(s.rows.kind.size, -1)
        side, size = np.zeros(_CLAUSES, dtype=np.int64), np.zeros(_CLAUSES, dtype=np.int64)
        literals = np.zeros(_CLAUSES * 8 + most, dtype=np.int64)
        multipliers = np.zeros(literals.size)
        used = np.zeros(4, dtype=np.int64)
        used[CURRENT], used[PLACED] = -1, 0
        while done < row.size:
            used[CLAUSES_USED] = used[LITERALS_USED] = 0
            from_here = done
            with np.errstate(all="ignore"):
                done = refute(
                    p, s, self._scratch, self._rounding, patterns, row, unit, piece, done, above,
                    owner, self._conflicts, n_conflicts, self._conflict_ref, constant_ref, ref,
                    seeds, side, size, literals, multipliers, used,
                )  # fmt: skip
            # Numbers count from the first clause of a call: what was kept from others is forgotten.
            at = 0
            for c in range(int(used[CLAUSES_USED])):
                own = slice(at, at + int(size[c]))
                at += int(size[c])
                kept = literals[own] >> 1 < self._rows  # not the bounds of parameters
                ids, m = literals[own][kept].tolist(), multipliers[own][kept].tolist()
                add(int(row[side[c]]), ids, m)
            mine = ref[from_here:done]
            mine[mine >= 0] += count
            count += int(used[CLAUSES_USED])
            owner[:], n_conflicts[:], constant_ref[:] = -1, 0, -1
            used[CURRENT], used[PLACED] = -1, 0
        return ref, seeds


def _seed_places(network: Network, domain_rows: int) -> tuple[Array, int]:
    """Return where the image's rows are among the rows that seeds are for, and their number."""
    places, count = [], 0
    for number, (layer, sources) in enumerate(zip(network.layers, network.sources, strict=False)):
        if sources[0].number == 0:
            weight = input_weight(layer.affine, sources[0], network.n_inputs)
            own = np.flatnonzero((weight != 0).any(axis=1) | (number == 0))
            places.append(count + own)
            count += layer.affine.n_out
    places.append(count + np.arange(domain_rows))
    return np.concatenate(places), count + domain_rows
