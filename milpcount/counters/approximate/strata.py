"""Sampled strata: cells that walks come to, counted exactly below, with theorems as their range.

A walk descends the region tree, takes each full-dimensional piece of a unit with the same
probability, and stops in a cell of the last layer whose subtree is small for certain: that is a
stratum, which is counted exactly. With p the probability of coming there and n its regions, X = n /
p has the number of regions as its mean. Of k pieces a walk goes on with at most k, and no subtree
has more regions than its units have combinations of pieces, so X is at most the product H of the
numbers of pieces of all units that do not have one piece on the whole domain. With both, X has a
two-sided confidence sequence (`two_sided_confidence_sequence`).

How walks end, and how many will be needed, is learned from pilots, which do not count. Where
floating point leaves a side out (`milpcount.kernel.random_descent`), X is only known to lie between
what was found and H.
"""

import base64
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np

from milpcount.counters.method import Problem
from milpcount.counters.probing.walk_batches import make, subject_of
from milpcount.counters.two_sided_confidence_sequence import TwoSided, relative_width
from milpcount.limits import Deadline
from milpcount.types import Array

_WAYS = ((64, 1), (512, 1), (64, 8))
"""How a walk may end: subtrees of at most so many regions are counted, below the mean of so many
descents of the last layer."""
_TRIALS, _PILOTS = 48, 144
"""Walks of each way, and further ones of the way that is taken."""
_STREAM, _PILOT_STREAM = 0x535441, 0x50494C
"""Keep these random numbers apart from those of other methods with the same seed."""
_LEAST_ROUND, _LARGEST_ROUND = 64, 8192
_ROUNDS = 6
"""That the walks which should be needed are made in; between them the bets are learned anew."""
_BATCHES = 8
_BATCH_UNITS = 400
"""Units to be decided in a batch at least, so that setting it up is a small part of the work."""
_LARGEST = 600.0
"""Logarithm of the ratio of two floats that is sure to be one."""


@dataclass(frozen=True)
class Known:
    """A batch of walks that an earlier run has made; see `milpcount.tree.descent_tasks.Walked`."""

    log_size: Array
    tests: int
    undecided: int

    @cached_property
    def record(self) -> list[Any]:
        """JSON types."""
        sizes = self.log_size.astype("<f8").tobytes()
        return [base64.b64encode(sizes).decode(), self.tests, self.undecided]

    @classmethod
    def from_record(cls, record: list[Any]) -> "Known":
        """Return what has this `record`."""
        sizes, tests, undecided = record
        return cls(np.frombuffer(base64.b64decode(sizes), "<f8"), tests, undecided)


