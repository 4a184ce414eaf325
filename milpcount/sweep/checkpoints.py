"""Checkpoints of long counts, in a folder beside the store."""

import json
from collections.abc import Callable
from pathlib import Path

from milpcount.counters.work_queue import Checkpoint
from milpcount.errors import FileFormatError
from milpcount.store import write_whole


class Checkpoints:
    """A folder with a file for each count that has begun and not ended.

    Parameters
    ----------
    store : Path
        The store; the folder is named after it.
    notice : callable
        Takes one line for the user.
    """

    def __init__(self, store: Path, notice: Callable[[str], None]) -> None:
        self.folder = store.with_name(f"{store.name}.checkpoints")
        self._notice = notice

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def load(self, key: str, fingerprint: str) -> Checkpoint | None:
        """Return what is known of a count; None if that is nothing, or not of this network."""
        path = self._path(key)
        if not path.exists():
            return None
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if (record["key"], record["fingerprint"]) != (key, fingerprint):
                raise FileFormatError("it belongs to another network")
            return Checkpoint.from_record(record)
        except (ValueError, KeyError, TypeError) as error:
            self._notice(f"checkpoint {path.name} is of no use ({error}): counting from the start")
            return None

    def save(self, key: str, fingerprint: str, checkpoint: Checkpoint) -> None:
        """Write what is known of a count."""
        record = {"key": key, "fingerprint": fingerprint, **checkpoint.to_record()}
        write_whole(self._path(key), json.dumps(record))

    def drop(self, key: str) -> None:
        """Forget a count that has ended; and the folder after the last of them."""
        self._path(key).unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()
