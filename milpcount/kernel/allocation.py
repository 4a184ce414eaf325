"""Arrays of a search that has not begun, and larger ones for one that goes on."""

from typing import Any, NamedTuple, cast

import numpy as np

from milpcount.kernel.columns import LAYER_FOLLOWS, LAYER_ROWS, LAYER_UNITS, UNIT_PIECES
from milpcount.kernel.program import Program
from milpcount.kernel.rows import UNKNOWN
from milpcount.kernel.state import (
    ANY,
    BASED,
    CLAUSES,
    PATIENCE,
    PATIENT_STEPS,
    POOL,
    WIDE,
    Cell,
    Conflicts,
    Forms,
    Kept,
    KeptProducts,
    Opened,
    Parities,
    Path,
    Pool,
    Rows,
    Scratch,
    Sides,
    Starts,
    State,
    Trial,
)
from milpcount.types import Array

_BUFFERED = 2**24
"""Pieces of kept regions that are handed out at a time, at most."""
FIRST_DEPTH = 256
"""Decisions below each other that a search has room for until it meets more."""
FIRST_ROWS = 512
"""Rows of units that a cell has room for until it has more."""


_FEWEST_STARTS = 16
"""Projections to start others from that there is room for in any case."""
_MOVED = 256
"""Columns that are gathered at a time."""
_STARTED = 2**21
"""Numbers that these may have in all, beyond that."""


class Room(NamedTuple):
    """What a search has room for.

    Networks have more units than split the cells of one path, by orders of magnitude where most are
    stable, and arrays that held them all would be quadratic in them.

    Attributes
    ----------
    depth : int
        Nodes of a path.
    rows : int
        Of a cell.
    """

    depth: int
    rows: int

    @classmethod
    def first(cls, p: Program) -> "Room":
        """Return the room of a search that has not begun."""
        depth, rows = min(p.units.shape[0], FIRST_DEPTH), min(p.row_values.shape[0], FIRST_ROWS)
        fixed = p.domain_M.shape[0] + (2 * p.V.shape[1] if p.small else 0)
        # At a node there has to be room for its child, and for what is tested below either.
        return cls(depth + 2, fixed + rows + 2 * p.most_literals)

    @classmethod
    def of(cls, s: State) -> "Room":
        """Return the room that there is."""
        return cls(s.path.stage.shape[0], s.cell.id.shape[0])


