"""Convolutions with shared filters that fold every channel: the best network of many layers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from math import ceil, isqrt, log2, prod

import numpy as np

from milpcount.bounds.architecture import parse
from milpcount.bounds.convolutional import xiong_theorem_2
from milpcount.bounds.convolutional_best import piecewise_lower
from milpcount.bounds.layers import Convolution, UnitLayer
from milpcount.domain import Box
from milpcount.errors import OptionError
from milpcount.examples.arrangements import whitney
from milpcount.examples.example import Example, Fold, known
from milpcount.network import Activation, Dense, Layer, Network, piecewise_linear, relu
from milpcount.types import Array

_SEEDS = 50
_EXACT_BITS = 50


@dataclass(frozen=True, eq=False)
class _Zigzag:
    """Units that fold ``[0, height]``, onto ``[0, above]``, and their function."""

    fold: Fold
    unit: Activation
    above: float


def piecewise_convolutions(architecture: str) -> Example:
    """Return a convolutional network that attains `piecewise_lower`, on the unit cube.

    Every layer but the last folds each of the d_0 channels of the input, at each position, in
    ``p floor(d_l / d_0) + 1`` pieces (for rectifiers see `pieces_of_folds`); the last is a
    convolution in general position, shrunk into the middle of the cube, so that every fold meets
    all of its regions. All filters are shared. The number is proved for activation regions; of the
    folds that no later layer reads, neighbours have one affine map.

    Parameters
    ----------
    architecture : str
        Convolutions only, at least two, e.g. ``4x1-conv2@2:p2-conv2@2:p2``; see
        `milpcount.bounds.architecture`.
    """
    layers = parse(architecture).layers
    convolutions = [y.convolution for y in layers if y.convolution and y.rank == 1]
    if len(convolutions) < max(2, len(layers)):
        raise OptionError(f"{architecture}: give two convolutions or more, and nothing else")
    cuts, rectifiers = [y.cuts for y in layers], [y.is_rectifier for y in layers]
    count = piecewise_lower(convolutions, cuts, rectifiers)
    if count is None:
        raise OptionError(
            f"{architecture}: give every layer at least as many channels as the input, and a last "
            "one whose filters overlap along one axis at most"
        )
    first = convolutions[0]
    n, d0 = prod(first.space_in) * first.channels_in, first.channels_in
    read, shift, height = np.eye(n), np.zeros(n), 1.0
    made: list[Layer] = []
    for layer, conv in zip(layers[:-1], convolutions, strict=False):
        zigzag = _zigzag(conv.channels_out // d0, layer, height)
        weight, bias, after = _folding(conv, d0, zigzag.fold)
        made.append(Layer(Dense(weight @ read, weight @ shift + bias), zigzag.unit))
        read = after
        shift = np.full(len(after), zigzag.fold.shift[0])
        height = zigzag.above
    weight, bias, unit = _last(convolutions[-1], d0, layers[-1], height)
    made.append(Layer(Dense(weight @ read, weight @ shift + bias), unit))
    name = f"zigzag convolutions {architecture}"
    return Example(name, Network(tuple(made)), Box(0, 1), known(count), "derived, see the bound")


def _zigzag(units: int, layer: UnitLayer, height: float) -> _Zigzag:
    """Return the units that fold one coordinate; whole numbers and halves throughout."""
    if layer.is_rectifier:
        return _of_rectifiers(units, height)
    p, t = layer.breakpoints, units
    # Slopes a and a - 2, times a factor that makes them whole; see `piecewise_lower`.
    factor = 1 if p % 2 and t % 2 else t
    left = (1 if p % 2 == 0 else t + 1) if factor > 1 else 1
    slopes = [float(left - 2 * factor * (k % 2)) for k in range(p + 1)]
    breaks = [height * (k + 1) for k in range(p)]
    unit = _continuous(breaks, slopes)
    k = np.arange(t)
    turned = (p % 2 == 1) & (k % 2 == 1)
    signs = np.where(turned, -1.0, 1.0)
    inner = signs[:, None] * (p * t + 1.0)
    offset = np.where(turned, (k * p + p + 1) * height, -k * p * height)
    start = float(signs @ unit.apply(offset))
    fold = Fold(inner, offset, signs[None], np.array([-start]))
    return _Zigzag(fold, unit, factor * height)


def _of_rectifiers(units: int, height: float) -> _Zigzag:
    lengths = np.ones(units)
    facing = np.ones(units)
    if units >= 3:
        lengths, facing[2] = np.array([1.0, 1.0, 2.0, 2.0] + [1.0] * (units - 3)), -1.0
    slopes = (-1.0) ** np.arange(len(lengths)) / lengths
    ends = np.cumsum(lengths)[:-1] if units >= 3 else np.arange(units, dtype=float)
    reads = np.diff(slopes) if units >= 3 else np.r_[1.0, np.full(units - 1, -2.0)]
    offset = -facing * ends * height
    start = float((reads * np.maximum(offset, 0.0)).sum())
    inner = (facing * lengths.sum())[:, None]
    return _Zigzag(Fold(inner, offset, reads[None], np.array([-start])), relu(), height)


def _continuous(breaks: Sequence[float], slopes: Sequence[float]) -> Activation:
    intercepts = [0.0]
    for at, (left, right) in zip(breaks, pairwise(slopes), strict=True):
        intercepts.append(intercepts[-1] + (left - right) * at)
    return piecewise_linear(list(breaks), list(slopes), intercepts)


def _folding(conv: Convolution, d0: int, fold: Fold) -> tuple[Array, Array, Array]:
    """Return a layer that reads folded values, and what reads its units as folded values."""
    units, pixels = len(fold.offset), np.arange(prod(conv.space_in)).reshape(conv.space_in)
    places, channels = prod(conv.space_out), conv.channels_out
    weight, bias = np.zeros((places, channels, pixels.size * d0)), np.zeros((places, channels))
    read = np.zeros((places, d0, places, channels))
    for place, at in enumerate(product(*map(range, conv.space_out))):
        pixel = int(pixels[tuple(conv.stride * a for a in at)])
        for c in range(d0):
            mine = slice(c * units, (c + 1) * units)
            weight[place, mine, pixel * d0 + c] = fold.inner[:, 0]
            bias[place, mine] = fold.offset
            read[place, c, place, mine] = fold.read[0]
    n = places * channels
    return weight.reshape(n, -1), bias.reshape(n), read.reshape(places * d0, n)


def _last(
    conv: Convolution, d0: int, layer: UnitLayer, height: float
) -> tuple[Array, Array, Activation]:
    """Return a convolution in general position whose regions all meet the inside of the cube."""
    alone = replace(conv, channels_in=d0)
    p, wanted = layer.breakpoints, xiong_theorem_2(alone, layer.breakpoints)
    for seed in range(_SEEDS):
        rng = np.random.default_rng(seed)
        filters = rng.integers(-9, 10, (conv.channels_out, *conv.filter, d0)).astype(float)
        offsets = rng.integers(-9, 10, conv.channels_out).astype(float)
        rows = _rows(alone, filters)
        biases = np.tile(offsets, len(rows) // len(offsets))
        breaks = [float(3 * k * k + k) for k in range(p)]  # in no arithmetic progression
        planes = np.concatenate([np.c_[rows, biases - b] for b in breaks])
        if whitney(planes) == wanted:
            break
    else:  # pragma: no cover - a set of measure zero, fifty times
        raise AssertionError("filters in general position are not hard to find")
    # Every region has a point of a smallest flat in its closure. The flat's point next to the
    # centre solves equations in whole numbers: Cramer's rule and Hadamard's inequality bound it.
    lengths = sorted((isqrt(int(r @ r)) + 1 for r in planes), reverse=True)
    rank = min(len(lengths), rows.shape[1])
    scale = 2.0 ** -ceil(log2(2 * prod(lengths[:rank]) ** 2 / height))
    if log2(lengths[0] * height) - log2(scale) > _EXACT_BITS:
        raise OptionError("the last layer is too large for float64: give a smaller one")
    centred = scale * biases - rows.sum(axis=1) * height / 2
    slopes = [float((-1) ** k) for k in range(p + 1)]
    unit = relu() if layer.is_rectifier else _continuous([scale * b for b in breaks], slopes)
    return rows, centred, unit


def _rows(conv: Convolution, filters: Array) -> Array:
    """Return a convolution as a matrix, positions first, channels fastest."""
    places = list(product(*map(range, conv.space_out)))
    rows = np.zeros((len(places), conv.channels_out, *conv.space_in, conv.channels_in))
    for place, at in enumerate(places):
        field = tuple(
            slice(conv.stride * a, conv.stride * a + f)
            for a, f in zip(at, conv.filter, strict=True)
        )
        rows[place][:, *field] = filters
    return rows.reshape(len(places) * conv.channels_out, -1)
