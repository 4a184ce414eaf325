"""The commands: each reads its options, calls the library, and prints."""

from pathlib import Path
from typing import Annotated

import typer

from milpcount.cli import options as opt
from milpcount.cli.group import COMPLETE, FAILURE, STOPPED, Group
from milpcount.cli.methods import MethodName, method_named
from milpcount.errors import OptionError

app = typer.Typer(
    cls=Group,
    help="Count the linear regions of ReLU networks, exactly.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit(COMPLETE)


@app.callback()
def _main(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Count the linear regions of ReLU networks, exactly."""


@app.command()
def count(
    network: opt.NetworkPath,
    output_name: opt.OutputName = None,
    box: opt.BoxOption = None,
    box_file: opt.BoxFile = None,
    vnnlib: opt.VnnlibFile = None,
    vnnlib_inputs_only: opt.VnnlibInputsOnly = False,
    section: opt.SectionFile = None,
    unbounded: opt.UnboundedFlag = False,
    header_box: opt.HeaderBox = False,
    method: opt.MethodOption = MethodName.tree,
    backend: opt.BackendOption = None,
    mode: opt.ModeOption = None,
    form: opt.FormOption = None,
    tighten: opt.TightenOption = None,
    quantity: opt.QuantityOption = opt.QuantityName.activation_regions,
    time: opt.TimeOption = None,
    regions: opt.RegionsOption = None,
    memory: opt.MemoryOption = None,
    seed: opt.SeedOption = 0,
    confidence: opt.ConfidenceOption = None,
    runs: opt.RunsOption = None,
    xor_size: opt.XorSizeOption = None,
    hybrid: opt.HybridOption = None,
    probes: opt.ProbesOption = None,
    gap: opt.GapOption = None,
    epsilon: opt.EpsilonOption = None,
    delta: opt.DeltaOption = None,
    strategy: opt.StrategyOption = None,
    count_first: opt.CountFirstOption = None,
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
    from milpcount.limits import Limits

    choice = opt.DomainChoice(
        network, box, box_file, vnnlib, section, unbounded, header_box, vnnlib_inputs_only
    )
    request = Request(
        network=network,
        output=output_name,
        domain=choice.domain(),
        method=method_named(
            method,
            backend=backend,
            mode=mode,
            form=form,
            tighten=tighten,
            confidence=confidence,
            runs=runs,
            xor_size=xor_size,
            hybrid=hybrid,
            probes=probes,
            gap=gap,
            epsilon=epsilon,
            delta=delta,
            strategy=strategy,
            count_first=count_first,
        ),
        quantity=quantity.value,
        limits=Limits(time, regions, None if memory is None else opt.parse_size(memory)),
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


@app.command()
def regions(
    network: opt.NetworkPath,
    output_name: opt.OutputName = None,
    box: opt.BoxOption = None,
    box_file: opt.BoxFile = None,
    vnnlib: opt.VnnlibFile = None,
    vnnlib_inputs_only: opt.VnnlibInputsOnly = False,
    section: opt.SectionFile = None,
    unbounded: opt.UnboundedFlag = False,
    header_box: opt.HeaderBox = False,
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
    time: opt.TimeOption = None,
    memory: opt.MemoryOption = None,
    workers: opt.WorkersOption = 1,
    quiet: opt.QuietFlag = False,
) -> None:
    """Find all activation regions, with their rows and affine maps; print what they are like.

    Exit codes: 0 written, 2 wrong usage or input, or a limit was reached, 1 failure.
    """
    from milpcount.cli import partitioning
    from milpcount.cli.tables import print_facts
    from milpcount.limits import Limits

    choice = opt.DomainChoice(
        network, box, box_file, vnnlib, section, unbounded, header_box, vnnlib_inputs_only
    )
    limits = Limits(time, None, None if memory is None else opt.parse_size(memory))
    request = partitioning.Request(network, choice.domain(), limits, output, workers, output_name)
    print_facts(partitioning.facts(partitioning.run(request, quiet=quiet)))


@app.command()
def section(
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
    domain = sectioning.domain_of(start, ends, window, plane=plane)
    result = sectioning.run(
        network, output_name, domain, method, Limits(time, regions), output, quiet=quiet
    )
    if json:
        print(result.to_json(), flush=True)
    else:
        extra = result.details.get("transitions")
        rows = result.rows()
        print_facts(rows if extra is None else [*rows[:1], ("transitions", str(extra)), *rows[1:]])
    raise typer.Exit(COMPLETE if result.status.is_complete else STOPPED)


@app.command()
def verify(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Regions that count --keep has written.")
    ],
    network: opt.NetworkPath,
    output_name: opt.OutputName = None,
    box: opt.BoxOption = None,
    box_file: opt.BoxFile = None,
    vnnlib: opt.VnnlibFile = None,
    section: opt.SectionFile = None,
    unbounded: opt.UnboundedFlag = False,
    header_box: opt.HeaderBox = False,
    quantity: Annotated[
        opt.QuantityName | None, typer.Option("--quantity", help="What was counted.")
    ] = None,
    json: opt.JsonFlag = False,
) -> None:
    """Prove in exact arithmetic that the regions in a file exist: the lower end of a count.

    Domain and quantity are in the file; only one of the first release needs the options.
    Exit codes: 0 proved, 1 not proved, 2 wrong usage or input, e.g. another network.
    """
    from milpcount.cli import verifying

    choice = opt.DomainChoice(network, box, box_file, vnnlib, section, unbounded, header_box)
    wanted = None if quantity is None else quantity.value
    proved = verifying.run(file, choice, wanted, output=output_name, as_json=json)
    raise typer.Exit(COMPLETE if proved else FAILURE)


@app.command()
def check(
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


@app.command()
def bound(
    subject: Annotated[
        str, typer.Argument(metavar="ARCH|NET", help="E.g. 784-11-11-10, or a network file.")
    ],
    output_name: opt.OutputName = None,
    box: opt.BoxOption = None,
    box_file: opt.BoxFile = None,
    vnnlib: opt.VnnlibFile = None,
    vnnlib_inputs_only: opt.VnnlibInputsOnly = False,
    section: opt.SectionFile = None,
    unbounded: opt.UnboundedFlag = False,
    header_box: opt.HeaderBox = False,
    tighten: opt.TightenOption = None,
    family: Annotated[
        str | None,
        typer.Option("--family", metavar="NAME", help="One family: rectifier, maxout, .."),
    ] = None,
    quantity: opt.BoundedOption = opt.BoundedName.activation_regions,
    json: opt.JsonFlag = False,
) -> None:
    """Bound the regions by every theorem that applies, tightest first.

    A plain number at the end of an architecture is its affine output; 784-11-11:relu has none.
    """
    from milpcount.cli import bounding

    network = opt.located(Path(subject)) or Path(subject)
    subject = subject if network == Path(subject) else str(network)
    choice = opt.DomainChoice(
        network, box, box_file, vnnlib, section, unbounded, header_box, vnnlib_inputs_only
    )
    found = bounding.table(
        subject,
        choice if choice.given() else None,
        (tighten or "interval"),
        family,
        quantity.value,
        output=output_name,
    )
    bounding.show(found, as_json=json)


@app.command()
def compare(
    network: opt.NetworkPath,
    output_name: opt.OutputName = None,
    box: opt.BoxOption = None,
    box_file: opt.BoxFile = None,
    vnnlib: opt.VnnlibFile = None,
    vnnlib_inputs_only: opt.VnnlibInputsOnly = False,
    section: opt.SectionFile = None,
    unbounded: opt.UnboundedFlag = False,
    header_box: opt.HeaderBox = False,
    quantity: opt.QuantityOption = opt.QuantityName.activation_regions,
    time: Annotated[
        float, typer.Option("--time", metavar="S", help="Seconds for each method.")
    ] = 60.0,
    quiet: opt.QuietFlag = False,
    json: opt.JsonFlag = False,
) -> None:
    """Count by every method that can afford it; exit code 1 if two contradict each other."""
    from milpcount.cli import comparing

    choice = opt.DomainChoice(
        network, box, box_file, vnnlib, section, unbounded, header_box, vnnlib_inputs_only
    )
    complete = comparing.run(
        network,
        choice.domain(),
        quantity.value,
        time,
        output=output_name,
        quiet=quiet,
        as_json=json,
    )
    raise typer.Exit(COMPLETE if complete else STOPPED)


@app.command()
def inspect(
    network: opt.NetworkPath,
    output_name: opt.OutputName = None,
    box: opt.BoxOption = None,
    box_file: opt.BoxFile = None,
    vnnlib: opt.VnnlibFile = None,
    vnnlib_inputs_only: opt.VnnlibInputsOnly = False,
    section: opt.SectionFile = None,
    unbounded: opt.UnboundedFlag = False,
    header_box: opt.HeaderBox = False,
    tighten: opt.TightenOption = None,
    json: opt.JsonFlag = False,
) -> None:
    """Show layers, widths and fingerprint; over a domain also stable units and ranges."""
    from milpcount.cli import inspection

    choice = opt.DomainChoice(
        network, box, box_file, vnnlib, section, unbounded, header_box, vnnlib_inputs_only
    )
    if tighten is not None and not choice.given():
        choice.domain()  # raises: there are no ranges without a domain
    domain = choice.domain() if choice.given() else None
    inspection.show(network, domain, (tighten or "interval"), output=output_name, as_json=json)


@app.command()
def sweep(
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


@app.command()
def plot(
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
    box: opt.BoxOption = None,
    box_file: opt.BoxFile = None,
    section: opt.SectionFile = None,
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
        choice = opt.DomainChoice(source, box, box_file, None, section)
        by = (colour or opt.ColourName.region).value
        plotting.draw_partition(source, choice.domain(), mark or [], output, output_name, by)
    elif kind in (opt.FigureName.function, opt.FigureName.boundary):
        choice = opt.DomainChoice(source, box, box_file, None, section)
        if mark or colour:
            raise OptionError("--mark and --colour: only a partition has these, leave them out")
        own = (
            {"component": component}
            if kind is opt.FigureName.function
            else {"threshold": threshold or 0.0}
        )
        plotting.draw_over(kind.value, source, choice.domain(), output, output_name, own)
    else:
        given = opt.DomainChoice(source, box, box_file, None, section).given()
        given += (["--mark"] if mark else []) + (["--output-name"] if output_name else [])
        given += ["--colour"] if colour else []
        plotting.draw_store(kind.value, source, output, given)


@app.command()
def backends(json: opt.JsonFlag = False) -> None:
    """List the solvers: installed or not, version, capabilities, how to install."""
    from milpcount.cli import solvers

    solvers.show(as_json=json)


@app.command("warm-up")
def warm_up(
    methods: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[METHOD]...", help="tree, probe, mbound, points, proof; all by default."
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


@app.command()
def selftest(quiet: opt.QuietFlag = False) -> None:
    """Count networks with known answers by every method that can; exit code 1 on a mismatch."""
    from milpcount.cli.selftest import run

    raise typer.Exit(COMPLETE if run(quiet=quiet) else FAILURE)


@app.command()
def cite(
    key: Annotated[
        str | None, typer.Argument(metavar="[KEY]", help="A paper, a method, or 'tool'.")
    ] = None,
) -> None:
    """Print BibTeX of this tool and of the papers it rests on."""
    from milpcount.citations import bibtex

    print(bibtex(key))


@app.command()
def version() -> None:
    """Print the version."""
    from milpcount import __version__

    print(f"milpcount {__version__}")
