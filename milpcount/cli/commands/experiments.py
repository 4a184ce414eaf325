"""Commands for many counts: `sweep`, `plot`."""

from pathlib import Path
from typing import Annotated

import typer

from milpcount.cli import options as opt
from milpcount.cli.group import COMPLETE, STOPPED
from milpcount.errors import OptionError


def sweep(
    *,
    experiment: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", callback=opt.located, help="The experiment, e.g. example:mnist.toml."
        ),
    ],
    output_name: opt.OutputName = None,
    store: Annotated[
        Path | None,
        typer.Option("--store", metavar="FILE", help="Results (.jsonl); what is there is skipped."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="METHOD", help="Some of its methods.")
    ] = None,
    workers: opt.WorkersOption = 1,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="ADDRESS", help="A Dask cluster's, tcp://host:8786."),
    ] = None,
    time: opt.TimeOption = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Write tables and figures to an .html."),
    ] = None,
    quiet: opt.QuietFlag = False,
) -> None:
    """Run an experiment over many networks; stopped at any moment, it goes on where it was.

    Exit codes: 0 all jobs are done, 3 stopped before (run it again), 2 wrong usage or input,
    1 failure.
    """
    from milpcount.cli import sweeping

    request = sweeping.Request(
        experiment, store, workers, scheduler, only or (), time, report, output_name
    )
    done = sweeping.run(request, quiet=quiet)
    try:
        print(f"{done.done} of {done.total} jobs done", flush=True)
    finally:
        sweeping.write_report(request)
    sweeping.complain(done)
    raise typer.Exit(STOPPED if done.stopped else COMPLETE)


def plot(
    *,
    kind: Annotated[opt.FigureName, typer.Argument(metavar="KIND", help="What to draw.")],
    source: Annotated[
        Path,
        typer.Argument(
            metavar="STORE|NET",
            callback=opt.located,
            help="Results of a sweep, the file of an experiment; else a network.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A .pdf, .svg, .png; of a partition also .html.",
        ),
    ],
    output_name: opt.OutputName = None,
    domain: opt.DomainOptions,
    mark: Annotated[
        list[str] | None,
        typer.Option("--mark", metavar="T1,T2[=TEXT]", help="Mark a point of a partition."),
    ] = None,
    colour: Annotated[
        opt.ColourName | None,
        typer.Option(
            "--colour",
            metavar="BY",
            help="Of a partition: region (default), linear_region, map, layer.",
        ),
    ] = None,
    component: Annotated[
        int | None,
        typer.Option("--component", metavar="K", help="Of a function: which output, from 0."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold", metavar="T", help="Of a boundary: that of a single output [0]."
        ),
    ] = None,
) -> None:
    """Draw results of a sweep or experiment; a network's partition, function or boundary."""
    from milpcount.cli import plotting

    if component is not None and kind is not opt.FigureName.function:
        raise OptionError("--component: only a function has it, leave it out")
    if threshold is not None and kind is not opt.FigureName.boundary:
        raise OptionError("--threshold: only a boundary has it, leave it out")
    if kind is opt.FigureName.partition:
        by = (colour or opt.ColourName.region).value
        plotting.draw_partition(source, domain.domain(source), mark or [], output, output_name, by)
    elif kind in (opt.FigureName.function, opt.FigureName.boundary):
        if mark or colour:
            raise OptionError("--mark and --colour: only a partition has these, leave them out")
        own = (
            {"component": component}
            if kind is opt.FigureName.function
            else {"threshold": threshold or 0.0}
        )
        plotting.draw_over(kind.value, source, domain.domain(source), output, output_name, own)
    else:
        given = domain.given()
        given += (["--mark"] if mark else []) + (["--output-name"] if output_name else [])
        given += ["--colour"] if colour else []
        plotting.draw_store(kind.value, source, output, given)
