"""Reader of ``.onnx`` files: any graph of affine operators and piecewise linear units.

The graph is walked once. Between units every value is kept as an affine function of the inputs and
of the units before it, whatever the spelling: ``Gemm`` or ``MatMul`` and ``Add`` from either side,
reshapes and transposes, input scaling, convolutions, batch normalisation, skip connections. See
`OPERATORS` and `UNITS` for the full lists.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from milpcount.errors import FileFormatError, InputError, NetworkError
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.batch import without_batch
from milpcount.network.builder import NetworkBuilder
from milpcount.network.choices import COMPARISONS, Choice, compared
from milpcount.network.network import Network
from milpcount.network.onnx_calls import Call, Value
from milpcount.network.onnx_choices import as_numbers, with_choices
from milpcount.network.onnx_ending import LeftOut, ending, starts_ending
from milpcount.network.onnx_files import read_model
from milpcount.network.onnx_nodes import as_float64, attributes_of, label, needed, node_function
from milpcount.network.onnx_operators import OPERATORS
from milpcount.network.onnx_sizes import check_room
from milpcount.network.onnx_units import UNITS
from milpcount.network.paths import existing_file
from milpcount.network.unsupported import is_known, reason

_UNCHANGED = {"Identity", "Dropout", "Cast"}
_STANDARD = ("", "ai.onnx")
_OLDEST_OPSET = 7
_RANDOM = {"Bernoulli", "Multinomial"}


def read_onnx(path: str | Path, output: str | None = None) -> Network:
    """Return the network in an ``.onnx`` file.

    Several inputs are one after the other, which a note says. Inputs are taken row-major, without
    the batch: a first dimension of unknown size, or one of fixed size whose rows never meet and are
    all treated alike. Where rows meet, as once they are flattened, they are parts of one input. A
    smooth, strictly monotone operation at the end, as Softmax or Sigmoid, is left out, and so is an
    ArgMax: a note says so. Dropout is the identity, as it is once trained. Where the output is that
    of the last units, unchanged, the network has no output layer.

    Parameters
    ----------
    path : str or Path
    output : str, optional
        Name of the output to take, where there are several.

    Returns
    -------
    Network
        The function over the real numbers: affine operators in a row are composed without rounding.

    Raises
    ------
    FileFormatError
        If the file is missing or corrupt, has an input that is not of real numbers, several
        outputs of which none is named, or a node that is not supported, named in the message.
    NetworkError
        If a number is not finite, or the rows of a fixed batch are not treated alike.
    NotInstalledError
        If onnx is missing.
    """
    model = read_model(existing_file(path, "an .onnx file"))
    # Overflow is reported where the weights are checked.
    with np.errstate(all="ignore"):
        return _Walk(model, _constants(model)).network(output)


def _constants(model: Any) -> dict[str, np.ndarray]:
    """Return the constants of a model by name."""
    from onnx import numpy_helper

    _check_opset([o.version for o in model.opset_import if o.domain in _STANDARD])
    found = {}
    for tensor in model.graph.initializer:
        try:
            found[tensor.name] = as_float64(numpy_helper.to_array(tensor))
        # What onnx raises is not documented; all of it means a bad file.
        except Exception as error:
            why = " ".join(str(error).split()) or type(error).__name__
            raise FileFormatError(
                f"not a readable ONNX model, it may be truncated: constant {tensor.name!r}: {why}"
            ) from None
    return found


def _check_opset(versions: list[int]) -> None:
    if not versions:
        raise FileFormatError("not a readable ONNX model: it imports no operator set")
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
    builder: NetworkBuilder = field(default_factory=lambda: NetworkBuilder(0))
    end: str = ""

    def network(self, wanted: str | None) -> Network:
        """Return the network from the graph's input to one of its outputs."""
        batch = self._read_input()
        self.end = self._choose_output(wanted)
        for node in needed(self.model.graph, self.end):
            found = _naming(node, self._evaluate)
            self.values |= {k: v for k, v in zip(node.output, found, strict=False) if k}
        output = self.values.get(self.end)
        if isinstance(output, LeftOut):
            self.builder.note(output.note)
            output = output.source
        if isinstance(output, Choice):
            raise FileFormatError(
                f"the output {self.end!r} is a comparison: count what it compares"
            )
        if not isinstance(output, AffineTensor):
            raise FileFormatError(f"the output {self.end!r} does not depend on the model's input")
        network = self.builder.finish(output)
        return without_batch(network, batch) if batch > 1 else network

    def _choose_output(self, wanted: str | None) -> str:
        names = [str(o.name) for o in self.model.graph.output]
        if wanted is None and len(names) != 1:
            raise FileFormatError(
                f"the model has outputs {names}: name one, with output= or --output-name"
            )
        if wanted is not None and wanted not in names:
            raise FileFormatError(f"the model has no output {wanted!r}: its outputs are {names}")
        if len(names) > 1:
            self.builder.note(f"the output {wanted!r} was chosen among {names}")
        return wanted or names[0]

    def _read_input(self) -> int:
        """Set the model's inputs; return their first dimension if that may be a batch, else 1."""
        inputs = [i for i in self.model.graph.input if i.name not in self.values]
        if not inputs:
            raise FileFormatError("the model has no input that is not a constant")
        shapes = [_input_shape(value, inputs) for value in inputs]
        batch = shapes[0][0] if len(shapes) == 1 and len(shapes[0]) > 1 else 1
        firsts = {shape[0] if len(shape) > 1 else 1 for shape in shapes}
        if len(shapes) > 1 and len(firsts) == 1 and firsts != {1}:
            raise FileFormatError(
                f"the model has several inputs, each with a first dimension of {firsts.pop()}: "
                "if that is a batch, export the model with a batch of 1"
            )
        start, slices = 0, []
        for value, shape in zip(inputs, shapes, strict=True):
            try:
                self.values[value.name] = tensor = AffineTensor.of_columns(shape, start)
            except NetworkError as error:
                if batch == 1:
                    raise
                raise NetworkError(
                    f"input {value.name!r}: {error}; if its first dimension, {batch}, is a batch, "
                    "export the model with a dynamic batch axis or a batch of 1"
                ) from None
            slices.append(f"{value.name!r} {start} to {start + tensor.size - 1}")
            start += tensor.size
        if len(inputs) > 1:
            self.builder.note(f"several inputs are one, in this order: {', '.join(slices)}")
        self.builder.inputs = start
        return batch

    def _evaluate(self, node: Any) -> list[Value]:
        unknown = [name for name in node.input if name and name not in self.values]
        if unknown:
            raise FileFormatError(f"its input {unknown[0]!r} is not defined in the model")
        inputs = [self.values[name] if name else None for name in node.input]
        if any(isinstance(v, LeftOut) for v in inputs):
            return [ending(node, inputs)] * len(node.output)
        if any(isinstance(v, Choice) for v in inputs):
            found = with_choices(
                node, inputs, self.builder, lambda: node_function(node, self.model.opset_import)
            )
            if found is not None:
                return found
            inputs = as_numbers(inputs, self.builder)
        variable = [v for v in inputs if isinstance(v, AffineTensor)]
        if variable and node.op_type in COMPARISONS and node.domain in _STANDARD:
            return [compared(node.op_type, *inputs)]
        if len(variable) == 1 and starts_ending(node.op_type):
            return [LeftOut(variable[0], node, _refusal(node, is_last=False), (node.op_type,))]
        _check_supported(node, bool(variable), self.end in node.output)
        check_room(node, inputs)
        function = node_function(node, self.model.opset_import)
        if not variable:
            return function(inputs)
        if node.op_type == "Shape":
            return function([np.zeros(variable[0].shape)])
        if node.op_type in _UNCHANGED:
            return [variable[0]]
        operator = OPERATORS.get(node.op_type) or UNITS[node.op_type]
        operator.check(node.op_type, inputs)
        call = Call(node.op_type, attributes_of(node), inputs, function, self.builder)
        return list(operator.apply(call))


