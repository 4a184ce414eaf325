"""The arrays of kept regions on their way into a file: witnesses batch by batch.

Witnesses may be computed as they are read, and all of them at once may not fit into memory.
"""

import zipfile
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy

from milpcount.errors import OptionError
from milpcount.network import Network
from milpcount.region_files.domains import text
from milpcount.result import Region, patterns_of
from milpcount.types import Array

_BATCH = 256


class Batch(NamedTuple):
    """Some regions, one after the other.

    Attributes
    ----------
    regions : list of Region
    points : ndarray, shape (regions, width)
        Float64, rounded where that is no point of the region.
    rationals : dict of int to list of str
        Points that float64 rounds, as text, by their place in the batch.
    """

    regions: list[Region]
    points: Array
    rationals: dict[int, list[str]]


class Points:
    """The points of kept regions as a file holds them, read once.

    Parameters
    ----------
    regions : sequence of Region
        All on sections, or none.
    n_inputs : int

    Attributes
    ----------
    name : str
        ``witnesses``, or ``parameters`` of regions on sections.
    width : int
        Numbers of a point.
    """

    def __init__(self, regions: Sequence[Region], n_inputs: int) -> None:
        waiting = iter(regions)
        first = next(waiting, None)
        on_section = first is not None and first.parameters is not None
        self.name = "parameters" if on_section else "witnesses"
        self.width = n_inputs
        if first is not None and first.parameters is not None:
            self.width = len(first.parameters)
        self._on_section = on_section
        self._waiting: Iterator[Region] = chain([] if first is None else [first], waiting)

    def batches(self, size: int = _BATCH) -> Iterator[Batch]:
        """Yield the regions, `size` at a time.

        Raises
        ------
        OptionError
            If some regions are on sections and some are not.
        """
        while batch := list(islice(self._waiting, size)):
            if any((r.parameters is not None) != self._on_section for r in batch):
                raise OptionError("regions on sections and others do not go into one file")
            points = [r.parameters if self._on_section else r.witness for r in batch]
            rationals = {
                i: [text(v) for v in point]
                for i, point in enumerate(points)
                if point is not None and point.dtype == object
            }
            yield Batch(
                batch, np.array(points, dtype="<f8").reshape(len(batch), self.width), rationals
            )


def pieces_type(network: Network) -> "np.dtype[Any]":
    """Return the type of pieces in a file: the smallest that fits the network's units."""
    most = max((int(layer.n_pieces.max()) for layer in network.layers), default=1)
    return np.dtype(np.min_scalar_type(most))


def write_array(archive: zipfile.ZipFile, name: str, array: Array) -> None:
    """Write an array as a member of an archive that `numpy.load` reads."""
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        npy.write_array(member, np.asanyarray(array), allow_pickle=False)


def write_regions(
    archive: zipfile.ZipFile, regions: Sequence[Region], network: Network
) -> dict[str, Array]:
    """Write the points of regions, and return the other arrays that the file has of them.

    Parameters
    ----------
    archive : ZipFile
    regions : sequence of Region
        All on sections, or none.
    network : Network

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    OptionError
        If some regions are on sections and some are not.
    """
    points = Points(regions, network.n_inputs)
    index: list[int] = []
    texts: list[list[str]] = []
    done = 0
    with archive.open(f"{points.name}.npy", "w", force_zip64=True) as member:
        header = {"descr": "<f8", "fortran_order": False, "shape": (len(regions), points.width)}
        npy.write_array_header_1_0(member, header)
        for batch in points.batches():
            index += [done + place for place in batch.rationals]
            texts += batch.rationals.values()
            member.write(batch.points.tobytes())
            done += len(batch.regions)
    patterns = np.empty((len(regions), network.n_units), dtype=pieces_type(network))
    for row, pattern in zip(patterns, patterns_of(regions), strict=True):
        row[:] = pattern
    arrays: dict[str, Array] = {"patterns": patterns}
    if index:
        arrays["rational_index"] = np.array(index, dtype=np.int64)
        arrays["rational_points"] = np.array(texts, dtype=np.str_)
    return arrays
