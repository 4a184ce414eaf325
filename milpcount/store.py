"""Results on disk: one JSON line each, keyed by what was computed; appended, never rewritten.

A line is written by one ``write`` under a file lock and synced before `Store.add` returns, so that
several processes may append to one file and a kill loses at most the line it interrupts. What such
a kill leaves behind, a torn last line, is mended when the file is opened next. Counts are strings
of digits in the file, and exact integers for its readers.
"""

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from milpcount import caps, integers, optional
from milpcount.errors import FileFormatError

if TYPE_CHECKING:
    import pandas

Record = dict[str, Any]

_HEAD = b'{"key": '
"""How every line begins."""
_INTEGERS = ("lower", "upper", "estimate")
_BY_NAME = ("bounds", "other_bounds")
"""Fields that hold numbers by theorem: upper bounds, and what is none."""
_KINDS: dict[str, type] = {
    "subject": str, "method": str, "status": str, "fingerprint": str, "domain": str,
    "options": dict, "bounds": dict, "other_bounds": dict,
}  # fmt: skip
"""Types of fields, where they are there."""


def key_of(**parts: Any) -> str:
    """Return the key of a result: SHA-256 of what it depends on, as canonical JSON.

    Parameters
    ----------
    **parts : JSON types
        E.g. the network's fingerprint, the domain's digest, method, options, seed.
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Store:
    """An append-only file of results.

    Parameters
    ----------
    path : Path
        Made with its first line.
    notice : callable, optional
        Takes one line for the user, e.g. that a torn line was mended.

    Attributes
    ----------
    records : dict of str to dict
        By key; of two with the same key the later.

    Raises
    ------
    FileFormatError
        If the file is none of this kind, or a record's lower bound is above its upper one.
    """

    def __init__(self, path: Path, notice: Callable[[str], None] = lambda text: None) -> None:
        self.path, self._notice = Path(path), notice
        self.records: dict[str, Record] = {}
        self._read_up_to = 0
        if self.path.exists():
            with self._locked() as handle:
                self._mend(handle)
            self.refresh()

    def __contains__(self, key: str) -> bool:
        return key in self.records

    def __len__(self) -> int:
        return len(self.records)

    def add(self, record: Record) -> None:
        """Append a record; it is on the disk when this returns.

        Parameters
        ----------
        record : dict
            JSON types; its first field, ``key``, names it.

        Raises
        ------
        OSError
            E.g. on a full disk; the file is then as it was.
        """
        line = json.dumps(record, allow_nan=False, separators=(", ", ": ")) + "\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked() as handle:
            self._mend(handle)
            _append(handle, line.encode())
        self.records[record["key"]] = record

    def refresh(self) -> None:
        """Read what other processes have appended since."""
        if not self.path.exists():
            return
        with self.path.open("rb") as stream:
            stream.seek(self._read_up_to)
            while line := stream.readline(caps.LINE.most + 1):
                caps.LINE.check(len(line), f"{self.path}")
                if not line.endswith(b"\n"):
                    return  # another process is writing it
                self._take(line)
                self._read_up_to += len(line)

    def _take(self, line: bytes) -> None:
        record = _record(line)
        if record is None:
            self._notice(f"{self.path.name}: a line is no record and is passed over")
        elif _is_reversed(record):
            raise FileFormatError(
                f"{self.path}: the record {record['key']} has a lower bound {record['lower']} "
                f"above its upper bound {record['upper']}: the file was changed or damaged; remove "
                "the line"
            )
        else:
            self.records[record["key"]] = record

    @contextmanager
    def _locked(self) -> Iterator[int]:
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            _lock(handle)
            yield handle
        finally:
            os.close(handle)  # and with it the lock

    def _mend(self, handle: int) -> None:
        """Complete or cut off a last line without its end."""
        size = os.fstat(handle).st_size
        head = os.pread(handle, len(_HEAD), 0)
        if not _HEAD.startswith(head):
            raise FileFormatError(
                f"{self.path} is not a store of results: it does not begin with a record; name "
                "another file"
            )
        if size == 0 or os.pread(handle, 1, size - 1) == b"\n":
            return
        start = _start_of_last_line(handle, size)
        caps.LINE.check(size - start, f"{self.path}")
        tail = os.pread(handle, size - start, start)
        if _record(tail) is None:
            os.ftruncate(handle, start)
            os.fsync(handle)
            self._notice(
                f"{self.path.name}: the last line was torn by a kill or a full disk and is "
                f"dropped ({len(tail)} bytes); its job will be run again"
            )
        else:
            _append(handle, b"\n")
            self._notice(f"{self.path.name}: the last line lacked its end, which is put there")

    def estimates(self) -> dict[str, int]:
        """Return the estimated counts by the fingerprint of the network."""
        return {
            record["fingerprint"]: integers.from_text(record["estimate"])
            for record in self.records.values()
            if record.get("estimate") is not None and "fingerprint" in record
        }

    def frame(self) -> "pandas.DataFrame":
        """Return the records as a table, a row each; counts as exact integers.

        Returns
        -------
        pandas.DataFrame
            With columns as the records' fields, ``lower``, ``upper`` and ``estimate`` as Python
            integers.

        Raises
        ------
        NotInstalledError
            Without pandas.
        """
        pandas = optional.require("pandas", "a table of the results", extra="pandas")
        rows = [decoded(record) for record in self.records.values()]
        names = list(dict.fromkeys(name for row in rows for name in row))
        bounds = {name for record in self.records.values() for name, _ in _named(record)}
        exact = bounds.union(_INTEGERS)  # of type object: pandas would make floats of them
        return pandas.DataFrame(
            {
                name: pandas.Series(
                    [row.get(name) for row in rows], dtype=object if name in exact else None
                )
                for name in names
            }
        )


def _record(line: bytes) -> Record | None:
    """Return the record of a line, None if it is none: every field has the type it is used as."""
    try:
        record = json.loads(line)
        right = all(isinstance(record.get(name, kind()), kind) for name, kind in _KINDS.items())
        if isinstance(record["key"], str) and right:
            decoded(record)  # the integers are some
            return dict(record)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        pass
    return None


def decoded(record: Record) -> Record:
    """Return a record with its counts as integers; bounds by name become fields of their own."""
    found = {name: value for name, value in record.items() if name not in _BY_NAME}
    for name in _INTEGERS:
        if found.get(name) is not None:
            found[name] = integers.from_text(found[name])
    for name, value in _named(record):
        found[name] = integers.from_text(value)
    return found


def _is_reversed(record: Record) -> bool:
    lower, upper = record.get("lower"), record.get("upper")
    if lower is None or upper is None:
        return False
    return integers.from_text(lower) > integers.from_text(upper)


def _named(record: Record) -> Iterator[tuple[str, str]]:
    for group in _BY_NAME:
        yield from record.get(group, {}).items()


def _lock(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # no such lock on this system: one process at a time
        return
    fcntl.flock(handle, fcntl.LOCK_EX)


def _append(handle: int, content: bytes) -> None:
    size = os.fstat(handle).st_size
    try:
        written = os.write(handle, content)
        if written < len(content):
            raise OSError(errno.ENOSPC, "No space left on device")
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, size)
        raise


def _start_of_last_line(handle: int, size: int) -> int:
    end, step = size, 1 << 16
    while end > 0:
        begin = max(0, end - step)
        at = os.pread(handle, end - begin, begin).rfind(b"\n")
        if at >= 0:
            return begin + at + 1
        end = begin
    return 0


def write_whole(path: Path, text: str) -> None:
    """Write a small file so that a kill leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
