"""Count and bound the linear regions of piecewise linear neural networks."""

from milpcount.api import count
from milpcount.domain import Box, Polytope, Section, Unbounded
from milpcount.limits import Limits
from milpcount.network import Network
from milpcount.result import CountResult, Quantity, Status

__all__ = [
    "Box",
    "CountResult",
    "Limits",
    "Network",
    "Polytope",
    "Quantity",
    "Section",
    "Status",
    "Unbounded",
    "count",
]
__version__ = "0.1.0"
