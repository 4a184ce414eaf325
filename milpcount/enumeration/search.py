"""What a search for patterns takes and gives back: callbacks, rows and parities, its state."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import combinations
from typing import Any, Protocol

import numpy as np

from milpcount.errors import OptionError
from milpcount.formulation.linear_program import Row
from milpcount.types import Array


class Stop(Enum):
    """The answer of a solution callback that has seen enough."""

    STOP = "stop"


STOP = Stop.STOP
_LONGEST_PARITY = 12


@dataclass(frozen=True)
class Parity:
    """The constraint that an odd (or even) number of z columns is 1.

    Attributes
    ----------
    columns : tuple of int
        Distinct z columns.
    odd : bool
    """

    columns: tuple[int, ...]
    odd: bool = True

    def rows(self) -> list[Row]:
        """Return the 2^(k-1) rows that cut off the points of the other parity.

        Raises
        ------
        OptionError
            If there are more than 12 columns.
        """
        k = len(self.columns)
        if k > _LONGEST_PARITY:
            raise OptionError(
                f"a parity of {k} columns would be 2^{k - 1} rows: take at most {_LONGEST_PARITY} "
                "columns, or a backend that takes parities as they are, such as 'cpsat'"
            )
        where, found = np.array(self.columns, dtype=np.int32), []
        for size in range(1 if not self.odd else 0, k + 1, 2):
            for ones in combinations(range(k), size):
                signs = np.full(k, -1.0)
                signs[list(ones)] = 1.0
                found.append(Row(where, signs, -np.inf, float(size - 1)))
        return found

    def row(self, spare: int) -> Row:
        """Return one row that says the same by an integer column: ``sum z - 2 y = odd``.

        Its relaxation says nothing, while `rows` are the convex hull.

        Parameters
        ----------
        spare : int
            A column that no other row has; see `formulation.formulate.with_integers`.
        """
        values = np.append(np.ones(len(self.columns)), -2.0)
        where = np.array([*self.columns, spare], dtype=np.int32)
        return Row(where, values, float(self.odd), float(self.odd))

    def holds(self, pattern: Array) -> bool:
        """Return whether a vector of all columns has the parity."""
        return bool(np.rint(pattern[list(self.columns)]).sum() % 2 == self.odd)


Constraint = Row | Parity
OnSolution = Callable[[tuple[int, ...], Array], "Sequence[Row] | Stop | None"]
"""Called with (pattern, input point) for every pattern found; what it returns as rows is enforced
from then on, STOP ends the search, None lets it go on."""
OnPattern = Callable[[tuple[int, ...], Array], "Sequence[Constraint] | Stop | None"]
"""The same, with parities among the rows."""


def with_rows(on_pattern: OnPattern) -> OnSolution:
    """Return the callback with every parity written as rows."""

    def on_solution(pattern: tuple[int, ...], point: Array) -> Sequence[Row] | Stop | None:
        answer = on_pattern(pattern, point)
        if answer is None or isinstance(answer, Stop):
            return answer
        parts = [one.rows() if isinstance(one, Parity) else [one] for one in answer]
        return [row for part in parts for row in part]

    return on_solution


@dataclass
class SearchState:
    """How far a search has come; one object that is updated.

    Attributes
    ----------
    solutions : int
        Patterns found and confirmed.
    counted : int
        Patterns that the solver has counted by itself, without naming them.
    most : int or None
        Its upper bound on their number, where it has one.
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
    details : dict
        What else the backend has counted, JSON types.
    """

    solutions: int = 0
    counted: int = 0
    most: int | None = None
    nodes: int = 0
    lps: int = 0
    milps: int = 0
    borderline: int = 0
    rejected: int = 0
    rows: int = 0
    share: float | None = None
    stopped: bool = False
    exhausted: bool = False
    details: dict[str, Any] = field(default_factory=dict)


class Search(Protocol):
    """An enumeration under way."""

    state: SearchState

    def run(self) -> Iterator[SearchState]:
        """Yield the state every fraction of a second, and when the search has ended.

        It ends when it is exhausted, when the callback stops it, or at the deadline.
        """
