"""Float64 values with bounds on their errors: signs that are certain, for many points at once.

The bounds are those of `milpcount.preactivation.rounding`. What is not certain is left to exact
arithmetic, so a bound that is too large costs time and never truth.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from milpcount.network import Network, Part, propagate
from milpcount.preactivation.rounding import ROUNDOFF, UNDERFLOW, gamma
from milpcount.types import Array

_SLACK = 1.0 + 1e-9
"""More than the roundings of a sum of at most 10^6 bounds, none of them negative."""


class Values(NamedTuple):
    """Numbers and bounds on their errors, shape (k, n) both."""

    values: Array
    errors: Array


class CertainRows:
    """The branch rows of a network at points, with bounds on their errors.

    Parameters
    ----------
    network : Network
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.starts = [0, *np.cumsum(network.widths).tolist()]
        self.magnitudes = [abs(affine.matrix) for affine in network.maps]

    def at(self, points: Array, patterns: Array | None = None) -> tuple[Values, Array]:
        """Return the branch rows of all units at points, and the pieces that units are on.

        Parameters
        ----------
        points : ndarray, shape (k, n_inputs)
            Float64 points, exactly.
        patterns : ndarray of int, shape (k, units), optional
            The pieces whose affine functions are evaluated; by default those that the points seem
            to be on, which is certain where no error bound reaches zero.

        Returns
        -------
        rows : Values
            Shape (k, rows), layer by layer.
        patterns : ndarray of int, shape (k, units)
        """
        rule = _Rule(self, patterns)
        with np.errstate(all="ignore"):  # what overflows has no bound, and is not certain
            propagate(self.network, Values(points, np.zeros_like(points)), rule, to_output=False)
        rows = Values(
            np.concatenate([r.values for r in rule.rows], axis=1),
            np.concatenate([r.errors for r in rule.rows], axis=1),
        )
        return rows, np.concatenate(rule.pieces, axis=1)


class _Rule:
    """The rule of values with bounds on their errors."""

    def __init__(self, of: CertainRows, patterns: Array | None) -> None:
        self._of, self._patterns = of, patterns
        self.rows: list[Values] = []
        self.pieces: list[Array] = []

    def take(self, values: Values, which: Array) -> Values:
        return Values(values.values[:, which], values.errors[:, which])

    def affine(self, number: int, parts: Sequence[Part[Values]]) -> Values:
        given = np.concatenate([part.value.values for part in parts], axis=1)
        errors = np.concatenate([part.value.errors for part in parts], axis=1)
        affine, sizes = self._of.network.maps[number], self._of.magnitudes[number]
        # Every product takes part in at most n_in sums; a nearest weight is off by one more.
        relative = gamma(affine.n_in + 2)
        values = _product(affine.matrix, given) + affine.bias
        scale = _product(sizes, np.abs(given)) + np.abs(affine.bias)
        bound = _product(sizes, errors) * (1 + relative) + relative * scale
        return Values(values, bound * _SLACK + (affine.n_in + 1) * UNDERFLOW)

    def activate(self, number: int, values: Values) -> Values:
        layer = self._of.network.layers[number]
        table = layer.table
        first, second = table.first, np.maximum(table.second, 0)
        pair = table.second >= 0
        against = np.where(pair, values.values[:, second], 0.0)
        rows = values.values[:, first] - against - table.threshold
        errors = values.errors[:, first] + np.where(pair, values.errors[:, second], 0.0)
        errors = errors + 4 * ROUNDOFF * (
            np.abs(values.values[:, first]) + np.abs(against) + np.abs(table.threshold)
        )
        self.rows.append(Values(rows, errors * _SLACK + UNDERFLOW))
        if self._patterns is None:
            pieces = layer.pieces_at(values.values)
        else:
            start, stop = self._of.starts[number : number + 2]
            pieces = self._patterns[:, start:stop].astype(np.int64)
        self.pieces.append(pieces)
        kinds = table.kind + pieces
        at = table.start + table.value[kinds]
        slope, intercept = table.slope[kinds], table.intercept[kinds]
        chosen = np.take_along_axis(values.values, at, axis=1)
        error = np.take_along_axis(values.errors, at, axis=1)
        out = slope * chosen + intercept
        bound = np.abs(slope) * error + 4 * ROUNDOFF * (np.abs(slope * chosen) + np.abs(intercept))
        gate = (intercept == 0) & ((slope == 0) | (slope == 1))
        bound = np.where(gate, np.abs(slope) * error, bound * _SLACK + UNDERFLOW)
        return Values(out, np.where(slope == 0, np.where(gate, 0.0, bound), bound))


def _product(matrix: Any, values: Array) -> Array:
    return np.asarray((matrix @ values.T).T)
