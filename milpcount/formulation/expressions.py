"""What affine maps read, in the columns of the program.

The output of a unit is a combination of its own few columns (`units`; of a maximum, its column).
A map that reads units is therefore a combination of theirs, block by block: a block is the columns
of one kind (all h of the units with one activation, say), times the weights, times one factor.
Sparse maps stay sparse.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from milpcount.domain import InputSet
from milpcount.network import Affine, Network
from milpcount.types import Array


@dataclass(frozen=True, eq=False)
class Block:
    """Columns that outputs of units consist of.

    Attributes
    ----------
    places : ndarray of int
        Of the units in their layer.
    columns : ndarray of int32
        One for each unit.
    factor : float
    """

    places: Array
    columns: Array
    factor: float


@dataclass(eq=False)
class Outputs:
    """The outputs of a layer's units: `constant` and the sum of all blocks.

    Attributes
    ----------
    width : int
    blocks : list of Block
    constants : list of (ndarray of int, float, float)
        Places of units, their constant, and at least its size before rounding.
    """

    width: int
    blocks: list[Block] = field(default_factory=list)
    constants: list[tuple[Array, float, float]] = field(default_factory=list)

    def add(self, places: Array, columns: Array, factor: float) -> None:
        """Add a block; one of factor 0 is none."""
        if factor != 0:
            self.blocks.append(Block(places, columns, factor))


@dataclass(frozen=True, eq=False)
class Expression:
    """What comes out of an affine map: ``offset + matrix @ x[columns]``.

    Attributes
    ----------
    columns : ndarray of int32, shape (k,)
        A column may come twice.
    matrix : ndarray or sparse array, shape (n_out, k)
    offset : ndarray, shape (n_out,)
    size : ndarray, shape (n_out,)
        Sums of the absolute values that the offset was computed from.
    """

    columns: Array
    matrix: Any
    offset: Array
    size: Array

    def row(self, i: int) -> tuple[Array, Array]:
        """Return columns and coefficients of one output."""
        if isinstance(self.matrix, np.ndarray):
            return self.columns, self.matrix[i]
        at = slice(self.matrix.indptr[i], self.matrix.indptr[i + 1])
        return self.columns[self.matrix.indices[at]], self.matrix.data[at]

    def times(self, x: Array) -> Array:
        """Return the matrix times a vector of all columns, shape (n_out,)."""
        return np.asarray(self.matrix @ x[self.columns])


def expression(
    network: Network,
    inputs: InputSet,
    number: int,
    t: Array,
    outputs: list[Outputs],
    start: Array | None = None,
    corner: Array | None = None,
) -> Expression:
    """Return what comes out of an affine map.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    number : int
        Of the layer, from 0; the number of layers is the output map.
    t : ndarray of int32
        The parameters' columns.
    outputs : list of Outputs
        Of the layers before.
    start : ndarray, shape (n_out,), optional
        Stands for the bias.
    corner : ndarray, shape (d,), optional
        A point t whose product with the map is to be part of `size`.
    """
    affine = network.maps[number]
    columns, blocks = [np.zeros(0, np.int32)], [_nothing(affine)]
    offset = affine.bias if start is None else start
    size = np.abs(offset)
    for source in network.sources[number]:
        weight = affine.matrix[:, source.columns]
        which: Any = slice(None) if source.local is None else source.local
        if source.number == 0:
            columns.append(t)
            blocks.append(_product(weight, inputs.directions[which]))
            offset = weight @ inputs.origin[which] + offset
            reach = np.abs(inputs.origin[which])
            if corner is not None:
                reach = np.abs(inputs.directions[which]) @ np.abs(corner) + reach
            size = size + abs(weight) @ reach
            continue
        read = outputs[source.number - 1]
        # Where the map reads some of the layer only, place p is read as number at[p].
        at = np.full(read.width, -1)
        at[which] = np.arange(at[which].size)
        for block in read.blocks:
            used = at[block.places] >= 0
            columns.append(block.columns[used])
            blocks.append(_taken(weight, at[block.places[used]]) * block.factor)
        for places, constant, absolute in read.constants:
            taken = _taken(weight, at[places[at[places] >= 0]])
            if constant != 0:
                offset = offset + taken.sum(axis=1) * constant
            if absolute != 0:
                size = size + abs(taken).sum(axis=1) * absolute
    joined = np.hstack if isinstance(affine.matrix, np.ndarray) else _stacked
    return Expression(np.concatenate(columns), joined(blocks), offset, size)


def _nothing(affine: Affine) -> Any:
    if isinstance(affine.matrix, np.ndarray):
        return np.zeros((affine.n_out, 0))
    return sparse.csr_array((affine.n_out, 0))


def _product(weight: Any, directions: Array) -> Any:
    if isinstance(weight, np.ndarray):
        return weight @ directions
    return sparse.csr_array(weight @ sparse.csr_array(directions))


def _taken(weight: Any, at: Array) -> Any:
    """Return columns of a matrix; all of them as they are."""
    if at.size == weight.shape[1] and (at == np.arange(at.size)).all():
        return weight
    return weight[:, at]


def _stacked(blocks: list[Any]) -> Any:
    return sparse.csr_array(sparse.hstack(blocks, format="csr"))
