"""Networks of integers on an integer grid, held by CP-SAT as they are.

Weights, biases and inputs that are integers (or integers over a power of two) make every
pre-activation an integer, so CP-SAT holds the whole network exactly and no tolerance enters. What
it finds are the patterns attained at integer points of the box. That is another quantity than the
regions of the box: regions without an integer point are missed, and patterns on their boundaries
are found.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from milpcount.backends.cpsat_master import Master
from milpcount.domain import InputSet
from milpcount.enumeration.search import OnPattern, SearchState, Stop
from milpcount.errors import DomainError, OptionError
from milpcount.formulation.formulate import Formulation
from milpcount.limits import Deadline
from milpcount.network.chains import require_chain
from milpcount.types import Array

LARGEST = 1 << 55
"""Of the integers that CP-SAT may have to add up."""


class Grid:
    """An enumeration of the patterns attained at integer points; see the module's text.

    Parameters
    ----------
    formulation : Formulation
        Its network has ReLUs and its domain is a box.
    on_pattern : callable
        May return parities, and rows over z columns with integers as coefficients.
    deadline : Deadline

    Raises
    ------
    NetworkError
        If the network is no chain.
    OptionError
        If the network's integers are too large or a unit is no ReLU.
    DomainError
        If the domain is no box, or has no integer point.
    """

    def __init__(self, formulation: Formulation, on_pattern: OnPattern, deadline: Deadline) -> None:
        self.formulation, self.on_pattern, self.deadline = formulation, on_pattern, deadline
        self.state = SearchState()
        self.master = Master(self.state)
        low, high = integer_box(formulation.inputs)
        model = self.master.model
        self.inputs = [
            model.new_int_var(int(a), int(b), f"x{i}")
            for i, (a, b) in enumerate(zip(low, high, strict=True))
        ]
        self._layers(low, high)

    def run(self) -> Iterator[SearchState]:
        """Yield the state while a solve runs, after each pattern, and at the end.

        Raises
        ------
        SolverError
            If CP-SAT fails.
        """
        while not self.state.stopped and not self.deadline.passed():
            # One by one: inputs of the same pattern would come again and again.
            proposal = yield from self.master.propose(1, self.deadline, self.inputs)
            for pattern, values in zip(proposal.patterns, proposal.values, strict=True):
                self.master.exclude(tuple(enumerate(pattern)))
                self._tell(pattern, np.array(values, dtype=float))
                yield self.state
            if proposal.complete:
                self.state.exhausted = True
                break
        yield self.state

    def _tell(self, pattern: tuple[int, ...], point: Array) -> None:
        self.state.solutions += 1
        answer = self.on_pattern(pattern, point)
        if isinstance(answer, Stop):
            self.state.stopped = True
            return
        columns = self.formulation.columns
        for constraint in answer or ():
            self.master.add(constraint, columns)
        self.state.rows += len(answer or ())

    def _layers(self, low: list[int], high: list[int]) -> None:
        network, unit = self.formulation.network, 1
        require_chain(network, "mode 'grid'")
        values: list[Any] = self.inputs
        for layer in network.layers:
            if not layer.activation.is_relu:
                raise OptionError(
                    f"mode 'grid' takes ReLUs, not {layer.activation.name!r}: count this network "
                    "in mode 'decomposition'"
                )
            table, denominator = layer.affine.exact()
            values, low, high = self._layer(table.tolist(), unit, values, low, high)
            unit *= denominator

    def _layer(
        self, table: list[list[int]], unit: int, values: list[Any], low: list[int], high: list[int]
    ) -> tuple[list[Any], list[int], list[int]]:
        """Add a layer whose inputs are integers over `unit`; return its outputs and their range."""
        model, out = self.master.model, []
        ranges = [_range(row, unit, low, high) for row in table]
        for row, (least, most) in zip(table, ranges, strict=True):
            if max(-least, most) > LARGEST:
                raise OptionError(
                    f"mode 'grid' would need integers up to {max(-least, most)}, above 2^55: the "
                    "weights are not quantised; count this network in mode 'decomposition'"
                )
            total = sum(w * v for w, v in zip(row[1:], values, strict=True) if w) + row[0] * unit
            z = model.new_bool_var("")
            h = model.new_int_var(0, max(0, most), "")
            model.add(total >= 1).only_enforce_if(z)
            model.add(total <= 0).only_enforce_if(~z)
            model.add(h == total).only_enforce_if(z)
            model.add(h == 0).only_enforce_if(~z)
            self.master.pieces.append([~z, z])
            out.append(h)
        return out, [max(0, least) for least, _ in ranges], [max(0, most) for _, most in ranges]


def integer_box(inputs: InputSet) -> tuple[list[int], list[int]]:
    """Return the least and the largest integer input of a box.

    Raises
    ------
    DomainError
        If the domain is not a box of all inputs, or has no integer point.
    """
    n = inputs.origin.size
    plain = inputs.is_boxed and not inputs.rows.size and inputs.dimension == n
    if not plain or (inputs.directions != np.eye(n)).any() or inputs.origin.any():
        raise DomainError("mode 'grid' counts on the integer points of a box: give a Box")
    low = [int(v) for v in np.ceil(inputs.lower)]
    high = [int(v) for v in np.floor(inputs.upper)]
    if any(a > b for a, b in zip(low, high, strict=True)):
        raise DomainError(
            "the box has no point with integer inputs: scale the inputs (and the first layer's "
            "weights) so that the grid is the integers"
        )
    return low, high


def _range(row: list[int], unit: int, low: list[int], high: list[int]) -> tuple[int, int]:
    least = most = row[0] * unit
    for weight, a, b in zip(row[1:], low, high, strict=True):
        least += weight * (a if weight > 0 else b)
        most += weight * (b if weight > 0 else a)
    return least, most
