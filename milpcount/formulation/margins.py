"""The rows by which units bound the objective f; `milpcount.formulation.big_m` has the algebra."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np

from milpcount.formulation.exemptions import Exemptions
from milpcount.formulation.linear_program import Builder
from milpcount.formulation.unit_columns import UnitColumns
from milpcount.network import Network
from milpcount.types import Array


class Form(Enum):
    """Which units bound the objective."""

    ONE_SIDED = "one_sided"
    """Strict sides only: counts activation patterns attained anywhere."""
    TWO_SIDED = "two_sided"
    """All sides: counts full-dimensional activation regions."""


class Margins:
    """Adds f and the rows that bound it.

    Parameters
    ----------
    network : Network
    units : sequence of list of UnitColumns
        Layer by layer.
    fixed : sequence of ndarray
        The pieces of stable units, -1 for others.
    out : Builder
    form : Form

    Attributes
    ----------
    f : int
        The column.
    """

    def __init__(
        self,
        network: Network,
        units: Sequence[list[UnitColumns]],
        fixed: Sequence[Array],
        out: Builder,
        form: Form,
    ) -> None:
        self.units, self.out, self.form = units, out, form
        self.f = int(out.columns("f", np.zeros(1), np.ones(1), objective=1.0)[0])
        self.exemptions = Exemptions(network, units, fixed, out)
        for index, pieces in enumerate(fixed):
            for i in np.flatnonzero(pieces < 0).tolist():
                unit = units[index][i]
                if unit.arguments:
                    self._of_maximum(index, i)
                elif unit.length > 0:
                    for r in unit.open_breakpoints():
                        self._of_breakpoint(index, i, r)

    def _of_breakpoint(self, index: int, i: int, r: int) -> None:
        """Add ``h_r / s >= f - (1 - above_r)`` and ``hbar_r / s >= f - above_r``."""
        unit = self.units[index][i]
        s, above = unit.length, unit.z if unit.z.size == 1 else unit.sides(r)[0]
        key = (index, i) if unit.z.size == 1 else (index, i, r)
        row: list[Any] = [self.f, unit.h[r], *above]
        values = [s, -1.0, *[s] * above.size]
        self.out.row(row, values, -np.inf, s, ("margin_active", *key))
        if self.form is Form.TWO_SIDED:
            row, values = [self.f, int(unit.hbar[r]), *above], [s, -1.0, *[-s] * above.size]
            exempt = self.exemptions.at_breakpoint(index, i, r, key)
            row, values = [*row, *exempt], [*values, *[-s] * len(exempt)]
            self.out.row(row, values, -np.inf, 0.0, ("margin_inactive", *key))

    def _of_maximum(self, index: int, i: int) -> None:
        """Keep the winner off the other arguments; see the module's text."""
        unit = self.units[index][i]
        for argument in unit.arguments:
            s, j = argument.length, argument.place
            if not s > 0:
                continue
            others = unit.arguments
            later = [int(unit.z[other.place]) for other in others if other.place > j]
            earlier = [int(unit.z[other.place]) for other in others if other.place < j]
            two_sided = self.form is Form.TWO_SIDED
            exempt = self.exemptions.of_tie(index, i, j) if two_sided and earlier else ()
            row: list[Any] = [self.f, argument.column]
            if two_sided and not exempt:
                z, values = int(unit.z[j]), [s, -1.0, -s]
                self.out.row([*row, z], values, -np.inf, 0.0, ("margin_behind", index, i, j))
                continue
            if later:
                values = [s, -1.0, *[s] * len(later)]
                label = "margin_behind", index, i, j
                self.out.row([*row, *later], values, -np.inf, s, label)
            if two_sided and earlier:
                values = [s, -1.0, *[s] * len(earlier), *[-s] * len(exempt)]
                label = "margin_tied", index, i, j
                self.out.row([*row, *earlier, *exempt], values, -np.inf, s, label)


def may_cancel(network: Network, label: tuple[Any, ...]) -> bool:
    """Return whether a row of the two-sided form may bind where it must not.

    That is one that keeps a unit off a breakpoint from below, or off a tie with a later argument,
    where what the layer reads may cancel identically on some regions. In a layer that reads the
    input alone a row of length above 0 vanishes nowhere; two arguments may be equal even there.
    """
    if label[0] not in ("margin_inactive", "margin_behind", "margin_tied"):
        return False
    reads_input = all(source.number == 0 for source in network.sources[label[1]])
    return not (reads_input and label[0] == "margin_inactive")
