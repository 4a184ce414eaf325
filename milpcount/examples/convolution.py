"""A convolution, and how many regions its filters leave."""

from collections.abc import Iterator, Sequence
from itertools import product
from math import comb, prod

import numpy as np

from milpcount.domain import Unbounded
from milpcount.errors import OptionError
from milpcount.examples.arrangements import arrangement, whitney
from milpcount.examples.example import Example, at_least, each_at_least, known

Shape = tuple[int, int, int]
_MOST_POSITIONS = 9


def convolution(
    input_shape: Shape, filter_size: tuple[int, int], channels: int, stride: int = 1, seed: int = 0
) -> Example:
    """Return a convolution with random filters and biases, as a dense layer of rectifiers.

    Its activation regions in all of space are counted by Whitney's theorem, exactly. Where every
    set of hyperplanes that Theorem 2 of Xiong et al. (ICML 2020) admits is linearly independent
    they are that theorem's number, see `xiong_2020`: the most that the architecture can have.

    Parameters
    ----------
    input_shape : (int, int, int)
        Height, width and channels; inputs are in this order, the last index fastest.
    filter_size : (int, int)
        Height and width.
    channels : int
        Filters.
    stride : int
    seed : int
        Of the filters and biases, integers up to 99; every position has the same.
    """
    fields = _checked_fields(input_shape, filter_size, channels, stride)
    rng = np.random.default_rng(seed)
    filters = rng.integers(-99, 100, (channels, *filter_size, input_shape[2]))
    bias = rng.integers(-99, 100, channels)
    rows = np.zeros((len(fields), channels, *input_shape))
    for position, field in enumerate(fields):
        rows[position][:, *field] = filters
    normals, offsets = rows.reshape(-1, prod(input_shape)), np.tile(bias, len(fields))
    network, count = arrangement(normals, offsets), whitney(np.c_[normals, offsets])
    name = f"convolution {_by(filter_size)} of {_by(input_shape)}, {channels} channels"
    return Example(name, network, Unbounded(), known(count), "Xiong et al. 2020, Theorem 2")


def xiong_2020(
    input_shape: Shape, filter_size: tuple[int, int], channels: int, stride: int = 1
) -> int:
    """Return the number of regions of a convolution by Theorem 2 of Xiong et al. (ICML 2020).

    ``sum_t prod_{positions} C(d_1, t_position)`` over the t that give no set of positions more
    hyperplanes than their receptive fields have inputs. It is an upper bound. With filters that
    are shared between positions it need not be attained: filters f and g of 2×2 on an input of
    3×3 make ``f * g = g * f``, one linear relation between the eight hyperplanes, and leave 255
    regions of 256.

    Parameters
    ----------
    input_shape, filter_size, channels, stride
        As in `convolution`.
    """
    inputs = np.arange(prod(input_shape)).reshape(input_shape)
    fields = [
        set(inputs[field].ravel().tolist())
        for field in _checked_fields(input_shape, filter_size, channels, stride)
    ]
    states: dict[tuple[int, ...], int] = {(0,): 1}
    for position, field in enumerate(fields):
        states = _extended(states, _union_sizes(fields[: position + 1]), len(field), channels)
    return sum(states.values())


def _extended(
    states: dict[tuple[int, ...], int], room: list[int], most: int, channels: int
) -> dict[tuple[int, ...], int]:
    """Choose hyperplanes at one more position; a state holds how many every set of them has."""
    extended: dict[tuple[int, ...], int] = {}
    for state, ways in states.items():
        for t in range(min(channels, most) + 1):
            new = state + tuple(chosen + t for chosen in state)
            if all(chosen <= seen for chosen, seen in zip(new, room, strict=True)):
                extended[new] = extended.get(new, 0) + ways * comb(channels, t)
    return extended


def _union_sizes(fields: Sequence[set[int]]) -> list[int]:
    unions: list[set[int]] = [set()]
    for field in fields:
        unions += [union | field for union in unions]
    return [len(union) for union in unions]


def _checked_fields(
    shape: Shape, size: tuple[int, int], channels: int, stride: int
) -> list[tuple[slice, slice]]:
    _check_convolution(shape, size, channels, stride)
    return list(_fields(shape, size, stride))


def _fields(shape: Shape, size: tuple[int, int], stride: int) -> Iterator[tuple[slice, slice]]:
    for i, j in product(*(range(0, shape[k] - size[k] + 1, stride) for k in (0, 1))):
        yield slice(i, i + size[0]), slice(j, j + size[1])


def _check_convolution(shape: Shape, size: tuple[int, int], channels: int, stride: int) -> None:
    at_least(1, channels=channels, stride=stride)
    each_at_least(1, input_shape=shape, filter_size=size)
    if len(shape) != 3 or len(size) != 2:
        raise OptionError(
            f"input_shape={shape} and filter_size={size}: give height, width and channels of the "
            "input, height and width of the filter"
        )
    if size[0] > shape[0] or size[1] > shape[1]:
        raise OptionError(f"a filter of {_by(size)} does not fit into an input of {_by(shape)}")
    positions = prod((shape[k] - size[k]) // stride + 1 for k in (0, 1))
    if positions > _MOST_POSITIONS:
        raise OptionError(
            f"{positions} positions: the count is given for at most {_MOST_POSITIONS}, use a "
            "larger stride or a smaller input"
        )


def _by(sizes: Sequence[int]) -> str:
    return "×".join(map(str, sizes))
