"""The ONNX operators that are linear in the values that depend on the network's input.

Their meaning comes from the reference implementations in the onnx package, run in float64, with
two exceptions. An operator needs one line in `OPERATORS`; the rest follows from linearity.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from milpcount.errors import FileFormatError, NetworkError
from milpcount.network.affine_tensor import ROOTS, AffineTensor, check_size
from milpcount.network.alignment import align, restart_together

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


_MOVED = _operator([0])  # entries are moved or repeated; the rest says where to
_LINEAR = _operator([0])  # they are added up
_PADDED = _operator([0], added=[2])
_JOINED = _operator(range(64), added=range(64))
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
    "AveragePool": _LINEAR,
    "GlobalAveragePool": _LINEAR,
    "ReduceMean": _LINEAR,
    "ReduceSum": _LINEAR,
    "BatchNormalization": _operator([0], added=[2, 3]),
    "Reshape": _MOVED,
    "Flatten": _MOVED,
    "Squeeze": _MOVED,
    "Unsqueeze": _MOVED,
    "Transpose": _MOVED,
    "Slice": _MOVED,
    "Gather": _MOVED,
    "Pad": _PADDED,
    "Concat": _JOINED,
}


_WITHOUT_SUMS = (_MOVED, _PADDED, _JOINED)


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


def as_float64(values: np.ndarray) -> np.ndarray:
    """Return floating numbers of any precision in float64, exactly; others as they are."""
    is_real = np.issubdtype(values.dtype, np.floating) or values.dtype.kind == "V"
    return values.astype(np.float64) if is_real else values


def apply_linear(
    node: Any, function: Function, inputs: list[Value], note: Callable[[str], None]
) -> AffineTensor:
    """Return a node's output, which is affine as its inputs are; nothing is rounded.

    Parameters
    ----------
    node : NodeProto
        Of an operator in `OPERATORS`.
    function : callable
        What the node computes on arrays.
    inputs : list of Value
        At least one of them an AffineTensor.
    note : callable
        Takes a sentence that belongs to the network.

    Raises
    ------
    FileFormatError
        If the operator is not linear in these inputs, or they depend on different layers.
    NetworkError
        If a constant is not finite, or the result is too large to hold.
    """
    operator = OPERATORS[node.op_type]
    _check_inputs(node.op_type, inputs)
    places = [i for i, v in enumerate(inputs) if isinstance(v, AffineTensor)]
    aligned = align([v for v in inputs if isinstance(v, AffineTensor)])
    if len(places) == 1 and node.op_type in _ENTRIES:
        others = [np.asarray(v, dtype=np.float64) for v in inputs if isinstance(v, np.ndarray)]
        return _ENTRIES[node.op_type](aligned[0], places[0] == 0, *others)
    if node.op_type == "BatchNormalization":
        return _normalised(node, aligned[0], inputs[1:], note)
    if node.op_type in _MEANS:
        axes = [v for v in inputs[1:] if not isinstance(v, AffineTensor)]
        return aligned[0].averaged(lambda stack: np.array([function([x, *axes]) for x in stack]))
    if node.op_type == "Gemm" and not _is_plain(node):
        return _scaled_gemm(node, _put(inputs, places, aligned), note)
    if operator not in _WITHOUT_SUMS and not (len(aligned) == 1 and aligned[0].is_selection):
        # Sums of products of coefficients would round: each entry becomes a source of its own.
        aligned = restart_together(aligned)
    return _evaluate(operator, function, _put(inputs, places, aligned), aligned[0])


def _put(inputs: list[Value], places: list[int], tensors: list[AffineTensor]) -> list[Value]:
    found = list(inputs)
    for place, tensor in zip(places, tensors, strict=True):
        found[place] = tensor
    return found


def _evaluate(
    operator: Operator, function: Function, inputs: list[Value], first: AffineTensor
) -> AffineTensor:
    """Apply an operator to every slice of its inputs."""
    without_offsets = [
        np.zeros_like(v) if isinstance(v, np.ndarray) and i in operator.added else v
        for i, v in enumerate(inputs)
    ]
    # An attribute may hide an offset or a statistic of the batch.
    nothing = [np.zeros(v.shape) if isinstance(v, AffineTensor) else v for v in without_offsets]
    if function(nothing).any():
        raise FileFormatError("with these attributes it is not linear")
    constant = function(_slice(inputs, 0))
    slices = first.stack.shape[0]
    check_size(slices, constant.shape)
    stack = np.empty((slices, *constant.shape))
    stack[0] = constant
    for number in range(1, slices):
        stack[number] = function(_slice(without_offsets, number))
    return AffineTensor(stack, first.layer, first.factors)


def _subtract(tensor: AffineTensor, is_first: bool, constant: np.ndarray) -> AffineTensor:
    return tensor.plus(constant, -1.0) if is_first else tensor.times(np.array(-1.0)).plus(constant)


_ENTRIES: dict[str, Callable[..., AffineTensor]] = {
    "Add": lambda tensor, is_first, constant: tensor.plus(constant),
    "Sub": _subtract,
    "Mul": lambda tensor, is_first, constant: tensor.times(constant),
    "Div": lambda tensor, is_first, constant: tensor.over(constant),
}
"""Operators that act entry by entry with a constant."""

_MEANS = {"AveragePool", "GlobalAveragePool", "ReduceMean"}


def _normalised(
    node: Any, tensor: AffineTensor, parameters: list[Value], note: Callable[[str], None]
) -> AffineTensor:
    epsilon = attributes_of(node).get("epsilon", float(np.float32(1e-5)))
    scale, shift, mean, variance = (np.asarray(p, dtype=np.float64) for p in parameters[:4])
    found, rounded = tensor.normalised(mean, variance, epsilon, scale, shift, axis=1)
    if rounded:
        note(ROOTS)
    return found


def _is_plain(node: Any) -> bool:
    attributes = attributes_of(node)
    return bool(attributes.get("alpha", 1.0) == 1.0 and attributes.get("beta", 1.0) == 1.0)


def _scaled_gemm(node: Any, inputs: list[Value], note: Callable[[str], None]) -> AffineTensor:
    """Return ``alpha A B + beta C`` as ``beta ((alpha A B) / beta + C)``, without rounding."""
    from onnx import helper

    attributes = attributes_of(node)
    alpha, beta = np.array(attributes.pop("alpha", 1.0)), np.array(attributes.pop("beta", 1.0))
    product = helper.make_node("Gemm", ["a", "b"], ["y"], **attributes)
    opsets = [helper.make_opsetid("", 13)]
    third: Value = inputs[2] if len(inputs) > 2 else None
    if not any(isinstance(v, AffineTensor) for v in inputs[:2]):
        raise FileFormatError(
            "only its third input depends on the network's input: not implemented"
        )
    found = apply_linear(product, _reference(product, opsets), inputs[:2], note).times(alpha)
    if third is None or not beta.any():
        return found
    if isinstance(third, AffineTensor):
        add = helper.make_node("Add", ["a", "b"], ["y"])
        return apply_linear(add, _reference(add, opsets), [found, third.times(beta)], note)
    return found.over(beta).plus(np.asarray(third, dtype=np.float64)).times(beta)


def _slice(values: list[Value], number: int) -> list[np.ndarray | None]:
    return [v.stack[number] if isinstance(v, AffineTensor) else v for v in values]


def _why(kind: str) -> str:
    if kind in ("Conv", "Div", "Gemm", "MatMul", "Mul"):
        return "a product or quotient of two such values is not piecewise linear"
    return "it is implemented where the others are constant"


def _check_inputs(kind: str, inputs: list[Value]) -> None:
    tensors = {i for i, v in enumerate(inputs) if isinstance(v, AffineTensor)}
    if not any(tensors <= together for together in OPERATORS[kind].linear):
        raise FileFormatError(
            f"its inputs {sorted(tensors)} depend on the network's input: {_why(kind)}"
        )
    for i, value in enumerate(inputs):
        if isinstance(value, np.ndarray) and not np.isfinite(value).all():
            raise NetworkError(
                f"its constant input {i} holds {value[~np.isfinite(value)][0]}: every number "
                "must be finite"
            )
