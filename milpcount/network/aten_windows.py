"""ATen operators that take neighbouring entries together: convolutions, pooling, interpolation."""

from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.aten_calls import AtenCall
from milpcount.network.interpolation import Axis, interpolated
from milpcount.network.linear_maps import Windows, pooling, sums, windows
from milpcount.types import Array


def convolved(call: AtenCall) -> AffineTensor:
    """Return a convolution or a transposed one."""
    tensor, n = call.tensor, len(call.tensor.shape) - 2
    if isinstance(call["weight"], AffineTensor):
        raise NetworkError("a product of two values of the network is not piecewise linear")
    own: dict[str, Any] = {
        "strides": call.numbers("stride", n, 1),
        "pads": call.numbers("padding", n, 0) * 2,
        "dilations": call.numbers("dilation", n, 1),
        "group": int(call["groups"]),
    }
    if call["transposed"]:
        own["output_padding"] = call.numbers("output_padding", n, 0)
        return call.onnx("ConvTranspose", tensor, call["weight"], call["bias"], **own)
    return call.onnx("Conv", tensor, call["weight"], call["bias"], **own)


def windows_of(call: AtenCall) -> tuple[tuple[int, ...], Windows]:
    """Return the leading axes of a pooling's input, and the windows over the others."""
    n = 1 if "1d" in str(call.target) else 3 if "3d" in str(call.target) else 2
    kernel = call.numbers("kernel_size", n)
    shape = call.tensor.shape
    return shape[:-n], windows(
        shape[-n:],
        kernel,
        strides=call.numbers("stride", n, kernel),
        dilations=call.numbers("dilation", n, 1),
        pads=call.numbers("padding", n, 0) * 2,
        ceil_mode=bool(call["ceil_mode"]),
    )


def average_pool(call: AtenCall) -> AffineTensor:
    """Return the means of windows."""
    tensor, (planes, seen) = call.tensor, windows_of(call)
    inside = (seen.places >= 0).sum(axis=1)
    number = inside if call["count_include_pad"] is False else seen.padded
    if call["divisor_override"]:
        number = np.full(len(number), call["divisor_override"])
    image = tensor.shape[len(planes) :]
    total = tensor.applied(pooling(prod(planes), prod(image), seen), (*planes, *seen.shape))
    return total.over(number.astype(np.float64).reshape(seen.shape))


def adaptive_groups(call: AtenCall) -> tuple[list[Array], tuple[int, ...]]:
    """Return the entries in each window of an adaptive pooling, and the shape of its output."""
    shape, sizes = call.tensor.shape, list(call["output_size"])
    planes, image = shape[: -len(sizes)], shape[-len(sizes) :]
    lines = [
        [np.arange(i * n // size, -(-(i + 1) * n // size)) for i in range(size)]
        for n, size in zip(image, sizes, strict=True)
    ]
    places = np.arange(prod(image)).reshape(image)
    groups = [
        places[np.ix_(*(line[i] for line, i in zip(lines, at, strict=True)))].ravel()
        for at in np.ndindex(*sizes)
    ]
    found = [group + plane * prod(image) for plane in range(prod(planes)) for group in groups]
    return found, (*planes, *sizes)


def adaptive_average_pool(call: AtenCall) -> AffineTensor:
    """Return the means of windows that share out an image evenly."""
    groups, shape = adaptive_groups(call)
    number = np.array([float(len(group)) for group in groups]).reshape(shape)
    return call.tensor.applied(sums(groups, call.tensor.size), shape).over(number)


def upsampled(call: AtenCall) -> AffineTensor:
    """Return a (bi-, tri-)linear interpolation, exactly."""
    tensor = call.tensor
    n = len(tensor.shape) - 2
    image = tensor.shape[2:]
    factors = call["scale_factors"] or [call[f"scales_{axis}"] for axis in "dhw"[-n:]]
    if n == 1 and call["scale_factors"] is None:
        factors = [call["scales"]]
    sizes = call["output_size"] or [int(n * f) for n, f in zip(image, factors, strict=True)]
    axes = [
        _axis(size, int(target), factor, align=bool(call["align_corners"]))
        for size, target, factor in zip(image, sizes, factors, strict=True)
    ]
    return interpolated(tensor, [None, None, *axes])


def _axis(size: int, target: int, factor: Any, *, align: bool) -> Axis:
    if align:
        step = Fraction(size - 1, target - 1) if target > 1 else Fraction(0)
        at = [step * i for i in range(target)]
    else:
        step = 1 / Fraction(factor) if factor else Fraction(size, target)
        at = [max(Fraction(0), (i + Fraction(1, 2)) * step - Fraction(1, 2)) for i in range(target)]
    first = [min(int(place), size - 1) for place in at]
    rest = [min(place, Fraction(size - 1)) - f for place, f in zip(at, first, strict=True)]
    return Axis(size, [(f, min(f + 1, size - 1)) for f in first], rest)
