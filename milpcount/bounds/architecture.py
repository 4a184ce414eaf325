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
    ``11x4``           four such layers, also ``11x4:p3``
    ``conv8@3x3``      convolution with 8 channels out and a 3 x 3 filter, no padding;
    ``conv8@3x3/2``    the same with stride 2; in one dimension ``conv8@3/2``;
    ``conv8@3:p2``     with 2 breakpoints each
OUTPUT
    A plain number at the end is the affine output layer, which has no units to count. Write
    ``11:relu`` (or ``11x1``) where the last layer is a hidden one.

``ternary:`` in front restricts weights and biases to -1, 0 and 1.
"""

import re
from dataclasses import replace
from math import prod

from milpcount import caps
from milpcount.bounds.layers import Architecture, Convolution, UnitLayer
from milpcount.errors import OptionError

GRAMMAR = (
    "INPUT-LAYER-..-LAYER[-OUTPUT] with INPUT 784 or 28x28x1, LAYER 11, 11x4 (four of them), "
    "11:p3 (3 breakpoints), 11:maxout3 or conv8@3x3/2 (8 channels, filter, stride), and a plain "
    "number at the end for the affine output; ternary: in front for weights -1, 0, 1"
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
    _no_negative(text, plain)
    first, *rest = plain.removeprefix("ternary:").split("-")
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
        conv = added[-1].convolution
        shape = (*conv.space_out, conv.channels_out) if conv else (added[-1].width,)
    caps.UNITS.check(
        sum(layer.width * layer.rank for layer in layers), f"architecture {text!r}", OptionError
    )
    first_shape = prod(_sizes(text, first))
    return Architecture(first_shape, tuple(layers), n_outputs, is_ternary)


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
    found = re.fullmatch(r"(relu)|p(\d+)|maxout(\d+)", kind)
    if not found:
        raise _wrong(text, f"the unit {kind!r} is not known: relu, p3 or maxout3")
    if found[1]:
        return UnitLayer(1)
    if found[2]:
        return UnitLayer(1, _size(text, found[2]), is_rectifier=False)
    if (rank := _size(text, found[3])) < 2:
        raise _wrong(text, "a maxout unit of rank 1 is affine; ranks are at least 2")
    return UnitLayer(1, rank=rank, is_rectifier=False)


def _layers(text: str, part: str, shape: tuple[int, ...]) -> list[UnitLayer]:
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
