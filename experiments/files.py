"""Files of ``data/``: written whole or not at all, and listed in a manifest."""

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from milpcount.errors import FileFormatError, InputError

MANIFEST = "manifest.json"
NEEDED = {"file", "architecture", "n1", "n2", "seed", "test_error", "bytes", "sha256"}
KEYS = ("W0", "b0", "W1", "b1", "W2", "b2")


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a kill, finds the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)  # mkstemp's 0600 would keep others from reading the data
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sha256(content: bytes) -> str:
    """Return the SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def pack(arrays: Mapping[str, Any]) -> bytes:
    """Return the bytes of a compressed ``.npz``; the same arrays give the same bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def network_file(n1: int, n2: int, seed: int) -> str:
    """Return the place of a network, relative to the data folder."""
    return f"mnist22/784-{n1}-{n2}/seed{seed}.npz"


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a data folder, empty where there is none yet.

    Raises
    ------
    FileFormatError
        If it is not the JSON this module writes.
    """
    path = folder / MANIFEST
    if not path.exists():
        return {"networks": []}
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        for entry in manifest["networks"]:
            if missing := NEEDED - entry.keys():
                raise ValueError(f"an entry lacks {', '.join(sorted(missing))}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileFormatError(
            f"{path} is not a manifest ({error}): restore it, or delete it and train again"
        ) from error
    return dict(manifest)


def write_manifest(folder: Path, about: dict[str, Any], networks: list[dict[str, Any]]) -> None:
    """Write the manifest: what holds for all networks, then the networks in order."""
    ordered = sorted(networks, key=lambda entry: (entry["n1"], entry["seed"]))
    # One line a network: 210 of them stay readable and a change shows as one line.
    lines = ",\n".join("    " + json.dumps(entry) for entry in ordered)
    head = json.dumps(about, indent=2).removesuffix("\n}")
    text = f'{head},\n  "networks": [\n{lines}\n  ]\n}}\n'
    write_atomically(folder / MANIFEST, text.encode())


def problems(folder: Path) -> Iterator[str]:
    """Yield in one line each what is wrong with a data folder; nothing if all is well.

    Checks that the manifest and the files name each other, sizes, SHA-256, keys, shapes,
    float32 and finiteness.

    Raises
    ------
    InputError
        If the folder has no manifest.
    """
    if not (folder / MANIFEST).is_file():
        raise InputError(f"{folder} has no {MANIFEST}: name the data folder, or train first")
    entries = read_manifest(folder)["networks"]
    listed = [entry["file"] for entry in entries]
    present = {p.relative_to(folder).as_posix() for p in folder.glob("mnist22/**/*.npz")}
    yield from (f"{name}: not in the manifest" for name in sorted(present - set(listed)))
    yield from (
        f"{name}: listed twice" for name in sorted({n for n in listed if listed.count(n) > 1})
    )
    for entry in entries:
        if entry["file"] in present:
            yield from _problems_of(folder, entry)
        else:
            yield f"{entry['file']}: in the manifest, but there is no such file"


def _problems_of(folder: Path, entry: dict[str, Any]) -> Iterator[str]:
    name, content = entry["file"], (folder / entry["file"]).read_bytes()
    if len(content) != entry["bytes"]:
        yield f"{name}: {len(content)} bytes, the manifest says {entry['bytes']}"
    if sha256(content) != entry["sha256"]:
        yield f"{name}: its SHA-256 is not the manifest's"
        return
    with np.load(io.BytesIO(content)) as archive:
        arrays = dict(archive)
    if {key: value.shape for key, value in arrays.items()} != shapes(entry["n1"], entry["n2"]):
        yield f"{name}: keys or shapes are not those of {entry['architecture']}"
    if any(value.dtype != np.float32 for value in arrays.values()):
        yield f"{name}: not float32"
    if not all(np.isfinite(value).all() for value in arrays.values()):
        yield f"{name}: a weight is not finite"


def shapes(n1: int, n2: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of each array of a network 784-n1-n2-10."""
    sizes = ((n1, 784), (n1,), (n2, n1), (n2,), (10, n2), (10,))
    return dict(zip(KEYS, sizes, strict=True))
