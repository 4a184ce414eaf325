"""The ``.npz`` format: every network, exactly.

Keys ``W0, b0, W1, b1, ..`` hold the affine maps, weights of shape (outputs, inputs). Alone they
mean a ReLU after all but the last. The optional key ``metadata`` is JSON text::

    {"activations": ["relu", "leaky_relu(0.1)", ..], "output": true}

with one activation per hidden layer, and whether the last map is the affine output layer. An
activation is a name that `parse_activation` reads, or a table of rows and pieces. Further keys in
the metadata are for the user's own notes; ``reader_notes`` are those of `Network.notes`. The
optional key ``leaky_alpha`` gives one slope per hidden layer instead.

An affine map i that is a product of factors, and no float64 matrix, has instead of ``Wi, bi`` the
keys of its factors j = 0, 1, .. in the order of their application: ``Wi.j, bi.j`` of a dense one,
and ``factori.j, shifti.j, divisori.j`` of one that maps every entry v by itself to
``(factor v + shift) / divisor``.
"""

import json
import re
import reprlib
import tokenize
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from milpcount import caps
from milpcount.errors import FileFormatError, InputError, NetworkError
from milpcount.network.activation import (
    Activation,
    Piece,
    Row,
    leaky_relu,
    parse_activation,
)
from milpcount.network.affine import Affine, Dense, Elementwise
from milpcount.network.composite import Composite, compose
from milpcount.network.layer import Layer
from milpcount.network.network import Network
from milpcount.network.sparse import Factor

_KEYS = "W0, b0, W1, b1, .. and optionally metadata or leaky_alpha"
_KEY = re.compile(r"(W|b|factor|shift|divisor)(0|[1-9]\d{0,5})(?:\.(0|[1-9]\d{0,5}))?")
_DENSE = ("W", "b")
_ELEMENTWISE = ("factor", "shift", "divisor")


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
    arrays = read_arrays(path)
    metadata = _read_metadata(arrays)
    maps = _read_maps(arrays)
    has_output = metadata.get("output", True)
    if not isinstance(has_output, bool):
        raise FileFormatError(
            f"metadata with output {reprlib.repr(has_output)}: true or false is needed"
        )
    hidden = maps[:-1] if has_output else maps
    activations = _read_activations(arrays, metadata, len(hidden))
    layers = tuple(Layer(m, a) for m, a in zip(hidden, activations, strict=True))
    notes = metadata.get("reader_notes", [])
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise FileFormatError(f"metadata with reader_notes {notes!r}: a list of texts is needed")
    return Network(layers, maps[-1] if has_output else None, tuple(notes))


def write_npz(network: Network, stream: BinaryIO) -> None:
    """Write a network so that `read_npz` returns one with the same fingerprint."""
    maps = [layer.affine for layer in network.layers]
    if network.output is not None:
        maps.append(network.output)
    metadata = {
        "activations": [_to_record(layer.activation) for layer in network.layers],
        "output": network.output is not None,
    }
    if network.notes:
        metadata["reader_notes"] = list(network.notes)
    arrays: dict[str, Any] = {"metadata": np.array(json.dumps(metadata))}
    for number, affine in enumerate(maps):
        if isinstance(affine, Composite):
            for k, factor in enumerate(affine.factors):
                arrays |= _factor_arrays(factor, f"{number}.{k}")
        else:
            arrays |= {f"W{number}": affine.weight, f"b{number}": affine.bias}
    np.savez(stream, **arrays)


def _factor_arrays(factor: Factor, suffix: str) -> dict[str, np.ndarray]:
    names = _DENSE if isinstance(factor, Dense) else _ELEMENTWISE
    attributes = ("weight", "bias") if isinstance(factor, Dense) else _ELEMENTWISE
    return {f"{n}{suffix}": getattr(factor, a) for n, a in zip(names, attributes, strict=True)}


def read_arrays(path: Path, cap: caps.Cap = caps.ARRAYS) -> dict[str, np.ndarray]:
    """Return the arrays of an archive, read only after their sizes have been seen to fit.

    Parameters
    ----------
    path : Path
    cap : Cap
        The most bytes of all arrays together.

    Raises
    ------
    FileFormatError
        If it is no archive of arrays, or above its cap; nothing in it is unpickled.
    """
    try:
        with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            cap.check(sum(m.file_size for m in members), "unpacked")
            caps.LAYERS.check(len(members) // 2, "its arrays make")
            names = [m.filename.removesuffix(".npy") for m in members]
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise FileFormatError(f"{twice!r} is there twice: give each array once")
            return {
                name: _read_array(archive, member, cap)
                for name, member in zip(names, members, strict=True)
            }
    except InputError:
        raise
    except (
        EOFError,
        MemoryError,
        NotImplementedError,
        OSError,
        OverflowError,
        RecursionError,
        RuntimeError,  # an encrypted archive
        SyntaxError,
        tokenize.TokenError,  # numpy's reader of headers
        TypeError,
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise FileFormatError(
            f"not a readable .npz archive of numbers ({error}): it may be truncated; "
            "write it with numpy.savez"
        ) from None


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, cap: caps.Cap) -> np.ndarray:
    """Return an array whose header claims no more than the archive says there is."""
    # The other ways to compress unpack without bounds; numpy does not write them.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileFormatError(
            f"{member.filename} is packed in a way that numpy does not write: write the file with "
            "numpy.savez or numpy.savez_compressed"
        )
    with archive.open(member) as stream:
        header = (np.lib.format.read_array_header_1_0, np.lib.format.read_array_header_2_0)
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise FileFormatError(f"{member.filename} is in version {version} of the .npy format")
        shape, _, dtype = header[version[0] - 1](stream)
        held = member.file_size - stream.tell()
    if dtype.hasobject:
        raise FileFormatError(
            f"{member.filename} holds Python objects, which are not read since that runs code: "
            "store numbers"
        )
    if any(n < 0 for n in shape) or prod(shape) * dtype.itemsize != held:
        raise FileFormatError(
            f"{member.filename} declares shape {reprlib.repr(shape)} of {dtype.itemsize} bytes "
            f"each, but holds {held} bytes: the file is damaged"
        )
    if cap is caps.ARRAYS:  # they become float64
        caps.NUMBERS.check(prod(shape), member.filename)
    with archive.open(member) as stream:
        return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))


