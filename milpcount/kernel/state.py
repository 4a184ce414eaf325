"""The mutable arrays of a search: everything a paused kernel needs to go on."""

from typing import NamedTuple

import numpy as np

from milpcount.kernel.program import Program
from milpcount.kernel.rows import UNKNOWN

Array = np.ndarray

# Entries of `State.control`.
(DEPTH, REGIONS, TESTS, KEPT, COUNT, VERDICT, ASKED, FLOAT_EMPTY, INTEGER_EMPTY, CLAUSE_HITS,
 POOL_HITS, BUDGET, MOST_REGIONS, POLYGON, FLOOR, CLOSED, PATIENCE) = range(17)  # fmt: skip

BASED = 20
"""Where those begin that say, layer by layer, whether the layer's base is there; see `rows`."""

PATIENT_STEPS = 400
"""Newton steps of the second attempt at a cell that 40 steps leave open."""
POOL = 512
"""Points kept per layer, for the current cell of the layers above."""
WIDE = 32
"""Dimensions of the image above which rows are also kept as functions of the inputs."""
CLAUSES = 512
"""Conflicts kept per layer, for the current cell of the layers above."""
_BUFFERED = 2**24
"""Pieces of kept regions that are handed out at a time, at most."""
FIRST_DEPTH = 256
"""Decisions below each other that a search has room for until it meets more."""
FIRST_ROWS = 512
"""Rows of units that a cell has room for until it has more."""


ANY = -1
"""In `State.forced`: every piece of the unit is searched."""
KNOWN = 2**20
"""Added to a piece in `State.forced`: wherever the forced pieces are, the unit is on it."""


class State(NamedTuple):
    """Arrays of a search. A node's depth is the number of decisions above it.

    ``control``: counters, see the names above. Per depth: ``stage``, ``turn`` (next piece),
    ``layer``, ``place`` (in the layer's list of open units), ``size`` (rows of the cell),
    ``witness`` (g), ``lam``, ``prefix`` (signs of the layer's rows as bits: positive, negative),
    ``polygon`` and ``corners``; per depth and piece: ``full`` (verdict), ``piece_witness``,
    ``piece_lam``, ``piece_polygon``, ``piece_corners``. Per layer: ``opened`` and ``n_open`` (units
    that split the cell of the layers above), ``pool_*`` (points of that cell), ``clause_*`` (sets
    of signs that exclude each other on that cell). Per unit: ``forced``, the only piece to be
    searched, or -1. Forms and rows as in `rows`. The current cell: ``cell_id, cell_sign`` (row,
    sign) and the signed unit rows with offset, margin and error, after ``2 n`` rows of the cube's
    sides in the small case; where the image is wide, ``cell_inputs`` has the rows as functions of
    the inputs, unless ``cell_stale``.
    Random parities (see `parity`), empty without them: ``xor_first``, every unit's first variable;
    per system ``xor_rows``, ``xor_pivot`` (the row that ends at a variable, or -1) and
    ``xor_layers`` (rows, depth at which the layer was entered); ``xor_work``.
    """

    control: Array
    stage: Array
    turn: Array
    layer: Array
    place: Array
    size: Array
    pattern: Array
    forced: Array
    witness: Array
    lam: Array
    prefix: Array
    polygon: Array
    corners: Array
    full: Array
    piece_witness: Array
    piece_lam: Array
    piece_polygon: Array
    piece_corners: Array
    opened: Array
    n_open: Array
    pool_n: Array
    pool_bits: Array
    pool_g: Array
    clause_n: Array
    clause_bits: Array
    value_M: Array
    value_b: Array
    value_s: Array
    unit_M: Array
    unit_b: Array
    unit_s: Array
    row_M: Array
    row_b: Array
    row_s: Array
    row_norm: Array
    row_error: Array
    row_kind: Array
    cell_id: Array
    cell_sign: Array
    cell_rows: Array
    cell_columns: Array
    cell_inputs: Array
    cell_stale: Array
    cell_offset: Array
    cell_margin: Array
    cell_error: Array
    free: Array
    hessian: Array
    trial_lam: Array
    trial_x: Array
    trial_g: Array
    kept: Array
    kept_points: Array
    xor_first: Array
    xor_rows: Array
    xor_pivot: Array
    xor_layers: Array
    xor_work: Array


