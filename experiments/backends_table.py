"""Count the same networks by every backend, both quantities, and hold the answers to each other.

``python -m experiments.backends_table DATA`` takes arrangements, deep networks of integers and a
trained network from a folder with third-party data; without it, examples and random networks. A
count that has reached its time limit is printed as the lower bound that it is, ``≥ n``; SCIP's own
counting, which names no patterns, as the two bounds that it has where they differ, ``a..b``.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import milpcount as mc
from milpcount import examples
from milpcount.cli.tables import print_table
from milpcount.counters.method import Method
from milpcount.errors import NotInstalledError

Case = tuple[str, mc.Network, Any]
ARRANGEMENTS = (
    "semiorder_3", "type_G2_R3", "shi_3", "duplicates_scaled", "grid_3d_2x2x2", "linial_4",
)  # fmt: skip
DEEP = (
    "montufar_fold_p2_n2_L2", "serra_1d_max_5_4", "randint_2d_5_4_0", "randint_1d_11_11",
    "montufar_fold_p2_n2_L3",
)  # fmt: skip
LARGER = ("threshold_3", "resonance_4")
TRAINED, PLANE = "marabou_mnist_5_5_dropout", "plane through"
METHODS: dict[str, Method] = {
    "tree": mc.RegionTree(),
    "highs one tree": mc.SolutionPool(),
    "cpsat": mc.SolutionPool(backend="cpsat"),
    "scip": mc.SolutionPool(backend="scip"),
    "pyscipopt": mc.SolutionPool(backend="pyscipopt"),
    "countsols": mc.SolutionPool(backend="pyscipopt", mode="countsols"),
    "highs re-solve": mc.SolutionPool(mode="no_good"),
    "pyomo:highs": mc.SolutionPool(backend="pyomo:highs"),
    "pyomo:cbc": mc.SolutionPool(backend="pyomo:cbc"),
}
QUANTITIES = ("activation_regions", "activation_patterns")


def random_network(seed: int, *sizes: int) -> mc.Network:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(b, a)) for a, b in pairwise(sizes)]
    biases = [0.3 * rng.normal(size=b) for b in sizes[1:]]
    return mc.Network.from_arrays(weights, biases, output=False)


def own_cases() -> Iterator[Case]:
    for example in examples.library():
        if not isinstance(example.domain, mc.Unbounded):
            yield example.name, example.network, example.domain
    yield "random 2-6-6", random_network(1, 2, 6, 6), mc.Box(-1, 1)
    yield "random 3-8-8", random_network(1, 3, 8, 8), mc.Box(-1, 1)


def data_cases(folder: Path) -> Iterator[Case]:
    yield from _arrangements(folder, ARRANGEMENTS)
    for entry in _entries(folder / "deep_networks.json", DEEP):
        weights, biases = ([_numbers(a) for a in entry[key]] for key in ("W", "b"))
        net = mc.Network.from_arrays(weights, biases, output=len(weights) > len(entry["widths"]))
        low, high = zip(*entry["box"], strict=True)
        yield entry["name"], net, mc.Box(_numbers(low), _numbers(high))
    net = mc.Network.load(folder / "networks" / f"{TRAINED}.npz")
    sections = json.loads((folder / "sections.json").read_text())
    for one in sections:
        if one["network"] == TRAINED and one["section"].startswith(PLANE):
            box = mc.Box(*zip(*one["box"], strict=True))
            yield (
                "section of 784-5-5",
                net,
                mc.Section(_numbers(one["p0"]), _numbers(one["directions"]), box),
            )
    yield "784-5-5, MNIST", net, mc.Box(0, 1)
    yield "random 2-16-16", random_network(1, 2, 16, 16), mc.Box(-1, 1)
    yield from _arrangements(folder, LARGER)


def _arrangements(folder: Path, names: tuple[str, ...]) -> Iterator[Case]:
    for entry in _entries(folder / "arrangements.json", names):
        net = mc.Network.from_arrays([entry["W"]], [entry["b"]], output=False)
        yield entry["name"], net, mc.Box(entry["domain"]["lower"], entry["domain"]["upper"])


def _entries(path: Path, names: tuple[str, ...]) -> list[dict[str, Any]]:
    found = {entry["name"]: entry for entry in json.loads(path.read_text())}
    return [found[name] for name in names]


def _numbers(values: Any) -> np.ndarray:
    return np.vectorize(lambda v: float(Fraction(v)))(np.array(values, dtype=object))


def answer(case: Case, method: Method, quantity: str, seconds: float) -> mc.CountResult | None:
    if mc.Quantity(quantity) not in method.quantities:
        return None
    limits = mc.Limits(seconds=seconds)
    try:
        return mc.count(case[1], case[2], method, quantity=quantity, limits=limits)
    except NotInstalledError:
        return None


def text(result: mc.CountResult | None) -> str:
    if result is None:
        return "-"
    number = f"{result.lower}" if result.is_exact else f"≥{result.lower}"
    if result.uncertain and not result.is_exact:
        number = f"{result.lower}..{result.upper}"
    return f"{number} ({result.seconds:.2g} s)"


def agree(results: list[mc.CountResult]) -> bool:
    return max(r.lower for r in results) <= min(r.upper for r in results)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", help="a folder with third-party networks")
    parser.add_argument("--time", type=float, default=20.0, help="seconds for every count")
    parser.add_argument("--only", default="", help="networks whose names contain this")
    options = parser.parse_args(arguments)
    everything = own_cases() if options.data is None else data_cases(options.data)
    cases = [case for case in everything if options.only in case[0]]
    rows, wrong = [], 0
    for case in cases:
        for quantity in QUANTITIES:
            found = [answer(case, m, quantity, options.time) for m in METHODS.values()]
            known = [result for result in found if result is not None]
            wrong += not agree(known)
            rows.append([case[0], quantity.removeprefix("activation_"), *map(text, found)])
            print("  ".join(rows[-1]), file=sys.stderr, flush=True)
    print_table(["network", "quantity", *METHODS], rows)
    print(f"{len(rows) - wrong} of {len(rows)} rows agree")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
