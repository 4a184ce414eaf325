"""Lower bounds by random walks from the root of the region tree."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from milpcount import caps
from milpcount.counters.affine_network import the_one_region
from milpcount.counters.components import Component, components
from milpcount.counters.method import Problem, Snapshot
from milpcount.counters.probing.by_components import probe_components
from milpcount.counters.probing.walk_batches import make, subject_of
from milpcount.counters.probing.walk_tally import Tally, round_size
from milpcount.counters.warming import prepare
from milpcount.domain.implied_bounds import with_implied_bounds
from milpcount.errors import OptionError
from milpcount.result import Guarantee, Quantity


@dataclass(frozen=True)
class Probing:
    """Bound activation regions from below by random descents of the region tree.

    A walk takes one child at every node, with a known probability; the product of the reciprocals
    is an unbiased estimate of the number of regions (Knuth 1975). The probabilities are learned
    from the walks before: what every unit prefers, and, where walks differ wildly, how choices
    should lean by the geometry. Subtrees that are small for certain are counted, and so are small
    parts of the network that nothing joins to the rest; others multiply. The lower bound is
    a confidence sequence by betting: it holds at all numbers of walks at once, so a run may be
    stopped at any time, for any reason. Sides that floating point cannot decide are left out, which
    can lower the estimates but never lifts the bound.

    Parameters
    ----------
    confidence : float
        Of the lower bound, in (0, 1).
    probes : int
        Walks to be made, those that are made side by side for one estimate included.
    gap : float, optional
        Stop as soon as the bound is within so many bits of the estimate.
    count_below : int
        Subtrees of the last layer with at most so many regions for certain are counted.
    descents : int
        Descents of the last layer in every walk of the first round; their mean is the walk's
        estimate. Later rounds make more of them where most of the spread comes from there.
    population : int
        Walks that are made side by side for one estimate and replace each other on the way down,
        see `milpcount.tree.populations`: where walks differ wildly and most of their work is above
        the last layer. Fewer where they have no room. By default walks go alone, which in equal
        time gave the better bound on 784-256x4.
    """

    confidence: float = 0.95
    probes: int = 1000
    gap: float | None = None
    count_below: int = 16
    descents: int = 8
    population: int = 1

    name: ClassVar[str] = "probe"
    quantities: ClassVar[frozenset[Quantity]] = frozenset({Quantity.ACTIVATION_REGIONS})
    guarantee: ClassVar[Guarantee] = Guarantee.PROBABILISTIC
    packages: ClassVar[tuple[str, ...]] = ("numba",)
    in_parts: ClassVar[bool] = True
    version: ClassVar[int] = 3  # of the walks that a seed makes: what is stored is done again
    theorem: ClassVar[str] = "Knuth 1975 and Ville's inequality (betting)"

    def __post_init__(self) -> None:
        allowed = "a number between 0 and 1, e.g. 0.95"
        sure = caps.check_number("confidence", self.confidence, allowed, above=0.0, below=1.0)
        object.__setattr__(self, "confidence", sure)
        probes = caps.check_integer("probes", self.probes, cap=caps.PROBES)
        object.__setattr__(self, "probes", probes)
        if self.gap is not None:
            allowed = "a number of bits above 0, e.g. 0.2"
            gap = caps.check_number("gap", self.gap, allowed, above=0.0, below=math.inf)
            object.__setattr__(self, "gap", gap)
        if not 0 <= self.count_below <= 10**6:
            raise OptionError(f"count_below {self.count_below!r}: give 0 to 1,000,000 regions")
        if not 1 <= self.descents <= 1000:
            raise OptionError(f"descents {self.descents!r}: give 1 to 1,000; 8 serve well")
        if not 1 <= self.population <= 1000:
            raise OptionError(f"population {self.population!r}: give 1 to 1,000; 16 serve well")

    def options(self) -> dict[str, Any]:
        """Return the options as JSON types."""
        return {
            "confidence": self.confidence,
            "probes": self.probes,
            "gap": self.gap,
            "count_below": self.count_below,
            "descents": self.descents,
            "population": self.population,
        }

    def warm_up(self, problem: Problem) -> None:
        """Compile the kernel, or load it, here and in the workers."""
        from milpcount.tree.few_inputs import has_few_inputs
        from milpcount.tree.vertex_walks import can_be_walked

        inputs = with_implied_bounds(problem.inputs)
        if not _is_one(components(problem.network, problem.inputs), problem):
            prepare(problem, "tree")  # small components are counted
        elif problem.network.n_units and has_few_inputs(inputs):
            prepare(problem, "vertices_probe")
            if can_be_walked(problem.network, inputs):
                return
        prepare(problem, self.name)

    def run(self, problem: Problem) -> Iterator[Snapshot]:
        """Yield snapshots several times a second."""
        if not problem.network.n_units:
            yield from the_one_region(problem)
            return
        # Boxes and all of space have interior points; a polytope's has to be found.
        yield Snapshot(lower=int(not problem.inputs.rows.size))
        parts = components(problem.network, problem.inputs)
        if _is_one(parts, problem):
            yield from self._probe(problem)
        else:
            yield from probe_components(self, problem, parts)

    def _probe(self, problem: Problem) -> Iterator[Snapshot]:
        from milpcount.tree.vertex_walks import can_be_walked

        network, inputs = problem.network, with_implied_bounds(problem.inputs)
        few = can_be_walked(network, inputs)
        tally = Tally(
            self,
            network,
            entered=not inputs.rows.size,
            boxed=inputs.is_boxed,
            by_vertices=few,
        )
        yield tally.snapshot()
        subject, left = subject_of(network, inputs, problem, few), self.probes
        for number in itertools.count():
            population = tally.population
            size = min(left // population, round_size(number, tally.rounds_in_populations))
            if size == 0:
                return
            left -= size * population
            key = np.random.SeedSequence(problem.seed, spawn_key=(number,))
            jobs = [(subject, batch) for batch in tally.batches(key, size)]
            try:
                for current in make(problem, jobs, tally.take):
                    yield tally.snapshot(current)
            except KeyboardInterrupt:
                tally.end_round()
                yield tally.snapshot()
                raise
            tally.end_round()
            yield tally.snapshot()
            if tally.is_cut or (self.gap is not None and tally.gap <= self.gap):
                return


def _is_one(parts: list[Component], problem: Problem) -> bool:
    """Return whether a network has no independent components."""
    return len(parts) == 1 and parts[0].network is problem.network
