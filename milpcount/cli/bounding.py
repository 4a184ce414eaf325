"""Bounds from the command line: a network's if there is such a file, else an architecture's."""

from pathlib import Path

from milpcount.api import bound
from milpcount.bounds.table import BoundTable, row_of
from milpcount.cli import tables
from milpcount.cli.options import DomainOptions
from milpcount.errors import OptionError
from milpcount.network import Network
from milpcount.printable import printable

_SUFFIXES = {".npz", ".onnx", ".pt2", ".nnet"}


def table(
    subject: str,
    domain: DomainOptions,
    tighten: str,
    family: str | None,
    quantity: str,
    *,
    output: str | None = None,
) -> BoundTable:
    """Return the bounds of a file or an architecture string.

    Parameters
    ----------
    subject : str
    domain : DomainOptions
    tighten : {"interval", "lp", "milp"}
    family : str or None
        Theorems of one family only.
    quantity : str
    output : str, optional
        Name of the network's output, where it has several.

    Raises
    ------
    InputError
        If the subject is neither, or an option does not fit.
    """
    path = Path(subject)
    is_file = path.suffix in _SUFFIXES or path.exists()
    if not is_file and tighten != "interval":
        raise OptionError(f"--tighten {tighten} needs a network file, not an architecture")
    if not is_file and output is not None:
        raise OptionError(f"--output-name {output} needs a network file, not an architecture")
    chosen = domain.domain(path) if domain.given() else None
    network = Network.load(path, output) if is_file else subject
    return bound(network, chosen, quantity=quantity, tighten=tighten, family=family)


def show(found: BoundTable, *, as_json: bool) -> None:
    """Print bounds: in columns where they fit, else each beside its value.

    Parameters
    ----------
    found : BoundTable
    as_json : bool
        Print one line of JSON.
    """
    most, text = tables.width(), str(found)
    if as_json:
        print(found.to_json())
    elif most is None or max(map(len, text.splitlines())) <= most:
        print(text)
    else:
        tables.print_text(printable(found.subject))
        if found.domain:
            tables.print_text(f"domain: {printable(found.domain)}")
        for title, bounds in found.blocks():
            print()
            tables.print_text(title)
            rows = [row_of(bound) for bound in bounds]
            lines = [(value, f"{name}: {remark} {key}") for value, name, remark, key in rows]
            tables.print_table((), lines, indent="  ")
        print()
        tables.print_text("`milpcount cite KEY` prints the reference of a [KEY]")
