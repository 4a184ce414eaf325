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

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from milpcount.domain import InputSet
from milpcount.errors import OptionError
from milpcount.formulation.lengths import SHORTEST, typical_slopes
from milpcount.formulation.linear_program import Builder, LinearProgram
from milpcount.formulation.parameters import parameter_box
from milpcount.formulation.units import TwoPiece, two_pieces
from milpcount.network import Network
from milpcount.preactivation import PreActivationBounds, settled_pieces
from milpcount.preactivation.rounding import ROUNDOFF

Array = np.ndarray

_FARTHEST = 1e8
"""Scaled numbers from here on are rounded by more than solvers tolerate."""
_DROPPED, _TOLERANCE = 1e-12, 1e-9


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
        A chain, with activations of two pieces.
    inputs : InputSet
    bounds : PreActivationBounds
    form : Form or None
        None leaves f and its rows out.
    layers : int, optional
        Only so many first layers.

    Raises
    ------
    NetworkError
        If the network is no chain.
    OptionError
        If an activation is not of two pieces.
    DomainError
        If the domain is empty or unbounded.
    """
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # see `is_fit`
        return _Construction(network, inputs, bounds, layers).finish(form)


def require_fit(program: LinearProgram, columns: PatternMap) -> None:
    """Refuse a program with numbers that a solver cannot tell apart at its tolerances.

    Raises
    ------
    OptionError
        If there are such.
    """
    if not is_fit(program, columns):
        raise OptionError(
            "the network's numbers, or the domain's, are too large, too small or too far apart "
            "for the MILP's solvers: count with the method 'tree' or 'exact'"
        )


def is_fit(program: LinearProgram, columns: PatternMap) -> bool:
    """Return whether solvers can take a program: its numbers, once scaled, are near enough to 1.

    Solvers compute with an absolute tolerance of 1e-9 in the scaled columns and rows. They take
    bounds from 1e20 on as infinite and leave out coefficients below 1e-12; products of coefficients
    and columns are rounded.
    """
    lengths = columns.lengths[columns.lengths != 0]
    if not ((lengths > SHORTEST) & (lengths < 1.0 / SHORTEST)).all():
        return False
    with np.errstate(all="ignore"):
        scaled = program.rescaled(columns.shift, columns.scale)
        moved = np.abs(program.values * columns.shift[program.indices])
        unit = np.abs(scaled.values) / np.abs(program.values * columns.scale[program.indices])
    reach = np.maximum(np.abs(scaled.lower), np.abs(scaled.upper))
    sides = [s[~np.isinf(p)] for s, p in (
        (scaled.row_lower, program.row_lower), (scaled.row_upper, program.row_upper)
    )]  # fmt: skip
    sizes = np.concatenate([reach, np.abs(scaled.values), moved * unit, *map(np.abs, sides)])
    dropped = np.abs(scaled.values) < _DROPPED
    lost = np.abs(scaled.values[dropped]) * reach[scaled.indices[dropped]]
    return bool((sizes < _FARTHEST).all() and (lost < _TOLERANCE).all())


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
        for k, (row, rhs) in enumerate(zip(self.inputs.rows, self.inputs.rhs, strict=True)):
            self.out.row(self.t, row, -np.inf, rhs, ("domain", k))
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
        low, high = self.bounds.lower[index], self.bounds.upper[index]
        fixed = settled_pieces(self.network.layers[index], low, high).astype(np.int8)
        big_h, big_hbar = self._ranges(index, fixed)
        zero, name = np.zeros(fixed.size), f"{index + 1}"
        z_low, z_high = np.where(fixed == 1, 1.0, 0.0), np.where(fixed == 0, 0.0, 1.0)
        self.h.append(self.out.columns(f"h{name}", zero, big_h))
        self.hbar.append(self.out.columns(f"hbar{name}", zero, big_hbar))
        self.z.append(self.out.columns(f"z{name}", z_low, z_high, integer=True))
        self.fixed.append(fixed)
        self.ranges.append((big_h, big_hbar))
        self._definitions(index)
        for i in np.flatnonzero(fixed < 0).tolist():
            h, hbar, z = self.h[index][i], self.hbar[index][i], self.z[index][i]
            self.out.row([h, z], [1, -big_h[i]], -np.inf, 0, ("big_m_active", index, i))
            bound = big_hbar[i]
            self.out.row([hbar, z], [1, bound], -np.inf, bound, ("big_m_inactive", index, i))

    def _ranges(self, index: int, fixed: Array) -> tuple[Array, Array]:
        at = self.units[index].breakpoint
        slack = 4 * ROUNDOFF * abs(at)
        high = np.maximum(self.bounds.upper[index] - at + slack, 0.0)
        low = np.maximum(at - self.bounds.lower[index] + slack, 0.0)
        return (
            np.where(fixed == 0, 0.0, high),
            np.where(fixed == 1, 0.0, low),
        )

    def _definitions(self, index: int) -> None:
        columns, matrix, offset = self._pre_activations(index)
        for i, (h, hbar) in enumerate(zip(self.h[index], self.hbar[index], strict=True)):
            row = np.concatenate([columns, [h, hbar]])
            label = "pre_activation", index, i
            self.out.row(row, [*matrix[i], -1.0, 1.0], -offset[i], -offset[i], label)

    def _pre_activations(self, index: int) -> tuple[Array, Array, Array]:
        """Express g of a layer in the columns t, h, hbar, z of what it reads."""
        affine = self.network.layers[index].affine
        columns, blocks = [np.zeros(0, np.int32)], [np.zeros((affine.n_out, 0))]
        offset = affine.bias - self.units[index].breakpoint
        for source in self.network.sources[index]:
            weight = affine.weight[:, source.columns]
            which = slice(None) if source.local is None else source.local
            if source.number == 0:
                columns.append(self.t)
                blocks.append(weight @ self.inputs.directions[which])
                offset = weight @ self.inputs.origin[which] + offset
                continue
            k, unit = source.number - 1, self.units[source.number - 1]
            parts = (self.h[k], unit.right), (self.hbar[k], -unit.left), (self.z[k], unit.jump)
            for held, factor in parts:
                if factor != 0:
                    columns.append(held[which])
                    blocks.append(weight * factor)
            if unit.offset != 0:
                offset = offset + weight.sum(axis=1) * unit.offset
        return np.concatenate(columns), np.hstack(blocks), offset

    def _margin(self, form: Form) -> int:
        f = int(self.out.columns("f", np.zeros(1), np.ones(1), objective=1.0)[0])
        for index in range(self.depth):
            for i in np.flatnonzero(self.fixed[index] < 0).tolist():
                s, z = self.scales[index][i], self.z[index][i]
                if s > 0:
                    label = "margin_active", index, i
                    self.out.row([f, self.h[index][i], z], [s, -1, s], -np.inf, s, label)
                    if form is Form.TWO_SIDED:
                        self._inactive_side(index, i, f)
        return f

    def _inactive_side(self, index: int, i: int, f: int) -> None:
        s = self.scales[index][i]
        columns = [f, int(self.hbar[index][i]), int(self.z[index][i])]
        coefficients = [s, -1.0, -s]
        if self._may_die(index, i):
            columns.append(self._exemption(index, i))
            coefficients.append(-s)
        self.out.row(columns, coefficients, -np.inf, 0.0, ("margin_inactive", index, i))

    def _may_die(self, index: int, i: int) -> bool:
        """Whether dead inputs make the unit identically zero: its bias has to be zero too."""
        affine, offset = self.network.layers[index].affine, 0.0
        for source in self.network.sources[index]:
            weight = affine.weight[i, source.columns]
            if not source.number:
                if weight.any():
                    return False
                continue
            unit = self.units[source.number - 1]
            if not _dies(unit):
                return False
            offset += unit.offset * weight.sum() if unit.offset else 0.0
        if any(self.fixed[k][j] == 1 for k, j in self._read_units(index, i)):
            return False
        return bool(affine.bias[i] + offset == self.units[index].breakpoint)

    def _read_units(self, index: int, i: int) -> Iterator[tuple[int, int]]:
        """Yield layer and place of the units that a unit reads."""
        for source in self.network.sources[index]:
            weight = self.network.layers[index].affine.weight[i, source.columns]
            if source.number:
                for j in np.flatnonzero(weight).tolist():
                    place = j if source.local is None else int(source.local[j])
                    yield source.number - 1, place

    def _exemption(self, index: int, i: int) -> int:
        e = int(self.out.columns(f"exempt{index + 1}_{i}", np.zeros(1), np.ones(1))[0])
        for k, j in self._read_units(index, i):
            self.out.row([e, self.z[k][j]], [1, 1], -np.inf, 1, ("exemption", index, i, j))
        return e


def _flat(parts: list[Array]) -> Array:
    return np.concatenate(parts) if parts else np.zeros(0, np.int32)


def _powers_of_two(lengths: Array) -> Array:
    """Return the nearest powers of two, by which scaling rounds nothing; 1 for a length of 0."""
    return np.asarray(np.exp2(np.round(np.log2(np.where(lengths > 0, lengths, 1.0)))))


def _dies(unit: TwoPiece) -> bool:
    return unit.left == 0.0
