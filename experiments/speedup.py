"""One long exact count on one process and on several: ``python -m experiments.speedup``.

Both are measured in the same run, in turn, so that they share the machine's condition; the pool
is started and its kernels are loaded before. The counts must agree. ``--case`` chooses a network:
``mnist``, one of data/mnist22; ``few``, a random 4-64-64 on [-1, 1]^4; ``acas``, ACAS Xu 1_1 on a
box three times as wide as that of property 3, from ``../shared/data``.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from experiments.benchmarks.few_inputs import SHARED
from experiments.benchmarks.networks import random_network
from milpcount import Box, Limits, Network, count
from milpcount.cli.group import COMPLETE, FAILURE
from milpcount.counters.region_tree import RegionTree
from milpcount.errors import ContradictionError
from milpcount.workers import Processes

DATA = Path(__file__).resolve().parent.parent / "data" / "mnist22"
WANTED = 1.7
"""Times faster on two processes than on one."""


def case(name: str, file: str) -> tuple[str, Network, Box]:
    """Return a title, the network and the box."""
    if name == "mnist":
        return file, Network.load(DATA / file), Box(0, 1)
    if name == "few":
        return "random 4-64-64", random_network(4, (64, 64)), Box(-1, 1)
    with np.load(SHARED / "acasxu-1-1-property-3.npz") as arrays:
        layers = range(sum(key.startswith("W") for key in arrays))
        weights, biases = ([arrays[f"{kind}{k}"] for k in layers] for kind in "Wb")
        middle, half = (arrays["lo"] + arrays["hi"]) / 2, (arrays["hi"] - arrays["lo"]) / 2
    net = Network.from_arrays(weights, biases)
    return "ACAS Xu 1_1", net, Box(middle - 3 * half, middle + 3 * half)


def measure(network: Network, pool: Processes, box: Box) -> tuple[float, float, float, int]:
    """Return wall and processor seconds on one process, wall seconds on the pool, regions.

    Raises
    ------
    ContradictionError
        If the counts differ.
    """
    cpu = time.process_time()
    alone = count(network, box, RegionTree())
    spent = time.process_time() - cpu
    together = count(network, box, RegionTree(), executor=pool)
    if alone.lower != together.lower:
        raise ContradictionError(f"{alone.lower} regions on one process, {together.lower} on more")
    return alone.seconds, spent, together.seconds, alone.lower


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--case", choices=("mnist", "few", "acas"), default="mnist")
    parser.add_argument("--network", default="784-12-10/seed0.npz", help="a file of data/mnist22")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--times", type=int, default=3, help="repetitions (default: 3)")
    options = parser.parse_args(arguments)
    title, network, box = case(options.case, options.network)
    pool = Processes(options.workers)
    ratios = []
    try:
        count(network, box, RegionTree(), limits=Limits(seconds=1.0), executor=pool)
        for _ in range(options.times):
            one, cpu, several, regions = measure(network, pool, box)
            ratios.append(one / several)
            print(
                f"{title}: {regions:,} regions; one process {one:.2f} s "
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
