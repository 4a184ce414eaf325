"""The big-M formulation of Serra, Tjandraatmadja and Ramalingam (ICML 2018), constraints (1)-(6).

For unit i of layer l with ``g = w . output + b - breakpoint``::

    g = h - hbar,  0 <= h <= H z,  0 <= hbar <= Hbar (1 - z),  z in {0, 1}

H and Hbar are upper bounds on g and -g over the domain (the M of the paper, one for each unit and
side). The objective maximises f in [0, 1], where every active unit bounds f by ``h / s``. That one
sided form counts the patterns attained anywhere. The two-sided form also bounds f by ``hbar / s``
where z = 0, which leaves the patterns of full-dimensional regions. s is a typical length of the
unit's gradient in the box-scaled input, so that f measures a distance in input space.

**More pieces.** A unit of p pieces has z_0, .., z_(p-1), which sum to one. It is above its
breakpoint t_r exactly if it is on a later piece, so ``above_r = sum_(k > r) z_k`` takes the place
of z for each breakpoint (`hinges`); z of two pieces is above_0. Breakpoints share one
pre-activation: the first has its row, another ``(h_r - hbar_r) - (h_0 - hbar_0) = t_0 - t_r``.

**Maxima.** With arguments v_j, the maximum m is a column, and d_j, by how much v_j is behind it::

    m - v_j = d_j,  0 <= d_j <= D_j (1 - z_j),  sum_j z_j = 1

so m >= v_j for all of them, and m = v_k for the one with z_k = 1 (the pair of rows ``h >= v_j``,
``h <= v_k + M (1 - z_k)`` with the slack as a column). The winner k is strictly above v_j for all
j < k, and at least at v_j for j > k: the lowest index wins a tie. As d_j = v_k - v_j, one row for
each *argument* says so for all winners at once, instead of one for each pair::

    d_j / s_j >= f - (1 - sum_(k > j) z_k)        both forms
    d_j / s_j >= f - (1 - sum_(k < j) z_k)        two-sided only

They are one row ``d_j / s_j >= f - z_j`` where no exemption is needed. An argument that the bounds
show never to win, or that repeats an earlier one, has neither columns nor rows but a z fixed at 0.

A unit that is identically zero on a region adds no boundary, so its row must not bind there; nor
may that of two arguments that are identical. A unit whose bounds are both zero has no row. A unit
that is at a breakpoint behind inputs that are all on pieces of slope 0 ('dead') is exempted by a
continuous column e that each dead input allows; so is an argument that is tied with the winner
where all that the two read is dead (`milpcount.formulation.exemptions`). The form leaves out
regions on which a unit vanishes by any other cancellation. Methods that propose patterns do without
the rows where that can be (`margins.may_cancel`), and decide cells from composed rows.

The rows that carry f are those labelled ``margin_*``.
"""

from collections.abc import Iterable

import numpy as np

