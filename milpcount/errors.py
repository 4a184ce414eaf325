"""The exceptions of milpcount.

::

    MilpcountError
    ├── InputError (ValueError)          what the user gave is wrong: exit code 2
    │   ├── NetworkError                 weights, shapes, layers
    │   ├── FileFormatError              a file that cannot be read
    │   ├── DomainError                  box, polytope, section
    │   └── OptionError                  a method's option or a limit
    ├── NotInstalledError (ImportError)  an optional package is missing: exit code 2
    ├── SolverError (RuntimeError)       a solver failed or spoke in a status not mapped
    │   └── LostWorkersError             processes that work are killed again and again
    ├── OutputError                      a file that could not be written after all: exit code 1
    └── ContradictionError               two methods or bounds disagree: never to be ignored

    KeyboardInterrupt
    └── Interrupted                      Ctrl-C during a count: it carries what was shown

Every message says what was wrong (with the value), what is allowed, and what to do.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from milpcount.counters.comparison import Comparison
    from milpcount.result import CountResult


class MilpcountError(Exception):
    """Root of all exceptions raised on purpose by this package."""


class InputError(MilpcountError, ValueError):
    """What the user gave is wrong."""


class NetworkError(InputError):
    """Weights that are not finite, shapes that do not chain, layers that are not known."""


class FileFormatError(InputError):
    """A file that is truncated, corrupt, or holds something that is not supported."""


class DomainError(InputError):
    """An empty, reversed or unbounded domain, or one of the wrong dimension."""


class OptionError(InputError):
    """An option of a method, or a limit, outside its range."""


class NotInstalledError(MilpcountError, ImportError):
    """An optional package, or a solver behind one, cannot be used here.

    Parameters
    ----------
    what : str
        What was asked for, in the user's words.
    package : str
        What is missing.
    extra : str, optional
        The extra of milpcount that brings it.
    command : str, optional
        What to do about it, where pip does not do.
    kind : str
        Of what is missing: ``package``, ``solver``.
    state : str
        How it is missing.
    """

    def __init__(
        self,
        what: str,
        package: str,
        extra: str | None = None,
        command: str | None = None,
        kind: str = "package",
        state: str = "is not installed",
    ) -> None:
        usual = f"pip install 'milpcount[{extra}]'" if extra else f"pip install {package}"
        self.missing, self.state, self.remedy = f"{kind} {package!r}", state, command or usual
        self._given = (what, package, extra, command, kind, state)
        super().__init__(f"{what} needs the {self.missing}, which {state}: {self.remedy}")

    def __reduce__(self) -> tuple[type, tuple[str | None, ...]]:
        return type(self), self._given  # from a worker to its owner: by what it was made of


class SolverError(MilpcountError, RuntimeError):
    """A solver failed, or returned a status that is not mapped."""


class LostWorkersError(SolverError):
    """A task was lost with its worker again and again."""


class OutputError(MilpcountError):
    """A file could not be written though its folder took one before: a full disk, for one."""


class ContradictionError(MilpcountError):
    """Two methods, or two bounds of one result, that must agree do not."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C stopped a count; what it had shown by then is valid.

    As a `KeyboardInterrupt` it ends a loop of counts, and a program that does not catch it.

    Parameters
    ----------
    result : CountResult
        With `Status.INTERRUPTED`; regions that were to be kept are in it.
    comparison : Comparison, optional
        What all methods have shown, where several were compared.

    Attributes
    ----------
    result : CountResult
    comparison : Comparison or None
    """

    def __init__(self, result: "CountResult", comparison: "Comparison | None" = None) -> None:
        super().__init__(result.status.value)
        self.result: CountResult = result
        self.comparison: Comparison | None = comparison

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.result, self.comparison)
