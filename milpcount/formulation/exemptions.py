"""Continuous columns that exempt units which dead inputs make identically zero.

An input is *dead* where it is on a piece of slope 0; then it is a constant. A pre-activation that
reads dead inputs alone is a constant too, and if that is a breakpoint, the unit adds no boundary.
The column e in [0, 1] takes part in the unit's row as ``- s e``; it is bounded by ``e <= z`` for
the dead piece of each input, so that it is 0 unless all of them are dead. Where two arguments of a
maximum read dead inputs alone and are equal there, they are one piece; their e is bounded by the z
of the earlier one as well.

Of several pieces of slope 0 only the first is looked at, and no sum that cancels otherwise.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from milpcount.formulation.linear_program import Builder
from milpcount.formulation.unit_columns import UnitColumns
from milpcount.formulation.units import hinges
from milpcount.network import Network
from milpcount.types import Array

Reading = tuple[int, int, float]
"""Layer and place of a unit, and the weight that it is read with."""


class Exemptions:
    """Adds exemptions to a program.

    Parameters
    ----------
    network : Network
    units : sequence of list of UnitColumns
        Layer by layer.
    fixed : sequence of ndarray
        The pieces of stable units, -1 for others.
    out : Builder
        Where columns and rows go.
    """

    def __init__(
        self,
        network: Network,
        units: Sequence[list[UnitColumns]],
        fixed: Sequence[Array],
        out: Builder,
    ) -> None:
        self.network, self.units, self.fixed, self.out = network, units, fixed, out

    def at_breakpoint(self, index: int, i: int, r: int, key: tuple[int, ...]) -> tuple[int, ...]:
        """Return the column that exempts a unit at a breakpoint, none where it cannot be dead.

        Parameters
        ----------
        index, i, r : int
            Layer, place and breakpoint.
        key : tuple of int
            What its rows are named by.
        """
        layer = self.network.layers[index]
        value = int(layer.value_starts[i])
        constant = self._constant(index, value)
        if constant is None or constant != self.units[index][i].breakpoints[r]:
            return ()
        name = f"exempt{'_'.join(str(k) for k in (key[0] + 1, *key[1:]))}"
        e = self._column(name)
        for k, j, _ in self._reads(index, value):
            self._allow(e, k, j, ("exemption", *key, *self._told(index, k, j)))
        return (e,)

    def of_tie(self, index: int, i: int, j: int) -> tuple[int, ...]:
        """Return the columns that exempt an argument of a maximum from ties with earlier ones."""
        unit, found = self.units[index][i], list[int]()
        places = {argument.place: argument.value for argument in unit.arguments}
        constant = self._constant(index, places[j])
        if constant is None:
            return ()
        for k in (place for place in places if place < j):
            if self._constant(index, places[k]) != constant:
                continue
            e = self._column(f"exempt{index + 1}_{i}_{j}_{k}")
            label = "exemption", index, i, j, k
            self.out.row([e, unit.z[k]], [1, -1], -np.inf, 0, label)
            both = {
                (at, place): None
                for value in (places[j], places[k])
                for at, place, _ in self._reads(index, value)
            }
            for at, place in both:
                self._allow(e, at, place, (*label, at, place))
            found.append(e)
        return tuple(found)

    def _column(self, name: str) -> int:
        return int(self.out.columns(name, np.zeros(1), np.ones(1))[0])

    def _allow(self, e: int, layer: int, place: int, label: tuple[Any, ...]) -> None:
        """Add ``e <= z`` for the dead piece of a unit; of two pieces piece 0 has z = 0."""
        unit, dead = self.units[layer][place], self._dead(layer, place)
        assert dead is not None
        if unit.z.size == 1:
            sign, side = (1, 1) if dead[0] == 0 else (-1, 0)
            self.out.row([e, unit.z[0]], [1, sign], -np.inf, side, label)
        else:
            self.out.row([e, unit.z[dead[0]]], [1, -1], -np.inf, 0, label)

    def _told(self, index: int, layer: int, place: int) -> tuple[int, ...]:
        """Return what names an input in a row's label: in a chain its place says all."""
        return (place,) if self.network.is_chain else (layer, place)

    def _constant(self, index: int, value: int) -> float | None:
        """Return a pre-activation where all that it reads is dead; None where it cannot be."""
        total = 0.0
        affine = self.network.layers[index].affine
        for source in self.network.sources[index]:
            if source.number == 0 and any(True for _ in self._entries(index, value, source)):
                return None
        for k, j, weight in self._reads(index, value):
            dead = self._dead(k, j)
            if dead is None or self.fixed[k][j] not in (-1, dead[0]):
                return None
            total += weight * dead[1]
        return float(affine.bias[value] + total)

    def _dead(self, layer: int, place: int) -> tuple[int, float] | None:
        """Return the first piece of slope 0 of a unit, and its value."""
        unit = self.network.layers[layer].unit(place)
        if unit.rank > 1:
            return None
        constants = enumerate(hinges(unit).constants)
        return next(((k, c) for k, c in constants if c is not None), None)

    def _reads(self, index: int, value: int) -> Iterator[Reading]:
        """Yield the units that a pre-activation reads."""
        for source in self.network.sources[index]:
            if source.number:
                for j, weight in self._entries(index, value, source):
                    place = j if source.local is None else int(source.local[j])
                    yield source.number - 1, place, weight

    def _entries(self, index: int, value: int, source: Any) -> Iterator[tuple[int, float]]:
        weight = self.network.layers[index].affine.matrix[[value], source.columns]
        if isinstance(weight, np.ndarray):
            row = weight[0]
            yield from ((int(j), float(row[j])) for j in np.flatnonzero(row))
        else:
            yield from zip(weight.indices.tolist(), weight.data.tolist(), strict=True)
