"""The steps of a `Network`, in float64 with bounds on every error."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from milpcount.domain import InputSet
from milpcount.network import Affine, Network, Source
from milpcount.preactivation.rounding import UNDERFLOW, gamma, support
from milpcount.sections.arrays import NumpyArrays
from milpcount.sections.program import Program, Step
from milpcount.types import Array


def program_of(network: Network, inputs: InputSet) -> Program:
    """Return the steps of a network on a set of one or two parameters.

    Values are named by numbers: 0 is the input, k the outputs of layer k, and ``("v", k)`` what
    comes out of its affine map.
    """
    steps = []
    for number, layer in enumerate(network.layers, start=1):
        sources, values = network.sources[number - 1], ("v", number)
        affine = LayerMap(layer.affine, sources)
        steps.append(Step(values, tuple(source.number for source in sources), affine))
        steps.append(Step(number, (values,), None, layer.groups, layer.width))
    return Program(NumpyArrays(), tuple(steps), SectionInputs(inputs))


class LayerMap:
    """A layer's affine map on the outputs of its sources.

    With a weight of n terms a row, what is computed is off by at most ``gamma(n)`` times the sum of
    the terms' absolute values, and errors e of the inputs add ``|weight| e``: together
    ``|weight| (e + gamma |x|) + gamma |bias|``, one more product. See
    `milpcount.preactivation.rounding`.
    """

    def __init__(self, affine: Affine, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._matrix, self._bias = affine.matrix, affine.bias
        self._absolute: Any = None
        marks = support(self._matrix)
        self._support = marks
        terms = int(np.asarray(marks.sum(axis=1)).max(initial=0)) + 1
        # A composite map's numbers are off by half a unit in the last place themselves.
        self._gamma = gamma(terms + (1 if affine.is_rounded else 0))

    def __call__(self, values: Sequence[Array]) -> Array:
        """Return ``weight @ x + bias``, shape (points, n_out)."""
        return np.asarray(_times(self._matrix, self._joined(values)) + self._bias)

    quick = __call__

    def error(self, values: Sequence[Array], errors: Sequence[Array]) -> Array:
        """Return what bounds its error."""
        x, e = np.abs(self._joined(values)), self._joined(errors)
        if self._absolute is None:
            self._absolute = abs(self._matrix)
        found = _times(self._absolute, e * (1.0 + 4 * self._gamma) + self._gamma * x)
        found += self._gamma * np.abs(self._bias)
        # The product above is rounded itself; products that underflow lose besides, where there
        # are any: a sum of nothing but zeros is exact.
        terms = _times(self._support, (x != 0).astype(np.float64)) > 0
        return np.where(terms, found * (1.0 + self._gamma) + UNDERFLOW, found)

    def _joined(self, values: Sequence[Array]) -> Array:
        parts = [
            v if source.local is None else v[:, source.local]
            for source, v in zip(self._sources, values, strict=True)
        ]
        return np.asarray(parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1))


@dataclass(frozen=True, eq=False)
class SectionInputs:
    """The inputs ``origin + directions @ t`` of a set, at its corners."""

    inputs: InputSet

    def __call__(self, t: Array) -> tuple[Array, Array]:
        """Return the inputs at parameters of shape (points, d), and bounds on their errors."""
        origin, directions = self.inputs.origin, self.inputs.directions
        x = origin + t @ directions.T
        size = np.abs(origin) + np.abs(t) @ np.abs(directions).T
        error = gamma(t.shape[1] + 3) * size
        exact = self.inputs.exact is None and self._is_exact(t, x)
        return x, np.zeros_like(x) if exact else error + np.where(size > 0, UNDERFLOW, 0.0)

    def _is_exact(self, t: Array, x: Array) -> bool:
        """Whether every input is one number as it is: an axis, or a corner at zero."""
        one = self.inputs.directions
        plain = ((one == 0) | (one == 1)).all() and ((one != 0).sum(axis=1) <= 1).all()
        moved = (one != 0).any(axis=1)
        return bool(plain and not self.inputs.origin[moved].any())


def _times(matrix: Any, x: Array) -> Array:
    if isinstance(matrix, np.ndarray):
        return np.asarray(x @ matrix.T)
    return np.ascontiguousarray((matrix @ x.T).T)