@dataclass(frozen=True)
class Pilot:
    """What walks that do not count have shown.

    Attributes
    ----------
    way : (int, int)
        How the walks are to end.
    log_mean : float
        Logarithm of the mean of X; -inf if nothing is known.
    square : float
        Mean of X^2 over the squared mean.
    log_highest : float
        Logarithm of H.
    work : float
        Of a walk: projections, and one for the walk itself.
    spent : int
        Projections of all pilots.
    walks : int
    undecided : int
        Sides that floating point left out.
    """

    way: tuple[int, int]
    log_mean: float
    square: float
    log_highest: float
    work: float
    spent: int
    walks: int
    undecided: int

    @property
    def log_ratio(self) -> float:
        """Logarithm of H over the mean of X."""
        return self.log_highest - self.log_mean

    def to_record(self) -> dict[str, Any]:
        """Return JSON types; infinities are None."""
        return {
            **asdict(self),
            "log_mean": self.log_mean if math.isfinite(self.log_mean) else None,
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Pilot":
        """Return what `to_record` wrote."""
        log_mean = -math.inf if record["log_mean"] is None else record["log_mean"]
        below, descents = record["way"]
        return cls(**record | {"way": (below, descents), "log_mean": log_mean})

    def needed(self, epsilon: float, error: float) -> float:
        """Return about how many walks the interval takes.

        Of a bet with the best rate the logarithm of the wealth grows by half of the squared
        relative width over the relative variance, and where H is large, since no more may be bet,
        by the width over H.
        """
        if self.undecided or self.log_mean == -math.inf or self.log_ratio > _LARGEST:
            return math.inf
        goal, width = math.log(2.0 / error) + 0.6, relative_width(epsilon)
        spread = max(self.square - 1.0, 1e-4)
        return goal * (2.0 * spread / width**2 + math.expm1(self.log_ratio) / width + 1.0 / width)


def log_highest(search: Any) -> float:
    """Return the logarithm of H; the search's program has no other units."""
    from milpcount.kernel.columns import UNIT_PIECES

    return float(np.log(search.program.units[:, UNIT_PIECES]).sum())


def pilots(problem: Problem, epsilon: float, error: float, deadline: Deadline) -> Pilot:
    """Make walks that do not count, and say how those that do are best made."""
    from milpcount.tree.search import Search

    search = Search(problem.network, problem.inputs)
    top = log_highest(search)
    tried, spent = list[Pilot](), 0
    for number, way in enumerate(_WAYS):
        found = _pilot(problem, search, way, _TRIALS, number, deadline, top)
        spent += found.spent
        tried.append(found)
        if deadline.passed():
            break

    def cost(one: Pilot) -> float:
        needed = one.needed(epsilon, error)
        return one.work * (max(one.square - 1.0, 1e-4) if math.isinf(needed) else needed)

    best = min((one for one in tried if one.walks), key=cost, default=tried[0])
    last = _pilot(problem, search, best.way, _PILOTS, len(_WAYS), deadline, top)
    last = last if last.walks > best.walks else best
    undecided = sum(one.undecided for one in (*tried, last))
    return Pilot(
        last.way, last.log_mean, last.square, top, last.work,
        spent + last.spent, last.walks, undecided,
    )  # fmt: skip


def _pilot(
    problem: Problem,
    search: Any,
    way: tuple[int, int],
    walks: int,
    number: int,
    deadline: Deadline,
    top: float,
) -> Pilot:
    from milpcount.tree.descent_tasks import walking

    seed = np.random.SeedSequence(problem.seed, spawn_key=(_PILOT_STREAM, number))
    batch = _batch(problem, way, walks, int(seed.generate_state(1, np.uint64)[0]))
    *_, made = walking(search, batch, deadline)
    sizes = made.log_size
    known = sizes[np.isfinite(sizes)]
    if not known.size:
        return Pilot(way, -math.inf, 1.0, top, 1.0, made.tests, 0, made.undecided)
    scaled = np.exp(sizes - known.max())
    mean = float(scaled.mean())
    return Pilot(
        way,
        float(known.max()) + math.log(mean),
        float((scaled * scaled).mean()) / mean**2,
        top,
        1.0 + made.tests / len(sizes),
        made.tests,
        len(sizes),
        made.undecided,
    )


def _batch(problem: Problem, way: tuple[int, int], walks: int, seed: int) -> Any:
    from milpcount.kernel.descent_state import Batch

    network = problem.network
    most = max(kind.n_pieces for layer in network.layers for kind in layer.activations)
    alike = np.zeros((network.n_units, most))
    return Batch(alike, np.zeros((len(network.layers), 2)), walks, seed, *way)


class Strata:
    """The walks that count.

    Parameters
    ----------
    problem : Problem
    pilot : Pilot
    epsilon, error : float
    known : sequence of Known
        The first batches, where they are known from an earlier run with the same seed and pilot.

    Attributes
    ----------
    made : list of Known
        The batches that are complete.
    low, high : float
        Logarithms of both ends, -inf and inf where nothing is shown.
    log_estimate : float
        Logarithm of the mean, nan without a walk.
    walks, tests, undecided : int
    is_cut : bool
        Whether the time was over.
    """

    def __init__(
        self,
        problem: Problem,
        pilot: Pilot,
        epsilon: float,
        error: float,
        known: Sequence[Known] = (),
    ) -> None:
        self._known, self.made = list(known), list[Known]()
        self._problem, self.pilot, self._epsilon = problem, pilot, epsilon
        self._scale = pilot.log_mean if math.isfinite(pilot.log_mean) else 0.0
        ratio = pilot.log_highest - self._scale
        highest = math.exp(ratio) * (1.0 + 1e-9) if ratio < _LARGEST else math.inf
        self._sequence = TwoSided(error, highest, relative_width(epsilon), 1.0, pilot.square)
        needed = pilot.needed(epsilon, error)
        size = _LARGEST_ROUND if math.isinf(needed) else math.ceil(needed / _ROUNDS)
        self._size = min(max(size, _LEAST_ROUND), _LARGEST_ROUND)
        self.low, self.high = -math.inf, math.inf
        self.log_estimate = math.nan
        self.walks = self.tests = self.undecided = 0
        self.is_cut = False

    @property
    def reached(self) -> float:
        """The epsilon of the interval as it is."""
        return math.expm1(min(0.5 * (self.high - self.low), _LARGEST))

    def run(self) -> Iterator[int]:
        """Walk until the interval is as wanted; yield the number of walks under way."""
        problem = self._problem
        subject = subject_of(problem.network, problem.inputs, problem)
        for number in count():
            batches = self._batches(number)
            while batches and self._known:
                self._take(self._known.pop(0), batches.pop(0).walks)
            try:
                for current in make(problem, [(subject, batch) for batch in batches], self._take):
                    yield 0 if current is None else len(current.log_size)
            except KeyboardInterrupt:
                self._conclude()
                raise
            self._conclude()
            yield 0
            if self.is_cut or self.reached <= self._epsilon:
                return

    def _batches(self, number: int) -> list[Any]:
        """Return the batches of a round, which depend on nothing but its number and the pilots."""
        units = self._problem.network.n_units
        # Where little is known of what is needed, rounds grow.
        walks = min(self._size, _LEAST_ROUND << min(number, 20)) if self._unsure else self._size
        size = max(1, _BATCH_UNITS // units, -(-walks // _BATCHES))
        seeds = np.random.SeedSequence(self._problem.seed, spawn_key=(_STREAM, number))
        numbers = seeds.generate_state(-(-walks // size), np.uint64)
        return [
            _batch(self._problem, self.pilot.way, min(size, walks - i * size), int(seed))
            for i, seed in enumerate(numbers)
        ]

    @property
    def _unsure(self) -> bool:
        return self._size == _LARGEST_ROUND

    def _take(self, walked: Any, wanted: int) -> bool:
        """Take the walks of a batch; one that is cut short is the last."""
        if walked is None:
            self.is_cut = True
            return False
        ratios = np.exp(np.minimum(walked.log_size - self._scale, _LARGEST))
        high = np.full(len(ratios), self._sequence.highest) if walked.undecided else ratios
        self._sequence.add(ratios, high)
        self.walks += len(ratios)
        self.tests += walked.tests
        self.undecided += walked.undecided
        self.is_cut = len(ratios) < wanted
        if not self.is_cut:
            self.made.append(Known(walked.log_size, int(walked.tests), int(walked.undecided)))
        return not self.is_cut

    def _conclude(self) -> None:
        """Look at the interval; only here, so that what is printed does not depend on the clock."""
        if not self._sequence.count:
            return
        low, high = (_log(end) + self._scale for end in self._sequence.ends())
        if high >= self.pilot.log_highest:
            high = math.inf
        both = max(low, self.low), min(high, self.high)
        # Where two intervals exclude each other one is wrong: the last has seen more.
        self.low, self.high = both if both[0] <= both[1] else (low, high)
        self.log_estimate = _log(self._sequence.sample_mean) + self._scale


def _log(value: float) -> float:
    return math.log(value) if value > 0.0 else -math.inf
