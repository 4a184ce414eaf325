"""A network over an input set, laid out as the flat arrays that the kernel reads.

Notation: the input set's parameters are scaled to ``y`` in the unit cube ``[0, 1]^n``. Affine
functions of the input are held as ``M @ g + beta`` with ``g = V @ y`` in the *image space* of
dimension m: with few parameters V is the identity; with many, V holds the rows that read the
network's inputs (and the domain's), since no other row depends on more than these. An unbounded set
is made homogeneous: ``(t, 1)`` becomes a ray ``(t, s)``, the ray meets the cube
``[-1, 1]^d x [0, 1]``, constants become multiples of s, and a region of the network is exactly a
full-dimensional cone of the new cells.

What overflows here has an infinite majorant, and stands as 0: see `rows`.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from milpcount.domain import InputSet
from milpcount.errors import NetworkError
from milpcount.limits import tick
from milpcount.network import Affine, Network, Source
from milpcount.tree.rows import LARGE, LOST

_SMALLEST = 2.0**-1022
"""The smallest normal number: what a product may lose to underflow, over the unit roundoff."""
_EXTREME = 40
"""Exponents beyond which a row of the domain is scaled."""
_NEVER = 10_000

SMALL = 16
"""Parameters up to which box sides are constraints like any other (see `projection`)."""

Array = np.ndarray


class Program(NamedTuple):
    """Static arrays; indices are global over layers unless said otherwise.

    ``V`` (m, n), ``H = V V^T``, ``S`` (m,) majorants of ``|g|``, ``mid = V @ (1/2, .., 1/2)``.
    ``units`` per unit: layer, first value, first row, rows, first piece, pieces.
    ``layers`` per layer: first unit, units, first value, values, first row, rows, and how many
    outputs a value reads at most.
    Values: ``bias``; those that read the inputs have a form over the image without their units,
    row ``fixed_at`` of ``fixed_M, fixed_b, fixed_s`` (coefficients, constant with the bias,
    majorant), others -1. The outputs that value q reads are in runs of adjacent ones, e from
    ``read_start[q]`` to ``read_start[q + 1]``: ``runs[e]`` is a run's first unit, its first entry
    of ``read_weight``, and its length.
    ``last_units``: the units that the last layer reads, none if it reads the inputs too.
    ``rows``: value a, value b (or -1), threshold. ``pieces``: value, slope, intercept, first
    literal; ``literals``: row, sign. ``domain_*``: rows of the domain, ``M @ g + beta >= 0``.
    ``ops`` per layer: rounding errors a composed form has seen. ``tiny``: what underflow may take
    from a form, over u and over its products. ``quantum`` per layer: exponent e
    such that forms are multiples of ``2^-e`` (-1: too fine to be useful). ``one``: the image
    coordinate that stands for the constant 1 where the set is unbounded, else -1.
    """

    V: Array
    VT: Array
    H: Array
    S: Array
    mid: Array
    layers: Array
    units: Array
    bias: Array
    fixed_at: Array
    fixed_M: Array
    fixed_b: Array
    fixed_s: Array
    read_start: Array
    runs: Array
    read_weight: Array
    last_units: Array
    row_values: Array
    row_threshold: Array
    piece_value: Array
    piece_slope: Array
    piece_intercept: Array
    piece_literals: Array
    literals: Array
    domain_M: Array
    domain_beta: Array
    domain_majorant: Array
    ops: Array
    tiny: float
    quantum: Array
    one: int
    small: int


def compile_program(network: Network, inputs: InputSet) -> Program:
    """Lay a network over an input set out as flat arrays.

    Parameters
    ----------
    network : Network
    inputs : InputSet

    Returns
    -------
    Program

    Raises
    ------
    NetworkError
        If the network has no units, and so no tree.
    OutOfTime
        If the deadline in force comes first.
    """
    if not network.layers:
        raise NetworkError("the network has no units: it has one region, and no tree to search")
    tick()
    image = _Image(network, inputs)
    tick()
    units: list[tuple[int, ...]] = []
    layers: list[tuple[int, ...]] = []
    literals: list[tuple[int, int]] = []
    starts = [0]
    n_values = n_rows = n_pieces = 0
    tables: list[tuple[Array, ...]] = []
    for number, layer in enumerate(network.layers):
        tick()
        table = layer.table
        total = int(layer.row_starts[-1])
        layers.append((len(units), layer.width, n_values, layer.affine.n_out, n_rows, total))
        for place, kind in enumerate(layer.units):
            first_row = n_rows + int(layer.row_starts[place])
            units.append(
                (number, n_values + int(table.start[place]), first_row, len(kind.rows), n_pieces,
                 kind.n_pieces)
            )  # fmt: skip
            for piece in kind.pieces:
                literals += [(first_row + r, s) for r, s in piece.literals]
                starts.append(len(literals))
            n_pieces += kind.n_pieces
        unit = np.repeat(np.arange(layer.width), layer.n_pieces)
        first = np.cumsum(layer.n_pieces) - layer.n_pieces
        kinds = table.kind[unit] + np.arange(unit.size) - first[unit]
        second = np.where(table.second >= 0, table.second + n_values, -1)
        tables.append(
            (np.column_stack([table.first + n_values, second]), table.threshold,
             n_values + table.start[unit] + table.value[kinds], table.slope[kinds],
             table.intercept[kinds])
        )  # fmt: skip
        n_values += layer.affine.n_out
        n_rows += total
    row_values, thresholds, piece_value, slopes, intercepts = (
        np.concatenate(parts) for parts in zip(*tables, strict=True)
    )
    tick()
    reads = _Reads.of(network)
    ops, quantum = _rounding(network, image)
    as_int = lambda a, width: np.array(a, dtype=np.int64).reshape(-1, width)  # noqa: E731
    V = np.ascontiguousarray(image.V)
    return Program(
        V, np.ascontiguousarray(V.T), V @ V.T, image.S, V.sum(axis=1) * 0.5,
        np.column_stack([as_int(layers, 6), reads.most]), as_int(units, 6),
        np.concatenate([layer.affine.bias for layer in network.layers]),
        image.fixed_at, image.fixed, image.offset, image.majorant,
        reads.start, reads.runs, reads.weight, reads.last_units,
        as_int(row_values, 2), thresholds, piece_value, slopes, intercepts,
        np.array(starts, dtype=np.int64),
        as_int(literals, 2), image.domain_M, image.domain_beta, image.domain_majorant,
        ops, float(_SMALLEST * (1.0 + image.S.sum())), quantum, image.one, int(image.small),
    )  # fmt: skip


class _Reads(NamedTuple):
    """What the values read of units, see `Program`."""

    start: Array
    runs: Array
    weight: Array
    last_units: Array
    most: Array

    @classmethod
    def of(cls, network: Network) -> "_Reads":
        first = [0, *np.cumsum(network.widths).tolist()]
        counts, units, weights = [np.zeros(1, dtype=np.int64)], list[Array](), list[Array]()
        for layer, sources in zip(network.layers, network.sources, strict=False):
            tick()
            unit_of = np.full(layer.affine.n_in, -1)
            for source in sources:
                if source.number:
                    start, stop = first[source.number - 1 : source.number + 1]
                    own = np.arange(start, stop) if source.local is None else start + source.local
                    unit_of[source.columns] = own
            matrix = sparse.csr_array(layer.affine.matrix)
            read = (unit_of[matrix.indices] >= 0) & (matrix.data != 0.0)
            row = np.repeat(np.arange(layer.affine.n_out), np.diff(matrix.indptr))[read]
            counts.append(np.bincount(row, minlength=layer.affine.n_out))
            units.append(unit_of[matrix.indices[read]])
            weights.append(matrix.data[read])
        beside = any(source.number == 0 for source in network.sources[len(network.layers) - 1])
        last = np.zeros(0, dtype=np.int64) if beside else np.unique(units[-1])
        unit, ends = np.concatenate(units), np.cumsum(np.concatenate(counts))
        begins = np.ones(unit.size, dtype=bool)
        begins[1:] = np.diff(unit) != 1
        begins[ends[:-1][ends[:-1] < unit.size]] = True
        first = np.flatnonzero(begins)
        runs = np.column_stack([unit[first], first, np.diff(np.append(first, unit.size))])
        start = np.searchsorted(first, ends)
        most = np.array([max(1, int(n.max())) for n in counts[1:]])
        return cls(start, np.ascontiguousarray(runs), np.concatenate(weights), last, most)


class _InputRows(NamedTuple):
    """The values that read the network's inputs.

    ``values`` their numbers, ``weight`` (values, inputs), ``bias``; ``layer`` of each.
    """

    values: Array
    weight: Array
    bias: Array
    layer: Array

    @classmethod
    def of(cls, network: Network) -> "_InputRows":
        parts, first = [], 0
        for number, (layer, sources) in enumerate(
            zip(network.layers, network.sources, strict=False)
        ):
            affine = layer.affine
            if sources[0].number == 0:
                tick()
                weight = input_weight(affine, sources[0], network.n_inputs)
                # Of later layers only what depends on the inputs: the others need no room in V.
                rows = np.flatnonzero((weight != 0).any(axis=1) | (number == 0))
                layers = np.full(rows.size, number)
                parts.append((first + rows, weight[rows], affine.bias[rows], layers))
            first += affine.n_out
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))


class _Image:
    """The scaled parameters, the image space, and in it what reads the inputs, and the domain."""

    def __init__(self, network: Network, inputs: InputSet) -> None:
        rows, d = _InputRows.of(network), inputs.dimension
        with np.errstate(over="ignore", invalid="ignore"):
            A, A_abs, c, c_abs, width = _rows_on_the_cube(rows.weight, rows.bias, inputs)
            total = A_abs.sum(axis=1)
            majorant = total + c_abs
        lost = ~(majorant < LARGE)
        A[lost], c[lost], total[lost], majorant[lost] = 0.0, 0.0, 0.0, LOST
        n, own = width, rows.values.size
        # Numbers of the domain that are rounded enter a term twice at most.
        self.terms = n + d + network.n_inputs + (0 if inputs.exact is None else 4)
        self.small = n <= SMALL
        self.one = -1 if inputs.is_boxed else n - 1
        if self.small or n <= A.shape[0]:
            self.V, M, self.S = np.eye(n), A, np.ones(n)
        else:
            self.V, M, self.S = A, np.eye(A.shape[0]), total
            if not inputs.is_boxed:
                self.one = A.shape[0]
                self.V = np.vstack([A, np.eye(n)[-1:]])
                M, self.S = (
                    np.eye(*self.V.shape)[: A.shape[0], : A.shape[0] + 1],
                    np.append(total, 1),
                )
        self.m = self.V.shape[0]
        self.fixed, self.offset = np.ascontiguousarray(M[:own]), c[:own]
        self.majorant = majorant[:own]
        self.domain_M, self.domain_beta = np.ascontiguousarray(M[own:]), c[own:]
        self.domain_majorant = majorant[own:]
        self.fixed_at = np.full(sum(layer.affine.n_out for layer in network.layers), -1)
        self.fixed_at[rows.values] = np.arange(own)
        # Exponents of what reads the inputs, by layer.
        self.exponents: dict[int, int] = {}
        for number in np.unique(rows.layer).tolist():
            at = rows.layer == number
            self.exponents[number] = _NEVER
            if not network.layers[number].affine.is_rounded:
                self.exponents[number] = _input_exponent(rows.weight[at], rows.bias[at], inputs)


def input_weight(affine: Affine, source: Source, n_inputs: int) -> Array:
    """Return the weights that a map has on the network's inputs, shape (n_out, n_inputs)."""
    if source.local is None and source.columns == slice(None):
        return affine.weight
    part = affine.matrix[:, source.columns]
    weight = part.toarray() if sparse.issparse(part) else part
    if source.local is None:
        return np.asarray(weight)
    full = np.zeros((affine.n_out, n_inputs))
    full[:, source.local] = weight
    return full


