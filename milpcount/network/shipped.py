"""Files that come with the package: ``example:NAME`` names one wherever a file is read."""

from pathlib import Path

from milpcount.errors import FileFormatError

PREFIX = "example:"
FOLDER = Path(__file__).resolve().parent.parent / "examples" / "files"


def names() -> list[str]:
    """Return what comes with the package: networks, a property, an experiment."""
    return sorted(path.name for path in FOLDER.iterdir() if path.is_file())


def located(path: str | Path) -> Path:
    """Return the path itself, or where a file is that ``example:NAME`` names.

    Raises
    ------
    FileFormatError
        If no file of that name comes with the package.
    """
    text = str(path)
    if not text.startswith(PREFIX):
        return Path(path)
    name = text.removeprefix(PREFIX)
    if name not in names():
        raise FileFormatError(
            f"{text}: no such example; there are {', '.join(PREFIX + one for one in names())}"
        )
    return FOLDER / name
