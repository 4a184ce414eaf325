"""Both ends by dense XORs: pilots choose how many, and stages of runs that count what they leave.

A stage is fixed before its first run: its XORs, its runs, and its share of the error. Only a stage
all of whose runs are complete says anything; where the number of XORs was chosen badly the next
stage chooses anew, by what is known then. Stage j takes ``3/4 (1/4)^j`` of the error, so that all
of them together take no more than there is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from math import ceil, exp2, log2, sqrt
from typing import Any

from milpcount.counters.mbound import xor_intervals as intervals
from milpcount.counters.mbound import xor_statistics as statistics
from milpcount.counters.mbound.xor_runs import Mechanism, Run, Tally, TreeMechanism, advance
from milpcount.counters.mbound.xor_schedule import perform_all
from milpcount.counters.method import Problem
from milpcount.formulation.xor import XorFamily, unstable_variables
from milpcount.limits import Deadline
from milpcount.quantities import Quantity

_PILOT = 2**20
"""Runs from here on are pilots, and count for nothing else."""
_PILOTS = 3
_STAGE_BITS = 40
"""Of the number of a run of a stage; the stage's own number stands before them."""
_RUNS = 2
"""Of a stage of one group. Few and large ones: to enumerate the first units, up to where XORs
begin to bite, costs the same in each."""
_TRIED = (32, 128)
"""Patterns that pilots are to leave, for how the cost of a run grows with them."""
_SURPLUS = 1.15
"""More patterns than are needed on average, for those stages that leave fewer."""
_MOST = 16
"""Times the patterns that are expected of a run, up to which it goes on."""


