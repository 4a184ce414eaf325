"""The ONNX operators that are linear in the values that depend on the network's input.

Operators that only move entries are run on the numbers of the entries, by the reference
implementations in the onnx package: what comes out says where each entry went. Those that add
entries up are sparse matrices (see `milpcount.network.linear_maps`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from milpcount.errors import FileFormatError, NetworkError
from milpcount.network.affine import Array
from milpcount.network.affine_tensor import ROOTS, AffineTensor
from milpcount.network.alignment import added, joined
from milpcount.network.builder import NetworkBuilder
from milpcount.network.linear_maps import (
    Windows,
    convolution,
    pooling,
    product,
    reduction,
    same_pads,
    sums,
    windows,
)
from milpcount.network.onnx_nodes import Function

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
    return "it is implemented where the others are constant"


def _moved(call: Call) -> list[AffineTensor]:
    """Return entries where the operator puts them; other numbers in its result are constants."""
    tensors = [v for v in call.inputs if isinstance(v, AffineTensor)]
    row, at = joined(tensors), 0
    numbers: list[list[Any]] = [[], []]
    for value in call.inputs:
        is_tensor = isinstance(value, AffineTensor)
        for run in (0, 1):
            # In the second run all numbers are others, so what stays the same is a constant.
            shifted = value.numbers + 1.0 + at + run * row.size if is_tensor else value
            numbers[run].append(shifted)
        at += value.size if is_tensor else 0
    first, second = (call.function(values) for values in numbers)
    found = []
    for a, b in zip(first, second, strict=True):
        stays = a == b
        if not (stays | (b - a == row.size)).all():
            raise FileFormatError("with these attributes it does more than move entries")
        constants = np.asarray(np.where(stays, a, 0.0), dtype=np.float64)
        places = np.where(stays, 0, a).astype(np.int64) - 1
        found.append(row.taken(places, constants if stays.any() else None))
    return found


def _sum(call: Call) -> list[AffineTensor]:
    first, *others = call.inputs
    for other in others:
        if isinstance(first, AffineTensor) and isinstance(other, AffineTensor):
            first = added(first, other)
        elif isinstance(first, AffineTensor):
            first = first.plus(_real(other))
        elif isinstance(other, AffineTensor):
            first = other.plus(_real(first))
        else:
            first = first + other  # in float64, as constants are folded
    return [first]


def _mean(call: Call) -> list[AffineTensor]:
    (total,) = _sum(call)
    return [total.over(np.array(float(len(call.inputs))))]


def _difference(call: Call) -> list[AffineTensor]:
    first, second = call.inputs
    if not isinstance(second, AffineTensor):
        return [first.plus(_real(second), -1.0)]
    negated = second.times(np.array(-1.0))
    return [
        added(first, negated) if isinstance(first, AffineTensor) else negated.plus(_real(first))
    ]


def _product(call: Call) -> list[AffineTensor]:
    constant = next(v for v in call.inputs if not isinstance(v, AffineTensor))
    return [call.tensor.times(_real(constant))]


def _matmul(call: Call) -> list[AffineTensor]:
    return [_multiplied(*call.inputs)]


def _multiplied(a: Value, b: Value, offset: Array | None = None) -> AffineTensor:
    tensor, constant = (a, b) if isinstance(a, AffineTensor) else (b, a)
    matrix, shape = product(tensor.shape, _real(constant), constant_first=tensor is b)
    return tensor.applied(matrix, shape, offset)


def _gemm(call: Call) -> list[AffineTensor]:
    """Return ``alpha A B + beta C`` as ``beta ((alpha A B) / beta + C)``, without rounding."""
    alpha = np.array(call.attributes.get("alpha", 1.0))
    beta = np.array(call.attributes.get("beta", 1.0))
    pair = [
        _transposed(value) if call.attributes.get(name, 0) else value
        for name, value in zip(("transA", "transB"), call.inputs, strict=False)
    ]
    third = call.inputs[2] if len(call.inputs) > 2 else None
    if not any(isinstance(v, AffineTensor) for v in pair):
        raise FileFormatError(
            "only its third input depends on the network's input: not implemented"
        )
    if alpha == beta == 1.0 and not isinstance(third, AffineTensor):
        return [_multiplied(pair[0], pair[1], call.constant(2))]
    found = _multiplied(pair[0], pair[1]).times(alpha)
    if third is None or not beta.any():
        return [found]
    if isinstance(third, AffineTensor):
        return [added(found, third.times(beta))]
    return [found.over(beta).plus(_real(third)).times(beta)]


def _transposed(value: Value) -> Value:
    return value.taken(value.numbers.T) if isinstance(value, AffineTensor) else value.T


def _convolved(call: Call) -> list[AffineTensor]:
    tensor, weight, bias = call.inputs[0], call.constant(1), call.constant(2)
    assert weight is not None
    groups = call.attributes.get("group", 1)
    batch, channels, *image = tensor.shape
    if channels != groups * weight.shape[1] or weight.shape[0] % groups:
        raise FileFormatError(
            f"a weight of shape {weight.shape} in {groups} groups does not fit {channels} channels"
        )
    seen = windows_of(call, image, weight.shape[2:])
    matrix = convolution(batch, prod(image), weight, seen, groups)
    offset = None if bias is None else bias.reshape(-1, *[1] * len(image))
    return [tensor.applied(matrix, (batch, weight.shape[0], *seen.shape), offset)]


def _convolved_back(call: Call) -> list[AffineTensor]:
    """Apply the transposed matrix of a convolution, which leads from its outputs to its inputs."""
    tensor, weight, bias = call.inputs[0], call.constant(1), call.constant(2)
    assert weight is not None
    own, groups = call.attributes, call.attributes.get("group", 1)
    batch, channels, *image = tensor.shape
    n, kernel = len(image), weight.shape[2:]
    if own.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID") or "output_shape" in own:
        raise FileFormatError("auto_pad and output_shape are not implemented: give pads")
    if channels != weight.shape[0] or channels % groups:
        raise FileFormatError(f"a weight of shape {weight.shape} does not fit {channels} channels")
    strides, gaps = own.get("strides", [1] * n), own.get("dilations", [1] * n)
    pads, more = own.get("pads", [0] * 2 * n), own.get("output_padding", [0] * n)
    larger = [
        step * (size - 1) + extra + (k - 1) * gap + 1 - before - after
        for size, k, step, gap, extra, before, after in zip(
            image, kernel, strides, gaps, more, pads[:n], pads[n:], strict=True
        )
    ]
    seen = windows(larger, kernel, strides=strides, dilations=gaps, pads=pads)
    if seen.shape != tuple(image):
        raise FileFormatError(f"its output padding {more} does not fit its strides")
    matrix = convolution(batch, prod(larger), weight, seen, groups).T
    offset = None if bias is None else bias.reshape(-1, *[1] * n)
    return [tensor.applied(matrix, (batch, weight.shape[1] * groups, *larger), offset)]


def windows_of(call: Call, image: Sequence[int], kernel: Sequence[int]) -> Windows:
    """Return the windows of a convolution or pooling by its attributes."""
    own, n = call.attributes, len(image)
    strides, gaps = own.get("strides", [1] * n), own.get("dilations", [1] * n)
    automatic, pads = own.get("auto_pad", b"NOTSET").decode(), own.get("pads")
    if automatic.startswith("SAME"):
        pads = same_pads(image, kernel, strides, gaps, upper=automatic == "SAME_UPPER")
    elif automatic == "VALID":
        pads = None
    return windows(
        image,
        list(kernel),
        strides=list(strides),
        dilations=list(gaps),
        pads=None if pads is None else list(pads),
        ceil_mode=bool(own.get("ceil_mode", 0)),
    )


def _average_pool(call: Call) -> list[AffineTensor]:
    tensor, own, (planes, image) = call.tensor, call.attributes, planes_of(call)
    if own.get("ceil_mode", 0) and own.get("count_include_pad", 0):
        raise FileFormatError("ceil_mode with count_include_pad is not implemented")
    seen = windows_of(call, image, own["kernel_shape"])
    inside = (seen.places >= 0).sum(axis=1)
    number = seen.padded if own.get("count_include_pad", 0) else np.maximum(inside, 1)
    total = tensor.applied(pooling(prod(planes), prod(image), seen), (*planes, *seen.shape))
    return [total.over(number.astype(np.float64).reshape(seen.shape))]


def planes_of(call: Call) -> tuple[list[int], list[int]]:
    """Return the leading axes of a pooling's input, and the axes that its kernel moves over."""
    shape, n = list(call.tensor.shape), len(call.attributes["kernel_shape"])
    return shape[:-n], shape[-n:]


