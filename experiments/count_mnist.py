"""Count trained MNIST networks within a budget of time: ``python -m experiments.count_mnist``.

One network of each way to split 22 units over two hidden layers is counted on the box [0, 1] of
its 784 pixels, those with the smallest upper bound first. A configuration is started if its bound
is small, or if it is expected to be finished within the budget, so that next to nothing is left
half done; the others are listed with what they would take. Compiling is no part of the budget.

The expectation comes from the last few networks counted before: their speed, all taken together so
that small ones say little, and the largest share of the upper bound that one of them reaches.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from experiments.files import read_manifest, sha256
from milpcount import Box, CountResult, Limits, Network, Status, count, integers, warm_up
from milpcount.bounds.rectifier import serra_2018
from milpcount.cli.group import COMPLETE, STOPPED, complain
from milpcount.cli.progress import listening, on_terminal
from milpcount.errors import FileFormatError, InputError, Interrupted, MilpcountError
from milpcount.events import Event, Listener, Started

DATA = Path(__file__).resolve().parent.parent / "data"
RECENT = 3
"""Networks that an expectation is taken from."""
TELLING = 1000
"""Regions from which on a network tells something about the next."""
SMALL = 10**6
"""Upper bounds up to which a network is started as long as there is time: it takes seconds."""
OVERRUN = 1.25
"""A run whose expectation was too low may go on for so many times the time that was left."""
COLUMNS = (
    ("network", 11), ("regions", 12), ("seconds", 9), ("regions/s", 11), ("test error", 11),
    ("upper bound", 13), ("of bound", 9),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A network to count: its file, its manifest entry in short, its upper bound."""

    path: Path
    widths: tuple[int, int]
    test_error: float
    digest: str
    bound: int

    @property
    def title(self) -> str:
        """The sizes that are counted."""
        return f"784-{self.widths[0]}-{self.widths[1]}"

    def load(self) -> Network:
        """Return the network, if the file is the one that the manifest describes."""
        if sha256(self.path.read_bytes()) != self.digest:
            raise FileFormatError(
                f"{self.path} is not the file that the manifest describes: restore it, or run "
                "`make train`"
            )
        return Network.load(self.path)


@dataclass(frozen=True)
class Pace:
    """How many regions were counted, in what time, and what share of the upper bound they are."""

    regions: int
    seconds: float
    reached: float


def cases(data: Path, seed: int) -> list[Case]:
    """Return the networks of a seed, those with the smallest upper bound first."""
    found = [
        Case(
            data / entry["file"],
            (entry["n1"], entry["n2"]),
            entry["test_error"],
            entry["sha256"],
            serra_2018(784, (entry["n1"], entry["n2"])),
        )
        for entry in read_manifest(data)["networks"]
        if entry["seed"] == seed
    ]
    if not found:
        raise InputError(f"{data} holds no network of seed {seed}: run `make train`")
    return sorted(found, key=lambda case: case.bound)


FIRST_GUESS = Pace(regions=10_000, seconds=1.0, reached=0.5)
"""What is taken for granted before a network has been counted."""


def expected_seconds(case: Case, paces: Sequence[Pace]) -> float:
    """Return the seconds a network should take, going by the last ones that were counted."""
    recent = paces[-RECENT:] or [FIRST_GUESS]
    regions = case.bound * max(pace.reached for pace in recent)
    rate = sum(pace.regions for pace in recent) / sum(pace.seconds for pace in recent)
    return regions / rate


def _untitled(listener: Listener) -> Listener:
    """Leave out the title on a terminal: the table names the network."""

    def listen(event: Event) -> None:
        if not (isinstance(event, Started) and on_terminal()):
            listener(event)

    return listen


def _row(*cells: str) -> None:
    padded = [
        cell.rjust(width) if place else cell.ljust(width)
        for place, (cell, (_, width)) in enumerate(zip(cells, COLUMNS, strict=False))
    ]
    print("  ".join(padded).rstrip(), flush=True)


def _report(case: Case, result: CountResult) -> None:
    prefix = "" if result.is_exact else "≥ "
    _row(
        case.title,
        prefix + integers.human(result.lower),
        f"{result.seconds:.2f}",
        f"{result.regions_per_second or 0:,.0f}",
        f"{100 * case.test_error:.2f} %",
        integers.human(case.bound),
        f"{100 * result.lower / case.bound:.1f} %",
    )


def _report_left_out(case: Case, seconds: float) -> None:
    _row(
        case.title, "not started", f"~ {seconds:.0f}", "", f"{100 * case.test_error:.2f} %",
        integers.human(case.bound),
    )  # fmt: skip


def _count(case: Case, seconds: float) -> CountResult:
    network = case.load()
    with listening() as listener:
        try:
            return count(
                network, Box(0, 1), limits=Limits(seconds=seconds), listener=_untitled(listener)
            )
        except Interrupted as stop:
            return stop.result


def count_all(found: Sequence[Case], budget: float) -> Status:
    """Count networks until the budget is nearly used, print a row for each.

    Returns
    -------
    Status
        COMPLETE if every network that was started was finished, else why the last was not.
    """
    end, paces = time.monotonic() + budget, []
    for place, case in enumerate(found):
        left = end - time.monotonic()
        if left <= 0 or (case.bound > SMALL and expected_seconds(case, paces) > left):
            _leave_out(found[place:], paces, budget)
            break
        result = _count(case, max(1.0, OVERRUN * left))
        _report(case, result)
        if not result.status.is_complete:
            return result.status
        if result.lower >= TELLING:
            paces.append(Pace(result.lower, result.seconds, result.lower / case.bound))
    return Status.COMPLETE


def _leave_out(rest: Sequence[Case], paces: Sequence[Pace], budget: float) -> None:
    seconds = [expected_seconds(case, paces) for case in rest]
    for case, expected in zip(rest, seconds, strict=True):
        _report_left_out(case, expected)
    titles = rest[0].title if len(rest) == 1 else f"{rest[0].title} to {rest[-1].title}"
    print(
        f"\nleft out, since they do not fit into {budget:g} s: {titles}, {len(rest)} in all\n"
        f"for the next one: make count BUDGET={ceil(budget + seconds[0])}; "
        f"for all of them: BUDGET={ceil(budget + sum(seconds))} or so"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--budget", type=float, default=110.0, help="seconds (default: 110)")
    parser.add_argument("--seed", type=int, default=0, help="which trained network (default: 0)")
    parser.add_argument("--data", type=Path, default=DATA, help="the data folder")
    options = parser.parse_args(arguments)
    try:
        found = cases(options.data, options.seed)
        with listening() as listener:
            warm_up("tree", listener=listener)
        print("Activation regions of networks trained on MNIST, box [0, 1], every one certified")
        _row(*(name for name, _ in COLUMNS))
        status = count_all(found, options.budget)
    except MilpcountError as error:
        complain(str(error))
        return 2 if isinstance(error, InputError) else 1
    except KeyboardInterrupt:
        return STOPPED
    if not status.is_complete:
        print(status.value)
    return COMPLETE if status.is_complete else STOPPED


if __name__ == "__main__":
    sys.exit(main())
