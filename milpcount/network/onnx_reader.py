"""Reader of ``.onnx`` files: chains of affine operators and piecewise linear units.

The graph is walked once. Between units every value is kept as an affine function of the units
before it, whatever the spelling: ``Gemm`` or ``MatMul`` and ``Add`` from either side, reshapes and
transposes, input scaling, convolutions, batch normalisation. See `OPERATORS` for the full list.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from milpcount.errors import FileFormatError, InputError, NetworkError, NotInstalledError
from milpcount.network.activation import Activation, clip, leaky_relu, relu
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.batch import without_batch
from milpcount.network.builder import NetworkBuilder
from milpcount.network.network import Network
from milpcount.network.onnx_operators import (
    OPERATORS,
    Value,
    apply_linear,
    as_float64,
    attributes_of,
    node_function,
)
from milpcount.network.onnx_sizes import check_room
from milpcount.network.paths import existing_file
from milpcount.network.unsupported import AT_THE_END_ONLY, is_known, reason

_UNCHANGED = {"Identity", "Dropout", "Cast"}
_AT_THE_END = {"Softmax", "LogSoftmax"}
_STANDARD = ("", "ai.onnx")
_OLDEST_OPSET = 7
_RANDOM = {"Bernoulli", "Multinomial"}


def read_onnx(path: str | Path) -> Network:
    """Return the network in an ``.onnx`` file.

    Inputs are taken row-major, without the batch: a first dimension of unknown size, or one of
    fixed size whose rows never meet and are all treated alike. Where rows meet, as once they are
    flattened, they are parts of one input. A Softmax or LogSoftmax at the end is left out;
    it does not change the regions. Dropout is the identity, as it is once trained. A rectifier
    after the last affine map makes it a hidden layer, and the network has no output layer.

    Returns
    -------
    Network
        The function over the real numbers: affine operators in a row are composed without rounding.

    Raises
    ------
    FileFormatError
        If the file is missing or corrupt, has several inputs or outputs, or a node that is not
        supported, named in the message.
    NetworkError
        If a number is not finite, or the rows of a fixed batch are not treated alike.
    NotInstalledError
        If onnx is missing.
    """
    model, constants = _read_model(existing_file(path, "an .onnx file"))
    # Overflow is reported where the weights are checked.
    with np.errstate(all="ignore"):
        return _Walk(model, constants).network()


def _read_model(source: Path) -> tuple[Any, dict[str, np.ndarray]]:
    """Return the model in a file and its constants by name."""
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError:
        raise NotInstalledError("reading an .onnx file", "onnx", "onnx") from None
    try:
        # Not its checker: it refuses files that every runtime runs, as without output shapes.
        model = onnx.load(str(source), format="protobuf")
        _check_opset([o.version for o in model.opset_import if o.domain in _STANDARD])
        return model, {
            t.name: as_float64(numpy_helper.to_array(t)) for t in model.graph.initializer
        }
    except FileFormatError:
        raise
    # What protobuf raises is not documented; all of it means a bad file.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FileFormatError(f"not a readable ONNX model, it may be truncated: {reason}") from None


def _check_opset(versions: list[int]) -> None:
    if not versions:
        raise ValueError("it imports no operator set")
    if min(versions) < _OLDEST_OPSET:
        raise FileFormatError(
            f"the model is of operator set {min(versions)}, where operators had another meaning: "
            f"{_OLDEST_OPSET} or later is supported; use onnx.version_converter"
        )


@dataclass
class _Walk:
    """One pass through a graph; `values` holds what is known of every name so far."""

    model: Any
    values: dict[str, Any]
    builder: NetworkBuilder = field(default_factory=NetworkBuilder)
    end: str = ""

    def network(self) -> Network:
        """Return the network from the graph's input to its output."""
        graph = self.model.graph
        if len(graph.output) != 1:
            names = [o.name for o in graph.output]
            raise FileFormatError(f"the model has outputs {names}: exactly one is supported")
        batch = self._read_input()
        self.end = _last_affine(graph)
        for node in _needed(graph, self.end):
            self.values[node.output[0]] = _naming(node, self._evaluate)
        output = self.values.get(self.end)
        if not isinstance(output, AffineTensor):
            raise FileFormatError(f"the output {self.end!r} does not depend on the model's input")
        network = self.builder.finish(output)
        return without_batch(network, batch) if batch > 1 else network

    def _read_input(self) -> int:
        """Set the model's input; return its first dimension if that may be a batch, else 1."""
        inputs = [i for i in self.model.graph.input if i.name not in self.values]
        if len(inputs) != 1:
            names = [i.name for i in inputs]
            raise FileFormatError(f"the model has inputs {names}: exactly one is supported")
        shape = _input_shape(inputs[0])
        batch = shape[0] if len(shape) > 1 else 1
        try:
            self.values[inputs[0].name] = AffineTensor.identity(shape, 0)
        except NetworkError as error:
            if batch == 1:
                raise
            raise NetworkError(
                f"input {inputs[0].name!r}: {error}; if its first dimension, {batch}, is a batch, "
                "export the model with a dynamic batch axis or a batch of 1"
            ) from None
        return batch

    def _evaluate(self, node: Any) -> Value:
        unknown = [name for name in node.input if name and name not in self.values]
        if unknown:
            raise FileFormatError(f"its input {unknown[0]!r} is not defined before it")
        inputs = [self.values[name] if name else None for name in node.input]
        variable = [v for v in inputs if isinstance(v, AffineTensor)]
        _check_supported(node, bool(variable), self.end in node.output)
        check_room(node, inputs)
        function = node_function(node, self.model.opset_import)
        if not variable:
            return function([v for v in inputs if not isinstance(v, AffineTensor)])
        if node.op_type == "Shape":
            return function([np.zeros(variable[0].shape)])
        if node.op_type in _UNCHANGED:
            return variable[0]
        if node.op_type in _ACTIVATIONS:
            return self._activate(node, inputs)
        return apply_linear(node, function, inputs, self.builder.note)

    def _activate(self, node: Any, inputs: list[Value]) -> AffineTensor:
        tensor, *parameters = inputs
        if not isinstance(tensor, AffineTensor) or any(
            isinstance(p, AffineTensor) for p in parameters
        ):
            raise FileFormatError("its parameters depend on the model's input: not supported")
        constants = [p for p in parameters if not isinstance(p, AffineTensor)]
        activation = _ACTIVATIONS[node.op_type](attributes_of(node), constants)
        return tensor if activation is None else self.builder.activate(tensor, activation)


