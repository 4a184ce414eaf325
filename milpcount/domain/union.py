"""Unions of domains."""

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from milpcount import caps
from milpcount.domain.input_set import InputSet
from milpcount.domain.shapes import Box, Domain, Unbounded
from milpcount.errors import DomainError


@dataclass(frozen=True, eq=False)
class Union:
    """The union of several domains, which may overlap: what is in two of them counts once.

    Parameters
    ----------
    parts : sequence of Domain
        All of full dimension, or all in one plane, e.g. boxes that fix the same inputs at the same
        values: counts are relative to it.

    Notes
    -----
    It is not convex, so only `milpcount.count` and `milpcount.compare` take it, with methods that
    name each region: they count part by part.
    """

    parts: Sequence[Domain]

    def __post_init__(self) -> None:
        flat = [
            one
            for part in self.parts
            for one in (part.parts if isinstance(part, Union) else [part])
        ]
        if not flat:
            raise DomainError("a union of no parts: give at least one domain")
        for number, part in enumerate(flat, start=1):
            if not callable(getattr(part, "bind", None)):
                raise DomainError(
                    f"part {number} of a union is {reprlib.repr(part)}: give a domain, e.g. "
                    "Box(0, 1)"
                )
        caps.PARTS.check(len(flat), "a union", DomainError)
        object.__setattr__(self, "parts", tuple(flat))

    def bind(self, n_inputs: int) -> InputSet:
        """Return the set if there is only one part, else raise DomainError."""
        if len(self.parts) == 1:
            return self.parts[0].bind(n_inputs)
        raise DomainError(
            f"a {self.title} is no convex set, which is needed here: only counts and comparisons "
            "of methods take unions; give its parts one by one"
        )

    def hull(self, n_inputs: int) -> InputSet:
        """Return a convex set that holds all parts, of the same dimension.

        Raises
        ------
        DomainError
            If a part does not fit the network, or the parts are of several dimensions or planes.
        """
        first, aligned = _exact_form(self.parts[0].bind(n_inputs)), True
        lower, upper = first.lower, first.upper
        for number, part in enumerate(self.parts[1:], start=2):
            other = _exact_form(part.bind(n_inputs))
            if not _in_one_plane(first, other):
                raise DomainError(
                    f"a {self.title}: part {number} has dimension {other.dimension} and the first "
                    f"{first.dimension}, or they lie in different planes; a count is relative to "
                    "one: all parts must be of full dimension, or fix the same inputs at the same "
                    "values"
                )
            aligned = aligned and _same_parameters(first, other)
            lower, upper = np.minimum(lower, other.lower), np.maximum(upper, other.upper)
        if not aligned:
            return Unbounded().bind(n_inputs)
        none = np.zeros((0, first.dimension))
        return InputSet.of(first.origin, first.directions, lower, upper, none, np.zeros(0))

    @property
    def title(self) -> str:
        """One line for people."""
        if len(self.parts) == 1:
            return self.parts[0].title
        kind = "boxes" if all(isinstance(part, Box) for part in self.parts) else "parts"
        return f"union of {len(self.parts)} {kind}"


def _exact_form(inputs: InputSet) -> InputSet:
    return inputs.exact or inputs


def _same_parameters(one: InputSet, other: InputSet) -> bool:
    same = np.array_equal(one.directions, other.directions)
    return same and np.array_equal(one.origin, other.origin)


def _in_one_plane(one: InputSet, other: InputSet) -> bool:
    """Whether two sets are known to span the same affine space."""
    n_inputs = one.directions.shape[0]
    full = one.dimension == other.dimension == n_inputs
    return full or _same_parameters(one, other)
