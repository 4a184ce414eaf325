"""Convolutional layers without padding or pooling: Xiong et al. (ICML 2020, TPAMI 2024).

Symbols: position i of the first layer's output sees the pixels S_i, its receptive field over all
input channels; d_l channels; p breakpoints per unit (1 for rectifiers).
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from math import comb, prod

import numpy as np

from milpcount.bounds.binomials import weighted_sum
from milpcount.bounds.layers import Convolution

_MOST_POSITIONS = 14
_MOST_STATES = 3_000
_MOST_STEPS = 10**6


@lru_cache(maxsize=64)
def xiong_theorem_2(conv: Convolution, breakpoints: int = 1) -> int | None:
    r"""Return ``sum_{t in K} prod_i C(d_1, t_i) p^{t_i}``, which bounds one layer from above.

    Xiong et al. (2020), Theorem 2, where p = 1 and
    ``K = {t : sum_{i in J} t_i <= #union_{i in J} S_i for all sets J of positions}``. The theorem
    says that it is the maximum, and the expected number for every distribution of the parameters
    with a density; that holds where `is_attained`, and not for filters that are shared between
    positions in a plane. With p > 1 it is derived here: of p parallel hyperplanes a point lies on
    one at most, and all central sets are independent. The text of the extension to piecewise linear
    units (Xiong et al. 2024) was not at hand.

    Parameters
    ----------
    conv : Convolution
    breakpoints : int
        p.

    Returns
    -------
    int or None
        None where the positions are too many for the sum over K in two dimensions.
    """
    weights = tuple(
        comb(conv.channels_out, t) * breakpoints**t for t in range(conv.channels_out + 1)
    )
    axes = [(n, f, conv.stride) for n, f in zip(conv.space_in, conv.filter, strict=True)]
    if len(axes) == 1:
        return _on_a_line(*axes[0], conv.space_out[0], conv.channels_in, weights)
    # Fields that do not overlap along an axis: the layer is as many layers along the other one.
    for axis, other in ((0, 1), (1, 0)):
        n, f, stride = axes[other]
        if conv.stride >= axes[axis][1] or conv.space_out[axis] == 1:
            depth = conv.channels_in * axes[axis][1]
            line = _on_a_line(n, f, stride, conv.space_out[other], depth, weights)
            return None if line is None else line ** conv.space_out[axis]
    return _on_a_set([_field(conv, at) for at in _positions(conv)], weights)


def is_attained(conv: Convolution) -> bool:
    """Return whether shared filters reach `xiong_theorem_2`.

    Its proof needs every set of hyperplanes in K to be independent. Two filters f and g shared
    between the positions of a plane are not: ``f * g = g * f`` is a linear relation between their
    shifts. On a 3 x 3 input, 2 x 2 filters in two channels make 255 regions at most and not 256,
    in three channels 3998 and not 4013 (both counted). It is attained by one filter, and by fields
    that overlap along one axis only, where the relation has more rows than a field has inputs.
    """
    axes = zip(conv.filter, conv.space_out, strict=True)
    overlapping = sum(size > conv.stride and places > 1 for size, places in axes)
    return conv.channels_out == 1 or overlapping <= 1


def _on_a_line(
    length: int, size: int, stride: int, positions: int, depth: int, weights: Sequence[int]
) -> int | None:
    """Sum over K where fields are intervals: each position takes the leftmost pixels left to it.

    Fields start and end from left to right, so that taking the leftmost leaves most for the rest;
    t is in K iff all find enough. The state is the number of pixels left in the current field.
    """
    whole, fresh = size * depth, min(stride, size) * depth
    most = min(whole, len(weights) - 1)
    if positions * (whole + 1) * (most + 1) > _MOST_STEPS:
        return None
    left = [0] * whole + [1]
    for position in range(positions):
        after = [0] * (whole + 1)
        for room, count in enumerate(left):
            if count:
                for t in range(min(room, most) + 1):
                    after[room - t] += count * weights[t]
        if position < positions - 1:
            left = [0] * (whole + 1)
            for room, count in enumerate(after):
                left[min(room, whole - fresh) + fresh] += count
        else:
            left = after
    return sum(left)


def _positions(conv: Convolution) -> list[tuple[int, ...]]:
    return list(product(*map(range, conv.space_out)))


def _field(conv: Convolution, at: tuple[int, ...]) -> frozenset[tuple[int, ...]]:
    starts = [conv.stride * a for a in at]
    ranges = [range(s, s + f) for s, f in zip(starts, conv.filter, strict=True)]
    return frozenset(product(*ranges, range(conv.channels_in)))


def _on_a_set(fields: list[frozenset[tuple[int, ...]]], weights: Sequence[int]) -> int | None:
    """Sum over K position by position; None where that is too much work.

    After some positions, what matters is how much room g(J) every set J of the others has left:
    ``g'(J) = min(g(J), g(J + i) - t)`` when position i takes t.
    Room above ``d_1 #J`` is never used.
    """
    n, channels = len(fields), len(weights) - 1
    if n > _MOST_POSITIONS:
        return None
    sizes = np.array([bin(J).count("1") for J in range(2**n)])
    room = np.array([_union(fields, J) for J in range(2**n)])
    states = {np.minimum(room, channels * sizes).astype(np.int32).tobytes(): 1}
    for i in range(n - 1, -1, -1):
        states = _place(states, 2**i, weights, channels * sizes[: 2**i])
        if len(states) > _MOST_STATES:
            return None
    return sum(states.values())


def _union(fields: list[frozenset[tuple[int, ...]]], positions: int) -> int:
    chosen = [field for i, field in enumerate(fields) if positions >> i & 1]
    return len(frozenset().union(*chosen))


def _place(
    states: dict[bytes, int], half: int, weights: Sequence[int], useful: np.ndarray
) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for key, count in states.items():
        room = np.frombuffer(key, np.int32)
        without, taking = room[:half], room[half:]
        for t in range(min(int(taking[0]), len(weights) - 1) + 1):
            after = np.minimum(np.minimum(without, taking - t), useful).astype(np.int32).tobytes()
            found[after] = found.get(after, 0) + count * weights[t]
    return found


def xiong_theorem_5_upper(
    layers: Sequence[Convolution], breakpoints: Sequence[int] | None = None
) -> int | None:
    """Return ``R_{N''} prod_{l=2}^L sum_{i=0}^{D} C(N_l, i) p_l^i``, D the input dimension.

    Xiong et al. (2020), Theorem 5, second part, for p = 1: N'' is the first layer alone, D =
    n_0^(1) n_0^(2) d_0, and N_l = n_l^(1) n_l^(2) d_l units. A note prints the filter of N'' as f_0
    for f_1. With p > 1 it is derived here.

    Parameters
    ----------
    layers : sequence of Convolution
    breakpoints : sequence of int, optional
        p_l of each layer; 1 by default.
    """
    p = list(breakpoints or [1] * len(layers))
    first = xiong_theorem_2(layers[0], p[0])
    if first is None:
        return None
    dimension = prod(layers[0].space_in) * layers[0].channels_in
    later = zip(layers[1:], p[1:], strict=True)
    return first * prod(
        weighted_sum(prod(c.space_out) * c.channels_out, dimension, q) for c, q in later
    )
