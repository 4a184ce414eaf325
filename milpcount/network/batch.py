"""Fixed batches: what a network does to each row of an input that is several at once.

A model exported with a fixed batch takes a tensor whose first dimension counts independent inputs.
Read as one input it would be as many copies of the network side by side, with the product of their
regions. It is a batch exactly if no unit and no output depends on more than one row.
"""

from dataclasses import replace

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network.affine import Affine, Dense, Elementwise
from milpcount.network.composite import Composite, compose
from milpcount.network.layer import Layer
from milpcount.network.network import Network
from milpcount.network.sparse import Factor

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
    maps = [(layer.affine, layer.activation.rank) for layer in network.layers]
    if network.output is not None:
        maps.append((network.output, 1))
    owners = [np.repeat(np.arange(size), network.n_inputs // size)]
    for affine, rank in maps:
        of_values = _depends(affine, owners[-1], size)
        of_units = np.any(of_values.reshape(-1, rank, size), axis=1)
        if _several(of_units):
            return network
        owners.append(_owner(of_units))
    owners = [_placed(owner, size) for owner in owners]
    first = []
    for number, (affine, rank) in enumerate(maps):
        block = _block(affine, owners[number], np.repeat(owners[number + 1], rank), size)
        if block is None:
            raise NetworkError(
                f"the input has a fixed batch of {size}, and layer {number + 1} does not treat "
                "its rows alike: export the model with a dynamic batch axis or a batch of 1"
            )
        first.append(block)
    output = None if network.output is None else first.pop()
    layers = (Layer(m, y.activation) for m, y in zip(first, network.layers, strict=True))
    note = f"a fixed batch of {size} was left out: its rows never meet and are treated alike"
    return replace(network, layers=tuple(layers), output=output, notes=(*network.notes, note))


def _depends(affine: Affine | Dense, owner: np.ndarray, size: int) -> np.ndarray:
    """Return which rows each output of a map depends on, shape (outputs, size)."""
    of_inputs = owner[:, None] == np.arange(size)
    # As floats the product is a fast one; counts of ones are exact enough to be told from 0.
    return np.asarray((affine.weight != 0).astype(np.float32) @ of_inputs.astype(np.float32) > 0)


def _owner(depends: np.ndarray) -> np.ndarray:
    """Return the row of what depends on one row at most."""
    return np.where(np.any(depends, axis=1), np.argmax(depends, axis=1), _NO_ROW)


def _several(depends: np.ndarray) -> bool:
    return bool(np.any(np.count_nonzero(depends, axis=1) > 1))


def _placed(owner: np.ndarray, size: int) -> np.ndarray:
    """Give what depends on no row, such as a unit of zero weights, the row of its place."""
    place = np.arange(len(owner)) * size // len(owner)
    return np.where(owner == _NO_ROW, place, owner)


def _block(affine: Affine, before: np.ndarray, after: np.ndarray, size: int) -> Affine | None:
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
    return (Dense(affine.weight, affine.bias),)


def _part(factor: Factor, into: np.ndarray, out: np.ndarray, size: int) -> Factor | None:
    """Return the part of a factor that belongs to row 0, as in `_block`."""
    if isinstance(factor, Elementwise) and not np.array_equal(into, out):
        return None
    found: list[tuple[np.ndarray, ...]] = []
    for row in range(size):
        i, o = np.flatnonzero(into == row), np.flatnonzero(out == row)
        if not i.size or not o.size:
            return None
        if isinstance(factor, Dense):
            found.append((factor.weight[np.ix_(o, i)], factor.bias[o]))
        else:
            found.append((factor.factor[o], factor.shift[o], factor.divisor[o]))
    first = found[0]
    if not all(np.array_equal(a, b) for other in found for a, b in zip(first, other, strict=True)):
        return None
    if isinstance(factor, Elementwise):
        return Elementwise(*first)
    is_all = np.count_nonzero(factor.weight) == size * np.count_nonzero(first[0])
    return Dense(*first) if is_all else None
