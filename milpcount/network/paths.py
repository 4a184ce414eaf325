"""Files as the readers and writers need them: one error for whatever is wrong with a path."""

import gzip
import os
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from milpcount import caps
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
    try:
        is_folder, exists = found.is_dir(), found.exists()
    except (OSError, ValueError) as error:  # e.g. a name that is too long
        why = getattr(error, "strerror", None) or error
        raise FileFormatError(f"{found} is no path ({why}): give {allowed}") from None
    if is_folder:
        raise FileFormatError(f"{found} is a directory: give {allowed}")
    if not exists:
        raise FileFormatError(f"{found} does not exist: give {allowed}")
    return found


def read_text(path: Path) -> str:
    """Return the text of a file, unpacked first if its name ends in ``.gz``.

    Raises
    ------
    FileFormatError
        If it cannot be opened or unpacked, is larger than its cap, or is not UTF-8.
    """
    packed = path.suffix.lower() == ".gz"
    try:
        # Whatever its size says: a packed file may hold a thousand times as much.
        with gzip.open(path) if packed else path.open("rb") as stream:
            raw = stream.read(caps.TEXT.most + 1)
        caps.TEXT.check(len(raw), f"{path}{' unpacked' if packed else ''}, which goes on")
        return raw.decode("utf-8")
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
