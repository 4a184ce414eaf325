"""The big-M formulation of Serra, Tjandraatmadja and Ramalingam (ICML 2018), constraints (1)-(6).

For unit i of layer l with ``g = w . output + b - breakpoint``::

    g = h - hbar,  0 <= h <= H z,  0 <= hbar <= Hbar (1 - z),  z in {0, 1}

H and Hbar are upper bounds on g and -g over the domain (the M of the paper, one for each unit and
side). The objective maximises f in [0, 1], where every active unit bounds f by ``h / s``. That one
sided form counts the patterns attained anywhere. The two-sided form also bounds f by ``hbar / s``
where z = 0, which leaves the patterns of full-dimensional regions. s is a typical length of the
unit's gradient in the box-scaled input, so that f measures a distance in input space.

A unit that is identically zero on a region adds no boundary, so its row must not bind there. A
unit whose bounds are both zero has no row. A unit with zero bias behind inputs that are all dead
is exempted by a continuous column e <= 1 - z_j for every input j. Any other cancellation is left
to the counting methods, which decide cells from composed rows instead.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from milpcount.domain import InputSet
from milpcount.formulation.intervals import ROUNDOFF, PreActivationBounds, parameter_box
from milpcount.formulation.linear_program import Builder, LinearProgram
from milpcount.formulation.units import TwoPiece, two_pieces
from milpcount.limits import tick
from milpcount.network import Network

Array = np.ndarray


class Form(Enum):
    """Which units bound the objective."""

    ONE_SIDED = "one_sided"
    """Active units only: counts activation patterns attained anywhere."""
    TWO_SIDED = "two_sided"
    """Active and inactive units: counts full-dimensional activation regions."""


@dataclass(frozen=True, eq=False)
class PatternMap:
    """Which columns of the program are the pattern's.

    Attributes
    ----------
    t : ndarray of int32, shape (d,)
        Parameters of the input set.
    z, h, hbar : ndarray of int32, shape (n_units,)
    f : int
        The objective's column, -1 where the program has none.
    fixed : ndarray of int8, shape (n_units,)
        The state of a stable unit (0 or 1), -1 for the others.
    big_h, big_hbar : ndarray, shape (n_units,)
        Upper bounds of h and hbar.
    lengths : ndarray, shape (n_units,)
        The s of each unit.
    shift, scale : ndarray, shape (columns,)
        With ``x = shift + scale * x'`` the columns x' have the inputs in the unit box and margins
        near 1, so that a solver's absolute tolerances mean the same for every unit.
    """

    t: Array
    z: Array
    h: Array
    hbar: Array
    f: int
    fixed: Array
    big_h: Array
    big_hbar: Array
    lengths: Array
    shift: Array
    scale: Array

    def pattern(self, x: Array) -> tuple[int, ...]:
        """Return the pattern in a solution vector, integers rounded."""
        return tuple(int(v) for v in np.rint(x[self.z]))


def build(
    network: Network,
    inputs: InputSet,
    bounds: PreActivationBounds,
    form: Form | None,
    *,
    layers: int | None = None,
) -> tuple[LinearProgram, PatternMap]:
    """Return the program and its pattern map.

    Parameters
    ----------
    network : Network
        With activations of two pieces.
    inputs : InputSet
    bounds : PreActivationBounds
    form : Form or None
        None leaves f and its rows out.
    layers : int, optional
        Only so many first layers.

    Raises
    ------
    OptionError
        If an activation is not of two pieces.
    DomainError
        If the domain is empty or unbounded.
    """
    return _Construction(network, inputs, bounds, layers).finish(form)


def typical_slopes(network: Network, inputs: InputSet, width: Array) -> tuple[Array, ...]:
    """Return a typical Euclidean length of each unit's gradient, per layer.

    The gradient is taken with respect to the parameters scaled to the unit box. It is exact in the
    first layer; in deeper ones the inputs' gradients are taken to be orthogonal.
    """
    scales = []
    for layer in network.layers[:1]:
        first = layer.affine.weight @ inputs.directions * width
        scales.append(np.sqrt((first**2).sum(axis=1)))
    for layer in network.layers[1:]:
        tick()
        scales.append(np.sqrt(((layer.affine.weight * scales[-1]) ** 2).sum(axis=1)))
    return tuple(scales)


class _Construction:
    def __init__(
        self, network: Network, inputs: InputSet, bounds: PreActivationBounds, layers: int | None
    ) -> None:
        self.network, self.inputs, self.bounds = network, inputs, bounds
        self.depth = len(network.layers) if layers is None else layers
        self.units = two_pieces(network)
        self.out = Builder()
        self.low, high = parameter_box(inputs)
        self.t = self.out.columns("t", self.low, high)
        self.width = high - self.low
        self.scales = typical_slopes(network, inputs, self.width)
        self.z: list[Array] = []
        self.h: list[Array] = []
        self.hbar: list[Array] = []
        self.fixed: list[Array] = []
        self.ranges: list[tuple[Array, Array]] = []

    def finish(self, form: Form | None) -> tuple[LinearProgram, PatternMap]:
        for row, rhs in zip(self.inputs.rows, self.inputs.rhs, strict=True):
            self.out.row(self.t, row, -np.inf, rhs)
        for index in range(self.depth):
            self._layer(index)
        f = -1 if form is None else self._margin(form)
        lengths = _flat(list(self.scales[: self.depth]))
        h, hbar = _flat(self.h), _flat(self.hbar)
        shift, scale = np.zeros(len(self.out.names)), np.ones(len(self.out.names))
        shift[self.t], scale[self.t] = self.low, self.width
        scale[h] = scale[hbar] = _powers_of_two(lengths)
        return self.out.build(), PatternMap(
            self.t,
            _flat(self.z),
            h,
            hbar,
            f,
            _flat(self.fixed),
            _flat([r[0] for r in self.ranges]),
            _flat([r[1] for r in self.ranges]),
            lengths,
            shift,
            scale,
        )

    def _layer(self, index: int) -> None:
        fixed = np.full(self.bounds.lower[index].size, -1, np.int8)
        fixed[self.bounds.stable_inactive[index]] = 0
        fixed[self.bounds.stable_active[index]] = 1
        big_h, big_hbar = self._ranges(index)
        zero, name = np.zeros(fixed.size), f"{index + 1}"
        z_low, z_high = np.where(fixed == 1, 1.0, 0.0), np.where(fixed == 0, 0.0, 1.0)
        self.h.append(self.out.columns(f"h{name}", zero, big_h))
        self.hbar.append(self.out.columns(f"hbar{name}", zero, big_hbar))
        self.z.append(self.out.columns(f"z{name}", z_low, z_high, integer=True))
        self.fixed.append(fixed)
        self.ranges.append((big_h, big_hbar))
        self._definitions(index)
        for i in np.flatnonzero(fixed < 0):
            h, hbar, z = self.h[index][i], self.hbar[index][i], self.z[index][i]
            self.out.row([h, z], [1, -big_h[i]], -np.inf, 0)
            self.out.row([hbar, z], [1, big_hbar[i]], -np.inf, big_hbar[i])

    def _ranges(self, index: int) -> tuple[Array, Array]:
        at = self.units[index].breakpoint
        slack = 4 * ROUNDOFF * abs(at)
        high = np.maximum(self.bounds.upper[index] - at + slack, 0.0)
        low = np.maximum(at - self.bounds.lower[index] + slack, 0.0)
        return (
            np.where(self.bounds.stable_inactive[index], 0.0, high),
            np.where(self.bounds.stable_active[index], 0.0, low),
        )

    def _definitions(self, index: int) -> None:
        affine, at = self.network.layers[index].affine, self.units[index].breakpoint
        if index == 0:
            columns, matrix = self.t, affine.weight @ self.inputs.directions
            offset = affine.weight @ self.inputs.origin + affine.bias - at
        else:
            columns, matrix, offset = self._outputs(index)
        for i, (h, hbar) in enumerate(zip(self.h[index], self.hbar[index], strict=True)):
            row = np.concatenate([columns, [h, hbar]])
            self.out.row(row, [*matrix[i], -1.0, 1.0], -offset[i], -offset[i])

    def _outputs(self, index: int) -> tuple[Array, Array, Array]:
        """Express g of a deep layer in the columns h, hbar, z of the layer before it."""
        affine, unit = self.network.layers[index].affine, self.units[index - 1]
        parts = [
            (self.h[index - 1], unit.right),
            (self.hbar[index - 1], -unit.left),
            (self.z[index - 1], unit.jump),
        ]
        parts = [(columns, factor) for columns, factor in parts if factor != 0]
        offset = affine.bias - self.units[index].breakpoint
        if unit.offset != 0:
            offset = offset + affine.weight.sum(axis=1) * unit.offset
        if not parts:
            return np.zeros(0, np.int32), np.zeros((affine.n_out, 0)), offset
        matrix = np.hstack([affine.weight * factor for _, factor in parts])
        return np.concatenate([columns for columns, _ in parts]), matrix, offset

    def _margin(self, form: Form) -> int:
        f = int(self.out.columns("f", np.zeros(1), np.ones(1), objective=1.0)[0])
        for index in range(self.depth):
            for i in np.flatnonzero(self.fixed[index] < 0):
                s, z = self.scales[index][i], self.z[index][i]
                if s > 0:
                    self.out.row([f, self.h[index][i], z], [s, -1, s], -np.inf, s)
                    if form is Form.TWO_SIDED:
                        self._inactive_side(index, int(i), f)
        return f

    def _inactive_side(self, index: int, i: int, f: int) -> None:
        s = self.scales[index][i]
        columns = [f, int(self.hbar[index][i]), int(self.z[index][i])]
        coefficients = [s, -1.0, -s]
        if index and self._may_die(index, i):
            columns.append(self._exemption(index, i))
            coefficients.append(-s)
        self.out.row(columns, coefficients, -np.inf, 0.0)

    def _may_die(self, index: int, i: int) -> bool:
        """Whether dead inputs make the unit identically zero: its bias has to be zero too."""
        unit, affine = self.units[index - 1], self.network.layers[index].affine
        used = affine.weight[i] != 0
        if not _dies(unit) or (self.fixed[index - 1][used] == 1).any():
            return False
        offset = unit.offset * affine.weight[i].sum() if unit.offset else 0.0
        return bool(affine.bias[i] + offset == self.units[index].breakpoint)

    def _exemption(self, index: int, i: int) -> int:
        e = int(self.out.columns(f"exempt{index + 1}_{i}", np.zeros(1), np.ones(1))[0])
        for j in np.flatnonzero(self.network.layers[index].affine.weight[i]):
            self.out.row([e, self.z[index - 1][j]], [1, 1], -np.inf, 1)
        return e


def _flat(parts: list[Array]) -> Array:
    return np.concatenate(parts) if parts else np.zeros(0, np.int32)


def _powers_of_two(lengths: Array) -> Array:
    """Return the nearest powers of two, by which scaling rounds nothing; 1 for a length of 0."""
    return np.asarray(np.exp2(np.round(np.log2(np.where(lengths > 0, lengths, 1.0)))))


def _dies(unit: TwoPiece) -> bool:
    return unit.left == 0.0
