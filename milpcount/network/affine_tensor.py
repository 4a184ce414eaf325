"""Affine expressions carried through a graph of operators, and the network they add up to.

Between two layers of units every value is an affine function of the units before it. A reader
holds such a tensor as a stack: slice 0 is the constant part, slice 1 + j what unit j contributes.
A linear operator then acts on every slice alike and an added constant on slice 0 alone, so
convolutions, poolings and reshapes need no matrix of their own.
"""

from dataclasses import dataclass, field
from math import prod

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network.activation import Activation
from milpcount.network.affine import Dense
from milpcount.network.network import Layer, Network

LARGEST_STACK = 2**27
"""Numbers in a stack before it is refused: a gigabyte."""


@dataclass(frozen=True, eq=False)
class AffineTensor:
    """A tensor whose entries are affine in the outputs of one layer.

    Attributes
    ----------
    stack : ndarray, shape (1 + units, *shape)
        The constant part, then the coefficients of each unit.
    layer : int
        Number of the layer; 0 is the network's input.
    """

    stack: np.ndarray
    layer: int

    def __post_init__(self) -> None:
        check_size(self.stack.shape[0], self.stack.shape[1:])

    @classmethod
    def identity(cls, shape: tuple[int, ...], layer: int) -> "AffineTensor":
        """Return the outputs of a layer themselves, row-major in the given shape."""
        size = prod(shape)
        check_size(1 + size, shape)
        return cls(np.eye(1 + size, size, k=-1).reshape(1 + size, *shape), layer)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor."""
        return self.stack.shape[1:]

    def to_dense(self) -> Dense:
        """Return the map from the layer's units to the entries, row-major.

        Raises
        ------
        NetworkError
            If a coefficient is not finite.
        """
        flat = self.stack.reshape(self.stack.shape[0], -1)
        return Dense(flat[1:].T, flat[0])

    @property
    def is_identity(self) -> bool:
        """Whether the entries are the layer's units, unchanged and in order."""
        flat = self.stack.reshape(self.stack.shape[0], -1)
        square = flat.shape[0] == 1 + flat.shape[1]
        return square and np.array_equal(flat, np.eye(*flat.shape, k=-1))


def check_size(slices: int, shape: tuple[int, ...]) -> None:
    """Raise NetworkError if a stack would not fit in memory."""
    if slices * prod(shape) > LARGEST_STACK:
        raise NetworkError(
            f"a tensor of shape {tuple(shape)} over {slices - 1} units needs "
            f"{8 * slices * prod(shape) / 2**30:.1f} GiB as a dense map; at most "
            f"{8 * LARGEST_STACK / 2**30:.0f} GiB is allowed: use a smaller network"
        )


@dataclass
class NetworkBuilder:
    """Collects layers while a reader walks through a model from its input to its output."""

    layers: list[Layer] = field(default_factory=list)

    def activate(self, tensor: AffineTensor, activation: Activation) -> AffineTensor:
        """Add the layer whose pre-activations are `tensor`; return the outputs of its units.

        Raises
        ------
        NetworkError
            If the tensor comes from an earlier layer, or a number is not finite.
        """
        self._check_chain(tensor)
        self.layers.append(Layer(tensor.to_dense(), activation))
        return AffineTensor.identity(tensor.shape, len(self.layers))

    def finish(self, tensor: AffineTensor) -> Network:
        """Return the network whose output is `tensor`.

        An output that is the last layer of units unchanged adds no output layer.

        Raises
        ------
        NetworkError
            If there is no layer, or the output comes from an earlier one.
        """
        self._check_chain(tensor)
        bare = bool(self.layers) and tensor.is_identity
        return Network(tuple(self.layers), None if bare else tensor.to_dense())

    def _check_chain(self, tensor: AffineTensor) -> None:
        if tensor.layer != len(self.layers):
            raise NetworkError(
                f"its values come from layer {tensor.layer}, but the layer before it is number "
                f"{len(self.layers)}: skip connections and parallel branches are not supported"
            )
