"""From exceptions to one line on stderr and an exit code.

====  ==============================================================
code  meaning
====  ==============================================================
0     complete
1     failure: a solver failed, two methods disagree, interrupted early
2     wrong usage, bad input, or a package that is not installed
3     stopped at a limit or interrupted; the bounds printed are valid
====  ==============================================================
"""

import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from milpcount.errors import InputError, MilpcountError, NotInstalledError
from milpcount.printable import one_line

COMPLETE, FAILURE, USAGE, STOPPED = 0, 1, 2, 3


def complain(message: str) -> None:
    """Write one line to stderr, whatever the message holds: names come from files, too."""
    print(f"milpcount: error: {one_line(message)}", file=sys.stderr, flush=True)


def _code(error: Exception) -> int:
    wrong_file = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
    return USAGE if isinstance(error, (InputError, NotInstalledError, *wrong_file)) else FAILURE


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{os.fspath(error.filename)}: {error.strerror}"
    return str(error)


class Group(TyperGroup):
    """The commands; what they raise on purpose ends here, what is a bug keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; turn errors of milpcount and of the file system into exit codes."""
        try:
            value = super().invoke(ctx)
            sys.stdout.flush()
            return value
        except BrokenPipeError:
            raise
        except (MilpcountError, OSError) as error:
            complain(_sentence(error))
            raise typer.Exit(_code(error)) from None
        except KeyboardInterrupt:
            complain("interrupted before anything was counted")
            raise typer.Exit(FAILURE) from None
