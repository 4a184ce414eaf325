"""Counts on lines and planes of what the driver does not take: modules of PyTorch, and polylines.

They keep what the driver keeps: limits, progress, Ctrl-C, and bounds that hold when a run is
stopped.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
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
    close_signs,
    details,
    exact_signs,
    extent,
)
from milpcount.domain import Domain, Plane, Polyline, Segment
from milpcount.errors import DomainError, Interrupted, NetworkError, OptionError
from milpcount.events import Finished, Listener, Progress, Started, ignore
from milpcount.limits import Deadline, Limits, OutOfTime, memory_in_use
from milpcount.network import Network
from milpcount.quantities import Quantity
from milpcount.result import CountResult, Guarantee, Status, versions
from milpcount.sections.exact import ExactSigns, Unavailable, corners
from milpcount.sections.findings import Found
from milpcount.sections.network_program import program_of
from milpcount.sections.program import Program
from milpcount.sections.walk import Walk
from milpcount.types import Array

_HEARTBEAT = 0.2
_SMALL = 10_000
"""Units up to which a module is read as a `Network` where floats leave something open."""


@dataclass(frozen=True, eq=False)
class SectionedNetwork:
    """What is counted, whatever it was read from.

    Attributes
    ----------
    program : callable
        Returns the steps for an input set, and what computes signs exactly or None.
    n_inputs : int
    title, fingerprint : str
    notes : tuple of str
    """

    program: Callable[[Any], tuple[Program, ExactSigns | None]]
    n_inputs: int
    title: str
    fingerprint: str
    notes: tuple[str, ...] = ()


def of_network(network: Network) -> SectionedNetwork:
    """Return a network as a subject."""
    return SectionedNetwork(
        lambda inputs: (program_of(network, inputs), exact_signs(network, inputs)),
        network.n_inputs,
        network.title,
        network.fingerprint,
        network.notes,
    )


def of_traced(
    traced: Any, state: Mapping[str, Any] | None = None, module: Any = None
) -> SectionedNetwork:
    """Return a traced module as a subject, with the numbers of a state dict where one is given.

    Given the module itself, as it is then, it is read where crossings are close together.
    """
    from milpcount.sections.torch_program import Traced

    assert isinstance(traced, Traced)
    numbers = traced.state | dict(state or {})
    digest = hashlib.sha256(traced.outline.encode())
    for name in sorted(traced.state):
        value = numbers[name]
        if hasattr(value, "detach"):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(value.detach().cpu().numpy()).tobytes())

    def program(inputs: Any) -> tuple[Program, ExactSigns | None]:
        made = traced.program(inputs, state)
        # Small ones are counted again altogether, see `count_module`.
        if module is None or made.n_units <= _SMALL:
            return made, None
        return made, close_signs(
            lambda: _read(module, traced, made, inputs), inputs, made.n_units, made.weights
        )

    return SectionedNetwork(
        program,
        prod(traced.shape),
        f"{traced.title} (torch module, inputs {'x'.join(map(str, traced.shape[1:]))})",
        digest.hexdigest(),
        traced.notes,
    )


def _read(module: Any, traced: Any, program: Program, inputs: Any) -> Network:
    """Return a module as a `Network` whose layers are those of its program, unit by unit.

    Raises
    ------
    Unavailable
        If it is not read, or its layers are others.
    """
    try:
        network = Network.from_torch(module, input_shape=traced.shape[1:])
    except NetworkError as error:
        raise Unavailable from error
    given, read = (_layers(p, inputs) for p in (program, program_of(network, inputs)))
    same = [len(x) for x in given] == [len(x) for x in read] and all(
        bool((np.abs(x - y) <= 1e-9 * np.abs(x).max(initial=0.0)).all())
        for x, y in zip(given, read, strict=True)
    )
    if not same:
        raise Unavailable
    return network


def _layers(program: Program, inputs: Any) -> list[Array]:
    """Return what a program's layers of units get at one point inside a section."""
    middle = np.array([inputs.lower + 0.375 * (inputs.upper - inputs.lower)])
    values: dict[Any, Any] = {program.input: program.start(middle)[0]}
    found = []
    for step in program.steps:
        read = [values[name] for name in step.reads]
        if step.affine is not None:
            values[step.name] = step.affine(read)
            continue
        found.append(np.asarray(read[0].cpu() if hasattr(read[0], "cpu") else read[0])[0])
        y = program.arrays.activate(step, read[0])
        values[step.name] = y if step.shape is None else step.shape(y)
    return found


def input_shape(domain: Domain) -> tuple[int, ...]:
    """Return the shape of a domain's points, which is that of a module's inputs.

    Raises
    ------
    DomainError
        If it is no line or plane of such points.
    """
    if isinstance(domain, Segment):
        return tuple(np.shape(domain.a))
    if isinstance(domain, Plane):
        return tuple(np.shape(domain.origin))
    if isinstance(domain, Polyline):
        return tuple(np.shape(domain.points)[1:])
    raise DomainError(
        "a torch module is counted as it is on mc.Segment(a, b), mc.Polyline(points) and "
        "mc.Plane(origin, u, v, box); for other domains read it first: "
        "mc.Network.from_torch(module, input_shape=..)"
    )


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
    if doubtful and result.status.is_complete and result.details["units"] <= _SMALL:
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
