"""The ONNX operators that are piecewise linear units: rectifiers, clipping, maxima."""

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from milpcount.errors import FileFormatError
from milpcount.network.activation import Activation, clip, leaky_relu, piecewise_linear, relu
from milpcount.network.affine_tensor import AffineTensor, check_size
from milpcount.network.alignment import added, joined
from milpcount.network.linear_maps import gathered_windows
from milpcount.network.onnx_calls import Call, Operator
from milpcount.network.onnx_windows import groups_of, planes_of, reduced, windows_of
from milpcount.network.sorting import largest
from milpcount.types import Array

_MINUS = np.array(-1.0)


def _relu(call: Call) -> list[AffineTensor]:
    return [call.builder.activate(call.tensor, relu())]


def _leaky_relu(call: Call) -> list[AffineTensor]:
    slope = call.attributes.get("alpha", float(np.float32(0.01)))
    return [_bent(call, np.array(slope))]


def _prelu(call: Call) -> list[AffineTensor]:
    slopes = call.constant(1)
    return [_bent(call, np.ones(()) if slopes is None or not slopes.size else slopes)]


def _bent(call: Call, slopes: Array) -> AffineTensor:
    """Return leaky rectifiers; an entry of slope 1 is none."""
    of_slope = {s: None if s == 1 else leaky_relu(s) for s in np.unique(slopes).tolist()}
    wanted = np.broadcast_to(slopes, call.tensor.shape).ravel().tolist()
    return call.builder.activate(call.tensor, [of_slope[s] for s in wanted])


def _clip(call: Call) -> list[AffineTensor]:
    own, given = call.attributes, [call.constant(place) for place in (1, 2)]
    lower = _number(given[0], own.get("min", -np.inf))
    upper = _number(given[1], own.get("max", np.inf))
    # Before operator set 11 a bound was an attribute, with these defaults for none.
    largest = float(np.finfo(np.float32).max)
    lower = -np.inf if lower <= -largest else lower
    upper = np.inf if upper >= largest else upper
    if np.isinf([lower, upper]).all():
        return [call.tensor]
    return [call.builder.activate(call.tensor, clip(lower, upper))]


def _number(value: Array | None, default: float) -> float:
    if value is None or value.size == 0:
        return default
    if (value != value.flat[0]).any():
        raise FileFormatError("its bound differs between units: give Max or Min instead")
    return float(value.flat[0])


def _abs(call: Call) -> list[AffineTensor]:
    unit = piecewise_linear([0.0], [-1.0, 1.0], [0.0, 0.0])
    return [call.builder.activate(call.tensor, unit)]


def _hard_sigmoid(call: Call) -> list[AffineTensor]:
    alpha = call.attributes.get("alpha", float(np.float32(0.2)))
    beta = call.attributes.get("beta", 0.5)
    scaled = call.tensor.times(np.array(alpha)).plus(np.array(beta))
    return [call.builder.activate(scaled, clip(0.0, 1.0))]


def _thresholded(call: Call) -> list[AffineTensor]:
    unit = piecewise_linear([call.attributes.get("alpha", 1.0)], [0.0, 1.0], [0.0, 0.0])
    return [call.builder.activate(call.tensor, unit)]


def _shrunk(call: Call) -> list[AffineTensor]:
    """Return what is beyond two thresholds, moved towards zero, and zero between them."""
    edge, shift = call.attributes.get("lambd", 0.5), call.attributes.get("bias", 0.0)
    if edge < 0 or (edge == 0 and shift):
        raise FileFormatError(f"lambd {edge} with bias {shift} is not implemented")
    if edge == 0:
        return [call.tensor]
    if edge == shift:
        unit = piecewise_linear([-edge, edge], [1.0, 0.0, 1.0], [edge, 0.0, -edge])
        return [call.builder.activate(call.tensor, unit)]
    # It jumps, and is zero at both thresholds: a unit has the value on the left of a jump, so each
    # side is a unit of its own, the lower one on negated values.
    unit = piecewise_linear([edge], [0.0, 1.0], [0.0, -shift])
    upper = call.builder.activate(call.tensor, unit)
    lower = call.builder.activate(call.tensor.times(_MINUS), unit)
    return [added(upper, lower.times(_MINUS))]


def _norm(call: Call) -> list[AffineTensor]:
    """Return sums of absolute values."""
    (sizes,) = _abs(call)
    return reduced(replace(call, inputs=[sizes, *call.inputs[1:]], kind="ReduceSum"))


