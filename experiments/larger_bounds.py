"""Lower bounds of networks beyond exact counting: ``python -m experiments.larger_bounds``.

Probing with a time limit on two processes, beside the best upper bound. The networks of
``data/larger`` are this project's; ``--data FOLDER`` adds those of a folder with third-party
networks, where each has a file of the same name with its box.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import milpcount as mc
from milpcount import integers
from milpcount.cli.group import COMPLETE, STOPPED
from milpcount.cli.tables import print_table

OWN = ("784-100-100-10", "784-256-256-256-256-10")
THIRD_PARTY = ("hcas_pra0_tau00", "marabou_mnist10x10", "omlt_mnist_75_75")
HEAD = [
    "network", "units", "log2 of the bound", "confidence", "log2 of the estimate", "probes",
    "left out", "seconds", "log2 of the upper bound", "by",
]  # fmt: skip


def sources(data: Path | None) -> Iterator[tuple[str, mc.Network, mc.Box]]:
    if data is not None:
        for name in THIRD_PARTY:
            box = json.loads((data / "networks" / f"{name}.json").read_text())["boxes"][0]
            network = mc.Network.load(data / "networks" / f"{name}.npz")
            yield name, network, mc.Box(box["lower"], box["upper"])
    for name in OWN:
        yield name, mc.Network.load(Path("data/larger") / f"{name}.npz"), mc.Box(0, 1)


def row(name: str, network: mc.Network, box: mc.Box, options: argparse.Namespace) -> list[str]:
    limits = mc.Limits(seconds=options.time)
    method = mc.Probing(probes=10**6, gap=options.gap)
    with ProcessPoolExecutor(options.workers) as pool:
        result = mc.count(network, box, method, limits=limits, seed=options.seed, executor=pool)
    details = result.details
    return [
        name, f"{network.n_units}", f"{integers.log2(result.lower):.1f}", f"{result.confidence}",
        "-" if result.estimate is None else f"{integers.log2(max(1, result.estimate)):.1f}",
        f"{details.get('probes', 0):,}", f"{details.get('sides_left_out_undecided', 0):,}",
        f"{result.seconds:.0f}", f"{integers.log2(result.upper):.1f}", result.upper_source,
    ]  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder with third-party networks")
    parser.add_argument("--time", type=float, default=600.0, help="seconds for each network")
    parser.add_argument("--gap", type=float, default=0.1, help="bits at which to stop early")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="networks whose names contain this")
    options = parser.parse_args(arguments)
    if not math.isfinite(options.time):
        parser.error("--time: give a number of seconds")
    rows = []
    try:
        for name, network, box in sources(options.data):
            if options.only in name:
                rows.append(row(name, network, box, options))
                print("  ".join(rows[-1]), file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print_table(HEAD, rows)
        return STOPPED
    print_table(HEAD, rows)
    return COMPLETE


if __name__ == "__main__":
    sys.exit(main())
