"""The command line; numpy and the solvers are imported inside the commands that need them."""

from milpcount.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line and exit with its code (see `milpcount.cli.group`)."""
    from milpcount.cli import plain

    plain.set_up()
    app(prog_name="milpcount")
