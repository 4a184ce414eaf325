"""What a backend is: a way to enumerate the patterns of a formulation, and what it can do."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np

from milpcount.formulation.formulate import Formulation
from milpcount.formulation.linear_program import Row
from milpcount.limits import Deadline

Array = np.ndarray


class Capability(Enum):
    """What a backend can do; the value is the sentence for people."""

    REAL_COEFFICIENTS = "takes real-valued networks"
    ENUMERATION = "finds every pattern in one search"
    LAZY_ROWS = "takes rows while it searches"
    RESTARTS = "takes rows by solving again"


class Stop(Enum):
    """The answer of a solution callback that has seen enough."""

    STOP = "stop"


STOP = Stop.STOP
OnSolution = Callable[[tuple[int, ...], Array], "Sequence[Row] | Stop | None"]
"""Called with (pattern, input point) for every pattern found; what it returns as rows is enforced
from then on, STOP ends the search, None lets it go on."""


@dataclass
class SearchState:
    """How far a search has come; one object that is updated.

    Attributes
    ----------
    solutions : int
        Patterns found and confirmed.
    nodes, lps, milps : int
        Nodes processed, linear programs and mixed-integer programs solved.
    borderline : int
        Cells that floating point could not decide and exact arithmetic did.
    rejected : int
        Patterns the solver proposed within its tolerances and the cell's own test refused.
    rows : int
        Rows added by the callback.
    share : float or None
        Share of the search that is closed.
    stopped : bool
        Whether the callback stopped it.
    exhausted : bool
        Whether nothing is left to search.
    """

    solutions: int = 0
    nodes: int = 0
    lps: int = 0
    milps: int = 0
    borderline: int = 0
    rejected: int = 0
    rows: int = 0
    share: float | None = None
    stopped: bool = False
    exhausted: bool = False


class Search(Protocol):
    """An enumeration under way."""

    state: SearchState

    def run(self) -> Iterator[SearchState]:
        """Yield the state every fraction of a second, and when the search has ended.

        It ends when it is exhausted, when the callback stops it, or at the deadline.
        """


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
    """

    name: str
    capabilities: frozenset[Capability]
    package: str
    modes: tuple[str, ...]

    def search(
        self, formulation: Formulation, on_solution: OnSolution, mode: str, deadline: Deadline
    ) -> Search:
        """Return an enumeration that has not begun."""
