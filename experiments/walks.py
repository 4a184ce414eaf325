"""How the cost of a random walk grows with the units: ``python -m experiments.walks``.

Random networks of one family, from a hundred units to ten thousand: for each, walks and projections
per second of one core, and the memory at its peak. ``--plot FILE`` draws both.
"""

import argparse
import resource
import sys
import time

import numpy as np

import milpcount as mc
from milpcount.cli.tables import print_table
from milpcount.kernel.descent_state import Batch
from milpcount.kernel.program import compile_program
from milpcount.limits import Deadline
from milpcount.tree.descent_tasks import walking
from milpcount.tree.search import Search

SIZES = (1, 2, 4, 10, 20, 40, 100)
HEAD = ["units", "layers", "walks", "seconds of the core", "seconds a walk", "projections a walk",
        "microseconds a projection", "log2 of the mean", "megabytes"]  # fmt: skip


def network(inputs: int, width: int, layers: int, seed: int) -> mc.Network:
    """Return a network of He's weights with small biases."""
    rng, sizes = np.random.default_rng(seed), [inputs] + [width] * layers
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    weights = [rng.normal(size=shape) * np.sqrt(2.0 / shape[1]) for shape in shapes]
    return mc.Network.from_arrays(
        weights, [0.1 * rng.normal(size=width) for _ in range(layers)], output=False
    )


def row(net: mc.Network, seconds: float) -> list[str]:
    inputs = mc.Box(-1, 1).bind(net.n_inputs)
    search = Search(net, inputs, program=compile_program(net, inputs))
    layers = len(net.layers)
    batch = Batch(np.zeros((net.n_units, 2)), np.zeros((layers, 2)), 10**4, 0, 16, 1)
    began = time.process_time()
    *_, made = walking(search, batch, Deadline(seconds))
    spent, walks = time.process_time() - began, max(1, made.log_size.size)
    mean = np.logaddexp.reduce(made.log_size) - np.log(walks) if made.log_size.size else np.nan
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        f"{net.n_units:,}", f"{layers}", f"{made.log_size.size:,}", f"{spent:.2f}",
        f"{spent / walks:.4f}", f"{made.tests / walks:,.0f}",
        f"{1e6 * spent / max(1, made.tests):.0f}", f"{mean / np.log(2.0):.1f}", f"{memory:.0f}",
    ]  # fmt: skip


def draw(rows: list[list[str]], file: str) -> None:
    import matplotlib.pyplot as plt

    units = [float(row[0].replace(",", "")) for row in rows]
    figure, axes = plt.subplots(figsize=(5.0, 3.6), layout="constrained")
    axes.loglog(units, [1.0 / float(row[4]) for row in rows], "o-", label="walks a second")
    axes.loglog(units, [1e6 / float(row[6]) for row in rows], "s--", label="projections a second")
    axes.set_xlabel("units")
    axes.legend(frameon=False)
    figure.savefig(file)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20)
    parser.add_argument("--width", type=int, default=100)
    parser.add_argument("--time", type=float, default=10.0, help="seconds for each network")
    parser.add_argument("--most", type=int, default=10_000, help="units of the largest network")
    parser.add_argument("--plot", default="", help="a file for the picture")
    options = parser.parse_args(arguments)
    mc.count(network(2, 2, 1, 0), mc.Box(-1, 1), mc.Probing(probes=1))  # compiles
    rows = []
    for layers in SIZES:
        if layers * options.width <= options.most:
            net = network(options.inputs, options.width, layers, 0)
            rows.append(row(net, options.time))
            print("  ".join(rows[-1]), file=sys.stderr, flush=True)
    print_table(HEAD, rows)
    if options.plot:
        draw(rows, options.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
