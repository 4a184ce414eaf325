"""How often both ends of `mc.Approximate` are wrong, how far apart they are, and what they cost.

``python -m experiments.coverage_two_sided`` takes the networks of `experiments.coverage`, whose
counts are known, and leaves all of them to chance, with many seeds: by strata, and by hashing,
which is replayed on the enumerated regions (a few seeds are made on the region tree, too, and have
to agree). The failures of each row are tested by the binomial distribution.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import comb, exp, inf, sqrt
from pathlib import Path
from statistics import median

import milpcount as mc
from experiments.coverage import Case, Enumerated, cases
from milpcount.cli.tables import print_table
from milpcount.counters.approximate.hashing import Hashing
from milpcount.counters.approximate.strata import Strata, pilots
from milpcount.counters.method import Problem
from milpcount.formulation.xor import XorFamily
from milpcount.limits import Deadline

SETTINGS = {"strata": ((0.5, 0.05),), "hashing": ((0.8, 0.2), (0.2, 0.05))}
"""Of each way, epsilon and delta."""
_PATIENCE = 0.25
"""Seconds of the processor for strata that take far more walks than a count is worth."""
_LEAST = 50
"""Regions of a network that is left to chance."""


@dataclass(frozen=True)
class Interval:
    """Both ends, infinite where there is none, and the seconds."""

    low: float
    high: float
    seconds: float


def hashed(case: Case, epsilon: float, delta: float, seed: int, *, replay: bool) -> Interval:
    problem = Problem(case.network, case.inputs, case.quantity, seed=seed)
    family = XorFamily(case.variables, "dense", seed)
    mechanism = Enumerated(case.patterns, case.network.n_units) if replay else None
    began = time.thread_time()
    hashing = Hashing(
        problem, Fraction(str(epsilon)), Fraction(str(delta)), family=family, mechanism=mechanism
    )
    for _ in hashing.pilots():
        pass
    for _ in hashing.run():
        pass
    assert hashing.low is not None and hashing.high is not None
    return Interval(hashing.low, hashing.high, time.thread_time() - began)


def sampled(case: Case, epsilon: float, delta: float, seed: int) -> Interval:
    problem = Problem(case.network, case.inputs, case.quantity, seed=seed)
    began = time.thread_time()
    strata = Strata(problem, pilots(problem, epsilon, delta, Deadline()), epsilon, delta)
    for _ in strata.run():
        if time.thread_time() - began > _PATIENCE:  # the ends hold whenever it is stopped
            break
    high = inf if strata.high == inf else exp(strata.high)
    return Interval(exp(strata.low), high, time.thread_time() - began)


def row(case: Case, way: str, epsilon: float, delta: float, seeds: int, direct: int) -> list[str]:
    if way == "strata":
        found = [sampled(case, epsilon, delta, seed) for seed in range(seeds)]
        timed = found
    else:
        timed = [hashed(case, epsilon, delta, seed, replay=False) for seed in range(direct)]
        found = [hashed(case, epsilon, delta, seed, replay=True) for seed in range(seeds)]
        for one, other in zip(timed, found, strict=False):
            if (one.low, one.high) != (other.low, other.high):
                raise SystemExit(f"{case.name}: {one}, but replayed {other}")
    wrong = sum(not one.low <= case.exact <= one.high for one in found)
    crossed = sum(one.low > one.high for one in found)
    if crossed:
        raise SystemExit(f"{case.name}: {crossed} lower ends above upper ends")
    return [
        case.name, f"{case.exact}", way, f"{epsilon}, {delta}", f"{wrong}/{seeds}",
        f"{at_least(wrong, seeds, delta):.3g}",
        f"{median(sqrt(one.high / max(one.low, 1.0)) - 1.0 for one in found):.3f}",
        f"{median(one.seconds for one in timed):.3g}",
    ]  # fmt: skip


def at_least(failures: int, trials: int, p: float) -> float:
    """Return the probability of so many failures or more, if one has the probability allowed."""
    return 1 - sum(comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(failures))


def ways(case: Case) -> Iterator[str]:
    if case.quantity is mc.Quantity.ACTIVATION_REGIONS:
        yield "strata"
    yield "hashing"


HEAD = ["network", "count", "by", "epsilon, delta", "wrong", "p", "epsilon reached", "seconds"]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder with third-party networks")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument(
        "--fewer", type=int, default=100, help="where a run takes a fifth of a second"
    )
    parser.add_argument("--direct", type=int, default=2, help="seeds that are not only replayed")
    parser.add_argument("--only", default="", help="networks whose names contain this")
    parser.add_argument("--way", default="", help="strata or hashing")
    options = parser.parse_args(arguments)
    mc.warm_up()
    rows: list[list[str]] = []
    for one in cases(options.only, options.data):
        if one.exact < _LEAST:
            continue
        for way in ways(one):
            for epsilon, delta in SETTINGS[way]:
                if options.way not in way:
                    continue
                first = row(one, way, epsilon, delta, 1, 1)
                seeds = options.fewer if float(first[-1]) > 0.2 else options.seeds
                rows.append(row(one, way, epsilon, delta, seeds, options.direct))
                print("  ".join(rows[-1]), file=sys.stderr, flush=True)
    print_table(HEAD, rows)
    refuted = [row for row in rows if float(row[5]) < 1e-3]
    print(f"{len(rows) - len(refuted)} of {len(rows)} rows keep what they claim")
    return int(bool(refuted))


if __name__ == "__main__":
    sys.exit(main())
