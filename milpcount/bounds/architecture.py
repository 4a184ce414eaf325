"""Architectures as strings.

::

    INPUT-LAYER-..-LAYER[-OUTPUT]         e.g. 784-11-11-10, 3072-4096x8, 8-5:maxout3-5:p2

INPUT
    ``784``, or the shape of a signal or an image: ``100x3`` (length, channels),
    ``28x28x1`` (height, width, channels).
LAYER
    ``11``             11 rectifiers; the same as ``11:relu``
    ``11:p3``          11 piecewise linear units with 3 breakpoints each
    ``11:maxout3``     11 maxout units of rank 3
    ``11:id``          an affine layer of 11 numbers, without units
    ``11x4``           four such layers, also ``11x4:p3``
    ``conv8@3x3``      convolution with 8 channels out and a 3 x 3 filter, no padding;
    ``conv8@3x3/2``    the same with stride 2; in one dimension ``conv8@3/2``;
    ``conv8@3:p2``     with 2 breakpoints each
    ``maxpool2x2``     maxima over windows of 2 x 2 that do not overlap, channel by channel;
    ``avgpool2``       means over windows of 2, in one dimension; what does not fill a window is cut
OUTPUT
    A plain number at the end is the affine output layer, which has no units to count. Write
    ``11:relu`` (or ``11x1``) where the last layer is a hidden one.

``ternary:`` in front restricts weights and biases to -1, 0 and 1. ``sparse0.2:`` in front keeps
each weight, not the biases, with probability 0.2, the others being zero.
"""

import re
from dataclasses import replace
from fractions import Fraction
from math import prod

from milpcount import caps
from milpcount.bounds.layers import Architecture, Convolution, Pooling, UnitLayer
from milpcount.errors import OptionError

GRAMMAR = (
    "INPUT-LAYER-..-LAYER[-OUTPUT] with INPUT 784 or 28x28x1, LAYER 11, 11x4 (four of them), "
    "11:p3 (3 breakpoints), 11:maxout3, 11:id (affine), conv8@3x3/2 (8 channels, filter, stride), "
    "maxpool2x2 or avgpool2x2, and a plain number at the end for the affine output; ternary: in "
    "front for weights -1, 0, 1, sparse0.2: for weights that are kept with probability 0.2"
)


def parse(text: str) -> Architecture:
    """Return the architecture that a string names; the module's text has the grammar.

    Raises
    ------
    OptionError
        If the string is none, or a size in it is impossible.
    """
    plain = text.strip().lower().replace(" ", "")
    is_ternary = plain.startswith("ternary:")
    plain, density = _density(text, plain.removeprefix("ternary:"))
    _no_negative(text, plain)
    first, *rest = plain.split("-")
    shape = _sizes(text, first)
    n_outputs = _size(text, rest.pop()) if rest and rest[-1].isdigit() else None
    if not rest:
        raise _wrong(
            text,
            "there is no hidden layer; a plain number at the end is the affine output, "
            f"write {plain}:relu if its units are to be counted",
        )
    layers: list[UnitLayer] = []
    for part in rest:
        added = _layers(text, part, shape)
        layers += added
        shape = _shape_after(added[-1])
    caps.UNITS.check(
        sum(layer.width * layer.rank for layer in layers), f"architecture {text!r}", OptionError
    )
    first_shape = prod(_sizes(text, first))
    return Architecture(first_shape, tuple(layers), n_outputs, is_ternary, density)


def _density(text: str, plain: str) -> tuple[str, Fraction | None]:
    """Split off the probability with which weights are kept."""
    if not plain.startswith("sparse"):
        return plain, None
    found = re.fullmatch(r"sparse(\d{1,9}(?:\.\d{1,9})?):(.*)", plain)
    density = Fraction(found[1]) if found else Fraction(0)
    if found is None or not 0 < density <= 1:
        raise _wrong(text, "sparse needs a probability above 0, at most 1, e.g. sparse0.2:784-9-9")
    return found[2], density


def _shape_after(layer: UnitLayer) -> tuple[int, ...]:
    """Return the shape of a layer's output."""
    if layer.convolution is not None:
        return (*layer.convolution.space_out, layer.convolution.channels_out)
    if layer.pooling is not None:
        return (*layer.pooling.space_out, layer.pooling.channels)
    return (layer.width,)


def _wrong(text: str, why: str) -> OptionError:
    return OptionError(f"architecture {text!r}: {why}. An architecture is {GRAMMAR}")


