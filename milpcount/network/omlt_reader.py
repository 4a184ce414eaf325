"""Reader of OMLT's network definitions: the layers, the scaling, the input bounds.

A ``NetworkDefinition`` is what ``omlt.io`` makes of an ONNX or Keras model, or what is put together
by hand, for a Pyomo block. The network that is read is the function of that block's ``inputs``, to
its ``outputs``: the scaling of either belongs to it, as factors, so that it is not rounded. A
scaling is asked by OMLT's own interface, about variables that keep what is done to them.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
from scipy import sparse

from milpcount import optional
from milpcount.errors import DomainError, NetworkError
from milpcount.network.activation import relu
from milpcount.network.affine_tensor import AffineTensor, check_size
from milpcount.network.builder import NetworkBuilder
from milpcount.network.linear_maps import product
from milpcount.network.network import Network
from milpcount.network.omlt_scaling import Key, Scaled, followed, scaling_of
from milpcount.types import Array

_WHAT = "reading an OMLT network definition"


def read_omlt(definition: Any) -> Network:
    """Return the network of a definition, from its unscaled inputs to its unscaled outputs.

    Parameters
    ----------
    definition : omlt.neuralnet.NetworkDefinition
        One chain of dense, convolutional and max-pooling layers with activation ``"relu"`` or
        ``"linear"``. Input bounds are no part of the function; see `input_bounds`.

    Returns
    -------
    Network
        Weights converted to float64 exactly, inputs and outputs in row-major order. What OMLT's
        ONNX reader leaves out (it drops the biases of convolutions) is not in the definition.

    Raises
    ------
    NetworkError
        If it is no definition or no chain, or if a layer, an activation or the scaling is none of
        those above.
    NotInstalledError
        If OMLT is missing, or cannot be loaded.
    """
    first, *layers = _chain(definition)
    scaling, size = definition.scaling_object, tuple(first.output_size)
    builder = NetworkBuilder(prod(size))
    tensor = AffineTensor.of_columns(size, 0)
    if scaling is not None:
        keys = _keys(first)
        done = scaling_of(scaling.get_scaled_input_expressions, keys, "inputs")
        tensor = followed(tensor, keys, done)
    for number, layer in enumerate(layers, 1):
        try:
            tensor = _applied(layer, tensor, builder)
        except NetworkError as error:
            raise NetworkError(f"layer {number}: {error}") from None
    if scaling is not None:
        keys = _keys([first, *layers][-1])
        done = scaling_of(scaling.get_unscaled_output_expressions, keys, "outputs")
        tensor = followed(tensor, keys, done)
    return builder.finish(tensor)


def input_bounds(definition: Any) -> tuple[list[Fraction], list[Fraction]]:
    """Return the lower and the upper bounds of a definition's unscaled inputs, without rounding.

    Bounds of scaled inputs are led back through the scaling. Where those of unscaled inputs were
    given, OMLT has scaled them in float64, and they are returned as they were given.

    Raises
    ------
    DomainError
        If an input has no bounds, or if two boxes were given.
    NetworkError, NotInstalledError
        As for `read_omlt`.
    """
    first, *_ = _chain(definition)
    keys, scaling = _keys(first), definition.scaling_object
    given, scaled = definition.unscaled_input_bounds, definition.scaled_input_bounds
    if scaling is None:
        done = [Scaled(key) for key in keys]
    else:
        done = scaling_of(scaling.get_scaled_input_expressions, keys, "inputs")
    if given is not None and not _is_scaled_of(scaled, given, scaling):
        raise DomainError(
            "the OMLT definition has scaled_input_bounds and unscaled_input_bounds of two boxes: "
            "give one of them"
        )
    ends = {}
    for key, one in zip(keys, done, strict=True):
        if given is not None:
            ends[key] = _pair(given, key)
        else:  # a negative factor swaps the ends
            ends[one.key] = sorted(one.undone(end) for end in _pair(scaled, key))
    return [ends[key][0] for key in keys], [ends[key][1] for key in keys]


def _is_scaled_of(scaled: Any, given: Any, scaling: Any) -> bool:
    """Return whether bounds are what OMLT makes of unscaled ones, in float64 as it does."""
    if scaling is None:
        return scaled is given or dict(scaled) == dict(given)
    found = [
        scaling.get_scaled_input_expressions({key: pair[end] for key, pair in given.items()})
        for end in (0, 1)
    ]
    return dict(scaled) == {key: (found[0][key], found[1][key]) for key in given}


def _pair(bounds: Any, key: Key) -> list[Fraction]:
    """Return the two bounds of an input."""
    try:
        lower, upper = (Fraction(*end.as_integer_ratio()) for end in bounds[key])
    except (AttributeError, KeyError, IndexError, OverflowError, TypeError, ValueError):
        raise DomainError(
            f"the OMLT definition has no finite bounds for input {key}: give them as "
            "scaled_input_bounds={0: (lower, upper), ..}, or count on a domain of your own"
        ) from None
    if lower > upper:
        raise DomainError(
            f"the OMLT definition's lower bound of input {key} is above its upper one"
        )
    return [lower, upper]


def _chain(definition: Any) -> Iterator[Any]:
    """Yield the layers of a definition, from its input layer on."""
    optional.require("omlt", _WHAT, extra="omlt")
    from omlt.neuralnet import NetworkDefinition
    from omlt.neuralnet.layer import InputLayer

    if not isinstance(definition, NetworkDefinition):
        raise NetworkError(
            f"a {type(definition).__name__} is not implemented: give an "
            "omlt.neuralnet.NetworkDefinition, as omlt.io.load_onnx_neural_network makes one"
        )
    starts = list(definition.input_layers)
    if len(starts) != 1 or type(starts[0]) is not InputLayer:
        raise NetworkError(
            f"the OMLT definition begins with {len(starts)} layers: it has to begin with one "
            "InputLayer, and to be a chain"
        )
    layer = starts[0]
    _check_activation(layer, ("linear",))
    yield layer
    while followers := list(definition.successors(layer)):
        layer = followers[0]
        if len(followers) > 1 or len(list(definition.predecessors(layer))) > 1:
            raise NetworkError(
                "the OMLT definition branches, which OMLT's formulations do not take either: give "
                "a chain of layers, or read the model it was made from by Network.load"
            )
        yield layer


def _keys(layer: Any) -> list[Key]:
    return [index[0] if len(index) == 1 else index for index in layer.output_indexes]


def _check_activation(layer: Any, allowed: tuple[str, ...] = ("linear", "relu")) -> None:
    if layer.activation not in allowed:
        raise NetworkError(
            f"activation {layer.activation!r} of a {type(layer).__name__} is not implemented: "
            f"allowed is {' or '.join(map(repr, allowed))}"
        )


def _applied(layer: Any, tensor: AffineTensor, builder: NetworkBuilder) -> AffineTensor:
    """Return what a layer makes of a tensor, as its own ``eval_single_layer`` does."""
    from omlt.neuralnet.layer import ConvLayer2D, DenseLayer, PoolingLayer2D

    kinds: dict[type, Callable[[Any, AffineTensor, NetworkBuilder], AffineTensor]] = {
        DenseLayer: _dense,
        ConvLayer2D: _convolved,
        PoolingLayer2D: _pooled,
    }
    kind = type(layer)  # a class of its own need not compute what the class it is made from does
    if kind not in kinds:
        raise NetworkError(
            f"a {kind.__name__} is not implemented: allowed are "
            f"{', '.join(known.__name__ for known in kinds)}"
        )
    _check_activation(layer)
    shape = tuple(layer.input_index_mapper.output_size)
    if shape != tuple(layer.input_size) or prod(shape) != tensor.size:
        raise NetworkError(
            f"it takes an input of shape {tuple(layer.input_size)}, and gets {tensor.shape}"
        )
    found = kinds[kind](layer, tensor.reshaped(shape), builder)
    if found.size != prod(layer.output_size):
        raise NetworkError(
            f"its output has shape {found.shape}, and not {tuple(layer.output_size)} as it says"
        )
    found = found.reshaped(tuple(layer.output_size))
    return builder.activate(found, relu()) if layer.activation == "relu" else found


def _dense(layer: Any, tensor: AffineTensor, builder: NetworkBuilder) -> AffineTensor:
    weights, biases = _held(layer.weights), _held(layer.biases)
    if weights.ndim != 2 or weights.shape[0] != tensor.shape[-1]:
        raise NetworkError(f"weights of shape {weights.shape} for an input of {tensor.shape}")
    if biases.shape != weights.shape[1:]:
        raise NetworkError(f"biases of shape {biases.shape} for {weights.shape[1]} outputs")
    return tensor.applied(*product(tensor.shape, weights), biases)


def _convolved(layer: Any, tensor: AffineTensor, builder: NetworkBuilder) -> AffineTensor:
    _held(layer.kernel)
    triples = [
        (row, np.ravel_multi_index(place, tensor.shape), float(value))
        for row, index in enumerate(_windows(layer))
        for value, place in layer.kernel_with_input_indexes(*index)
    ]
    rows, columns, values = zip(*triples, strict=True)
    shape = (prod(layer.output_size), tensor.size)
    matrix = sparse.csr_array((values, (rows, columns)), shape=shape)
    return tensor.applied(matrix, tuple(layer.output_size))


def _pooled(layer: Any, tensor: AffineTensor, builder: NetworkBuilder) -> AffineTensor:
    groups = [
        np.array([
            np.ravel_multi_index(place, tensor.shape)
            for _, place in layer.kernel_index_with_input_indexes(*index)
        ])
        for index in _windows(layer)
    ]  # fmt: skip
    return builder.maximum(tensor, groups, tuple(layer.output_size))


def _windows(layer: Any) -> list[tuple[int, ...]]:
    """Return the places of a layer's output, each a window of its input."""
    shape = (*layer.output_size, layer.kernel_depth, *layer.kernel_shape)
    check_size(prod(shape), shape)
    return list(layer.output_indexes)


def _held(values: Any) -> Array:
    """Return numbers in float64, each as it is."""
    given = np.asarray(values)
    found = given.astype(np.float64) if given.dtype.kind in "fiu" else None
    if found is None or found.ravel().tolist() != given.ravel().tolist():
        raise NetworkError("a weight or bias is no finite number that float64 holds")
    return found
