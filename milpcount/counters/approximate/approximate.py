"""Both ends of a count with a confidence, as close as they are asked for."""

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, ClassVar

from milpcount import caps
from milpcount.counters.affine_network import the_one_region
from milpcount.counters.approximate.hashing import Hashing
from milpcount.counters.approximate.snapshots import Shown, identity
from milpcount.counters.approximate.strata import Known, Pilot, Strata, pilots
from milpcount.counters.method import Candidate, Problem, Snapshot
from milpcount.counters.options import Options, choice, integer, number
from milpcount.counters.region_tree import prepare_search
from milpcount.counters.warming import prepare
from milpcount.errors import OptionError
from milpcount.quantities import Quantity
from milpcount.result import CountResult, Guarantee

STRATEGIES = ("auto", "strata", "hashing")
_SLICE_SECONDS = 0.1
_FEW_INPUTS = 20
"""Times as many regions are counted first where cells carry their vertices."""
_VERTEX_WORK = 0.1
"""Of a region there, in projections."""
_PATIENCE = 2.0
"""An exact count that would take so many times the time that is left is not begun."""
_LEAST_PILOT, _PILOT_SHARE = 10_000, 4
"""Projections that a pilot of hashing may take: so many, or of what a run of it may cost before
something else is cheaper, one in so many."""
_SHARE = 6
"""The part of the time that pilots may take, one in so many."""


