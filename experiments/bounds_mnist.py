"""Bounds of trained MNIST networks beside counts: ``python -m experiments.bounds_mnist``.

One network of each way to split 22 units over two hidden layers, on the box [0, 1] of its 784
pixels. The count is exact where the region tree finishes within the seconds it is given, and what
it has proved by then (``>=``) elsewhere. Bounds: the empirical one (from weights and the stable
units of the box), Serra et al. 2018, Montúfar 2017, and all patterns.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.count_mnist import DATA, Case, cases
from milpcount import BoundTable, Box, CountResult, Limits, bound, count, integers
from milpcount.cli.group import COMPLETE, STOPPED, complain
from milpcount.errors import ContradictionError, InputError, MilpcountError

BOUNDS = ("serra2020", "serra2018", "montufar2017", "naive")
COLUMNS = (
    ("network", 9), ("regions", 14), ("empirical", 11), ("Serra 2018", 11), ("Montúfar 2017", 13),
    ("patterns", 11), ("of best", 8),
)  # fmt: skip


def row(case: Case, found: CountResult | None, table: BoundTable) -> list[str]:
    """Return the cells of a network.

    Raises
    ------
    ContradictionError
        If a bound is below what was counted.
    """
    values = [int(table[key].value) for key in BOUNDS]
    if found is None:
        return [case.title, "", *map(integers.human, values), ""]
    if found.lower > min(values):
        raise ContradictionError(
            f"{case.title}: {found.lower} regions were counted, and a bound is {min(values)}"
        )
    sign = "" if found.is_exact else ">= "
    share = f"{sign}{100 * found.lower / min(values):.0f} %"
    return [case.title, sign + integers.human(found.lower), *map(integers.human, values), share]


def _line(cells: Sequence[str]) -> str:
    aligned = (cell.rjust(width) for cell, (_, width) in zip(cells, COLUMNS, strict=True))
    return "  ".join(aligned)


def show(case: Case, seconds: float, tighten: str) -> None:
    """Print the row of a network."""
    network, box = case.load(), Box(0, 1)
    table = bound(network, box, tighten=tighten, limits=Limits(seconds=60))
    found = count(network, box, limits=Limits(seconds=seconds)) if seconds > 0 else None
    print(_line(row(case, found, table)), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="for each count (default: 5)")
    parser.add_argument("--seed", type=int, default=0, help="which trained network (default: 0)")
    parser.add_argument("--tighten", choices=("interval", "lp", "milp"), default="lp")
    parser.add_argument("--data", type=Path, default=DATA, help="the data folder")
    options = parser.parse_args(arguments)
    try:
        print(_line([name for name, _ in COLUMNS]))
        for case in sorted(cases(options.data, options.seed), key=lambda case: case.widths):
            show(case, options.seconds, options.tighten)
    except MilpcountError as error:
        complain(str(error))
        return 2 if isinstance(error, InputError) else 1
    except KeyboardInterrupt:
        return STOPPED
    return COMPLETE


if __name__ == "__main__":
    sys.exit(main())
