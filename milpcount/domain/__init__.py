"""Input domains: what the count is relative to.

Every domain is bound to a network's number of inputs and becomes an `InputSet`, the one form
that the counting methods read.
"""

from milpcount.domain.input_set import InputSet
from milpcount.domain.shapes import (
    Box,
    Domain,
    Plane,
    Polyline,
    Polytope,
    Section,
    Segment,
    Unbounded,
)
from milpcount.domain.union import Union

__all__ = [
    "Box",
    "Domain",
    "InputSet",
    "Plane",
    "Polyline",
    "Polytope",
    "Section",
    "Segment",
    "Unbounded",
    "Union",
]
