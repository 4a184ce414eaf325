"""Resize and Upsample: nearest and linear interpolation, axis by axis, with exact weights."""

from fractions import Fraction
from math import ceil, floor, prod
from typing import Any

import numpy as np

from milpcount.errors import FileFormatError
from milpcount.network.affine_tensor import AffineTensor, check_size
from milpcount.network.interpolation import Axis, interpolated
from milpcount.network.onnx_calls import Call

_HALF = Fraction(1, 2)


def resized(call: Call) -> list[AffineTensor]:
    """Return an image of another size."""
    own, tensor = call.attributes, call.tensor
    mode = _text(own, "mode", "nearest")
    if mode not in ("nearest", "linear", "bilinear"):
        raise FileFormatError(f"mode {mode!r} is not implemented: nearest and linear are")
    if own.get("antialias", 0):
        raise FileFormatError("antialias is not implemented")
    if own.get("keep_aspect_ratio_policy", b"stretch") != b"stretch":
        raise FileFormatError("keep_aspect_ratio_policy is not implemented")
    scales, sizes = _wanted(call)
    axes = [
        _axis(call, mode, before, after, scale)
        for before, after, scale in zip(tensor.shape, sizes, scales, strict=True)
    ]
    return [interpolated(tensor, axes)]


def _wanted(call: Call) -> tuple[list[Fraction], tuple[int, ...]]:
    """Return scales and sizes of all axes."""
    own, shape = call.attributes, call.tensor.shape
    # Upsample, and Resize of operator set 10, have scales alone; a region of interest comes first.
    first = 1 if len(call.inputs) < 3 else 2
    given = [call.constant(place) for place in (first, first + 1)]
    scales = np.array(own["scales"]) if "scales" in own else given[0]
    axes = [a % len(shape) for a in own.get("axes", range(len(shape)))]
    every, sizes = [Fraction(1)] * len(shape), list(shape)
    if scales is not None and scales.size:
        numbers = scales.ravel().tolist()
        for axis, number in zip(axes, numbers, strict=True):
            if not number > 0:
                raise FileFormatError(f"a scale is {number}: it must be positive")
            every[axis] = Fraction(number)
            sizes[axis] = floor(every[axis] * shape[axis])
    elif given[1] is not None:
        for axis, number in zip(axes, given[1].ravel().tolist(), strict=True):
            sizes[axis] = int(number)
            every[axis] = Fraction(int(number), shape[axis])
    else:
        raise FileFormatError("it has neither scales nor sizes")
    if min(sizes) < 1:
        raise FileFormatError(f"its result has shape {tuple(sizes)}")
    check_size(prod(sizes), tuple(sizes))
    return every, tuple(sizes)


def _axis(call: Call, mode: str, before: int, after: int, scale: Fraction) -> Axis | None:
    """Return what is done along one axis."""
    if before == after and scale == 1:
        return None
    default = "half_pixel" if len(call.inputs) > 2 else "asymmetric"
    kind = _text(call.attributes, "coordinate_transformation_mode", default)
    places = [_source(kind, i, before, after, scale) for i in range(after)]
    last = before - 1
    if mode == "nearest":
        rule = _text(call.attributes, "nearest_mode", "round_prefer_floor")
        rule = rule if len(call.inputs) > 2 else "floor"
        taken = [min(max(_nearest(rule, place), 0), last) for place in places]
        return Axis(before, [(at, at) for at in taken], [Fraction(0)] * after)
    low = [floor(place) for place in places]
    # Beyond the ends the first and the last pixel go on.
    pairs = [(min(max(at, 0), last), min(max(at + 1, 0), last)) for at in low]
    return Axis(before, pairs, [place - at for place, at in zip(places, low, strict=True)])


def _source(kind: str, i: int, before: int, after: int, scale: Fraction) -> Fraction:
    """Return where in the image an entry of the result lies."""
    if kind == "asymmetric":
        return i / scale
    if kind == "align_corners":
        return Fraction(i * (before - 1), after - 1) if after > 1 else Fraction(0)
    if kind == "pytorch_half_pixel" and after == 1:
        return Fraction(0)
    if kind in ("half_pixel", "pytorch_half_pixel"):
        return (i + _HALF) / scale - _HALF
    if kind == "half_pixel_symmetric":
        middle = Fraction(before, 2) * (1 - Fraction(after) / (scale * before))
        return middle + (i + _HALF) / scale - _HALF
    if kind == "tf_half_pixel_for_nn":
        return (i + _HALF) / scale
    raise FileFormatError(f"coordinate_transformation_mode {kind!r} is not implemented")


def _nearest(rule: str, place: Fraction) -> int:
    if rule == "round_prefer_floor":
        return ceil(place - _HALF)
    if rule == "round_prefer_ceil":
        return floor(place + _HALF)
    if rule in ("floor", "ceil"):
        return floor(place) if rule == "floor" else ceil(place)
    raise FileFormatError(f"nearest_mode {rule!r} is not implemented")


def _text(attributes: dict[str, Any], name: str, default: str) -> str:
    found = attributes.get(name, default)
    return found.decode() if isinstance(found, bytes) else str(found)
