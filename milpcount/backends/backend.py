"""What a backend is: a solver that enumerates the patterns of a formulation, and what it can do."""

from collections.abc import Mapping
from enum import Enum
from typing import Protocol

from milpcount.enumeration.search import OnPattern, Search
from milpcount.formulation.formulate import Formulation
from milpcount.limits import Deadline


class Capability(Enum):
    """What a backend can do; the value is the sentence for people."""

    REAL_COEFFICIENTS = "takes real-valued networks"
    ENUMERATION = "finds every pattern in one search"
    COUNTING = "counts by itself, without naming patterns"
    LAZY_ROWS = "takes rows while it searches"
    RESTARTS = "takes rows by solving again"
    WARM_ROWS = "keeps its model between solves, rows are added to it"
    INTERRUPT = "stops at once when asked to"
    PROVES_INFEASIBILITY = "proves that nothing is left"
    PARITY = "takes parities as they are; to others they are rows"
    EXACT = "decides every pattern in exact arithmetic"


class Backend(Protocol):
    """A solver behind the enumeration.

    Attributes
    ----------
    name : str
        As on the command line.
    capabilities : frozenset of Capability
    package : str
        The distribution it needs.
    modes : tuple of str
        Ways to enumerate; the first is the default.
    affordable : mapping
        Up to how many regions a mode can be asked for where methods are compared; modes that are
        not there take no part.
    """

    name: str
    capabilities: frozenset[Capability]
    package: str
    modes: tuple[str, ...]
    affordable: Mapping[str, int]

    def require(self) -> None:
        """Import the solver.

        Raises
        ------
        NotInstalledError
            If it is missing.
        """

    def search(
        self, formulation: Formulation, on_pattern: OnPattern, mode: str, deadline: Deadline
    ) -> Search:
        """Return an enumeration that has not begun."""
