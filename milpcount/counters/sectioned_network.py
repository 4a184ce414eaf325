"""What is counted on lines and planes, whatever it was read from: networks, traced modules."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from milpcount.counters.section import (
    close_signs,
    exact_signs,
)
from milpcount.domain import Domain, InputSet, Plane, Polyline, Segment
from milpcount.errors import DomainError, NetworkError
from milpcount.network import Network
from milpcount.sections.exact import ExactSigns, Unavailable
from milpcount.sections.network_program import program_of
from milpcount.sections.program import Program
from milpcount.types import Array

SMALL = 10_000
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

    program: Callable[[InputSet], tuple[Program, ExactSigns | None]]
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

    def program(inputs: InputSet) -> tuple[Program, ExactSigns | None]:
        made = traced.program(inputs, state)
        # Small ones are counted again altogether, see `count_module`.
        if module is None or made.n_units <= SMALL:
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


def _read(module: Any, traced: Any, program: Program, inputs: InputSet) -> Network:
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


def _layers(program: Program, inputs: InputSet) -> list[Array]:
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
