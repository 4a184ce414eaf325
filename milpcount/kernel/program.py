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

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from milpcount.domain import InputSet
from milpcount.errors import NetworkError
from milpcount.kernel.columns import RUN_LENGTH, RUN_UNIT
from milpcount.kernel.composed_forms import most_in_a_row
from milpcount.kernel.exact_sums import COARSEST, exponent, exponent_of
from milpcount.kernel.image_space import SMALLEST, Image, input_exponents
from milpcount.kernel.stable_units import Reduction, reduced
from milpcount.kernel.unit_numbering import Numbering
from milpcount.limits import tick
from milpcount.network import Network
from milpcount.types import Array


class Program(NamedTuple):
    """Static arrays; indices are global over layers unless said otherwise.

    ``V`` (m, n), ``H = V V^T``, ``S`` (m,) majorants of ``|g|``, ``mid = V @ (1/2, .., 1/2)``.
    ``units`` per unit: layer, first value, first row, rows, first piece, pieces, whether the last
    layer reads it.
    ``layers`` per layer: first unit, units, first value, values, first row, rows, how many outputs
    a value reads at most, whether one reads the inputs, and whether all values read all units of
    the layer before and none of others.
    ``values``: row of ``fixed`` or -1, first run, end of its runs; ``bias``. Values that read the
    inputs have a form over the image without their units in ``fixed``: coefficients, constant with
    the bias, majorant. The outputs that a value reads are in runs of adjacent ones: ``runs[e]`` is
    a run's first unit, its first entry of ``read_weight``, and its length; ``read_weight`` has the
    weight, and the sum of the magnitudes of what it was made of. Few arrays, since every call of
    the kernel hands all of them on.
    ``rows``: value a, value b (or -1), threshold. ``pieces``: value, slope, intercept, first
    literal; ``literals``: row, sign; ``most_literals`` of a piece. ``domain_*``: rows of the
    domain, ``M @ g + beta >= 0``.
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
    values: Array
    bias: Array
    fixed: Array
    runs: Array
    read_weight: Array
    row_values: Array
    row_threshold: Array
    piece_value: Array
    piece_slope: Array
    piece_intercept: Array
    piece_literals: Array
    literals: Array
    most_literals: int
    domain_M: Array
    domain_beta: Array
    domain_majorant: Array
    ops: Array
    tiny: float
    quantum: Array
    one: int
    small: int


class Layout(NamedTuple):
    """A program, and which of the network's units it speaks of.

    Attributes
    ----------
    program : Program
    numbering : Numbering
    """

    program: Program
    numbering: Numbering


def compile_program(network: Network, inputs: InputSet, *, reduce: bool | None = None) -> Layout:
    """Lay a network over an input set out as flat arrays.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    reduce : bool, optional
        Whether units that have one piece on all of the domain are left out, composed into those
        that read them; by default where that saves work. See `stable_units`.

    Returns
    -------
    Layout

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
    reduction = None
    if reduce is not False:
        reduction = reduced(network, inputs, always=reduce is True)
    numbering = Numbering(network, None if reduction is None else reduction.settled)
    tick()
    image = Image(network, inputs, reduction)
    tick()
    units = _Units.of(network, numbering)
    reads = _Reads.of(network) if reduction is None else _Reads.of_reduction(reduction)
    if reduction is None:
        ops, quantum = _rounding(network, inputs)
    else:
        ops, quantum = reduction.roundings, np.full(len(network.layers), -1)
    biases = [layer.affine.bias for layer in network.layers]
    V = np.ascontiguousarray(image.V)
    program = Program(
        V, np.ascontiguousarray(V.T), V @ V.T, image.S, V.sum(axis=1) * 0.5,
        np.column_stack([units.layers, reads.most, reads.inputs, _follows(units.layers, reads)]),
        np.column_stack([units.units, reads.last]),
        np.ascontiguousarray(
            np.column_stack([image.fixed_at, reads.start[:-1], reads.start[1:]]), dtype=np.int64
        ),
        np.concatenate([bias[own] for bias, own in zip(biases, numbering.values, strict=True)]),
        np.ascontiguousarray(np.column_stack([image.fixed, image.offset, image.majorant])),
        reads.runs, reads.weight,
        units.row_values, units.thresholds, units.piece_value, units.slopes, units.intercepts,
        units.starts, units.literals, int(np.diff(units.starts).max()),
        image.domain_M, image.domain_beta, image.domain_majorant,
        ops + image.m, float(SMALLEST * (1.0 + image.S.sum())), quantum, image.one,
        int(image.small),
    )  # fmt: skip
    return Layout(program, numbering)


