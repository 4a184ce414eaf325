"""All of space and polytopes beside boxes: ``python -m experiments.benchmarks.unbounded``.

Processor seconds of whole counts, of the general search and, where there are few inputs, of that by
vertices, on a box, on the same box given by rows, and on all of space; a part of ``make bench``.
The box is so large that few regions, or none, are outside of it.

What was learnt, each predicted, changed and measured:

* A cone has no certificate with a margin: all of its rows are 0 at the origin. All empty cells went
  to exact arithmetic, a millisecond each: 4-8-8-8 took 17.9 s.
* Of these, 95 in 100 had as many rows as make a basis and one more. Enclosing the solution of that
  system (d^3, a microsecond) leaves 0.47 s, and 549 cells to exact arithmetic of 19,109.
* With 8 inputs and layers of 8 units the rest dominates: few units move above a layer, its rows
  have lines in common, and their sum vanishes by structure. In the coordinates of what moves it has
  a margin: 8-8-8 from 4.8 to 0.07 s, 12-9-9 from 13.5 to 0.21 s, 4-8-8-8 to 0.06 s.
* Moving all sums below zero at once needs as many rows as coordinates; moving only those that are
  not there yet left 24 of 328 cells of 8-8-8.
* A polytope in its bounding box is a box with rows: as fast as that, by vertices too.
"""

import argparse
import time

import numpy as np

import milpcount as mc
from experiments.benchmarks.networks import random_network
from milpcount.domain import Domain, Polytope
from milpcount.tree.search import Search

NETWORKS = ((4, 8, 8, 8), (4, 8, 8, 8, 8), (4, 10, 10, 10), (8, 8, 8), (12, 9, 9))
_SIZE = 1e4
_LEAST_SECONDS = 1.0


def domains(n: int) -> dict[str, Domain]:
    """Return the box, the same box by rows, and all of space."""
    rows = np.vstack([np.eye(n), -np.eye(n)])
    return {
        "box": mc.Box(-_SIZE, _SIZE),
        "rows": Polytope(rows, np.full(2 * n, _SIZE)),
        "space": mc.Unbounded(),
    }


def general(network: mc.Network, domain: Domain) -> int:
    """Count by the general search."""
    search = Search(network, domain.bind(network.n_inputs))
    for _ in search.run():
        pass
    return search.found


def usual(network: mc.Network, domain: Domain) -> int:
    """Count as the package does."""
    return int(mc.count(network, domain).lower)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="part of a network's name")
    options = parser.parse_args()
    print(
        f"{'network':<14}{'set':<8}{'regions':>9}{'seconds':>10}{'of the box':>12}{'general':>10}"
    )
    for sizes in NETWORKS:
        name, network = "-".join(map(str, sizes)), random_network(sizes[0], sizes[1:])
        if options.only not in name:
            continue
        first = None
        for title, domain in domains(sizes[0]).items():
            seconds, regions = _least(usual, network, domain)
            first = first or seconds
            slow = f"{_least(general, network, domain)[0]:>10.3f}" if title != "rows" else ""
            line = (
                f"{name:<14}{title:<8}{regions:>9,}{seconds:>10.3f}{seconds / first:>12.1f}{slow}"
            )
            print(line, flush=True)


def _least(count: object, network: mc.Network, domain: Domain) -> tuple[float, int]:
    assert callable(count)
    count(network, domain)  # what is compiled takes no part
    least, spent, regions = np.inf, 0.0, 0
    while spent < _LEAST_SECONDS:
        began = time.process_time()
        regions = count(network, domain)
        took = time.process_time() - began
        least, spent = min(least, took), spent + took
    return float(least), regions


if __name__ == "__main__":
    main()
