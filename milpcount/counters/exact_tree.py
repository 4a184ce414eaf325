"""The tree of regions, or of patterns, in exact arithmetic, as a counting method."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from milpcount import optional
from milpcount.counters.method import REGIONS_AND_PATTERNS, Candidate, Problem, Snapshot
from milpcount.counters.options import Options
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.tree import ExactRegionTree
from milpcount.limits import OutOfTime
from milpcount.quantities import Quantity
from milpcount.result import Guarantee, Region

# Seconds between signs of life; the contract of a method is half a second.
_HEARTBEAT = 0.2


@dataclass(frozen=True)
class ExactTree(Options):
    """Count activation regions, or activation patterns, without rounding anything.

    It decides every side of every cell with integers: a reference for the floating-point methods,
    and the method for networks whose cells are too thin for them. It is slow, a thousand linear
    programs per second at most.

    Examples
    --------
    >>> import milpcount as mc
    >>> net = mc.Network.from_arrays([[[1.0], [-1.0]]], [[0.0, 0.0]], output=False)
    >>> mc.count(net, mc.Box(-1, 1), ExactTree()).lower
    2
    >>> mc.count(net, mc.Box(-1, 1), ExactTree(), quantity="activation_patterns").lower
    3
    """

    name: ClassVar[str] = "exact"
    quantities: ClassVar[frozenset[Quantity]] = REGIONS_AND_PATTERNS
    guarantee: ClassVar[Guarantee] = Guarantee.EXACT_ARITHMETIC
    packages: ClassVar[tuple[str, ...]] = ("highspy", "python-flint")

    @classmethod
    def candidates(cls) -> tuple[Candidate, ...]:
        """Return how it takes part in comparisons."""
        return (Candidate(cls.name, cls, 50_000),)

    def warm_up(self, problem: Problem) -> None:
        """Import the float solver that supplies hints."""
        optional.require("highspy", f"the method {self.name!r}")

    def run(self, problem: Problem) -> Iterator[Snapshot]:
        """Yield snapshots while the tree is walked."""
        regions: list[Region] | None = [] if problem.keep_regions else None
        network = ExactNetwork(problem.network, problem.inputs)
        tree = ExactRegionTree(network, patterns=problem.quantity is Quantity.ACTIVATION_PATTERNS)
        yield Snapshot(share=0.0, regions=regions)
        found, spoke = 0, time.monotonic()
        try:
            for cell in tree.walk():
                if cell is not None:
                    found += 1
                    if regions is not None:
                        regions.append(tree.region(cell))
                if found == problem.limits.regions or time.monotonic() - spoke > _HEARTBEAT:
                    yield Snapshot(lower=found, lps=tree.lps, share=tree.closed, regions=regions)
                    spoke = time.monotonic()
        except OutOfTime:
            yield Snapshot(lower=found, lps=tree.lps, share=tree.closed, regions=regions)
            return
        yield Snapshot(lower=found, lps=tree.lps, share=1.0, regions=regions)