class _Units(NamedTuple):
    """The units that are decided, their rows and pieces; see `Program`."""

    layers: Array
    units: Array
    row_values: Array
    thresholds: Array
    piece_value: Array
    slopes: Array
    intercepts: Array
    starts: Array
    literals: Array

    @classmethod
    def of(cls, network: Network, numbering: Numbering) -> "_Units":
        units: list[tuple[int, ...]] = []
        layers: list[tuple[int, ...]] = []
        literals: list[tuple[int, int]] = []
        starts = [0]
        n_values = n_rows = n_pieces = 0
        tables: list[tuple[Array, ...]] = []
        for number, layer in enumerate(network.layers):
            tick()
            table, own = layer.table, numbering.live[number]
            values, rows = numbering.values[number], numbering.rows[number]
            layers.append((len(units), own.size, n_values, values.size, n_rows, rows.size))
            value_at = _places(values, layer.affine.n_out) + n_values
            row_at = _places(rows, int(layer.row_starts[-1])) + n_rows
            for place in own.tolist():
                kind = layer.unit(place)
                first_row = int(row_at[layer.row_starts[place]]) if kind.rows else n_rows
                units.append(
                    (number, int(value_at[table.start[place]]), first_row, len(kind.rows), n_pieces,
                     kind.n_pieces)
                )  # fmt: skip
                for piece in kind.pieces:
                    literals += [(first_row + r, s) for r, s in piece.literals]
                    starts.append(len(literals))
                n_pieces += kind.n_pieces
            counts = layer.n_pieces[own]
            unit = np.repeat(own, counts)
            first_of = np.repeat(counts.cumsum() - counts, counts)
            kinds = table.kind[unit] + np.arange(unit.size) - first_of
            second = table.second[rows]
            second = np.where(second >= 0, value_at[second], -1)
            tables.append(
                (np.column_stack([value_at[table.first[rows]], second]), table.threshold[rows],
                 value_at[table.start[unit] + table.value[kinds]], table.slope[kinds],
                 table.intercept[kinds])
            )  # fmt: skip
            n_values += values.size
            n_rows += rows.size
        columns = (np.concatenate(parts) for parts in zip(*tables, strict=True))
        row_values, thresholds, piece_value, slopes, intercepts = columns
        as_int = lambda a, width: np.array(a, dtype=np.int64).reshape(-1, width)  # noqa: E731
        return cls(
            as_int(layers, 6), as_int(units, 6), as_int(row_values, 2), thresholds, piece_value,
            slopes, intercepts, np.array(starts, dtype=np.int64), as_int(literals, 2),
        )  # fmt: skip


def _places(which: Array, count: int) -> Array:
    """Return where each of `count` numbers is among some of them; those not among them are -1."""
    at = np.full(count, -1)
    at[which] = np.arange(which.size)
    return at


