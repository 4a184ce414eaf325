"""Activations in the metadata of an ``.npz`` network: names, tables, and runs of them."""

import reprlib
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from milpcount.errors import FileFormatError, NetworkError
from milpcount.network.activation import (
    Activation,
    Piece,
    Row,
    leaky_relu,
    parse_activation,
)
from milpcount.network.affine import Affine
from milpcount.network.layer import Layer

Kinds = Activation | list[tuple[int, Activation]]
"""The activation of all units of a layer, or runs: how many units in a row have which."""


def record_of(layer: Layer) -> Any:
    """Return what the metadata says of a layer's units."""
    if layer.is_uniform:
        return _to_record(layer.activation)
    runs = ((len(list(units)), kind) for kind, units in groupby(layer.activations))
    return [[number, _to_record(kind)] for number, kind in runs]


def read_activations(
    arrays: dict[str, np.ndarray], metadata: dict[str, Any], layers: int
) -> list[Kinds]:
    """Return the activations of all layers.

    Raises
    ------
    FileFormatError
        If one cannot be read, or there is not one for each layer.
    """
    if "leaky_alpha" in arrays:
        if arrays["leaky_alpha"].dtype.kind not in "fiu":
            raise FileFormatError(
                f"leaky_alpha has type {arrays['leaky_alpha'].dtype}: numbers are needed"
            )
        slopes = arrays["leaky_alpha"].ravel().tolist()
        found: list[Kinds] = [leaky_relu(slope) for slope in slopes]
    else:
        given = metadata.get("activations", ["relu"] * layers)
        if not isinstance(given, list):
            raise FileFormatError(f"activations {reprlib.repr(given)}: a list is needed")
        found = [_kinds(record) for record in given]
    if len(found) != layers:
        raise FileFormatError(
            f"{len(found)} activations for {layers} hidden layers: one for each is needed"
        )
    return found


def layer_of(affine: Affine, kinds: Kinds, reads: Any) -> Layer:
    """Return a layer; its runs are written out once they fit its map."""
    if isinstance(kinds, Activation):
        return Layer(affine, kinds, reads)
    needed = sum(number * kind.rank for number, kind in kinds)
    if needed != affine.n_out:
        raise FileFormatError(
            f"activations that take {needed} pre-activations: the map has {affine.n_out} outputs"
        )
    return Layer(affine, [kind for number, kind in kinds for _ in range(number)], reads)


def _kinds(record: Any) -> Kinds:
    return _runs(record) if isinstance(record, list) else _from_record(record)


def _runs(record: Sequence[Any]) -> list[tuple[int, Activation]]:
    found = []
    for run in record:
        is_pair = isinstance(run, list) and len(run) == 2
        number = run[0] if is_pair else None
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise FileFormatError(
                f"activations {reprlib.repr(run)}: runs [number of units, activation] are needed"
            )
        found.append((number, _from_record(run[1])))
    if not found:
        raise FileFormatError("a layer has no activation: give runs [number of units, activation]")
    return found


def _to_record(activation: Activation) -> Any:
    try:
        if parse_activation(activation.name) == activation:
            return activation.name
    except NetworkError:
        pass  # a name of the user's own
    return {
        "name": activation.name,
        "rank": activation.rank,
        "rows": [[row.a, row.b, row.threshold] for row in activation.rows],
        "pieces": [[p.value, p.slope, p.intercept, p.literals] for p in activation.pieces],
    }


def _from_record(record: Any) -> Activation:
    if isinstance(record, str):
        return parse_activation(record)
    try:
        rows = tuple(Row(a, b, t) for a, b, t in record["rows"])
        pieces = tuple(
            Piece(v, s, i, tuple((row, sign) for row, sign in literals))
            for v, s, i, literals in record["pieces"]
        )
        return Activation(record["name"], record["rank"], rows, pieces)
    except NetworkError:
        raise  # its table is wrong
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FileFormatError(
            f"activation {reprlib.repr(record)} cannot be read ({error!r}): give a name or a table "
            "with name, rank, rows and pieces"
        ) from None
