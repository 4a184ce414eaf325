"""Speeds beside those of another work tree: ``python -m experiments.benchmarks.against DIR``.

Every network is counted by the package here and by the one in the other folder, alternating, five
times each (``--times``); what is printed are medians in regions per second of one core and the
median of the ratios. Both processes live through the whole run, so that nothing is compiled or
loaded twice, and a busy machine slows both. Counts must agree; they stop after ``--most`` regions,
which costs a last look at the upper end, a quarter of a second: less is not worth timing.

What was found with it, as ratios to the commit before:

* Few parameters (10-10-10, 1.35 in all): four fifths of the time went to projections. A factor that
  loses a row by rotations instead of being made anew, reciprocals of its diagonal, slacks of four
  coordinates at a time, and the new row tried first halved them. Points on segments between known
  points, which were kept for many parameters only, answer 45 % of the questions, for a gain of a
  tenth: those left are the hard ones. Values of known points are kept, not made anew. Tried and
  worse: points along rays from the node's own (four rays find a quarter, and cost as much).
* Six inputs by vertices (1.2): neighbours among more than two dozen crossings are looked up by a
  hash of their facets, and crossings are not counted before they are made.
* 784 inputs (1.15): V^T y takes what is over of four rows first, and no pass for zeros; the Hessian
  is kept whole, so that products with it are sums of rows. The rest goes at the cache's speed.
* A thousand units (walks, 1.32): products of a cell's rows stay from one projection to the next.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from experiments.benchmarks.networks import ROOT
from milpcount.errors import ContradictionError

CASES = ("784-4-18", "784-11-11", "784-16-6", "trained 784-8-14", "trained 784-11-11", "10-10-10",
         "6-12-12")  # fmt: skip


class Side:
    """A process that counts with the package of one folder."""

    def __init__(self, folder: Path) -> None:
        environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}
        command = [sys.executable, str(Path(__file__).with_name("counting.py")), str(folder)]
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def count(self, case: str, most: int) -> tuple[int, float]:
        """Return regions and processor seconds."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps([case, most]), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit("a process that counts has ended: see above")
        regions, seconds = json.loads(answer)
        return int(regions), float(seconds)

    def end(self) -> None:
        """Let the process end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def compare(sides: list[Side], case: str, most: int, times: int) -> str:
    """Return a line of the table.

    Raises
    ------
    ContradictionError
        If the counts differ.
    """
    rates: list[list[float]] = [[], []]
    regions = 0
    for _ in range(times):
        found = [side.count(case, most) for side in sides]
        if len({n for n, _ in found}) != 1:
            raise ContradictionError(f"{case}: {[n for n, _ in found]} regions")
        regions = found[0][0]
        for own, (n, seconds) in zip(rates, found, strict=True):
            own.append(n / seconds)
    ratio = median(a / b for a, b in zip(*rates, strict=True))
    here, there = map(median, rates)
    return f"{case:<20}{regions:>10,}{here:>12,.0f}{there:>12,.0f}{ratio:>8.2f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="another work tree")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--most", type=int, default=200_000, help="regions (default: 200,000)")
    parser.add_argument("--only", default="", help="part of a network's name")
    options = parser.parse_args()
    sides = [Side(ROOT), Side(options.folder.resolve())]
    print(f"{'network':<20}{'regions':>10}{'this/s':>12}{'other/s':>12}{'ratio':>8}", flush=True)
    for case in CASES:
        if options.only in case:
            for side in sides:
                side.count(case, 100)
            print(compare(sides, case, options.most, options.times), flush=True)
    for side in sides:
        side.end()


if __name__ == "__main__":
    main()