def groups_of(call: Call) -> tuple[list[Array], tuple[int, ...]] | None:
    """Return the entries that a reduction takes together, and its shape; None if it takes none."""
    tensor, own = call.tensor, call.attributes
    axes = own.get("axes")
    if call.kind.startswith("Global"):
        return reduction(tensor.shape, range(2, len(tensor.shape)), keep=True)
    if axes is None and len(call.inputs) > 1 and call.inputs[1] is not None:
        axes = [int(axis) for axis in call.inputs[1].ravel()]
    if not axes and own.get("noop_with_empty_axes", 0):
        return None
    return reduction(tensor.shape, axes or None, keep=bool(own.get("keepdims", 1)))


def _reduced(call: Call) -> list[AffineTensor]:
    tensor, found = call.tensor, groups_of(call)
    if found is None:
        return [tensor]
    groups, shape = found
    total = tensor.applied(sums(groups, tensor.size), shape)
    if call.kind == "ReduceSum":
        return [total]
    return [total.over(np.array(float(len(groups[0]))))]


def _normalised(call: Call) -> list[AffineTensor]:
    if call.attributes.get("spatial", 1) != 1:
        raise FileFormatError("statistics for each pixel (spatial=0) are not implemented")
    epsilon = call.attributes.get("epsilon", float(np.float32(1e-5)))
    scale, shift, mean, variance = (_real(p) for p in call.inputs[1:5])
    found, rounded = call.tensor.normalised(mean, variance, epsilon, scale, shift, axis=1)
    if rounded:
        call.builder.note(ROOTS)
    return [found]


