"""Nodes of an ONNX graph: what they are called, what they compute, in which order they come."""

from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np

from milpcount import optional
from milpcount.errors import FileFormatError, NetworkError
from milpcount.network.error_free import product_is_exact

Function = Callable[[Sequence[np.ndarray | None]], list[Any]]


def label(node: Any) -> str:
    """Return the name and type of a node, for messages."""
    name = node.name or (node.output[0] if node.output else "")
    return f"node {name!r} ({node.op_type})"


def attributes_of(node: Any) -> dict[str, Any]:
    """Return the attributes that a node sets, as Python values."""
    from onnx import helper

    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def node_function(node: Any, opsets: Sequence[Any]) -> Function:
    """Return what a node computes in float64: a function from its inputs to its outputs.

    Parameters
    ----------
    node : NodeProto
    opsets : sequence of OperatorSetIdProto
        The operator sets that its model imports; they decide what the node means.
    """
    from onnx import TensorProto, helper

    if node.op_type == "DequantizeLinear":
        return lambda values: [_dequantised(attributes_of(node).get("axis", 1), *values)]

    def info(name: str) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.DOUBLE, None)

    names = [name for name in node.input if name]
    inputs = [info(name) for name in dict.fromkeys(names)]
    outputs = [info(name) for name in node.output if name]
    graph = helper.make_graph([node], "node", inputs, outputs)
    reference = optional.load("onnx.reference")
    session = reference.ReferenceEvaluator(helper.make_model(graph, opset_imports=opsets))

    def run(values: Sequence[np.ndarray | None]) -> list[Any]:
        feed = dict(zip(names, [v for v in values if v is not None], strict=True))
        return [as_float64(np.asarray(result)) for result in session.run(None, feed)]

    return run


def as_float64(values: np.ndarray) -> np.ndarray:
    """Return floating numbers of any precision in float64, exactly; others as they are."""
    is_real = np.issubdtype(values.dtype, np.floating) or values.dtype.kind == "V"
    return values.astype(np.float64) if is_real else values


def _dequantised(
    axis: int, given: np.ndarray | None, scale: np.ndarray | None, zero: np.ndarray | None = None
) -> np.ndarray:
    """Return ``(given - zero) * scale``, each scale of one slice along an axis."""
    assert given is not None and scale is not None
    lined = [1] * given.ndim
    if scale.size > 1:
        if scale.ndim > 1:
            raise FileFormatError("scales of blocks are not implemented")
        lined[axis] = -1
    shift = np.zeros(()) if zero is None else zero.astype(np.float64).reshape(lined)
    levels = given.astype(np.float64) - shift
    steps = scale.astype(np.float64).reshape(lined if scale.size > 1 else [1] * given.ndim)
    found = levels * steps
    if not product_is_exact(levels, np.broadcast_to(steps, levels.shape), found):
        raise NetworkError("its products are not exact in float64: give the weights as floats")
    return np.asarray(found)


def needed(graph: Any, end: str) -> list[Any]:
    """Return the nodes that a value depends on, each after those it depends on.

    Otherwise they keep the order of the file, which decides the order of the layers.

    Raises
    ------
    FileFormatError
        If nodes depend on each other in a circle.
    """
    makers = {name: k for k, node in enumerate(graph.node) for name in node.output if name}
    pending, wanted = [makers[end]] if end in makers else [], set[int]()
    while pending:
        number = pending.pop()
        if number not in wanted:
            wanted.add(number)
            pending += [makers[name] for name in graph.node[number].input if name in makers]
    before = {k: {makers[n] for n in graph.node[k].input if n in makers} for k in wanted}
    after: dict[int, list[int]] = {k: [] for k in wanted}
    for k, earlier in before.items():
        for e in earlier:
            after[e].append(k)
    ready, found = [k for k, earlier in before.items() if not earlier], list[Any]()
    heapify(ready)
    while ready:
        number = heappop(ready)
        found.append(graph.node[number])
        for k in after[number]:
            before[k].discard(number)
            if not before[k]:
                heappush(ready, k)
    if len(found) < len(wanted):
        stuck = min(k for k, earlier in before.items() if earlier)
        raise FileFormatError(f"{label(graph.node[stuck])} depends on its own output")
    return found
