"""Bounds on pre-activations by interval arithmetic, rounded outward: the rule of the walk.

One formula bounds the error of every affine map. A row's value is a sum of products over all that
it reads, and its bias. A term goes through n roundings in the row's sum over n inputs (its product
among them), one where the positive and the negative weights meet, one for every source that the
layer reads, one with the bias, and those that what is read brings along (`Range.depth`); where the
map itself is a product rounded once (`Affine.is_rounded`), one more. `gamma` of that number times
the sum of the absolute values bounds the error, and a constant what underflows; see
`milpcount.preactivation.rounding`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from milpcount.domain import InputSet
from milpcount.limits import tick
from milpcount.network import Network, Part, propagate, values_of
from milpcount.preactivation.outputs import output_range
from milpcount.preactivation.ranges import Box, Range, start_of
from milpcount.preactivation.record import PreActivationBounds
from milpcount.preactivation.rounding import gamma, known
from milpcount.types import Array


class Intervals:
    """The rule of intervals: boxes of numbers, and the input on a section.

    Parameters
    ----------
    network : Network
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    def take(self, values: Range, which: Array) -> Range:
        """Return some of the numbers."""
        return values.take(which)

    def affine(self, number: int, parts: Sequence[Part[Range]]) -> Box:
        """Return the range of what comes out of an affine map."""
        tick()
        affine = self._network.maps[number]
        terms = affine.n_in + len(parts) + int(affine.is_rounded)
        with np.errstate(over="ignore", invalid="ignore"):
            lower, upper = np.zeros(affine.n_out), np.zeros(affine.n_out)
            size, lost = np.abs(affine.bias), np.zeros(affine.n_out)
            for part in parts:
                whole = len(parts) == 1
                weight = affine.matrix if whole else affine.matrix[:, part.source.columns]
                found = part.value.times(weight)
                terms += part.value.depth
                lower, upper = lower + found.lower, upper + found.upper
                size, lost = size + found.size, lost + found.lost
            error = gamma(terms) * size + lost
            # A row without products is its bias, as it is.
            error = np.where((lost == 0) & (not affine.is_rounded), 0.0, error)
            return Box(*known(lower + affine.bias - error, upper + affine.bias + error))

    def activate(self, number: int, values: Range) -> Box:
        """Return the range of a layer's outputs."""
        assert isinstance(values, Box)
        return Box(*output_range(self._network.layers[number], values.low, values.high))


def interval_bounds(
    network: Network, inputs: InputSet, parameters: tuple[Array, Array] | None = None
) -> PreActivationBounds:
    """Return bounds on all pre-activations by interval arithmetic.

    Parameters
    ----------
    network : Network
        Any graph, of any activations.
    inputs : InputSet
        Also unbounded: what depends on an unbounded parameter may be infinite.
    parameters : (ndarray, ndarray), optional
        Tighter bounds on the set's parameters than its own.

    Returns
    -------
    PreActivationBounds
        Sound: rounding is accounted for.
    """
    walk = propagate(network, start_of(inputs, parameters), Intervals(network))
    boxes = [box for box in walk.values[: len(network.layers)] if isinstance(box, Box)]
    return PreActivationBounds(tuple(b.low for b in boxes), tuple(b.high for b in boxes))


def carried_forward(
    network: Network,
    inputs: InputSet,
    bounds: PreActivationBounds,
    index: int,
    parameters: tuple[Array, Array] | None = None,
) -> PreActivationBounds:
    """Return bounds tightened by what those of layer `index` say of the layers after it.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    bounds : PreActivationBounds
        Sound ones.
    index : int
    parameters : (ndarray, ndarray), optional
        As in `interval_bounds`.
    """
    rule, lower, upper = Intervals(network), list(bounds.lower), list(bounds.upper)
    outputs: dict[int, Range] = {}

    def output(source: int) -> Range:
        if source not in outputs:
            outputs[source] = (
                start_of(inputs, parameters)
                if source == 0
                else rule.activate(source - 1, Box(lower[source - 1], upper[source - 1]))
            )
        return outputs[source]

    for k in range(index + 1, len(network.layers)):
        found = values_of(network, k, output, rule)
        assert isinstance(found, Box)
        lower[k], upper[k] = np.maximum(lower[k], found.low), np.minimum(upper[k], found.high)
    return replace(bounds, lower=tuple(lower), upper=tuple(upper))
