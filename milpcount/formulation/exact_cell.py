"""The exact second opinion on patterns that floating point cannot decide."""

from functools import cached_property

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.geometry import Rows
from milpcount.exact.program import attained, decide
from milpcount.exact.rows import ExactNetwork
from milpcount.network import Network
from milpcount.types import Array


class Recheck:
    """Decides cells in rational arithmetic, every weight taken at its float64 value.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    strict : bool
        Whether rows that are asked not to be positive must be negative: full-dimensional cells.
        Otherwise cells that are attained anywhere.
    """

    def __init__(self, network: Network, inputs: InputSet, strict: bool) -> None:
        self.network, self.inputs, self.strict = network, inputs, strict

    @cached_property
    def exact(self) -> ExactNetwork:
        """The network in integers, made when it is first needed: most networks never need it."""
        return ExactNetwork(self.network, self.inputs)

    def vanishing(self, layer: int, unit: int, pattern: Array) -> Array:
        """Return which branch rows of a unit are identically zero under the units above it."""
        return np.asarray(self.exact.unit_rows(layer, unit, pattern.tolist()).is_zero())

    def cell(self, pattern: Array, signs: Array) -> Array | None:
        """Return a point of the cell of the first units' pieces, None if there is none.

        Parameters
        ----------
        pattern : ndarray of int, shape (k,)
            Pieces of the first k units.
        signs : ndarray of int, shape (branch rows of the network,)
            What is asked of the rows that bound the cell, 0 for the others.

        Returns
        -------
        ndarray or None, shape (d,)
            The parameters nearest to an exact point; they may lie on the cell's border.
        """
        inputs, first = self.exact.inputs, 0
        parts, asked = [], list[int]()
        for index, layer in enumerate(self.network.layers):
            own = signs[first : first + int(layer.row_starts[-1])]
            first += own.size
            used = np.flatnonzero(own)
            if used.size:
                parts.append(self.exact.rows(index, pattern.tolist()).take(used.tolist()))
                asked += own[used].tolist()
        rows = Rows.stack([*parts, inputs.rows])
        every = [*asked, *[1] * len(inputs.rows)]
        if self.strict:
            verdict = decide(rows, every, inputs.box)
        else:
            strict = [*(sign > 0 for sign in asked), *[False] * len(inputs.rows)]
            verdict = attained(rows, every, strict, inputs.box)
        return None if verdict.witness is None else verdict.witness.floats()
