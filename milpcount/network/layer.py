"""A layer of units: the affine map to their pre-activations, and what they do with them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from milpcount.errors import NetworkError
from milpcount.network.activation import Activation
from milpcount.network.affine import Affine
from milpcount.network.unit_table import UnitTable
from milpcount.types import Array


@dataclass(frozen=True, eq=False)
class Group:
    """The units of a layer that have one activation.

    Attributes
    ----------
    activation : Activation
    units : slice or ndarray of int
        Their places in the layer.
    values : slice or ndarray of int
        The places of their pre-activations, those of one unit adjacent.
    """

    activation: Activation
    units: Any
    values: Any


@dataclass(frozen=True, eq=False, init=False)
class Layer:
    """A hidden layer: an affine map and the activations of its units.

    The map has as many outputs per unit as the unit's activation has rank, those of one unit
    adjacent.

    Parameters
    ----------
    affine : Affine
    activation : Activation, or iterable of Activation
        Of all units, or one per unit.
    reads : array_like of int, optional
        The columns that are the map's inputs, increasing: the network's inputs are columns 0, 1,
        .., the outputs of the first layer's units follow them, and so on. By default the outputs of
        the layer before, or the inputs where there is none.

    Raises
    ------
    NetworkError
        If the pre-activations do not fit the units, or the columns not the map.
    """

    affine: Affine
    activations: tuple[Activation, ...]
    reads: Array | None

    def __init__(
        self, affine: Affine, activation: Activation | Iterable[Activation], reads: Any = None
    ) -> None:
        kinds = (activation,) if isinstance(activation, Activation) else tuple(activation)
        if not isinstance(activation, Activation):
            _check_units(affine, kinds)
            if all(kind == kinds[0] for kind in kinds):
                kinds = kinds[:1]
        elif affine.n_out % activation.rank:
            raise NetworkError(
                f"{affine.n_out} pre-activations do not divide into units of rank {activation.rank}"
            )
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "activations", kinds)
        object.__setattr__(self, "reads", None if reads is None else checked_columns(reads, affine))

    @property
    def is_uniform(self) -> bool:
        """Whether all units have one activation."""
        return len(self.activations) == 1

    @property
    def activation(self) -> Activation:
        """The activation of all units.

        Raises
        ------
        NetworkError
            If they differ; see `activations`, `groups`.
        """
        if not self.is_uniform:
            names = ", ".join(dict.fromkeys(kind.name for kind in self.activations))
            raise NetworkError(
                f"the units of a layer differ ({names}): that is not implemented here"
            )
        return self.activations[0]

    @cached_property
    def width(self) -> int:
        """Number of units."""
        if self.is_uniform:
            return self.affine.n_out // self.activations[0].rank
        return len(self.activations)

    def reading(self, reads: Any) -> "Layer":
        """Return the same layer on other columns."""
        kinds = self.activations[0] if self.is_uniform else self.activations
        return Layer(self.affine, kinds, reads)

    def unit(self, place: int) -> Activation:
        """Return the activation of the unit at a place in the layer."""
        return self.activations[0 if self.is_uniform else place]

    @property
    def units(self) -> Iterator[Activation]:
        """The activation of each unit."""
        return (self.unit(place) for place in range(self.width))

    @cached_property
    def value_starts(self) -> Array:
        """Place of each unit's first pre-activation, and their number; shape (width + 1,)."""
        return self._starts(lambda kind: kind.rank)

    @cached_property
    def row_starts(self) -> Array:
        """Place of each unit's first branch row, and their number; shape (width + 1,)."""
        return self._starts(lambda kind: len(kind.rows))

    def _starts(self, size: Any) -> Array:
        if self.is_uniform:
            return np.asarray(np.arange(self.width + 1) * size(self.activations[0]))
        return np.concatenate([[0], np.cumsum([size(kind) for kind in self.activations])])

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The units by their activation."""
        if self.is_uniform:
            return (Group(self.activations[0], slice(None), slice(None)),)
        places: dict[Activation, list[int]] = {}
        for place, kind in enumerate(self.activations):
            places.setdefault(kind, []).append(place)
        return tuple(
            Group(
                kind,
                np.array(units),
                (self.value_starts[units][:, None] + np.arange(kind.rank)).ravel(),
            )
            for kind, units in places.items()
        )

    @cached_property
    def table(self) -> UnitTable:
        """What the units do, in arrays."""
        return UnitTable.of(self)

    @cached_property
    def n_pieces(self) -> Array:
        """Number of pieces of each unit, shape (width,)."""
        if self.is_uniform:
            return np.full(self.width, self.activations[0].n_pieces)
        return np.array([kind.n_pieces for kind in self.activations])

    def pieces_at(self, values: Array) -> Array:
        """Return the piece of each unit, shape (..., width), for pre-activations (..., n_out)."""
        if self.is_uniform:
            return self.activations[0].pieces_at(values)
        found = np.empty((*values.shape[:-1], self.width), dtype=np.int64)
        for group in self.groups:
            found[..., group.units] = group.activation.pieces_at(values[..., group.values])
        return found

    def apply(self, values: Array) -> Array:
        """Return the outputs of the units, shape (..., width), for pre-activations (..., n_out)."""
        if self.is_uniform:
            return self.activations[0].apply(values)
        found = np.empty((*values.shape[:-1], self.width))
        for group in self.groups:
            found[..., group.units] = group.activation.apply(values[..., group.values])
        return found


def checked_columns(reads: Any, affine: Affine) -> Array:
    """Return the columns that a map reads.

    Raises
    ------
    NetworkError
        If they are no increasing integers, one for each input of the map.
    """
    given = np.asarray(reads)
    if (
        given.ndim != 1
        or given.dtype.kind not in "iu"
        or (np.diff(given.astype(np.int64)) < 1).any()
    ):
        raise NetworkError("the columns that a map reads must be integers, in increasing order")
    if given.size != affine.n_in:
        raise NetworkError(f"a map of {affine.n_in} inputs reads {given.size} columns")
    columns = given.astype(np.int64)
    columns.setflags(write=False)
    return columns


def _check_units(affine: Affine, kinds: tuple[Activation, ...]) -> None:
    if not all(isinstance(kind, Activation) for kind in kinds):
        raise NetworkError("the activations of a layer's units must be Activation objects")
    needed = sum(kind.rank for kind in kinds)
    if needed != affine.n_out:
        raise NetworkError(
            f"{len(kinds)} units take {needed} pre-activations, but the map has {affine.n_out} "
            "outputs"
        )
