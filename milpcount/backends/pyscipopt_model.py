"""A program in SCIP through PySCIPOpt, solved in a thread of its own."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from milpcount import optional
from milpcount.backends.scip_search import (
    BOOL_SETTINGS,
    INT_SETTINGS,
    REAL_SETTINGS,
    bounded,
    in_a_thread,
)
from milpcount.enumeration.search import SearchState
from milpcount.errors import SolverError
from milpcount.formulation.linear_program import LinearProgram, Row
from milpcount.limits import Deadline

ENDED = {
    "infeasible": True,
    "inforunbd": True,
    "timelimit": False,
    "userinterrupt": False,
}
"""Every status that a search without accepted solutions may end in, and whether it is complete; the
program is bounded."""
SETTINGS = {
    **REAL_SETTINGS,
    **BOOL_SETTINGS,
    **INT_SETTINGS,
    "misc/catchctrlc": False,  # Ctrl-C belongs to Python
    # A restart would presolve again what solutions were cut off by.
    "presolving/maxrestarts": 0,
}


def pyscipopt() -> Any:
    """Return the module.

    Raises
    ------
    NotInstalledError
        If it is missing, or cannot be loaded.
    """
    return optional.require("pyscipopt", "the backend 'pyscipopt'", extra="scip")


class Model:
    """A program in SCIP, solved in a thread of its own.

    Parameters
    ----------
    program : LinearProgram
    deadline : Deadline
    settings : mapping, optional
        Of SCIP, beside `SETTINGS`.

    Attributes
    ----------
    scip : pyscipopt.Model
    variables : list
        In the order of the columns.
    """

    def __init__(
        self, program: LinearProgram, deadline: Deadline, settings: Mapping[str, Any] | None = None
    ) -> None:
        self.module, self.deadline = pyscipopt(), deadline
        self.scip = self.module.Model()
        self.scip.hideOutput()
        self.scip.setParams({**SETTINGS, **(settings or {})})
        columns = zip(program.lower, program.upper, program.integer, strict=True)
        self.variables = [
            self.scip.addVar(lb=float(low), ub=float(high), vtype=_kind(low, high, integer))
            for low, high, integer in columns
        ]
        for i in range(program.n_rows):
            self.add(program.row(i))

    def add(self, row: Row) -> None:
        """Add a row, before the search or while it runs."""
        total = self.module.quicksum(
            value * self.variables[k]
            for value, k in zip(row.coefficients.tolist(), row.columns, strict=True)
        )
        self.scip.addCons(bounded(total, row))

    def run(self, state: SearchState) -> Iterator[SearchState]:
        """Yield the state while SCIP searches; closing the iterator stops the search."""
        left = self.deadline.remaining()
        if np.isfinite(left):
            self.scip.setParam("limits/time", max(left, 1e-3))
        yield from in_a_thread(self.scip.optimizeNogil, self.scip.interruptSolve, state)
        state.nodes += int(self.scip.getNTotalNodes())

    def complete(self) -> bool:
        """Return whether the search has ended by itself.

        Raises
        ------
        SolverError
            If SCIP has failed.
        """
        status = str(self.scip.getStatus())
        if status not in ENDED:
            raise SolverError(
                f"SCIP ended with {status!r} although every solution was cut off: count with the "
                "backend 'highs'"
            )
        return ENDED[status]


def _kind(low: float, high: float, integer: bool) -> str:
    """Return SCIP's name of a kind of column; the columns that take up parities reach beyond 1."""
    if not integer:
        return "C"
    return "B" if low >= 0 and high <= 1 else "I"