def _extreme(call: Call) -> list[AffineTensor]:
    """Return the largest or smallest of several values; a smallest is minus a largest."""
    sign = -1.0 if call.kind == "Min" else 1.0
    shape = np.broadcast_shapes(*(np.shape(_shaped(v)) for v in call.inputs))
    size = prod(shape)
    check_size(size * len(call.inputs), shape)
    tensors = [v for v in call.inputs if isinstance(v, AffineTensor)]
    constants = [np.asarray(v, dtype=np.float64) for v in call.inputs if isinstance(v, np.ndarray)]
    if len(tensors) == 1:
        return [_bounded(call, tensors[0].broadcast(shape), constants)]
    # All values in one row, those of a maximum each in its argument's place.
    rows, tensor = [], _signed(joined([t.broadcast(shape) for t in tensors]), sign)
    known = tensor.size
    for value in constants:
        row = tensor.taken(np.full(size, -1), sign * np.broadcast_to(value, shape).ravel())
        rows.append(row)
    everything = joined([tensor, *rows]) if rows else tensor
    starts, next_tensor, next_constant = [], 0, known
    for value in call.inputs:
        if isinstance(value, AffineTensor):
            starts.append(next_tensor)
            next_tensor += size
        else:
            starts.append(next_constant)
            next_constant += size
    groups = list(np.arange(size)[:, None] + np.array(starts))
    return [_signed(call.builder.maximum(everything, groups, shape), sign)]


def _bounded(call: Call, tensor: AffineTensor, constants: list[Array]) -> AffineTensor:
    """Return the larger or smaller of each entry and the constants."""
    if not constants:
        return tensor
    is_max = call.kind == "Max"
    bound = constants[0]
    for other in constants[1:]:
        bound = np.maximum(bound, other) if is_max else np.minimum(bound, other)
    if np.isnan(bound).any() or (bound == (np.inf if is_max else -np.inf)).any():
        raise FileFormatError("its constants must be numbers")
    unit_of: dict[float, Activation | None] = {
        c: None if np.isinf(c) else clip(c, np.inf) if is_max else clip(-np.inf, c)
        for c in np.unique(bound).tolist()
    }
    wanted = np.broadcast_to(bound, tensor.shape).ravel().tolist()
    return call.builder.activate(tensor, [unit_of[c] for c in wanted])


def _signed(tensor: AffineTensor, sign: float) -> AffineTensor:
    return tensor if sign > 0 else tensor.times(_MINUS)


def _shaped(value: Any) -> Any:
    return value.numbers if isinstance(value, AffineTensor) else value


def _max_pool(call: Call) -> list[AffineTensor]:
    tensor, (planes, image) = call.tensor, planes_of(call)
    seen = windows_of(call, image, call.attributes["kernel_shape"])
    if not (seen.places >= 0).any(axis=1).all():
        raise FileFormatError("a window lies in the padding alone")
    groups = gathered_windows(prod(planes), prod(image), seen)
    return [call.builder.maximum(tensor, groups, (*planes, *seen.shape))]


def _reduced(call: Call) -> list[AffineTensor]:
    found = groups_of(call)
    if found is None:
        return [call.tensor]
    sign = -1.0 if call.kind == "ReduceMin" else 1.0
    return [_signed(call.builder.maximum(_signed(call.tensor, sign), *found), sign)]


def _largest(call: Call) -> list[AffineTensor]:
    own, wanted = call.attributes, call.constant(1)
    k = int(own["k"] if wanted is None else wanted.ravel()[0])
    smallest = not own.get("largest", 1)
    return [largest(call.builder, call.tensor, k, int(own.get("axis", -1)), smallest=smallest)]


UNITS: dict[str, Operator] = {
    "Relu": Operator(_relu),
    "LeakyRelu": Operator(_leaky_relu),
    "PRelu": Operator(_prelu),
    "Clip": Operator(_clip),
    "Abs": Operator(_abs),
    "HardSigmoid": Operator(_hard_sigmoid),
    "ThresholdedRelu": Operator(_thresholded),
    "Shrink": Operator(_shrunk),
    "ReduceL1": Operator(_norm),
    "Max": Operator(_extreme, ()),
    "Min": Operator(_extreme, ()),
    "MaxPool": Operator(_max_pool),
    "GlobalMaxPool": Operator(_reduced),
    "ReduceMax": Operator(_reduced),
    "ReduceMin": Operator(_reduced),
    "TopK": Operator(_largest),
}
