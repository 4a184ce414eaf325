"""Programs that HiGHS solves again and again: warm linear ones, and mixed-integer ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from milpcount.errors import SolverError
from milpcount.exact.float_program import run
from milpcount.formulation import highs_model
from milpcount.formulation.highs_model import FEASIBILITY, SolveStatus
from milpcount.formulation.linear_program import LinearProgram, Row
from milpcount.preactivation.rounding import gamma
from milpcount.types import Array

# Without scaling and cost perturbation a warm solve of these programs takes less than half the
# time; the iteration limit is there because perturbation is what keeps the simplex from cycling.
FAST = {
    "simplex_scale_strategy": 0,
    "dual_simplex_cost_perturbation_multiplier": 0.0,
    "simplex_iteration_limit": 20_000,
}
CAREFUL = {
    "simplex_scale_strategy": 4,
    "dual_simplex_cost_perturbation_multiplier": 1.0,
    "simplex_iteration_limit": 2_000_000_000,
}
MIXED_INTEGER = {
    "mip_feasibility_tolerance": FEASIBILITY,
    # Solved again for every pattern, a program stops at its first solution, which the tree reaches
    # in a few nodes: what HiGHS does to find good ones took half of the time.
    "mip_detect_symmetry": False,
    "mip_heuristic_run_feasibility_jump": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_root_reduced_cost": False,
}


@dataclass(frozen=True, eq=False)
class Solution:
    """What a mixed-integer solve returned.

    Attributes
    ----------
    outcome : SolveStatus
    values : ndarray or None, shape (columns,)
        The best solution found.
    bound : float
        Proved upper bound on the objective.
    nodes : int
    """

    outcome: SolveStatus
    values: Array | None
    bound: float
    nodes: int


class _Model:
    def __init__(self, program: LinearProgram, *, relax: bool, **options: object) -> None:
        self.program = program
        self.added: list[Row] = []
        self.highs = highs_model.solver(**options)
        highs_model.load(self.highs, program, relax=relax)

    def add_rows(self, rows: Sequence[Row]) -> None:
        """Add rows, which hold from now on."""
        self.added += rows
        for row in rows:
            self.highs.addRow(
                row.lower,
                row.upper,
                row.columns.size,
                row.columns.astype(np.int32),
                row.coefficients.astype(np.float64),
            )

    def set_bounds(self, columns: Array, lower: Array, upper: Array) -> None:
        """Replace the bounds of some columns (int32 indices)."""
        self.highs.changeColsBounds(columns.size, columns, lower, upper)

    def values(self) -> Array:
        """Return the columns of the last solution."""
        return np.array(self.highs.getSolution().col_value)


class WarmLP(_Model):
    """The linear relaxation of a program, solved again and again from the last basis.

    Parameters
    ----------
    program : LinearProgram
        Integrality is dropped.

    Attributes
    ----------
    solves : int
        Linear programs solved so far.
    """

    def __init__(self, program: LinearProgram) -> None:
        super().__init__(program, relax=True, solver="simplex", **FAST)
        self.largest = program.times(np.ones(program.n_rows), absolute=True)
        self.solves = 0

    def solve(self) -> SolveStatus:
        """Solve and return OPTIMAL or INFEASIBLE.

        Raises
        ------
        SolverError
            If HiGHS gives neither, even from a cold start.
        """
        self.solves += 1
        outcome = self._run()
        if outcome not in (SolveStatus.OPTIMAL, SolveStatus.INFEASIBLE):
            outcome = self._careful()
        if outcome not in (SolveStatus.OPTIMAL, SolveStatus.INFEASIBLE):
            raise SolverError(
                f"HiGHS ended a bounded linear program of {self.highs.getNumRow()} rows with "
                f"status {self.highs.getModelStatus().name!r}: rescale the network's weights or "
                "its domain"
            )
        return outcome

    def infeasible_within(self, lower: Array, upper: Array) -> bool:
        """Return whether the last solve's Farkas multipliers rule out other column bounds too.

        Parameters
        ----------
        lower, upper : ndarray, shape (columns,)
            Finite.

        Returns
        -------
        bool
            True is a proof, rounding included; False says nothing. Call it after INFEASIBLE only.
        """
        _, found, ray = self.highs.getDualRay()
        if not found:
            return False
        y, program = np.asarray(ray), self.program
        low = np.concatenate([program.row_lower, [row.lower for row in self.added]])
        high = np.concatenate([program.row_upper, [row.upper for row in self.added]])
        y = np.where(np.isfinite(np.where(y > 0, low, high)), y, 0.0)
        sides = np.where(y == 0, 0.0, y * np.where(y > 0, low, high))
        sums, sizes = program.times(y[: program.n_rows]), np.abs(y).max() * self.largest
        for row, weight in zip(self.added, y[program.n_rows :], strict=True):
            np.add.at(sums, row.columns, weight * row.coefficients)
            np.add.at(sizes, row.columns, np.abs(weight * row.coefficients))
        most = np.maximum(sums * lower, sums * upper).sum()
        reach = sizes @ np.maximum(np.abs(lower), np.abs(upper)) + np.abs(sides).sum()
        return bool(most < sides.sum() - gamma(y.size + sums.size) * reach)

    def _careful(self) -> SolveStatus:
        self.highs.clearSolver()
        for name in FAST:
            self.highs.setOptionValue(name, CAREFUL[name])
        outcome = self._run()
        for name, value in FAST.items():
            self.highs.setOptionValue(name, value)
        return outcome

    def _run(self) -> SolveStatus:
        run(self.highs)
        return highs_model.outcome(self.highs.getModelStatus())


class MixedInteger(_Model):
    """A mixed-integer program that is solved again as rows are added.

    Parameters
    ----------
    program : LinearProgram
    """

    inline = False

    def __init__(self, program: LinearProgram) -> None:
        super().__init__(program, relax=False, **MIXED_INTEGER)
        self.highs.HandleUserInterrupt = True
        self.solves = 0

    def cancel(self) -> None:
        """Make a solve in another thread return soon, with outcome INTERRUPTED."""
        self.highs.cancelSolve()

    def solve(self, seconds: float = np.inf) -> Solution:
        """Solve within a time limit.

        Raises
        ------
        SolverError
            If HiGHS fails.
        """
        self.solves += 1
        # HiGHS adds up its run times, and the limit is on the sum.
        self.highs.setOptionValue("time_limit", self.highs.getRunTime() + seconds)
        self.highs.run()
        outcome = highs_model.outcome(self.highs.getModelStatus())
        if outcome is SolveStatus.FAILED:
            raise SolverError(
                f"HiGHS failed with status {self.highs.getModelStatus().name!r} on a MILP of "
                f"{self.highs.getNumRow()} rows"
            )
        info = self.highs.getInfo()
        found = info.primal_solution_status == 2  # kSolutionStatusFeasible
        return Solution(
            outcome,
            self.values() if found else None,
            float(info.mip_dual_bound),
            max(0, int(info.mip_node_count)),
        )
