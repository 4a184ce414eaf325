"""Processor seconds of every method on every network: ``python -m experiments.seconds STORE``.

Lower bounds of methods that rest on chance are shown with the share of the exact count that they
reach, and ``>`` where a job was stopped at its limit.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from milpcount.cli.group import COMPLETE, USAGE, complain
from milpcount.cli.tables import print_table
from milpcount.errors import InputError
from milpcount.store import Record, Store, decoded


def column(line: Record) -> str:
    """Return the method and the options that tell its columns apart."""
    chosen = (
        str(line["options"][key]) for key in ("backend", "xor_size") if key in line["options"]
    )
    return " ".join([line["method"], *chosen])


def cell(line: Record, exact: int | None) -> str:
    """Return seconds, and what share of the count a bound reaches."""
    stopped = "> " if line["status"] == "time_limit" else ""
    text = f"{stopped}{line['cpu_seconds']:.2f} s"
    if exact and (line.get("confidence") is not None or stopped):
        text += f" ({100 * line['lower'] / exact:.0f} %)"
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) != 1 or not Path(given[0]).is_file():
        complain("give one store of results, e.g. experiments/results/runtime.jsonl")
        return USAGE
    try:
        lines = [decoded(r) for r in Store(Path(given[0])).records.values() if "lower" in r]
    except InputError as error:
        complain(str(error))
        return USAGE
    columns = list(dict.fromkeys(column(line) for line in lines))
    subjects = list(dict.fromkeys(line["subject"] for line in lines))
    rows = []
    for subject in subjects:
        mine = {column(line): line for line in lines if line["subject"] == subject}
        exact = next((line["lower"] for line in mine.values() if line["exact"]), None)
        regions = "–" if exact is None else f"{exact:,}"
        cells = [cell(mine[name], exact) if name in mine else "–" for name in columns]
        rows.append([subject, regions, *cells])
    print_table(["network", "regions", *columns], rows)
    return COMPLETE


if __name__ == "__main__":
    sys.exit(main())
