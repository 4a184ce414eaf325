"""Counts that need all activation regions: linear regions, affine pieces, live regions.

A method finds the activation regions and keeps them; here they are told apart by their affine maps
as they come, and joined when all are there.
"""

from collections.abc import Callable, Iterator, MutableSequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, cast

import numpy as np

from milpcount.bounds.best import naive
from milpcount.counters import union
from milpcount.counters.method import Method, Problem, Snapshot
from milpcount.counters.over_unions import FromParts
from milpcount.counters.running_bounds import Tally
from milpcount.domain import Domain, Union
from milpcount.errors import OptionError
from milpcount.limits import OutOfTime
from milpcount.network import Network
from milpcount.network.decision import n_pairs
from milpcount.partitions.counting import RegionClasses, check_continuous
from milpcount.partitions.decisions import Adjacent, Decisions, subject_of
from milpcount.quantities import DECIDED, FROM_REGIONS, Quantity
from milpcount.result import Guarantee, Region, taken

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
    several = isinstance(domain, Union) and len(domain.parts) > 1
    if quantity is Quantity.LIVE_REGIONS:
        _check_chain(network)
    elif quantity not in DECIDED:
        check_continuous(network)
    if several and (quantity in DECIDED or quantity in union.OF_CELLS):
        assert isinstance(method, union.PartByPart)
        subject = subject_of(network, quantity)
        return cast("Method", FromParts(method.method, method.domain, subject))
    if quantity in DECIDED:
        return cast("Method", FromRegions(method))
    if not network.n_units:
        return method
    # A Method but for its class variables, which are the other method's.
    return cast("Method", FromRegions(method))


def upper_over(network: Network, domain: Domain, quantity: Quantity) -> tuple[int, str]:
    """Return an upper bound on a quantity over a domain, and where it comes from."""
    if quantity is not Quantity.BOUNDARY_PIECES:
        return union.upper_over(network, domain, quantity)
    upper, source = union.upper_over(network, domain, Quantity.BOUNDARY_REGIONS)
    return upper * n_pairs(network), f"{source}, times the pairs of outputs"


def naive_upper(network: Network, domain: Domain, quantity: Quantity) -> tuple[int, str]:
    """Return an upper bound that takes no time at all, and where it comes from."""
    upper = naive(network)
    if isinstance(domain, Union) and quantity in union.OF_CELLS:
        parts = len(domain.parts)
        return upper * parts, f"naive (all patterns), for each of {parts} parts"
    if quantity is not Quantity.BOUNDARY_PIECES:
        return upper, "naive (all patterns)"
    return upper * n_pairs(network), "naive (all patterns), times the pairs of outputs"


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
        tally = _tally_of(problem, self.method)
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
    """Return the problem of finding the activation regions, cut by the decision where that counts.

    The region limit is one on what is counted here, of which there may be fewer.
    """
    return replace(
        problem,
        network=subject_of(problem.network, problem.quantity),
        quantity=Quantity.ACTIVATION_REGIONS,
        keep_regions=True,
        limits=replace(problem.limits, regions=None),
    )


def _tally_of(problem: Problem, method: Method) -> Tally:
    if problem.quantity in DECIDED:
        # Other methods are checks of the tree, or rest on exact arithmetic alone.
        return _Decided(problem, method.guarantee is Guarantee.CERTIFIED)
    return TALLIES.get(problem.quantity, _Joined)(problem)


class _Joined(Tally):
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


class _Live(Tally):
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


class _Decided(Tally):
    """Activation regions that the decision boundary cuts, and its pieces in them."""

    def __init__(self, problem: Problem, by_search: bool) -> None:
        super().__init__(problem)
        self._by_search = by_search
        self._decisions = Decisions(subject_of(problem.network, problem.quantity))
        self._kept: MutableSequence[Region] | None = None

    def _read(self, patterns: Iterator[tuple[int, ...]], first: int) -> None:
        cut = self._decisions.take(patterns)
        if self._problem.keep_regions and self._regions is not None:
            more = taken(self._regions, cut)
            if self._kept is None:
                self._kept = more
            else:
                self._kept.extend(more)

    def end(self) -> Iterator[None]:
        """Find the facets of regions that are cut into three or more."""
        if self._problem.quantity is Quantity.BOUNDARY_PIECES:
            orders = self._orders if self._by_search else None
            yield from self._decisions.run(self._problem.inputs, self._regions, orders)

    def _orders(self, decisions: list[int]) -> Adjacent | None:
        """Return what tells facets by the region tree's search, where that is faster."""
        from milpcount.tree.few_inputs import has_few_inputs
        from milpcount.tree.output_order import MOST_DECISIONS, Orders

        if len(decisions) > MOST_DECISIONS or has_few_inputs(self._problem.inputs):
            return None
        return Orders(self._decisions.network, self._problem.inputs, decisions)

    def snapshot(self, now: Snapshot) -> Snapshot:
        """Return what has been shown, given what the method has shown about activation regions."""
        found = self._decisions
        known = {"activation_regions": found.n_regions, "cells": found.n_cells}
        if self._problem.quantity is Quantity.BOUNDARY_PIECES:
            known[Quantity.BOUNDARY_REGIONS.value] = len(found.cut)
        upper = None
        if now.upper is not None:  # at most so many cells, and a region that is cut has two
            pieces = self._problem.quantity is Quantity.BOUNDARY_PIECES
            upper = now.upper // 2 * (n_pairs(self._problem.network) if pieces else 1)
        return replace(
            now,
            lower=found.number(self._problem.quantity),
            upper=upper,
            lps=now.lps + found.programs,
            note=f"the boundary in {len(found.cut):,} of {found.n_regions:,} regions",
            details=now.details | known,
            regions=self._kept,
        )


def _check_chain(network: Network) -> None:
    if not network.is_chain or not all(layer.activation.is_relu for layer in network.layers):
        raise OptionError(
            f"live regions are those of a chain of ReLU layers, not of {network.title}: "
            "count activation_regions"
        )


TALLIES: dict[Quantity, Callable[[Problem], Tally]] = {Quantity.LIVE_REGIONS: _Live}
"""A line for each quantity that is read off the regions; other quantities join or cut them."""
