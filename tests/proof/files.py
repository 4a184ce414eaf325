"""Proofs taken apart and put together again, with their container's checksums made anew."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from milpcount.proof import check
from milpcount.proof.archive import Archive

Array = np.ndarray


def parts(path: Path) -> dict[str, Array]:
    """Return the arrays of a proof."""
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def put(path: Path, arrays: dict[str, Array]) -> None:
    with path.open("wb") as stream, Archive(stream) as archive:
        for name, array in arrays.items():
            archive.put(name, array)


def members(path: Path) -> dict[str, bytes]:
    """Return the content of each member of the container."""
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def put_members(path: Path, content: dict[str, bytes]) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, data in content.items():
            file.writestr(name, data)
    path.write_bytes(stream.getvalue())


def verdict(network: Path, proof: Path, what: Any = check.check) -> tuple[int, str]:
    """Return the checker's exit code and the last line that it has printed."""
    lines: list[str] = []
    code = check.main([str(network), str(proof)], lines.append, what)
    return code, lines[-1] if lines else ""


def tampered(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Return a proof with a change made to its arrays."""
    arrays = parts(path)
    change(arrays)
    other = path.with_name("tampered.proof")
    put(other, arrays)
    return other