class Scratch(NamedTuple):
    """Work arrays of the projections and of the pool."""

    y: Array
    z: Array
    w: Array
    rho: Array
    d: Array
    s: Array
    Q: Array
    L: Array
    columns: Array
    chosen: Array
    inside: Array
    member: Array
    held: Array
    moved: Array
    start: Array
    end: Array
    cut: Array
    bits: Array
    corners: Array


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
    def of(cls, s: "State") -> "Room":
        """Return the room that there is."""
        return cls(s.stage.shape[0], s.cell_id.shape[0])


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
    units, n_rows, n_dom = p.units.shape[0], p.row_values.shape[0], p.domain_M.shape[0]
    pieces = int(p.units[:, 5].max())
    words = int((p.layers[:, 5].max() + 63) // 64)
    sides = 2 * n if p.small else 0
    corners = most + 3 if n == 2 else 1
    ints = lambda *shape: np.zeros(shape, dtype=np.int64)  # noqa: E731
    bits = lambda *shape: np.zeros(shape, dtype=np.uint64)  # noqa: E731
    reals = lambda *shape: np.zeros(shape)  # noqa: E731
    # The bases of values come after them.
    rows = p.bias.size * (2 if p.layers[:, 8].any() else 1)
    buffer = max(16, min(buffer, _BUFFERED // units)) if keep else 1
    control = ints(BASED + layers + 1)
    control[PATIENCE] = PATIENT_STEPS
    first = np.concatenate([[0], np.cumsum(p.units[:, 5] - 1)])
    variables = int(first[-1]) if parities else 0
    xor_words = (variables + 63) // 64 + 1
    cell_rows, cell_offset = reals(most, m), reals(most)
    if p.small:
        cell_rows[0:sides:2], cell_rows[1:sides:2] = np.eye(n), -np.eye(n)
        cell_offset[1:sides:2] = 1.0
    return State(
        control=control, stage=ints(depth), turn=ints(depth), layer=ints(depth),
        place=ints(depth), size=ints(depth), pattern=ints(units), forced=np.full(units, ANY),
        witness=reals(depth, m), lam=reals(depth, most),
        prefix=bits(depth, 2, words), polygon=reals(depth, corners, 2), corners=ints(depth),
        full=ints(depth, pieces), piece_witness=reals(depth, pieces, m),
        piece_lam=reals(depth, pieces, most),
        piece_polygon=reals(depth, pieces, corners, 2), piece_corners=ints(depth, pieces),
        opened=ints(layers, int(p.layers[:, 1].max())), n_open=ints(layers),
        pool_n=ints(layers), pool_bits=bits(layers, POOL, 2, words), pool_g=reals(layers, POOL, m),
        clause_n=ints(layers), clause_bits=bits(layers, CLAUSES, 2, words),
        value_M=reals(rows, m), value_b=reals(rows), value_s=reals(rows),
        unit_M=reals(units, m), unit_b=reals(units), unit_s=reals(units),
        row_M=reals(n_rows + n_dom, m), row_b=reals(n_rows + n_dom), row_s=reals(n_rows + n_dom),
        row_norm=reals(n_rows + n_dom), row_error=reals(n_rows + n_dom),
        row_kind=np.full(n_rows + n_dom, UNKNOWN),
        cell_id=ints(most), cell_sign=ints(most), cell_rows=cell_rows,
        cell_columns=np.ascontiguousarray(cell_rows.T), cell_offset=cell_offset,
        cell_inputs=reals(most, n) if m > WIDE and not p.small else reals(1, 1),
        cell_stale=np.ones(most, dtype=np.bool_),
        cell_margin=reals(most), cell_error=reals(most),
        free=np.ones(n, dtype=np.bool_), hessian=p.H.copy(),
        trial_lam=reals(most), trial_x=reals(n), trial_g=reals(m),
        kept=np.zeros((buffer, units), dtype=np.int32),
        kept_points=reals(buffer, m),
        xor_first=first, xor_rows=bits(layers + 1, variables, xor_words),
        xor_pivot=np.full((layers + 1, variables), -1), xor_layers=ints(layers + 1, 2),
        xor_work=bits(2, xor_words),
    )  # fmt: skip


def with_room(p: Program, s: State, room: Room) -> State:
    """Return the state of the same search with more room."""
    keep, parities = s.kept.shape[0] > 1, s.xor_rows.shape[1] > 0
    larger = new_state(p, keep, s.kept.shape[0], parities, room)
    for old, new in zip(s, larger, strict=True):
        if old.shape != new.shape:
            new[tuple(map(slice, old.shape))] = old
    # Arrays of the same shape stay the same arrays: others hold some of them.
    return State(
        *(old if old.shape == new.shape else new for old, new in zip(s, larger, strict=True))
    )


def new_scratch(p: Program, room: Room) -> Scratch:
    """Return work arrays for the projections of a program, of cells that there is room for."""
    m, n = p.V.shape
    most = room.rows
    square = n + 1 if p.small else most
    rows = int(p.layers[:, 5].max())
    reals = lambda *shape: np.zeros(shape)  # noqa: E731
    return Scratch(
        y=reals(m), z=reals(n), w=reals(n), rho=reals(most), d=reals(most), s=reals(most),
        Q=reals(square, square), L=reals(square, square),
        columns=reals(most, n) if m > WIDE and not p.small else reals(1, 1),
        chosen=np.zeros(most, dtype=np.int64), inside=np.zeros(most, dtype=np.int64),
        member=np.zeros(most, dtype=np.bool_), held=reals(most),
        moved=np.zeros(n, dtype=np.int64),
        start=reals(rows), end=reals(rows), cut=reals(rows + 2),
        bits=np.zeros((2, (rows + 63) // 64), dtype=np.uint64), corners=reals(most + 3, 2),
    )  # fmt: skip
