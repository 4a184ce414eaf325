"""Files as the readers and writers need them: one error for whatever is wrong with a path."""

import gzip
import os
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from milpcount.errors import FileFormatError


def existing_file(path: str | Path, allowed: str) -> Path:
    """Return `path` if it is a file.

    Parameters
    ----------
    path : str or Path
    allowed : str
        What may be given, for the message, e.g. ``"a .npz file"``.

    Raises
    ------
    FileFormatError
        If nothing is there, or a directory.
    """
    found = Path(path)
    if found.is_dir():
        raise FileFormatError(f"{found} is a directory: give {allowed}")
    if not found.exists():
        raise FileFormatError(f"{found} does not exist: give {allowed}")
    return found


def read_text(path: Path) -> str:
    """Return the text of a file, unpacked first if its name ends in ``.gz``.

    Raises
    ------
    FileFormatError
        If it cannot be opened or unpacked, or is not UTF-8.
    """
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix.lower() == ".gz" else raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"{path} is not a text file: {error.reason}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise FileFormatError(f"{path} cannot be read, it may be truncated: {error}") from None


def write_atomically(path: str | Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file so that the name holds either the old content or all of the new.

    Parameters
    ----------
    path : str or Path
    write : callable
        Called once with a binary stream.

    Raises
    ------
    FileFormatError
        If the folder does not exist or cannot be written, or `path` is a directory.
    """
    target = Path(path)
    # In the same folder: os.replace is atomic only within one file system.
    draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        with draft.open("xb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(target)
    except OSError as error:
        raise FileFormatError(f"{target} cannot be written: {error.strerror or error}") from None
    finally:
        draft.unlink(missing_ok=True)
