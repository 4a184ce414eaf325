"""The network: a graph of layers of piecewise linear units, then an affine output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network.activation import Activation, relu
from milpcount.network.affine import Affine, Dense
from milpcount.network.fingerprint import fingerprint
from milpcount.network.layer import Layer, checked_columns
from milpcount.network.propagate import Points, Source, propagate
from milpcount.network.stacked import Weights, stacked
from milpcount.types import Array


@dataclass(frozen=True, eq=False)
class Network:
    """A feed-forward network of piecewise linear units.

    Its *columns* are the inputs, then the outputs of the first layer's units, of the second's, and
    so on. A layer reads columns before its own; in a *chain* each reads the layer before.

    Attributes
    ----------
    layers : tuple of Layer
        Hidden layers; their units are what is counted. None at all, with an output, is an affine
        map: one region.
    output : Affine or None
        The affine output layer; it has no units. Without it the last layer's units are the output.
    notes : tuple of str
        What a reader left out or rounded, a sentence each; every result repeats them.
    output_reads : array_like of int, optional
        The columns that the output layer reads, as in `Layer.reads`.
    inputs : int, optional
        Number of inputs; by default what the first layer takes.

    Raises
    ------
    NetworkError
        If there is no layer at all, or a map does not fit what it reads.
    """

    layers: tuple[Layer, ...]
    output: Affine | None = None
    notes: tuple[str, ...] = ()
    output_reads: Array | None = None
    inputs: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        object.__setattr__(self, "notes", tuple(self.notes))
        if not self.maps:
            raise NetworkError(
                "the network has no layer: give hidden layers, or an affine output at least"
            )
        if self.output is None and self.output_reads is not None:
            raise NetworkError("there is no output layer to read columns")
        if self.output is not None and self.output_reads is not None:
            columns = checked_columns(self.output_reads, self.output)
            object.__setattr__(self, "output_reads", columns)
        if self.inputs is None:
            if self._reads[0] is not None:
                raise NetworkError("the first layer reads columns: say how many inputs there are")
            object.__setattr__(self, "inputs", self.maps[0].n_in)
        elif (
            isinstance(self.inputs, bool)
            or not isinstance(self.inputs, int | np.integer)
            or self.inputs < 1
        ):
            raise NetworkError(f"{self.inputs!r} inputs: a positive integer is needed")
        else:
            object.__setattr__(self, "inputs", int(self.inputs))
        self._check_maps()

    def _check_maps(self) -> None:
        """Check that every map fits what it reads; what reads the layer before says so by None."""
        before, first = self.n_inputs, 0
        layers = list(self.layers)
        for number, (affine, reads) in enumerate(zip(self.maps, self._reads, strict=True)):
            end = first + before
            if reads is None and affine.n_in != before:
                raise NetworkError(
                    f"layer {number + 1} takes {affine.n_in} inputs but the layer before it has "
                    f"{before} outputs: each weight must have shape (outputs, inputs)"
                )
            if reads is not None and (reads[0] < 0 or reads[-1] >= end):
                raise NetworkError(
                    f"layer {number + 1} reads columns {reads[0]} to {reads[-1]}: those before it "
                    f"are 0 to {end - 1}"
                )
            if reads is not None and np.array_equal(reads, np.arange(first, end)):
                if number < len(layers):
                    layers[number] = layers[number].reading(None)
                else:
                    object.__setattr__(self, "output_reads", None)
            if number < len(layers):
                first, before = end, layers[number].width
        object.__setattr__(self, "layers", tuple(layers))

    @property
    def _reads(self) -> list[Array | None]:
        found = [layer.reads for layer in self.layers]
        return found if self.output is None else [*found, self.output_reads]

    @property
    def maps(self) -> tuple[Affine, ...]:
        """The affine maps: those of the layers, then the output's where there is one."""
        found = tuple(layer.affine for layer in self.layers)
        return found if self.output is None else (*found, self.output)

    @cached_property
    def sources(self) -> tuple[tuple[Source, ...], ...]:
        """What each of `maps` reads, source by source."""
        ends = np.cumsum([self.n_inputs, *self.widths])
        found: list[tuple[Source, ...]] = []
        for number, reads in enumerate(self._reads):
            if reads is None:
                found.append((Source(number, slice(None), None),))
                continue
            parts, edges = [], np.searchsorted(reads, ends)
            for k, (start, stop) in enumerate(zip([0, *edges], edges, strict=False)):
                if start < stop:
                    first = 0 if k == 0 else int(ends[k - 1])
                    local = reads[start:stop] - first
                    whole = local.size == ends[k] - first
                    parts.append(Source(k, slice(int(start), int(stop)), None if whole else local))
            found.append(tuple(parts))
        return tuple(found)

    @property
    def is_chain(self) -> bool:
        """Whether every map reads the layer before, and the units of a layer are of one kind."""
        wired = all(reads is None for reads in self._reads)
        return wired and all(layer.is_uniform for layer in self.layers)

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        assert self.inputs is not None
        return self.inputs

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
        kinds = {kind.name for layer in self.layers for kind in layer.activations}
        names = sorted(kinds) or ["affine, no units"]
        wiring = "" if all(reads is None for reads in self._reads) else "graph, "
        return f"{self.architecture} ({wiring}{', '.join(names)})"

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over layers, activations and weights; see `milpcount.network.fingerprint`."""
        return fingerprint(self)

    def identified(self) -> "Network":
        """Return the network itself, its fingerprint known.

        Of a large convolutional network it takes seconds: a part of reading it, as a count with a
        time limit has none to spare.
        """
        _ = self.fingerprint
        return self

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
        points = self._points(x)
        walk = propagate(self, points, Points(self), to_output=False)
        found = [np.zeros((*points.shape[:-1], 0), dtype=np.int64)]
        found += [y.pieces_at(v) for y, v in zip(self.layers, walk.values, strict=True)]
        return np.concatenate(found, axis=-1)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs at points of shape (..., n_inputs), in float64."""
        walk = propagate(self, self._points(x), Points(self))
        return walk.outputs[-1] if self.output is None else walk.values[-1]

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
    def from_layers(
        cls,
        n_inputs: int,
        layers: Sequence[tuple[Mapping[int, Any], Any, Any]],
        output: tuple[Mapping[int, Any], Any] | None = None,
    ) -> "Network":
        """Return a network whose layers read any layers before them, and the input.

        Parameters
        ----------
        n_inputs : int
        layers : sequence of (weights, bias, activation)
            `weights` gives a matrix for each source that the layer reads: source 0 is the input,
            source k the k-th layer. Matrices of shape (outputs, numbers of the source) are arrays
            or `scipy.sparse` ones; `bias` has shape (outputs,). `activation` is an `Activation`, or
            one for each unit; a maximum over r values (`maxout(r)`) takes r adjacent outputs.
        output : (weights, bias), optional
            The affine output layer.

        Raises
        ------
        NetworkError
            If a number is not finite, or a matrix does not fit its source.

        Examples
        --------
        A residual block ``relu(W2 relu(W1 x + b1) + b2 + x)`` and an affine output:

        >>> import numpy as np
        >>> from milpcount.network import Network, relu
        >>> W1, W2, b = np.array([[1.0, -1.0], [2.0, 1.0]]), np.eye(2), np.zeros(2)
        >>> net = Network.from_layers(
        ...     2, [({0: W1}, b, relu()), ({1: W2, 0: np.eye(2)}, b, relu())], ({2: [[1, 1]]}, [0])
        ... )
        >>> net.architecture
        '2-2-2-1'
        """
        sizes, found = [n_inputs], list[Layer]()
        for number, (weights, bias, activation) in enumerate(layers):
            affine, reads = _stacked(f"layer {number + 1}", weights, bias, sizes)
            found.append(Layer(affine, activation, reads))
            sizes.append(found[-1].width)
        if output is None:
            return cls(tuple(found), inputs=n_inputs)
        affine, reads = _stacked("the output", *output, sizes)
        return cls(tuple(found), affine, output_reads=reads, inputs=n_inputs)

    @classmethod
    def from_torch(
        cls,
        module: Any,
        input_shape: Sequence[int] | Sequence[Sequence[int]] | None = None,
        example_input: Any = None,
        output: str | int | None = None,
        state_dict: Any = None,
    ) -> "Network":
        """Return the network of a ``torch.nn`` module; see `milpcount.network.torch_reader`."""
        from milpcount.network.torch_reader import read_torch

        return read_torch(module, input_shape, example_input, output, state_dict)

    @classmethod
    def from_sklearn(cls, model: Any) -> "Network":
        """Return the network of a fitted MLP; see `milpcount.network.sklearn_reader`."""
        from milpcount.network.sklearn_reader import read_sklearn

        return read_sklearn(model)

    @classmethod
    def from_omlt(cls, definition: Any) -> "Network":
        """Return the network of an OMLT definition; see `milpcount.network.omlt_reader`."""
        from milpcount.network.omlt_reader import read_omlt

        return read_omlt(definition)

    @classmethod
    def load(cls, path: str | Path, output: str | None = None) -> "Network":
        """Return the network in a file (``.npz``, ``.onnx``, ``.pt2``, ``.nnet``).

        Of an ``.onnx`` or ``.pt2`` file with several outputs, `output` is the name of one of them;
        see `milpcount.network.files`.
        """
        from milpcount.network.files import load

        return load(path, output)

    def save(self, path: str | Path) -> None:
        """Write the network to an ``.npz`` file that `load` reads; all or nothing."""
        from milpcount.network.files import save

        save(self, path)


def _numbered(index: int, weight: Any, bias: Any) -> Dense:
    try:
        return Dense(weight, bias)
    except NetworkError as error:
        raise NetworkError(f"layer {index + 1}: {error}") from None


def _stacked(what: str, weights: Weights, bias: Any, sizes: Sequence[int]) -> tuple[Affine, Array]:
    try:
        return stacked(weights, bias, sizes)
    except NetworkError as error:
        raise NetworkError(f"{what}: {error}") from None
