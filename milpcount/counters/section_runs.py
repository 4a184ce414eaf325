"""Counts on lines and planes of what the driver does not take: modules of PyTorch, and polylines.

They keep what the driver keeps: limits, progress, Ctrl-C, and bounds that hold when a run is
stopped.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from milpcount.arguments import check_counted
from milpcount.counters import driver
from milpcount.counters.section import (
    SectionWalk,
    check_section,
    details,
    extent,
)
from milpcount.counters.sectioned_network import (
    SMALL,
    SectionedNetwork,
    input_shape,
    of_network,
    of_traced,
)
from milpcount.domain import Domain, Polyline
from milpcount.errors import Interrupted, NetworkError, OptionError
from milpcount.events import Finished, Listener, Progress, Started, ignore
from milpcount.limits import Deadline, Limits, OutOfTime, memory_in_use
from milpcount.network import Network
from milpcount.quantities import Quantity
from milpcount.result import CountResult, Guarantee, Status, versions
from milpcount.sections.exact import ExactSigns, corners
from milpcount.sections.findings import Found
from milpcount.sections.walk import Walk
from milpcount.types import Array

_HEARTBEAT = 0.2


def count_module(
    module: Any,
    domain: Domain,
    method: Any,
    *,
    quantity: Quantity,
    limits: Limits | None = None,
    listener: Listener = ignore,
) -> CountResult:
    """Count on a line or in a plane through a PyTorch module, as it is.

    What float64 leaves open is counted again on the module read as a `Network`, exactly, if it has
    10,000 units at most and all of its operators are read.

    Raises
    ------
    InputError
        If the domain, the method or the module does not do.
    """
    from milpcount.sections.torch_program import Traced

    method = section_method(method)
    shape = input_shape(domain)
    traced = Traced.of(module, shape)
    subject = of_traced(traced, module=module)
    result = run(subject, domain, method, quantity=quantity, limits=limits, listener=listener)
    doubtful = result.guarantee is Guarantee.TOLERANCE or not result.is_exact
    if doubtful and result.status.is_complete and result.details["units"] <= SMALL:
        try:
            network = Network.from_torch(module, input_shape=shape)
        except NetworkError:
            return result
        if isinstance(domain, Polyline):
            return run(of_network(network), domain, method, quantity=quantity, limits=limits,
                       listener=listener)  # fmt: skip
        return driver.count(
            network, domain, method, quantity=quantity, limits=limits, listener=listener
        )
    return result


def run(
    subject: SectionedNetwork,
    domain: Domain,
    method: SectionWalk,
    *,
    quantity: Quantity = Quantity.ACTIVATION_REGIONS,
    limits: Limits | None = None,
    listener: Listener = ignore,
) -> CountResult:
    """Count on a line, a polyline or in a plane.

    Raises
    ------
    Interrupted
        On Ctrl-C, with what was shown by then.
    InputError
        If the domain does not fit.
    """
    check_counted(quantity, method.name, (Quantity.ACTIVATION_REGIONS,))
    limits = limits or Limits()
    parts: Sequence[Domain] = domain.segments if isinstance(domain, Polyline) else (domain,)
    sets = [part.bind(subject.n_inputs) for part in parts]
    for inputs in sets:
        check_section(inputs)
    listener(Started(f"{subject.title} · {domain.title} · {method.name}"))
    task = _Task(subject, sets, method, limits, listener, path=isinstance(domain, Polyline))
    status, began = Status.COMPLETE, time.perf_counter()
    deadline = Deadline(limits.seconds)
    try:
        with deadline.in_force():
            status = task.run(deadline)
    except OutOfTime:
        status = Status.TIME_LIMIT
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    result = task.result(status, time.perf_counter() - began, domain.title)
    result = replace(result, quantity=quantity)
    listener(Finished(result))
    if status is Status.INTERRUPTED:
        raise Interrupted(result)
    return result


def cells_of(
    subject: SectionedNetwork, domain: Domain, method: SectionWalk | None = None
) -> list[tuple[bytes, Array]]:
    """Return the cells of a line or a plane: a digest of the pattern, and the corners.

    Returns
    -------
    list of (bytes, ndarray of shape (corners, d))
        The corners in the parameters of the section, in float64.
    """
    inputs = domain.bind(subject.n_inputs)
    check_section(inputs)
    program, exact = subject.program(inputs)
    settings = (method or SectionWalk()).settings(digests=True, polygons=True)
    walk = Walk(program, corners(inputs), settings, exact)
    for _ in walk.run():
        pass
    found = walk.found
    return [
        (digest, where[cells.corner[start:stop]])
        for (cells, where), digests in zip(found.polygons, found.digests, strict=True)
        for digest, start, stop in zip(digests, cells.start, cells.start[1:], strict=False)
    ]


@dataclass(eq=False)
class _Task:
    """A count on one set after the other."""

    subject: SectionedNetwork
    sets: Sequence[Any]
    method: SectionWalk
    limits: Limits
    listener: Listener
    path: bool
    walks: list[Walk] = field(default_factory=list)
    exact: list[ExactSigns | None] = field(default_factory=list)
    runs: list[list[bytes]] = field(default_factory=list)
    units: int = 0
    pieces: int = 1

    def run(self, deadline: Deadline) -> Status:
        """Walk through all of them; return how that ended."""
        began, spoke = time.perf_counter(), 0.0
        settings = self.method.settings(digests=self.path, polygons=self.path)
        for number, inputs in enumerate(self.sets):
            program, exact = self.subject.program(inputs)
            self.units = program.n_units
            self.pieces = prod(
                group.activation.n_pieces ** _width(step, group)
                for step in program.steps
                for group in step.groups
            )
            walk = Walk(program, corners(inputs), settings, exact)
            self.walks.append(walk)
            self.exact.append(exact)
            total = extent(inputs)
            for found in walk.run():
                now = time.perf_counter()
                if now - spoke > _HEARTBEAT:
                    spoke = now
                    share = (number + found.share / total) / len(self.sets)
                    self.listener(Progress(self.lower, 0, min(1.0, share), now - began, ""))
                    reached = self._limit(deadline)
                    if reached is not None:
                        return reached
            if self.path:
                self.runs.append(_along(found))
        return Status.COMPLETE

    def _limit(self, deadline: Deadline) -> Status | None:
        if self.limits.regions is not None and self.lower >= self.limits.regions:
            return Status.REGION_LIMIT
        if deadline.passed():
            return Status.TIME_LIMIT
        if self.limits.memory is not None and (memory_in_use() or 0) >= self.limits.memory:
            return Status.MEMORY_LIMIT
        return None

    @property
    def lower(self) -> int:
        """As many regions at least."""
        if not self.path:
            return sum(walk.found.cells + walk.waiting for walk in self.walks)
        return len({digest for run in self.runs for digest in run})

    def result(self, status: Status, seconds: float, domain: str) -> CountResult:
        """Return what was shown."""
        founds = [walk.found for walk in self.walks]
        rigorous = all(found.rigorous for found in founds)
        uncertain = sum(found.uncertain for found in founds)
        asked = sum(exact.asked for exact in self.exact if exact is not None)
        said = details(founds, self.method, asked) | {"units": self.units}
        if self.subject.notes:
            said["notes"] = list(self.subject.notes)
        lower, upper, source = self.lower, self.pieces, "naive (all patterns)"
        if status is Status.COMPLETE:
            source = "this count"
            upper = sum(found.most for found in founds) if uncertain or not self.path else lower
            if uncertain:
                status = Status.UNCERTAIN
        if self.path and status is Status.COMPLETE:
            walked = [digest for run in self.runs for digest in run]
            said["transitions"] = sum(a != b for a, b in pairwise(walked))
            said["pieces"] = [len(run) for run in self.runs]
        return CountResult(
            quantity=Quantity.ACTIVATION_REGIONS,
            lower=lower,
            upper=max(lower, upper),
            status=status,
            guarantee=Guarantee.CERTIFIED if rigorous else Guarantee.TOLERANCE,
            method={"name": self.method.name, **self.method.options()},
            seconds=seconds,
            uncertain=uncertain,
            details=said,
            fingerprint=self.subject.fingerprint,
            network=self.subject.title,
            domain=domain,
            upper_source=source,
            versions=dict(_versions()),
        )


@cache
def _versions() -> dict[str, str]:
    """Return the versions of what counts, looked up once."""
    return versions("torch")


def _along(found: Found) -> list[bytes]:
    """Return the patterns' digests along a segment."""
    digests = np.concatenate(found.digests)
    begins = [
        np.minimum.reduceat(where[cells.corner, 0], cells.start[:-1])
        for cells, where in found.polygons
    ]
    return list(digests[np.argsort(np.concatenate(begins), kind="stable")])


def _width(step: Any, group: Any) -> int:
    return step.width if isinstance(group.units, slice) else len(group.units)


def section_method(method: Any) -> SectionWalk:
    """Return the one method that counts on polylines and modules, or raise OptionError."""
    if isinstance(method, SectionWalk):
        return method
    raise OptionError(
        f"method {getattr(method, 'name', method)!r} does not count on this: leave the method out, "
        "or give mc.SectionWalk()"
    )
