"""The mutable arrays of a search: everything a paused kernel needs to go on."""

from typing import Any, NamedTuple, cast

import numpy as np

from milpcount.kernel.columns import LAYER_FOLLOWS, LAYER_ROWS, LAYER_UNITS, UNIT_PIECES
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


class Path(NamedTuple):
    """The nodes from the root to the current one, by depth: the number of decisions above.

    Attributes
    ----------
    stage, turn : (depth,)
        What is done at a node, and the next piece, or how far a layer has been entered.
    layer, place : (depth,)
        The layer, and the place in its list of open units.
    size : (depth,)
        Rows of the cell.
    witness : (depth, m)
        A point of the cell.
    lam : (depth, rows)
        Multipliers of the cell's projection.
    prefix : (depth, 2, words)
        Signs of the layer's rows as bits: positive, negative.
    polygon, corners : (depth, rows + 3, 2), (depth,)
        Corners of a cell of two parameters, and their number: 0 where they are not known.
    """

    stage: Array
    turn: Array
    layer: Array
    place: Array
    size: Array
    witness: Array
    lam: Array
    prefix: Array
    polygon: Array
    corners: Array


class Sides(NamedTuple):
    """What is known of the children of the nodes of a path, by depth and piece.

    Attributes
    ----------
    verdict : (depth, pieces)
    witness, lam, polygon, corners
        What a child starts from, as in `Path`.
    """

    verdict: Array
    witness: Array
    lam: Array
    polygon: Array
    corners: Array


class Opened(NamedTuple):
    """The units of every layer that split the cell of the layers above.

    Attributes
    ----------
    unit : (layers, units)
    number : (layers,)
    """

    unit: Array
    number: Array


class Pool(NamedTuple):
    """Points of the cell of the layers above, by layer; see `conflict_cache`.

    Attributes
    ----------
    number : (layers,)
    bits : (layers, POOL, 2, words)
        Signs of the layer's rows there.
    g : (layers, POOL, m)
    """

    number: Array
    bits: Array
    g: Array


class Conflicts(NamedTuple):
    """Sets of signs that exclude each other on the cell of the layers above, by layer.

    Attributes
    ----------
    number : (layers,)
        How many were found, of which the last `CLAUSES` are kept.
    bits : (layers, CLAUSES, 2, words)
    """

    number: Array
    bits: Array


class Forms(NamedTuple):
    """Affine functions ``M @ g + b`` of the image, with majorants s of their errors; see `rows`."""

    M: Array
    b: Array
    s: Array


class Rows(NamedTuple):
    """Affine functions whose signs are decided; see `rows`.

    Attributes
    ----------
    M, b, s
        As of `Forms`, unscaled.
    norm : (rows,)
        1 over the Euclidean norm of the row as a function on the cube.
    error : (rows,)
        Bound on the rounding error of the scaled row's value.
    kind : (rows,)
    """

    M: Array
    b: Array
    s: Array
    norm: Array
    error: Array
    kind: Array


class Cell(NamedTuple):
    """The rows of the current cell, after the ``2 n`` sides of the cube where n is small.

    Attributes
    ----------
    id, sign : (count,)
        Which row, and the sign it has to have.
    rows, offset, margin, error
        Signed and scaled, with the distance at which a projection aims.
    columns : (m, count)
        The rows transposed.
    inputs : (count, n)
        Where the image is wide: the rows as functions of the inputs, unless ``stale``.
    """

    id: Array
    sign: Array
    rows: Array
    columns: Array
    inputs: Array
    stale: Array
    offset: Array
    margin: Array
    error: Array


class Trial(NamedTuple):
    """A projection: multipliers, the point x, its image g; and what one leaves to the next."""

    lam: Array
    x: Array
    g: Array
    free: Array
    hessian: Array


class Kept(NamedTuple):
    """Regions that are handed out: patterns and points."""

    patterns: Array
    points: Array


class Parities(NamedTuple):
    """Systems of random parities, empty without them; see `parity`.

    Attributes
    ----------
    first : (units + 1,)
        Every unit's first variable.
    rows, pivot
        By system: its rows, and the row that ends at a variable, or -1.
    layers : (layers + 1, 2)
        By system: rows, and the depth at which the layer was entered.
    work : (2, words)
    """

    first: Array
    rows: Array
    pivot: Array
    layers: Array
    work: Array


class State(NamedTuple):
    """The groups of a search's arrays.

    Attributes
    ----------
    control : (BASED + layers + 1,)
        Counters, see the names above.
    pattern, forced : (units,)
        The pieces on the path; the only piece to be searched, or `ANY`.
    values, outputs : Forms
        Of pre-activations (with their bases behind them), and of units.
    """

    control: Array
    path: Path
    sides: Sides
    opened: Opened
    pattern: Array
    forced: Array
    pool: Pool
    conflicts: Conflicts
    values: Forms
    outputs: Forms
    rows: Rows
    cell: Cell
    trial: Trial
    kept: Kept
    parities: Parities


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
    first = np.concatenate([[0], np.cumsum(p.units[:, UNIT_PIECES] - 1)])
    variables = int(first[-1]) if parities else 0
    xor_words = (variables + 63) // 64 + 1
    cell_rows, cell_offset = reals(most, m), reals(most)
    if p.small:
        cell_rows[0:sides:2], cell_rows[1:sides:2] = np.eye(n), -np.eye(n)
        cell_offset[1:sides:2] = 1.0
    return State(
        control=control,
        path=Path(
            stage=ints(depth), turn=ints(depth), layer=ints(depth), place=ints(depth),
            size=ints(depth), witness=reals(depth, m), lam=reals(depth, most),
            prefix=bits(depth, 2, words), polygon=reals(depth, corners, 2), corners=ints(depth),
        ),
        sides=Sides(
            verdict=ints(depth, pieces), witness=reals(depth, pieces, m),
            lam=reals(depth, pieces, most), polygon=reals(depth, pieces, corners, 2),
            corners=ints(depth, pieces),
        ),
        opened=Opened(ints(layers, int(p.layers[:, LAYER_UNITS].max())), ints(layers)),
        pattern=ints(units), forced=np.full(units, ANY),
        pool=Pool(ints(layers), bits(layers, POOL, 2, words), reals(layers, POOL, m)),
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
            stale=np.ones(most, dtype=np.bool_), offset=cell_offset, margin=reals(most),
            error=reals(most),
        ),
        trial=Trial(reals(most), reals(n), reals(m), np.ones(n, dtype=np.bool_), p.H.copy()),
        kept=Kept(np.zeros((buffer, units), dtype=np.int32), reals(buffer, m)),
        parities=Parities(
            first, bits(layers + 1, variables, xor_words), np.full((layers + 1, variables), -1),
            ints(layers + 1, 2), bits(2, xor_words),
        ),
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
    square = n + 1 if p.small else most
    rows = int(p.layers[:, LAYER_ROWS].max())
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
