"""Fixed batches: what a network does to each row of an input that is several at once.

A model exported with a fixed batch takes a tensor whose first dimension counts independent inputs.
Read as one input it would be as many copies of the network side by side, with the product of their
regions. It is a batch exactly if no unit and no output depends on more than one row.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from milpcount.errors import NetworkError
from milpcount.network.affine import Affine, Dense, Elementwise
from milpcount.network.by_rows import canonical
from milpcount.network.composite import Composite, compose
from milpcount.network.layer import Layer
from milpcount.network.network import Network
from milpcount.network.sparse import Factor, Sparse
from milpcount.network.stacked import held
from milpcount.types import Array

_NO_ROW = -1


def without_batch(network: Network, size: int) -> Network:
    """Return what a network does to one row of its input, if its rows do not meet.

    Parameters
    ----------
    network : Network
        Its inputs are those of row 0, then those of row 1, and so on.
    size : int
        Number of rows.

    Returns
    -------
    Network
        The network of one row, proved to be the same for every row; the network itself if a unit
        or an output depends on several rows, which then are parts of one input.

    Raises
    ------
    NetworkError
        If no two rows meet, but they are not treated alike.
    """
    owners = [np.repeat(np.arange(size), network.n_inputs // size)]
    for number, affine in enumerate(network.maps):
        of_values = _depends(affine, _of_inputs(network, number, owners), size)
        of_units = np.logical_or.reduceat(of_values, _starts(network, number))
        if _several(of_units):
            return network
        owners.append(_owner(of_units))
    owners = [_placed(owner, size) for owner in owners]
    first = []
    for number in range(len(network.maps)):
        found = _of_row(network, number, owners, size)
        if found is None:
            raise NetworkError(
                f"the input has a fixed batch of {size}, and layer {number + 1} does not treat "
                "its rows alike: export the model with a dynamic batch axis or a batch of 1"
            )
        first.append(found)
    end = None if network.output is None else first.pop()
    layers = []
    for layer, owner, (affine, reads) in zip(network.layers, owners[1:], first, strict=False):
        kinds = [layer.unit(place) for place in np.flatnonzero(owner == 0).tolist()]
        layers.append(Layer(affine, layer.activation if layer.is_uniform else kinds, reads))
    note = f"a fixed batch of {size} was left out: its rows never meet and are treated alike"
    notes, inputs = (*network.notes, note), network.n_inputs // size
    if end is None:
        return Network(tuple(layers), None, notes, None, inputs)
    return Network(tuple(layers), end[0], notes, end[1], inputs)


def _of_inputs(network: Network, number: int, owners: Sequence[Array]) -> Array:
    """Return the row of each number that a map reads."""
    return np.concatenate([
        owners[s.number] if s.local is None else owners[s.number][s.local]
        for s in network.sources[number]
    ])  # fmt: skip


def _columns_of(network: Network, number: int) -> Array:
    """Return the columns that a map reads."""
    starts = np.cumsum([0, network.n_inputs, *network.widths])
    return np.concatenate([
        starts[s.number] + (np.arange(starts[s.number + 1] - starts[s.number])
                            if s.local is None else s.local)
        for s in network.sources[number]
    ])  # fmt: skip


def _starts(network: Network, number: int) -> Array:
    """Return the place of each unit's first value; an output is a unit of its own."""
    if number == len(network.layers):
        return np.arange(network.maps[number].n_out)
    return network.layers[number].value_starts[:-1]


def _depends(affine: Affine | Factor, owner: Array, size: int) -> Array:
    """Return which rows each output of a map depends on, shape (outputs, size)."""
    if isinstance(affine, Elementwise):
        raise TypeError("its outputs depend on its inputs one by one")
    known = owner != _NO_ROW
    of_inputs = (owner[:, None] == np.arange(size)) & known[:, None]
    matrix = sparse.csr_array(affine.matrix)
    ones = sparse.csr_array(
        (np.ones(matrix.nnz), matrix.indices, matrix.indptr), shape=matrix.shape
    )
    return np.asarray(ones @ of_inputs.astype(np.float64) > 0)


