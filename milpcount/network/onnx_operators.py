"""The ONNX operators that are linear in the values that depend on the network's input.

Their meaning comes from the reference implementations in the onnx package, run in float64, with
two exceptions. An operator needs one line in `OPERATORS`; the rest follows from linearity.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from milpcount.errors import FileFormatError, NetworkError
from milpcount.network.affine_tensor import AffineTensor, check_size

Value = np.ndarray | AffineTensor | None
"""A constant, a value that depends on the input, or an optional input that is left out."""

Function = Callable[[list[np.ndarray | None]], np.ndarray]


@dataclass(frozen=True)
class Operator:
    """In which of its inputs an operator is linear.

    Attributes
    ----------
    linear : tuple of set of int
        The operator is linear in the inputs of each set together, all others being constant.
    added : set of int
        Constant inputs that are added: they do not act on the coefficients.
    """

    linear: tuple[frozenset[int], ...]
    added: frozenset[int] = frozenset()


def _operator(*linear: Sequence[int], added: Sequence[int] = ()) -> Operator:
    return Operator(tuple(map(frozenset, linear)), frozenset(added))


_MOVED = _operator([0])  # entries are moved, repeated or averaged; the rest says where to
_SUM = _operator([0, 1], added=[0, 1])
_PRODUCT = _operator([0], [1])

OPERATORS: dict[str, Operator] = {
    "Add": _SUM,
    "Sub": _SUM,
    "Mul": _PRODUCT,
    "Div": _operator([0]),
    "Neg": _MOVED,
    "MatMul": _PRODUCT,
    "Gemm": _operator([0, 2], [1, 2], added=[2]),
    "Conv": _operator([0], added=[2]),
    "AveragePool": _MOVED,
    "GlobalAveragePool": _MOVED,
    "ReduceMean": _MOVED,
    "ReduceSum": _MOVED,
    "BatchNormalization": _operator([0], added=[2, 3]),
    "Reshape": _MOVED,
    "Flatten": _MOVED,
    "Squeeze": _MOVED,
    "Unsqueeze": _MOVED,
    "Transpose": _MOVED,
    "Slice": _MOVED,
    "Gather": _MOVED,
    "Pad": _operator([0], added=[2]),
    "Concat": _operator(range(64), added=range(64)),
}


def node_function(node: Any, opsets: Sequence[Any]) -> Function:
    """Return what a node computes: a function from its inputs to its first output.

    Parameters
    ----------
    node : NodeProto
    opsets : sequence of OperatorSetIdProto
        The operator sets that its model imports; they decide what the node means.
    """
    if node.op_type == "AveragePool":
        return _average_pool(node, opsets)
    if node.op_type == "BatchNormalization":
        return _batch_normalization(node)
    return _reference(node, opsets)


def attributes_of(node: Any) -> dict[str, Any]:
    """Return the attributes that a node sets, as Python values."""
    from onnx import helper

    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def _reference(node: Any, opsets: Sequence[Any]) -> Function:
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    def info(name: str) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.DOUBLE, None)

    names = [name for name in node.input if name]
    inputs = [info(name) for name in dict.fromkeys(names)]
    graph = helper.make_graph([node], "node", inputs, [info(node.output[0])])
    session = ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets))

    def run(values: list[np.ndarray | None]) -> np.ndarray:
        feed = dict(zip(names, [v for v in values if v is not None], strict=True))
        (result,) = session.run(None, feed)
        return as_float64(np.asarray(result))

    return run


def _average_pool(node: Any, opsets: Sequence[Any]) -> Function:
    """Return an average pool as a quotient of convolutions; the reference one is slow."""
    from onnx import helper

    attributes = attributes_of(node)
    if attributes.pop("ceil_mode", 0):
        raise FileFormatError("ceil_mode is not supported")
    padding_counts = bool(attributes.pop("count_include_pad", 0))
    kernel = np.ones((1, 1, *attributes["kernel_shape"]))
    convolve = _reference(helper.make_node("Conv", ["x", "w"], ["y"], **attributes), opsets)

    def run(values: list[np.ndarray | None]) -> np.ndarray:
        x = values[0]
        assert x is not None
        planes = x.reshape(-1, 1, *x.shape[2:])
        share = kernel.size if padding_counts else convolve([np.ones_like(planes[:1]), kernel])
        means = convolve([planes, kernel]) / share
        return means.reshape(*x.shape[:2], *means.shape[2:])

    return run


def _batch_normalization(node: Any) -> Function:
    """Return a batch normalisation; the reference one trains in operator sets before 14."""
    epsilon = attributes_of(node).get("epsilon", float(np.float32(1e-5)))

    def run(values: list[np.ndarray | None]) -> np.ndarray:
        x, *parameters = (v for v in values if v is not None)
        scale, shift, mean, variance = (p.reshape(-1, *[1] * (x.ndim - 2)) for p in parameters)
        return np.asarray(scale * (x - mean) / np.sqrt(variance + epsilon) + shift)

    return run


def as_float64(values: np.ndarray) -> np.ndarray:
    """Return floating numbers of any precision in float64, exactly; others as they are."""
    is_real = np.issubdtype(values.dtype, np.floating) or values.dtype.kind == "V"
    return values.astype(np.float64) if is_real else values


def apply_linear(operator: Operator, function: Function, inputs: list[Value]) -> AffineTensor:
    """Return the operator's output, which is affine as its inputs are.

    Parameters
    ----------
    operator : Operator
    function : callable
        What the operator computes on arrays.
    inputs : list of Value
        At least one of them an AffineTensor.

    Raises
    ------
    FileFormatError
        If the operator is not linear in these inputs, or they depend on different layers.
    NetworkError
        If a constant is not finite, or the result is too large to hold.
    """
    tensors = {i: v for i, v in enumerate(inputs) if isinstance(v, AffineTensor)}
    _check_inputs(operator, tensors, inputs)
    first = next(iter(tensors.values()))
    without_offsets = [
        np.zeros_like(v) if isinstance(v, np.ndarray) and i in operator.added else v
        for i, v in enumerate(inputs)
    ]
    # An attribute may hide an offset or a statistic of the batch.
    nothing = [np.zeros(v.shape) if isinstance(v, AffineTensor) else v for v in without_offsets]
    if function(nothing).any():
        raise FileFormatError("with these attributes it is not linear")
    constant = function(_slice(inputs, 0))
    units = first.stack.shape[0]
    check_size(units, constant.shape)
    stack = np.empty((units, *constant.shape))
    stack[0] = constant
    for number in range(1, units):
        stack[number] = function(_slice(without_offsets, number))
    return AffineTensor(stack, first.layer)


def _slice(values: list[Value], number: int) -> list[np.ndarray | None]:
    return [v.stack[number] if isinstance(v, AffineTensor) else v for v in values]


def _check_inputs(
    operator: Operator, tensors: dict[int, AffineTensor], inputs: list[Value]
) -> None:
    if not any(tensors.keys() <= together for together in operator.linear):
        raise FileFormatError(
            f"inputs {sorted(tensors)} depend on the network's input, so it is not linear; "
            "the others must be constant"
        )
    layers = {tensor.layer for tensor in tensors.values()}
    if len(layers) > 1:
        raise FileFormatError(
            f"it joins values of layers {sorted(layers)}: skip connections are not supported"
        )
    for i, value in enumerate(inputs):
        if isinstance(value, np.ndarray) and not np.isfinite(value).all():
            raise NetworkError(
                f"its constant input {i} holds {value[~np.isfinite(value)][0]}: every number "
                "must be finite"
            )