def _no_negative(text: str, plain: str) -> None:
    found = re.search(r"(?:p|maxout|conv|@|x|/)-\d*|^-|--", plain)
    if found:
        raise _wrong(text, f"a negative or missing number at {found[0]!r}; sizes are at least 1")


def _size(text: str, digits: str) -> int:
    # So long a number is a slip, and Python refuses to read the longest of them.
    if len(digits) > 9:
        raise _wrong(text, f"{digits[:9]}.. is too large a size; sizes are below 10^9")
    if int(digits) == 0:
        raise _wrong(text, "a size of 0; sizes are at least 1")
    return int(digits)


def _sizes(text: str, part: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d+(x\d+){0,2}", part):
        raise _wrong(text, f"the input {part!r} is not a size or a shape")
    return tuple(_size(text, digits) for digits in part.split("x"))


def _unit(text: str, kind: str) -> UnitLayer:
    found = re.fullmatch(r"(relu|id)|p(\d+)|maxout(\d+)", kind)
    if not found:
        raise _wrong(text, f"the unit {kind!r} is not known: relu, p3, maxout3 or id")
    if found[1]:
        return UnitLayer(1) if found[1] == "relu" else UnitLayer(1, 0, is_rectifier=False)
    if found[2]:
        return UnitLayer(1, _size(text, found[2]), is_rectifier=False)
    if (rank := _size(text, found[3])) < 2:
        raise _wrong(text, "a maxout unit of rank 1 is affine; ranks are at least 2")
    return UnitLayer(1, rank=rank, is_rectifier=False)


def _layers(text: str, part: str, shape: tuple[int, ...]) -> list[UnitLayer]:
    pool = re.fullmatch(r"(max|avg)pool(\d+(?:x\d+)?)", part)
    if pool:
        return [_pooling(text, pool[1] == "max", shape, _sizes(text, pool[2]))]
    body, _, kind = part.partition(":")
    unit = _unit(text, kind or "relu")
    dense = re.fullmatch(r"(\d+)(?:x(\d+))?", body)
    if dense:
        copies = _size(text, dense[2] or "1")
        if copies > 10_000:
            raise _wrong(text, f"{copies} layers are too many; at most 10000")
        return [replace(unit, width=_size(text, dense[1]))] * copies
    conv = re.fullmatch(r"conv(\d+)@(\d+(?:x\d+)?)(?:/(\d+))?", body)
    if not conv:
        raise _wrong(text, f"the layer {part!r} is not known")
    channels, stride = _size(text, conv[1]), _size(text, conv[3] or "1")
    return [_convolution(text, unit, shape, channels, _sizes(text, conv[2]), stride)]


def _pooling(text: str, is_max: bool, shape: tuple[int, ...], window: tuple[int, ...]) -> UnitLayer:
    *space, channels = shape
    if len(space) != len(window) or any(k > n for k, n in zip(window, space, strict=False)):
        raise _wrong(
            text,
            f"a window of {'x'.join(map(str, window))} on {'x'.join(map(str, shape))}: pool after "
            "a convolution, or an input 28x28x1 (height, width, channels), not beyond its size",
        )
    pooling = Pooling(tuple(space), channels, window)
    rank, cuts = (prod(window), 1) if is_max and prod(window) > 1 else (1, 0)
    width = prod(pooling.space_out) * channels
    return UnitLayer(width, cuts, rank, is_rectifier=False, pooling=pooling)


def _convolution(
    text: str,
    unit: UnitLayer,
    shape: tuple[int, ...],
    channels: int,
    size: tuple[int, ...],
    stride: int,
) -> UnitLayer:
    *space, channels_in = shape
    if len(space) != len(size):
        raise _wrong(
            text,
            f"a filter of {len(size)} dimension(s) on {len(space)}: write the input as 100x3 "
            "(length, channels) or 28x28x1 (height, width, channels)",
        )
    if any(f > n for f, n in zip(size, space, strict=True)):
        raise _wrong(
            text,
            f"a filter of {'x'.join(map(str, size))} is larger than its input of "
            f"{'x'.join(map(str, space))}",
        )
    out = tuple((n - f) // stride + 1 for f, n in zip(size, space, strict=True))
    conv = Convolution(tuple(space), out, channels_in, channels, size, stride)
    return replace(unit, width=prod(out) * channels, convolution=conv)
