"""Affine expressions that meet in an operator, brought over the same sources."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from milpcount.network.affine import Dense, Elementwise
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.by_rows import canonical, selection, used_columns
from milpcount.network.error_free import sum_is_exact
from milpcount.network.sparse import Factor, Sparse
from milpcount.network.stacked import held
from milpcount.types import Array


def align(tensors: Sequence[AffineTensor]) -> list[AffineTensor]:
    """Return the same tensors over the same sources."""
    if all(not tensor.factors for tensor in tensors):
        width = max(tensor.matrix.shape[1] for tensor in tensors)
        return [_widened(tensor, width) for tensor in tensors]
    # Factors are the same only if they are the same objects; they begin at the same columns then.
    if all(tensor.factors == tensors[0].factors for tensor in tensors):
        return list(tensors)
    # Their entries, one after the other, as sources: the maps to them, in blocks, are the factors.
    begins = [_columns(t) for t in tensors]
    chains = [_alternating(_maps(t, c)) for t, c in zip(tensors, begins, strict=True)]
    columns = np.unique(np.concatenate(begins))
    for chain, begin in zip(chains, begins, strict=True):
        chain[0] = scattered(chain[0], np.searchsorted(columns, begin), columns.size)
    depth = max(map(len, chains))
    chains = [_padded(chain, depth) for chain in chains]
    factors = [_together([c[k] for c in chains], same_inputs=k == 0) for k in range(depth)]
    return _blocks(tensors, tuple(factors), columns)


def joined(tensors: Sequence[AffineTensor]) -> AffineTensor:
    """Return the entries of several tensors, one after the other, in one of rank 1."""
    if len(tensors) == 1:
        return tensors[0].reshaped((tensors[0].size,))
    aligned = align(tensors)
    matrix = canonical(sparse.vstack([t.matrix for t in aligned], format="csr"))
    constant = np.concatenate([t.constant for t in aligned])
    return AffineTensor(matrix, constant, (constant.size,), aligned[0].factors, aligned[0].columns)


def added(first: AffineTensor, second: AffineTensor) -> AffineTensor:
    """Return the sum of two tensors, shapes broadcast, without rounding."""
    shape = np.broadcast_shapes(first.shape, second.shape)
    a, b = align([first, second])
    if not a.factors:
        a, b = a.broadcast(shape), b.broadcast(shape)
        total = a.constant + b.constant
        if sum_is_exact(a.constant, b.constant, total) and _adds_exactly(a.matrix, b.matrix):
            return AffineTensor(canonical(a.matrix + b.matrix), total, shape)
    # Sums of coefficients would round: each entry becomes a source of its own.
    a, b = (t.broadcast(shape) for t in _restarted_together([a, b]))
    matrix = canonical(a.matrix + b.matrix)
    return AffineTensor(matrix, np.zeros(a.size), shape, a.factors, a.columns)


def scattered(factor: Factor, places: Array, width: int) -> Dense | Sparse:
    """Return a map that reads its inputs among others.

    Parameters
    ----------
    factor : Dense, Sparse or Elementwise
    places : ndarray of int
        Of its inputs among all.
    width : int
        Number of all.
    """
    if isinstance(factor, Elementwise):
        raise TypeError("an elementwise map has as many inputs as outputs")
    if factor.n_in == width:
        return factor
    matrix = sparse.csr_array(factor.matrix) @ selection(places, width)
    return held(canonical(matrix), factor.bias)


def _widened(tensor: AffineTensor, width: int) -> AffineTensor:
    """Return the same tensor over more columns."""
    old = tensor.matrix
    if old.shape[1] == width:
        return tensor
    matrix = sparse.csr_array((old.data, old.indices, old.indptr), shape=(old.shape[0], width))
    return AffineTensor(matrix, tensor.constant, tensor.shape)


def _columns(tensor: AffineTensor) -> Array:
    return used_columns(tensor.matrix) if tensor.columns is None else tensor.columns


def _maps(tensor: AffineTensor, columns: Array) -> list[Factor]:
    """Return all maps from columns to the entries; the last one is a matrix."""
    if tensor.factors:
        return [*tensor.factors, held(tensor.matrix, tensor.constant)]
    return [held(tensor.matrix[:, columns], tensor.constant)]


def _alternating(factors: Sequence[Factor]) -> list[Factor]:
    """Return factors with identities between them, so that every other one is a matrix."""
    found: list[Factor] = []
    for factor in factors:
        if isinstance(factor, Dense | Sparse) == bool(len(found) % 2):
            found.append(_identity(factor.n_in, is_matrix=not len(found) % 2))
        found.append(factor)
    return found


def _padded(factors: list[Factor], depth: int) -> list[Factor]:
    n, known = factors[-1].n_out, len(factors)
    return [*factors, *(_identity(n, is_matrix=not k % 2) for k in range(known, depth))]


def _identity(n: int, *, is_matrix: bool) -> Factor:
    ones, zeros = np.ones(n), np.zeros(n)
    if is_matrix:
        return held(selection(np.arange(n), n), zeros)
    return Elementwise(ones, zeros, ones)


def _together(factors: Sequence[Factor], *, same_inputs: bool) -> Factor:
    """Return the map of all factors, each of its own part of the inputs unless they share them."""
    scales = [(f.factor, f.shift, f.divisor) for f in factors if isinstance(f, Elementwise)]
    if scales:
        return Elementwise(*(np.concatenate(numbers) for numbers in zip(*scales, strict=True)))
    maps = [f for f in factors if isinstance(f, Dense | Sparse)]
    matrices = [sparse.csr_array(f.matrix) for f in maps]
    stack = sparse.vstack if same_inputs else sparse.block_diag
    return held(canonical(stack(matrices)), np.concatenate([f.bias for f in maps]))


def _adds_exactly(a: sparse.csr_array, b: sparse.csr_array) -> bool:
    """Whether the sum of two matrices without zeros is exact."""
    ones = [sparse.csr_array((np.ones(m.nnz), m.indices, m.indptr), shape=m.shape) for m in (a, b)]
    both = canonical(ones[0].multiply(ones[1]))
    if not both.nnz:
        return True
    first, second = (canonical(m.multiply(both)).data for m in (a, b))
    return sum_is_exact(first, second, first + second)


def _restarted_together(tensors: Sequence[AffineTensor]) -> list[AffineTensor]:
    """Return tensors over the same sources with all their entries as sources, without repeats."""
    all_of_them = joined(tensors)
    columns = _columns(all_of_them)
    return _blocks(tensors, tuple(_maps(all_of_them, columns)), columns)


def _blocks(
    tensors: Sequence[AffineTensor], factors: tuple[Factor, ...], columns: Array
) -> list[AffineTensor]:
    """Return tensors whose entries, one after the other, are the outputs of the factors."""
    total, at, found = sum(t.size for t in tensors), 0, []
    for tensor in tensors:
        matrix = selection(np.arange(at, at + tensor.size), total)
        found.append(AffineTensor(matrix, np.zeros(tensor.size), tensor.shape, factors, columns))
        at += tensor.size
    return found