@dataclass(frozen=True)
class Approximate(Options):
    """Both ends of a count, with ``upper / lower <= (1 + epsilon)^2`` and a confidence.

    Networks with few regions are counted. Of others pilots, which count for nothing else, say what
    is cheapest: a count after all; *strata*, that is cells that random descents come to, each
    counted exactly, with a theorem as the range of what comes of one and a confidence sequence by
    betting (`milpcount.counters.approximate.strata`); or *hashing*, that is counts of what dense
    random XORs leave, with Chebyshev's inequality or medians
    (`milpcount.counters.approximate.hashing`). The choice goes by numbers of projections, not by
    the clock, but that no exact count is begun for which there is no time: without limits the same
    seed gives the same result, on any number of workers.

    A run that is stopped says what it has reached. Strata show both ends at any time, hashing only
    after a complete stage; the upper end is a theorem's where that is lower.

    Parameters
    ----------
    epsilon : float
        Above 0: 0.2 means that the upper end is at most 1.44 times the lower.
    delta : float
        In (0, 1): the probability that the count is outside, either way, at most.
    strategy : {"auto", "strata", "hashing"}
        How networks are done that have more regions than are counted first. Strata are of
        activation regions only.
    count_first : int
        Regions that are counted before anything is left to chance; twenty times as many with few
        inputs, where that is as fast.
    left : dict, optional
        What a run that was stopped has left: ``details["left"]`` of its result, with the same
        network, domain, quantity and seed. See `after`.

    Raises
    ------
    OptionError
        If an option is outside its range.

    Examples
    --------
    >>> import milpcount as mc
    >>> net = mc.Network.from_arrays([[[1.0], [-1.0]]], [[0.0, 0.5]], output=False)
    >>> result = mc.count(net, mc.Box(-1, 1), mc.Approximate(0.2, 0.05))
    >>> result.lower, result.upper, result.is_exact
    (3, 3, True)
    """

    epsilon: float = number(
        0.2, "upper / lower <= (1 + E)^2.", "a number above 0, e.g. 0.2 for ends that are 1.2^2 "
        "apart", unit="E", above=0.0, below=1e6,
    )  # fmt: skip
    delta: float = number(
        0.05, "Confidence 1 - D.", "a number between 0 and 1, e.g. 0.05 for a confidence of 0.95",
        unit="D", above=0.0, below=1.0,
    )  # fmt: skip
    strategy: str = choice("auto", "How large counts are done.", STRATEGIES)
    count_first: int = integer(
        5000, "Regions that are counted before anything is left to chance.", caps.REGIONS
    )
    left: dict[str, Any] | None = field(default=None, repr=False, compare=False)

    name: ClassVar[str] = "approx"
    quantities: ClassVar[frozenset[Quantity]] = frozenset(
        {Quantity.ACTIVATION_REGIONS, Quantity.ACTIVATION_PATTERNS}
    )
    guarantee: ClassVar[Guarantee] = Guarantee.PROBABILISTIC
    packages: ClassVar[tuple[str, ...]] = ("numba",)
    in_parts: ClassVar[bool] = True
    kernels: ClassVar[tuple[str, ...]] = ("vertices_mbound", "mbound", "tree", "probe")
    theorem: ClassVar[str] = (
        "betting (Waudby-Smith and Ramdas 2024) or pairwise independent XORs (Chebyshev)"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.epsilon < _LEAST_EPSILON or self.delta < _LEAST_DELTA:
            raise OptionError(
                f"epsilon {self.epsilon!r}, delta {self.delta!r}: give at least "
                f"{_LEAST_EPSILON:g} and {_LEAST_DELTA:g}; certainty is what the methods tree and "
                "exact are for"
            )

    @classmethod
    def candidates(cls) -> tuple[Candidate, ...]:
        """Return how it takes part in comparisons."""
        return (Candidate(cls.name, cls, names=False, if_open=True),)

    def after(self, result: CountResult) -> "Approximate":
        """Return the method that goes on where a result of it was stopped.

        Parameters
        ----------
        result : CountResult
            Of this method, for the same network, domain and quantity; `mc.count` has to be given
            its seed, too.

        Raises
        ------
        OptionError
            If it is a result of another method, or of other options.
        """
        mine = {"name": self.name, **self.options()}
        if result.method != mine:
            raise OptionError(f"a result of {result.method} cannot be gone on with by {mine}")
        left = result.details.get("left")
        return self if left is None else replace(self, left=left)

    @property
    def confidence(self) -> float:
        """Of both ends together."""
        return float(1 - Fraction(repr(float(self.delta))))

    def warm_up(self, problem: Problem) -> None:
        """Compile what may be needed, or load it, here and in the workers."""
        prepare_search(problem, "vertices_mbound", "mbound")
        for kernel in ("tree", "probe"):
            prepare(problem, kernel)

    def run(self, problem: Problem) -> Iterator[Snapshot]:
        """Yield snapshots several times a second."""
        if not problem.network.n_units:
            yield from the_one_region(problem)
            return
        if problem.quantity is Quantity.ACTIVATION_PATTERNS and self.strategy == "strata":
            raise OptionError("strategy 'strata' is for activation regions: take 'auto'")
        shown = Shown(self.epsilon, self.confidence, problem)
        yield shown.snapshot("counting")
        first = yield from self._count_first(problem, shown)
        if first is not None:
            yield from self._sample(problem, shown, first)

    def _sample(self, problem: Problem, shown: Shown, first: float) -> Iterator[Snapshot]:
        if self.left is not None:
            yield from self._go_on_after(problem, shown, self._checked(problem))
            return
        pilot: Pilot | None = None
        if problem.quantity is Quantity.ACTIVATION_REGIONS and self.strategy != "hashing":
            deadline = problem.deadline.share(1, _SHARE)
            pilot = pilots(problem, self.epsilon, self.delta, deadline)
            shown.spend(pilot.spent)
            yield shown.snapshot("choosing how to go on")
        yield from self._go_on(problem, shown, pilot, first)

    def _checked(self, problem: Problem) -> dict[str, Any]:
        assert self.left is not None
        if self.left.get("of") != identity(problem):
            raise OptionError(
                "this goes on after a count of another network, domain, quantity or seed: give the "
                "same, or begin anew without after()"
            )
        return self.left

    def _go_on_after(
        self, problem: Problem, shown: Shown, left: dict[str, Any]
    ) -> Iterator[Snapshot]:
        """Go on with strata or stages that were stopped."""
        if "batches" in left:
            pilot = Pilot.from_record(left["pilot"])
            shown.chosen("strata", {}, pilot)
            known = [Known.from_record(batch) for batch in left["batches"]]
            yield from shown.walking(Strata(problem, pilot, self.epsilon, self.delta, known))
        else:
            shown.chosen("hashing", {}, None)
            yield from shown.hashing(self._hashing(problem, None, left["stages"]))

    def _count_first(
        self, problem: Problem, shown: Shown
    ) -> Generator[Snapshot, None, float | None]:
        """Count up to `count_first` regions; return the work of one, None if that was all.

        Work is measured in projections; what else a region takes counts as another one.
        """
        from milpcount.tree.few_inputs import VertexSearch, searching

        patterns = problem.quantity is Quantity.ACTIVATION_PATTERNS
        search = searching(problem.network, problem.inputs, patterns=patterns)
        few = isinstance(search, VertexSearch)
        most = self.count_first * (_FEW_INPUTS if few else 1)
        for _ in search.run(most=most, seconds=_SLICE_SECONDS):
            shown.found, shown.lps = search.found, search.tests
            yield shown.snapshot("counting")
            if problem.deadline.passed():
                yield shown.snapshot("counting")  # for the driver to see so
                return None
        shown.found, shown.lps = search.found, search.tests
        if search.found < most:
            yield shown.exact()
            return None
        yield shown.snapshot("counting")
        return _VERTEX_WORK if few else 1.0 + search.tests / search.found

    def _go_on(
        self, problem: Problem, shown: Shown, pilot: Pilot | None, first: float
    ) -> Iterator[Snapshot]:
        """Go on in the way that seems cheapest."""
        work = {"hashing": math.inf}
        hashing: Hashing | None = None
        if pilot is not None:
            work["strata"] = pilot.work * pilot.needed(self.epsilon, self.delta)
            work["exact"] = first * math.exp(min(pilot.log_mean, 700.0))
        if pilot is None or self.strategy == "auto":
            hashing = self._hashing(problem, pilot)
            least = min(work.values())
            limit = max(_LEAST_PILOT, least / (_PILOT_SHARE * hashing.runs))
            for cost in hashing.pilots(limit if self.strategy == "auto" else math.inf):
                if cost is not None:
                    work["hashing"] = cost
                yield shown.snapshot("choosing how to go on", more=hashing.tests)
            shown.spend(hashing.tests)
            hashing.tests = 0
            if hashing.guess is not None and "exact" not in work:
                work["exact"] = first * 2.0 ** min(hashing.guess, 1000.0)
        chosen = self._chosen(problem, work, shown)
        shown.chosen(chosen, work, pilot)
        if chosen == "exact":
            yield from shown.counting(problem)
        elif chosen == "strata":
            assert pilot is not None
            yield from shown.walking(Strata(problem, pilot, self.epsilon, self.delta))
        else:
            assert hashing is not None
            yield from shown.hashing(hashing)

    def _hashing(
        self, problem: Problem, pilot: Pilot | None, known: Sequence[dict[str, Any]] = ()
    ) -> Hashing:
        error = Fraction(repr(float(self.delta)))
        epsilon = Fraction(repr(float(self.epsilon)))
        hashing = Hashing(problem, epsilon, error, known=known)
        if pilot is not None and pilot.walks and pilot.square < pilot.walks / 4:
            hashing.guess = pilot.log_mean / math.log(2.0)
        return hashing

    def _chosen(self, problem: Problem, work: dict[str, float], shown: Shown) -> str:
        if self.strategy != "auto":
            return self.strategy
        best = min(work, key=lambda way: work[way])
        if math.isinf(work[best]):
            return "exact"
        seconds = problem.deadline.remaining()
        if best == "exact" and "strata" in work and not math.isinf(seconds):
            # Of an exact count that is cut short nothing is left but what was found.
            expected = work["exact"] * shown.seconds_of_work / shown.workers(problem)
            if expected > _PATIENCE * seconds:
                return "strata"
        return best


_LEAST_EPSILON, _LEAST_DELTA = 1e-3, 1e-12
