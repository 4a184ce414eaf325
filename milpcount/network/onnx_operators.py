"""The ONNX operators that are linear in the values that depend on the network's input.

Operators that only move entries are run on the numbers of the entries, by the reference
implementations in the onnx package: what comes out says where each entry went. Those that add
entries up are sparse matrices (see `milpcount.network.linear_maps`).
"""

from typing import Any

import numpy as np

from milpcount.errors import FileFormatError
from milpcount.network.affine_tensor import ROOTS, AffineTensor
from milpcount.network.alignment import added, joined
from milpcount.network.linear_maps import product
from milpcount.network.onnx_calls import Call, Operator, Value, real
from milpcount.network.onnx_contractions import cumulated, einsum
from milpcount.network.onnx_resize import resized
from milpcount.network.onnx_windows import average_pool, convolved, convolved_back, reduced
from milpcount.types import Array


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
            first = first.plus(real(other))
        elif isinstance(other, AffineTensor):
            first = other.plus(real(first))
        else:
            first = first + other  # in float64, as constants are folded
    return [first]


def _mean(call: Call) -> list[AffineTensor]:
    (total,) = _sum(call)
    return [total.over(np.array(float(len(call.inputs))))]


def _difference(call: Call) -> list[AffineTensor]:
    first, second = call.inputs
    if not isinstance(second, AffineTensor):
        return [first.plus(real(second), -1.0)]
    negated = second.times(np.array(-1.0))
    return [added(first, negated) if isinstance(first, AffineTensor) else negated.plus(real(first))]


def _product(call: Call) -> list[AffineTensor]:
    constant = next(v for v in call.inputs if not isinstance(v, AffineTensor))
    return [call.tensor.times(real(constant))]


def _matmul(call: Call) -> list[AffineTensor]:
    return [_multiplied(*call.inputs)]


def _multiplied(a: Value, b: Value, offset: Array | None = None) -> AffineTensor:
    tensor, constant = (a, b) if isinstance(a, AffineTensor) else (b, a)
    matrix, shape = product(tensor.shape, real(constant), constant_first=tensor is b)
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
        known = alpha * (real(pair[0]) @ real(pair[1]))  # in float64, as constants are folded
        return [call.tensor.times(beta).plus(known)]
    if alpha == beta == 1.0 and not isinstance(third, AffineTensor):
        return [_multiplied(pair[0], pair[1], call.constant(2))]
    found = _multiplied(pair[0], pair[1]).times(alpha)
    if third is None or not beta.any():
        return [found]
    if isinstance(third, AffineTensor):
        return [added(found, third.times(beta))]
    return [found.over(beta).plus(real(third)).times(beta)]


def _transposed(value: Value) -> Value:
    return value.taken(value.numbers.T) if isinstance(value, AffineTensor) else value.T


def _normalised(call: Call) -> list[AffineTensor]:
    if call.attributes.get("spatial", 1) != 1:
        raise FileFormatError("statistics for each pixel (spatial=0) are not implemented")
    epsilon = call.attributes.get("epsilon", float(np.float32(1e-5)))
    scale, shift, mean, variance = (real(p) for p in call.inputs[1:5])
    found, rounded = call.tensor.normalised(mean, variance, epsilon, scale, shift, axis=1)
    if rounded:
        call.builder.note(ROOTS)
    return [found]


_EITHER = (frozenset([0]), frozenset([1]))
_ALL: tuple[frozenset[int], ...] = ()

OPERATORS: dict[str, Operator] = {
    "Add": Operator(_sum, _ALL),
    "Sub": Operator(_difference, _ALL),
    "Sum": Operator(_sum, _ALL),
    "Mean": Operator(_mean, _ALL),
    "Mul": Operator(_product, _EITHER),
    "Div": Operator(lambda call: [call.inputs[0].over(real(call.inputs[1]))]),
    "Neg": Operator(lambda call: [call.tensor.times(np.array(-1.0))]),
    "MatMul": Operator(_matmul, _EITHER),
    "Gemm": Operator(_gemm, (frozenset([0, 2]), frozenset([1, 2]))),
    "Conv": Operator(convolved),
    "ConvTranspose": Operator(convolved_back),
    "AveragePool": Operator(average_pool),
    "GlobalAveragePool": Operator(reduced),
    "ReduceMean": Operator(reduced),
    "ReduceSum": Operator(reduced),
    "BatchNormalization": Operator(_normalised),
    "Concat": Operator(_moved, _ALL),
    "Resize": Operator(resized),
    "Upsample": Operator(resized),
    "Einsum": Operator(einsum, ()),
    "CumSum": Operator(cumulated),
    "Where": Operator(_moved, (frozenset([1, 2]),)),
    "ScatterElements": Operator(_moved, (frozenset([0, 2]),)),
    "ScatterND": Operator(_moved, (frozenset([0, 2]),)),
} | dict.fromkeys(
    (
        *("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Gather", "Pad"),
        *("Split", "Expand", "Tile", "DepthToSpace", "SpaceToDepth", "GatherElements", "GatherND"),
        *("Trilu", "ReverseSequence", "CenterCropPad"),
    ),
    Operator(_moved),
)
