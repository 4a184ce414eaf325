"""The arrays of kept regions on their way into a file: witnesses batch by batch.

Witnesses may be computed as they are read, and all of them at once may not fit into memory.
"""

import zipfile
from collections.abc import Sequence
from itertools import chain, islice

import numpy as np
from numpy.lib import format as npy

from milpcount.errors import OptionError
from milpcount.network import Network
from milpcount.region_files.domains import text
from milpcount.result import Region, patterns_of

Array = np.ndarray

_BATCH = 256


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
    waiting = iter(regions)
    first = next(waiting, None)
    on_section = first is not None and first.parameters is not None
    width = network.n_inputs
    if first is not None and first.parameters is not None:
        width = len(first.parameters)
    index: list[int] = []
    texts: list[list[str]] = []
    done = 0
    name = "parameters" if on_section else "witnesses"
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        header = {"descr": "<f8", "fortran_order": False, "shape": (len(regions), width)}
        npy.write_array_header_1_0(member, header)
        waiting = chain([] if first is None else [first], waiting)
        while batch := list(islice(waiting, _BATCH)):
            if any((r.parameters is not None) != on_section for r in batch):
                raise OptionError("regions on sections and others do not go into one file")
            points = [r.parameters if on_section else r.witness for r in batch]
            for i, point in enumerate(points):
                if point is not None and point.dtype == object:
                    index.append(done + i)
                    texts.append([text(v) for v in point])
            member.write(np.array(points, dtype="<f8").reshape(len(batch), width).tobytes())
            done += len(batch)
    pieces = max((int(layer.n_pieces.max()) for layer in network.layers), default=1)
    patterns = np.empty((len(regions), network.n_units), dtype=np.min_scalar_type(pieces))
    for row, pattern in zip(patterns, patterns_of(regions), strict=True):
        row[:] = pattern
    arrays: dict[str, Array] = {"patterns": patterns}
    if index:
        arrays["rational_index"] = np.array(index, dtype=np.int64)
        arrays["rational_points"] = np.array(texts, dtype=np.str_)
    return arrays
