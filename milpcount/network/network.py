"""The network: hidden layers of piecewise linear units, then an affine output."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network.activation import Activation, relu
from milpcount.network.affine import Affine, Array, Dense
from milpcount.network.composite import Composite


@dataclass(frozen=True, eq=False)
class Layer:
    """A hidden layer: an affine map and the activation of its units.

    For an activation of rank k the map has k outputs per unit, those of one unit adjacent.
    """

    affine: Affine
    activation: Activation

    def __post_init__(self) -> None:
        if self.affine.n_out % self.activation.rank:
            raise NetworkError(
                f"{self.affine.n_out} pre-activations do not divide into units of rank "
                f"{self.activation.rank}"
            )

    @property
    def width(self) -> int:
        """Number of units."""
        return self.affine.n_out // self.activation.rank


@dataclass(frozen=True, eq=False)
class Network:
    """A feed-forward network of piecewise linear units.

    Attributes
    ----------
    layers : tuple of Layer
        Hidden layers; their units are what is counted. None at all, with an output, is an affine
        map: one region.
    output : Affine or None
        The affine output layer; it has no units.
    notes : tuple of str
        What a reader left out or rounded, a sentence each; every result repeats them.

    Raises
    ------
    NetworkError
        If there is no layer at all or the shapes do not chain.
    """

    layers: tuple[Layer, ...]
    output: Affine | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        object.__setattr__(self, "notes", tuple(self.notes))
        maps = [(layer.affine, layer.width) for layer in self.layers]
        if self.output is not None:
            maps.append((self.output, self.output.n_out))
        if not maps:
            raise NetworkError(
                "the network has no layer: give hidden layers, or an affine output at least"
            )
        widths = [maps[0][0].n_in]
        for number, (affine, width) in enumerate(maps):
            if affine.n_in != widths[-1]:
                raise NetworkError(
                    f"layer {number + 1} takes {affine.n_in} inputs but the layer before it has "
                    f"{widths[-1]} outputs: each weight must have shape (outputs, inputs)"
                )
            widths.append(width)

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        first = self.layers[0].affine if self.layers else self.output
        assert first is not None
        return first.n_in

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of units of each hidden layer."""
        return tuple(layer.width for layer in self.layers)

    @property
    def n_units(self) -> int:
        """Number of hidden units."""
        return sum(self.widths)

    @property
    def architecture(self) -> str:
        """The sizes, e.g. ``784-11-11-10``; the last is the output's, where there is one."""
        sizes = [self.n_inputs, *self.widths]
        if self.output is not None:
            sizes.append(self.output.n_out)
        return "-".join(map(str, sizes))

    @property
    def title(self) -> str:
        """Architecture and activations in one line."""
        names = sorted({layer.activation.name for layer in self.layers}) or ["affine, no units"]
        return f"{self.architecture} ({', '.join(names)})"

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over layers, activations and weights (little-endian float64)."""
        digest = hashlib.sha256(b"milpcount network 1\n")
        parts: list[tuple[str, Affine]] = [(y.activation.key, y.affine) for y in self.layers]
        if self.output is not None:
            parts.append(("output", self.output))
        for name, affine in parts:
            digest.update(f"{name} {affine.n_out} {affine.n_in}\n".encode())
            for numbers in _numbers_of(affine):
                digest.update(np.ascontiguousarray(numbers, "<f8").tobytes())
        return digest.hexdigest()

    def pattern(self, x: np.ndarray) -> np.ndarray:
        """Return the activation pattern at points, in float64.

        Parameters
        ----------
        x : ndarray, shape (..., n_inputs)

        Returns
        -------
        ndarray of int64, shape (..., n_units)
            The piece of each unit; 1 is active and 0 inactive for a ReLU.
        """
        value = self._points(x)
        found = [np.zeros((*value.shape[:-1], 0), dtype=np.int64)]
        for layer in self.layers:
            v = value @ layer.affine.weight.T + layer.affine.bias
            found.append(layer.activation.pieces_at(v))
            value = layer.activation.apply(v)
        return np.concatenate(found, axis=-1)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs at points of shape (..., n_inputs), in float64."""
        value = self._points(x)
        for layer in self.layers:
            v = value @ layer.affine.weight.T + layer.affine.bias
            value = layer.activation.apply(v)
        return value if self.output is None else value @ self.output.weight.T + self.output.bias

    def _points(self, x: np.ndarray) -> np.ndarray:
        points = np.asarray(x, dtype=np.float64)
        if points.ndim == 0 or points.shape[-1] != self.n_inputs:
            raise NetworkError(
                f"points of shape {points.shape}: the last axis must have the network's "
                f"{self.n_inputs} inputs"
            )
        return points

    def __repr__(self) -> str:
        return f"Network {self.title} {self.fingerprint[:12]}"

    @classmethod
    def from_arrays(
        cls,
        weights: Sequence[Any],
        biases: Sequence[Any],
        *,
        output: bool = True,
        activation: Activation | None = None,
    ) -> "Network":
        """Return a dense network from its weights and biases.

        Parameters
        ----------
        weights : sequence of array_like
            Each of shape (outputs, inputs).
        biases : sequence of array_like
            Each of shape (outputs,).
        output : bool
            Whether the last pair is the affine output layer; if False it is a hidden layer too.
        activation : Activation, optional
            Of every hidden layer; the rectifier by default.

        Raises
        ------
        NetworkError
            If a number is not finite, the shapes do not chain, or there is no layer.
        """
        if len(weights) != len(biases):
            raise NetworkError(f"{len(weights)} weights need as many biases, not {len(biases)}")
        maps = [_numbered(i, w, b) for i, (w, b) in enumerate(zip(weights, biases, strict=True))]
        last = maps.pop() if output and maps else None
        unit = activation or relu()
        return cls(tuple(Layer(m, unit) for m in maps), last)

    @classmethod
    def from_torch(cls, module: Any, input_shape: Sequence[int] | None = None) -> "Network":
        """Return the network of a ``torch.nn`` module; see `milpcount.network.torch_reader`."""
        from milpcount.network.torch_reader import read_torch

        return read_torch(module, input_shape)

    @classmethod
    def from_sklearn(cls, model: Any) -> "Network":
        """Return the network of a fitted MLP; see `milpcount.network.sklearn_reader`."""
        from milpcount.network.sklearn_reader import read_sklearn

        return read_sklearn(model)

    @classmethod
    def load(cls, path: str | Path) -> "Network":
        """Return the network in a file (``.npz``, ``.onnx``, ``.nnet``).

        See `milpcount.network.files`.
        """
        from milpcount.network.files import load

        return load(path)

    def save(self, path: str | Path) -> None:
        """Write the network to an ``.npz`` file that `load` reads; all or nothing."""
        from milpcount.network.files import save

        save(self, path)


def _numbers_of(affine: Affine) -> Iterator[Array]:
    """Yield the numbers that a map is made of, those of a composite one after its factors' kinds.

    The kinds are told by numbers that no finite weight is, so that no dense map has the same bytes.
    """
    if not isinstance(affine, Composite):
        yield affine.weight
        yield affine.bias
        return
    for factor in affine.factors:
        if isinstance(factor, Dense):
            yield np.array([np.inf, factor.n_out, factor.n_in])
            yield factor.weight
            yield factor.bias
        else:
            yield np.array([-np.inf, factor.n_out])
            yield from (factor.factor, factor.shift, factor.divisor)


def _numbered(index: int, weight: Any, bias: Any) -> Dense:
    try:
        return Dense(weight, bias)
    except NetworkError as error:
        raise NetworkError(f"layer {index + 1}: {error}") from None
