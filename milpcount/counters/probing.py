"""Lower bounds by random walks from the root of the region tree."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from milpcount import caps
from milpcount.counters.betting import log_lower_bound, log_mean, to_integer
from milpcount.counters.descents import descents_that_pay
from milpcount.counters.leanings import differ_wildly, leanings
from milpcount.counters.method import Problem, Snapshot
from milpcount.counters.no_units import the_one_region
from milpcount.counters.preferences import preferences
from milpcount.counters.walk_batches import make, subject_of
from milpcount.counters.warming import prepare
from milpcount.errors import OptionError
from milpcount.network import Network
from milpcount.result import Guarantee, Quantity

Array = np.ndarray

_FIRST_ROUND, _LARGEST_ROUND = 16, 1024
_BATCHES = 8
_BATCH_UNITS = 400
"""Units to be decided in a batch at least, so that setting it up is a small part of the work."""


@dataclass(frozen=True)
class Probing:
    """Bound activation regions from below by random descents of the region tree.

    A walk takes one child at every node, with a known probability; the product of the reciprocals
    is an unbiased estimate of the number of regions (Knuth 1975). The probabilities are learned
    from the walks before: what every unit prefers, and, where walks differ wildly, how choices
    should lean by the geometry. Subtrees that are small for certain are counted. The lower bound is
    a confidence sequence by betting: it holds at all numbers of walks at once, so a run may be
    stopped at any time, for any reason. Sides that floating point cannot decide are left out, which
    can lower the estimates but never lifts the bound.

    Parameters
    ----------
    confidence : float
        Of the lower bound, in (0, 1).
    probes : int
        Walks to be made.
    gap : float, optional
        Stop as soon as the bound is within so many bits of the estimate.
    count_below : int
        Subtrees of the last layer with at most so many regions for certain are counted.
    descents : int
        Descents of the last layer in every walk of the first round; their mean is the walk's
        estimate. Later rounds make more of them where most of the spread comes from there.
    """

    confidence: float = 0.95
    probes: int = 1000
    gap: float | None = None
    count_below: int = 16
    descents: int = 8

    name: ClassVar[str] = "probe"
    quantities: ClassVar[frozenset[Quantity]] = frozenset({Quantity.ACTIVATION_REGIONS})
    guarantee: ClassVar[Guarantee] = Guarantee.PROBABILISTIC
    packages: ClassVar[tuple[str, ...]] = ("numba",)
    in_parts: ClassVar[bool] = True
    version: ClassVar[int] = 2  # of the walks that a seed makes: what is stored is done again
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

    def options(self) -> dict[str, Any]:
        """Return the options as JSON types."""
        return {
            "confidence": self.confidence,
            "probes": self.probes,
            "gap": self.gap,
            "count_below": self.count_below,
            "descents": self.descents,
        }

    def warm_up(self, problem: Problem) -> None:
        """Compile the kernel, or load it, here and in the workers."""
        prepare(problem, self.name)

    def run(self, problem: Problem) -> Iterator[Snapshot]:
        """Yield snapshots several times a second."""
        if not problem.network.n_units:
            yield from the_one_region(problem)
            return
        # Boxes and all of space have interior points; a polytope's has to be found.
        tally = _Tally(self, problem.network, entered=not problem.inputs.rows.size)
        yield tally.snapshot()
        subject = subject_of(problem)
        for number, walks in enumerate(rounds(self.probes)):
            try:
                yield from _round(self, problem, subject, tally, number, walks)
            except KeyboardInterrupt:
                tally.end_round()
                yield tally.snapshot()
                raise
            tally.end_round()
            yield tally.snapshot()
            if tally.is_cut or (self.gap is not None and tally.gap <= self.gap):
                return


def rounds(walks: int) -> Iterator[int]:
    """Split walks into rounds; the preferences of one are learned from those before.

    The rounds depend on nothing but their number, so that the same seed gives the same walks
    whatever the number of workers.
    """
    size = _FIRST_ROUND
    while walks > 0:
        yield min(size, walks)
        walks -= size
        size = min(2 * size, _LARGEST_ROUND)


def _round(
    method: Probing, problem: Problem, subject: Any, tally: "_Tally", number: int, walks: int
) -> Iterator[Snapshot]:
    from milpcount.kernel.descent_state import Batch

    size = max(1, _BATCH_UNITS // problem.network.n_units, -(-walks // _BATCHES))
    preference = preferences(problem.network, tally.taken, tally.log_size)
    seeds = np.random.SeedSequence(problem.seed, spawn_key=(number,)).generate_state(
        -(-walks // size), np.uint64
    )
    batches = [
        Batch(
            preference,
            tally.leaning,
            min(size, walks - i * size),
            int(seed),
            method.count_below,
            tally.descents,
        )
        for i, seed in enumerate(seeds)
    ]
    for current in make(problem, subject, batches, tally.take):
        yield tally.snapshot(current)


class _Tally:
    """The walks so far, in their order, and what they show."""

    def __init__(self, method: Probing, network: Network, *, entered: bool) -> None:
        self.method, self.entered = method, entered
        self.log_size: Array = np.zeros(0)
        self.taken: Array = np.zeros((0, network.n_units), dtype=np.int8)
        self.tests = self.undecided = self.dead_ends = self.counted = 0
        self.log_bound = -math.inf
        self.is_cut = False
        self.descents = method.descents
        self.leaning: Array = np.zeros((len(network.layers), 2))
        self.moments: Any = 0.0
        self.leans = self.leaned = False
        self.made_descents = method.descents
        self.round: list[Any] = []

    def take(self, walked: Any, wanted: int) -> bool:
        """Add the walks of a batch, if there are any; return whether more are wanted."""
        if walked is None:
            self.is_cut = True
        else:
            self.add(walked, wanted)
        return not self.is_cut

    def add(self, walked: Any, wanted: int) -> None:
        """Add the walks of a batch; a batch cut short is the last one.

        The walks that count are a beginning of the sequence: which of them were finished in time
        may depend on their sizes.
        """
        self.entered |= walked.entered
        self.log_size = np.concatenate([self.log_size, walked.log_size])
        self.taken = np.vstack([self.taken, walked.taken])
        self.tests += walked.tests
        self.undecided += walked.undecided
        self.dead_ends += walked.dead_ends
        self.counted += walked.counted
        self.is_cut = len(walked.log_size) < wanted
        self.round.append(walked)
        # Of the walks that were made, not of those that are planned.
        self.made_descents = self.descents
        self.leaned |= bool(self.leaning.any())

    def end_round(self) -> None:
        """Improve the bound and plan the next round.

        Only here, so that neither depends on the clock.
        """
        if self.round and self.log_size.size:
            bound = log_lower_bound(self.log_size, self.method.confidence)
            self.log_bound = max(self.log_bound, bound)
            self.descents = descents_that_pay(self.round, self.descents, self.method.descents)
            # Later walks are nearer to those to come.
            self.moments = 0.5 * self.moments + sum(batch.moments for batch in self.round)
            self.leans |= differ_wildly(np.concatenate([batch.log_size for batch in self.round]))
            if self.leans:
                self.leaning = leanings(self.moments, self.leaning)
        self.round = []

    @property
    def gap(self) -> float:
        """Bits between the estimate and the bound."""
        if self.log_size.size == 0 or self.log_bound == -math.inf:
            return math.inf
        return (log_mean(self.log_size) - self.log_bound) / math.log(2.0)

    def snapshot(self, current: Any = None) -> Snapshot:
        """Return what the walks show; `current` is a batch under way, for the progress only."""
        self.entered |= current is not None and current.entered
        done = self.log_size.size + (0 if current is None else len(current.log_size))
        tests = self.tests + (0 if current is None else current.tests)
        share = min(1.0, done / self.method.probes)
        lower = max(int(self.entered), to_integer(self.log_bound))
        if self.log_size.size == 0:
            return Snapshot(lower, lps=tests, share=share, note=f"{done:,} probes")
        estimate = to_integer(log_mean(self.log_size))
        bits = math.log2(math.e)
        details = {
            "probes": int(self.log_size.size),
            "log2_lower": None if lower <= 1 else self.log_bound * bits,
            "log2_estimate": log_mean(self.log_size) * bits if estimate else None,
            "relative_standard_error_of_the_estimate_no_guarantee": self._error(),
            "all_probes_saw_the_same_number": bool(np.ptp(self.log_size) == 0.0)
            if np.isfinite(self.log_size).all()
            else False,
            "descents_of_the_last_layer": self.made_descents,
            "choices_leaned": self.leaned,
            "subtrees_counted": self.counted,
            "sides_left_out_undecided": self.undecided,
            "walks_that_ended_without_a_region": self.dead_ends,
        }
        return Snapshot(
            lower=lower,
            lps=tests,
            share=share,
            confidence=self.method.confidence,
            estimate=estimate,
            note=f"{done:,} probes   count ≥ 2^{max(0.0, self.log_bound * bits):.2f}   "
            f"estimate 2^{log_mean(self.log_size) * bits:.2f}",
            details=details,
        )

    def _error(self) -> float | None:
        """Return the standard error of the mean over the mean, from the sample's variance."""
        n = self.log_size.size
        if n < 2 or not np.isfinite(self.log_size).any():
            return None
        ratio = np.exp(self.log_size - log_mean(self.log_size))
        return float(ratio.std(ddof=1) / math.sqrt(n))
