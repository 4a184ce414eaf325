"""Tables of a TOML file, read key by key."""

import reprlib
from pathlib import Path
from typing import Any

from milpcount.errors import FileFormatError


class Table:
    """A TOML table whose keys are taken one by one; what is left over is an error.

    Parameters
    ----------
    path : Path
        Of the file, for messages.
    name : str
        Of the table, empty for the whole file.
    data : dict
    """

    def __init__(self, path: Path, name: str, data: dict[str, Any]) -> None:
        self.path, self.name, self._data = path, name, dict(data)
        self._known: list[str] = []

    def take(self, key: str, kind: type, *default: Any) -> Any:
        """Take a key's value, which must be of a kind; without a default it must be there."""
        self._known.append(key)
        if key not in self._data:
            if default:
                return default[0]
            raise FileFormatError(f"{self.path}: {self._place(key)} is missing")
        value = self._data.pop(key)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(max(-(10**300), min(value, 10**300)))
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.wrong(key, value, _KINDS[kind])
        return value

    def table(self, key: str) -> "Table":
        """Take a table; an empty one if it is not there."""
        return Table(self.path, key, self.take(key, dict, {}))

    def tables(self, key: str) -> "list[Table]":
        """Take a list of tables."""
        entries = self.take(key, list, [])
        for entry in entries:
            if not isinstance(entry, dict):
                raise self.wrong(key, entry, f"tables [[{key}]]")
        return [Table(self.path, key, entry) for entry in entries]

    def rest(self) -> dict[str, Any]:
        """Take all that is left."""
        data, self._data = self._data, {}
        return data

    def finish(self) -> None:
        """Refuse what is left, in one line with the keys that there are."""
        if self._data:
            unknown = ", ".join(self._place(key) for key in self._data)
            raise FileFormatError(
                f"{self.path}: {unknown}: no such key; there are {', '.join(self._known)}"
            )

    def wrong(self, key: str, value: object, allowed: str) -> FileFormatError:
        """Return the error that a value is not what is allowed."""
        return FileFormatError(
            f"{self.path}: {self._place(key)} = {reprlib.repr(value)}: give {allowed}"
        )

    def _place(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key


_KINDS = {
    str: "a string", int: "an integer", float: "a number", bool: "true or false", list: "a list",
    dict: "a table",
}  # fmt: skip
