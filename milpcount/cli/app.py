"""The command line: a command is a function of `milpcount.cli.commands` and one line here."""

from typing import Annotated

import typer

from milpcount.cli.commands import counts, environment, experiments, networks, proofs
from milpcount.cli.group import COMPLETE, Group
from milpcount.cli.groups import grouped
from milpcount.cli.method_options import MethodCommand

app = typer.Typer(
    cls=Group,
    help="Count the linear regions of ReLU networks, exactly.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        environment.version()
        raise typer.Exit(COMPLETE)


@app.callback()
def _main(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Count the linear regions of ReLU networks, exactly."""


app.command(cls=MethodCommand)(grouped(counts.count))
app.command()(grouped(counts.regions))
app.command()(grouped(counts.section))
app.command()(grouped(proofs.verify))
app.command()(grouped(proofs.check))
app.command()(grouped(networks.bound))
app.command()(grouped(counts.compare))
app.command()(grouped(networks.inspect))
app.command()(grouped(experiments.sweep))
app.command()(grouped(experiments.plot))
app.command()(grouped(environment.backends))
app.command("warm-up")(grouped(environment.warm_up))
app.command()(grouped(environment.selftest))
app.command()(grouped(environment.cite))
app.command()(grouped(environment.version))
