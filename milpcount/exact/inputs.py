"""The set of inputs in exact numbers."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from milpcount.domain import InputSet
from milpcount.exact.arithmetic import product
from milpcount.exact.geometry import ExactBox, Point, Rows
from milpcount.exact.program import decide
from milpcount.rationals import to_integers
from milpcount.types import Array


@dataclass(frozen=True, eq=False)
class ExactInputs:
    """The set ``{origin + directions @ t : t in box, rows(t) >= 0}`` in exact numbers.

    Attributes
    ----------
    origin : ndarray of int, dtype object, shape (n_inputs,)
    directions : ndarray of int, dtype object, shape (n_inputs, d)
    denominator : int
        Of both.
    box : ExactBox
        Of dimension d.
    rows : Rows
        Further inequalities; those that hold everywhere are left out.
    """

    origin: Array
    directions: Array
    denominator: int
    box: ExactBox
    rows: Rows

    @classmethod
    def of(
        cls,
        origin: Any,
        directions: Any,
        lower: Any,
        upper: Any,
        rows: Any = None,
        rhs: Any = None,
    ) -> "ExactInputs":
        """Return the set of float64 or exact numbers (int, Fraction; dtype object).

        Parameters
        ----------
        origin, directions, lower, upper : array_like
            As in `milpcount.domain.InputSet`.
        rows, rhs : array_like, optional
            Inequalities ``rows @ t <= rhs``.
        """
        directions = np.asarray(directions)
        d = directions.shape[1]
        joined = np.concatenate([np.asarray(origin)[:, None], directions], axis=1)
        integers, q = to_integers(joined)
        table = np.zeros((0, 1 + d)) if rows is None else np.c_[np.asarray(rhs), -np.asarray(rows)]
        inequalities = Rows.of(table)
        needed = [i for i, row in enumerate(inequalities.values) if row[0] < 0 or row[1:].any()]
        box = ExactBox.of(lower, upper)
        return cls(integers[:, 0], integers[:, 1:], q, box, inequalities.take(needed))

    @classmethod
    def from_inputs(cls, inputs: "InputSet | ExactInputs") -> "ExactInputs":
        """Return the exact form of an input set; every float64 is taken at its exact value."""
        if isinstance(inputs, ExactInputs):
            return inputs
        inputs = inputs.exact or inputs
        return cls.of(
            inputs.origin, inputs.directions, inputs.lower, inputs.upper, inputs.rows, inputs.rhs
        )

    @property
    def dimension(self) -> int:
        """Number of parameters."""
        return self.box.dimension

    @cached_property
    def selected(self) -> Array | None:
        """Which input each parameter is, shape (d,); None unless every parameter is an input."""
        one = self.directions == self.denominator
        if (one.sum(axis=0) == 1).all() and ((self.directions != 0).sum(axis=0) == 1).all():
            return np.asarray(one.argmax(axis=0))
        return None

    @cached_property
    def takes_floats(self) -> bool:
        """Whether every parameter is an input and every other input is fixed at a float64.

        A float64 point of input space with the right fixed inputs is then exactly a point of the
        set's span; of other sets it need not be.
        """
        if self.selected is None or self.origin[self.selected].any():
            return False
        fixed = Point(self.origin, self.denominator)
        floats = fixed.floats()
        return bool(np.isfinite(floats).all()) and Point.of(floats).is_same(fixed)

    @cached_property
    def has_interior(self) -> bool:
        """Whether the set is full-dimensional in its parameters."""
        return not decide(self.rows, (1,) * len(self.rows), self.box).is_empty

    def compose(self, weight: Array, columns: Array | None = None) -> Array:
        """Return ``weight @ [origin, directions]`` times the denominator, shape (n, 1 + d).

        Parameters
        ----------
        weight : ndarray of int, dtype object, shape (n, inputs)
        columns : ndarray of int, optional
            Which of the inputs it takes; all by default.
        """
        if columns is not None:
            full = np.full((len(weight), self.origin.size), 0, dtype=object)
            full[:, columns] = weight
            weight = full
        constant = product(weight, self.origin)
        if self.selected is not None:
            slopes = weight[:, self.selected] * self.denominator
        else:
            slopes = product(weight, self.directions)
        return np.concatenate([constant[:, None], slopes], axis=1)

    def rows_of(self, columns: Array | None = None) -> Array:
        """Return inputs as functions of the parameters, times the denominator, (inputs, 1 + d)."""
        at = slice(None) if columns is None else columns
        return np.concatenate([self.origin[at, None], self.directions[at]], axis=1)

    def to_input(self, point: Point) -> Point:
        """Return the input of a parameter point."""
        numerators = self.origin * point.denominator
        if self.selected is None:
            numerators = numerators + self.directions @ point.numerators
        else:
            numerators[self.selected] += point.numerators * self.denominator
        return Point(numerators, self.denominator * point.denominator)
