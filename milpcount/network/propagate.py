"""The one walk through a network's graph, whatever is carried along.

A *rule* says what the values are that a walk carries: points, points with bounds on their errors,
intervals, exact numbers, rows of exact numbers. The walk says where each affine map gets them from.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import numpy as np

from milpcount.network.affine import Affine
from milpcount.types import Array

if TYPE_CHECKING:
    from milpcount.network.network import Network

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """Where a map's inputs come from, or some of them.

    Attributes
    ----------
    number : int
        0 is the network's input, k its k-th layer.
    columns : slice
        Of the map's inputs.
    local : ndarray of int or None
        Which of the source's numbers they are; None is all of them, in order.
    """

    number: int
    columns: slice
    local: Array | None


@dataclass(frozen=True)
class Part(Generic[T]):
    """What an affine map reads of one source.

    Attributes
    ----------
    source : Source
    value : T
        What those of its numbers carry that are read.
    """

    source: Source
    value: T


class Rule(Protocol[T]):
    """What a walk carries, and how affine maps and units change it.

    Layers are numbered from 0; the number of layers stands for the output map.
    """

    def take(self, values: T, which: Array) -> T:
        """Return some of the numbers, in the order given."""

    def affine(self, number: int, parts: Sequence[Part[T]]) -> T:
        """Return what comes out of an affine map."""

    def activate(self, number: int, values: T) -> T:
        """Return the outputs of a layer's units for what comes out of its affine map."""


@dataclass(frozen=True)
class Propagation(Generic[T]):
    """What a walk has met.

    Attributes
    ----------
    values : list of T
        What comes out of each affine map: the pre-activations of each layer, then the outputs if
        there is an output map.
    outputs : list of T
        What the walk has begun with, then the outputs of each layer's units.
    """

    values: list[T]
    outputs: list[T]


def values_of(network: "Network", number: int, outputs: Callable[[int], T], rule: Rule[T]) -> T:
    """Return what comes out of one affine map.

    Parameters
    ----------
    network : Network
    number : int
        Of the layer, from 0; the number of layers is the output map.
    outputs : callable
        Returns what a source gives: 0 is the input, k the k-th layer.
    rule : Rule
    """
    parts = []
    for source in network.sources[number]:
        value = outputs(source.number)
        if source.local is not None:
            value = rule.take(value, source.local)
        parts.append(Part(source, value))
    return rule.affine(number, parts)


def propagate(
    network: "Network", start: T, rule: Rule[T], *, to_output: bool = True
) -> Propagation[T]:
    """Walk through a network from its input to its output.

    Parameters
    ----------
    network : Network
    start : T
        What the input carries.
    rule : Rule
    to_output : bool
        Whether the output map is walked through, where there is one.
    """
    values: list[T] = []
    outputs = [start]
    for number in range(len(network.layers)):
        values.append(values_of(network, number, outputs.__getitem__, rule))
        outputs.append(rule.activate(number, values[-1]))
    if to_output and network.output is not None:
        values.append(values_of(network, len(network.layers), outputs.__getitem__, rule))
    return Propagation(values, outputs)


def joined(parts: Sequence[Part[Array]]) -> Array:
    """Return all that a map reads in one array, its inputs along the last axis."""
    if len(parts) == 1:
        return parts[0].value
    return np.concatenate([part.value for part in parts], axis=-1)


class Points:
    """The rule of float64 points, shape (..., numbers); errors are not bounded."""

    def __init__(self, network: "Network") -> None:
        self._network = network

    def take(self, values: Array, which: Array) -> Array:
        """Return some of the numbers."""
        return np.asarray(values[..., which])

    def affine(self, number: int, parts: Sequence[Part[Array]]) -> Array:
        """Return ``weight @ v + bias``."""
        return image(self._network.maps[number], joined(parts))

    def activate(self, number: int, values: Array) -> Array:
        """Return the outputs of the units."""
        return self._network.layers[number].apply(values)


def image(affine: Affine, points: Array) -> Array:
    """Return what a map makes of points of shape (..., n_in), in float64."""
    if isinstance(affine.matrix, np.ndarray):
        return np.asarray(points @ affine.matrix.T + affine.bias)
    flat = points.reshape(-1, points.shape[-1])
    return np.asarray(flat @ affine.matrix.T + affine.bias).reshape(*points.shape[:-1], -1)