def _real(value: Value) -> Array:
    return np.asarray(value, dtype=np.float64)


_EITHER = (frozenset([0]), frozenset([1]))
_ALL: tuple[frozenset[int], ...] = ()

OPERATORS: dict[str, Operator] = {
    "Add": Operator(_sum, _ALL),
    "Sub": Operator(_difference, _ALL),
    "Sum": Operator(_sum, _ALL),
    "Mean": Operator(_mean, _ALL),
    "Mul": Operator(_product, _EITHER),
    "Div": Operator(lambda call: [call.inputs[0].over(_real(call.inputs[1]))]),
    "Neg": Operator(lambda call: [call.tensor.times(np.array(-1.0))]),
    "MatMul": Operator(_matmul, _EITHER),
    "Gemm": Operator(_gemm, (frozenset([0, 2]), frozenset([1, 2]))),
    "Conv": Operator(_convolved),
    "ConvTranspose": Operator(_convolved_back),
    "AveragePool": Operator(_average_pool),
    "GlobalAveragePool": Operator(_reduced),
    "ReduceMean": Operator(_reduced),
    "ReduceSum": Operator(_reduced),
    "BatchNormalization": Operator(_normalised),
    "Concat": Operator(_moved, _ALL),
} | dict.fromkeys(
    (
        *("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Gather", "Pad"),
        *("Split", "Expand", "Tile", "DepthToSpace", "SpaceToDepth", "GatherElements", "GatherND"),
    ),
    Operator(_moved),
)
