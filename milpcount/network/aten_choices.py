"""ATen operators that compare values, or choose by a comparison."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.aten_calls import AtenCall, array, leaves, replaced
from milpcount.network.aten_operators import moved
from milpcount.network.choices import REFUSED, Choice, as_number, chosen, compared
from milpcount.network.torch_modules import import_torch

_COMPARISONS = {"gt": "Greater", "ge": "GreaterOrEqual", "lt": "Less", "le": "LessOrEqual"}
_MOVING = (
    *("view", "_unsafe_view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "permute"),
    *("transpose", "t", "expand", "repeat", "clone", "alias", "detach", "slice", "select"),
)
_ADDING = ("add", "sub", "rsub", "neg", "sum", "mean", "mm", "addmm", "linear", "matmul", "div")


def with_choices(name: str, call: AtenCall) -> Any:
    """Return what an operator that compares or chooses makes of its arguments; None for others.

    Raises
    ------
    NetworkError
        If it takes choices and does something else with them.
    """
    values = leaves(call.arguments)
    if not any(isinstance(v, Choice) for v in values):
        if name not in _COMPARISONS or not any(isinstance(v, AffineTensor) for v in values):
            return None
        return compared(_COMPARISONS[name], array(call["self"]), array(call["other"]))
    own = _OF_CHOICES.get(name)
    if own is not None:
        return own(call)
    choices = [v for v in values if isinstance(v, Choice)]
    if name in _MOVING and isinstance(call["self"], Choice):
        arguments = {**call.arguments, "self": call["self"].difference}
        return replace(call["self"], difference=moved(replace(call, arguments=arguments)))
    if name not in _ADDING or not (name == "sum" or all(c.is_number for c in choices)):
        raise NetworkError(REFUSED)
    return None


def as_numbers(call: AtenCall) -> dict[str, Any]:
    """Return arguments with the numbers of their choices."""
    found: dict[str, Any] = replaced(
        call.arguments, lambda v: as_number(call.builder, v) if isinstance(v, Choice) else v
    )
    return found


def _cast(call: AtenCall) -> Choice:
    torch, dtype = import_torch(), call["dtype"]
    choice: Choice = call["self"]
    return choice if dtype is None else replace(choice, is_number=dtype is not torch.bool)


def _where(call: AtenCall) -> AffineTensor:
    return _by(call, call["condition"], call["self"], call["other"])


def _filled(call: AtenCall) -> AffineTensor:
    return _by(call, call["mask"], call["value"], call["self"])


def _by(call: AtenCall, condition: Any, first: Any, second: Any) -> AffineTensor:
    if not isinstance(condition, Choice):
        raise NetworkError(REFUSED)
    values = [
        as_number(call.builder, v) if isinstance(v, Choice) else array(v) for v in (first, second)
    ]
    return chosen(call.builder, condition, *values)


def _product(call: AtenCall) -> AffineTensor:
    factor, other = call["self"], call["other"]
    if not isinstance(factor, Choice):
        factor, other = other, factor
    if isinstance(other, Choice):
        raise NetworkError("a product of two comparisons is not implemented")
    return chosen(call.builder, factor, array(other), np.zeros(()))


_OF_CHOICES: dict[str, Callable[[AtenCall], Any]] = {
    "logical_not": lambda call: call["self"].negated(),
    "bitwise_not": lambda call: call["self"].negated(),
    "_to_copy": _cast,
    "where": _where,
    "masked_fill": _filled,
    "mul": _product,
}
