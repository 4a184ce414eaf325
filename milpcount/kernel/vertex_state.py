"""The arrays of a search that carries the vertices of its cells; see `vertex_search`.

Notation: n parameters, scaled to the unit cube. An affine function of them is a *form*, a column of
``n + 2`` numbers: n coefficients, the constant, and the majorant of its rounding errors (see
``tree.rows``). Forms of neighbouring units stand side by side, so that loops over units run over
adjacent numbers.
"""

from typing import NamedTuple, cast

import numpy as np

from milpcount.kernel.allocation import grown
from milpcount.kernel.columns import (
    LAYER_ROWS,
    LAYER_UNITS,
    LAYER_VALUES,
    LITERAL_SIGN,
    VALUE_END,
    VALUE_RUN,
)
from milpcount.kernel.program import Program
from milpcount.kernel.state import Opened
from milpcount.types import Array

# Entries of `Cells.control`.
(DEPTH, REGIONS, TESTS, KEPT, HANDED, BUDGET, MOST_REGIONS, SPLITS,
 IS_FREE, ROW) = range(10)  # fmt: skip

# Columns of `Cells.node`.
(LAYER, PLACE, STAGE, TURN, UNIT, PIECE, LITERAL, VERTICES, TOP, CROSSINGS,
 NEXT, SPLITTERS, DIMENSION) = range(13)  # fmt: skip

# Columns of `Tables.layers`, of `Tables.units`.
(FIRST_COLUMN, INCREMENTAL, PLAIN, WEIGHTS) = range(4)
(COLUMN, BELOW, ABOVE) = range(3)

# Columns of `Cells.known`.
(NORM, DEFECT, RESIDUAL) = range(3)

MOST_INPUTS = 6
"""Parameters up to which cells carry their vertices: a cube has 64 of them then."""
MOST_SPLITTERS = 64
"""Units of the last layer that cells are counted for by sections; see `vertex_sections`."""
_WEIGHTS = 2**23
"""Weights of a layer up to which they are laid out densely, to be read a unit at a time."""
ANY = -1
"""In `Cells.forced`: every piece of the unit is searched."""


class Tables(NamedTuple):
    """What does not change, besides a `Program`.

    ``layers`` per layer: the first column of its rows in `Cells.forms`; whether its forms are
    accumulated a unit at a time, as those are that read the layer above and nothing else of units;
    whether its rows are its values; its first entry of ``weights``: unit by unit of the layer above
    what its values read of it, and in the second row the magnitudes of that. ``units`` per unit:
    where it has two pieces and one row, the row's column and the pieces below and above; else -1.
    ``columns``: of every row, those of the domain at the end. ``read``: of every unit, whether its
    output is read by a layer that is composed as a whole.
    """

    layers: Array
    units: Array
    columns: Array
    weights: Array
    read: Array


class Path(NamedTuple):
    """The cells from the root to the current one, by depth.

    Attributes
    ----------
    node : (depth, 13)
        See the names above.
    reach : (depth,)
        A bound on the errors of the cell's vertices.
    member : (depth, vertices)
        Its vertices, as numbers of the pool.
    beside : (depth, vertices, n)
        For each vertex and each of its facets the vertex, counted in the cell, at the other end of
        the edge that leaves the facet; or -1 - c where crossing c lies on that edge.
    value : (depth, vertices)
        Of a row at each vertex.
    crossing : (depth, vertices, 3 + n)
        See `vertex_cells`.
    ahead : (depth, n + 2, values)
        The forms of the layer below, as far as they are accumulated.
    splitters : (depth, MOST_SPLITTERS)
        Rows of the last layer that split the cell.
    """

    node: Array
    reach: Array
    member: Array
    beside: Array
    value: Array
    crossing: Array
    ahead: Array
    splitters: Array


class Vertices(NamedTuple):
    """The vertices of all cells of a path, a stack.

    Attributes
    ----------
    x, error : (pool, n), (pool,)
    mask : (pool,)
        Facets as bits.
    facet, bit : (pool, n)
        Each of the n facets, and its bit.
    inverse : (pool, n, n)
        Of the facets' rows.
    known : (pool, 3)
        What is known of that, and of the rows at x; see the names above.
    """

    x: Array
    error: Array
    mask: Array
    facet: Array
    bit: Array
    inverse: Array
    known: Array


