"""Compare everything in a store of results: ``python -m experiments.check_store FILE``.

No exact count may lie below a lower bound or above an upper one; bounds that hold with a confidence
may fail as often as it says. Exit code 1 if the lines cannot all be true.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from milpcount.cli.group import COMPLETE, FAILURE, USAGE, complain
from milpcount.errors import InputError
from milpcount.store import Store
from milpcount.sweep.check import check


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) != 1 or not Path(given[0]).is_file():
        complain("give one store of results, e.g. experiments/results/mnist22.jsonl")
        return USAGE
    try:
        verdict = check(Store(Path(given[0])))
    except InputError as error:
        complain(str(error))
        return USAGE
    pairs = Counter((c.low, c.high) for c in verdict.comparisons)
    failed = Counter((c.low, c.high) for c in verdict.failed)
    for (low, high), number in sorted(pairs.items()):
        print(f"{low} <= {high}: {number} comparisons, {failed[low, high]} fail")
    by_chance = len([c for c in verdict.failed if c.confidence is not None])
    print(
        f"{len(verdict.comparisons)} comparisons, {len(verdict.failed)} violations, {by_chance} of "
        "them of bounds that hold with a confidence"
    )
    for line in verdict.impossible:
        print(f"impossible: {line}")
    return FAILURE if verdict.impossible else COMPLETE


if __name__ == "__main__":
    sys.exit(main())
