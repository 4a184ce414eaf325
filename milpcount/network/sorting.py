"""Sorting and the largest of several values, by exchanges: a unit decides for each two values."""

from collections.abc import Sequence

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.alignment import added, joined
from milpcount.network.builder import NetworkBuilder

LONGEST = 16
"""Values that are sorted; more of them take some hundred layers."""
_MOST_EXCHANGES = LONGEST * (LONGEST - 1) // 2
_MINUS = np.array(-1.0)


def in_order(
    builder: NetworkBuilder, tensor: AffineTensor, axis: int, *, descending: bool
) -> AffineTensor:
    """Return entries in order along an axis, by exchanges of neighbours in turns.

    Raises
    ------
    NetworkError
        If they are too many.
    """
    length = tensor.shape[axis]
    if length > LONGEST:
        raise NetworkError(f"sorting {length} values is implemented up to {LONGEST}")
    values = _lanes(tensor, axis)
    for turn in range(length):
        for k in range(turn % 2, length - 1, 2):
            larger, smaller = _exchanged(builder, values[k], values[k + 1])
            values[k : k + 2] = (larger, smaller) if descending else (smaller, larger)
        if length == 2:
            break
    return _together(values, tensor.shape, axis)


def largest(
    builder: NetworkBuilder, tensor: AffineTensor, k: int, axis: int, *, smallest: bool = False
) -> AffineTensor:
    """Return the k largest, or smallest, entries along an axis, from the outermost on.

    One is a maximum. Of several each in turn is brought to the front by exchanges of neighbours,
    from the back: no unit is made whose output is not used.

    Raises
    ------
    NetworkError
        If there are less than k entries, or it takes too many exchanges.
    """
    length = tensor.shape[axis]
    if not 1 <= k <= length:
        raise NetworkError(f"the {k} largest of {length} values: there have to be 1 to {length}")
    exchanges = sum(length - 1 - turn for turn in range(k))
    if k > 1 and exchanges > _MOST_EXCHANGES:
        raise NetworkError(
            f"the {k} largest of {length} values take {exchanges} exchanges: at most "
            f"{_MOST_EXCHANGES} are implemented"
        )
    values = _lanes(tensor.times(_MINUS) if smallest else tensor, axis)
    if k == 1:
        row = joined(values)
        groups = list(np.arange(row.size).reshape(length, -1).T)
        found = [builder.maximum(row, groups, (len(groups),))]
    else:
        for turn in range(k):
            for at in range(length - 2, turn - 1, -1):
                values[at : at + 2] = _exchanged(builder, values[at], values[at + 1])
        found = values[:k]
    result = _together(found, tensor.shape, axis)
    return result.times(_MINUS) if smallest else result


def _exchanged(
    builder: NetworkBuilder, a: AffineTensor, b: AffineTensor
) -> tuple[AffineTensor, AffineTensor]:
    """Return the larger and the smaller of each two entries."""
    both = joined([a, b])
    groups = list(np.arange(both.size).reshape(2, -1).T)
    larger = builder.maximum(both, groups, (a.size,))
    # The rest of the sum: one unit decides for both.
    return larger, added(added(a, b), larger.times(_MINUS))


def _lanes(tensor: AffineTensor, axis: int) -> list[AffineTensor]:
    return [tensor.taken(lane.ravel()) for lane in np.moveaxis(tensor.numbers, axis, 0)]


def _together(values: Sequence[AffineTensor], shape: Sequence[int], axis: int) -> AffineTensor:
    """Return lanes side by side along an axis of a tensor of another size there."""
    row = joined(list(values))
    rest = [n for place, n in enumerate(shape) if place != axis % len(shape)]
    places = np.moveaxis(np.arange(row.size).reshape(len(values), *rest), 0, axis)
    return row.taken(np.ascontiguousarray(places))
