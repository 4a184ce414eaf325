"""ONNX nodes that compare values, or choose by a comparison."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from milpcount.errors import FileFormatError
from milpcount.network.builder import NetworkBuilder
from milpcount.network.choices import REFUSED, Choice, as_number, chosen
from milpcount.network.onnx_calls import Call
from milpcount.network.onnx_nodes import Function, attributes_of
from milpcount.network.onnx_operators import OPERATORS

_MOVING = (
    *("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Gather", "Expand"),
    "Tile",
)
_ADDING = ("Add", "Sub", "Neg", "Sum", "Mean", "MatMul", "Gemm", "ReduceSum", "ReduceMean")
_BOOL = 9
"""The element type of truths."""


def with_choices(
    node: Any, inputs: Sequence[Any], builder: NetworkBuilder, function: Callable[[], Function]
) -> list[Any] | None:
    """Return the outputs of a node some of whose inputs are choices.

    None if it takes them as numbers, see `as_numbers`.

    Raises
    ------
    FileFormatError
        If the node does something else with them.
    """
    kind, own, first = node.op_type, attributes_of(node), inputs[0]
    if kind == "Identity":
        return [first]
    if kind == "Cast":
        return [replace(first, is_number=own["to"] != _BOOL)]
    if kind == "Not":
        return [first.negated()]
    if kind in _MOVING and isinstance(first, Choice):
        call = Call(kind, own, [first.difference, *inputs[1:]], function(), builder)
        (moved,) = OPERATORS[kind].apply(call)
        return [replace(first, difference=moved)]
    if kind == "Where" and isinstance(first, Choice):
        return [chosen(builder, first, *as_numbers(inputs[1:], builder))]
    if kind == "Mul" and sum(isinstance(v, Choice) for v in inputs) == 1:
        factor, other = inputs if isinstance(first, Choice) else inputs[::-1]
        return [chosen(builder, factor, other, np.zeros(()))]
    choices = [v for v in inputs if isinstance(v, Choice)]
    if kind not in _ADDING or not all(choice.is_number for choice in choices):
        raise FileFormatError(REFUSED)
    return None


def as_numbers(inputs: Sequence[Any], builder: NetworkBuilder) -> list[Any]:
    """Return inputs with the numbers of their choices."""
    return [as_number(builder, v) if isinstance(v, Choice) else v for v in inputs]
