"""Counts over unions: part by part, each pattern once, by any method that names its regions.

A pattern that has regions in several parts is counted where it is met first, so the lower bound
only grows. What ends a count, limits and Ctrl-C, is left to whoever reads the snapshots, as in
every method.
"""

from collections.abc import Callable, Iterator, MutableSequence, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from milpcount.bounds.best import best_upper
from milpcount.counters.affine_network import the_one_region
from milpcount.counters.method import Method, Problem, Snapshot
from milpcount.domain import Domain, InputSet, Union
from milpcount.errors import DomainError, OptionError
from milpcount.network import Network
from milpcount.quantities import Quantity
from milpcount.result import Guarantee, Region, patterns_of, taken

_MOST_BOUNDED = 100
"""Parts up to which the sum of their upper bounds is computed."""
OF_CELLS = frozenset({Quantity.LINEAR_REGIONS, Quantity.CLOSED_LINEAR_REGIONS})
"""Quantities of which there may be several for one activation region of a union."""


def hull(domain: Domain, n_inputs: int) -> InputSet:
    """Return the input set of a domain; of a union, a convex set that holds it.

    Raises
    ------
    DomainError
        If the domain does not fit.
    """
    return domain.hull(n_inputs) if isinstance(domain, Union) else domain.bind(n_inputs)


def upper_over(network: Network, domain: Domain, quantity: Quantity) -> tuple[int, str]:
    """Return an upper bound on a quantity over a domain, and where it comes from.

    Over a union it is the smaller of a theorem's bound over a convex set that holds the union,
    and the sum of its bounds over the parts. Linear regions and closed ones are joined across
    parts, but not where parts are apart: of them the former holds once for each part.

    Parameters
    ----------
    network : Network
    domain : Domain
    quantity : Quantity
    """
    upper, source = best_upper(network, hull(domain, network.n_inputs), quantity)
    if not isinstance(domain, Union):
        return upper, source
    if quantity in OF_CELLS:  # what is apart in the union may be one in the convex set
        upper *= len(domain.parts)
        source = f"{source}, for each of {len(domain.parts)} parts"
    if len(domain.parts) > _MOST_BOUNDED:
        return upper, source
    total = 0
    for part in domain.parts:
        total += best_upper(network, part.bind(network.n_inputs), quantity)[0]
        if total >= upper:
            return upper, source
    return total, f"the sum of bounds over {len(domain.parts)} parts"


def over(method: Method, domain: Domain, network: Network) -> Method:
    """Return the method that counts over a domain: for a union, part by part.

    Raises
    ------
    OptionError
        If the method cannot count over a union.
    """
    if not isinstance(domain, Union):
        return method
    if method.guarantee is Guarantee.PROBABILISTIC:
        raise OptionError(
            f"method {method.name!r} bounds the regions of one convex set, not of a "
            f"{domain.title}: take 'tree', 'exact', 'brute' or 'pool', or bound its parts one by "
            "one"
        )
    # A Method but for its class variables, which are the other method's.
    return cast("Method", PartByPart(method, domain, network))


@dataclass(frozen=True)
class PartByPart:
    """A method that asks another one about each part of a union."""

    method: Method
    domain: Union
    network: Network

    def __getattr__(self, name: str) -> Any:
        return getattr(self.method, name)

    def warm_up(self, problem: Problem) -> None:
        """Let the method prepare itself.

        Raises
        ------
        OptionError
            If it cannot keep regions.
        """
        first = self.domain.parts[0].bind(self.network.n_inputs)
        try:
            self.method.warm_up(replace(problem, inputs=first, keep_regions=True))
        except OptionError as error:
            if problem.keep_regions:
                raise
            raise OptionError(
                f"a {self.domain.title} is counted by keeping regions, and {error}"
            ) from None

    def run(self, problem: Problem) -> Iterator[Snapshot]:
        """Yield what has been shown about the union."""
        tally = self._tally(problem)
        for number, part in enumerate(self.domain.parts):
            inputs = part.bind(self.network.n_inputs)
            of_part = replace(self._for_part(problem), inputs=inputs, keep_regions=True)
            run = self.method.run(of_part) if self.network.n_units else the_one_region(of_part)
            with closing(cast("Any", run)):
                try:
                    for snapshot in run:
                        yield tally.with_part(number, snapshot)
                except DomainError as error:
                    raise DomainError(
                        f"part {number + 1} of the {self.domain.title}: {error}"
                    ) from None
            tally.end_part()
        if not problem.deadline.passed():
            for _ in tally.end():
                yield tally.snapshot()
        yield tally.snapshot()

    def _for_part(self, problem: Problem) -> Problem:
        return problem

    def _tally(self, problem: Problem) -> "PartTally":
        return PartTally(problem, self.domain.parts)


