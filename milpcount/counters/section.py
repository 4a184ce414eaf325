"""Lines and planes cut layer by layer, as a counting method."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from milpcount.counters.method import Problem, Snapshot
from milpcount.counters.options import Options, integer, option
from milpcount.domain import InputSet
from milpcount.errors import DomainError, OptionError
from milpcount.exact.evaluate import region_at
from milpcount.exact.geometry import Point
from milpcount.exact.inputs import ExactInputs
from milpcount.limits import OutOfTime
from milpcount.network import Network
from milpcount.quantities import FROM_REGIONS, Quantity
from milpcount.result import Guarantee, Region
from milpcount.sections.exact import ExactSigns, corners
from milpcount.sections.findings import Found, Settings
from milpcount.sections.network_program import program_of
from milpcount.sections.walk import Walk

_EXACT_UNITS, _EXACT_NUMBERS = 10_000, 2_000_000
"""Units and weights up to which signs are computed exactly where floats do not tell."""
_CLOSE_NUMBERS, _CLOSE_WORK = 50_000_000, 1_000_000_000
"""Weights up to which the same is done for what is close only, and how many are gone through."""
_CLOSE_UNITS = 20_000
"""Units up to which it is done in planes."""
_HEARTBEAT = 0.2


def _checked_tolerance(name: str, value: Any) -> Any:
    if not 0 <= value < 1:
        raise OptionError(f"{name} {value}: give a number from 0 to below 1")
    return value


@dataclass(frozen=True)
class SectionWalk(Options):
    """Count regions on a line or in a plane, by cutting it layer by layer.

    The fastest method there by far, and the only one whose cost grows with the size of the network
    times the number of regions and no faster: it solves no program. Every sign is certain, rounding
    included, or computed exactly; of networks that are too large for that, a sign is taken for
    certain above a tolerance, and what is below it leaves an interval.

    Parameters
    ----------
    memory : int
        Bytes that the walk may hold, about; it divides its work accordingly.
    tolerance : float
        Where it has to rest on one: a part of the largest pre-activation of a layer.
    """

    name: ClassVar[str] = "section"
    quantities: ClassVar[frozenset[Quantity]] = frozenset(
        {Quantity.ACTIVATION_REGIONS, *FROM_REGIONS}
    )
    packages: ClassVar[tuple[str, ...]] = ("python-flint",)

    memory: int = integer(  # on the command line --memory is a limit of the whole count
        1 << 30, "Bytes that the walk may hold, about.", unit="BYTES", flag=False
    )
    tolerance: float = option(
        1e-10,
        "Of signs, where bounds on errors do not tell.",
        unit="T",
        check=_checked_tolerance,
        kind=float,
    )

    @property
    def guarantee(self) -> Guarantee:
        """What the lower bound rests on, unless a run says otherwise."""
        return Guarantee.CERTIFIED

    def warm_up(self, problem: Problem) -> None:
        """Refuse other domains, and keeping what is too much: there is nothing to compile."""
        check_section(problem.inputs)
        if problem.keep_regions:
            _check_kept(problem.network)

    def run(self, problem: Problem) -> Iterator[Snapshot]:
        """Yield snapshots while the section is cut."""
        inputs, network = problem.inputs, problem.network
        check_section(inputs)
        exact = exact_signs(network, inputs)
        settings = self.settings(problem.keep_regions)
        walk = Walk(program_of(network, inputs), corners(inputs), settings, exact)
        regions: list[Region] | None = [] if problem.keep_regions else None
        total, spoke, kept = extent(inputs), 0.0, ExactInputs.from_inputs(inputs)
        try:
            for found in walk.run():
                if regions is not None and exact is not None:
                    regions += _regions(found, kept, exact)
                if time.monotonic() - spoke > _HEARTBEAT:
                    yield self._snapshot(walk, exact, regions, found.share / total)
                    spoke = time.monotonic()
        except OutOfTime:
            yield self._snapshot(walk, exact, regions, walk.found.share / total)
            return
        yield self._snapshot(walk, exact, regions, 1.0, ended=True)

    def settings(
        self, regions: bool = False, *, digests: bool = False, polygons: bool = False
    ) -> Settings:
        """Return how a walk goes."""
        return Settings(
            self.memory, self.tolerance, regions=regions, digests=digests, polygons=polygons
        )

    def _snapshot(
        self,
        walk: Walk,
        exact: ExactSigns | None,
        regions: list[Region] | None,
        share: float,
        *,
        ended: bool = False,
    ) -> Snapshot:
        found = walk.found
        return Snapshot(
            # What waits has a region at least in every cell.
            lower=found.cells + (0 if regions is not None else walk.waiting),
            upper=found.most if ended and found.uncertain else None,
            share=min(1.0, share),
            uncertain=found.uncertain,
            regions=regions,
            details=details([found], self, 0 if exact is None else exact.asked),
            guarantee=None if found.rigorous else Guarantee.TOLERANCE,
        )


def details(found: Sequence[Found], method: SectionWalk, asked: int) -> dict[str, Any]:
    """Return what walks have to say besides their counts."""
    said: dict[str, Any] = {"corners": sum(f.points for f in found), "exact_signs": asked}
    if not all(f.rigorous for f in found):
        said["tolerance"] = method.tolerance
    return said


def check_section(inputs: InputSet) -> None:
    """Refuse all but bounded lines and planes.

    Raises
    ------
    DomainError
        If the set is none.
    """
    if inputs.dimension not in (1, 2) or not inputs.is_boxed or len(inputs.rows):
        raise DomainError(
            f"the method section counts on bounded lines and planes, and the domain has "
            f"{inputs.dimension} dimensions: give mc.Segment(a, b), mc.Plane(origin, u, v, box), "
            "or a box that leaves one or two inputs free"
        )


def extent(inputs: InputSet) -> float:
    """Return the length or area of a section in its parameters."""
    sides = inputs.upper - inputs.lower
    return float(sides.prod()) or 1.0


def exact_signs(network: Network, inputs: InputSet) -> ExactSigns | None:
    """Return what computes signs exactly, as far as a network is not too large for that.

    Of a large one only those that a tolerance leaves open, and not too many of them.
    """
    if _is_small(network):
        return ExactSigns(lambda: network, inputs)
    return close_signs(lambda: network, inputs, network.n_units, _numbers(network))


def _numbers(network: Network) -> int:
    return sum(getattr(m.matrix, "nnz", m.n_in * m.n_out) for m in network.maps)


def _is_small(network: Network) -> bool:
    return network.n_units <= _EXACT_UNITS and _numbers(network) <= _EXACT_NUMBERS


def _check_kept(network: Network) -> None:
    if not _is_small(network):
        raise OptionError(
            f"method 'section' keeps the regions of networks of up to {_EXACT_UNITS:,} units and "
            f"{_EXACT_NUMBERS:,} weights, and this one has {network.n_units:,} and "
            f"{_numbers(network):,}: count activation_regions without keeping them"
        )


def close_signs(
    network: Callable[[], Network], inputs: InputSet, units: int, numbers: int
) -> ExactSigns | None:
    """Return what computes signs of a large network exactly where a tolerance leaves them open.

    Parameters
    ----------
    network : callable
        Returns it, once it is needed.
    inputs : InputSet
    units, numbers : int
        How many it has, and how many numbers are in its maps without their zeros, about.
    """
    # Every corner of a plane's cells would keep a pattern of all units.
    if numbers > _CLOSE_NUMBERS or (inputs.dimension > 1 and units > _CLOSE_UNITS):
        return None
    return ExactSigns(network, inputs, _CLOSE_WORK)


def _regions(found: Found, inputs: ExactInputs, exact: ExactSigns) -> Iterator[Region]:
    """Yield regions that were found since, with the middle of their corners as a witness."""
    for patterns, cells, vertices in found.regions:
        for number, pattern in enumerate(patterns.tolist()):
            at = cells.corner[cells.start[number] : cells.start[number + 1]]
            points = [vertices[i].point(exact) for i in at.tolist()]
            middle = [sum(values) / len(points) for values in zip(*points, strict=True)]
            yield region_at(inputs, tuple(pattern), Point.of(np.array(middle, dtype=object)))
    found.regions.clear()
