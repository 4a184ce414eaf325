"""Convolutions of 3 x 3 with a quarter of the products, for values without bounds on errors.

Four by four outputs of such a convolution need 144 products for each pair of channels, and 36 in
the form of Winograd (1980; Lavin & Gray, "Fast algorithms for convolutional neural networks", 2016,
F(4x4, 3x3)): ``Y = A' [(G g G') * (B' d B)] A`` for a tile d of 6 x 6 inputs, where the products
marked * are, summed over channels, 36 products of matrices. Its roundings are a few ten times those
of a sum of products, about 1e-14 of the largest value: far below any tolerance that
`milpcount.sections.walk` takes it for, but not within the bounds on errors that it keeps where it
can.

Of images of up to four pixels the convolution is a matrix that has hardly a zero.
"""

from math import prod
from typing import Any

import numpy as np

from milpcount.network.product_kernel import compiled
from milpcount.network.torch_modules import import_torch
from milpcount.types import Array

_SCRATCH = 3 << 20
"""Numbers of the tiles that are worked on at once: they stay in a processor's cache."""
_PIXELS = 4
"""Up to so many the convolution is written out as a matrix."""
_KERNEL = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)
"""G of Lavin & Gray, for the points 0, 1, -1, 2, -2 and infinity."""


class FastConvolution:
    """A convolution of 3 x 3, stride 1, with a border of zeros, on a CPU.

    Parameters
    ----------
    weight : torch.Tensor, shape (outputs, inputs, 3, 3)
        Of float64.
    bias : torch.Tensor, shape (outputs,), or None
    height, width : int
        Of the image.
    """

    def __init__(self, weight: Any, bias: Any, height: int, width: int) -> None:
        torch = self._torch = import_torch()
        self._outputs, self._inputs = weight.shape[:2]
        self._height, self._width = height, width
        self._bias = np.zeros(self._outputs) if bias is None else bias.numpy()
        self._tiles = -(-height // 4) * -(-width // 4)
        self._matrix = None
        if height * width <= _PIXELS:
            pixels = torch.eye(height * width, dtype=torch.float64)
            units = pixels.reshape(height * width, 1, height, width)
            # A kernel's outputs for an image of one pixel, for every pair of channels.
            pairs = weight.reshape(-1, 1, 3, 3)
            taps = torch.nn.functional.conv2d(units, pairs, padding=1)
            taps = taps.reshape(height * width, self._outputs, self._inputs, -1)
            self._matrix = taps.permute(2, 0, 1, 3).reshape(
                self._inputs * height * width, self._outputs * height * width
            )
            return
        g = torch.from_numpy(_KERNEL)
        spectrum = torch.einsum("ai,bj,ocij->aboc", g, g, weight)
        self._spectrum = spectrum.reshape(36, self._outputs, self._inputs).contiguous()

    @classmethod
    def of(cls, arguments: dict[str, Any], shape: tuple[int, ...]) -> "FastConvolution | None":
        """Return it for the operator's arguments and the shape of one input, if it is such."""
        weight, torch = arguments["weight"], import_torch()
        if not isinstance(weight, torch.Tensor) or weight.device.type != "cpu":
            return None
        plain = all(
            list(arguments[name]) == [value, value]
            for name, value in (("stride", 1), ("padding", 1), ("dilation", 1))
            if len(arguments[name]) == 2
        )
        fits = weight.dim() == 4 and weight.shape[2:] == (3, 3) and len(shape) == 4
        if not (fits and plain) or arguments["transposed"] or arguments["groups"] != 1:
            return None
        if prod(weight.shape[:2]) < 64 or weight.dtype != torch.float64:
            return None  # so few channels that the tiles cost more than the products
        return cls(weight, arguments["bias"], shape[2], shape[3])

    def __call__(self, values: Any) -> Any:
        """Return the convolution of images, one a row: (points, outputs * height * width)."""
        torch, n = self._torch, len(values)
        if self._matrix is not None:
            bias = np.repeat(self._bias, self._height * self._width)
            return torch.addmm(torch.from_numpy(bias), values, self._matrix)
        found = np.empty((n, self._outputs * self._height * self._width))
        channels = max(self._inputs, self._outputs)
        block = min(n, max(1, _SCRATCH // (36 * channels * self._tiles)))
        x = values.numpy()
        for first in range(0, n, block):
            rows = x[first : first + block]
            columns = len(rows) * self._tiles
            tiles = torch.empty((36, self._inputs, columns), dtype=torch.float64)
            made = torch.empty((36, self._outputs, columns), dtype=torch.float64)
            _to_tiles(rows, self._inputs, self._height, self._width, tiles.numpy())
            torch.bmm(self._spectrum, tiles, out=made)
            out = found[first : first + block]
            _from_tiles(made.numpy(), self._bias, self._height, self._width, out)
        return torch.from_numpy(found)


@compiled
def _to_tiles(x: Array, channels: int, height: int, width: int, tiles: Array) -> None:
    """Write ``B' d B`` of every tile d; shapes (points, numbers), (36, channels, tiles)."""
    down, across = (height + 3) // 4, (width + 3) // 4
    d, half = np.zeros((6, 6)), np.zeros((6, 6))
    # A channel's tiles are put together here: rows that are far apart share few lines of a cache.
    own = np.empty((36, tiles.shape[2] + 8))
    for c in range(channels):
        column = 0
        for point in range(x.shape[0]):
            image = x[point, c * height * width : (c + 1) * height * width]
            for i in range(down):
                for j in range(across):
                    for r in range(6):
                        y = 4 * i + r - 1
                        for s in range(6):
                            z = 4 * j + s - 1
                            inside = 0 <= y < height and 0 <= z < width
                            d[r, s] = image[y * width + z] if inside else 0.0
                    for s in range(6):
                        a, b = d[4, s] - 4 * d[2, s], d[3, s] - 4 * d[1, s]
                        e, f = d[4, s] - d[2, s], 2 * (d[3, s] - d[1, s])
                        half[0, s] = 4 * d[0, s] - 5 * d[2, s] + d[4, s]
                        half[1, s], half[2, s] = a + b, a - b
                        half[3, s], half[4, s] = e + f, e - f
                        half[5, s] = 4 * d[1, s] - 5 * d[3, s] + d[5, s]
                    for r in range(6):
                        h = half[r]
                        a, b = h[4] - 4 * h[2], h[3] - 4 * h[1]
                        e, f = h[4] - h[2], 2 * (h[3] - h[1])
                        own[6 * r, column] = 4 * h[0] - 5 * h[2] + h[4]
                        own[6 * r + 1, column] = a + b
                        own[6 * r + 2, column] = a - b
                        own[6 * r + 3, column] = e + f
                        own[6 * r + 4, column] = e - f
                        own[6 * r + 5, column] = 4 * h[1] - 5 * h[3] + h[5]
                    column += 1
        tiles[:, c] = own[:, :column]


@compiled
def _from_tiles(made: Array, bias: Array, height: int, width: int, out: Array) -> None:
    """Write ``A' m A`` of every tile m into images."""
    down, across = (height + 3) // 4, (width + 3) // 4
    half = np.zeros((4, 6))
    line = np.zeros(4)
    own = np.empty((36, made.shape[2] + 8))
    for o in range(made.shape[1]):
        own[:, : made.shape[2]] = made[:, o]
        column = 0
        for point in range(out.shape[0]):
            image = out[point, o * height * width : (o + 1) * height * width]
            for i in range(down):
                for j in range(across):
                    for s in range(6):
                        a = own[6 + s, column] + own[12 + s, column]
                        b = own[6 + s, column] - own[12 + s, column]
                        e = own[18 + s, column] + own[24 + s, column]
                        f = own[18 + s, column] - own[24 + s, column]
                        half[0, s] = own[s, column] + a + e
                        half[1, s] = b + 2 * f
                        half[2, s] = a + 4 * e
                        half[3, s] = b + 8 * f + own[30 + s, column]
                    for r in range(min(4, height - 4 * i)):
                        h = half[r]
                        a, b, e, f = h[1] + h[2], h[1] - h[2], h[3] + h[4], h[3] - h[4]
                        line[0], line[1] = h[0] + a + e, b + 2 * f
                        line[2], line[3] = a + 4 * e, b + 8 * f + h[5]
                        at = (4 * i + r) * width + 4 * j
                        for s in range(min(4, width - 4 * j)):
                            image[at + s] = line[s] + bias[o]
                    column += 1