def _label(node: Any) -> str:
    name = node.name or (node.output[0] if node.output else "")
    return f"node {name!r} ({node.op_type})"


def _naming(node: Any, evaluate: Callable[[Any], Value]) -> Value:
    """Return ``evaluate(node)``; whatever goes wrong is reported under the node's name."""
    try:
        return evaluate(node)
    except InputError as error:
        kind = NetworkError if isinstance(error, NetworkError) else FileFormatError
        raise kind(f"{_label(node)}: {error}") from None
    # Reference implementations raise all kinds of errors on shapes that do not fit.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FileFormatError(f"{_label(node)} does not fit its inputs: {reason}") from error


def _input_shape(value: Any) -> tuple[int, ...]:
    """Return the shape of an input; a batch of unknown size is one of 1."""
    if not value.type.tensor_type.HasField("shape"):
        raise FileFormatError(f"input {value.name!r} has no shape: export the model with one")
    dims = [d.dim_value for d in value.type.tensor_type.shape.dim]
    if len(dims) > 1 and dims[0] == 0:
        dims[0] = 1
    if not dims or min(dims) < 1:
        raise FileFormatError(
            f"input {value.name!r} has shape {dims}, 0 being unknown: only the first of several "
            "dimensions, the batch, may be unknown"
        )
    return tuple(dims)