def _read_metadata(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    if "metadata" not in arrays:
        return {}
    given = arrays["metadata"]
    if given.size != 1 or given.dtype.kind not in "US":
        raise FileFormatError(
            f"metadata has shape {given.shape} and type {given.dtype}: one JSON text is needed"
        )
    text = given.item()
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"metadata is not JSON: {error}") from None
    if not isinstance(metadata, dict):
        raise FileFormatError(f"metadata is a {type(metadata).__name__}: an object is needed")
    return metadata


def _read_maps(arrays: dict[str, np.ndarray]) -> list[Affine]:
    found: dict[int, dict[int | None, set[str]]] = {}
    for key in arrays:
        parts = _KEY.fullmatch(key)
        if parts:
            name, number, factor = parts.groups()
            place = None if factor is None else int(factor)
            found.setdefault(int(number), {}).setdefault(place, set()).add(name)
        elif key not in ("metadata", "leaky_alpha"):
            # An array that is not understood may change what the network computes.
            raise FileFormatError(f"{key!r} is not known: an .npz network has the keys {_KEYS}")
    if sorted(found) != list(range(max(1, len(found)))):
        keys = sorted(set(arrays) - {"metadata", "leaky_alpha"})
        raise FileFormatError(f"keys {keys}: an .npz network has the keys {_KEYS}")
    return [_read_map(arrays, number, found[number]) for number in range(len(found))]


def _read_map(
    arrays: dict[str, np.ndarray], number: int, found: dict[int | None, set[str]]
) -> Affine:
    if found.keys() == {None}:
        return cast("Dense", _read_factor(arrays, f"{number}", found[None]))
    places = sorted(k for k in found if k is not None)
    if None in found or places != list(range(len(places))):
        raise FileFormatError(
            f"map {number} has factors {places}: they must be numbered from 0, without a matrix of "
            "the map's own"
        )
    factors = [_read_factor(arrays, f"{number}.{k}", found[k]) for k in places]
    try:
        return compose(factors)
    except NetworkError as error:
        raise NetworkError(f"map {number}: {error}") from None


def _read_factor(arrays: dict[str, np.ndarray], suffix: str, found: set[str]) -> Factor:
    is_elementwise = "." in suffix and found == set(_ELEMENTWISE)
    if not is_elementwise and found != set(_DENSE):
        keys = sorted(f"{name}{suffix}" for name in found)
        raise FileFormatError(f"keys {keys}: an .npz network has the keys {_KEYS}")
    names = [f"{name}{suffix}" for name in (_ELEMENTWISE if is_elementwise else _DENSE)]
    for key in names:
        if not np.can_cast(arrays[key].dtype, np.float64, "safe"):
            raise FileFormatError(
                f"{key} has type {arrays[key].dtype}: float32 or float64 is needed"
            )
    try:
        kind = Elementwise if is_elementwise else Dense
        return kind(*(arrays[key] for key in names))
    except NetworkError as error:
        raise NetworkError(f"{', '.join(names)}: {error}") from None


def _read_activations(
    arrays: dict[str, np.ndarray], metadata: dict[str, Any], layers: int
) -> list[Activation]:
    if "leaky_alpha" in arrays:
        if arrays["leaky_alpha"].dtype.kind not in "fiu":
            raise FileFormatError(
                f"leaky_alpha has type {arrays['leaky_alpha'].dtype}: numbers are needed"
            )
        slopes = arrays["leaky_alpha"].ravel().tolist()
        found = [leaky_relu(slope) for slope in slopes]
    else:
        given = metadata.get("activations", ["relu"] * layers)
        if not isinstance(given, list):
            raise FileFormatError(f"activations {reprlib.repr(given)}: a list is needed")
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
        rows = tuple(Row(a, b, t) for a, b, t in record["rows"])
        pieces = tuple(
            Piece(v, s, i, tuple((row, sign) for row, sign in literals))
            for v, s, i, literals in record["pieces"]
        )
        return Activation(record["name"], record["rank"], rows, pieces)
    except NetworkError:
        raise  # its table is wrong
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FileFormatError(
            f"activation {reprlib.repr(record)} cannot be read ({error!r}): give a name or a table "
            "with name, rank, rows and pieces"
        ) from None
