"""Packages that are imported where they are first needed: whole, or not at all.

Solvers and readers take up to some seconds to import, so it is left until they are needed. Python
delivers a signal between any two of its steps, and so in the midst of an import, where what the
handler raises does harm: extension modules make an ImportError of a KeyboardInterrupt, and what had
been imported by then cannot always be imported again. Here a signal waits for the import's end.
"""

import inspect
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

from milpcount.errors import NotInstalledError


def load(module: str) -> ModuleType:
    """Return a module, imported if it was not yet; Ctrl-C comes before it or after it.

    Raises
    ------
    Exception
        Whatever the import raises.
    """
    if module in sys.modules:
        return import_module(module)
    with _deferred(signal.SIGTERM), _deferred(signal.SIGINT):
        return import_module(module)


def find(
    module: str, what: str, package: str | None = None, extra: str | None = None
) -> ModuleType | None:
    """Return a module of an optional package, None where the package is not installed.

    Parameters
    ----------
    module : str
    what : str
        What is asked for, in the user's words.
    package : str, optional
        The package as pip names it; by default the module's first name.
    extra : str, optional
        The extra of milpcount that brings it.

    Raises
    ------
    NotInstalledError
        If it is installed and cannot be loaded: with what it says itself.
    """
    root = module.partition(".")[0]
    package = package or root
    try:
        load(root)  # on its own first: of a part alone, the error does not tell which is missing
        return load(module)
    except Exception as error:  # whatever a package that is broken may raise
        if isinstance(error, ModuleNotFoundError) and error.name == root:
            return None
        said = " ".join(str(error).split())
        wanted = f"'milpcount[{extra}]' {package}" if extra else package
        raise NotInstalledError(
            what,
            package,
            command=f"pip install --upgrade --force-reinstall {wanted}",
            state=f"is installed and fails to load ({type(error).__name__}: {said})",
        ) from error


def require(
    module: str, what: str, package: str | None = None, extra: str | None = None
) -> ModuleType:
    """Return a module of an optional package; parameters as for `find`.

    Raises
    ------
    NotInstalledError
        If the package is not installed, or cannot be loaded.
    """
    found = find(module, what, package, extra)
    if found is None:
        raise NotInstalledError(what, package or module.partition(".")[0], extra)
    return found


@contextmanager
def _deferred(number: signal.Signals) -> Iterator[None]:
    """Keep a signal for the end; only the main thread is ever sent one."""
    handler = signal.getsignal(number)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    signal.signal(number, lambda which, frame: came.append(which))
    try:
        yield
    finally:
        signal.signal(number, handler)
        if came:
            handler(number, inspect.currentframe())