def _last_affine(graph: Any) -> str:
    """Return the name of the value that is the output but for a softmax."""
    producers = {node.output[0]: node for node in graph.node if node.output}
    name = end = graph.output[0].name
    while name in producers and producers[name].op_type in {"Identity", *_AT_THE_END}:
        name = producers[name].input[0]
        end = name
    return str(end)


def _needed(graph: Any, end: str) -> list[Any]:
    """Return the nodes that `end` depends on, in the graph's order."""
    wanted, found = {end}, list[Any]()
    for node in reversed(graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input) - {""}
            found.append(node)
            if len(node.output) > 1 and wanted & set(node.output[1:]):
                raise FileFormatError(f"{_label(node)}: its further outputs are not implemented")
    return found[::-1]


def _refusal(node: Any, is_last: bool) -> str:
    """Return why an operator on values that depend on the input is not read."""
    kind = node.op_type
    if is_known(kind):
        end = f"; {AT_THE_END_ONLY}" if kind in _AT_THE_END else ""
        return reason(kind, is_last=is_last) + end
    if node.domain not in _STANDARD:
        return f"operators of domain {node.domain!r} are not known"
    return f"{reason(kind)}; known are {_SUPPORTED}"


def _check_supported(node: Any, is_variable: bool, is_last: bool) -> None:
    """Raise FileFormatError for an operator whose meaning here is not known."""
    kind, attributes = node.op_type, attributes_of(node)
    if is_variable and kind not in {*_ACTIVATIONS, *OPERATORS, *_UNCHANGED, "Shape"}:
        raise FileFormatError(_refusal(node, is_last))
    if node.domain not in _STANDARD:
        raise FileFormatError(f"operators of domain {node.domain!r} are not implemented")
    if kind in _RANDOM or kind.startswith("Random"):
        raise FileFormatError("random numbers are not supported: export the model for inference")
    if attributes.get("training_mode"):
        raise FileFormatError("it is in training mode: export the model for inference")
    if is_variable and kind == "Cast" and not _is_real(attributes["to"]):
        raise FileFormatError("a cast that rounds is not supported")


def _is_real(element_type: int) -> bool:
    from onnx import TensorProto

    return element_type in (TensorProto.FLOAT, TensorProto.DOUBLE)


def _number(value: np.ndarray | None, default: float) -> float:
    if value is None or value.size == 0:
        return default
    if (value != value.flat[0]).any():
        raise FileFormatError(
            "its parameter differs between units: it is piecewise linear, but not implemented"
        )
    return float(value.flat[0])


def _leaky(slope: float) -> Activation | None:
    return None if slope == 1 else leaky_relu(slope)


def _clip(attributes: dict[str, Any], inputs: list[np.ndarray | None]) -> Activation | None:
    given = [*inputs, None, None]
    lower = _number(given[0], attributes.get("min", -np.inf))
    upper = _number(given[1], attributes.get("max", np.inf))
    # Before operator set 11 a bound was an attribute, with these defaults for none.
    largest = float(np.finfo(np.float32).max)
    lower = -np.inf if lower <= -largest else lower
    upper = np.inf if upper >= largest else upper
    return None if np.isinf([lower, upper]).all() else clip(lower, upper)


_ACTIVATIONS: dict[str, Callable[[dict[str, Any], list[np.ndarray | None]], Activation | None]] = {
    "Relu": lambda attributes, inputs: relu(),
    "LeakyRelu": lambda attributes, inputs: _leaky(
        attributes.get("alpha", float(np.float32(0.01)))
    ),
    "PRelu": lambda attributes, inputs: _leaky(_number(inputs[0], 1.0)),
    "Clip": _clip,
}
_SUPPORTED = ", ".join(sorted({*_ACTIVATIONS, *OPERATORS, *_UNCHANGED, *_AT_THE_END}))
