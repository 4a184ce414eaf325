"""Units as affine functions of the input on a cell, in float64 with a running error bound.

Under a fixed pattern of the layers before it, a unit's pre-activation is an affine function of
the parameters. The parameters are scaled to the unit box, so that lengths of gradients measure
distances in input space. Each row carries a bound on what rounding has done to it: "identically
zero" is decided against that bound (and then exactly), never against 0.0. The bounds cover products
that underflow, and a number that has overflowed passes no test.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from milpcount.domain import InputSet
from milpcount.formulation.parameters import parameter_box
from milpcount.formulation.units import two_pieces
from milpcount.network import Network
from milpcount.preactivation.rounding import UNDERFLOW, gamma

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class LayerRows:
    """The rows ``slopes @ s + offsets`` of a layer, s in the unit box.

    Attributes
    ----------
    slopes : ndarray, shape (units, d)
    offsets : ndarray, shape (units,)
    slope_error, offset_error : ndarray, shape (units,)
        Bounds on the rounding error of every entry of a row.
    """

    slopes: Array
    offsets: Array
    slope_error: Array
    offset_error: Array

    @cached_property
    def norms(self) -> Array:
        """Euclidean lengths of the gradients, shape (units,)."""
        return np.asarray(np.sqrt(np.einsum("ij,ij->i", self.slopes, self.slopes)))

    @cached_property
    def largest(self) -> Array:
        """Largest absolute entry of each gradient, shape (units,)."""
        return np.asarray(np.abs(self.slopes).max(axis=1, initial=0.0))

    @cached_property
    def may_vanish(self) -> Array:
        """Which rows rounding cannot tell from the zero function, shape (units,)."""
        differs = (self.largest > self.slope_error) | (np.abs(self.offsets) > self.offset_error)
        return np.asarray(~differs)

    @cached_property
    def value_error(self) -> Array:
        """Bound on the rounding error of `at`, shape (units,)."""
        d = self.slopes.shape[1]
        size = d * self.largest + np.abs(self.offsets)
        return np.asarray(d * self.slope_error + self.offset_error + gamma(d) * size)

    @cached_property
    def constant_sign(self) -> Array:
        """Sign of each row where it is the same on the whole box, else 0, shape (units,)."""
        low = self.offsets + np.minimum(self.slopes, 0).sum(axis=1) - self.value_error
        high = self.offsets + np.maximum(self.slopes, 0).sum(axis=1) + self.value_error
        return np.where(low > 0, 1, np.where(high < 0, -1, 0))

    def at(self, s: Array) -> Array:
        """Return the rows at a point of the unit box, shape (units,)."""
        return np.asarray(self.slopes @ s + self.offsets)


class Composer:
    """Composes the rows of a layer from those of the layer before and its pattern.

    Parameters
    ----------
    network : Network
        A chain, with activations of two pieces.
    inputs : InputSet
        Bounded.
    """

    def __init__(self, network: Network, inputs: InputSet) -> None:
        self.network, self.inputs = network, inputs
        self.units = two_pieces(network)
        self.low, high = parameter_box(inputs)
        self.width = high - self.low
        self.absolute = [np.abs(layer.affine.weight) for layer in network.layers]

    def scaled(self, t: Array) -> Array:
        """Return parameters as points of the unit box, clipped to it."""
        return np.asarray(np.clip((t - self.low) / self.width, 0.0, 1.0))

    def parameters(self, s: Array) -> Array:
        """Return the parameters of a point of the unit box."""
        return np.asarray(self.low + self.width * s)

    def first(self) -> LayerRows:
        """Return the rows of the first layer."""
        affine, at = self.network.layers[0].affine, self.units[0].breakpoint
        directions = self.inputs.directions * self.width
        corner = self.inputs.origin + self.inputs.directions @ self.low
        terms = gamma(affine.n_in + 2 * self.low.size)
        reach = np.abs(self.inputs.origin) + np.abs(self.inputs.directions) @ np.abs(self.low)
        slopes = affine.weight @ directions
        slope_size = self.absolute[0] @ np.abs(directions)
        size = self.absolute[0] @ reach + np.abs(affine.bias) + abs(at)
        return LayerRows(
            slopes,
            affine.weight @ corner + affine.bias - at,
            terms * slope_size.max(axis=1, initial=0.0) + UNDERFLOW,
            terms * size + UNDERFLOW,
        )

    def below(self, index: int, rows: LayerRows, pattern: Array) -> LayerRows:
        """Return the rows of layer `index` + 1.

        Parameters
        ----------
        index : int
        rows : LayerRows
            Of layer `index`.
        pattern : ndarray of int, shape (units,)
            Of layer `index`.
        """
        unit, affine = self.units[index], self.network.layers[index + 1].affine
        active = pattern == 1
        factor = np.where(active, unit.right, unit.left)
        used = np.flatnonzero(factor)
        weight = affine.weight[:, used] * factor[used]
        absolute = np.abs(weight)
        constant = np.where(active, unit.offset + unit.jump, unit.offset)
        at = self.units[index + 1].breakpoint
        offsets = weight @ rows.offsets[used] + affine.weight @ constant + affine.bias - at
        size = absolute @ np.abs(rows.offsets[used]) + np.abs(affine.bias) + abs(at)
        size += self.absolute[index + 1] @ np.abs(constant)
        terms = gamma(2 * affine.n_in)
        return LayerRows(
            weight @ rows.slopes[used],
            offsets,
            absolute @ (rows.slope_error[used] * (1 + terms) + terms * rows.largest[used])
            + UNDERFLOW,
            absolute @ rows.offset_error[used] * (1 + terms) + terms * size + UNDERFLOW,
        )
