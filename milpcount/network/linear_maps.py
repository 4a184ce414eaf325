"""The sparse matrices of the linear operators that ONNX and PyTorch have in common.

All act on tensors in row-major order. A convolution or a pooling is a table of *windows*: the
places of an image that each output place looks at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from scipy import sparse

from milpcount.errors import NetworkError
from milpcount.network.affine_tensor import check_size
from milpcount.network.by_rows import canonical
from milpcount.types import Array


@dataclass(frozen=True)
class Windows:
    """What each output place of a convolution or pooling looks at.

    Attributes
    ----------
    shape : tuple of int
        Of the output image.
    places : ndarray of int, shape (output places, places of the kernel)
        Of the input image, row-major; -1 is outside.
    padded : ndarray of int, shape (output places,)
        How many of them are in the image or its declared padding.
    """

    shape: tuple[int, ...]
    places: Array
    padded: Array


def windows(
    image: Sequence[int],
    kernel: Sequence[int],
    *,
    strides: Sequence[int] | None = None,
    dilations: Sequence[int] | None = None,
    pads: Sequence[int] | None = None,
    ceil_mode: bool = False,
) -> Windows:
    """Return the windows of a kernel that moves over an image of any dimension.

    Parameters
    ----------
    image, kernel : sequence of int
        Sizes.
    strides, dilations : sequence of int, optional
        1 by default.
    pads : sequence of int, optional
        What is added before, then after each axis; nothing by default.
    ceil_mode : bool
        Whether the last window may reach beyond the image, as long as it begins within it or the
        padding before it.

    Raises
    ------
    NetworkError
        If the kernel does not fit.
    """
    n = len(image)
    strides, dilations = strides or [1] * n, dilations or [1] * n
    pads = pads or [0] * (2 * n)
    if not n == len(kernel) == len(strides) == len(dilations) == len(pads) // 2:
        raise NetworkError(f"a kernel of {len(kernel)} dimensions over an image of {n}")
    if min([*strides, *dilations, *kernel]) < 1 or min(pads) < 0:
        raise NetworkError("strides, dilations and kernels must be positive, pads not negative")
    lines, inside = [], []
    for size, k, step, gap, before, after in zip(
        image, kernel, strides, dilations, pads[:n], pads[n:], strict=True
    ):
        room = size + before + after - gap * (k - 1) - 1
        if room < 0:
            raise NetworkError(f"its kernel does not fit an image of shape {tuple(image)}")
        count = room // step + 1
        if ceil_mode and room % step and count * step < size + before:
            count += 1
        check_size(count * k, (count, k))
        line = np.arange(count)[:, None] * step + np.arange(k) * gap - before
        lines.append(line)
        inside.append(line < size + after)
    shape = tuple(len(line) for line in lines)
    check_size(prod(shape) * prod(kernel), (*shape, *kernel))
    places = np.zeros((*shape, *kernel), dtype=np.int64)
    outside, padded = np.zeros(places.shape, dtype=bool), np.ones(places.shape, dtype=bool)
    for axis, (line, size) in enumerate(zip(lines, image, strict=True)):
        lined = [1] * (2 * n)
        lined[axis], lined[n + axis] = line.shape
        moved = line.reshape(lined)
        places = places * size + moved
        outside |= (moved < 0) | (moved >= size)
        padded &= inside[axis].reshape(lined)
    places[outside] = -1
    flat = (prod(shape), prod(kernel))
    return Windows(shape, places.reshape(flat), padded.reshape(flat).sum(axis=1))


def same_pads(
    image: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int],
    *, upper: bool,
) -> list[int]:  # fmt: skip
    """Return the pads with which an output has the size of the image divided by the strides."""
    totals = [
        max(0, (-(-size // step) - 1) * step + (k - 1) * gap + 1 - size)
        for size, k, step, gap in zip(image, kernel, strides, dilations, strict=True)
    ]
    small, large = [t // 2 for t in totals], [t - t // 2 for t in totals]
    return [*small, *large] if upper else [*large, *small]


def convolution(
    batch: int, image: int, weight: Array, seen: Windows, groups: int
) -> sparse.csr_array:
    """Return the matrix of a convolution.

    Parameters
    ----------
    batch : int
        Number of inputs.
    image : int
        Places of an input image.
    weight : ndarray, shape (channels out, channels in of a group, *kernel)
    seen : Windows
    groups : int

    Returns
    -------
    scipy.sparse.csr_array
        From a tensor (batch, channels in, image) to (batch, channels out, output places).
    """
    out, of_group = weight.shape[:2]
    taps = weight.reshape(out, of_group, -1)
    n_out, n_in = len(seen.places), groups * of_group
    check_size(taps.size * n_out, (out, *seen.shape))
    place, tap = np.nonzero(seen.places >= 0)
    at = seen.places[place, tap]
    channel = np.arange(out)[:, None, None]
    source = channel // (out // groups) * of_group + np.arange(of_group)[None, :, None]
    shape = (out, of_group, at.size)
    rows = np.broadcast_to(channel * n_out + place, shape).ravel()
    columns = np.broadcast_to(source * image + at, shape).ravel()
    one = sparse.csr_array(
        (taps[:, :, tap].ravel(), (rows, columns)), shape=(out * n_out, n_in * image)
    )
    return canonical(one if batch == 1 else sparse.block_diag([one] * batch, format="csr"))


def pooling(planes: int, image: int, seen: Windows) -> sparse.csr_array:
    """Return the matrix that adds up the windows of each plane of an image."""
    ones = np.ones((1, 1, seen.places.shape[1]))
    return convolution(planes, image, ones, seen, 1)


def gathered_windows(planes: int, image: int, seen: Windows) -> list[Array]:
    """Return the entries in each window of each plane, in order."""
    inside = [row[row >= 0] for row in seen.places]
    return [row + plane * image for plane in range(planes) for row in inside]


def product(
    shape: Sequence[int], constant: Array, *, constant_first: bool = False
) -> tuple[sparse.csr_array, tuple[int, ...]]:
    """Return the matrix that multiplies a tensor by a constant, as `numpy.matmul` does.

    Parameters
    ----------
    shape : sequence of int
        Of the tensor.
    constant : ndarray
    constant_first : bool
        Whether the constant stands on the left.

    Returns
    -------
    matrix : scipy.sparse.csr_array
    shape : tuple of int
        Of the product.
    """
    numbers = np.arange(prod(shape)).reshape(shape)
    pair = (constant, numbers) if constant_first else (numbers, constant)
    # Zeros only: numpy says what the shape is, or that they do not fit.
    found = np.matmul(*(np.broadcast_to(np.zeros(()), np.shape(v)) for v in pair)).shape
    left = pair[0][None] if pair[0].ndim == 1 else pair[0]
    right = pair[1][:, None] if pair[1].ndim == 1 else pair[1]
    lead = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    whole = (*lead, left.shape[-2], left.shape[-1], right.shape[-1])
    check_size(prod(whole), found)
    rows = np.arange(prod(found)).reshape(*lead, left.shape[-2], 1, right.shape[-1])
    a, b = left[..., :, :, None], right[..., None, :, :]
    columns, data = (b, a) if constant_first else (a, b)
    rows, columns, data = (np.broadcast_to(v, whole).ravel() for v in (rows, columns, data))
    kept = data != 0
    return (
        sparse.csr_array(
            (data[kept].astype(np.float64), (rows[kept], columns[kept])),
            shape=(prod(found), numbers.size),
        ),
        found,
    )


def reduction(
    shape: Sequence[int], axes: Sequence[int] | None, *, keep: bool
) -> tuple[list[Array], tuple[int, ...]]:
    """Return the entries that each entry of a sum, mean or maximum over axes takes, and its shape.

    Parameters
    ----------
    shape : sequence of int
    axes : sequence of int, optional
        All by default.
    keep : bool
        Whether the axes stay, with size 1.
    """
    rank = len(shape)
    over = sorted({axis % rank for axis in (range(rank) if axes is None else axes)})
    rest = [axis for axis in range(rank) if axis not in over]
    moved = np.arange(prod(shape)).reshape(shape).transpose([*rest, *over])
    found = [n for axis, n in enumerate(shape) if axis not in over]
    if keep:
        found = [1 if axis in over else n for axis, n in enumerate(shape)]
    return list(moved.reshape(prod(shape[a] for a in rest), -1)), tuple(found)


def sums(groups: Sequence[Array], size: int) -> sparse.csr_array:
    """Return the matrix that adds up groups of entries of a tensor of a size."""
    ends = np.concatenate([[0], np.cumsum([len(group) for group in groups])])
    indices = np.concatenate(groups)
    return canonical(
        sparse.csr_array((np.ones(indices.size), indices, ends), shape=(len(groups), size))
    )
