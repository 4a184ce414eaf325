"""How often probabilistic lower bounds are wrong, how tight they are, and what they cost.

``python -m experiments.coverage`` takes networks whose counts are known exactly, bounds each of
them many times with different seeds, and tests by the binomial distribution whether a claimed
confidence of 95 % is kept. ``--data FOLDER`` adds networks from a folder with third-party data.

What a run of MBound returns depends on the regions and the XORs only, so most seeds are replayed
on the enumerated regions, by the same code but for the search; the first few are made by the
region tree as well, which gives the seconds, and have to give the same. A method is one line of
`CONTENDERS`; one that cannot be replayed takes all its seeds directly.
"""

import argparse
import json
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import comb, log2
from pathlib import Path
from typing import Any

import numpy as np

import milpcount as mc
from milpcount.cli.tables import print_table
from milpcount.counters.mbound.mbound import MBound
from milpcount.counters.mbound.xor_runs import Mechanism, Run
from milpcount.counters.method import Method, Problem
from milpcount.counters.probing.probing import Probing
from milpcount.domain import InputSet
from milpcount.formulation.xor import XorFamily, unstable_variables
from milpcount.limits import Deadline
from milpcount.tree.search import Search

RANDOM = (
    (1, 2, 16, 16), (2, 4, 8, 8), (3, 3, 10, 8, 6), (4, 4, 16, 16), (5, 12, 14),
    (1, 4, 12, 30), (1, 3, 20, 20, 20),  # of those that random walks learn to lean on
)  # fmt: skip
TRAINED = ("784-2-20", "784-4-18", "784-6-16", "784-8-14", "784-11-11")
ARRANGEMENTS = ("shi_4", "resonance_4", "general_12_in_R4", "type_D5")
DEEP = ("telgarsky_tent_10", "serra_1d_max_5_5_5", "montufar_fold_p3_n2_L2_plus5lines")
CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class Case:
    """A network, and the patterns that are counted: every one of up to 64 units is a bit."""

    name: str
    network: mc.Network
    inputs: InputSet
    patterns: np.ndarray
    variables: tuple[tuple[int, int], ...]
    quantity: mc.Quantity

    @property
    def exact(self) -> int:
        """Their number."""
        return len(self.patterns)


def case(
    name: str,
    network: mc.Network,
    domain: Any,
    quantity: mc.Quantity = mc.Quantity.ACTIVATION_REGIONS,
) -> Case:
    inputs, found = domain.bind(network.n_inputs), []

    def keep(pattern: tuple[int, ...]) -> None:
        found.append(sum(bit << unit for unit, bit in enumerate(pattern)))

    closed = quantity is mc.Quantity.ACTIVATION_PATTERNS
    for _ in Search(network, inputs, on_region=keep, patterns=closed).run(budget=10**6):
        pass
    assert network.n_units <= 64 and len(set(found)) == len(found)
    variables = unstable_variables(network, inputs, "lp", Deadline())
    return Case(name, network, inputs, np.array(found, dtype=np.uint64), variables, quantity)


def cases(only: str, data: Path | None) -> Iterator[Case]:
    for name, network, domain in sources(data):
        if only in name:
            yield case(name, network, domain)
    for name, network in degenerate():
        if only in name:
            yield case(name, network, mc.Box(-1, 1), mc.Quantity.ACTIVATION_PATTERNS)


def degenerate() -> Iterator[tuple[str, mc.Network]]:
    """Yield networks with more activation patterns than regions."""
    pairs = np.kron(np.eye(4), [[1.0], [-1.0]])  # ReLU(x), ReLU(-x): 2 regions and 3 patterns
    yield "patterns of 4 pairs", mc.Network.from_arrays([pairs], [np.zeros(8)], output=False)
    rng = np.random.default_rng(3)
    weights = [rng.integers(-2, 3, size=(b, a)) for a, b in pairwise((2, 5, 3))]
    biases = [np.zeros(5), np.zeros(3)]
    yield "patterns without biases", mc.Network.from_arrays(weights, biases, output=False)


def sources(data: Path | None) -> Iterator[tuple[str, mc.Network, Any]]:
    for seed, *widths in RANDOM:
        rng = np.random.default_rng(seed)
        weights = [rng.normal(size=(b, a)) for a, b in pairwise(widths)]
        biases = [0.3 * rng.normal(size=b) for b in widths[1:]]
        net = mc.Network.from_arrays(weights, biases, output=False)
        yield "random " + "-".join(map(str, widths)), net, mc.Box(-1, 1)
    for name in TRAINED:
        net = mc.Network.load(Path("data/mnist22") / name / "seed0.npz")
        yield f"MNIST {name}", net, mc.Box(0, 1)
    if data is not None:
        for entry in _entries(data / "arrangements.json", ARRANGEMENTS):
            net = mc.Network.from_arrays([entry["W"]], [entry["b"]], output=False)
            box = mc.Box(entry["domain"]["lower"], entry["domain"]["upper"])
            yield entry["name"], net, box
        for entry in _entries(data / "deep_networks.json", DEEP):
            weights, biases = ([_numbers(a) for a in entry[key]] for key in ("W", "b"))
            net = mc.Network.from_arrays(
                weights, biases, output=len(weights) > len(entry["widths"])
            )
            low, high = zip(*entry["box"], strict=True)
            yield entry["name"], net, mc.Box(_numbers(low), _numbers(high))


