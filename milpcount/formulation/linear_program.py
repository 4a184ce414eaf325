"""A mixed-integer linear program as plain arrays, and the builder that fills them.

Every solver reads these arrays; no modelling language stands between the formulation and it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from milpcount.limits import tick
from milpcount.types import Array


@dataclass(frozen=True, eq=False)
class Row:
    """The constraint ``lower <= sum_k coefficients[k] * x[columns[k]] <= upper``.

    Attributes
    ----------
    columns : ndarray of int32
    coefficients : ndarray
    lower, upper : float
        May be infinite.
    label : tuple
        What it says, and of what: a name and indices, e.g. ``("pre_activation", 0, 3)``.
    """

    columns: Array
    coefficients: Array
    lower: float
    upper: float
    label: tuple[Any, ...] = ()

    def holds(self, x: Array, tolerance: float = 1e-6) -> bool:
        """Return whether a vector of all columns satisfies the row within a tolerance."""
        value = float(self.coefficients @ x[self.columns])
        return self.lower - tolerance <= value <= self.upper + tolerance

    def rescaled(self, shift: Array, scale: Array) -> "Row":
        """Return the row in columns x' with ``x = shift + scale * x'``, its largest entry near 1.

        Parameters
        ----------
        shift, scale : ndarray, shape (columns of the program,)
            Scales are positive.
        """
        constant = float(self.coefficients @ shift[self.columns])
        values = self.coefficients * scale[self.columns]
        largest = float(np.abs(values).max(initial=0.0))
        unit = np.exp2(-np.round(np.log2(largest))) if largest else 1.0
        return Row(
            self.columns,
            values * unit,
            (self.lower - constant) * unit,
            (self.upper - constant) * unit,
            self.label,
        )


@dataclass(frozen=True, eq=False)
class LinearProgram:
    """Maximise ``objective @ x`` with ``row_lower <= A x <= row_upper``, ``lower <= x <= upper``.

    Attributes
    ----------
    names : tuple of str
        One per column.
    lower, upper, objective : ndarray, shape (columns,)
    integer : ndarray of bool, shape (columns,)
    row_lower, row_upper : ndarray, shape (rows,)
    starts, indices, values : ndarray
        A by rows: row i has ``indices[starts[i]:starts[i+1]]`` and the values beside them.
    labels : tuple of tuple
        One per row, see `Row`.
    """

    names: tuple[str, ...]
    lower: Array
    upper: Array
    objective: Array
    integer: Array
    row_lower: Array
    row_upper: Array
    starts: Array
    indices: Array
    values: Array
    labels: tuple[tuple[Any, ...], ...]

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return int(self.lower.shape[0])

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.row_lower.shape[0])

    def row(self, i: int) -> Row:
        """Return row i."""
        at = slice(int(self.starts[i]), int(self.starts[i + 1]))
        return Row(
            self.indices[at],
            self.values[at],
            float(self.row_lower[i]),
            float(self.row_upper[i]),
            self.labels[i],
        )

    def times(self, multipliers: Array, absolute: bool = False) -> Array:
        """Return ``multipliers @ A``, with the absolute values of A on request.

        Parameters
        ----------
        multipliers : ndarray, shape (rows,)
        absolute : bool
        """
        values = np.abs(self.values) if absolute else self.values
        weights = multipliers[self._row_of] * values
        return np.bincount(self.indices, weights, minlength=self.n_columns)

    def rescaled(self, shift: Array, scale: Array) -> "LinearProgram":
        """Return the program in columns x' with ``x = shift + scale * x'``, rows near 1.

        The objective loses its constant.
        """
        build = Builder(
            list(self.names),
            ((self.lower - shift) / scale).tolist(),
            ((self.upper - shift) / scale).tolist(),
            (self.objective * scale).tolist(),
            self.integer.tolist(),
        )
        for i in range(self.n_rows):
            tick()
            build.rows.append(self.row(i).rescaled(shift, scale))
        return build.build()

    def without(self, which: Array) -> "LinearProgram":
        """Return the program without some of its rows, shape (rows,) of bool."""
        build = Builder(
            list(self.names),
            self.lower.tolist(),
            self.upper.tolist(),
            self.objective.tolist(),
            self.integer.tolist(),
        )
        build.rows += [self.row(int(i)) for i in np.flatnonzero(~which)]
        return build.build()

    @cached_property
    def _row_of(self) -> Array:
        return np.repeat(np.arange(self.n_rows), np.diff(self.starts))

    def with_objective(self, objective: Array) -> "LinearProgram":
        """Return the same constraints under another objective, which is maximised."""
        return replace(self, objective=objective)


@dataclass
class Builder:
    """Collects columns and rows and makes a `LinearProgram` of them."""

    names: list[str] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    objective: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def columns(
        self,
        name: str,
        lower: Array,
        upper: Array,
        *,
        integer: bool = False,
        objective: float = 0,
        keys: Sequence[Any] | None = None,
    ) -> Array:
        """Add columns ``name[0], name[1], ..``, or with other keys; return indices as int32."""
        start, count = len(self.names), len(lower)
        self.names += [f"{name}[{key}]" for key in (range(count) if keys is None else keys)]
        self.lower += np.asarray(lower, dtype=float).tolist()
        self.upper += np.asarray(upper, dtype=float).tolist()
        self.objective += [objective] * count
        self.integer += [integer] * count
        return np.arange(start, start + count, dtype=np.int32)

    def row(
        self,
        columns: Sequence[int] | Array,
        coefficients: Sequence[float] | Array,
        lower: float,
        upper: float,
        label: tuple[Any, ...] = (),
    ) -> None:
        """Add a row; zero coefficients are dropped."""
        tick()
        values = np.asarray(coefficients, dtype=float)
        keep = values != 0
        which = np.asarray(columns, dtype=np.int32)[keep]
        self.rows.append(Row(which, values[keep], float(lower), float(upper), label))

    def build(self) -> LinearProgram:
        """Return the program."""
        lengths = [row.columns.size for row in self.rows]
        return LinearProgram(
            tuple(self.names),
            np.array(self.lower),
            np.array(self.upper),
            np.array(self.objective, dtype=float),
            np.array(self.integer, dtype=bool),
            np.array([row.lower for row in self.rows]),
            np.array([row.upper for row in self.rows]),
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32),
            _joined([row.columns for row in self.rows], np.int32),
            _joined([row.coefficients for row in self.rows], np.float64),
            tuple(row.label for row in self.rows),
        )


def _joined(parts: list[Array], kind: type) -> Array:
    return np.concatenate(parts).astype(kind) if parts else np.zeros(0, kind)