class Forms(NamedTuple):
    """Forms of values, rows and rows of the domain.

    Attributes
    ----------
    table : (n + 2, columns)
    error, size : (columns,)
        Of rows: a bound on the errors of their values, and their 1-norm.
    """

    table: Array
    error: Array
    size: Array


class Out(NamedTuple):
    """What is handed out: regions, and what is left to others as the pieces that lead to it."""

    patterns: Array
    points: Array
    handed: Array


class Work(NamedTuple):
    """Arrays that hold nothing from one call to the next."""

    sums: Array
    places: Array
    table: Array


class Cells(NamedTuple):
    """Everything that a paused search needs to go on.

    Attributes
    ----------
    control : (11,)
        See the names above: `IS_FREE` says that no piece is forced in the last layer, and `ROW`
        along which row to cut.
    facets : (2 n + depth, n + 2)
        Rows of 1-norm 1, with constant and error; those of the cube first, then one a depth.
    outputs : (n + 2, units)
        Forms of units, where `Tables.read`.
    opened : Opened
    pattern, forced : (units,)
    """

    control: Array
    path: Path
    pool: Vertices
    facets: Array
    forms: Forms
    outputs: Array
    opened: Opened
    pattern: Array
    forced: Array
    out: Out
    work: Work


class Room(NamedTuple):
    """What a search has room for.

    Attributes
    ----------
    depth : int
        Nodes of a path.
    vertices : int
        Of a cell.
    pool : int
        Vertices of all cells of a path.
    """

    depth: int
    vertices: int
    pool: int

    @classmethod
    def of(cls, s: "Cells") -> "Room":
        """Return the room that there is."""
        return cls(s.path.node.shape[0], s.path.member.shape[1], s.pool.x.shape[0])


def tables(p: Program) -> Tables:
    """Return the tables of a program with few parameters."""
    n_values, n_rows, n_dom = p.bias.size, p.row_values.shape[0], p.domain_M.shape[0]
    columns = np.arange(n_rows + n_dom) + n_values
    layers = np.full((p.layers.shape[0], 4), -1)
    layers[:, INCREMENTAL] = layers[:, PLAIN] = 0
    weights: list[Array] = [np.zeros((2, 0))]
    at = 0
    read = np.zeros(p.units.shape[0], dtype=np.int64)
    for number, (_, _, value, values, row, rows, *_) in enumerate(p.layers.tolist()):
        if not values:
            layers[number, FIRST_COLUMN], layers[number, PLAIN] = 0, 1
            continue
        a, b = p.row_values[row : row + rows].T
        plain = rows == values and (a == np.arange(value, value + values)).all()
        plain = plain and (b < 0).all() and not p.row_threshold[row : row + rows].any()
        if plain:
            columns[row : row + rows] = np.arange(value, value + values)
        layers[number, PLAIN], layers[number, FIRST_COLUMN] = plain, columns[row]
        start, stop = p.values[value, VALUE_RUN], p.values[value + values - 1, VALUE_END]
        runs = p.runs[start:stop]
        if number:
            first, width = p.layers[number - 1, :2].tolist()
            near = (runs[:, 0] >= first).all()
            if near and values * width <= _WEIGHTS:
                layers[number, INCREMENTAL], layers[number, WEIGHTS] = 1, at
                weights.append(_dense(p, value, values, first, width).reshape(2, -1))
                at += width * values
        if not layers[number, INCREMENTAL]:
            for unit, _, length in runs.tolist():
                read[unit : unit + length] = 1
    return Tables(layers, _simple_units(p, columns), columns, np.concatenate(weights, axis=1), read)


def _dense(p: Program, value: int, values: int, first: int, width: int) -> Array:
    """Return what a layer's values read of the units of the layer above, (2, units, values)."""
    found = np.zeros((2, width, values))
    for q in range(values):
        for unit, entry, length in p.runs[
            p.values[value + q, VALUE_RUN] : p.values[value + q, VALUE_END]
        ].tolist():
            own = slice(unit - first, unit - first + length)
            found[:, own, q] += p.read_weight[entry : entry + length].T
    return found


def _simple_units(p: Program, columns: Array) -> Array:
    """Return for every unit of two pieces on the two sides of one row: its column, the pieces."""
    found = np.full((p.units.shape[0], 3), -1)
    row, rows, piece, pieces = p.units[:, 2:6].T
    start = p.piece_literals
    simple = (rows == 1) & (pieces == 2)
    first, last = start[piece[simple]], start[piece[simple] + 2]
    paired = (last - first == 2) & (start[piece[simple] + 1] - first == 1)
    signs = p.literals[:, LITERAL_SIGN]
    first = first[paired]
    paired[paired] = signs[first] != signs[first + 1]
    units = np.flatnonzero(simple)[paired]
    above = (signs[start[piece[units] + 1]] > 0).astype(np.int64)
    found[units] = np.column_stack([columns[row[units]], 1 - above, above])
    return found


