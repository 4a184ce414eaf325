"""The command line; numpy and the solvers are imported inside the commands that need them."""

import sys

from milpcount.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line and exit with its code (see `milpcount.cli.group`)."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal without the letters of mathematics shows a question mark, not a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    app(prog_name="milpcount")
