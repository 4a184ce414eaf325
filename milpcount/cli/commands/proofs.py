"""Commands that check what was counted before: `verify`, `check`."""

from pathlib import Path
from typing import Annotated

import typer

from milpcount.cli import options as opt
from milpcount.cli.group import COMPLETE, FAILURE
from milpcount.quantities import Quantity


def verify(
    *,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Regions that count --keep has written.")
    ],
    network: opt.NetworkPath,
    output_name: opt.OutputName = None,
    domain: opt.DomainOptions,
    quantity: Annotated[
        Quantity | None, typer.Option("--quantity", help="What was counted.")
    ] = None,
    json: opt.JsonFlag = False,
) -> None:
    """Prove in exact arithmetic that the regions in a file exist: the lower end of a count.

    Domain and quantity are in the file; only one of the first release needs the options.
    Exit codes: 0 proved, 1 not proved, 2 wrong usage or input, e.g. another network.
    """
    from milpcount.cli import verifying

    wanted = None if quantity is None else quantity.value
    proved = verifying.run(file, network, domain, wanted, output=output_name, as_json=json)
    raise typer.Exit(COMPLETE if proved else FAILURE)


def check(
    *,
    network: opt.NetworkPath,
    proof: Annotated[
        Path, typer.Argument(metavar="FILE", help="A proof that count --proof has written.")
    ],
    output_name: opt.OutputName = None,
) -> None:
    """Check a proof of a count, both ends, by a program that shares no code with the count.

    Exit codes: 0 proved, 1 not proved (the first false step is named), 2 wrong usage or input.
    """
    from milpcount.cli.checking import run

    raise typer.Exit(run(network, proof, output_name))
