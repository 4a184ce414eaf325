"""What an example is, and how networks are put together from maps that fold space."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np

from milpcount.domain import Domain
from milpcount.errors import OptionError
from milpcount.network import Network
from milpcount.quantities import Quantity
from milpcount.types import Array


@dataclass(frozen=True, eq=False)
class Example:
    """A network, a domain, and what is known of their counts.

    Attributes
    ----------
    name : str
    network : Network
    domain : Domain
    known : mapping of Quantity to int
        The counts on the domain that are proved; not every quantity need be there.
    why : str
        Where the numbers come from.
    """

    name: str
    network: Network
    domain: Domain
    known: Mapping[Quantity, int]
    why: str


def known(regions: int, patterns: int = 0, linear: int = 0, pieces: int = 0) -> dict[Quantity, int]:
    """Return counts by quantity; 0 means that it is not known."""
    counts = {
        Quantity.ACTIVATION_REGIONS: regions,
        Quantity.ACTIVATION_PATTERNS: patterns,
        Quantity.LINEAR_REGIONS: linear,
        Quantity.AFFINE_PIECES: pieces,
    }
    return {quantity: count for quantity, count in counts.items() if count}


def at_least(least: int, **given: Any) -> None:
    """Check that parameters are integers of at least `least`.

    Raises
    ------
    OptionError
        Naming the parameter and its value.
    """
    for name, value in given.items():
        try:
            enough = index(value) >= least
        except TypeError:
            enough = False
        if not enough:
            raise OptionError(f"{name}={value!r}: give an integer of at least {least}")


def each_at_least(least: int, **given: Any) -> None:
    """Check that parameters are non-empty sequences of integers of at least `least`."""
    for name, values in given.items():
        if not isinstance(values, Sequence) or isinstance(values, str) or not values:
            raise OptionError(
                f"{name}={values!r}: give one integer of at least {least} for every layer or unit"
            )
        for value in values:
            at_least(least, **{f"an entry of {name}": value})


@dataclass(frozen=True, eq=False)
class Fold:
    """A layer with the affine map that reads it: ``z -> read @ relu(inner @ z + offset) + shift``.

    Attributes
    ----------
    inner : ndarray, shape (units, dimension)
    offset : ndarray, shape (units,)
    read : ndarray, shape (dimension of the next z, units)
    shift : ndarray, shape (dimension of the next z,)
    """

    inner: Array
    offset: Array
    read: Array
    shift: Array


def chain(folds: Sequence[Fold], last: tuple[Array, Array] | None = None) -> Network:
    """Return the network that applies folds one after another, the first to its input.

    Parameters
    ----------
    folds : sequence of Fold
    last : (ndarray, ndarray), optional
        Weights and biases, in terms of the last z, of one more hidden layer; the network then has
        no output layer. Otherwise the last z is the output.
    """
    weights, biases = [folds[0].inner], [folds[0].offset]
    targets = [(fold.inner, fold.offset) for fold in folds[1:]]
    final = last if last is not None else (np.eye(len(folds[-1].read)), 0.0)
    for fold, (inner, offset) in zip(folds, [*targets, final], strict=True):
        weights.append(inner @ fold.read)
        biases.append(inner @ fold.shift + offset)
    return Network.from_arrays(weights, biases, output=last is None)


def moment_curve(hyperplanes: int, dimension: int) -> tuple[Array, Array]:
    """Return hyperplanes in general position whose vertices lie inside ``[-1/2, 1/2]^dimension``.

    The t-th is ``x_1 + t x_2 + .. + t^(d-1) x_d = scale * t^d``. Its points are the polynomials of
    degree d - 1 that take the value ``scale * t^d`` at t: no d + 1 planes have one in common, and
    the normals of any d are independent (Vandermonde). The scale is a power of two, so every
    number is exact; vertices are elementary symmetric polynomials of the t's times the scale.

    Returns
    -------
    normals : ndarray, shape (hyperplanes, dimension)
    offsets : ndarray, shape (hyperplanes,)
        The planes are ``normals @ x + offsets = 0``.
    """
    t = parameters(hyperplanes)
    bound = 2 * (1 + int(abs(t).max())) ** dimension
    scale = 2.0 ** -bound.bit_length()
    return vandermonde(hyperplanes, dimension), -scale * t**dimension


def vandermonde(hyperplanes: int, dimension: int) -> Array:
    """Return normals ``(1, t, .., t^(d-1))``, any d of which are linearly independent."""
    return np.vander(parameters(hyperplanes), dimension, increasing=True)


def parameters(count: int) -> Array:
    """Return so many different integers next to 0."""
    return np.arange(count) - float(count // 2)
