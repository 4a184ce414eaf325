"""Refutations of a proof's sides in floating point, and seeds of its witnesses.

See `milpcount.proof`, where they are checked, and `milpcount.kernel.refutations`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from milpcount.domain import InputSet
from milpcount.kernel.allocation import Room, new_scratch, with_room
from milpcount.kernel.image_space import input_weight
from milpcount.kernel.program import compile_program
from milpcount.kernel.refutations import (
    CLAUSES_USED,
    CURRENT,
    LITERALS_USED,
    PLACED,
    UNDECIDED,
    Found,
    InPlace,
    Sides,
    refute,
)
from milpcount.kernel.state import CLOSED
from milpcount.network import Network
from milpcount.tree.search import Search
from milpcount.types import Array

Add = Callable[[Array, Array, Array, Array, Array], Any]
"""Takes clauses: a pattern in the cell of each and its size, all literals and multipliers, and of
which it is sure that they refute, with multipliers of single precision."""

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
        self._spread = abs(p.V) @ abs(p.V).T if self.seeded else np.zeros((1, 1))
        layers, words = p.layers.shape[0], self._scratch.bits.shape[1]
        self._conflicts = np.zeros((layers, _CONFLICTS, 2, words), dtype=np.uint64)
        self._conflict_ref = np.zeros((layers, _CONFLICTS), dtype=np.int64)

    def refute(self, patterns: Array, row: Array, unit: Array, piece: Array, add: Add) -> Array:
        """Return for each side a clause, -1 if it holds a region, or -2 if that is left open.

        Parameters
        ----------
        patterns : ndarray of int64, shape (k, units)
        row, unit, piece : ndarray of int64, shape (sides,)
        add : callable
            Takes the clauses that are found, in the order of their numbers.
        """
        return self._run(patterns, row, unit, piece, add).ref

    def seeds(self, patterns: Array) -> tuple[Array, Array]:
        """Return the seeds of witnesses of patterns, zeros where none was found; which are sure.

        Sure are those of single precision whose points clear all rows by more than all roundings.
        """
        k, units = patterns.shape
        every = np.arange(k)
        none = np.zeros(k, dtype=np.int64)
        made = self._run(patterns, every, np.full(k, units), none, lambda *found: None)
        seeds = np.zeros((k, self._seed_places[1]))
        seeds[:, self._seed_places[0]] = made.seeds
        return seeds, made.sure

    def _run(self, patterns: Array, row: Array, unit: Array, piece: Array, add: Add) -> Found:
        p, s = self._program, self._state
        layers, most, count, done = p.layers.shape[0], s.cell.id.shape[0], 0, 0
        entries = _CLAUSES * 8 + most
        found = Found(
            ref=np.full(row.size, UNDECIDED), seeds=np.zeros((len(patterns), p.V.shape[0])),
            sure=np.zeros(len(patterns), dtype=np.bool_),
            side=np.zeros(_CLAUSES, dtype=np.int64), size=np.zeros(_CLAUSES, dtype=np.int64),
            proved=np.zeros(_CLAUSES, dtype=np.bool_),
            literals=np.zeros(entries, dtype=np.int64), multipliers=np.zeros(entries),
            used=np.zeros(2, dtype=np.int64),
        )  # fmt: skip
        here = InPlace(
            at=np.zeros(5, dtype=np.int64),
            above=np.zeros(p.units.shape[0] + 1, dtype=np.int64),
            owner=np.zeros(layers, dtype=np.int64), conflicts=self._conflicts,
            conflict_ref=self._conflict_ref, n_conflicts=np.zeros(layers, dtype=np.int64),
            constant_ref=np.zeros(s.rows.kind.size, dtype=np.int64), spread=self._spread,
            moved=np.zeros((2, p.V.shape[0])),
        )  # fmt: skip
        sides = Sides(patterns, row, unit, piece)
        while done < row.size:
            # Numbers count from the first clause of a call: what was kept from others is forgotten.
            found.used[:], here.at[PLACED], here.at[CURRENT] = 0, 0, -1
            here.owner[:], here.n_conflicts[:], here.constant_ref[:] = -1, 0, -1
            from_here = done
            with np.errstate(all="ignore"):
                done = refute(
                    p, s, self._scratch, self._rounding, sides, from_here, here, found
                )  # fmt: skip
            self._hand_out(found, row, add)
            mine = found.ref[from_here:done]
            mine[mine >= 0] += count
            count += int(found.used[CLAUSES_USED])
        return found

    def _hand_out(self, found: Found, row: Array, add: Add) -> None:
        """Hand out the clauses of a call, without the bounds of parameters."""
        clauses, entries = found.used[[CLAUSES_USED, LITERALS_USED]].tolist()
        of = np.repeat(np.arange(clauses), found.size[:clauses])
        kept = found.literals[:entries] >> 1 < self._rows
        add(
            row[found.side[:clauses]],
            np.bincount(of[kept], minlength=clauses),
            found.literals[:entries][kept],
            found.multipliers[:entries][kept],
            found.proved[:clauses].copy(),
        )


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
