"""ONNX nodes with their inputs, some of which depend on the network's input."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from milpcount.errors import FileFormatError, NetworkError
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.builder import NetworkBuilder
from milpcount.network.onnx_nodes import Function
from milpcount.types import Array

Value = Any
"""A constant (ndarray), a value that depends on the input (AffineTensor), or None if left out."""


@dataclass(frozen=True)
class Call:
    """A node with its inputs, some of which depend on the network's input.

    Attributes
    ----------
    kind : str
        Type of the node.
    attributes : dict
    inputs : list of Value
    function : callable
        What the node computes on arrays.
    builder : NetworkBuilder
    """

    kind: str
    attributes: dict[str, Any]
    inputs: list[Value]
    function: Function
    builder: NetworkBuilder

    @property
    def tensor(self) -> AffineTensor:
        """The first input that depends on the network's input."""
        return next(v for v in self.inputs if isinstance(v, AffineTensor))

    def constant(self, place: int) -> Array | None:
        """Return an input that is a constant in float64; None if it is left out."""
        value = self.inputs[place] if place < len(self.inputs) else None
        return None if value is None else np.asarray(value, dtype=np.float64)


@dataclass(frozen=True)
class Operator:
    """What an operator does with values that depend on the network's input.

    Attributes
    ----------
    apply : callable
        Takes a call and returns the outputs.
    variable : tuple of set of int
        Inputs that may depend on the network's input together, all others being constant; none of
        them says that all may.
    """

    apply: Callable[[Call], list[AffineTensor]]
    variable: tuple[frozenset[int], ...] = field(default=(frozenset([0]),))

    def check(self, kind: str, inputs: Sequence[Value]) -> None:
        """Raise an error if the operator is not implemented for these inputs."""
        found = {i for i, v in enumerate(inputs) if isinstance(v, AffineTensor)}
        if self.variable and not any(found <= together for together in self.variable):
            raise FileFormatError(
                f"its inputs {sorted(found)} depend on the network's input: {_why(kind)}"
            )
        for i, value in enumerate(inputs):
            if isinstance(value, np.ndarray) and value.dtype.kind == "f":
                wrong = value[~np.isfinite(value)]
                if wrong.size and kind not in ("Clip", "Max", "Min"):
                    raise NetworkError(
                        f"its constant input {i} holds {wrong[0]}: every number must be finite"
                    )


def _why(kind: str) -> str:
    if kind in ("Conv", "ConvTranspose", "Div", "Gemm", "MatMul", "Mul"):
        return "a product or quotient of two such values is not piecewise linear"
    if kind == "Where":
        return "its condition has to be constant, or a comparison"
    return "it is implemented where the others are constant"


def real(value: Value) -> Array:
    """Return a constant in float64."""
    return np.asarray(value, dtype=np.float64)
