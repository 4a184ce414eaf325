"""Files that come after long work: refused before it if they cannot be written, then whole.

What fails after the work is an `OutputError`, exit code 1; the answer has been printed by then.
"""

import uuid
from collections.abc import Callable
from pathlib import Path

from milpcount.errors import FileFormatError, OptionError, OutputError


def check_target(path: Path, option: str) -> None:
    """Refuse a file that could not be written, by making another one in its folder.

    Parameters
    ----------
    path : Path
    option : str
        As the user gave it, e.g. ``--keep``.

    Raises
    ------
    OptionError
        If the path is a folder, or its folder does not exist or takes no files.
    """
    if path.is_dir():
        raise OptionError(f"{option} {path}: this is a folder, give the name of a file")
    if not path.parent.is_dir():
        raise OptionError(f"{option} {path}: there is no folder {path.parent}")
    probe = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise OptionError(
            f"{option} {path}: no file can be written there ({error.strerror or error}); give "
            "another folder"
        ) from None


def deliver(option: str, path: Path, write: Callable[[], None]) -> None:
    """Write a file after the work.

    Raises
    ------
    OutputError
        If that fails after all.
    """
    try:
        write()
    except (FileFormatError, OSError) as error:
        why = getattr(error, "strerror", None) or error
        raise OutputError(f"{option} {path}: not written, nothing else is lost ({why})") from None
