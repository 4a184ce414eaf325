"""What a run that looks for both ends has shown, as snapshots."""

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

from milpcount.counters.approximate.hashing import Hashing
from milpcount.counters.approximate.strata import Pilot, Strata
from milpcount.counters.confidence_sequence import to_integer
from milpcount.counters.method import COUNTED, SAMPLED, Problem, Snapshot
from milpcount.counters.region_tree import RegionTree
from milpcount.integers import human
from milpcount.result import Guarantee
from milpcount.workers import count_workers


class Shown:
    """What a run has shown.

    Parameters
    ----------
    epsilon, confidence : float
        Of the method.
    problem : Problem
    """

    def __init__(self, epsilon: float, confidence: float, problem: Problem) -> None:
        self._problem = problem
        self._epsilon, self._confidence = epsilon, confidence
        self._clock, self._began = time.thread_time, time.thread_time()
        self.found = self.lps = 0
        self._low = 0
        self._high: int | None = None
        self._estimate: int | None = None
        self._details: dict[str, Any] = {}

    def spend(self, tests: int) -> None:
        """Add projections."""
        self.lps += tests

    @property
    def seconds_of_work(self) -> float:
        """Of a projection, so far."""
        return (self._clock() - self._began) / max(1, self.lps)

    def workers(self, problem: Problem) -> int:
        """Return how many tasks run at a time."""
        return 1 if problem.executor is None else count_workers(problem.executor)

    def chosen(self, strategy: str, work: dict[str, float], pilot: Pilot | None) -> None:
        """Note what was chosen, and why."""
        self._details["strategy"] = strategy
        self._details["work_expected"] = {
            way: None if math.isinf(number) else round(number) for way, number in work.items()
        }
        if pilot is not None:
            self._details["pilot"] = {
                "walks": pilot.walks,
                "log2_mean": _bits(pilot.log_mean),
                "relative_variance": pilot.square - 1.0,
                "log2_highest": _bits(pilot.log_highest),
            }

    def exact(self) -> Snapshot:
        """Return the snapshot of a count that has ended."""
        self._details["strategy"] = "exact"
        return Snapshot(
            self.found, lps=self.lps, share=1.0, details=self._details,
            guarantee=Guarantee.CERTIFIED,
        )  # fmt: skip

    def snapshot(self, doing: str, *, more: int = 0, **details: Any) -> Snapshot:
        """Return what is shown now."""
        low = max(self.found, self._low)
        high = None if self._high is None else max(low, self._high)
        wanted = (1.0 + self._epsilon) ** 2
        if high is not None and low and high > wanted * low:
            reached = math.sqrt(_ratio(high, low)) - 1.0
            details["notes"] = [f"reached epsilon {reached:.3g} of {self._epsilon:g}"]
        elif high is None:
            details["notes"] = [
                f"epsilon {self._epsilon:g} was not reached: no upper end but a theorem's"
            ]
        return Snapshot(
            lower=low,
            upper=high,
            upper_source=COUNTED if high is None else SAMPLED,
            lps=self.lps + more,
            confidence=self._confidence,
            estimate=self._estimate,
            note=f"{doing}   {_text(low, high)}",
            details=self._details | details,
        )

    def counting(self, problem: Problem) -> Iterator[Snapshot]:
        """Count exactly after all."""
        before = self.lps
        for now in RegionTree().run(problem):
            yield replace(
                now,
                lower=max(now.lower, self.found),
                lps=now.lps + before,
                details=now.details | self._details,
                guarantee=Guarantee.CERTIFIED,
            )

    def walking(self, strata: Strata) -> Iterator[Snapshot]:
        """Sample strata."""

        def now(under_way: int = 0) -> Snapshot:
            self._low = _ceiling(strata.low)
            self._high = None if math.isinf(strata.high) else to_integer(strata.high)
            if strata.walks and math.isfinite(strata.log_estimate):
                self._estimate = to_integer(strata.log_estimate)
            doing = f"{strata.walks + under_way:,} strata"
            left = {}
            if strata.reached > self._epsilon:
                batches = [batch.record for batch in strata.made]
                pilot = strata.pilot.to_record()
                left = {"of": identity(self._problem), "pilot": pilot, "batches": batches}
                left = {"left": left}
            return self.snapshot(
                doing,
                more=strata.tests,
                strata=strata.walks,
                sides_left_out_undecided=strata.undecided,
                **left,
            )

        try:
            for under_way in strata.run():
                yield now(under_way)
        except KeyboardInterrupt:
            yield now()
            raise

    def hashing(self, hashing: Hashing) -> Iterator[Snapshot]:
        """Count what XORs leave."""
        for _ in hashing.run():
            self._low, self._high = hashing.low or 0, hashing.high
            self._estimate = hashing.estimate
            left = {}
            if hashing.reached > self._epsilon:
                left = {"left": {"of": identity(self._problem), "stages": hashing.left}}
            yield self.snapshot(hashing.doing, more=hashing.tests, stages=hashing.stages, **left)


def identity(problem: Problem) -> list[Any]:
    """Return what a run that goes on must have in common with the one that was stopped."""
    network, inputs = problem.network, problem.inputs
    return [network.fingerprint, inputs.digest, problem.quantity.value, problem.seed]


def _ceiling(log_value: float) -> int:
    """Return the least integer that is no less, but for a relative 1e-9; 0 for -inf."""
    return 0 if log_value == -math.inf else to_integer(log_value - 1e-9) + 1


def _bits(log_value: float) -> float | None:
    return log_value / math.log(2.0) if math.isfinite(log_value) else None


def _ratio(high: int, low: int) -> float:
    return float(Fraction(high, low)) if high.bit_length() - low.bit_length() < 1000 else math.inf


def _text(low: int, high: int | None) -> str:
    return f"at least {human(low)}" + ("" if high is None else f", at most {human(high)}")
