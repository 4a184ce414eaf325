"""Commands about this installation: `backends`, `warm-up`, `selftest`, `cite`, `version`."""

from typing import Annotated

import typer

from milpcount.cli import options as opt
from milpcount.cli.group import COMPLETE, FAILURE


def backends(json: opt.JsonFlag = False) -> None:
    """List the solvers: installed or not, version, capabilities, how to install."""
    from milpcount.cli import solvers

    solvers.show(as_json=json)


def warm_up(
    methods: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[METHOD]...", help="A method, or points, or proof; all by default."
        ),
    ] = None,
    quiet: opt.QuietFlag = False,
) -> None:
    """Compile now what methods compile at their first use on a machine."""
    from milpcount.cli.progress import listening
    from milpcount.counters.warming import warm_up

    with listening(quiet=quiet) as listener:
        seconds = warm_up(*methods or (), listener=listener)
    print(f"ready after {seconds:.1f} s")


def selftest(quiet: opt.QuietFlag = False) -> None:
    """Count networks with known answers by every method that can; exit code 1 on a mismatch."""
    from milpcount.cli.selftest import run

    raise typer.Exit(COMPLETE if run(quiet=quiet) else FAILURE)


def cite(
    key: Annotated[
        str | None, typer.Argument(metavar="[KEY]", help="A paper, a method, or 'tool'.")
    ] = None,
) -> None:
    """Print BibTeX of this tool and of the papers it rests on."""
    from milpcount.citations import bibtex

    print(bibtex(key))


def version() -> None:
    """Print the version."""
    from milpcount import __version__

    print(f"milpcount {__version__}")