from milpcount.domain import InputSet
from milpcount.formulation.expressions import Outputs, expression
from milpcount.formulation.gradient_lengths import typical_slopes
from milpcount.formulation.linear_program import Builder, LinearProgram
from milpcount.formulation.margins import Form, Margins
from milpcount.formulation.parameters import parameter_box
from milpcount.formulation.pattern_map import PatternMap
from milpcount.formulation.unit_columns import Argument, UnitColumns, contenders
from milpcount.formulation.units import Hinges, hinges, require_units
from milpcount.network import Network
from milpcount.network.layer import Group
from milpcount.preactivation import PreActivationBounds
from milpcount.preactivation.rounding import ROUNDOFF
from milpcount.types import Array


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
        With scalar units and maxima.
    inputs : InputSet
    bounds : PreActivationBounds
    form : Form or None
        None leaves f and its rows out.
    layers : int, optional
        Only so many first layers.

    Raises
    ------
    OptionError
        If an activation is neither scalar nor a maximum.
    DomainError
        If the domain is empty or unbounded.
    """
    # Numbers that are not finite are for `milpcount.formulation.coefficient_range`.
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return Construction(network, inputs, bounds, layers).finish(form)


class Construction:
    """The columns and rows of the first layers, one layer after the other.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    bounds : PreActivationBounds
    layers : int or None
        How many; None is all of them.

    Attributes
    ----------
    outputs : list of Outputs
        Of the layers so far, in the program's columns.
    """

    def __init__(
        self,
        network: Network,
        inputs: InputSet,
        bounds: PreActivationBounds,
        layers: int | None = None,
    ) -> None:
        self.network, self.inputs, self.bounds = network, inputs, bounds
        self.depth = len(network.layers) if layers is None else layers
        require_units(network)
        self.out = Builder()
        self.low, high = parameter_box(inputs)
        self.t = self.out.columns("t", self.low, high)
        self.width = high - self.low
        self.scales = typical_slopes(network, inputs, self.width)
        self.outputs: list[Outputs] = []
        self.units: list[list[UnitColumns]] = []
        self.fixed: list[Array] = []

    def finish(self, form: Form | None) -> tuple[LinearProgram, PatternMap]:
        """Add all layers, and f unless there is no form; return the program and its map."""
        for k, (row, rhs) in enumerate(zip(self.inputs.rows, self.inputs.rhs, strict=True)):
            self.out.row(self.t, row, -np.inf, rhs, ("domain", k))
        for index in range(self.depth):
            self._layer(index)
        f = -1
        if form is not None:
            f = Margins(self.network, self.units, self.fixed, self.out, form).f
        return self.out.build(), self._map(f)

    def _map(self, f: int) -> PatternMap:
        units = [unit for layer in self.units for unit in layer]
        shift, scale = np.zeros(len(self.out.names)), np.ones(len(self.out.names))
        shift[self.t], scale[self.t] = self.low, self.width
        for unit in units:
            for columns, length in ((unit.h, unit.length), (unit.hbar, unit.length)):
                scale[columns] = _power_of_two(length)
            for argument in unit.arguments:
                scale[argument.column] = _power_of_two(argument.length)
            if unit.top >= 0:
                scale[unit.top] = _power_of_two(unit.length)
        counts = [unit.z.size for unit in units]
        pieces = [np.arange(n) if n > 1 else np.ones(1, np.int64) for n in counts]
        behind = [unit.behind for unit in units]
        return PatternMap(
            self.t,
            _flat([unit.z for unit in units]),
            np.repeat(np.arange(len(units)), counts),
            _flat(pieces),
            _flat([unit.h for unit in units]),
            _flat([unit.hbar for unit in units]),
            np.array([unit.top for unit in units], dtype=np.int32),
            _flat(behind),
            _starts(counts),
            _starts([unit.h.size for unit in units]),
            _starts([part.size for part in behind]),
            f,
            _flat(self.fixed),
            _flat([unit.big_h for unit in units]),
            _flat([unit.big_hbar for unit in units]),
            _flat(list(self.scales[: self.depth])),
            shift,
            scale,
        )

    def _layer(self, index: int) -> None:
        layer = self.network.layers[index]
        found: dict[int, UnitColumns] = {}
        outputs, start = Outputs(layer.width), layer.affine.bias
        for group in layer.groups:
            if group.activation.rank > 1:
                found |= self._maxima(index, group, outputs)
                continue
            unit = hinges(group.activation)
            found |= self._scalars(index, group, unit, outputs)
            start = start.copy()
            start[group.values] -= unit.breakpoints[0]
        units = [found[i] for i in range(layer.width)]
        self.units.append(units)
        only = [int(u.possible.argmax()) if u.possible.sum() == 1 else -1 for u in units]
        self.fixed.append(np.array(only, dtype=np.int16))
        self._definitions(index, start)
        self.outputs.append(outputs)
        for i in range(layer.width):
            if self.fixed[index][i] < 0:
                self._big_m(index, i)

    def _scalars(
        self, index: int, group: Group, unit: Hinges, outputs: Outputs
    ) -> "dict[int, UnitColumns]":
        layer, name = self.network.layers[index], f"{index + 1}"
        places = np.arange(layer.width)[group.units]
        low = self.bounds.lower[index][group.values][:, None]
        high = self.bounds.upper[index][group.values][:, None]
        at = np.array(unit.breakpoints)
        slack = 4 * ROUNDOFF * np.abs(at)
        big_h = np.where(high <= at, 0.0, np.maximum(high - at + slack, 0.0))
        big_hbar = np.where(low > at, 0.0, np.maximum(at - low + slack, 0.0))
        one = at.size == 1
        keys = [i if one else f"{i},{r}" for i in places.tolist() for r in range(at.size)]
        zero = np.zeros(big_h.size)
        h = self.out.columns(f"h{name}", zero, big_h.ravel(), keys=keys).reshape(big_h.shape)
        hbar = self.out.columns(f"hbar{name}", zero, big_hbar.ravel(), keys=keys)
        hbar = hbar.reshape(big_h.shape)
        # Piece k is above the first k breakpoints.
        pieces = np.arange(unit.n_pieces)
        first, last = (low > at).sum(axis=1)[:, None], (high > at).sum(axis=1)[:, None]
        possible = (pieces >= first) & (pieces <= last)
        z = self._pieces(index, places, possible)
        outputs.add(places, h[:, 0], unit.rights[0])
        outputs.add(places, hbar[:, 0], -unit.left)
        if one:
            outputs.add(places, z[:, 0], unit.jumps[0])
        for r in range(1, at.size):
            outputs.add(places, h[:, r], unit.rights[r])
        if not one:
            # sum_r jump_r above_r = sum_k z_k (sum of jump_r over r < k)
            for k, height in enumerate(np.cumsum(unit.jumps).tolist(), start=1):
                outputs.add(places, z[:, k], height)
        outputs.constants.append((places, unit.offset, unit.size))
        lengths = self.scales[index][group.values]
        return {
            i: UnitColumns(z[k], possible[k], float(lengths[k]), h[k], hbar[k], big_h[k],
                           big_hbar[k], unit.breakpoints)
            for k, i in enumerate(places.tolist())
        }  # fmt: skip

    def _pieces(self, index: int, places: Array, possible: Array) -> Array:
        """Add z, one column for two pieces of a scalar unit, else one for each."""
        lower = possible & (possible.sum(axis=1) == 1)[:, None]
        name = f"z{index + 1}"
        if possible.shape[1] == 2 and self.network.layers[index].unit(int(places[0])).rank == 1:
            low, high = lower[:, 1].astype(float), possible[:, 1].astype(float)
            found = self.out.columns(name, low, high, integer=True, keys=places.tolist())
            return found[:, None]
        keys = [f"{i},{k}" for i in places.tolist() for k in range(possible.shape[1])]
        low, high = lower.ravel().astype(float), possible.ravel().astype(float)
        return self.out.columns(name, low, high, integer=True, keys=keys).reshape(possible.shape)

    def _maxima(self, index: int, group: Group, outputs: Outputs) -> "dict[int, UnitColumns]":
        layer, name, rank = self.network.layers[index], f"{index + 1}", group.activation.rank
        places = np.arange(layer.width)[group.units]
        values = np.arange(layer.affine.n_out)[group.values].reshape(-1, rank)
        low, high = self.bounds.lower[index][values], self.bounds.upper[index][values]
        wins = contenders(layer.affine, values, low, high)
        tops = self.out.columns(
            f"top{name}", low.max(axis=1), high.max(axis=1), keys=places.tolist()
        )
        z = self._pieces(index, places, wins)
        outputs.add(places, tops, 1.0)
        found = {}
        for k, i in enumerate(places.tolist()):
            lengths = self.scales[index][values[k]]
            arguments = []
            for j in np.flatnonzero(wins[k]).tolist():
                rivals = np.flatnonzero(wins[k] & (np.arange(rank) != j))
                most = max(0.0, float((high[k][rivals] - low[k, j]).max(initial=0.0)))
                most += 4 * ROUNDOFF * float(np.abs(high[k]).max() + abs(low[k, j]))
                most = most if rivals.size else 0.0
                behind = self.out.columns(
                    f"behind{name}", np.zeros(1), np.full(1, most), keys=[f"{i},{j}"]
                )
                length = float(np.hypot(lengths[j], lengths[rivals].max(initial=0.0)))
                value = int(values[k, j])
                arguments.append(Argument(j, value, int(behind[0]), most, length))
            found[i] = UnitColumns(
                z[k], wins[k], float(lengths.max()), top=int(tops[k]), rank=rank,
                arguments=tuple(arguments),
            )  # fmt: skip
        return found

    def _definitions(self, index: int, start: Array) -> None:
        """Add the rows that tie the units' columns to what the layer reads."""
        read = expression(self.network, self.inputs, index, self.t, self.outputs, start)
        first = self.network.layers[index].value_starts
        for i, unit in enumerate(self.units[index]):
            for argument in unit.arguments:
                columns, values = read.row(argument.value)
                offset = read.offset[argument.value]
                row = np.concatenate([columns, [unit.top, argument.column]])
                label = "pre_activation", index, i, argument.place
                self.out.row(row, [*values, -1.0, 1.0], -offset, -offset, label)
            if unit.arguments:
                continue
            columns, values = read.row(int(first[i]))
            offset = read.offset[first[i]]
            row = np.concatenate([columns, [unit.h[0], unit.hbar[0]]])
            self.out.row(row, [*values, -1.0, 1.0], -offset, -offset, ("pre_activation", index, i))
            for r in range(1, unit.h.size):
                row = np.array([unit.h[r], unit.hbar[r], unit.h[0], unit.hbar[0]])
                gap = unit.breakpoints[0] - unit.breakpoints[r]
                self.out.row(row, [1, -1, -1, 1], gap, gap, ("breakpoint", index, i, r))

    def _big_m(self, index: int, i: int) -> None:
        unit = self.units[index][i]
        if unit.z.size > 1:
            possible = unit.z[unit.possible]
            self.out.row(possible, np.ones(possible.size), 1, 1, ("one_piece", index, i))
        for r in unit.open_breakpoints():
            h, hbar = unit.h[r], unit.hbar[r]
            key = (index, i) if unit.z.size == 1 else (index, i, r)
            if unit.z.size == 1:
                z, bound = unit.z[0], unit.big_hbar[0]
                self.out.row([h, z], [1, -unit.big_h[0]], -np.inf, 0, ("big_m_active", *key))
                self.out.row([hbar, z], [1, bound], -np.inf, bound, ("big_m_inactive", *key))
                continue
            above, below = unit.sides(r)
            values = [1.0, *[-unit.big_h[r]] * above.size]
            self.out.row([h, *above], values, -np.inf, 0, ("big_m_active", *key))
            values = [1.0, *[-unit.big_hbar[r]] * below.size]
            self.out.row([hbar, *below], values, -np.inf, 0, ("big_m_inactive", *key))
        for argument in unit.arguments:
            row, label = [argument.column, unit.z[argument.place]], ("big_m_behind", index, i)
            most = argument.most
            self.out.row(row, [1, most], -np.inf, most, (*label, argument.place))


def _flat(parts: list[Array]) -> Array:
    return np.concatenate(parts) if parts else np.zeros(0, np.int32)


def _starts(counts: Iterable[int]) -> Array:
    return np.concatenate([[0], np.cumsum(list(counts), dtype=np.int64)])


def _power_of_two(length: float) -> float:
    """Return the nearest power of two, by which scaling rounds nothing; 1 for a length of 0."""
    return float(np.exp2(np.round(np.log2(length)))) if length > 0 else 1.0
