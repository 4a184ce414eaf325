"""Lower bounds by random walks from the root of the region tree."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from milpcount import caps
from milpcount.counters.affine_network import the_one_region
from milpcount.counters.components import Component, components
from milpcount.counters.method import Problem, Snapshot
from milpcount.counters.options import CONFIDENCE, Options, integer, number
from milpcount.counters.probing.by_components import probe_components
from milpcount.counters.probing.walk_batches import make, subject_of
from milpcount.counters.probing.walk_tally import Tally, round_size
from milpcount.counters.warming import prepare
from milpcount.domain.implied_bounds import with_implied_bounds
from milpcount.quantities import Quantity
from milpcount.result import Guarantee


@dataclass(frozen=True)
class Probing(Options):
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
        the last layer. Fewer where they have no room; 1 lets walks go alone, which gives more in
        the first minutes: populations begin after a round of walks that they learn from.
    """

    confidence: float = number(
        0.95, CONFIDENCE, "a number between 0 and 1, e.g. 0.95", unit="P", above=0.0, below=1.0
    )
    probes: int = integer(1000, "Walks.", caps.PROBES)
    gap: float | None = number(
        None, "Stop that close to the estimate.", "a number of bits above 0, e.g. 0.2",
        unit="BITS", above=0.0, below=math.inf,
    )  # fmt: skip
    count_below: int = integer(
        16, "Subtrees of at most so many regions are counted.", caps.COUNT_BELOW, least=0
    )
    descents: int = integer(8, "Descents of the last layer a walk.", caps.DESCENTS)
    population: int = integer(16, "Walks side by side for one estimate.", caps.POPULATION)

    name: ClassVar[str] = "probe"
    quantities: ClassVar[frozenset[Quantity]] = frozenset({Quantity.ACTIVATION_REGIONS})
    guarantee: ClassVar[Guarantee] = Guarantee.PROBABILISTIC
    packages: ClassVar[tuple[str, ...]] = ("numba",)
    in_parts: ClassVar[bool] = True
    kernels: ClassVar[tuple[str, ...]] = ("vertices_probe", "probe")
    version: ClassVar[int] = 3  # of the walks that a seed makes: what is stored is done again
    theorem: ClassVar[str] = "Knuth 1975 and Ville's inequality (betting)"

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
        for turn in itertools.count():
            population = tally.population
            size = min(left // population, round_size(turn, tally.rounds_in_populations))
            if size == 0:
                return
            left -= size * population
            key = np.random.SeedSequence(problem.seed, spawn_key=(turn,))
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
