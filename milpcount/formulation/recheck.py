"""The exact second opinion on patterns that floating point cannot decide."""

from functools import cached_property

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.geometry import Rows
from milpcount.exact.program import attained, decide
from milpcount.exact.rows import ExactNetwork
from milpcount.network import Network

Array = np.ndarray


class Recheck:
    """Decides cells in rational arithmetic, every weight taken at its float64 value.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    strict : bool
        Whether inactive units too must be strictly off their boundary: full-dimensional cells.
        Otherwise cells that are attained anywhere.
    """

    def __init__(self, network: Network, inputs: InputSet, strict: bool) -> None:
        self.network, self.inputs, self.strict = network, inputs, strict

    @cached_property
    def exact(self) -> ExactNetwork:
        """The network in integers, made when it is first needed: most networks never need it."""
        return ExactNetwork(self.network, self.inputs)

    def vanishes(self, layer: int, unit: int, states: Array) -> bool:
        """Return whether a unit is identically zero under the states of the layers above it."""
        return bool(self.exact.unit_rows(layer, unit, states.tolist()).is_zero()[0])

    def cell(self, states: Array, bounding: Array) -> Array | None:
        """Return a point of the cell of the first units' states, None if there is none.

        Parameters
        ----------
        states : ndarray of int, shape (k,)
            0 or 1 for each of the first k units.
        bounding : ndarray of bool, shape (k,)
            Which of them bound the cell; stable and vanishing ones do not.

        Returns
        -------
        ndarray or None, shape (d,)
            The parameters nearest to an exact point; they may lie on the cell's border.
        """
        inputs = self.exact.inputs
        rows = Rows.stack([*self._unit_rows(states, bounding), inputs.rows])
        active = states[bounding] == 1
        signs = [*np.where(active, 1, -1).tolist(), *[1] * len(inputs.rows)]
        if self.strict:
            verdict = decide(rows, signs, inputs.box)
        else:
            strict = [*active.tolist(), *[False] * len(inputs.rows)]
            verdict = attained(rows, signs, strict, inputs.box)
        return None if verdict.witness is None else verdict.witness.floats()

    def _unit_rows(self, states: Array, bounding: Array) -> list[Rows]:
        parts, pattern = [], states.tolist()
        for layer, start in enumerate(self.exact.starts[:-1]):
            end = min(self.exact.starts[layer + 1], len(pattern))
            if end > start:
                rows = self.exact.rows(layer, pattern)
                parts.append(rows.take(np.flatnonzero(bounding[start:end]).tolist()))
        return parts
