"""Regions per second of four ways to count, in one run on one core, and their ratios.

Every method gets the same seconds on the same network; a rate is what it found over what it took,
so a method that does not finish is timed on the part it did (re-solving slows down as it goes on,
which flatters it here). The tree's kernel is compiled beforehand.

What was learnt on the way to these figures, each predicted, changed and measured:

* A simplex crawls along the small faces of the box's image: 25 to 55 iterations a side at 784
  inputs. Projecting the cube's centre (the dual in as many variables as rows, semismooth Newton
  with the box inside) takes 3 to 4 from the parent's multipliers.
* numba counted references to the search's arrays at every use: nine tenths of the time.
* Deciding all units of a layer on the cell of the layers above, first, halves the tests below it.
* Conflicts learned there settle as many sides as projections do; points on the segments between
  known points settle half of those that split.
* With two parameters a polygon's corners answer every test: no program is solved.
* With 3 to 16 parameters that is left undone: three fifths of the time go to the steps of Goldfarb
  and Idnani, a quarter to bookkeeping, and an LP on warm HiGHS is at its best there. A step across
  the new row from the witness, to save projections, hit in 2 % of the cases: witnesses lie on
  faces. Rows stored by columns and a factor that grows with the active set gave 25 %.
"""

import argparse
import os
import resource
import subprocess
import sys
import time

import milpcount as mc
from experiments.benchmarks import lp_tree_highs
from experiments.benchmarks.networks import ROOT, Case, cases


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description="regions per second on one core, and ratios")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each method and network")
    parser.add_argument("--only", default="", help="part of a network's name")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    mc.count(cases()[0].network, cases()[0].box)
    columns = ("network", "tree", "LP tree", "one tree", "no-good", "tree / LP tree", "wanted",
               "/ one tree", "/ no-good")  # fmt: skip
    print(f"regions per second on one core, {options.seconds:g} s each; + marks complete counts\n")
    print("{:<20}{:>13}{:>11}{:>11}{:>10}{:>16}{:>8}{:>12}{:>11}".format(*columns), flush=True)
    for case in cases():
        if options.only in case.name:
            print(_row(case, options.seconds), flush=True)
    if options.only in "memory":
        print(f"\npeak memory of the count of trained 784-11-11: {_peak_memory():.0f} MB")


def _row(case: Case, seconds: float) -> str:
    tree = _rate(case, mc.RegionTree(), seconds)
    pool = _rate(case, mc.SolutionPool(backend="highs", mode="one_tree", tighten="lp"), seconds)
    again = _rate(case, mc.SolutionPool(backend="highs", mode="no_good", tighten="lp"), seconds)
    inputs = case.box.bind(case.network.n_inputs)
    regions, _, took, complete = lp_tree_highs.count(case.network, inputs, seconds)
    baseline = (regions / took, complete)
    texts = [f"{rate:,.0f}{'+' if done else ' '}" for rate, done in (tree, baseline, pool, again)]
    ratios = [
        f"{tree[0] / other[0]:,.0f}" if other[0] else "none found"
        for other in (baseline, pool, again)
    ]
    wanted = f"{case.wanted:.0f}" if case.wanted else "-"
    return (
        f"{case.name:<20}{texts[0]:>13}{texts[1]:>11}{texts[2]:>11}{texts[3]:>10}"
        f"{ratios[0]:>16}{wanted:>8}{ratios[1]:>12}{ratios[2]:>11}"
    )


def _rate(case: Case, method: object, seconds: float) -> tuple[float, bool]:
    """Return regions per second of the search itself, formulation and tightening left out."""
    began = time.perf_counter()
    result = mc.count(case.network, case.box, method, limits=mc.Limits(seconds=seconds))
    took = time.perf_counter() - began
    prepared = float(result.details.get("prepare_seconds", 0.0))
    return result.lower / max(min(took, result.seconds) - prepared, 1e-6), result.is_exact


def _peak_memory() -> float:
    """Return the peak resident megabytes of a process that counts half a million regions."""
    file = str(ROOT / "data" / "mnist22" / "784-11-11" / "seed0.npz")
    command = [sys.executable, "-m", "milpcount", "count", file, "--box", "0", "1", "-q"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


if __name__ == "__main__":
    main()
