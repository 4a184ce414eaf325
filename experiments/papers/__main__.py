"""What the source papers claim, measured.

``python -m experiments.papers KEY ..`` measures claims, ``--all`` all of them, ``--list`` names
them, ``--write`` puts the table into ``docs/claims.md``.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.papers import hu_zhang, nakahara, serra, xiong
from experiments.papers.claim import Claim
from milpcount.cli.group import COMPLETE, USAGE, complain

PAGE = Path(__file__).resolve().parents[2] / "docs" / "claims.md"
BEGIN, END = "<!-- table of the claims -->", "<!-- end of the table -->"
PAPERS: tuple[tuple[str, tuple[Claim, ...]], ...] = (
    (hu_zhang.PAPER, hu_zhang.CLAIMS),
    (serra.ICML, serra.ICML_CLAIMS),
    (serra.AAAI, serra.AAAI_CLAIMS),
    (xiong.PAPER, xiong.CLAIMS),
    (nakahara.PAPER, nakahara.CLAIMS),
)
CLAIMS = {claim.key: claim for _, claims in PAPERS for claim in claims}


def table() -> str:
    """Measure everything, and return the page's tables."""
    parts = []
    for paper, claims in PAPERS:
        rows = []
        for claim in claims:
            found = claim.measure()
            cells = [claim.where, claim.statement, found.verdict, found.text, f"`{claim.key}`"]
            rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        head = "| where | claim | verdict | our number | key |\n|---|---|---|---|---|"
        parts.append(f"## {paper}\n\n{head}\n" + "\n".join(rows))
    return "\n\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m experiments.papers", description=__doc__)
    parser.add_argument("keys", nargs="*", metavar="KEY")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    unknown = [key for key in options.keys if key not in CLAIMS]
    if unknown or not (options.keys or options.all or options.list or options.write):
        complain(f"{', '.join(unknown) or 'no claim named'}: there are {', '.join(CLAIMS)}")
        return USAGE
    if options.list:
        print("\n".join(f"{key:<22}{CLAIMS[key].statement}" for key in CLAIMS))
    for key in CLAIMS if options.all else options.keys:
        claim = CLAIMS[key]
        found = claim.measure()
        print(f"{key}: {claim.where}: {claim.statement}\n   {found.text}\n   {found.verdict}")
    if options.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}", encoding="utf-8")
    return COMPLETE


if __name__ == "__main__":
    sys.exit(main())
