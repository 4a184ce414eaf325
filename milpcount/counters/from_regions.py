"""Counts that need all activation regions: linear regions, affine pieces, live regions.

A method finds the activation regions and keeps them; here they are told apart by their affine maps
as they come, and joined when all are there.
"""

from collections.abc import Iterator, MutableSequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, cast

import numpy as np

from milpcount.counters.method import Method, Problem, Snapshot
from milpcount.domain import Domain, Union
from milpcount.errors import OptionError
from milpcount.limits import OutOfTime
from milpcount.network import Network
from milpcount.partitions.counting import RegionClasses, check_continuous
from milpcount.result import FROM_REGIONS, Quantity, Region, patterns_of, taken

_BATCH = 4096
"""Patterns that are looked at together."""


def over(method: Method, domain: Domain, network: Network, quantity: Quantity) -> Method:
    """Return the method that counts a quantity, from the regions that another finds if need be.

    Raises
    ------
    OptionError
        If the quantity is not defined for the network or the domain.
    """
    if quantity not in FROM_REGIONS:
        return method
    if quantity is Quantity.LIVE_REGIONS:
        _check_chain(network)
    else:
        check_continuous(network)
        whole = isinstance(domain, Union) and len(domain.parts) > 1
        if whole and quantity is not Quantity.AFFINE_PIECES:
            raise OptionError(
                f"{quantity.title} are joined within one convex set, not over a {domain.title}: "
                "count them in its parts one by one, or count affine_pieces or activation_regions"
            )
    if not network.n_units:
        return method
    # A Method but for its class variables, which are the other method's.
    return cast("Method", FromRegions(method))


@dataclass(frozen=True)
class FromRegions:
    """A method that asks another one for all activation regions."""

    method: Method

    def __getattr__(self, name: str) -> Any:
        return getattr(self.method, name)

    def warm_up(self, problem: Problem) -> None:
        """Let the method prepare itself.

        Raises
        ------
        OptionError
            If it cannot keep regions.
        """
        try:
            self.method.warm_up(_for_regions(problem))
        except OptionError as error:
            raise OptionError(
                f"{problem.quantity.title} are counted by keeping regions: {error}"
            ) from None

    def run(self, problem: Problem) -> Iterator[Snapshot]:
        """Yield what has been shown about the quantity."""
        kind = _Live if problem.quantity is Quantity.LIVE_REGIONS else _Joined
        tally = kind(problem)
        now = Snapshot()
        shown = tally.snapshot(now)
        try:
            with closing(cast("Any", self.method.run(_for_regions(problem)))) as run:
                for now in run:
                    tally.take(now.regions)
                    shown = tally.snapshot(now)
                    yield shown
            if problem.deadline.passed() or now.uncertain or now.upper is not None:
                return
            for _ in tally.end():
                shown = tally.snapshot(now)
                yield shown
            yield tally.snapshot(now)
        except OutOfTime:
            yield tally.snapshot(now)
        except KeyboardInterrupt:
            yield shown
            raise


def _for_regions(problem: Problem) -> Problem:
    """Return the problem of finding the activation regions.

    The region limit is one on what is counted here, of which there may be fewer.
    """
    limits = replace(problem.limits, regions=None)
    return replace(problem, quantity=Quantity.ACTIVATION_REGIONS, keep_regions=True, limits=limits)


class _Tally:
    """What is known so far; the regions that were taken are read once."""

    def __init__(self, problem: Problem) -> None:
        self._problem, self._seen = problem, 0
        self._regions: MutableSequence[Region] | None = None

    def take(self, regions: MutableSequence[Region] | None) -> None:
        """Take the regions that have come since the last time."""
        if regions is None:
            raise OptionError(
                f"for {self._problem.quantity.title} every activation region must be named, which "
                "this method does not do: take 'tree', 'exact', 'brute' or 'pool'"
            )
        self._regions = regions
        if len(regions) > self._seen:
            before, self._seen = self._seen, len(regions)
            self._read(patterns_of(regions[before:] if before else regions), before)

    def _read(self, patterns: Iterator[tuple[int, ...]], first: int) -> None:
        raise NotImplementedError

    def snapshot(self, now: Snapshot) -> Snapshot:
        """Return what has been shown, given what the method has shown about activation regions."""
        raise NotImplementedError

    def end(self) -> Iterator[None]:
        """Do what takes all regions; yield now and then."""
        yield from ()


class _Joined(_Tally):
    """Activation regions joined by their affine maps."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._classes = RegionClasses(problem.network, problem.inputs, problem.quantity)

    def _read(self, patterns: Iterator[tuple[int, ...]], first: int) -> None:
        self._classes.take(patterns)

    def end(self) -> Iterator[None]:
        """Join the regions."""
        yield from self._classes.run(self._regions)

    def snapshot(self, now: Snapshot) -> Snapshot:
        """Return what has been shown, given what the method has shown about activation regions."""
        classes = self._classes
        joined = classes.labels is not None
        return replace(
            now,
            lower=classes.lower,
            upper=now.upper if joined or classes.upper is None else classes.upper,
            lps=now.lps + classes.programs,
            note=f"{classes.lower:,} maps in {self._seen:,} regions",
            details=now.details | {"activation_regions": self._seen} | classes.known,
            regions=self._regions if self._problem.keep_regions else None,
        )


class _Live(_Tally):
    """Activation regions in which every layer has an active unit."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self._starts = np.cumsum([0, *problem.network.widths])[:-1]
        self._found = 0
        self._kept: MutableSequence[Region] | None = None

    def _read(self, patterns: Iterator[tuple[int, ...]], first: int) -> None:
        live: list[int] = []
        while some := list(islice(patterns, _BATCH)):
            active = np.maximum.reduceat(np.array(some, dtype=np.int64), self._starts, axis=1)
            live += (first + np.flatnonzero(active.all(axis=1))).tolist()
            first += len(some)
        self._found += len(live)
        if self._problem.keep_regions and self._regions is not None:
            more = taken(self._regions, live)
            if self._kept is None:
                self._kept = more
            else:
                self._kept.extend(more)

    def snapshot(self, now: Snapshot) -> Snapshot:
        """Return what has been shown, given what the method has shown about activation regions."""
        return replace(
            now,
            lower=self._found,
            note=f"{self._found:,} live of {self._seen:,} regions",
            details=now.details | {"activation_regions": self._seen},
            regions=self._kept,
        )


def _check_chain(network: Network) -> None:
    if not network.is_chain or not all(layer.activation.is_relu for layer in network.layers):
        raise OptionError(
            f"live regions are those of a chain of ReLU layers, not of {network.title}: "
            "count activation_regions"
        )
