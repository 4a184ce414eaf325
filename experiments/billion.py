"""More than 10^9 regions, counted exactly: ``python -m experiments.billion --workers 2``.

The network is two networks 2-160-160 side by side, each on two of the four inputs. Its regions are
all pairs of theirs, so the product of their counts, each counted by itself, is the truth. Nothing
tells the search so: it meets a network 4-320-320 with many zeros and counts what it finds.

The networks are made from seeds, into ``data/billion`` with a sweep of them, which goes on where it
was after any stop; its lines in ``results/billion.jsonl`` are the record. The small networks are
counted a second time by the general search, which solves programs where vertices need none.
"""

import argparse
import resource
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.linalg import block_diag

from milpcount import Box, Network
from milpcount.cli import sweeping
from milpcount.cli.group import COMPLETE, FAILURE, STOPPED
from milpcount.store import Store
from milpcount.tree.search import Search

HERE = Path(__file__).resolve().parent
DATA, STORE = HERE.parent / "data" / "billion", HERE / "results" / "billion.jsonl"
WIDTHS = (2, 160, 160)
EXPERIMENT = """
title = "Two networks 2-160-160 side by side"

[networks]
files = ["first.npz", "second.npz", "both.npz"]

[domain]
box = [-1, 1]

[[methods]]
name = "tree"
"""
Arrays = list[np.ndarray]


def arrays_of(seed: int) -> tuple[Arrays, Arrays]:
    """Return weights as He's, and biases, as multiples of 2^-10: short files, exact sums."""
    rng = np.random.default_rng(seed)
    weights, biases = [], []
    for n_in, n_out in pairwise(WIDTHS):
        weights.append(np.rint(rng.normal(size=(n_out, n_in)) * np.sqrt(2 / n_in) * 1024) / 1024)
        biases.append(np.rint(rng.normal(size=n_out) * 0.3 * 1024) / 1024)
    return weights, biases


def make() -> Path:
    """Write the three networks and the sweep; return the latter's file."""
    first, second = arrays_of(0), arrays_of(1)
    both = (
        [block_diag(a, b) for a, b in zip(first[0], second[0], strict=True)],
        [np.concatenate(pair) for pair in zip(first[1], second[1], strict=True)],
    )
    DATA.mkdir(parents=True, exist_ok=True)
    for name, (weights, biases) in (("first", first), ("second", second), ("both", both)):
        network = Network.from_arrays(weights, biases, output=False)
        network.save(DATA / f"{name}.npz")
    experiment = DATA / "billion.toml"
    experiment.write_text(EXPERIMENT)
    return experiment


def report() -> bool:
    """Compare the counts in the store; return whether they agree."""
    found = {}
    for line in Store(STORE).records.values():
        found[Path(line["subject"]).stem] = line
    names = "first", "second", "both"
    if not all(name in found and found[name]["exact"] for name in names):
        return False
    one, two, both = (int(found[name]["lower"]) for name in names)
    print(f"first {one:,} x second {two:,} = {one * two:,}; both {both:,}")
    line = found["both"]
    print(
        f"{line['seconds']:,.0f} s of all processes together, {line['cpu_seconds']:,.0f} s of "
        f"processors: {both / line['cpu_seconds']:,.0f} regions a second and core"
    )
    for name, value in (("first", one), ("second", two)):
        network = Network.load(DATA / f"{name}.npz")
        search = Search(network, Box(-1, 1).bind(network.n_inputs))
        for _ in search.run():
            pass
        print(f"{name}: {search.found:,} by the general search")
        if search.found != value:
            return False
    return one * two == both


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--time", type=float, help="stop after so many seconds")
    options = parser.parse_args(arguments)
    request = sweeping.Request(make(), STORE, workers=options.workers, seconds=options.time)
    outcome = sweeping.run(request)
    sweeping.complain(outcome)
    peak = [
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    print(f"most memory: {peak[0] / 1024:,.0f} MiB here, {peak[1] / 1024:,.0f} MiB in a worker")
    if outcome.stopped:
        return STOPPED
    return COMPLETE if report() else FAILURE


if __name__ == "__main__":
    sys.exit(main())
