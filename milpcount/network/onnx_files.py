"""Models as they are stored: packed or not, with their weights in the file or beside it.

Nothing outside the model's own folder is read, whatever the file says, and nothing above the caps
of `milpcount.caps`.
"""

import gzip
import zlib
from pathlib import Path
from typing import Any

from milpcount import caps, optional
from milpcount.errors import FileFormatError


def read_model(source: Path) -> Any:
    """Return the model in an ``.onnx`` or ``.onnx.gz`` file, with the weights that lie beside it.

    Raises
    ------
    FileFormatError
        If it cannot be read, or asks for a file elsewhere.
    NotInstalledError
        If onnx is missing, or cannot be loaded.
    """
    onnx = optional.require("onnx", "reading an .onnx file", extra="onnx")
    raw = _content(source)
    try:
        # Not its checker: it refuses files that every runtime runs, as without output shapes.
        model = onnx.load_model_from_string(raw)
    # What protobuf raises is not documented; all of it means a bad file.
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise FileFormatError(f"not a readable ONNX model, it may be truncated: {why}") from None
    total = len(raw)
    for tensor in _tensors(model.graph):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            total += _fetch(tensor, source.parent, total)
    return model


def _content(source: Path) -> bytes:
    packed = source.suffix.lower() == ".gz"
    try:
        # Whatever its size says: a packed file may hold a thousand times as much.
        with gzip.open(source) if packed else source.open("rb") as stream:
            raw = stream.read(caps.ARRAYS.most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise FileFormatError(f"not a readable ONNX model, it may be truncated: {error}") from None
    caps.ARRAYS.check(len(raw), "the model, which goes on")
    return raw


def _tensors(graph: Any) -> list[Any]:
    """Return the constants of a graph, in its nodes too."""
    attributes = [a for node in graph.node for a in node.attribute]
    found = [*graph.initializer, *(a.t for a in attributes if a.HasField("t"))]
    found += [tensor for a in attributes for tensor in a.tensors]
    return found


def _fetch(tensor: Any, folder: Path, known: int) -> int:
    """Put the bytes of a tensor that lie in another file into it; return how many they are."""
    from onnx import TensorProto

    what = f"constant {tensor.name!r}"
    said = {entry.key: entry.value for entry in tensor.external_data}
    name = said.get("location", "")
    path = Path(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise FileFormatError(
            f"{what} lies in {name!r}: only files beside the model, or below, are read"
        )
    target, home = (folder / path).resolve(), folder.resolve()
    if not target.is_relative_to(home):  # a link leads elsewhere
        raise FileFormatError(f"{what} lies in {name!r}, a link to outside the model's folder")
    try:
        offset, length = (int(said[k]) if k in said else None for k in ("offset", "length"))
    except ValueError:
        raise FileFormatError(f"{what} lies in {name!r} at a place that is no number") from None
    if (offset or 0) < 0 or (length or 0) < 0:
        raise FileFormatError(f"{what} lies in {name!r} at a negative place")
    try:
        with target.open("rb") as stream:
            size = stream.seek(0, 2)
            start = offset or 0
            count = size - start if length is None else length
            if start > size or count > size - start:
                raise FileFormatError(
                    f"{what} lies in {name!r} up to byte {start + count}, and the file has {size}: "
                    "it may be truncated"
                )
            caps.ARRAYS.check(known + count, f"{what} with what is before it")
            stream.seek(start)
            tensor.raw_data = stream.read(count)
    except OSError as error:
        raise FileFormatError(
            f"{what} lies in {name!r}, which cannot be read: {error.strerror or error}"
        ) from None
    tensor.data_location = TensorProto.DEFAULT
    del tensor.external_data[:]
    return count
