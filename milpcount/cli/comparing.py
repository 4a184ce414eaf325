"""`compare` on the command line: a row per method, or an error that names two of them."""

import json
from pathlib import Path

from milpcount.cli.counting import terminable
from milpcount.cli.progress import listening
from milpcount.cli.tables import print_table, print_text
from milpcount.counters.comparison import compare
from milpcount.domain import Domain
from milpcount.errors import Interrupted
from milpcount.network import Network


def run(
    network: Path,
    domain: Domain,
    quantity: str,
    seconds: float,
    *,
    output: str | None = None,
    quiet: bool,
    as_json: bool,
) -> bool:
    """Print what the methods say and return whether all of them ran to their ends.

    Raises
    ------
    ContradictionError
        If two methods contradict each other.
    """
    with terminable(), listening(quiet=quiet) as listener:
        try:
            found = compare(
                Network.load(network, output),
                domain,
                quantity=quantity,
                seconds=seconds,
                listener=listener,
            )
        except Interrupted as stop:
            assert stop.comparison is not None
            found = stop.comparison
    if as_json:
        print(json.dumps(found.to_record()))
    else:
        print_table(["method", "count", "time", "status"], found.rows())
        above = "" if found.lower == found.upper else f" ≤ count ≤ {found.upper:,}"
        print_text(
            f"{len(found.results)} methods agree: {found.quantity.title} {found.lower:,}{above}"
        )
    return found.is_complete