@dataclass
class Hashing:
    """Dense XORs on the region tree.

    Parameters
    ----------
    problem : Problem
    epsilon, error : Fraction
    guess : float, optional
        See there.
    known : list of dict
        What an earlier run with the same seed has left in `left`.
    family, mechanism : XorFamily and Mechanism, optional
        By default dense XORs of the units that are not stable, on the region tree.

    Attributes
    ----------
    guess : float
        Logarithm to base 2 of the number that the next stage is made for; by pilots, or by the
        last stage.
    low, high : int or None
        Both ends, where a stage has shown them.
    estimate : int or None
    stages : list of dict
        What was done, for the result.
    left : list of dict
        For a run that goes on: of each stage the guess, and the regions of its complete runs.
    tests : int
        Projections of pilots and complete stages.
    doing : str
    """

    problem: Problem
    epsilon: Fraction
    error: Fraction
    guess: float | None = None
    known: Sequence[dict[str, Any]] = ()
    family: XorFamily | None = None
    mechanism: Mechanism | None = None

    def __post_init__(self) -> None:
        problem = self.problem
        network, inputs = problem.network, problem.inputs
        if self.family is None:
            free = unstable_variables(network, inputs, "lp", problem.deadline.share(1, 4))
            self.family = XorFamily(free, "dense", problem.seed)
        patterns = problem.quantity is Quantity.ACTIVATION_PATTERNS
        self._family = self.family
        self._mechanism = self.mechanism or TreeMechanism(network, inputs, patterns)
        self.low: int | None = None
        self.high: int | None = None
        self.estimate: int | None = None
        self.stages: list[dict[str, object]] = []
        self.left: list[dict[str, Any]] = []
        self.tests = 0
        self.doing = "choosing the number of XORs"

    @property
    def reached(self) -> float:
        """The epsilon of the interval as it is; infinite without one."""
        if self.high is None or not self.low:
            return float("inf")
        return sqrt(Fraction(self.high, self.low)) - 1.0

    def pilots(self, most: float = float("inf")) -> Iterator[float | None]:
        """Find a guess, and what a stage costs; yield None, and at last its work.

        Of that a projection is a unit, and a region another one. It is infinite where a stage would
        count all regions, or pilots come to no end.

        Parameters
        ----------
        most : float
            Projections after which a pilot is given up.
        """
        deadline = self.problem.deadline
        if self.guess is None:
            ended, cut = list[int](), list[int]()
            for number in range(_PILOTS):
                run = Run(self._family, _PILOT + number)
                yield from self._pilot(run, deadline.share(1, 2 * _PILOTS), most)
                is_over = run.tally.ended and run.tally.solved <= most
                (ended if is_over else cut).append(run.tally.xors)
            # Of runs that were cut short it is too low: stages then find a better one.
            self.guess = log2(statistics.estimate(ended or cut) or 1)
            if not ended:
                yield float("inf")
                return
        costs = []
        for number, residue in enumerate(_TRIED):
            s = self._xors(residue)
            run = Run(self._family, _PILOT + _PILOTS + number, fixed=s, most=_MOST * residue)
            yield from self._pilot(run, deadline.share(1, 4), most)
            left = max(1, run.tally.regions)
            if not run.tally.ended or run.tally.solved > most:
                yield float("inf")
                return
            costs.append((left, run.tally.solved + left))
            self.guess = log2(left) + s
        yield self._cost(*costs)

    def _cost(self, first: tuple[int, int], last: tuple[int, int]) -> float:
        """Return the work of the first stage, as it grows from pilot to pilot."""
        grown = max(1.1, last[0] / first[0])
        power = min(1.0, max(0.0, log2(last[1] / first[1]) / log2(grown)))
        planned = self._plan(0)
        number = self._number(planned)
        each = _SURPLUS * planned.total / number
        if self._xors(each) == 0:
            return float("inf")
        return number * last[1] * exp2(power * log2(max(1.0, each / last[0])))

    @staticmethod
    def _number(planned: intervals.Plan) -> int:
        return max(_RUNS, planned.groups)

    def _pilot(self, run: Run, deadline: Deadline, most: float) -> Iterator[None]:
        for _ in advance(self._mechanism, run, deadline):
            yield
            if run.tally.solved > most:
                break
        self.tests += run.tally.solved

    @property
    def runs(self) -> int:
        """Runs of the first stage."""
        return self._number(self._plan(0))

    def _plan(self, stage: int) -> intervals.Plan:
        share = self.error * Fraction(3, 4) * Fraction(1, 4) ** stage
        return intervals.plan(self.epsilon, share)

    def _xors(self, residue: float) -> int:
        assert self.guess is not None
        return max(0, round(self.guess - log2(residue)))

    def run(self) -> Iterator[int]:
        """Make stages until the interval is as wanted; yield how many runs of one are done."""
        deadline = self.problem.deadline
        for stage in count():
            known = self.known[stage] if stage < len(self.known) else {}
            self.guess = known.get("guess", self.guess)
            planned = self._plan(stage)
            s = self._xors(_SURPLUS * planned.total / self._number(planned))
            assert self.guess is not None
            expected = 2.0 ** (self.guess - s)
            each = max(1, ceil(_SURPLUS * planned.needed / expected))
            number = each * planned.groups
            most = ceil(_MOST * max(1.0, expected))
            first = (stage + 1) << _STAGE_BITS
            runs = [Run(self._family, first + k, fixed=s, most=most) for k in range(number)]
            for k, regions in known.get("counted", {}).items():
                runs[int(k)].tally = Tally(s, regions, complete=True, ended=True)
            guess, before = self.guess, self.left

            def note(
                guess: float = guess,
                before: list[dict[str, Any]] = before,
                runs: list[Run] = runs,
            ) -> None:
                done = {str(k): r.tally.regions for k, r in enumerate(runs) if r.tally.complete}
                self.left = [*before, {"guess": guess, "counted": done}]

            note()
            for _ in perform_all(self._mechanism, runs, deadline, self.problem):
                note()
                done = sum(run.tally.ended for run in runs)
                self.doing = f"stage {stage + 1}: {done} of {number} runs with {s} XORs"
                yield done
            note()
            self._conclude(stage, planned, s, runs)
            yield number
            if deadline.passed() or self.reached <= float(self.epsilon):
                return

    def _conclude(self, stage: int, planned: intervals.Plan, s: int, runs: Sequence[Run]) -> None:
        self.tests += sum(run.tally.solved for run in runs)
        counted = [run.tally.regions for run in runs]
        complete = all(run.tally.complete for run in runs)
        self.stages.append(
            {
                "xors": s,
                "groups": planned.groups,
                "runs": len(runs),
                "complete": complete,
                "counted": counted,
                "error": float(self.error * Fraction(3, 4) * Fraction(1, 4) ** stage),
            }
        )
        if complete:
            low, high = intervals.ends(counted, s, planned)
            both = max(low, self.low or 0), high if self.high is None else min(high, self.high)
            # Where two stages exclude each other one is wrong: the last has the smaller error.
            self.low, self.high = both if both[0] <= both[1] else (low, high)
            self.estimate = ((2 * sum(counted) << s) + len(runs)) // (2 * len(runs))
        total = max(1, sum(counted))
        self.guess = log2(total) - log2(len(runs)) + s