def _entries(path: Path, names: tuple[str, ...]) -> list[dict[str, Any]]:
    found = {entry["name"]: entry for entry in json.loads(path.read_text())}
    return [found[name] for name in names]


def _numbers(values: Any) -> np.ndarray:
    return np.vectorize(lambda v: float(Fraction(v)))(np.array(values, dtype=object))


@dataclass(frozen=True, eq=False)
class Enumerated:
    """The mechanism that has all patterns already."""

    patterns: np.ndarray
    n_units: int

    def search(self, run: Run, deadline: Deadline) -> Iterator[None]:
        """Tell patterns until none is left, as other mechanisms do."""
        left = self._left(self.patterns, run.start())
        if run.fixed is not None:
            for bits in left[: run.most].tolist():
                run.tell(self._pattern(bits))
        else:
            while left.size:
                left = self._left(left, run.tell(self._pattern(int(left[0]))))
        run.tally.complete = not run.is_full
        yield

    def _pattern(self, bits: int) -> tuple[int, ...]:
        return tuple(bits >> unit & 1 for unit in range(self.n_units))

    @staticmethod
    def _left(patterns: np.ndarray, xors: Any) -> np.ndarray:
        for xor in xors:
            bits = patterns & np.uint64(sum(1 << unit for unit, _ in xor.terms))
            for shift in (32, 16, 8, 4, 2, 1):
                bits = bits ^ (bits >> np.uint64(shift))
            patterns = patterns[(bits & np.uint64(1)) == np.uint64(xor.odd)]
        return patterns


@dataclass(frozen=True)
class Replayed(MBound):
    """MBound on the enumerated regions of a case."""

    case: Case | None = field(default=None, compare=False)

    def _prepare(self, problem: Problem) -> tuple[Mechanism, XorFamily]:
        assert self.case is not None
        family = XorFamily(self.case.variables, self.xor_size, problem.seed)
        return Enumerated(self.case.patterns, self.case.network.n_units), family


def replayed(method: MBound) -> Callable[[Case], Method]:
    return lambda case: Replayed(method.xor_size, hybrid=method.hybrid, case=case)


_MBOUNDS = {
    f"mbound {size}" + (f" hybrid {hybrid}" if hybrid else ""): MBound(size, hybrid=hybrid)
    for size, hybrid in ((2, None), (3, None), (5, None), ("dense", None), (5, 64), ("dense", 64))
}
CONTENDERS: dict[str, tuple[Method, Callable[[Case], Method] | None]] = {
    name: (method, replayed(method)) for name, method in _MBOUNDS.items()
} | {"probing 300": (Probing(probes=300), None), "probing 30": (Probing(probes=30), None)}
"""Every method, and how it is replayed on the regions of a case, if it can be."""


def bound(method: Method, case: Case, seed: int) -> tuple[int, float]:
    """Return the lower bound as it is claimed, uncorrected by any upper bound, and the seconds."""
    problem = Problem(case.network, case.inputs, case.quantity, seed=seed)
    began = time.perf_counter()
    snapshot = deque(method.run(problem), maxlen=1)[0]
    assert snapshot.confidence == CONFIDENCE
    return snapshot.lower, time.perf_counter() - began


def row(case: Case, name: str, seeds: int, direct: int) -> list[str]:
    method, replay = CONTENDERS[name]
    timed = [bound(method, case, seed) for seed in range(direct if replay else seeds)]
    bounds = [lower for lower, _ in timed]
    if replay is not None:
        found = [bound(replay(case), case, seed)[0] for seed in range(seeds)]
        if found[: len(bounds)] != bounds:
            raise SystemExit(f"{case.name}, {name}: {bounds}, but replayed {found[:direct]}")
        bounds = found
    wrong = sum(lower > case.exact for lower in bounds)
    gap = np.mean([log2(case.exact) - log2(lower) for lower in bounds])
    seconds = np.mean([seconds for _, seconds in timed])
    return [
        case.name, f"{case.exact}", name, f"{wrong}/{seeds}", f"{at_least(wrong, seeds):.3g}",
        f"{gap:.2f}", f"{seconds:.3g}",
    ]  # fmt: skip


def at_least(failures: int, trials: int) -> float:
    """Return the probability of so many failures or more, if one has the probability allowed."""
    p = 1 - CONFIDENCE
    chances = (comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(failures))
    return 1 - sum(chances)


HEAD = ["network", "count", "method", "failures", "p", "gap, bits", "seconds"]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder with third-party networks")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--direct", type=int, default=3, help="seeds that are not only replayed")
    parser.add_argument("--only", default="", help="networks whose names contain this")
    parser.add_argument("--method", default="", help="methods whose names contain this")
    options = parser.parse_args(arguments)
    rows: list[list[str]] = []
    for method in MBound("dense"), Probing():  # compiles
        bound(method, case("", next(sources(None))[1], mc.Box(-1, 1)), 0)
    for one in cases(options.only, options.data):
        for name in CONTENDERS:
            if options.method in name and one.quantity in CONTENDERS[name][0].quantities:
                rows.append(row(one, name, options.seeds, options.direct))
                print("  ".join(rows[-1]), file=sys.stderr, flush=True)
    print_table(HEAD, rows)
    refuted = [row for row in rows if float(row[4]) < 1e-3]
    print(f"{len(rows) - len(refuted)} of {len(rows)} rows keep the confidence of {CONFIDENCE}")
    return int(bool(refuted))


if __name__ == "__main__":
    sys.exit(main())