class PartTally:
    """The distinct patterns of the parts so far, and what else their snapshots add up to."""

    def __init__(self, problem: Problem, parts: Sequence[Domain]) -> None:
        self._problem, self._parts = problem, parts
        self._most = problem.limits.regions
        self._pack = packing(problem.network)
        self._seen: set[bytes] = set()
        self._keep = problem.keep_regions
        self._regions: MutableSequence[Region] | None = None
        self._ended: list[Snapshot] = []
        self._running: list[Snapshot] = []
        self._theorems: list[int] | None = None

    def with_part(self, number: int, now: Snapshot) -> Snapshot:
        """Return the snapshot of the union, from one of a part."""
        if now.regions is None:
            raise OptionError(
                "over a union every region must be named, which this method does not do: take "
                "'tree', 'exact', 'brute' or 'pool'"
            )
        self._running = [now]
        self._take(number, now.regions)
        return self.snapshot()

    def snapshot(self) -> Snapshot:
        """Return the snapshot of the union, as it stands."""
        every, parts = [*self._ended, *self._running], len(self._parts)
        now = every[-1]
        share = None if now.share is None else (len(every) - 1 + now.share) / parts
        found = now.note or f"{len(self._seen):,} regions"
        return Snapshot(
            lower=len(self._seen),
            upper=self._upper(),
            upper_source=now.upper_source,
            lps=sum(one.lps for one in every),
            share=share,
            uncertain=sum(one.uncertain for one in every),
            note=f"{found}   part {len(every)} of {parts}",
            details=now.details | {"parts": [one.lower for one in every]} | _decisions(every),
            regions=self._regions,
        )

    def end_part(self) -> None:
        """Keep the numbers of a part that is done."""
        self._ended += self._running
        self._running = []

    def end(self) -> Iterator[None]:
        """Do what takes all regions of all parts; yield now and then."""
        yield from ()

    def _take(self, number: int, regions: MutableSequence[Region]) -> None:
        new: dict[bytes, int] = {}
        for index, pattern in enumerate(patterns_of(regions)):
            if len(self._seen) + len(new) == self._most:
                break
            key = self._pack(pattern)
            if key not in self._seen:
                new.setdefault(key, index)
        if self._keep:
            more = taken(regions, new.values())
            if self._regions is None:
                self._regions = more
            else:
                self._regions.extend(more)
        self._seen.update(new)
        regions.clear()  # they are no longer needed, and large

    def _upper(self) -> int | None:
        """Return the sum of the parts' upper bounds, if some have one beside their counts.

        The part that is running has its own, and those to come have theorems.
        """
        if any(one.upper is None for one in self._running):
            return None
        if any(one.upper is None and one.uncertain for one in self._ended):
            return None
        if not self._running and all(one.upper is None for one in self._ended):
            return None
        to_come = self._to_come()
        known = (one.lower if one.upper is None else one.upper for one in self._ended)
        running = sum(one.upper for one in self._running if one.upper is not None)
        return None if to_come is None else sum(known) + running + to_come

    def _to_come(self) -> int | None:
        """Return the sum of theorems for the parts that have not begun."""
        rest = len(self._parts) - len(self._ended) - len(self._running)
        if rest == 0:
            return 0
        if len(self._parts) > _MOST_BOUNDED:
            return None
        if self._theorems is None:
            network, quantity = self._problem.network, self._problem.quantity
            parts = [part.bind(network.n_inputs) for part in self._parts]
            self._theorems = [best_upper(network, part, quantity)[0] for part in parts]
        return sum(self._theorems[-rest:])


def _decisions(every: list[Snapshot]) -> dict[str, Any]:
    if any("decisions" not in one.details for one in every):
        return {}
    names = every[-1].details["decisions"]
    return {
        "decisions": {
            name: sum(one.details["decisions"].get(name, 0) for one in every) for name in names
        }
    }


def packing(network: Network) -> Callable[[tuple[int, ...]], bytes]:
    """Return a function from patterns to bytes: a bit a unit if all have two pieces, else four."""
    if all(kind.n_pieces <= 2 for layer in network.layers for kind in layer.activations):
        return lambda pattern: np.packbits(np.array(pattern, dtype=bool)).tobytes()
    return lambda pattern: np.array(pattern, dtype=np.int32).tobytes()
