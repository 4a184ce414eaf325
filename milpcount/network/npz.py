"""The ``.npz`` format: every network, exactly.

Keys ``W0, b0, W1, b1, ..`` hold the affine maps, weights of shape (outputs, inputs). Alone they
mean a ReLU after all but the last. The optional key ``metadata`` is JSON text::

    {"activations": ["relu", "leaky_relu(0.1)", ..], "output": true}

with one activation per hidden layer, and whether the last map is the affine output layer. An
activation is a name that `parse_activation` reads, or a table of rows and pieces. Further keys in
the metadata are for the user's own notes. The optional key ``leaky_alpha`` gives one slope per
hidden layer instead.
"""

import json
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from milpcount.errors import FileFormatError, NetworkError
from milpcount.network.activation import (
    Activation,
    Piece,
    Row,
    leaky_relu,
    parse_activation,
)
from milpcount.network.affine import Dense
from milpcount.network.network import Layer, Network

_KEYS = "W0, b0, W1, b1, .. and optionally metadata or leaky_alpha"


def read_npz(path: Path) -> Network:
    """Return the network in an ``.npz`` file; nothing in it is unpickled.

    Raises
    ------
    FileFormatError
        If the file is corrupt, holds other keys than those of the format, or its metadata does
        not fit.
    NetworkError
        If a number is not finite or the shapes do not chain.
    """
    arrays = _read_arrays(path)
    metadata = _read_metadata(arrays)
    maps = _read_maps(arrays)
    has_output = metadata.get("output", True)
    if not isinstance(has_output, bool):
        raise FileFormatError(f"metadata with output {has_output!r}: true or false is needed")
    hidden = maps[:-1] if has_output else maps
    activations = _read_activations(arrays, metadata, len(hidden))
    layers = tuple(Layer(m, a) for m, a in zip(hidden, activations, strict=True))
    return Network(layers, maps[-1] if has_output else None)


def write_npz(network: Network, stream: BinaryIO) -> None:
    """Write a network so that `read_npz` returns one with the same fingerprint."""
    maps = [layer.affine for layer in network.layers]
    if network.output is not None:
        maps.append(network.output)
    metadata = {
        "activations": [_to_record(layer.activation) for layer in network.layers],
        "output": network.output is not None,
    }
    arrays: dict[str, Any] = {"metadata": np.array(json.dumps(metadata))}
    for number, affine in enumerate(maps):
        arrays[f"W{number}"], arrays[f"b{number}"] = affine.weight, affine.bias
    np.savez(stream, **arrays)


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        # Opened here: numpy leaves a broken archive open.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (
        AttributeError,  # a bare .npy array is no archive
        EOFError,
        NotImplementedError,
        OSError,
        TypeError,
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise FileFormatError(
            f"not a readable .npz archive of numbers ({error}): it may be truncated; "
            "write it with numpy.savez"
        ) from None


def _read_metadata(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    if "metadata" not in arrays:
        return {}
    try:
        metadata = json.loads(str(arrays["metadata"]))
    except ValueError as error:
        raise FileFormatError(f"metadata is not JSON: {error}") from None
    if not isinstance(metadata, dict):
        raise FileFormatError(f"metadata is a {type(metadata).__name__}: an object is needed")
    return metadata


def _read_maps(arrays: dict[str, np.ndarray]) -> list[Dense]:
    numbers = {key for key in arrays if re.fullmatch(r"[Wb](0|[1-9]\d*)", key)}
    needed = {f"{kind}{i}" for i in range(max(1, (len(numbers) + 1) // 2)) for kind in "Wb"}
    # An array that is not understood may change what the network computes.
    foreign = sorted(set(arrays) - numbers - {"metadata", "leaky_alpha"})
    if foreign or numbers != needed:
        wrong = f"{foreign[0]!r} is not known" if foreign else f"keys {sorted(numbers)}"
        raise FileFormatError(f"{wrong}: an .npz network has the keys {_KEYS}")
    return [_read_map(arrays, i) for i in range(len(needed) // 2)]


def _read_map(arrays: dict[str, np.ndarray], number: int) -> Dense:
    for key in (f"W{number}", f"b{number}"):
        if not np.can_cast(arrays[key].dtype, np.float64, "safe"):
            raise FileFormatError(
                f"{key} has type {arrays[key].dtype}: float32 or float64 is needed"
            )
    try:
        return Dense(arrays[f"W{number}"], arrays[f"b{number}"])
    except NetworkError as error:
        raise NetworkError(f"W{number}, b{number}: {error}") from None


def _read_activations(
    arrays: dict[str, np.ndarray], metadata: dict[str, Any], layers: int
) -> list[Activation]:
    if "leaky_alpha" in arrays:
        slopes = arrays["leaky_alpha"].ravel().tolist()
        found = [leaky_relu(slope) for slope in slopes]
    else:
        given = metadata.get("activations", ["relu"] * layers)
        if not isinstance(given, list):
            raise FileFormatError(f"activations {given!r}: a list is needed")
        found = [_from_record(record) for record in given]
    if len(found) != layers:
        raise FileFormatError(
            f"{len(found)} activations for {layers} hidden layers: one for each is needed"
        )
    return found


def _to_record(activation: Activation) -> Any:
    try:
        if parse_activation(activation.name) == activation:
            return activation.name
    except NetworkError:
        pass  # a name of the user's own
    return {
        "name": activation.name,
        "rank": activation.rank,
        "rows": [[row.a, row.b, row.threshold] for row in activation.rows],
        "pieces": [[p.value, p.slope, p.intercept, p.literals] for p in activation.pieces],
    }


def _from_record(record: Any) -> Activation:
    if isinstance(record, str):
        return parse_activation(record)
    try:
        rows = tuple(Row(a, b, float(t)) for a, b, t in record["rows"])
        pieces = tuple(
            Piece(v, float(s), float(i), tuple((row, sign) for row, sign in literals))
            for v, s, i, literals in record["pieces"]
        )
        return Activation(str(record["name"]), int(record["rank"]), rows, pieces)
    except (KeyError, TypeError, ValueError) as error:
        raise FileFormatError(
            f"activation {record!r} cannot be read ({error!r}): give a name or a table with "
            "name, rank, rows and pieces"
        ) from None
