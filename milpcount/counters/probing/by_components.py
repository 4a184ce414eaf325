"""Probing of networks whose parts have nothing to do with each other.

The number of regions is the product of the components' numbers. Small components are counted. A
probe of the others is the product of independent estimates, one for each: the expectation of the
product is the product of the expectations, so it is unbiased. Its relative variance is about the
sum of theirs, and so a component's estimate is the mean of several probes of it, as many as pay.
The upper end is a product, too, of what was counted and of theorems for the other components: far
less than a theorem for the network, for which every unit may depend on every input.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from milpcount.bounds.best import BUDGET, best_upper
from milpcount.counters.components import Component
from milpcount.counters.confidence_sequence import log_lower_bound, log_mean, to_integer
from milpcount.counters.method import Problem, Snapshot
from milpcount.counters.probing.gap_limits import what_limits
from milpcount.counters.probing.walk_batches import make, subject_of
from milpcount.counters.probing.walk_tally import Plan, Tally
from milpcount.limits import tick
from milpcount.result import Guarantee
from milpcount.types import Array

_WORK = 50_000_000
"""Units of work that counting may take, all components together: half a minute."""
_SLICE = 20_000
_REGIONS = 100_000
"""Regions that a component is counted to."""
_FIRST_ROUND, _LARGEST_ROUND = 4, 256
_FIRST_REPEATS, _MOST_REPEATS = 4, 64
_VARIANCE = 0.5
"""Relative variance of a probe that is aimed at."""
_LEAST_BUDGET = 5.0
"""Milliseconds for the theorems of a component: enough for those that count cells."""
_BOUNDED = "the product over components, counted or by theorems"


def probe_components(
    method: Plan, problem: Problem, parts: Sequence[Component]
) -> Iterator[Snapshot]:
    """Yield snapshots of the product; see `milpcount.counters.probing.probing.Probing`."""
    known, tests, large = 1, 0, list[Component]()
    yield Snapshot(lower=1)
    for number, part in enumerate(parts):
        for count, more, is_all in _counted(part, _WORK // len(parts)):  # noqa: B007
            lower = known * max(1, count)
            note = f"components: {number:,} of {len(parts):,}   count ≥ 2^{_bits(lower):.2f}"
            yield Snapshot(lower=lower, lps=tests + more, note=note)
        tests += more
        if is_all:
            known *= count
        else:
            large.append(part)
    counted = {"components": len(parts), "components_counted": len(parts) - len(large)}
    if not large:
        yield Snapshot(
            lower=known, lps=tests, share=1.0, guarantee=Guarantee.CERTIFIED, details=counted
        )
        return
    upper, budget = known, max(_LEAST_BUDGET, BUDGET / len(large))
    for part in large:
        tick()
        upper *= best_upper(part.network, part.inputs, problem.quantity, budget)[0]
    product = _Product(method, problem, known, large, upper)
    number = made = 0
    while made < method.probes:
        probes = min(method.probes - made, _FIRST_ROUND * 2**number, _LARGEST_ROUND)
        for _ in product.round(number, probes):
            yield product.snapshot(tests, counted)
        yield product.snapshot(tests, counted)
        made, number = made + probes, number + 1
        gap = getattr(method, "gap", None)
        if product.is_cut or (gap is not None and product.gap <= gap):
            return


def _counted(part: Component, work: int) -> Iterator[tuple[int, int, bool]]:
    """Count a component's regions; yield their number so far, the tests, and whether it is all."""
    from milpcount.tree.search import Search

    search = Search(part.network, part.inputs)
    budget = min(_SLICE, work)
    for _ in search.run(budget=budget, most=_REGIONS + 1):
        yield search.counted, search.tests, False
        work -= budget
        if work <= 0:
            return
    yield search.counted, search.tests, search.counted <= _REGIONS


