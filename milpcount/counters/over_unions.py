"""Counts over unions that need the regions of each part: linear regions, decision boundaries.

The parts' regions are found one part after the other, and joined across parts when all are there.
"""

from collections.abc import Iterator, MutableSequence, Sequence
from dataclasses import dataclass, replace

from milpcount.counters.method import Problem, Snapshot
from milpcount.counters.union import PartByPart, PartTally
from milpcount.domain import Domain
from milpcount.errors import OptionError
from milpcount.network.decision import n_pairs
from milpcount.partitions.decisions import subject_of
from milpcount.partitions.union_decisions import PartDecisions
from milpcount.partitions.union_linear_regions import PartClasses
from milpcount.quantities import DECIDED, Quantity
from milpcount.result import Region, patterns_of, taken


@dataclass(frozen=True)
class FromParts(PartByPart):
    """A method that asks another one for all activation regions of each part of a union."""

    def warm_up(self, problem: Problem) -> None:
        """Let the method prepare itself.

        Raises
        ------
        OptionError
            If it cannot keep regions.
        """
        try:
            super().warm_up(_for_regions(problem))
        except OptionError as error:
            raise OptionError(
                f"{problem.quantity.title} are counted by keeping regions: {error}"
            ) from None

    def _for_part(self, problem: Problem) -> Problem:
        return _for_regions(problem)

    def _tally(self, problem: Problem) -> PartTally:
        of = _Decided if problem.quantity in DECIDED else _Joined
        return of(problem, self.domain.parts)


def _for_regions(problem: Problem) -> Problem:
    """Return the problem of finding a part's regions; the region limit is not one on them."""
    return replace(
        problem,
        network=subject_of(problem.network, problem.quantity),
        quantity=Quantity.ACTIVATION_REGIONS,
        limits=replace(problem.limits, regions=None),
    )


class _OfCells(PartTally):
    """The cells of all parts, which are kept with their witnesses."""

    def __init__(self, problem: Problem, parts: Sequence[Domain]) -> None:
        super().__init__(_for_regions(problem), parts)
        self._asked = problem
        self._cells: list[MutableSequence[Region] | None] = [None] * len(parts)
        self._read = [0] * len(parts)
        self._inputs = [part.bind(problem.network.n_inputs) for part in parts]

    def _take(self, number: int, regions: MutableSequence[Region]) -> None:
        self._cells[number] = regions
        before = self._read[number]
        if len(regions) > before:
            new = regions[before:] if before else regions
            self._read[number] = len(regions)
            self._found(number, patterns_of(new))

    def _found(self, number: int, patterns: Iterator[tuple[int, ...]]) -> None:
        raise NotImplementedError

    def end(self) -> Iterator[None]:
        """Join the cells of all parts, if all are there."""
        if not any(one.uncertain or one.upper is not None for one in self._ended):
            yield from self._join()

    def _join(self) -> Iterator[None]:
        raise NotImplementedError

    def _kept(self, keys: Sequence[tuple[int, int]]) -> MutableSequence[Region] | None:
        """Return some cells, given by their parts and numbers in them."""
        found: MutableSequence[Region] | None = None
        for number, cells in enumerate(self._cells):
            wanted = [at for part, at in keys if part == number]
            if cells is None or not (wanted or found is None):
                continue
            more = taken(cells, wanted)
            if found is None:
                found = more
            else:
                found.extend(more)
        return found


class _Joined(_OfCells):
    """Linear regions, open or closed ones."""

    def __init__(self, problem: Problem, parts: Sequence[Domain]) -> None:
        super().__init__(problem, parts)
        self._classes = PartClasses(problem.network, problem.inputs, self._inputs, problem.quantity)
        self._fresh: list[tuple[int, int]] = []

    def _found(self, number: int, patterns: Iterator[tuple[int, ...]]) -> None:
        self._fresh += [(number, at) for at in self._classes.take(number, patterns)]

    def _join(self) -> Iterator[None]:
        yield from self._classes.run(self._cells)

    def snapshot(self) -> Snapshot:
        """Return the snapshot of the union, as it stands."""
        classes, now = self._classes, super().snapshot()
        upper = now.upper if classes.upper is None else classes.upper
        if self._asked.quantity.value in classes.known:
            upper = None  # it is counted
        details = {"activation_regions": len(classes.places), "cells": classes.n_cells}
        return replace(
            now,
            lower=classes.lower,
            upper=upper,
            lps=now.lps + classes.programs,
            note=f"{classes.lower:,} maps in {classes.n_cells:,} regions of parts",
            details=now.details | details | classes.known,
            regions=self._kept(self._fresh) if self._asked.keep_regions else None,
        )


class _Decided(_OfCells):
    """Regions that the decision boundary cuts, and its pieces in them."""

    def __init__(self, problem: Problem, parts: Sequence[Domain]) -> None:
        super().__init__(problem, parts)
        network = subject_of(problem.network, problem.quantity)
        self._decisions = PartDecisions(network, problem.inputs, self._inputs)

    def _found(self, number: int, patterns: Iterator[tuple[int, ...]]) -> None:
        self._decisions.take(number, patterns)

    def _join(self) -> Iterator[None]:
        yield from self._decisions.run(self._asked.quantity, self._cells)

    def snapshot(self) -> Snapshot:
        """Return the snapshot of the union, as it stands."""
        found, now, asked = self._decisions, super().snapshot(), self._asked
        known = {"activation_regions": found.n_regions, "cells": found.n_cells}
        upper = None
        if asked.quantity is Quantity.BOUNDARY_PIECES:
            known[Quantity.BOUNDARY_REGIONS.value] = len(found.cut)
        if now.upper is not None:  # a region that is cut has two cells, if in two parts
            pieces = asked.quantity is Quantity.BOUNDARY_PIECES
            upper = now.upper // 2 * (n_pairs(asked.network) if pieces else 1)
        first = (min(at.items()) for key in found.cut for at in found.cells[key].values())
        return replace(
            now,
            lower=found.number(asked.quantity),
            upper=upper,
            lps=now.lps + found.programs,
            note=f"the boundary in {len(found.cut):,} of {found.n_regions:,} regions",
            details=now.details | known,
            regions=self._kept(list(first)) if asked.keep_regions else None,
        )
