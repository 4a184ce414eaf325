"""Exact counting by the region tree: the default method."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from milpcount.counters.method import Problem, Snapshot
from milpcount.result import Guarantee, Quantity

_SLICE_SECONDS = 0.1


@dataclass(frozen=True)
class RegionTree:
    """Count activation regions, or activation patterns, by a depth-first search over the units.

    A node is a pattern of the units decided so far whose cell is full-dimensional; its children are
    the pieces of the next unit for which that stays true. There are no dead ends, so leaves are
    regions. Every verdict is certified against a bound on its rounding errors: a counted region has
    a point that satisfies all its rows beyond rounding, a pruned side has Farkas multipliers that
    prove it empty, and what floating point cannot prove is decided in exact rational arithmetic.
    Any activation with pieces, bounded and unbounded domains, degenerate arrangements included.
    Patterns that are attained on faces only are found in exact arithmetic, below the side of a
    region that they lie on.
    """

    name: ClassVar[str] = "tree"
    quantities: ClassVar[frozenset[Quantity]] = frozenset(
        {Quantity.ACTIVATION_REGIONS, Quantity.ACTIVATION_PATTERNS}
    )
    guarantee: ClassVar[Guarantee] = Guarantee.CERTIFIED
    packages: ClassVar[tuple[str, ...]] = ("numba",)
    theorem: ClassVar[str] = ""

    def options(self) -> dict[str, Any]:
        """Return the options as JSON types; there are none."""
        return {}

    def warm_up(self, problem: Problem) -> None:
        """Compile the kernel, or load it from numba's cache, on a network of one unit."""
        from milpcount.tree.warm_up import is_compiled, warm_up

        if not is_compiled():
            problem.notice("compiling the region tree's kernel, about a minute, once")
        warm_up()

    def run(self, problem: Problem) -> Iterator[Snapshot]:
        """Yield snapshots about ten times a second."""
        from milpcount.tree.search import Search

        patterns = problem.quantity is Quantity.ACTIVATION_PATTERNS
        search = Search(problem.network, problem.inputs, problem.keep_regions, patterns=patterns)
        yield self._snapshot(search)
        began = time.perf_counter()
        for _ in search.run(most=problem.limits.regions):
            now = time.perf_counter()
            if now - began >= 0.5 * _SLICE_SECONDS:
                search.budget = max(100, int(search.budget * _SLICE_SECONDS / (now - began)))
                yield self._snapshot(search)
                began = time.perf_counter()
            else:
                search.budget = min(2 * search.budget, 10**7)
        yield self._snapshot(search)

    @staticmethod
    def _snapshot(search: Any) -> Snapshot:
        from milpcount.tree.cell import NARROWEST

        return Snapshot(
            lower=search.found,
            lps=search.tests,
            share=search.share,
            details={
                "tolerances": {
                    "witness_margin": "above the running bound on each row's rounding error",
                    "projection_margin": NARROWEST,
                    "below_projection_margin": "decided in exact rational arithmetic",
                },
                "decisions": search.statistics,
            },
            regions=search.regions if search.keep else None,
        )
