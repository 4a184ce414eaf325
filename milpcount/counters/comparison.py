"""Several methods on one question: they agree, or it is an error."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from milpcount import arguments
from milpcount.bounds.best import naive
from milpcount.counters import driver
from milpcount.counters.method import COUNTED, Candidate, Method
from milpcount.counters.union import upper_over
from milpcount.domain import Domain
from milpcount.errors import (
    ContradictionError,
    InputError,
    Interrupted,
    NotInstalledError,
    OptionError,
)
from milpcount.events import Listener, log
from milpcount.integers import human
from milpcount.limits import Limits
from milpcount.methods import METHODS, load
from milpcount.network import Network
from milpcount.quantities import Quantity
from milpcount.result import CountResult, Guarantee, patterns_of
from milpcount.types import Pattern

_MOST_NUMBERS = 20_000_000
"""Floats in kept regions; above, counts are compared and patterns are not."""


def every_candidate() -> tuple[Candidate, ...]:
    """Return how the methods take part in comparisons, those first that reach the furthest.

    The first answers say what the later ones would cost.
    """
    found = [candidate for name in METHODS for candidate in load(name).candidates()]
    return tuple(sorted(found, key=lambda one: (one.if_open, -min(one.most, one.most_patterns))))


@dataclass(frozen=True)
class Answer:
    """What one method said.

    Attributes
    ----------
    title : str
    result : CountResult or None
        None if it was not asked.
    reason : str
        Why it was not asked.
    """

    title: str
    result: CountResult | None
    reason: str = ""

    @property
    def patterns(self) -> set[Pattern] | None:
        """The patterns found, None where they were not kept."""
        if self.result is None or self.result.regions is None:
            return None
        return set(patterns_of(self.result.regions))


@dataclass(frozen=True)
class Comparison:
    """What the methods agree on.

    Attributes
    ----------
    quantity : Quantity
    outcomes : tuple of Answer
        Of every method, asked or not.
    """

    quantity: Quantity
    outcomes: tuple[Answer, ...]

    @property
    def results(self) -> tuple[CountResult, ...]:
        """The results of the methods that were asked."""
        return tuple(one.result for one in self.outcomes if one.result is not None)

    @property
    def lower(self) -> int:
        """The best lower bound that does not rest on chance."""
        return max((result.lower for result in self._certain), default=0)

    @property
    def upper(self) -> int:
        """The best upper bound that does not rest on chance."""
        found = self._certain or self.results
        return min(result.upper for result in found)

    @property
    def _certain(self) -> tuple[CountResult, ...]:
        return tuple(result for result in self.results if not _is_by_chance(result))

    @property
    def is_complete(self) -> bool:
        """Whether every method that was asked ran to its end."""
        return all(result.status.is_complete for result in self.results)

    def rows(self) -> list[list[str]]:
        """Return one row per method: title, count, seconds, what it says."""
        return [_row(one) for one in self.outcomes]

    def to_record(self) -> dict[str, Any]:
        """Return JSON types."""
        return {
            "quantity": self.quantity.value,
            "lower": str(self.lower),
            "upper": str(self.upper),
            "methods": [
                {"method": one.title, "reason": one.reason}
                if one.result is None
                else {"method": one.title, **one.result.to_record()}
                for one in self.outcomes
            ],
        }

    def __str__(self) -> str:
        return "\n".join("   ".join(row) for row in self.rows())


def _row(one: Answer) -> list[str]:
    if one.result is None:
        return [one.title, "-", "-", f"not asked: {one.reason}"]
    found = one.result
    number = f"{found.lower:,}" if found.is_exact else f"{found.lower:,} ≤ count"
    if not found.is_exact and found.upper_source.startswith(COUNTED):
        number += f" ≤ {found.upper:,}"
    if _is_by_chance(found) and found.confidence is not None:
        number += f" ({100 * found.confidence:g} %)"
    return [one.title, number, f"{found.seconds:.2f} s", found.status.value]


def _is_by_chance(result: CountResult) -> bool:
    return result.guarantee is Guarantee.PROBABILISTIC


def compare(
    network: Network,
    domain: Domain,
    *,
    quantity: Quantity | str = Quantity.ACTIVATION_REGIONS,
    seconds: float = 60.0,
    candidates: tuple[Candidate, ...] | None = None,
    listener: Listener = log,
) -> Comparison:
    """Ask every method that can afford it, and compare the answers, pattern by pattern.

    Parameters
    ----------
    network : Network
    domain : Domain
    quantity : Quantity or str
    seconds : float
        Limit for each method; what it has shown by then is compared too.
    candidates : tuple of Candidate, optional
        Methods, fastest first; all of them by default.
    listener : callable
        Receives the events of every run.

    Returns
    -------
    Comparison

    Raises
    ------
    ContradictionError
        If two methods contradict each other; it names them, and a pattern that only one found.
    Interrupted
        On Ctrl-C; its ``comparison`` holds what was shown by then.
    InputError
        If what was given is of the wrong type, or no method can be asked.
    """
    run = _Run(
        arguments.network(network),
        arguments.domain(domain),
        arguments.quantity(quantity),
        Limits(seconds=seconds),
        arguments.listener(listener),
    )
    asked = every_candidate() if candidates is None else candidates
    for candidate in asked:
        if not isinstance(candidate, Candidate):
            raise OptionError(
                f"candidate {candidate!r}: give a milpcount.counters.method.Candidate, e.g. "
                "Candidate('tree', mc.RegionTree)"
            )
    outcomes: list[Answer] = []
    stopped: Interrupted | None = None
    for candidate in asked:
        if stopped is not None:
            outcomes.append(Answer(candidate.title, None, "interrupted"))
            continue
        try:
            outcome = run.ask(candidate)
        except Interrupted as stop:
            stopped, outcome = stop, Answer(candidate.title, stop.result)
        for other in outcomes:
            contradiction(other, outcome, network)
        outcomes.append(outcome)
    if stopped is not None:
        stopped.comparison = Comparison(run.quantity, tuple(map(_without_regions, outcomes)))
        raise stopped
    if all(one.result is None for one in outcomes):
        reasons = "; ".join(f"{one.title}: {one.reason}" for one in outcomes)
        raise OptionError(f"no method can count {run.quantity.value} here: {reasons}")
    return Comparison(run.quantity, tuple(map(_without_regions, outcomes)))


@dataclass
class _Run:
    network: Network
    domain: Domain
    quantity: Quantity
    limits: Limits
    listener: Listener
    asked: bool = False
    found: bool = False

    def __post_init__(self) -> None:
        self.bound = upper_over(self.network, self.domain, self.quantity)[0]

    def ask(self, candidate: Candidate) -> Answer:
        """Return what a method says, or why it is not asked."""
        method = candidate.make()
        reason = self._reason(candidate, method)
        if reason:
            return Answer(candidate.title, None, reason)
        try:
            result = self._count(method, names=candidate.names)
        except (InputError, NotInstalledError) as error:
            return Answer(candidate.title, None, str(error))
        self.asked, self.found = True, self.found or result.is_exact
        if not _is_by_chance(result):
            self.bound = min(self.bound, result.upper)
        return Answer(candidate.title, result)

    def _reason(self, candidate: Candidate, method: Method) -> str:
        if self.quantity not in method.quantities:
            return f"does not count {self.quantity.value}"
        if candidate.if_open and self.found:
            return "the count is known"
        # One has to be first, and the limit on its time is enough.
        if self.asked and self.bound > candidate.most:
            return f"up to {human(self.bound)} regions, takes {candidate.most:,} at most"
        if naive(self.network) > candidate.most_patterns:
            return f"more than {candidate.most_patterns:,} patterns to try"
        return ""

    def _count(self, method: Method, *, names: bool) -> CountResult:
        """Count, and keep the patterns if that is affordable, which the first count may tell."""
        if not names:
            return self._once(method, keep=False)
        if not self._can_keep():
            result = self._once(method, keep=False)
            self.bound = min(self.bound, result.upper)
            if not self._can_keep():
                return result
        return self._once(method, keep=True)

    def _can_keep(self) -> bool:
        return self.bound * (self.network.n_inputs + self.network.n_units) <= _MOST_NUMBERS

    def _once(self, method: Method, *, keep: bool) -> CountResult:
        return driver.count(
            self.network,
            self.domain,
            method,
            quantity=self.quantity,
            limits=self.limits,
            keep_regions=keep,
            listener=self.listener,
        )


def contradiction(one: Answer, other: Answer, network: Network) -> None:
    """Raise an error if two outcomes cannot both be right.

    Raises
    ------
    ContradictionError
        Naming both methods, and a pattern that only one of them found where patterns were kept.
    """
    for first, second in ((one, other), (other, one)):
        a, b = first.result, second.result
        if a is None or b is None or _is_by_chance(a) or _is_by_chance(b):
            return  # what rests on chance may be wrong without anything being so
        missing = _missing(first, second)
        if a.lower > b.upper or missing is not None:
            named = "" if missing is None else f"; only {first.title} found {missing}"
            raise ContradictionError(
                f"{first.title} and {second.title} contradict each other on {network.title}: "
                f"at least {a.lower} against at most {b.upper} {a.quantity.title}{named}"
            )


def _missing(first: Answer, second: Answer) -> str | None:
    """Return a pattern of the first that the second, if complete, did not find."""
    found, known = first.patterns, second.patterns
    if found is None or known is None or second.result is None or not second.result.is_exact:
        return None
    return next(iter(_texts(found - known)), None)


def _texts(patterns: set[Pattern]) -> Iterator[str]:
    for pattern in sorted(patterns):
        yield "the pattern " + "".join(map(str, pattern))


def _without_regions(one: Answer) -> Answer:
    return one if one.result is None else replace(one, result=replace(one.result, regions=None))
