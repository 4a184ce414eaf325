"""The probes so far, what they show, and how the next are made."""

import math
from typing import Any, Protocol

import numpy as np

from milpcount.counters.confidence_sequence import log_lower_bound, log_mean, to_integer
from milpcount.counters.method import Snapshot
from milpcount.counters.probing.branching_probabilities import preferences
from milpcount.counters.probing.gap_limits import what_limits
from milpcount.counters.probing.importance_tilt import SHARE, differ_wildly, leanings
from milpcount.counters.probing.last_layer_replication import descents_that_pay
from milpcount.counters.probing.potentials import improved, most_below, potentials
from milpcount.network import Network
from milpcount.types import Array

_FIRST_ROUND, _LARGEST_ROUND = 16, 1024
_KEPT = 2048
"""Walks that preferences are learned from, the last ones."""
_SHARE = 0.9
"""Share of the slopes that walks of populations lean by: what their choices come to is less noisy,
and their units' preferences are learned from few."""
_KEPT_STAGES = 8192
"""Stages of walks that potentials are learned from."""
_BATCHES = 8
_BATCH_UNITS = 400
"""Units to be decided in a batch at least, so that setting it up is a small part of the work."""


class Plan(Protocol):
    """The options of `milpcount.counters.probing.probing.Probing` that are read here."""

    @property
    def confidence(self) -> float:
        """Of the lower bound."""

    @property
    def probes(self) -> int:
        """To be made."""

    @property
    def count_below(self) -> int:
        """Subtrees of at most so many regions are counted."""

    @property
    def descents(self) -> int:
        """Of the last layer, in the first round."""

    @property
    def population(self) -> int:
        """Walks for a probe where they differ wildly."""