def _rows_on_the_cube(
    W: Array, bias: Array, inputs: InputSet
) -> tuple[Array, Array, Array, Array, int]:
    """Return the rows of weights on the inputs and of the domain, and the number n of parameters.

    Coefficients (rows, n) and their magnitudes, constants and their magnitudes; magnitudes bound
    the rounding of what they belong to, are not finite where that may not be, and are zero only
    where there is no term at all.
    """
    T = inputs.directions
    rows, rhs = _scaled_rows(inputs)
    A = np.vstack([_product(W, T), -rows])
    A_abs = np.vstack([_magnitudes(W, T), abs(rows)])
    c = np.concatenate([W @ inputs.origin + bias, rhs])
    c_abs = np.concatenate([_magnitudes(W, inputs.origin) + abs(bias), abs(rhs)])
    lower, upper = inputs.lower, inputs.upper
    if not inputs.is_boxed:
        A, A_abs, c, c_abs, lower, upper = _homogeneous(inputs, A, A_abs, c, c_abs)
    width = inputs.width if inputs.is_boxed else upper - lower
    c = c + A @ lower
    c_abs = c_abs + _magnitudes(A_abs, lower)
    present = A_abs > 0.0  # where there is no coefficient, an infinite width makes none
    A, A_abs = A * width, A_abs * width + _SMALLEST
    return np.where(present, A, 0.0), np.where(present, A_abs, 0.0), c, c_abs, width.size


