"""The linear ONNX operators that take several entries together: convolutions, pooling, means."""

from collections.abc import Sequence
from math import prod

import numpy as np

from milpcount.errors import FileFormatError
from milpcount.network.affine_tensor import AffineTensor
from milpcount.network.linear_maps import (
    Windows,
    convolution,
    pooling,
    reduction,
    same_pads,
    sums,
    windows,
)
from milpcount.network.onnx_calls import Call
from milpcount.types import Array


def convolved(call: Call) -> list[AffineTensor]:
    """Return a convolution."""
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


def convolved_back(call: Call) -> list[AffineTensor]:
    """Return what the transposed matrix makes, which leads from outputs to inputs."""
    tensor, weight, bias = call.inputs[0], call.constant(1), call.constant(2)
    assert weight is not None
    own, groups = call.attributes, call.attributes.get("group", 1)
    batch, channels, *image = tensor.shape
    n, kernel = len(image), weight.shape[2:]
    if channels != weight.shape[0] or channels % groups:
        raise FileFormatError(f"a weight of shape {weight.shape} does not fit {channels} channels")
    strides, gaps = own.get("strides", [1] * n), own.get("dilations", [1] * n)
    more, automatic = own.get("output_padding", [0] * n), own.get("auto_pad", b"NOTSET").decode()
    pads = [0] * 2 * n if automatic == "VALID" else list(own.get("pads", [0] * 2 * n))
    if "output_shape" in own or automatic.startswith("SAME"):
        wanted = list(own.get("output_shape", [s * m for s, m in zip(strides, image, strict=True)]))
        upper = automatic == "SAME_UPPER"
        pads, missing = _pads_for(wanted[-n:], image, kernel, strides, gaps, more, upper=upper)
        more = [extra + one for extra, one in zip(more, missing, strict=True)]
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


def _pads_for(
    wanted: Sequence[int], image: Sequence[int], kernel: Sequence[int], strides: Sequence[int],
    gaps: Sequence[int], more: Sequence[int], *, upper: bool,
) -> tuple[list[int], list[int]]:  # fmt: skip
    """Return the pads with which a transposed convolution has a given size, and what is missing."""
    totals = [
        step * (size - 1) + extra + (k - 1) * gap + 1 - target
        for target, size, k, step, gap, extra in zip(
            wanted, image, kernel, strides, gaps, more, strict=True
        )
    ]
    # One that is missing comes last; where others go the specification leaves open.
    missing = [int(t == -1 and not upper) for t in totals]
    totals = [t + extra for t, extra in zip(totals, missing, strict=True)]
    if min(totals) < 0:
        raise FileFormatError(
            f"its kernel reaches {min(totals)} beyond output_shape {list(wanted)}: give pads and "
            "output_padding"
        )
    small, large = [t // 2 for t in totals], [t - t // 2 for t in totals]
    return [*small, *large] if upper else [*large, *small], missing


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


def average_pool(call: Call) -> list[AffineTensor]:
    """Return the means of windows, of what is in the image or of the declared padding too."""
    tensor, own, (planes, image) = call.tensor, call.attributes, planes_of(call)
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


def reduced(call: Call) -> list[AffineTensor]:
    """Return sums or means over axes."""
    tensor, found = call.tensor, groups_of(call)
    if found is None:
        return [tensor]
    groups, shape = found
    total = tensor.applied(sums(groups, tensor.size), shape)
    if call.kind == "ReduceSum":
        return [total]
    return [total.over(np.array(float(len(groups[0]))))]
