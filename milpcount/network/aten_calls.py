"""ATen operators with their arguments, and how they are passed to the operators of ONNX.

Both front ends share one table of tensor operators, `milpcount.network.onnx_operators` and
`milpcount.network.onnx_units`: an ATen operator is the ONNX operator of the same meaning, with its
arguments in another form.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.builder import NetworkBuilder
from milpcount.network.onnx_calls import Call
from milpcount.network.onnx_operators import OPERATORS
from milpcount.network.onnx_units import UNITS
from milpcount.network.torch_modules import import_torch


@dataclass(frozen=True, eq=False)
class AtenCall:
    """A node of an exported program with its arguments.

    Attributes
    ----------
    target : OpOverload
    arguments : dict
        By name, defaults included; tensors are `AffineTensor` where they depend on the network's
        input, else torch tensors.
    builder : NetworkBuilder
    """

    target: Any
    arguments: dict[str, Any]
    builder: NetworkBuilder

    def __getitem__(self, name: str) -> Any:
        return self.arguments.get(name)

    @property
    def tensor(self) -> AffineTensor:
        """The first argument, which has to depend on the network's input."""
        first = next(iter(self.arguments.values()))
        if not isinstance(first, AffineTensor):
            raise NetworkError("it is implemented where its first argument depends on the input")
        return first

    def numbers(self, name: str, n: int, default: Any = None) -> list[int]:
        """Return an argument as one integer for each of n axes."""
        given = self[name]
        if given is None or given == []:
            given = default
        several = list(given) if isinstance(given, Sequence) else [given]
        return [int(v) for v in (several * n if len(several) == 1 else several)]

    def onnx(self, kind: str, *inputs: Any, **attributes: Any) -> AffineTensor:
        """Return what an operator of ONNX makes of inputs."""
        operator = OPERATORS.get(kind) or UNITS[kind]
        values = [array(value) for value in inputs]
        operator.check(kind, values)
        found = operator.apply(Call(kind, attributes, values, _not_run, self.builder))
        first: AffineTensor = next(iter(found))
        return first


@dataclass(frozen=True)
class AtenOperator:
    """What an ATen operator does with arguments that depend on the network's input.

    Attributes
    ----------
    apply : callable
        Returns the output, or a list of several of which those that are None are not implemented.
    name : str
        Of the ONNX operator that it is nearest to, for messages.
    """

    apply: Callable[[AtenCall], Any]
    name: str = field(default="")


def array(value: Any) -> Any:
    """Return a constant as an array, floating numbers in float64; other values as they are."""
    if value is None or isinstance(value, AffineTensor | np.ndarray):
        return value
    torch = import_torch()
    if isinstance(value, torch.Tensor):
        found = value.detach().cpu()
        return np.asarray((found.double() if found.is_floating_point() else found).numpy())
    if isinstance(value, bool | int | float):
        return np.asarray(value, dtype=np.float64)
    raise NetworkError(f"an argument of type {type(value).__name__} is not implemented")


def leaves(value: Any) -> list[Any]:
    """Return what is in nested lists, tuples and dictionaries."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


def replaced(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return nested lists, tuples and dictionaries with everything in them replaced."""
    if isinstance(value, dict):
        return {k: replaced(v, change) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([replaced(v, change) for v in value])
    return change(value)


def _not_run(values: Any) -> Any:
    raise NetworkError("moving entries is done by torch")
