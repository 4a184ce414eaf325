"""The explicit piecewise affine law of a network: rows and maps of all regions, for other tools.

The law is ``y = C t + d`` where ``A t <= b``, in the parameters t of the domain (the inputs
themselves in a box without fixed inputs, in a polytope and in all of space).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from milpcount.network.paths import write_atomically

if TYPE_CHECKING:
    from milpcount.partitions.partition import Partition


def pieces(partition: "Partition") -> Iterator[dict[str, Any]]:
    """Yield the rows and the map of each region, in float64."""
    for i in range(len(partition)):
        rows = partition.rows(i)
        slopes, offset = partition.affine_map(i)
        yield {"A": rows.A, "b": rows.b, "C": slopes, "d": offset}


def _about(partition: "Partition") -> dict[str, Any]:
    inputs = partition.inputs
    return {
        "format": "piecewise affine law: y = C t + d where A t <= b; x = origin + directions t",
        "network": partition.network.title,
        "fingerprint": partition.network.fingerprint,
        "domain": partition.domain.title,
        "origin": inputs.origin.astype(np.float64),
        "directions": inputs.directions.astype(np.float64),
    }


def write_mat(partition: "Partition", path: Path) -> None:
    """Write the law as a MATLAB file: cell arrays A, b, C and d with one entry a region."""
    from scipy.io import savemat

    cells: dict[str, Any] = {
        name: np.empty((len(partition), 1), dtype=object) for name in ("A", "b", "C", "d")
    }
    for i, piece in enumerate(pieces(partition)):
        for name, value in piece.items():
            cells[name][i, 0] = value if value.ndim == 2 else value[:, None]

    def write(stream: BinaryIO) -> None:
        savemat(stream, cells | _about(partition), do_compression=True)

    write_atomically(path, write)


def write_json(partition: "Partition", path: Path) -> None:
    """Write the law as JSON: a list of regions with A, b, C and d, and their patterns."""
    record = {name: _plain(value) for name, value in _about(partition).items()}
    record["regions"] = [
        {"pattern": list(partition.pattern(i))} | {n: v.tolist() for n, v in piece.items()}
        for i, piece in enumerate(pieces(partition))
    ]

    def write(stream: BinaryIO) -> None:
        stream.write(json.dumps(record, allow_nan=False).encode())

    write_atomically(path, write)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value
