"""Every method that can, on networks whose counts are known."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from milpcount.api import count
from milpcount.cli.tables import print_facts, print_table
from milpcount.counters.comparison import every_candidate
from milpcount.counters.method import Method
from milpcount.errors import DomainError, MilpcountError, NotInstalledError
from milpcount.events import Event, Notice
from milpcount.examples import Example, library
from milpcount.limits import Limits
from milpcount.quantities import Quantity
from milpcount.result import CountResult

_SECONDS = 30.0
"""No example takes a second; a method that hangs must not stall the test."""


@dataclass(frozen=True)
class Judgement:
    """What one method said about one example.

    Attributes
    ----------
    text : str
        The cell of the table.
    wrong : bool
    """

    text: str
    wrong: bool = False


@dataclass
class _Tally:
    """How often a method was asked, and was right."""

    asked: int = 0
    right: int = 0

    def add(self, verdict: Judgement) -> None:
        self.asked += 1
        self.right += not verdict.wrong

    def __str__(self) -> str:
        return f"{self.right} of {self.asked}" if self.asked else "not asked"


def judge(example: Example, quantity: Quantity, method: Method) -> Judgement:
    """Return what a method says about an example, and whether that is wrong."""
    if quantity not in method.quantities:
        return Judgement("-")
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
        return Judgement("-")  # a domain or a solver that this method declares it does not have
    except MilpcountError as error:
        return Judgement(f"{type(error).__name__}: {error}", wrong=True)
    return _compare(result, example.known[quantity])


def _notices(event: Event) -> None:
    if isinstance(event, Notice):  # a kernel that is being compiled is not to be taken for a hang
        print(f"milpcount: {event.text}", file=sys.stderr, flush=True)


def _compare(result: CountResult, known: int) -> Judgement:
    if not result.lower <= known <= result.upper:
        return Judgement(f"{result.lower}..{result.upper} WRONG", wrong=True)
    if result.is_exact:
        return Judgement(str(result.lower))
    return Judgement(f"{result.lower}..{result.upper} not finished", wrong=True)


def _questions() -> Iterator[tuple[Example, Quantity]]:
    for example in library():
        for quantity in example.known:
            yield example, quantity


def named_methods() -> dict[str, Method]:
    """Return every method that names the patterns it counts, each backend's modes apart."""
    return {one.title: one.make() for one in every_candidate() if one.names}


def run(*, quiet: bool = False) -> bool:
    """Count everything, print the table, and return whether every answer was right.

    Parameters
    ----------
    quiet : bool
        Print the last line only.
    """
    methods = named_methods()
    tallies = {title: _Tally() for title in methods}
    rows, wrong = [], []
    for example, quantity in _questions():
        verdicts = {title: judge(example, quantity, made) for title, made in methods.items()}
        asked = {title: verdict for title, verdict in verdicts.items() if verdict.text != "-"}
        if not asked:
            continue
        for title, verdict in asked.items():
            tallies[title].add(verdict)
            if verdict.wrong:
                where = f"{example.name}, {quantity.title}"
                wrong.append((f"{title}:", f"{where}: {verdict.text}"))
        right = sum(not verdict.wrong for verdict in asked.values())
        known = str(example.known[quantity])
        rows.append([example.name, quantity.title, known, f"{right} of {len(asked)}"])
    total = sum(tally.asked for tally in tallies.values())
    if not quiet:
        print_table(["network", "quantity", "known", "right"], rows)
        print()
        print_table(["method", "right"], [[title, str(t)] for title, t in tallies.items()])
        print()
        if wrong:
            print_facts(wrong)
    print(f"{total - len(wrong)} of {total} counts are right" + (": FAILED" if wrong else ""))
    return not wrong
