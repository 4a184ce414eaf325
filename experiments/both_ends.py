"""Both ends of counts that are stopped, and what the upper end costs.

``python -m experiments.both_ends`` counts networks and stops them at a tenth, a third and two
thirds of the time that the whole count takes, others after some seconds; each row has log2 of both
ends beside log2 of the best theorem. ``--cost`` counts each network five times with the upper end
and without, in turn, and prints the medians of the regions per second. ``--data FOLDER`` adds
networks from a folder with third-party data.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from unittest.mock import patch

import numpy as np

import milpcount as mc
from milpcount.cli.tables import print_table
from milpcount.counters.union import upper_over
from milpcount.events import Progress
from milpcount.integers import log2
from milpcount.network import Dense, Layer, Network, relu

Case = tuple[str, Network, mc.Box]
_SHARES = (("1/10", 0.1), ("1/3", 1 / 3), ("2/3", 2 / 3))
_SECONDS = (3.0, 10.0, 30.0, 60.0)


def residual(seed: int, inputs: int, width: int) -> Network:
    """Return ``relu(W3 (h + relu(W2 h)))`` with ``h = relu(W1 x)`` and biases; a graph."""
    first, rng = inputs, np.random.default_rng(seed)

    def map_(n_in: int) -> Dense:
        return Dense(rng.normal(size=(width, n_in)) / np.sqrt(n_in), rng.normal(size=width) * 0.3)

    one, two, three = map_(inputs), map_(width), map_(width)
    both = Dense(np.hstack([three.weight, three.weight]), three.bias)
    columns = np.arange(first, first + 2 * width)
    layers = Layer(one, relu()), Layer(two, relu()), Layer(both, relu(), columns)
    return Network(layers, inputs=inputs)


def concatenated(seed: int, inputs: int, width: int) -> Network:
    """Return layers each of which reads the inputs and all layers before; a graph."""
    rng, layers = np.random.default_rng(seed), []
    for k in range(3):
        n_in = inputs + k * width
        weight = rng.normal(size=(width, n_in)) / np.sqrt(n_in)
        dense = Dense(weight, rng.normal(size=width) * 0.3)
        layers.append(Layer(dense, relu(), np.arange(n_in)))
    return Network(tuple(layers), inputs=inputs)


def complete_cases(data: Path | None) -> Iterator[Case]:
    """Yield networks that are counted to the end."""
    for name in "784-11-11", "784-16-6":
        path = Path(f"data/mnist22/{name}")
        yield name, Network.load(sorted(path.glob("*.npz"))[0]), mc.Box(0, 1)
    if data is not None:
        name = "acasxu-1-1-property-3"
        path = data / "benchmarks" / f"{name}.npz"
        arrays = np.load(path)
        weights, biases = ([arrays[f"{k}{i}"] for i in range(7)] for k in "Wb")
        network = mc.Network.from_arrays(weights, biases)
        yield name, network, mc.Box(arrays["lo"], arrays["hi"])
    yield "residual 12-8-8-8", residual(0, 12, 8), mc.Box(-1, 1)
    yield "concatenated 7-7-7-7", concatenated(0, 7, 7), mc.Box(-1, 1)


def large_cases(data: Path | None) -> Iterator[Case]:
    """Yield networks that no count finishes."""
    rng = np.random.default_rng(0)
    sizes = pairwise((784, 20, 20))
    maps = [(rng.normal(size=(n, m)) * np.sqrt(2 / m), rng.normal(size=n) * 0.1) for m, n in sizes]
    network = mc.Network.from_arrays(*map(list, zip(*maps, strict=True)), output=False)
    yield "784-20-20", network, mc.Box(0, 1)
    if data is not None:
        path = data / "networks" / "marabou_mnist10x10.npz"
        yield path.stem, Network.load(path), mc.Box(0, 1)


def stopped(case: Case, seconds: float) -> mc.CountResult:
    """Count for some seconds; see that the upper end never grows."""
    uppers: list[int] = []

    def listen(event: object) -> None:
        if isinstance(event, Progress) and event.upper is not None:
            uppers.append(event.upper)

    _, network, domain = case
    found = mc.count(network, domain, limits=mc.Limits(seconds=seconds), listener=listen)
    if any(a < b for a, b in pairwise([*uppers, found.upper])):
        raise SystemExit(f"{case[0]}: the upper end grew")
    return found


def rows(
    case: Case, moments: Iterator[tuple[str, float]], count: int | None
) -> Iterator[list[str]]:
    """Yield a row for each stopped count."""
    name, network, domain = case
    theorem = upper_over(network, domain, mc.Quantity.ACTIVATION_REGIONS)[0]
    last = theorem
    for moment, seconds in moments:
        found = stopped(case, seconds)
        if count is not None and not found.lower <= count <= found.upper:
            raise SystemExit(f"{name}: {found.lower} <= {count} <= {found.upper} is wrong")
        falls = "falls" if found.upper < last else "same" if found.upper == last else "GREW"
        last = found.upper
        truth = "" if count is None else f"{log2(count):.3f}"
        yield [name, moment, f"{seconds:.2f}", f"{log2(found.lower):.3f}", truth,
               f"{log2(found.upper):.3f}", f"{log2(theorem):.3f}", falls]  # fmt: skip


def timed(network: Network, domain: mc.Box, count: Callable[..., mc.CountResult]) -> float:
    """Return the regions per second of processor time."""
    began = time.process_time()
    found = count(network, domain)
    return found.lower / (time.process_time() - began)


def cost(case: Case) -> list[str]:
    """Return a row with the rates of five counts with the upper end, and without."""
    name, network, domain = case
    rates: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(5):
        for with_it in True, False:
            if with_it:
                rates[True].append(timed(network, domain, mc.count))
                continue
            with patch("milpcount.tree.closing_bound.Closing.look", lambda *_, **__: None):
                rates[False].append(timed(network, domain, mc.count))
    one, two = median(rates[True]), median(rates[False])
    return [name, f"{one:,.0f}", f"{two:,.0f}", f"{100 * (two / one - 1):+.1f} %"]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--only", default="", help="networks whose names have this in them")
    given = parser.parse_args()
    mc.warm_up("tree")
    chosen = [case for case in complete_cases(given.data) if given.only in case[0]]
    if given.cost:
        print_table(["network", "with, /s", "without, /s", "cost"], [cost(case) for case in chosen])
        return
    header = ["network", "stopped at", "s", "lower", "count", "upper", "theorem", "upper end"]
    for case in chosen:
        whole = mc.count(case[1], case[2])
        moments = ((text, max(0.01, share * whole.seconds)) for text, share in _SHARES)
        print_table(header, list(rows(case, moments, whole.lower)))
    for case in large_cases(given.data):
        if given.only in case[0]:
            print_table(header, list(rows(case, ((f"{s:g} s", s) for s in _SECONDS), None)))


if __name__ == "__main__":
    main()
