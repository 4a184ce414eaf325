"""The ATen operators that are piecewise linear units: rectifiers, clipping, maxima, sorting."""

from math import prod
from typing import Any

from milpcount.network.activation import piecewise_linear
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.aten_calls import AtenCall, AtenOperator, array
from milpcount.network.aten_windows import adaptive_groups, windows_of
from milpcount.network.linear_maps import gathered_windows
from milpcount.network.sorting import in_order, largest


def _relu(call: AtenCall) -> AffineTensor:
    return call.onnx("Relu", call.tensor)


def _leaky_relu(call: AtenCall) -> AffineTensor:
    slope = call["negative_slope"]
    return call.onnx("LeakyRelu", call.tensor, alpha=0.01 if slope is None else float(slope))


def _prelu(call: AtenCall) -> AffineTensor:
    slopes, rank = array(call["weight"]), len(call.tensor.shape)
    if slopes.size > 1:
        slopes = slopes.reshape(-1, *[1] * (rank - 2))
    return call.onnx("PRelu", call.tensor, slopes)


def _hardtanh(call: AtenCall) -> AffineTensor:
    lower = -1.0 if call["min_val"] is None else call["min_val"]
    upper = 1.0 if call["max_val"] is None else call["max_val"]
    return call.onnx("Clip", call.tensor, lower, upper)


def _clamp(call: AtenCall) -> AffineTensor:
    tensor, bounds = call.tensor, [call["min"], call["max"]]
    if all(b is None or isinstance(b, int | float) for b in bounds):
        return call.onnx("Clip", tensor, *bounds)
    for kind, bound in zip(("Max", "Min"), bounds, strict=True):
        tensor = tensor if bound is None else call.onnx(kind, tensor, bound)
    return tensor


def _hard_sigmoid(call: AtenCall) -> AffineTensor:
    # Not in the form x / 6 + 1 / 2, whose slope would have to be rounded.
    clipped = call.onnx("Clip", call.onnx("Add", call.tensor, 3.0), 0.0, 6.0)
    return call.onnx("Div", clipped, 6.0)


def _threshold(call: AtenCall) -> AffineTensor:
    limit, value = float(call["threshold"]), float(call["value"])
    unit = piecewise_linear([limit], [0.0, 1.0], [value, 0.0])
    return call.builder.activate(call.tensor, unit)


def _extreme(kind: str) -> AtenOperator:
    return AtenOperator(lambda call: call.onnx(kind, call["self"], call["other"]), kind)


def _reduced(kind: str) -> AtenOperator:
    """Return the operator of ``amax`` and ``max.dim``; the places of maxima are no numbers."""

    def apply(call: AtenCall) -> Any:
        if "other" in call.arguments:
            return call.onnx(kind.removeprefix("Reduce"), call["self"], call["other"])
        dims = call["dim"]
        axes = [dims] if isinstance(dims, int) else list(dims or [])
        found = call.onnx(kind, call.tensor, axes=axes, keepdims=int(bool(call["keepdim"])))
        return [found, None] if len(call.target._schema.returns) > 1 else found

    return AtenOperator(apply, kind)


def _max_pool(call: AtenCall) -> list[AffineTensor | None]:
    tensor, (planes, seen) = call.tensor, windows_of(call)
    groups = gathered_windows(prod(planes), prod(tensor.shape[len(planes) :]), seen)
    return [call.builder.maximum(tensor, groups, (*planes, *seen.shape)), None]


def _adaptive_max_pool(call: AtenCall) -> list[AffineTensor | None]:
    return [call.builder.maximum(call.tensor, *adaptive_groups(call)), None]


def _sorted(call: AtenCall) -> list[AffineTensor | None]:
    axis = -1 if call["dim"] is None else int(call["dim"])
    return [in_order(call.builder, call.tensor, axis, descending=bool(call["descending"])), None]


def _largest(call: AtenCall) -> list[AffineTensor | None]:
    axis = -1 if call["dim"] is None else int(call["dim"])
    smallest = call["largest"] is False
    return [largest(call.builder, call.tensor, int(call["k"]), axis, smallest=smallest), None]


UNITS_OF_ATEN: dict[str, AtenOperator] = {
    "relu": AtenOperator(_relu, "Relu"),
    "relu6": AtenOperator(lambda call: call.onnx("Clip", call.tensor, 0.0, 6.0), "Clip"),
    "leaky_relu": AtenOperator(_leaky_relu, "LeakyRelu"),
    "prelu": AtenOperator(_prelu, "PRelu"),
    "_prelu_kernel": AtenOperator(
        lambda call: call.onnx("PRelu", call.tensor, call["weight"]), "PRelu"
    ),
    "hardtanh": AtenOperator(_hardtanh, "Clip"),
    "clamp": AtenOperator(_clamp, "Clip"),
    "clamp_min": AtenOperator(_clamp, "Clip"),
    "clamp_max": AtenOperator(_clamp, "Clip"),
    "abs": AtenOperator(lambda call: call.onnx("Abs", call.tensor), "Abs"),
    "hardsigmoid": AtenOperator(_hard_sigmoid, "HardSigmoid"),
    "threshold": AtenOperator(_threshold, "ThresholdedRelu"),
    "maximum": _extreme("Max"),
    "minimum": _extreme("Min"),
    "fmax": _extreme("Max"),
    "fmin": _extreme("Min"),
    "max": _reduced("ReduceMax"),
    "min": _reduced("ReduceMin"),
    "amax": _reduced("ReduceMax"),
    "amin": _reduced("ReduceMin"),
    "max_pool2d_with_indices": AtenOperator(_max_pool, "MaxPool"),
    "max_pool3d_with_indices": AtenOperator(_max_pool, "MaxPool"),
    "adaptive_max_pool2d": AtenOperator(_adaptive_max_pool, "AdaptiveMaxPool"),
    "adaptive_max_pool3d": AtenOperator(_adaptive_max_pool, "AdaptiveMaxPool"),
    "sort": AtenOperator(_sorted, "Sort"),
    "topk": AtenOperator(_largest, "TopK"),
}