def _owner(depends: Array) -> Array:
    """Return the row of what depends on one row at most."""
    return np.where(np.any(depends, axis=1), np.argmax(depends, axis=1), _NO_ROW)


def _several(depends: Array) -> bool:
    return bool(np.any(np.count_nonzero(depends, axis=1) > 1))


def _placed(owner: Array, size: int) -> Array:
    """Give what depends on no row, such as a unit of zero weights, the row of its place."""
    place = np.arange(len(owner)) * size // len(owner)
    return np.where(owner == _NO_ROW, place, owner)


def _of_row(
    network: Network, number: int, owners: Sequence[Array], size: int
) -> tuple[Affine, Array] | None:
    """Return row 0's part of a map, and the columns of row 0's network that it reads.

    None unless every row has the same part, on the same columns, with the same units.
    """
    rows, before = np.concatenate(owners), _of_inputs(network, number, owners)
    # The number of each column among those of its row.
    own = np.empty(rows.size, dtype=np.int64)
    for row in range(size):
        own[rows == row] = np.arange(np.count_nonzero(rows == row))
    columns, owner = own[_columns_of(network, number)], owners[number + 1]
    reads = [columns[before == row] for row in range(size)]
    if any(not np.array_equal(r, reads[0]) for r in reads):
        return None
    ranks = np.ones(owner.size, dtype=np.int64)
    if number < len(network.layers):
        layer = network.layers[number]
        ranks = np.array([kind.rank for kind in layer.units])
        kinds = [
            [layer.unit(k) for k in np.flatnonzero(owner == row).tolist()] for row in range(size)
        ]
        if any(k != kinds[0] for k in kinds):
            return None
    found = _block(network.maps[number], before, np.repeat(owner, ranks), size)
    return None if found is None else (found, reads[0])


def _block(affine: Affine, before: Array, after: Array, size: int) -> Affine | None:
    """Return the map of row 0; None unless every row has the same one and no other part."""
    factors = _factors(affine)
    found = []
    for number, factor in enumerate(factors):
        if number == len(factors) - 1:
            between = after
        elif isinstance(factor, Elementwise):
            between = before
        else:
            depends = _depends(factor, before, size)
            if _several(depends):
                return None
            between = _placed(_owner(depends), size)
        part = _part(factor, before, between, size)
        if part is None:
            return None
        found.append(part)
        before = between
    return compose(found)


def _factors(affine: Affine) -> tuple[Factor, ...]:
    if isinstance(affine, Composite):
        return affine.factors
    return (affine if isinstance(affine, Dense | Sparse) else held(affine.matrix, affine.bias),)


@dataclass(frozen=True, eq=False)
class _Numbers:
    """The numbers of a row's part of a factor."""

    matrix: sparse.csr_array
    vectors: tuple[Array, ...]

    def is_same(self, other: "_Numbers") -> bool:
        if self.matrix.shape != other.matrix.shape:
            return False
        if (self.matrix != other.matrix).nnz:
            return False
        return all(map(np.array_equal, self.vectors, other.vectors))


def _part(factor: Factor, into: Array, out: Array, size: int) -> Factor | None:
    """Return the part of a factor that belongs to row 0, as in `_block`."""
    if isinstance(factor, Elementwise) and not np.array_equal(into, out):
        return None
    found = []
    for row in range(size):
        i, o = np.flatnonzero(into == row), np.flatnonzero(out == row)
        if not i.size or not o.size:
            return None
        if isinstance(factor, Elementwise):
            vectors = (factor.factor[o], factor.shift[o], factor.divisor[o])
            found.append(_Numbers(sparse.csr_array((o.size, i.size)), vectors))
        else:
            matrix = canonical(sparse.csr_array(factor.matrix)[o][:, i])
            found.append(_Numbers(matrix, (factor.bias[o],)))
    first = found[0]
    if not all(first.is_same(other) for other in found):
        return None
    if isinstance(factor, Elementwise):
        return Elementwise(*first.vectors)
    is_all = canonical(sparse.csr_array(factor.matrix)).nnz == size * first.matrix.nnz
    return held(first.matrix, first.vectors[0]) if is_all else None
