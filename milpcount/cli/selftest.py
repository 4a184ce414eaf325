"""Every method that can, on networks whose counts are known."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from milpcount.api import count
from milpcount.cli.methods import variants
from milpcount.cli.tables import print_table
from milpcount.counters.method import Method
from milpcount.errors import DomainError, MilpcountError, NotInstalledError
from milpcount.events import Event, Notice
from milpcount.examples import Example, library
from milpcount.limits import Limits
from milpcount.result import CountResult, Quantity

_SECONDS = 30.0
"""No example takes a second; a method that hangs must not stall the test."""


@dataclass(frozen=True)
class Verdict:
    """What one method said about one example.

    Attributes
    ----------
    text : str
        The cell of the table.
    wrong : bool
    """

    text: str
    wrong: bool = False


def judge(example: Example, quantity: Quantity, method: Method) -> Verdict:
    """Return what a method says about an example, and whether that is wrong."""
    if quantity not in method.quantities:
        return Verdict("-")
    try:
        result = count(
            example.network,
            example.domain,
            method,
            quantity=quantity,
            limits=Limits(seconds=_SECONDS),
            listener=_notices,
        )
    except (DomainError, NotInstalledError):
        return Verdict("-")  # a domain or a solver that this method declares it does not have
    except MilpcountError as error:
        return Verdict(f"{type(error).__name__}: {error}", wrong=True)
    return _compare(result, example.known[quantity])


def _notices(event: Event) -> None:
    if isinstance(event, Notice):  # a kernel that is being compiled is not to be taken for a hang
        print(f"milpcount: {event.text}", file=sys.stderr, flush=True)


def _compare(result: CountResult, known: int) -> Verdict:
    if not result.lower <= known <= result.upper:
        return Verdict(f"{result.lower}..{result.upper} WRONG", wrong=True)
    if result.is_exact:
        return Verdict(str(result.lower))
    return Verdict(f"{result.lower}..{result.upper} not finished", wrong=True)


def _questions() -> Iterator[tuple[Example, Quantity]]:
    for example in library():
        for quantity in example.known:
            yield example, quantity


def run(*, quiet: bool = False) -> bool:
    """Count everything, print the table, and return whether every answer was right.

    Parameters
    ----------
    quiet : bool
        Print the last line only.
    """
    columns = variants()
    rows, asked, wrong = [], 0, 0
    for example, quantity in _questions():
        verdicts = [judge(example, quantity, method) for method in columns.values()]
        if all(verdict.text == "-" for verdict in verdicts):
            continue
        asked += sum(verdict.text != "-" for verdict in verdicts)
        wrong += sum(verdict.wrong for verdict in verdicts)
        known = str(example.known[quantity])
        rows.append([example.name, quantity.title, known, *(v.text for v in verdicts)])
    if not quiet:
        print_table(["network", "quantity", "known", *columns], rows)
    print(f"{asked - wrong} of {asked} counts are right" + ("" if wrong == 0 else ": FAILED"))
    return wrong == 0
