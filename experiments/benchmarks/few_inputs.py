"""Few inputs: cells that carry their vertices, beside other ways to the same regions, in one run.

``python -m experiments.benchmarks.few_inputs [--before DIR]``; a part of ``make bench``. Columns,
in regions per second of one core: this package (certified), its own general search, which solves a
program where vertices need none, a plain loop over vertices without any proof (see
`vertices_without_proofs`), and the package in another folder, an earlier commit's work tree. Counts
that take less than a second are repeated, all in turn, and the best of each is taken; all must
agree. The networks are those of ``../shared/data/benchmarks`` with their known counts; where these
are absent, random ones of the same sizes.

What was learnt on the way, each predicted, changed and measured:

* Error bounds of vertices that are interpolated grow with every generation by two or more, and are
  useless after fifty. The inverse of a vertex's rows, kept by one pivot a vertex, bounds each anew.
* Measuring the defect of that inverse (n^3) took a third of the time at five inputs; its growth is
  bounded by a number (n) and measured only when that gets large, which is next to never.
* Counting the last layer by sections, most of few dimensions, halves the cuts and takes a third of
  the vertices: 4-16-16 from 0.6 to 1.4 million a second, 5-16-16 from 0.33 to 0.66.
* An index that may be negative keeps loops from being vectorised (gathers in place of loads): views
  of the rows instead of sums of indices made 3-64-64-64 1.7 times faster.
* A number of inputs that the compiler knows gains 5 % (15 % at six inputs) and compiles once for
  each: left out.
* ACAS Xu: all cells that were handed over had a vertex known less well than 1e-6, in cells thin as
  that. The bound on a row's value there, along its own direction, is far below that: none is left.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import milpcount as mc
from experiments.benchmarks import vertices_without_proofs
from experiments.benchmarks.networks import ROOT, random_network
from milpcount.tree.few_inputs import searching
from milpcount.tree.search import Search

SHARED = ROOT.parent / "shared" / "data" / "benchmarks"
SIZES = ("2-16-16", "2-64-64-64", "3-16-16-16", "3-64-64-64", "4-16-16", "4-32-32", "5-16-16")
_LEAST_SECONDS = 1.0
_MOST_INPUTS = 6


class Case:
    """A network of few inputs, its box, and its count where it is known."""

    def __init__(self, name: str) -> None:
        self.name, self.known = name, None
        file = SHARED / f"{name}.npz"
        if file.is_file():
            with np.load(file) as arrays:
                layers = sum(key.startswith("W") for key in arrays.files) - 1  # but for the output
                self.weights = [arrays[f"W{i}"] for i in range(layers)]
                self.biases = [arrays[f"b{i}"] for i in range(layers)]
                self.low, self.high = arrays["lo"], arrays["hi"]
            self.known = json.loads((SHARED / "counts.json").read_text())[name]
        else:
            n, *widths = map(int, name.split("-"))
            network = random_network(n, tuple(widths))
            self.weights = [np.asarray(layer.affine.matrix) for layer in network.layers]
            self.biases = [layer.affine.bias for layer in network.layers]
            self.low, self.high = -np.ones(n), np.ones(n)
        self.network = mc.Network.from_arrays(self.weights, self.biases, output=False)
        self.inputs = mc.Box(self.low, self.high).bind(self.network.n_inputs)

    def carried(self) -> int:
        """Count as the package does."""
        search = searching(self.network, self.inputs)
        for _ in search.run():
            pass
        return search.found

    def general(self) -> int:
        """Count by the general search."""
        search = Search(self.network, self.inputs)
        for _ in search.run():
            pass
        return search.found

    def without_proofs(self) -> int:
        """Count by the plain loop."""
        return vertices_without_proofs.count(self.weights, self.biases, self.low, self.high)


def names() -> list[str]:
    """Return the networks of few inputs, those that are shared or those that are made here."""
    if not SHARED.is_dir():
        return list(SIZES)
    found = []
    for file in sorted(SHARED.glob("*.npz")):
        with np.load(file) as arrays:
            if arrays["lo"].size <= _MOST_INPUTS:
                found.append(file.stem)
    return found


def best(ways: list[Callable[[], int]]) -> tuple[list[float], int]:
    """Return the least seconds that each way takes, and the number of regions.

    Raises
    ------
    ContradictionError
        If they find different numbers.
    """
    seconds, found, spent = [np.inf] * len(ways), set[int](), 0.0
    while spent < _LEAST_SECONDS * len(ways):
        for i, way in enumerate(ways):
            began = time.process_time()
            found.add(way())
            took = time.process_time() - began
            seconds[i], spent = min(seconds[i], took), spent + took
    if len(found) != 1:
        raise mc.errors.ContradictionError(f"counts differ: {sorted(found)}")
    return seconds, found.pop()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="part of a network's name")
    parser.add_argument("--before", type=Path, help="a work tree of an earlier commit")
    options = parser.parse_args()
    chosen = [Case(name) for name in names() if options.only in name]
    small = Case("2-16-16")  # what is compiled takes no part
    small.carried(), small.without_proofs()
    head = f"{'network':<24}{'regions':>9}{'this/s':>12}{'general/s':>12}{'no proofs/s':>13}"
    print(head + f"{'before/s':>12}{'this: general':>15}{'no proofs':>11}{'before':>9}", flush=True)
    before = _before(options.before, options.only) if options.before else {}
    for case in chosen:
        seconds, regions = best([case.carried, case.general, case.without_proofs])
        if case.known is not None and case.known != regions:
            raise mc.errors.ContradictionError(f"{case.name}: {regions}, known are {case.known}")
        rates = [regions / took for took in [*seconds, before.get(case.name, np.nan)]]
        ratios = [rates[0] / rate for rate in rates[1:]]
        print(
            f"{case.name:<24}{regions:>9,}{rates[0]:>12,.0f}{rates[1]:>12,.0f}{rates[2]:>13,.0f}"
            f"{rates[3]:>12,.0f}{ratios[0]:>15.1f}{ratios[1]:>11.1f}{ratios[2]:>9.1f}",
            flush=True,
        )


def _before(folder: Path, only: str) -> dict[str, float]:
    """Return the seconds that another work tree's package takes."""
    file = Path(__file__).with_name("earlier.py")
    command = [sys.executable, str(file), str(folder.resolve()), str(SHARED), only]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {name: seconds for name, seconds, _ in map(json.loads, lines)}


if __name__ == "__main__":
    main()
