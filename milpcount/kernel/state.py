"""The mutable arrays of a search: everything a paused kernel needs to go on."""

from typing import NamedTuple

from milpcount.types import Array

# Entries of `State.control`.
(DEPTH, REGIONS, TESTS, KEPT, COUNT, VERDICT, ASKED, FLOAT_EMPTY, INTEGER_EMPTY, CLAUSE_HITS,
 POOL_HITS, BUDGET, MOST_REGIONS, POLYGON, FLOOR, CLOSED, PATIENCE, START,
 PLACE_OF_START, ROWS_PUT) = range(20)  # fmt: skip

BASED = 20
"""Where those begin that say, layer by layer, whether the layer's base is there; see `rows`."""

PATIENT_STEPS = 400
"""Newton steps of the second attempt at a cell that 40 steps leave open."""
POOL = 512
"""Points kept per layer, for the current cell of the layers above; a power of two."""
WIDE = 32
"""Dimensions of the image above which rows are also kept as functions of the inputs."""
CLAUSES = 512
"""Conflicts kept per layer, for the current cell of the layers above."""


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
    start : (depth,)
        The number of that projection, see `Starts`.
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
    start: Array
    prefix: Array
    polygon: Array
    corners: Array


class Sides(NamedTuple):
    """What is known of the children of the nodes of a path, by depth and piece.

    Attributes
    ----------
    verdict : (depth, pieces)
    witness, lam, start, polygon, corners
        What a child starts from, as in `Path`.
    """

    verdict: Array
    witness: Array
    lam: Array
    start: Array
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
    values : (POOL, rows)
        Values of the rows there, every layer's at its own points; of a point that nobody has asked
        about, that of the layer's first row is nan.
    round : (layers,)
        How many cells of the layers above there were, from 1 on.
    table : (layers, 2 POOL)
        By the hash of its signs, a point's number and, times `POOL`, the round that it is of.
    """

    number: Array
    bits: Array
    g: Array
    values: Array
    round: Array
    table: Array


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
    number : (count,)
        A number that no other row has had in this search.
    """

    id: Array
    sign: Array
    rows: Array
    columns: Array
    inputs: Array
    stale: Array
    number: Array
    offset: Array
    margin: Array
    error: Array


class Trial(NamedTuple):
    """A projection: multipliers, the point x, its image g."""

    lam: Array
    x: Array
    g: Array


class Starts(NamedTuple):
    """Projections with many parameters that others start from.

    A cell's projection starts from that of the cell above. Each has a number, and in its place,
    which its lowest bits tell, there may be another one later: then it is made anew from its
    multipliers. Place 0 has the centre of the cube, without multipliers, with the number 0, and
    place 1 what nobody starts from.

    Attributes
    ----------
    last : (1,)
        How many numbers were given.
    number : (places,)
        Of the projection that is there, -1 for none.
    z, y : (places, n), (places, m)
        ``V^T y`` and ``y = rows^T lam``; the point is ``clip(c + z)``.
    side : (places, n + up to 7)
        1 and 2 where a column is at the upper and the lower side of the cube or outside, else 0.
    sides : (places, words)
        The same memory, eight at a time.
    shift : (places, m)
        Sum of half the columns at the upper sides, less that of those at the lower ones.
    hessian : (places, m, m)
        Sum of ``v v^T`` over the columns strictly inside.
    centre : (m,)
        The image of the cube's centre.
    """

    last: Array
    number: Array
    z: Array
    y: Array
    side: Array
    sides: Array
    shift: Array
    hessian: Array
    centre: Array


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
    starts: Starts
    kept: Kept
    parities: Parities


class KeptProducts(NamedTuple):
    """Products of a cell's rows, as functions of the inputs, where the image is wide.

    Attributes
    ----------
    product : (rows, rows)
        At the places in the cell of those whose numbers are there.
    number : (rows,)
    inside : (n,)
        The inputs they are sums over.
    """

    product: Array
    number: Array
    inside: Array


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
    inverse: Array
    forward: Array
    local_forms: Array
    local_sizes: Array
    columns: Array
    products: KeptProducts
    chosen: Array
    inside: Array
    member: Array
    held: Array
    where: Array
    moved: Array
    side: Array
    sides: Array
    start: Array
    end: Array
    cut: Array
    bits: Array
    corners: Array