class _Product:
    """The probes of the large components and what they show together."""

    def __init__(
        self, method: Plan, problem: Problem, known: int, parts: Sequence[Component], upper: int
    ) -> None:
        self._method, self._problem, self._known, self._upper = method, problem, known, upper
        self._subjects = [subject_of(part.network, part.inputs, problem) for part in parts]
        self._tallies = [
            Tally(method, part.network, entered=True, boxed=part.inputs.is_boxed) for part in parts
        ]
        self._repeats = np.full(len(parts), _FIRST_REPEATS)
        self.log_size: Array = np.zeros(0)
        self.log_bound, self.is_cut = -math.inf, False

    def round(self, number: int, probes: int) -> Iterator[None]:
        """Make probes of all components, yielding in between."""
        jobs = list[tuple[Any, Any]]()
        owner = list[int]()
        for c, (subject, tally) in enumerate(zip(self._subjects, self._tallies, strict=True)):
            key = np.random.SeedSequence(self._problem.seed, spawn_key=(number, c))
            batches = tally.batches(key, probes * int(self._repeats[c]), 1)
            jobs += [(subject, batch) for batch in batches]
            owner += [c] * len(batches)
        began, at = [tally.log_size.size for tally in self._tallies], iter(owner)

        def take(walked: Any, wanted: int) -> bool:
            return self._tallies[next(at)].take(walked, wanted)

        for _ in make(self._problem, jobs, take):
            yield
        self.is_cut = any(tally.is_cut for tally in self._tallies)
        sizes = [t.log_size[n:] for t, n in zip(self._tallies, began, strict=True)]
        if self.is_cut or any(size.size % probes or not size.size for size in sizes):
            self.is_cut = True  # what is there of a round may depend on what it is
            return
        total = np.full(probes, math.log(self._known))
        spread = np.zeros(len(sizes))
        for c, size in enumerate(sizes):
            groups = size.reshape(probes, -1)
            total += np.logaddexp.reduce(groups, axis=1) - math.log(groups.shape[1])
            ratio = np.exp(size - log_mean(size)) if np.isfinite(size).any() else np.zeros(1)
            spread[c] = ratio.std()
            self._tallies[c].end_round()
        self.log_size = np.concatenate([self.log_size, total])
        bound = log_lower_bound(self.log_size, self._method.confidence)
        self.log_bound = max(self.log_bound, bound)
        # The least sum of repeats for a sum of variances over repeats (Neyman 1934).
        wanted = np.ceil(spread * spread.sum() / _VARIANCE)
        self._repeats = np.clip(wanted, 1, _MOST_REPEATS).astype(np.int64)

    @property
    def gap(self) -> float:
        """Bits between the estimate and the bound."""
        if self.log_bound == -math.inf:
            return math.inf
        return (log_mean(self.log_size) - self.log_bound) / math.log(2.0)

    def snapshot(self, tests: int, details: dict[str, Any]) -> Snapshot:
        """Return what is shown."""
        lower, done = max(self._known, to_integer(self.log_bound)), self.log_size.size
        tests += sum(tally.tests for tally in self._tallies)
        found = Snapshot(
            lower=lower,
            upper=self._upper,
            upper_source=_BOUNDED,
            lps=tests,
            share=done / self._method.probes,
            confidence=self._method.confidence,
        )
        if not done:
            return replace(found, note=f"{done:,} probes   count ≥ 2^{_bits(self._known):.2f}")
        limit = what_limits(self.log_size, self.log_bound)
        log_estimate, bits = log_mean(self.log_size), math.log2(math.e)
        return replace(
            found,
            estimate=to_integer(log_estimate),
            note=f"{done:,} probes   count ≥ 2^{_bits(lower):.2f}   "
            f"estimate 2^{log_estimate * bits:.2f}   {limit}".rstrip(),
            details=details
            | {
                "probes": int(done),
                "log2_lower": _bits(lower),
                "log2_estimate": log_estimate * bits,
                "what_limits_the_gap": limit,
                "most_probes_of_a_component": int(self._repeats.max()),
                "sides_left_out_undecided": sum(tally.undecided for tally in self._tallies),
            },
        )


def _bits(count: int) -> float:
    return math.log2(count)
