"""SCIP counts the patterns by itself, without naming them.

SCIP's counting (`countsols`; Achterberg, Heinz and Koch 2008) counts the assignments of the integer
variables that the rest of the program can be completed for. So of the big-M program it counts the
z, whatever the continuous columns are, which is what is wanted. It takes cells within its
tolerance, though, and cannot be asked which, so none is confirmed on the network. Two programs are
therefore counted: one whose units keep a distance of `LEAST_MARGIN`, whose count is a lower bound,
and one whose units may be 0 on either side, which leaves out no pattern, whose count is an upper
bound. On generic networks both are the same; on structured ones the faces make the difference.
"""

from collections.abc import Generator, Iterator
from typing import Any

from milpcount.backends.pyscipopt_model import Model
from milpcount.enumeration.no_good import LEAST_MARGIN, feasibility_program
from milpcount.enumeration.search import SearchState
from milpcount.formulation.formulate import Formulation
from milpcount.limits import Deadline


class NativeCount:
    """A count by SCIP itself; see the module's text.

    Parameters
    ----------
    formulation : Formulation
        In the form of its quantity: two-sided for regions, one-sided for patterns.
    deadline : Deadline
    """

    def __init__(self, formulation: Formulation, deadline: Deadline) -> None:
        self.formulation, self.deadline = formulation, deadline
        self.state = SearchState()

    def run(self) -> Iterator[SearchState]:
        """Yield the state while SCIP counts, and at the end.

        Raises
        ------
        SolverError
            If SCIP fails.
        """
        for margin in (LEAST_MARGIN, 0.0):
            count = _Counting(self._model(margin), self.state, lower=margin > 0)
            self.state.milps += 1
            if not (yield from count.run()):
                break
        else:
            self.state.exhausted = True
        yield self.state

    def _model(self, margin: float) -> Model:
        columns, program = self.formulation.columns, feasibility_program(self.formulation, margin)
        return Model(program.rescaled(columns.shift, columns.scale), self.deadline)


class _Counting:
    def __init__(self, model: Model, state: SearchState, *, lower: bool) -> None:
        self.model, self.state, self.lower = model, state, lower
        self.counted = 0
        scip = model.scip
        scip.setParamsCountsols()
        scip.setParam("constraints/countsols/active", True)
        scip.includeEventhdlr(_watch(model.module, self._look), "progress", "reads the count")

    def run(self) -> Generator[SearchState, None, bool]:
        """Yield the state while SCIP counts; return whether it has counted everything."""
        yield from self.model.run(self.state)
        complete = self.model.complete()
        self._look(int(self.model.scip.getNCountedSols()))
        if complete and not self.lower:
            self.state.most = self.counted
        return complete

    def _look(self, counted: int) -> None:
        self.counted = counted
        if self.lower:
            self.state.counted = counted


def _watch(module: Any, look: Any) -> Any:
    """Return an event handler that reads the count at every node, in SCIP's thread."""

    class Watch(module.Eventhdlr):  # type: ignore[misc]
        def eventinit(self) -> None:
            self.model.catchEvent(module.SCIP_EVENTTYPE.NODESOLVED, self)

        def eventexit(self) -> None:
            self.model.dropEvent(module.SCIP_EVENTTYPE.NODESOLVED, self)

        def eventexec(self, event: Any) -> None:
            look(int(self.model.getNCountedSols()))

    return Watch()