class _Reads(NamedTuple):
    """What the values read of units, see `Program`."""

    start: Array
    runs: Array
    weight: Array
    most: Array
    inputs: Array
    last: Array

    @classmethod
    def of(cls, network: Network) -> "_Reads":
        units_before = [0, *np.cumsum(network.widths).tolist()]
        counts, units, weights = list[Array](), list[Array](), list[Array]()
        for layer, sources in zip(network.layers, network.sources, strict=False):
            tick()
            unit_of = np.full(layer.affine.n_in, -1)
            for source in sources:
                if source.number:
                    start, stop = units_before[source.number - 1 : source.number + 1]
                    own = np.arange(start, stop) if source.local is None else start + source.local
                    unit_of[source.columns] = own
            row, column, weight = _entries(layer.affine.matrix)
            read = unit_of[column] >= 0
            if not read.all():
                row, column, weight = row[read], column[read], weight[read]
            counts.append(np.bincount(row, minlength=layer.affine.n_out))
            units.append(unit_of[column])
            weights.append(weight)
        inputs = np.array([number_of[0].number == 0 for number_of in network.sources])
        last = np.zeros(network.n_units, dtype=np.int64)
        last[units[-1]] = 1
        weight = np.concatenate(weights)
        table = np.column_stack([weight, np.abs(weight)])
        return cls._laid(counts, units, table, inputs[: len(network.layers)], last)

    @classmethod
    def of_reduction(cls, reduction: Reduction) -> "_Reads":
        """Return the same of live units, whose values all read the inputs."""
        counts, units, weights = list[Array](), list[Array](), list[Array]()
        for weight, size in zip(reduction.weights, reduction.sizes, strict=True):
            row, column = np.nonzero(size)
            counts.append(np.bincount(row, minlength=size.shape[0]))
            units.append(column)
            weights.append(np.column_stack([weight[row, column], size[row, column]]))
        live = int((reduction.settled < 0).sum())
        inputs, last = np.ones(len(counts)), np.zeros(live, dtype=np.int64)
        return cls._laid(counts, units, np.concatenate(weights), inputs, last)

    @classmethod
    def _laid(
        cls, counts: list[Array], units: list[Array], weight: Array, inputs: Array, last: Array
    ) -> "_Reads":
        """Return what is read, value by value, in runs."""
        most = np.array([max(1, int(read.max(initial=0))) for read in counts])
        unit, ends = np.concatenate(units), np.cumsum(np.concatenate([[0], *counts]))
        # A run ends where the next unit is no neighbour, and with the value that it is read by.
        begins = np.ones(unit.size, dtype=bool)
        begins[1:] = np.diff(unit) != 1
        begins[ends[ends < unit.size]] = True
        first = np.flatnonzero(begins)
        lengths = np.diff(np.append(first, unit.size))
        runs = np.column_stack([unit[first], first, lengths])
        start = np.searchsorted(first, ends)
        return cls(
            start, np.ascontiguousarray(runs), np.ascontiguousarray(weight), most,
            inputs.astype(np.int64), last,
        )  # fmt: skip


def _follows(layers: Array, reads: _Reads) -> Array:
    """Return whether all values of a layer read all units of the layer before, and no others."""
    found = np.zeros(len(layers), dtype=np.int64)
    for number in range(1, len(layers)):
        first, count = layers[number, 2:4]
        start = reads.start[first]
        if count and (reads.start[first : first + count + 1] == start + np.arange(count + 1)).all():
            runs = reads.runs[start : start + count]
            before, width = layers[number - 1, :2]
            found[number] = int(
                (runs[:, RUN_UNIT] == before).all() and (runs[:, RUN_LENGTH] == width).all()
            )
    return found


def _entries(matrix: Any) -> tuple[Array, Array, Array]:
    """Return row, column and value of every entry that is not zero, row by row."""
    if sparse.issparse(matrix):
        row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        return row, matrix.indices.astype(np.int64), matrix.data
    if matrix.all():  # as dense layers are: nothing to look for
        n_out, n_in = matrix.shape
        return (
            np.repeat(np.arange(n_out), n_in), np.tile(np.arange(n_in), n_out), matrix.ravel()
        )  # fmt: skip
    row, column = np.nonzero(matrix)
    return row, column, matrix[row, column]


def _rounding(network: Network, inputs: InputSet) -> tuple[Array, Array]:
    """Return per layer the number of roundings a form has seen and its quantum exponent."""
    ops, quantum, above = [], [], list[int]()
    parameters, own = inputs.dimension, input_exponents(network, inputs)
    # Numbers of the domain that are rounded enter a term twice at most.
    exactly = 0 if inputs.exact is None else 4
    count = float(2 * parameters + (not inputs.is_boxed) + network.n_inputs + exactly + 16)
    for number, layer in enumerate(network.layers):
        count += layer.affine.is_rounded
        if number:  # adding what is zero rounds nothing
            count += most_in_a_row(layer.affine.matrix) + 8
        power = max(own.get(number, 0), exponent(layer.affine.bias))
        sources = [source.number for source in network.sources[number] if source.number]
        if sources:
            weight = exponent_of(layer.affine)
            power = max(power, *(above[k - 1] + weight for k in sources))
        pieces = [piece for kind in layer.activations for piece in kind.pieces]
        offsets = [piece.intercept for piece in pieces]
        offsets += [row.threshold for kind in layer.activations for row in kind.rows]
        power = max(power, exponent(np.array(offsets)))
        ops.append(count)
        quantum.append(power if power <= COARSEST else -1)
        above.append(power + exponent(np.array([piece.slope for piece in pieces])))
    return np.array(ops), np.array(quantum, dtype=np.int64)
