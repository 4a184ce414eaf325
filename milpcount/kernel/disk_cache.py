"""Where compiled functions are kept, so that they are compiled once per machine.

numba's own cache knows a function by its file alone, so that code inlined from another file lives
on after that file has changed; it raises while modules are imported if there is no folder that it
can write; and a damaged file of it ends the count. Here the name of the folder tells all that the
code depends on: the kernel's sources and the versions of Python, numba and LLVM. Versions stand
side by side, nothing in a folder goes stale, and what cannot be read is compiled again.

Folders are tried in this order, for reading and then for writing: ``NUMBA_CACHE_DIR`` if it is set,
``__pycache__`` beside the sources, the user's own cache, a private folder for temporary files.
"""

import contextlib
import hashlib
import os
import pickle
import shutil
import stat
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core.caching import _Cache as Interface
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

_HERE = Path(__file__).parent
_PLAIN = ("composed_forms", "disk_cache", "stable_units", "unit_numbering")
"""Files of this folder that compiled code does not depend on."""
_VERSIONS_KEPT = 4
_POLL_SECONDS = 0.1


@cache
def folder_name() -> str:
    """Return the name of the folder, which tells all that compiled code depends on."""
    plain = {_HERE / f"{name}.py" for name in _PLAIN}
    sources = sorted(set(_HERE.glob("*.py")) - plain)
    said = f"{sys.implementation.cache_tag} {numba.__version__} {llvmlite.__version__}"
    content = b"".join(file.read_bytes() for file in sources) + said.encode()
    return f"milpcount-{hashlib.sha256(content).hexdigest()[:16]}"


def places() -> Iterator[Path]:
    """Yield the folders that may hold compiled code, or may be created to hold it."""
    if numba.config.CACHE_DIR:
        yield Path(numba.config.CACHE_DIR)
    yield _HERE / "__pycache__"
    with contextlib.suppress(RuntimeError):  # there is no home
        yield Path(AppDirs("milpcount", appauthor=False).user_cache_dir).expanduser()
    private = _private()
    if private is not None:
        yield private


def _private() -> Path | None:
    """Return a folder for temporary files that nobody else can write, None if there is none.

    What is loaded from it is executed: a folder that another user has put there is not touched.
    """
    owner = os.getuid() if hasattr(os, "getuid") else None
    try:
        path = Path(tempfile.gettempdir()) / f"milpcount-cache-{'user' if owner is None else owner}"
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError:
        return None
    if owner is None:  # Windows: the folder for temporary files is the user's own
        return path
    private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700
    return path if private and found.st_uid == owner else None


def writable() -> Path | None:
    """Return the folder that compiled code would be written to, None if none can be written."""
    for place in places():
        folder = place / folder_name()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            continue
        return folder
    return None


class Kept(Interface):  # type: ignore[misc]
    """The compiled versions of one function.

    Parameters
    ----------
    function : callable
        As written in Python.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._name = f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"

    @property
    def cache_path(self) -> str | None:
        """Where it would be written."""
        folder = writable()
        return None if folder is None else str(folder)

    def kept_in(self, target: Any) -> Path | None:
        """Return the folder that has some version for this processor, whole; None if none has."""
        target.refresh()
        pattern = f"{self._name}-{_machine(target.codegen())}-*.bin"
        for place in places():
            folder = place / folder_name()
            if any(_read(file) is not None for file in folder.glob(pattern)):
                return folder
        return None

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return a compiled version, None if there is none that can be used."""
        target_context.refresh()
        for place in places():
            file = place / folder_name() / self._file(sig, target_context.codegen())
            content = _read(file)
            if content is None:
                continue
            # Whatever is wrong with it, the function can still be compiled.
            with contextlib.suppress(Exception):
                found = CompileResult._rebuild(target_context, *pickle.loads(content))
                with contextlib.suppress(OSError):
                    os.utime(file.parent)  # it is in use
                return found
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write a compiled version to the first folder that takes it."""
        try:
            content = dumps(data._reduce())
        except Exception:
            return  # e.g. an interrupt has cost the object code; it serves this process still
        for place in places():
            folder = place / folder_name()
            if _write(folder / self._file(sig, data.codegen), content):
                _forget_the_oldest(place)
                return

    def enable(self) -> None:
        """Do nothing: it is always on."""

    def disable(self) -> None:
        """Do nothing: it is always on."""

    def flush(self) -> None:
        """Do nothing: nothing goes stale."""

    def _file(self, sig: Any, codegen: Any) -> str:
        return f"{self._name}-{_machine(codegen)}-{_short(str(sig))}.bin"


def _machine(codegen: Any) -> str:
    return _short(repr(codegen.magic_tuple()))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _read(file: Path) -> bytes | None:
    """Return what was written, None if it is not there, or not whole."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    return content[32:] if hashlib.sha256(content[32:]).digest() == content[:32] else None


def _write(file: Path, content: bytes) -> bool:
    """Write a file such that others see all of it or nothing; return whether that was possible."""
    part = file.with_name(f"{file.name}.{uuid.uuid4().hex[:12]}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(hashlib.sha256(content).digest() + content)
        part.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        return False
    return True


def _forget_the_oldest(place: Path) -> None:
    """Remove what versions wrote that have not been used for longest."""
    with contextlib.suppress(OSError):
        folders = sorted(place.glob("milpcount-????????????????"), key=lambda f: f.stat().st_mtime)
        for folder in folders[:-_VERSIONS_KEPT]:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Keep other processes that compile the same waiting, where the system can do that."""
    folder = writable()
    try:
        import fcntl

        if folder is None:
            raise OSError("there is nothing to wait for: nothing will be kept")
        lock = (folder / "lock").open("wb")
    except (ImportError, OSError):
        yield
        return
    with lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_POLL_SECONDS)
                continue
            except OSError:
                pass  # a file system without locks
            break
        yield