def _magnitudes(left: Array, right: Array) -> Array:
    """Return ``|left| @ |right|``, and more where products may underflow; 0 if all are zero."""
    sizes = _product(np.abs(left), np.abs(right))
    if _least(left) * _least(right) < _SMALLEST:
        terms = (left != 0.0).astype(np.float64) @ (right != 0.0)
        sizes = np.where(terms > 0.0, sizes + _SMALLEST, 0.0)
    return np.asarray(sizes)


def _least(array: Array) -> float:
    """Return the smallest magnitude of an entry that is not zero; 1 if there is none."""
    sizes = np.abs(array[array != 0.0])
    return float(sizes.min()) if sizes.size else 1.0


def _scaled_rows(inputs: InputSet) -> tuple[Array, Array]:
    """Return the domain's rows, those of extreme values times a power of two.

    Only where that is exact: a row with both extremes at once is left as it is.
    """
    both = np.column_stack([inputs.rows, inputs.rhs])
    reach = np.maximum(np.frexp(inputs.lower)[1], np.frexp(inputs.upper)[1])  # 0 where infinite
    terms = np.frexp(both)[1] + np.append(reach, 0)
    top = np.where(both == 0.0, -_NEVER, terms).max(axis=1, initial=-_NEVER)
    shift = np.where((top > -_NEVER) & (abs(top) > _EXTREME), -top, 0)[:, None]
    with np.errstate(over="ignore", under="ignore"):
        scaled = np.ldexp(both, shift)
        exact = (np.ldexp(scaled, -shift) == both).all(axis=1, keepdims=True)
    both = np.where(exact, scaled, both)
    return both[:, :-1], both[:, -1]