def new_state(
    p: Program,
    keep: bool,
    buffer: int = 4096,
    parities: bool = False,
    room: Room | None = None,
) -> State:
    """Return the arrays of a search that has not begun.

    Parameters
    ----------
    p : Program
    keep : bool
        Whether patterns and points of regions are handed out, at most `buffer` at a time.
    buffer : int
    parities : bool
        Whether there is room for parities.
    room : Room, optional
        At least `Room.first`, which it is by default.
    """
    depth, most = room or Room.first(p)
    m, n = p.V.shape
    layers = p.layers.shape[0]
    units, n_all = p.units.shape[0], p.row_values.shape[0] + p.domain_M.shape[0]
    pieces = int(p.units[:, UNIT_PIECES].max())
    words = int((p.layers[:, LAYER_ROWS].max() + 63) // 64)
    sides = 2 * n if p.small else 0
    corners = most + 3 if n == 2 else 1
    ints = lambda *shape: np.zeros(shape, dtype=np.int64)  # noqa: E731
    bits = lambda *shape: np.zeros(shape, dtype=np.uint64)  # noqa: E731
    reals = lambda *shape: np.zeros(shape)  # noqa: E731
    # The bases of values come after them.
    rows = p.bias.size * (2 if p.layers[:, LAYER_FOLLOWS].any() else 1)
    buffer = max(16, min(buffer, _BUFFERED // units)) if keep else 1
    control = ints(BASED + layers + 1)
    control[PATIENCE] = PATIENT_STEPS
    cell_rows, cell_offset = reals(most, m), reals(most)
    if p.small:
        cell_rows[0:sides:2], cell_rows[1:sides:2] = np.eye(n), -np.eye(n)
        cell_offset[1:sides:2] = 1.0
    return State(
        control=control,
        path=Path(
            stage=ints(depth), turn=ints(depth), layer=ints(depth), place=ints(depth),
            size=ints(depth), witness=reals(depth, m), lam=reals(depth, most), start=ints(depth),
            prefix=bits(depth, 2, words), polygon=reals(depth, corners, 2), corners=ints(depth),
        ),
        sides=Sides(
            verdict=ints(depth, pieces), witness=reals(depth, pieces, m),
            lam=reals(depth, pieces, most), start=ints(depth, pieces),
            polygon=reals(depth, pieces, corners, 2), corners=ints(depth, pieces),
        ),
        opened=Opened(ints(layers, int(p.layers[:, LAYER_UNITS].max())), ints(layers)),
        pattern=ints(units), forced=np.full(units, ANY),
        pool=Pool(
            ints(layers), bits(layers, POOL, 2, words), reals(layers, POOL, m),
            reals(POOL, p.row_values.shape[0]), np.ones(layers, dtype=np.int64),
            ints(layers, 2 * POOL),
        ),
        conflicts=Conflicts(ints(layers), bits(layers, CLAUSES, 2, words)),
        values=Forms(reals(rows, m), reals(rows), reals(rows)),
        outputs=Forms(reals(units, m), reals(units), reals(units)),
        rows=Rows(
            reals(n_all, m), reals(n_all), reals(n_all), reals(n_all), reals(n_all),
            np.full(n_all, UNKNOWN),
        ),
        cell=Cell(
            id=ints(most), sign=ints(most), rows=cell_rows,
            columns=np.ascontiguousarray(cell_rows.T),
            inputs=reals(most, n) if m > WIDE and not p.small else reals(1, 1),
            stale=np.ones(most, dtype=np.bool_), number=ints(most), offset=cell_offset,
            margin=reals(most), error=reals(most),
        ),
        trial=Trial(reals(most), reals(n), reals(m)),
        starts=_new_starts(p),
        kept=Kept(np.zeros((buffer, units), dtype=np.int32), reals(buffer, m)),
        parities=new_parities(p, parities),
    )  # fmt: skip


def _new_starts(p: Program) -> Starts:
    """Return places for projections, with none there; with few parameters none are kept."""
    m, n = (0, 0) if p.small else p.V.shape
    units, pieces = p.units.shape[0], int(p.units[:, UNIT_PIECES].max())
    places = 2 + max(_FEWEST_STARTS, min(units * pieces, _STARTED // max(1, n)))
    number = np.full(places, -1)
    number[0] = 0
    wide = m if m <= WIDE else 0  # otherwise products are formed from the inputs
    side, sides = _bytes_and_words(places, n)
    starts = Starts(
        np.zeros(1, dtype=np.int64), number, np.zeros((places, n)), np.zeros((places, m)),
        side, sides, np.zeros((places, wide)), np.zeros((places, wide, wide)),
        p.V.sum(axis=1) / 2 if m else np.zeros(0),
    )  # fmt: skip
    if wide:
        starts.hessian[0] = p.H
    return starts


def _bytes_and_words(rows: int, n: int) -> tuple[Array, Array]:
    """Return zeros, n bytes or some more a row, and the same memory as words of eight."""
    words = np.zeros((rows, (n + 7) // 8), dtype=np.uint64)
    return words.view(np.uint8), words


def new_parities(p: Program, has_room: bool = True) -> Parities:
    """Return systems of parities without any, with room for some or for none."""
    layers, first = p.layers.shape[0], np.concatenate([[0], np.cumsum(p.units[:, UNIT_PIECES] - 1)])
    variables = int(first[-1]) if has_room else 0
    bits = lambda *shape: np.zeros((*shape, (variables + 63) // 64 + 1), np.uint64)  # noqa: E731
    return Parities(
        first, bits(layers + 1, variables), np.full((layers + 1, variables), -1),
        np.zeros((layers + 1, 2), dtype=np.int64), bits(2),
    )  # fmt: skip


def with_room(p: Program, s: State, room: Room) -> State:
    """Return the state of the same search with more room."""
    keep, parities = s.kept.patterns.shape[0] > 1, s.parities.rows.shape[1] > 0
    return cast(State, grown(s, new_state(p, keep, s.kept.patterns.shape[0], parities, room)))


def grown(old: Any, new: Any) -> Any:
    """Return the arrays of `new` with what is in those of `old`, group by group.

    Arrays of the same shape stay the same arrays: others hold some of them.
    """
    if isinstance(old, tuple):
        return type(old)(*map(grown, old, new))
    if old.shape == new.shape:
        return old
    new[tuple(map(slice, old.shape))] = old
    return new


def new_scratch(p: Program, room: Room) -> Scratch:
    """Return work arrays for the projections of a program, of cells that there is room for."""
    m, n = p.V.shape
    most = room.rows
    square, wide = n + 1 if p.small else most, m > WIDE and not p.small
    rows, n_rows = int(p.layers[:, LAYER_ROWS].max()), p.row_values.shape[0]
    # Forms of values and outputs; see `orthant_certificate`.
    local = len(p.values) + len(p.units) if p.one >= 0 and p.small else 1
    reals = lambda *shape: np.zeros(shape)  # noqa: E731
    side, sides = _bytes_and_words(1, n)
    return Scratch(
        y=reals(m), z=reals(n), w=reals(n), rho=reals(most), d=reals(most), s=reals(most),
        Q=reals(n + 1, 2 * n + 1) if p.small else reals(square, square), L=reals(square, square),
        inverse=reals(square), forward=reals(square),
        local_forms=reals(local, n), local_sizes=reals(local),
        columns=reals(most + 2, n) if wide else reals(1, 1),
        products=KeptProducts(
            reals(*(most, most) if wide else (1, 1)), np.full(most if wide else 1, -1),
            np.zeros(n, dtype=np.bool_),
        ),
        chosen=np.zeros(most, dtype=np.int64), inside=np.zeros(most, dtype=np.int64),
        member=np.zeros(most, dtype=np.bool_), held=reals(most),
        where=np.zeros(n, dtype=np.int64),
        moved=reals(1 if p.small else min(m, WIDE) + 3, _MOVED), side=side[0], sides=sides[0],
        start=reals(n_rows), end=reals(n_rows), cut=reals(rows + 2),
        bits=np.zeros((2, (rows + 63) // 64), dtype=np.uint64), corners=reals(most + 3, 2),
    )  # fmt: skip
