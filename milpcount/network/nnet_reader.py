"""Reader of the ``.nnet`` text format (Julian 2016): ReLU networks with input normalisation.

After comment lines (``//``) come the number of layers, the sizes, a flag that is not used, the
inputs' minima, maxima, means and ranges (means and ranges with one more for the outputs), then
for each layer the rows of its weight and the entries of its bias. Older headers list more values
than there are inputs: the first ones and, for the outputs, the last apply.
"""

import reprlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from milpcount import caps
from milpcount.errors import FileFormatError, NetworkError
from milpcount.integers import human
from milpcount.network.activation import relu
from milpcount.network.affine import Dense, Elementwise
from milpcount.network.composite import compose
from milpcount.network.layer import Layer
from milpcount.network.network import Network
from milpcount.network.paths import existing_file, read_text
from milpcount.network.sparse import Factor

_HEADER = ("counts", "sizes", "flag", "minima", "maxima", "means", "ranges")


@dataclass(frozen=True)
class _Lines:
    """The lines of a file that are neither empty nor comments, with their numbers."""

    text: list[str]
    number: list[int]

    def row(self, index: int) -> list[float]:
        """Return the numbers of a line, or raise FileFormatError."""
        fields = self.text[index].rstrip(", \t").split(",")
        try:
            return [float(field) for field in fields]
        except ValueError as error:
            raise FileFormatError(f"line {self.number[index]}: {error}") from None


def read_nnet(path: str | Path) -> Network:
    """Return the network in a ``.nnet`` file, in raw input and output coordinates.

    The normalisation ``(x - mean) / range`` is composed with the first layer and that of the
    outputs with the last, without rounding; ranges that are all 0 or negative mean that there is
    none. The format also clips inputs to its minima and maxima, which would add units at the
    borders of the box: this is left out, so the network is the file's within that box and its
    continuation outside.

    Raises
    ------
    FileFormatError
        If the file is missing, truncated, or has a line that does not fit its header.
    NetworkError
        If a number is not finite.
    """
    lines = _read_lines(path)
    sizes = _read_sizes(lines)
    maps = _read_maps(lines, sizes)
    scaling = _read_scaling(lines, sizes[0])
    factors: list[list[Factor]] = [[m] for m in maps]
    if scaling is not None:
        means, ranges = scaling
        n, m = sizes[0], sizes[-1]
        factors[0].insert(0, Elementwise(np.ones(n), -means[:n], ranges[:n]))
        stretch = (np.full(m, ranges[-1]), np.full(m, means[-1]), np.ones(m))
        factors[-1].append(Elementwise(*stretch))
    *hidden, output = (compose(row) for row in factors)
    return Network(tuple(Layer(affine, relu()) for affine in hidden), output)


def read_bounds(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the minima and maxima of the inputs from the header of a ``.nnet`` file.

    Returns
    -------
    tuple of ndarray, each of shape (n_inputs,)

    Raises
    ------
    FileFormatError
        If the file is missing or truncated, or its header holds placeholders instead of bounds.
    """
    lines = _read_lines(path)
    n = _read_sizes(lines)[0]
    lower, upper = lines.row(3)[:n], lines.row(4)[:n]
    if len(lower) < n or len(upper) < n or lower == upper:
        raise FileFormatError(
            f"its header bounds no box ({len(lower)} minima and {len(upper)} maxima for "
            f"{n} inputs, from {min(lower)} to {max(upper)}): give the box yourself"
        )
    return np.array(lower), np.array(upper)


def _read_lines(path: str | Path) -> _Lines:
    text = read_text(existing_file(path, "a .nnet file"))
    kept = [
        (line.strip(), number)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("//")
    ]
    if len(kept) < len(_HEADER):
        raise FileFormatError(
            f"{len(kept)} lines where the header alone has {len(_HEADER)} "
            f"({', '.join(_HEADER)}): the file is truncated or not an .nnet file"
        )
    # A number cut short still reads as a number: only the line's end tells that it is whole.
    if not text.endswith(("\n", "\r")) and not text.rstrip(" ").endswith(","):
        raise FileFormatError(
            "the last line is not ended: the file may be truncated; if it is complete, end it "
            "with a line break"
        )
    return _Lines([line for line, _ in kept], [number for _, number in kept])


def _read_sizes(lines: _Lines) -> list[int]:
    layers, sizes = lines.row(0)[0], lines.row(1)
    if layers != len(sizes) - 1 or any(not s.is_integer() or s < 1 for s in sizes):
        raise FileFormatError(
            f"line {lines.number[1]}: sizes {reprlib.repr(lines.text[1])} for {layers:g} layers; "
            "one positive integer more than layers is needed"
        )
    caps.LAYERS.check(len(sizes) - 1, f"line {lines.number[0]}")
    found = [int(s) for s in sizes]
    numbers = sum(b * (a + 1) for a, b in pairwise(found))
    caps.NUMBERS.check(numbers, f"line {lines.number[1]}, the sizes")
    # A digit and a comma each; before anything of that size is made.
    held = sum(map(len, lines.text))
    if 2 * numbers > held + len(lines.text):
        raise FileFormatError(
            f"line {lines.number[1]}: sizes {reprlib.repr(found)} need {human(numbers)} numbers, "
            f"more than {held:,} characters can hold: the file is truncated"
        )
    return found


def _read_maps(lines: _Lines, sizes: list[int]) -> list[Dense]:
    rows = len(_HEADER) + 2 * sum(sizes[1:])
    if len(lines.text) != rows:
        kind = "truncated" if len(lines.text) < rows else "too long"
        raise FileFormatError(
            f"{len(lines.text)} lines, but sizes {reprlib.repr(sizes)} need {rows} (7 of header, "
            f"a line for each row of a weight and each entry of a bias): the file is {kind}"
        )
    maps, at = [], len(_HEADER)
    for number, (n_in, n_out) in enumerate(pairwise(sizes), start=1):
        weight = _read_block(lines, at, n_out, n_in)
        bias = _read_block(lines, at + n_out, n_out, 1)
        try:
            maps.append(Dense(weight, bias[:, 0]))
        except NetworkError as error:
            raise NetworkError(f"layer {number}: {error}") from None
        at += 2 * n_out
    return maps


def _read_block(lines: _Lines, start: int, n_rows: int, n_columns: int) -> np.ndarray:
    block = np.empty((n_rows, n_columns))
    for offset in range(n_rows):
        row = lines.row(start + offset)
        if len(row) != n_columns:
            raise FileFormatError(
                f"line {lines.number[start + offset]} has {len(row)} numbers where {n_columns} "
                "are needed"
            )
        block[offset] = row
    return block


def _read_scaling(lines: _Lines, n: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return means and ranges, n for the inputs and the last for the outputs; None if unused."""
    means, ranges = lines.row(5), lines.row(6)
    if all(r <= 0 for r in ranges):
        return None
    if len(means) <= n or len(ranges) <= n:
        raise FileFormatError(
            f"{len(means)} means and {len(ranges)} ranges: {n + 1} of each are needed, for {n} "
            "inputs and the outputs; ranges of 0 if inputs are not normalised"
        )
    used = np.array([*ranges[:n], ranges[-1]])
    if not (used > 0).all() or not np.isfinite(used).all():
        raise FileFormatError(
            f"line {lines.number[6]}: range {used[~((used > 0) & np.isfinite(used))][0]:g}; ranges "
            "must be positive, or all 0 if inputs are not normalised"
        )
    return np.array(means), np.array(ranges)
