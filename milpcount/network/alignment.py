"""Affine expressions that meet in an operator, brought over the same sources."""

from collections.abc import Sequence
from math import prod

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network.affine import Dense, Elementwise
from milpcount.network.affine_tensor import AffineTensor, dense_of
from milpcount.network.sparse import Factor


def align(tensors: Sequence[AffineTensor]) -> list[AffineTensor]:
    """Return the same tensors over the same sources.

    Raises
    ------
    NetworkError
        If they come from different layers.
    """
    layers = {tensor.layer for tensor in tensors}
    if len(layers) > 1:
        raise NetworkError(
            f"it joins values of layers {sorted(layers)}: skip connections are not implemented"
        )
    if all(tensor.factors == tensors[0].factors for tensor in tensors):
        return list(tensors)
    # Their entries, one after the other, as sources: the maps to them, in blocks, are the factors.
    chains = [_alternating([*t.factors, dense_of(t.stack)]) for t in tensors]
    depth = max(map(len, chains))
    chains = [_padded(chain, depth) for chain in chains]
    factors = [_together([c[k] for c in chains], same_inputs=k == 0) for k in range(depth)]
    return _blocks(tensors, tuple(factors))


def _alternating(factors: Sequence[Factor]) -> list[Factor]:
    """Return factors with identities between them, so that every other one is dense."""
    found: list[Factor] = []
    for factor in factors:
        if isinstance(factor, Dense) == bool(len(found) % 2):
            found.append(_identity(factor.n_in, dense=not len(found) % 2))
        found.append(factor)
    return found


def _padded(factors: list[Factor], depth: int) -> list[Factor]:
    n, known = factors[-1].n_out, len(factors)
    return [*factors, *(_identity(n, dense=not k % 2) for k in range(known, depth))]


def _identity(n: int, *, dense: bool) -> Factor:
    ones, zeros = np.ones(n), np.zeros(n)
    return Dense(np.eye(n), zeros) if dense else Elementwise(ones, zeros, ones)


def _together(factors: Sequence[Factor], *, same_inputs: bool) -> Factor:
    """Return the map of all factors, each of its own part of the inputs unless they share them."""
    scales = [(f.factor, f.shift, f.divisor) for f in factors if isinstance(f, Elementwise)]
    if scales:
        return Elementwise(*(np.concatenate(numbers) for numbers in zip(*scales, strict=True)))
    weights = [f.weight for f in factors if isinstance(f, Dense)]
    bias = np.concatenate([f.bias for f in factors if isinstance(f, Dense)])
    if same_inputs:
        return Dense(np.vstack(weights), bias)
    blocks = np.zeros((bias.size, sum(w.shape[1] for w in weights)))
    row = column = 0
    for w in weights:
        blocks[row : row + w.shape[0], column : column + w.shape[1]] = w
        row, column = row + w.shape[0], column + w.shape[1]
    return Dense(blocks, bias)


def restart_together(tensors: Sequence[AffineTensor]) -> list[AffineTensor]:
    """Return tensors over the same sources with all their entries as sources, without repeats."""
    if len(tensors) == 1:
        return [tensors[0].restarted()]
    stack = np.concatenate([t.stack.reshape(t.stack.shape[0], -1) for t in tensors], axis=1)
    return _blocks(tensors, (*tensors[0].factors, dense_of(stack)))


def _blocks(tensors: Sequence[AffineTensor], factors: tuple[Factor, ...]) -> list[AffineTensor]:
    """Return tensors whose entries, one after the other, are the outputs of the factors."""
    total, at, found = sum(prod(t.shape) for t in tensors), 0, []
    for tensor in tensors:
        size = prod(tensor.shape)
        stack = np.zeros((1 + total, size))
        stack[1 + at : 1 + at + size] = np.eye(size)
        found.append(AffineTensor(stack.reshape(1 + total, *tensor.shape), tensor.layer, factors))
        at += size
    return found
