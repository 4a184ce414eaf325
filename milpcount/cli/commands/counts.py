"""Commands that count: `count`, `regions`, `section`, `compare`."""

from pathlib import Path
from typing import Annotated

import typer

from milpcount.cli import options as opt
from milpcount.cli.group import COMPLETE, STOPPED
from milpcount.cli.method_options import method_named
from milpcount.quantities import Quantity


def count(
    *,
    context: typer.Context,
    network: opt.NetworkPath,
    output_name: opt.OutputName = None,
    domain: opt.DomainOptions,
    method: opt.MethodOption = "tree",
    quantity: opt.QuantityOption = Quantity.ACTIVATION_REGIONS,
    limits: opt.LimitOptions,
    seed: opt.SeedOption = 0,
    workers: opt.WorkersOption = 1,
    keep: opt.KeepOption = None,
    proof: opt.ProofOption = None,
    quiet: opt.QuietFlag = False,
    json: opt.JsonFlag = False,
) -> None:
    """Count the regions of a network over a domain.

    Exit codes: 0 complete, 3 stopped at a limit or by Ctrl-C (the bounds printed are valid),
    2 wrong usage or input, 1 failure.
    """
    from milpcount.cli.counting import Request, prove, run
    from milpcount.cli.counting import keep as write_regions
    from milpcount.cli.tables import print_facts

    request = Request(
        network=network,
        output=output_name,
        domain=domain.domain(network),
        method=method_named(method, **context.obj),
        quantity=quantity.value,
        limits=limits.limits(),
        seed=seed,
        keep=keep,
        workers=workers,
        proof=proof,
    )
    result = run(request, quiet=quiet)
    try:
        if json:
            print(result.to_json(), flush=True)
        else:
            print_facts(result.rows())
    finally:  # a reader that has left the pipe does not take the regions with it
        write_regions(request, result)
        prove(request, result)
    raise typer.Exit(COMPLETE if result.status.is_complete else STOPPED)


def regions(
    *,
    network: opt.NetworkPath,
    output_name: opt.OutputName = None,
    domain: opt.DomainOptions,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Patterns and points as .npz, .parquet or .csv, or rows and maps as .mat "
            "or .json.",
        ),
    ] = None,
    limits: opt.LimitOptions,
    workers: opt.WorkersOption = 1,
    quiet: opt.QuietFlag = False,
) -> None:
    """Find all activation regions, with their rows and affine maps; print what they are like.

    Exit codes: 0 written, 2 wrong usage or input, or a limit was reached, 1 failure.
    """
    from milpcount.cli import partitioning
    from milpcount.cli.tables import print_facts

    request = partitioning.Request(
        network, domain.domain(network), limits.limits(), output, workers, output_name
    )
    print_facts(partitioning.facts(partitioning.run(request, quiet=quiet)))


def section(
    *,
    network: opt.NetworkPath,
    start: Annotated[
        Path, typer.Option("--from", metavar="A.npy", help="The first point.", exists=True)
    ],
    ends: Annotated[
        list[Path],
        typer.Option(
            "--to", metavar="B.npy", help="The next point; several make a polyline.", exists=True
        ),
    ],
    plane: Annotated[
        bool, typer.Option("--plane", help="The plane through three points instead of lines.")
    ] = False,
    window: Annotated[
        tuple[float, float] | None,
        typer.Option("--window", metavar="LO HI", help="Of both parameters of a plane [0 1]."),
    ] = None,
    output_name: opt.OutputName = None,
    time: opt.TimeOption = None,
    regions: opt.RegionsOption = None,
    memory: Annotated[
        str | None,
        typer.Option("--memory", metavar="SIZE", help="Divide the work to hold about that [1GiB]."),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            "--tolerance", metavar="T", help="Of signs, where bounds on errors do not tell [1e-10]."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Draw it: a .pdf, .svg or .png."),
    ] = None,
    quiet: opt.QuietFlag = False,
    json: opt.JsonFlag = False,
) -> None:
    """Count the regions on a line, a polyline or a plane through points, of large networks too.

    On a polyline patterns are counted once, and its changes of pattern are told besides. Exit codes
    are those of count.
    """
    from milpcount.cli import sectioning
    from milpcount.cli.tables import print_facts
    from milpcount.counters.section import SectionWalk
    from milpcount.limits import Limits

    method = SectionWalk(
        SectionWalk.memory if memory is None else opt.parse_size(memory),
        SectionWalk.tolerance if tolerance is None else tolerance,
    )
    along = sectioning.domain_of(start, ends, window, plane=plane)
    result = sectioning.run(
        network, output_name, along, method, Limits(time, regions), output, quiet=quiet
    )
    if json:
        print(result.to_json(), flush=True)
    else:
        extra = result.details.get("transitions")
        rows = result.rows()
        print_facts(rows if extra is None else [*rows[:1], ("transitions", str(extra)), *rows[1:]])
    raise typer.Exit(COMPLETE if result.status.is_complete else STOPPED)


def compare(
    *,
    network: opt.NetworkPath,
    output_name: opt.OutputName = None,
    domain: opt.DomainOptions,
    quantity: opt.QuantityOption = Quantity.ACTIVATION_REGIONS,
    time: Annotated[
        float, typer.Option("--time", metavar="S", help="Seconds for each method.")
    ] = 60.0,
    quiet: opt.QuietFlag = False,
    json: opt.JsonFlag = False,
) -> None:
    """Count by every method that can afford it; exit code 1 if two contradict each other."""
    from milpcount.cli import comparing

    complete = comparing.run(
        network,
        domain.domain(network),
        quantity.value,
        time,
        output=output_name,
        quiet=quiet,
        as_json=json,
    )
    raise typer.Exit(COMPLETE if complete else STOPPED)