def _product(weight: Array, directions: Array) -> Array:
    """Return ``weight @ directions``, of which a box of many inputs has unit vectors only."""
    if directions.ndim == 2:
        column, row = np.argwhere(directions.T).T
        if np.array_equal(column, np.arange(directions.shape[1])):
            return np.asarray(weight[:, row] * directions[row, column])
    return np.asarray(weight @ directions)


def _homogeneous(
    inputs: InputSet, A: Array, A_abs: Array, c: Array, c_abs: Array
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Return the rows over ``(t, s)`` in ``[-1, 1]^d x [0, 1]``; finite bounds become rows."""
    eye = np.eye(inputs.dimension)
    low, high = np.isfinite(inputs.lower), np.isfinite(inputs.upper)
    A = np.vstack([A, eye[low], -eye[high]])
    c = np.concatenate([c, -inputs.lower[low], inputs.upper[high]])
    A_abs = np.vstack([A_abs, eye[low], eye[high]])
    c_abs = np.concatenate([c_abs, abs(inputs.lower[low]), abs(inputs.upper[high])])
    lower = np.append(-np.ones(inputs.dimension), 0.0)
    upper = np.ones(inputs.dimension + 1)
    zero = np.zeros(c.size)
    return np.column_stack([A, c]), np.column_stack([A_abs, c_abs]), zero, zero, lower, upper


def _input_exponent(weights: Array, bias: Array, inputs: InputSet) -> int:
    """Return e such that scaled rows of weights and the domain are multiples of 2^-e."""
    if inputs.exact is not None:
        return _NEVER
    finite = np.concatenate([inputs.lower, inputs.upper])
    bounds, weight = _exponent(finite[np.isfinite(finite)]), _exponent(weights)
    rows, rhs = _scaled_rows(inputs)
    slope = max(weight + _exponent(inputs.directions), _exponent(rows))
    constants = (_exponent(bias), _exponent(rhs), weight + _exponent(inputs.origin))
    return max(slope + bounds, *constants)


def _rounding(network: Network, image: _Image) -> tuple[Array, Array]:
    """Return per layer the number of roundings a form has seen and its quantum exponent."""
    ops, quantum, above = [], [], list[int]()
    count = float(image.terms + 16)
    for number, layer in enumerate(network.layers):
        count += layer.affine.is_rounded
        if number:
            count += layer.affine.n_in + 8
        exponent = max(image.exponents.get(number, 0), _exponent(layer.affine.bias))
        sources = [source.number for source in network.sources[number] if source.number]
        if sources:
            weight = _exponent_of(layer.affine)
            exponent = max(exponent, *(above[k - 1] + weight for k in sources))
        pieces = [piece for kind in layer.activations for piece in kind.pieces]
        offsets = [piece.intercept for piece in pieces]
        offsets += [row.threshold for kind in layer.activations for row in kind.rows]
        exponent = max(exponent, _exponent(np.array(offsets)))
        ops.append(count + image.m)
        quantum.append(exponent if exponent <= _COARSEST else -1)
        above.append(exponent + _exponent(np.array([piece.slope for piece in pieces])))
    return np.array(ops), np.array(quantum, dtype=np.int64)


_COARSEST = 200


def _exponent_of(affine: Affine) -> int:
    """Return the exponent of a map's weights; those of a rounded one are multiples of nothing."""
    if affine.is_rounded:
        return _NEVER
    return _exponent(affine.matrix.data if sparse.issparse(affine.matrix) else affine.matrix)


def _exponent(array: Array) -> int:
    """Return the least e >= 0 such that entries are multiples of ``2^-e``; 10^4 if above 52."""
    tick()
    mantissa, power = np.frexp(np.asarray(array, dtype=np.float64))
    whole = np.ldexp(mantissa, 53).astype(np.int64)  # entries are whole * 2^(power - 53)
    trailing = np.frexp((whole & -whole).astype(np.float64))[1] - 1
    needed = int(np.where(whole == 0, 0, 53 - power - trailing).max(initial=0))
    return needed if needed < 53 else _NEVER
