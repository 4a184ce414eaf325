"""Brute force: one exact decision for every pattern, to check everything else against."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import ClassVar

from milpcount import integers, optional
from milpcount.bounds.best import naive
from milpcount.counters.method import REGIONS_AND_PATTERNS, Candidate, Problem, Snapshot
from milpcount.counters.options import Options
from milpcount.errors import OptionError
from milpcount.exact.evaluate import region_at
from milpcount.exact.geometry import Point, Rows
from milpcount.exact.program import attained, decide
from milpcount.exact.rows import ExactNetwork
from milpcount.limits import OutOfTime
from milpcount.quantities import Quantity
from milpcount.result import Guarantee, Region

# Seconds between signs of life; the contract of a method is half a second.
_HEARTBEAT = 0.2
_MOST_UNITS = 20


@dataclass(frozen=True)
class BruteForce(Options):
    """Try every pattern, each by itself, in exact arithmetic.

    For networks of up to 20 ReLUs, or as many patterns of other units. Nothing is learnt from one
    pattern for another, which is what makes it a reference for methods that do.

    Examples
    --------
    >>> import milpcount as mc
    >>> net = mc.Network.from_arrays([[[1.0], [-1.0]]], [[0.0, 0.0]], output=False)
    >>> mc.count(net, mc.Box(-1, 1), BruteForce(), quantity=mc.Quantity.ACTIVATION_PATTERNS).lower
    3
    """

    name: ClassVar[str] = "brute"
    quantities: ClassVar[frozenset[Quantity]] = REGIONS_AND_PATTERNS
    guarantee: ClassVar[Guarantee] = Guarantee.EXACT_ARITHMETIC
    packages: ClassVar[tuple[str, ...]] = ("highspy", "python-flint")

    @classmethod
    def candidates(cls) -> tuple[Candidate, ...]:
        """Return how it takes part in comparisons."""
        return (Candidate(cls.name, cls, 50_000, 1 << 12),)

    def warm_up(self, problem: Problem) -> None:
        """Refuse a network with too many patterns, and import the float solver.

        Raises
        ------
        OptionError
            If there are more than 2^20 patterns.
        """
        patterns = naive(problem.network)
        if patterns > 1 << _MOST_UNITS:
            raise OptionError(
                f"brute force tries every pattern and {problem.network.title} has "
                f"{integers.human(patterns)} of them; it takes at most {_MOST_UNITS} ReLUs "
                f"(2^{_MOST_UNITS} patterns). Use the region tree ('tree'), or 'exact' for exact "
                "arithmetic"
            )
        optional.require("highspy", f"the method {self.name!r}")

    def run(self, problem: Problem) -> Iterator[Snapshot]:
        """Yield snapshots while the patterns are tried in lexicographic order."""
        regions: list[Region] | None = [] if problem.keep_regions else None
        network = ExactNetwork(problem.network, problem.inputs)
        closed = problem.quantity is Quantity.ACTIVATION_PATTERNS
        total, found, spoke = naive(problem.network), 0, time.monotonic()
        yield Snapshot(share=0.0, regions=regions)
        for tried, pattern in enumerate(product(*_pieces(problem)), start=1):
            try:
                witness = _attained(network, pattern) if closed else _full(network, pattern)
            except OutOfTime:
                yield Snapshot(lower=found, lps=tried, share=tried / total, regions=regions)
                return
            if witness is not None:
                found += 1
                if regions is not None:
                    regions.append(region_at(network.inputs, pattern, witness))
            if found == problem.limits.regions or time.monotonic() - spoke > _HEARTBEAT:
                yield Snapshot(lower=found, lps=tried, share=tried / total, regions=regions)
                spoke = time.monotonic()
        yield Snapshot(lower=found, lps=total, share=1.0, regions=regions)


def _pieces(problem: Problem) -> list[range]:
    layers = problem.network.layers
    return [range(n) for layer in layers for n in layer.n_pieces.tolist()]


def _cell(network: ExactNetwork, pattern: tuple[int, ...]) -> tuple[Rows, list[int]]:
    """Return the rows of all units under a pattern, and the sign that it asks of each."""
    parts, signs = [network.inputs.rows.take([])], list[int]()
    for number, layer in enumerate(network.network.layers):
        start = network.starts[number]
        parts.append(network.rows(number, pattern))
        for place, unit in enumerate(layer.units):
            wanted = [0] * len(unit.rows)
            for row, sign in unit.pieces[pattern[start + place]].literals:
                wanted[row] = sign
            signs += wanted
    return Rows.stack(parts), signs


def _full(network: ExactNetwork, pattern: tuple[int, ...]) -> Point | None:
    """Return an interior point of the pattern's set, None if it is not full-dimensional."""
    rows, signs = _cell(network, pattern)
    # A unit that is identically zero is inactive, and bounds nothing.
    exempt = rows.is_zero()
    asked = [0 if z and s < 0 else s for s, z in zip(signs, exempt, strict=True)]
    inside = network.inputs.rows
    return decide(Rows.stack([rows, inside]), asked + [1] * len(inside), network.inputs.box).witness


def _attained(network: ExactNetwork, pattern: tuple[int, ...]) -> Point | None:
    """Return a point of the closed domain with the pattern, None if there is none."""
    rows, signs = _cell(network, pattern)
    strict = [s > 0 for s in signs]
    inside = network.inputs.rows
    return attained(
        Rows.stack([rows, inside]),
        signs + [1] * len(inside),
        strict + [False] * len(inside),
        network.inputs.box,
    ).witness
