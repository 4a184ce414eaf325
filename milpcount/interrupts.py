"""Ctrl-C that is not lost.

Python raises KeyboardInterrupt wherever the main thread happens to be. In a callback of a weak
reference or in a finaliser that is the end of it: what is raised there is printed and forgotten,
and a count of hours goes on. A library may catch it with a bare ``except`` and raise an error of
its own. So it is noted, too, and raised again at the next look.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_came: list[int] = []
"""Ctrl-C that nobody is known to have heard."""


@contextmanager
def noted() -> Iterator[None]:
    """Note Ctrl-C as long as the context lasts, where it would raise KeyboardInterrupt anyway.

    Raises
    ------
    KeyboardInterrupt
        At the end, if one was lost.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    heard()
    signal.signal(signal.SIGINT, _note)
    try:
        yield
    except BaseException:
        heard()
        raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    look()


def _note(number: int, frame: FrameType | None) -> None:
    _came.append(number)
    raise KeyboardInterrupt


@contextmanager
def unmasked() -> Iterator[None]:
    """Raise Ctrl-C as what it is where a library has made another error of it.

    Raises
    ------
    KeyboardInterrupt
        In place of any exception that leaves the context after one was noted.
    """
    try:
        yield
    except Exception:
        look()
        raise


def heard() -> None:
    """Forget what was noted: whoever has caught the KeyboardInterrupt calls this."""
    _came.clear()


def look() -> None:
    """Raise KeyboardInterrupt in the main thread if one was lost."""
    if _came and threading.current_thread() is threading.main_thread():
        heard()
        raise KeyboardInterrupt