def round_size(number: int, in_populations: int) -> int:
    """Return the number of estimates in a round; the next is planned by what was learned before.

    It depends on no clock and not on the number of workers, so that the same seed gives the same
    estimates.

    Parameters
    ----------
    number : int
        Of the round, from 0.
    in_populations : int
        Rounds so far after which walks were to be made in populations. Theirs cost more, and
        teach more: 2 four times, 4 four times, and so on.
    """
    if in_populations:
        return int(min(2 ** ((in_populations + 3) // 4), _LARGEST_ROUND))
    # A round ends with a look at all walks so far: of very many, their number is to grow slowly.
    return int(min(_FIRST_ROUND * 2**number, _LARGEST_ROUND) * max(1, number - 8))


class Tally:
    """The walks so far, in their order, and what they show."""

    def __init__(
        self,
        method: Plan,
        network: Network,
        *,
        entered: bool,
        boxed: bool,
        by_vertices: bool = False,
    ) -> None:
        self.method, self.network, self.entered = method, network, entered
        self._may_populate = boxed and method.population > 1 and not by_vertices
        self._by_vertices = by_vertices
        self.log_size: Array = np.zeros(0)
        self.taken: Array = np.zeros((0, network.n_units), dtype=np.int8)
        self.transitions: Array = np.zeros((0, 13))
        self.tests = self.undecided = self.dead_ends = self.counted = 0
        self.log_bound = -math.inf
        self.is_cut, self.limit = False, ""
        self.descents = method.descents
        self.leaning: Array = np.zeros((len(network.layers), 2))
        self.moments: Any = 0.0
        self.leans = self.leaned = False
        self.potential: Array | None = None
        self.rounds_in_populations = 0
        self.made_descents = method.descents
        self.walks_for_an_estimate, self.made = 1, 0
        self.round: list[Any] = []

    def batches(self, key: np.random.SeedSequence, walks: int, parts: int = _BATCHES) -> list[Any]:
        """Return the batches of a round, about so many, by what was learned before it."""
        from milpcount.kernel.descent_state import Batch

        population = self.population
        least = 1 if population > 1 else _BATCH_UNITS // self.network.n_units
        size = max(1, least, -(-walks // parts))
        preference = preferences(self.network, self.taken, self.log_size[-_KEPT:])
        return [
            Batch(
                preference,
                self.leaning,
                min(size, walks - i * size),
                int(seed),
                self.method.count_below,
                self.descents,
                population,
                self.potential,
                self._by_vertices,
            )
            for i, seed in enumerate(key.generate_state(-(-walks // size), np.uint64))
        ]

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
        self.taken = np.vstack([self.taken, walked.taken])[-_KEPT:]
        self.transitions = np.vstack([self.transitions, walked.transitions])[-_KEPT_STAGES:]
        self.made += len(walked.log_size) * walked.population
        self.tests += walked.tests
        self.undecided += walked.undecided
        self.dead_ends += walked.dead_ends
        self.counted += walked.counted
        self.is_cut = len(walked.log_size) < wanted
        self.round.append(walked)
        # Of the walks that were made, not of those that are planned.
        self.made_descents = self.descents
        self.leaned |= bool(self.leaning.any())
        self.walks_for_an_estimate = walked.population

    def end_round(self) -> None:
        """Improve the bound and plan the next round.

        Only here, so that neither depends on the clock.
        """
        if self.round and self.log_size.size:
            bound = log_lower_bound(self.log_size, self.method.confidence)
            self.log_bound = max(self.log_bound, bound)
            self.limit = what_limits(self.log_size, self.log_bound)
            self.descents = descents_that_pay(self.round, self.descents, self.method.descents)
            # Later walks are nearer to those to come.
            self.moments = 0.5 * self.moments + sum(batch.moments for batch in self.round)
            self.leans |= differ_wildly(np.concatenate([batch.log_size for batch in self.round]))
            if self.leans:
                share = _SHARE if self.rounds_in_populations else SHARE
                self.leaning = leanings(self.moments, self.leaning, share)
                if self._may_populate and (self.rounds_in_populations or self._is_decided_above()):
                    if self.potential is None:
                        self.potential = potentials(self.moments)
                    else:
                        most = most_below(self.network)
                        self.potential = improved(self.potential, self.transitions, most)
                    self.rounds_in_populations += 1
        self.round = []

    def _is_decided_above(self) -> bool:
        """Return whether most of the work of a round was above the last layer.

        Else its descents, which are cheaper, average out what populations would: on 784-100-100
        they are level with them or better.
        """
        below = sum(batch.descent_tests for batch in self.round)
        return bool(2 * below < sum(batch.tests for batch in self.round))

    @property
    def population(self) -> int:
        """Walks that are made side by side for one estimate, in the next round."""
        return self.method.population if self.rounds_in_populations else 1

    @property
    def gap(self) -> float:
        """Bits between the estimate and the bound."""
        if self.log_size.size == 0 or self.log_bound == -math.inf:
            return math.inf
        return (log_mean(self.log_size) - self.log_bound) / math.log(2.0)

    def snapshot(self, current: Any = None) -> Snapshot:
        """Return what the walks show; `current` is a batch under way, for the progress only."""
        self.entered |= current is not None and current.entered
        done = self.made + (0 if current is None else len(current.log_size) * current.population)
        tests = self.tests + (0 if current is None else current.tests)
        share = min(1.0, done / self.method.probes)
        lower = max(int(self.entered), to_integer(self.log_bound))
        if self.log_size.size == 0:
            return Snapshot(lower, lps=tests, share=share, note=f"{done:,} probes")
        estimate = to_integer(log_mean(self.log_size))
        bits = math.log2(math.e)
        details = {
            "probes": self.made,
            "estimates": int(self.log_size.size),
            "log2_lower": None if lower <= 1 else self.log_bound * bits,
            "log2_estimate": log_mean(self.log_size) * bits if estimate else None,
            "relative_standard_error_of_the_estimate_no_guarantee": self._error(),
            "all_probes_saw_the_same_number": bool(np.ptp(self.log_size) == 0.0)
            if np.isfinite(self.log_size).all()
            else False,
            "descents_of_the_last_layer": 0 if self._by_vertices else self.made_descents,
            "what_limits_the_gap": self.limit,
            "choices_leaned": self.leaned,
            "walks_for_an_estimate": self.walks_for_an_estimate,
            "subtrees_counted": self.counted,
            "sides_left_out_undecided": self.undecided,
            "by_vertices": self._by_vertices,
            "walks_that_ended_early": self.dead_ends,
        }
        return Snapshot(
            lower=lower,
            lps=tests,
            share=share,
            confidence=self.method.confidence,
            estimate=estimate,
            note=f"{done:,} probes   count ≥ 2^{max(0.0, self.log_bound * bits):.2f}   "
            f"estimate 2^{log_mean(self.log_size) * bits:.2f}"
            + (f"   {self.limit}" if self.limit else ""),
            details=details,
        )

    def _error(self) -> float | None:
        """Return the standard error of the mean over the mean, from the sample's variance."""
        n = self.log_size.size
        if n < 2 or not np.isfinite(self.log_size).any():
            return None
        ratio = np.exp(self.log_size - log_mean(self.log_size))
        return float(ratio.std(ddof=1) / math.sqrt(n))
