"""What tells one network from another: SHA-256 over layers, activations and weights.

Chains are told by the bytes of their matrices, row by row, as little-endian float64, whether the
zeros are held or not. Graphs, and layers of several kinds of units, are told by other bytes.
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from milpcount.network.affine import Affine, Dense, Elementwise
from milpcount.network.composite import Composite
from milpcount.network.layer import Layer
from milpcount.network.sparse import LARGEST_DENSE, Factor, Sparse, rows_of
from milpcount.types import Array

if TYPE_CHECKING:
    from milpcount.network.network import Network

_ROWS = 2**20
"""Numbers of a sparse matrix that are written out at a time."""


def fingerprint(network: "Network") -> str:
    """Return the hexadecimal SHA-256 of a network."""
    parts = [(_names(layer), layer.affine, layer.reads) for layer in network.layers]
    if network.output is not None:
        parts.append(("output", network.output, network.output_reads))
    is_plain = network.is_chain and all(_is_plain(affine) for _, affine, _ in parts)
    if is_plain:
        digest = hashlib.sha256(b"milpcount network 1\n")
    else:
        digest = hashlib.sha256(f"milpcount network 2\n{network.n_inputs}\n".encode())
    for name, affine, reads in parts:
        digest.update(f"{name} {affine.n_out} {affine.n_in}\n".encode())
        if not is_plain:
            # The columns of the layer before stand for themselves.
            digest.update(b"before" if reads is None else np.asarray(reads, "<i8").tobytes())
        for numbers in _numbers_of(affine) if is_plain else _sparse_numbers_of(affine):
            kind = "<i8" if numbers.dtype.kind == "i" else "<f8"
            digest.update(np.ascontiguousarray(numbers, kind).tobytes())
    return digest.hexdigest()


def _is_plain(affine: Affine) -> bool:
    """Whether a map is told by its matrix with its zeros: all but huge sparse ones are."""
    factors: Iterable[Affine | Factor] = (
        affine.factors if isinstance(affine, Composite) else (affine,)
    )
    return all(f.n_out * f.n_in <= LARGEST_DENSE for f in factors if isinstance(f, Sparse))


def _names(layer: Layer) -> str:
    """Return the keys of the units' activations, with their numbers where they differ."""
    if layer.is_uniform:
        return layer.activations[0].key
    runs = groupby(layer.activations)
    return "; ".join(f"{len(list(units))} {kind.key}" for kind, units in runs)


def _numbers_of(affine: Affine) -> Iterator[Array]:
    """Yield the numbers that a map is made of, those of a composite one after its factors' kinds.

    The kinds are told by numbers that no finite weight is, so that no dense map has the same bytes.
    """
    if not isinstance(affine, Composite):
        yield from _with_zeros(affine)
        return
    for factor in affine.factors:
        if isinstance(factor, Dense | Sparse):
            yield np.array([np.inf, factor.n_out, factor.n_in])
            yield from _with_zeros(factor)
        else:
            yield np.array([-np.inf, factor.n_out])
            yield from (factor.factor, factor.shift, factor.divisor)


def _with_zeros(affine: Affine) -> Iterator[Array]:
    if isinstance(affine, Sparse):
        step = max(1, _ROWS // affine.n_in)
        for start in range(0, affine.n_out, step):
            yield affine.matrix[start : start + step].toarray()
    else:
        yield affine.weight
    yield affine.bias


def _sparse_numbers_of(affine: Affine) -> Iterator[Array]:
    """Yield the numbers of a map without the zeros of its matrices."""
    factors: Iterable[Affine | Factor] = (
        affine.factors if isinstance(affine, Composite) else (affine,)
    )
    for factor in factors:
        if isinstance(factor, Dense | Sparse):
            matrix: sparse.csr_array = rows_of(factor.matrix)
            yield np.array([np.inf, factor.n_out, factor.n_in, matrix.nnz])
            yield matrix.indptr.astype(np.int64)
            yield matrix.indices.astype(np.int64)
            yield from (matrix.data, factor.bias)
        elif isinstance(factor, Elementwise):
            yield np.array([-np.inf, factor.n_out])
            yield from (factor.factor, factor.shift, factor.divisor)
