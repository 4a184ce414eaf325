"""The region tree with one warm HiGHS LP for every side: the yardstick of the benchmarks.

It is what a careful user writes in an afternoon: depth first over the units, rows composed in
floating point, the interior point settles one side of a unit, and one linear program over the
inputs, maximising the margin, settles the other. It knows nothing of degenerate networks.
"""

import time
from dataclasses import dataclass, field

import highspy
import numpy as np

from milpcount.domain import InputSet
from milpcount.network import Network

Array = np.ndarray
LEAST_MARGIN = 1e-9


class _OutOfTime(Exception):
    pass


def count(network: Network, inputs: InputSet, limit_seconds: float) -> tuple[int, int, float, bool]:
    """Count activation regions of a ReLU network.

    Parameters
    ----------
    network : Network
    inputs : InputSet
        Boxed.
    limit_seconds : float

    Returns
    -------
    regions, lps : int
    seconds : float
    complete : bool
        False if the limit came first.
    """
    tree = _Tree(network, inputs, limit_seconds)
    began = time.perf_counter()
    try:
        tree.walk()
        complete = True
    except _OutOfTime:
        complete = False
    return tree.regions, tree.lps, time.perf_counter() - began, complete


@dataclass
class _Tree:
    network: Network
    inputs: InputSet
    limit: float
    regions: int = 0
    lps: int = 0
    model: highspy.Highs = field(default_factory=highspy.Highs)

    def walk(self) -> None:
        inputs, self.end = self.inputs, time.perf_counter() + self.limit
        self.width = inputs.upper - inputs.lower
        d = inputs.dimension
        self.model.setOptionValue("output_flag", False)
        self.model.setOptionValue("threads", 1)
        self.model.setOptionValue("presolve", "off")
        self.model.setOptionValue("primal_feasibility_tolerance", 1e-10)
        # Parameters scaled to [-1/2, 1/2], then the margin.
        self.model.addVars(d + 1, np.append(np.full(d, -0.5), -1.0), np.full(d + 1, 0.5))
        self.model.changeColCost(d, -1.0)
        self.columns = np.arange(d + 1, dtype=np.int32)
        middle = inputs.to_inputs(inputs.lower + self.width / 2)
        first = self.network.layers[0].affine
        slopes = first.weight @ (inputs.directions * self.width)
        self.visit(0, 0, slopes, first.weight @ middle + first.bias, [], np.zeros(d))

    def visit(
        self, layer: int, unit: int, slopes: Array, offsets: Array, active: list[bool], point: Array
    ) -> None:
        """Walk the subtree below the cell that holds `point`, units of `layer` from `unit` on."""
        if unit == len(offsets):
            if layer + 1 == len(self.network.layers):
                self.regions += 1
                return
            mask = np.array(active, dtype=float)
            affine = self.network.layers[layer + 1].affine
            below = affine.weight @ (slopes * mask[:, None])
            constant = affine.weight @ (offsets * mask) + affine.bias
            self.visit(layer + 1, 0, below, constant, [], point)
            return
        row, offset = slopes[unit], offsets[unit]
        length = float(np.linalg.norm(row))
        value = float(row @ point + offset)
        if length == 0.0:
            self.visit(layer, unit + 1, slopes, offsets, [*active, offset > 0], point)
            return
        for sign in (1, -1) if value > 0 else (-1, 1):
            basis = self.model.getBasis()
            coefficients = np.append(sign * row, -length)
            self.model.addRow(
                -sign * offset, highspy.kHighsInf, len(row) + 1, self.columns, coefficients
            )
            inner = point if sign * value > LEAST_MARGIN * length else self.solve()
            if inner is not None:
                self.visit(layer, unit + 1, slopes, offsets, [*active, sign > 0], inner)
            self.model.deleteRows(1, np.array([self.model.getNumRow() - 1], dtype=np.int32))
            self.model.setBasis(basis)

    def solve(self) -> Array | None:
        """Return the point of largest margin, None if no point has any."""
        if time.perf_counter() > self.end:
            raise _OutOfTime
        self.lps += 1
        self.model.run()
        if self.model.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        values = np.array(self.model.getSolution().col_value)
        return values[:-1] if values[-1] > LEAST_MARGIN else None