def new_cells(
    p: Program,
    t: Tables,
    keep: bool,
    room: Room | None = None,
    buffer: int = 4096,
) -> Cells:
    """Return the arrays of a search that has not begun: its root is the unit cube.

    Parameters
    ----------
    p : Program
        Of a bounded domain of few parameters.
    t : Tables
    keep : bool
        Whether patterns and points of regions are handed out, at most `buffer` at a time.
    room : Room, optional
        By default what most networks need.
    buffer : int
    """
    n, layers, units = p.V.shape[1], p.layers.shape[0], p.units.shape[0]
    depth, most, pool = room or Room(64, 32 + 2 ** (n + 1), 512 + 2 ** (n + 4))
    rows, widest = int(p.layers[:, LAYER_ROWS].max()), int(p.layers[:, LAYER_VALUES].max())
    columns = p.bias.size + p.row_values.shape[0] + p.domain_M.shape[0]
    ints = lambda *shape: np.zeros(shape, dtype=np.int64)  # noqa: E731
    reals = lambda *shape: np.zeros(shape)  # noqa: E731
    short = lambda *shape: np.zeros(shape, dtype=np.int32)  # noqa: E731
    s = Cells(
        control=ints(11),
        path=Path(
            node=ints(depth, 13), reach=reals(depth), member=short(depth, most),
            beside=short(depth, most, n), value=reals(depth, most),
            crossing=short(depth, most, 3 + n), ahead=reals(depth, n + 2, widest),
            splitters=ints(depth, MOST_SPLITTERS),
        ),
        pool=Vertices(
            x=reals(pool, n), error=reals(pool), mask=np.zeros(pool, dtype=np.uint64),
            facet=short(pool, n), bit=np.zeros((pool, n), dtype=np.uint64),
            inverse=reals(pool, n, n), known=reals(pool, 3),
        ),
        facets=reals(2 * n + depth, n + 2),
        forms=Forms(reals(n + 2, columns), reals(columns), reals(columns)),
        outputs=reals(n + 2, units if t.read.any() else 1),
        opened=Opened(ints(layers, int(p.layers[:, LAYER_UNITS].max())), ints(layers)),
        pattern=ints(units), forced=np.full(units, ANY),
        out=Out(short(buffer if keep else 1, units), reals(buffer if keep else 1, n),
                short(64, units)),
        work=Work(reals(3, max(rows, n + 2, MOST_SPLITTERS)), ints(most), short(4 * most * n)),
    )  # fmt: skip
    _put_cube(s, n)
    return s


def _put_cube(s: Cells, n: int) -> None:
    """Put the unit cube at the root: facet 2a is ``x_a >= 0``, facet 2a + 1 is ``1 - x_a >= 0``."""
    corners = np.arange(2**n)
    upper = (corners[:, None] >> np.arange(n)) & 1
    s.path.node[0, VERTICES] = s.path.node[0, TOP] = corners.size
    s.path.member[0, : corners.size] = corners
    s.pool.x[: corners.size] = upper
    s.pool.facet[: corners.size] = facet = 2 * np.arange(n) + upper
    s.pool.bit[: corners.size] = np.uint64(1) << facet.astype(np.uint64)
    s.pool.mask[: corners.size] = s.pool.bit[: corners.size].sum(axis=1)
    s.path.beside[0, : corners.size] = corners[:, None] ^ (1 << np.arange(n))
    s.pool.inverse[: corners.size] = np.eye(n) * (1 - 2 * upper)[:, :, None]
    s.pool.known[: corners.size, NORM] = 1.0
    s.facets[0 : 2 * n : 2, :n], s.facets[1 : 2 * n : 2, :n] = np.eye(n), -np.eye(n)
    s.facets[1 : 2 * n : 2, n] = 1.0


def with_room(p: Program, t: Tables, s: Cells, room: Room) -> Cells:
    """Return the state of the same search with more room."""
    kept = s.out.patterns.shape[0]
    return cast(Cells, grown(s, new_cells(p, t, kept > 1, room, kept)))