def _naming(node: Any, evaluate: Callable[[Any], list[Value]]) -> list[Value]:
    """Return ``evaluate(node)``; whatever goes wrong is reported under the node's name."""
    try:
        return evaluate(node)
    except InputError as error:
        if str(error).startswith("node "):  # it names the node that is to blame
            raise
        kind = NetworkError if isinstance(error, NetworkError) else FileFormatError
        raise kind(f"{label(node)}: {error}") from None
    # Reference implementations raise all kinds of errors on shapes that do not fit.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FileFormatError(f"{label(node)} does not fit its inputs: {reason}") from error


def _input_shape(value: Any, inputs: Sequence[Any]) -> tuple[int, ...]:
    """Return the shape of an input; a batch of unknown size is one of 1."""
    if not value.type.HasField("tensor_type"):
        raise FileFormatError(f"input {value.name!r} is no tensor: it is not supported")
    if len(inputs) > 1 and not _is_real(value.type.tensor_type.elem_type):
        raise FileFormatError(
            f"the model has inputs {[str(i.name) for i in inputs]}, and {value.name!r} is not one "
            "of real numbers: make it a constant"
        )
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


def _refusal(node: Any, is_last: bool) -> str:
    """Return why an operator on values that depend on the input is not read."""
    kind = node.op_type
    if is_known(kind):
        return reason(kind, is_last=is_last)
    if node.domain not in _STANDARD:
        return f"operators of domain {node.domain!r} are not known"
    return f"{reason(kind)}; known are {_SUPPORTED}"


def _check_supported(node: Any, is_variable: bool, is_last: bool) -> None:
    """Raise FileFormatError for an operator whose meaning here is not known."""
    kind, attributes = node.op_type, attributes_of(node)
    if is_variable and kind not in {*UNITS, *OPERATORS, *_UNCHANGED, "Shape"}:
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
    """Return whether a type of ONNX is one of floating numbers that hold those of float32."""
    from onnx import TensorProto

    return element_type in (TensorProto.FLOAT, TensorProto.DOUBLE)


_SUPPORTED = ", ".join(sorted({*UNITS, *OPERATORS, *_UNCHANGED}))
