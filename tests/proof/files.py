"""Proofs taken apart and put together again, with their container's checksums made anew."""

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from milpcount.proof import check
from milpcount.proof.writing import _packed

Array = np.ndarray


def payload(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


def parts(path: Path) -> tuple[dict[str, Any], list[SimpleNamespace]]:
    """Return the header and the blocks, with arrays that can be written to."""
    file = io.BytesIO(payload(path))
    assert file.readline() == check.MAGIC
    header = json.loads(file.readline())
    blocks = []
    while (block := check.read_block(file)) is not None:
        for name, _, _ in block.arrays:
            setattr(block, name, getattr(block, name).copy())
        blocks.append(block)
    return header, blocks


def put(path: Path, header: dict[str, Any], blocks: list[SimpleNamespace]) -> None:
    content = check.MAGIC + json.dumps(header).encode() + b"\n"
    path.write_bytes(gzip.compress(content + b"".join(map(_packed, blocks)), 1))


def verdict(network: Path, proof: Path) -> tuple[int, str]:
    """Return the checker's exit code and the last line that it has printed."""
    lines: list[str] = []
    code = check.main([str(network), str(proof)], lines.append)
    return code, lines[-1] if lines else ""


def tampered(path: Path, change: Callable[[dict[str, Any], list[SimpleNamespace]], None]) -> Path:
    """Return a proof with a change made to its header and blocks."""
    header, blocks = parts(path)
    change(header, blocks)
    other = path.with_name("tampered.proof")
    put(other, header, blocks)
    return other
