"""One long exact count on one process and on several: ``python -m experiments.speedup``.

Both are measured in the same run, in turn, so that they share the machine's condition; the pool
is started and its kernels are loaded before. The counts must agree.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from milpcount import Box, Network, count
from milpcount.cli.group import COMPLETE, FAILURE
from milpcount.counters.region_tree import RegionTree
from milpcount.errors import ContradictionError
from milpcount.workers import Processes

DATA = Path(__file__).resolve().parent.parent / "data" / "mnist22"
WANTED = 1.7
"""Times faster on two processes than on one."""


def measure(network: Network, pool: Processes) -> tuple[float, float, float, int]:
    """Return wall and processor seconds on one process, wall seconds on the pool, regions.

    Raises
    ------
    ContradictionError
        If the counts differ.
    """
    cpu = time.process_time()
    alone = count(network, Box(0, 1), RegionTree())
    spent = time.process_time() - cpu
    together = count(network, Box(0, 1), RegionTree(), executor=pool)
    if alone.lower != together.lower:
        raise ContradictionError(f"{alone.lower} regions on one process, {together.lower} on more")
    return alone.seconds, spent, together.seconds, alone.lower


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--network", default="784-12-10/seed0.npz", help="a file of data/mnist22")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--times", type=int, default=3, help="repetitions (default: 3)")
    options = parser.parse_args(arguments)
    network, pool = Network.load(DATA / options.network), Processes(options.workers)
    ratios = []
    try:
        warm = Network.load(DATA / "784-3-19" / "seed0.npz")
        count(warm, Box(0, 1), RegionTree(), executor=pool)
        for _ in range(options.times):
            one, cpu, several, regions = measure(network, pool)
            ratios.append(one / several)
            print(
                f"{options.network}: {regions:,} regions; one process {one:.2f} s "
                f"({cpu:.2f} s of a processor), {options.workers} processes {several:.2f} s: "
                f"{ratios[-1]:.2f} times faster",
                flush=True,
            )
    finally:
        pool.stop()
    print(f"median {median(ratios):.2f}, wanted {WANTED} on two")
    return COMPLETE if options.workers != 2 or median(ratios) >= WANTED else FAILURE


if __name__ == "__main__":
    sys.exit(main())
