"""Whether MBound's runs follow the same law on every mechanism, by a two-sample test.

``python -m experiments.same_law`` makes runs of MBound on a small network by the region tree, by
HiGHS in one tree and by SCIP, each with seeds of its own, and compares the numbers of XORs of every
two by a permutation test of the Kolmogorov-Smirnov distance. With the *same* seeds all of them,
and the enumerated regions, have to return the same numbers, run for run.
"""

import argparse
import sys
from collections import Counter
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np

import milpcount as mc
from milpcount.cli.tables import print_table

MECHANISMS = ("tree", "highs", "scip")
PERMUTATIONS = 20_000


def network() -> mc.Network:
    rng = np.random.default_rng(1)
    widths = (2, 6, 5)
    weights = [rng.normal(size=(b, a)) for a, b in pairwise(widths)]
    return mc.Network.from_arrays(
        weights, [rng.normal(size=b) * 0.3 for b in widths[1:]], output=False
    )


def xors(net: mc.Network, method: mc.MBound, seed: int) -> list[int]:
    """Return the XORs after which each run was infeasible."""
    result = mc.count(net, mc.Box(-1, 1), method, seed=seed)
    assert all(result.details["complete"])
    return [int(drawn) for drawn in result.details["xors"]]


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return the Kolmogorov-Smirnov distance."""
    points = np.union1d(one, other)
    below = [np.searchsorted(np.sort(s), points, side="right") / s.size for s in (one, other)]
    return float(np.abs(below[0] - below[1]).max())


def p_value(one: np.ndarray, other: np.ndarray, seed: int = 0) -> float:
    """Return the share of permutations of both samples that differ at least as much."""
    rng, both, seen = (
        np.random.default_rng(seed),
        np.concatenate([one, other]),
        distance(one, other),
    )
    as_far = 0
    for _ in range(PERMUTATIONS):
        rng.shuffle(both)
        as_far += distance(both[: one.size], both[one.size :]) >= seen - 1e-12
    return (as_far + 1) / (PERMUTATIONS + 1)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="of every mechanism")
    parser.add_argument("--size", default="3", help="of the XORs, or dense")
    options = parser.parse_args(arguments)
    size = int(options.size) if options.size.isdecimal() else options.size
    net, method = network(), mc.MBound(size, options.runs)
    print(f"network 2-6-5, {mc.count(net, mc.Box(-1, 1)).lower} regions, {options.runs} runs each")
    samples = {
        name: np.array(xors(net, replace(method, backend=name), seed))
        for seed, name in enumerate(MECHANISMS, start=1)
    }
    values = sorted(set(np.concatenate(list(samples.values())).tolist()))
    counts = {name: Counter(sample.tolist()) for name, sample in samples.items()}
    print_table(
        ["XORs", *MECHANISMS], [[f"{v}", *(f"{c[v]}" for c in counts.values())] for v in values]
    )
    rows = []
    for one, other in combinations(MECHANISMS, 2):
        a, b = samples[one], samples[other]
        rows.append([f"{one}, {other}", f"{a.mean():.2f}, {b.mean():.2f}", f"{distance(a, b):.3f}",
                     f"{p_value(a, b):.3f}"])  # fmt: skip
    print_table(["mechanisms", "means", "distance", "p"], rows)
    few = replace(method, runs=min(options.runs, 50))
    lists = [xors(net, replace(few, backend=name), 9) for name in MECHANISMS]
    same = sum(len(set(drawn)) == 1 for drawn in zip(*lists, strict=True))
    print(f"with the same seed: {same} of {few.runs} runs are the same on all three")
    return int(same < few.runs or min(float(row[-1]) for row in rows) < 1e-3)


if __name__ == "__main__":
    sys.exit(main())
