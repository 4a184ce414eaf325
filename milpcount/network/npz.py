"""The ``.npz`` format: every network, exactly.

Keys ``W0, b0, W1, b1, ..`` hold the affine maps, weights of shape (outputs, inputs). Alone they
mean a ReLU after all but the last. The optional key ``metadata`` is JSON text::

    {"activations": ["relu", "leaky_relu(0.1)", ..], "output": true, "inputs": 784}

with one activation per hidden layer, and whether the last map is the affine output layer. An
activation is a name that `parse_activation` reads, or a table of rows and pieces; where the units
of a layer differ it is a list of runs ``[[3, "relu"], [1, "maxout(2)"], ..]``, how many units in a
row have which. Further keys in the metadata are for the user's own notes; ``reader_notes`` are
those of `Network.notes`. The optional key ``leaky_alpha`` gives one slope per hidden layer instead.
A box ``lo, hi`` of inputs is no part of the network: it is left out with a note.

A map i that does not read the layer before has a key ``readsi``: the columns that it reads,
increasing, as in `milpcount.network.Layer`; ``inputs`` in the metadata then says how many inputs
the network has. A sparse map has, instead of ``Wi``, the keys ``datai, indicesi, indptri`` of a
matrix by rows (`scipy.sparse.csr_array`; columns increasing in each row) and ``shapei``.

An affine map i that is a product of factors, and no float64 matrix, has instead of ``Wi, bi`` the
keys of its factors j = 0, 1, .. in the order of their application: ``Wi.j, bi.j`` of a dense one,
``datai.j, indicesi.j, indptri.j, shapei.j, bi.j`` of a sparse one, and ``factori.j, shifti.j,
divisori.j`` of one that maps every entry v by itself to ``(factor v + shift) / divisor``.
"""

import json
import re
import reprlib
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from scipy import sparse

from milpcount import caps
from milpcount.errors import FileFormatError, NetworkError
from milpcount.network.affine import Affine, Dense, Elementwise
from milpcount.network.composite import Composite, compose
from milpcount.network.network import Network
from milpcount.network.npz_activations import layer_of, read_activations, record_of
from milpcount.network.npz_archive import read_arrays
from milpcount.network.sparse import Factor, Sparse

_KEYS = "W0, b0, W1, b1, .. and optionally metadata or leaky_alpha"
_BOX = "left out: the box lo, hi of the file; give the domain yourself"
_DENSE = ("W", "b")
_SPARSE = ("data", "indices", "indptr", "shape", "b")
_ELEMENTWISE = ("factor", "shift", "divisor")
_NAMES = "|".join(sorted({*_DENSE, *_SPARSE, *_ELEMENTWISE, "reads"}, key=len, reverse=True))
_KEY = re.compile(rf"({_NAMES})(0|[1-9]\d{{0,5}})(?:\.(0|[1-9]\d{{0,5}}))?")


def read_npz(path: Path) -> Network:
    """Return the network in an ``.npz`` file; nothing in it is unpickled.

    Raises
    ------
    FileFormatError
        If the file is corrupt, holds other keys than those of the format, or its metadata does
        not fit.
    NetworkError
        If a number is not finite or the shapes do not chain.
    """
    arrays = read_arrays(path)
    # A box of inputs is no part of the function: it may stand beside it, and a note says so.
    box = [arrays.pop(key) for key in ("lo", "hi")] if {"lo", "hi"} <= set(arrays) else []
    metadata = _read_metadata(arrays)
    maps = _read_maps(arrays)
    has_output = metadata.get("output", True)
    if not isinstance(has_output, bool):
        raise FileFormatError(
            f"metadata with output {reprlib.repr(has_output)}: true or false is needed"
        )
    hidden = maps[:-1] if has_output else maps
    kinds = read_activations(arrays, metadata, len(hidden))
    layers = []
    for number, (affine, units) in enumerate(zip(hidden, kinds, strict=True)):
        try:
            layers.append(layer_of(affine, units, arrays.get(f"reads{number}")))
        except NetworkError as error:
            raise NetworkError(f"map {number}: {error}") from None
    notes = metadata.get("reader_notes", [])
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise FileFormatError(f"metadata with reader_notes {notes!r}: a list of texts is needed")
    output = maps[-1] if has_output else None
    reads = arrays.get(f"reads{len(hidden)}")
    found = Network(tuple(layers), output, tuple(notes), reads, _read_inputs(metadata))
    if not box:
        return found
    if any(bound.shape != (found.n_inputs,) for bound in box):
        raise FileFormatError(
            f"lo and hi have shapes {[bound.shape for bound in box]}: the network has "
            f"{found.n_inputs} inputs"
        )
    return replace(found, notes=(*found.notes, _BOX))


def write_npz(network: Network, stream: BinaryIO) -> None:
    """Write a network so that `read_npz` returns one with the same fingerprint."""
    metadata: dict[str, Any] = {
        "activations": [record_of(layer) for layer in network.layers],
        "output": network.output is not None,
    }
    if network.notes:
        metadata["reader_notes"] = list(network.notes)
    reads = [*(layer.reads for layer in network.layers), network.output_reads]
    if any(columns is not None for columns in reads):
        metadata["inputs"] = network.n_inputs
    arrays: dict[str, Any] = {"metadata": np.array(json.dumps(metadata))}
    for number, affine in enumerate(network.maps):
        if reads[number] is not None:
            arrays[f"reads{number}"] = reads[number]
        if isinstance(affine, Composite):
            for k, factor in enumerate(affine.factors):
                arrays |= _factor_arrays(factor, f"{number}.{k}")
        else:
            arrays |= _factor_arrays(affine, str(number))
    np.savez(stream, **arrays)


def _factor_arrays(factor: Affine | Factor, suffix: str) -> dict[str, np.ndarray]:
    if isinstance(factor, Elementwise):
        return {f"{name}{suffix}": getattr(factor, name) for name in _ELEMENTWISE}
    if isinstance(factor, Sparse):
        parts = {name: getattr(factor.matrix, name) for name in ("data", "indices", "indptr")}
        parts |= {"shape": np.array(factor.matrix.shape), "b": factor.bias}
        return {f"{name}{suffix}": values for name, values in parts.items()}
    return {f"W{suffix}": factor.weight, f"b{suffix}": factor.bias}


def _read_inputs(metadata: dict[str, Any]) -> int | None:
    given = metadata.get("inputs")
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise FileFormatError(
            f"metadata with inputs {reprlib.repr(given)}: a positive integer is needed"
        )
    caps.UNITS.check(given, "inputs")
    return given


def _read_metadata(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    if "metadata" not in arrays:
        return {}
    given = arrays["metadata"]
    if given.size != 1 or given.dtype.kind not in "US":
        raise FileFormatError(
            f"metadata has shape {given.shape} and type {given.dtype}: one JSON text is needed"
        )
    text = given.item()
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"metadata is not JSON: {error}") from None
    if not isinstance(metadata, dict):
        raise FileFormatError(f"metadata is a {type(metadata).__name__}: an object is needed")
    return metadata


def _read_maps(arrays: dict[str, np.ndarray]) -> list[Affine]:
    found: dict[int, dict[int | None, set[str]]] = {}
    for key in arrays:
        parts = _KEY.fullmatch(key)
        if parts:
            name, number, factor = parts.groups()
            place = None if factor is None else int(factor)
            found.setdefault(int(number), {}).setdefault(place, set()).add(name)
        elif key not in ("metadata", "leaky_alpha"):
            # An array that is not understood may change what the network computes.
            raise FileFormatError(f"{key!r} is not known: an .npz network has the keys {_KEYS}")
    if sorted(found) != list(range(max(1, len(found)))):
        keys = sorted(set(arrays) - {"metadata", "leaky_alpha"})
        raise FileFormatError(f"keys {keys}: an .npz network has the keys {_KEYS}")
    return [_read_map(arrays, number, found[number]) for number in range(len(found))]


def _read_map(
    arrays: dict[str, np.ndarray], number: int, found: dict[int | None, set[str]]
) -> Affine:
    found[None] = found.get(None, set()) - {"reads"}
    if not found[None]:
        del found[None]
    if found.keys() == {None}:
        return cast("Affine", _read_factor(arrays, f"{number}", found[None]))
    places = sorted(k for k in found if k is not None)
    if not places:
        raise FileFormatError(f"map {number} has no numbers: an .npz network has the keys {_KEYS}")
    if None in found or places != list(range(len(places))):
        raise FileFormatError(
            f"map {number} has factors {places}: they must be numbered from 0, without a matrix of "
            "the map's own"
        )
    factors = [_read_factor(arrays, f"{number}.{k}", found[k]) for k in places]
    try:
        return compose(factors)
    except NetworkError as error:
        raise NetworkError(f"map {number}: {error}") from None


def _read_factor(arrays: dict[str, np.ndarray], suffix: str, found: set[str]) -> Factor:
    kinds = [_DENSE, _SPARSE, *([_ELEMENTWISE] if "." in suffix else [])]
    wanted = next((names for names in kinds if found == set(names)), None)
    if wanted is None:
        keys = sorted(f"{name}{suffix}" for name in found)
        raise FileFormatError(f"keys {keys}: an .npz network has the keys {_KEYS}")
    names = [f"{name}{suffix}" for name in wanted]
    for name, key in zip(wanted, names, strict=True):
        if name in ("indices", "indptr", "shape"):
            if arrays[key].ndim != 1 or arrays[key].dtype.kind not in "iu":
                raise FileFormatError(f"{key} must be a list of integers")
        elif not np.can_cast(arrays[key].dtype, np.float64, "safe"):
            raise FileFormatError(
                f"{key} has type {arrays[key].dtype}: float32 or float64 is needed"
            )
    given = [arrays[key] for key in names]
    try:
        if wanted is _SPARSE:
            data, indices, indptr, shape, bias = given
            return Sparse(_by_rows(data, indices, indptr, shape, suffix), bias)
        return Elementwise(*given) if wanted is _ELEMENTWISE else Dense(*given)
    except NetworkError as error:
        raise NetworkError(f"{', '.join(names)}: {error}") from None


def _by_rows(
    data: np.ndarray, indices: np.ndarray, indptr: np.ndarray, shape: np.ndarray, suffix: str
) -> sparse.csr_array:
    """Return a matrix by rows, once its parts have been seen to make one."""
    sizes = [int(n) for n in shape]
    if len(sizes) != 2 or min(sizes) < 1 or indptr.size != sizes[0] + 1:
        raise FileFormatError(
            f"shape{suffix} {reprlib.repr(sizes)} with {indptr.size} numbers in indptr{suffix}: "
            "two positive sizes are needed, and one number more than there are rows"
        )
    caps.UNITS.check(sizes[1], f"columns of shape{suffix}")
    # In 64 bits with a sign: the largest numbers without one become negative.
    starts, columns = indptr.astype(np.int64), indices.astype(np.int64)
    if starts[0] != 0 or (starts[1:] < starts[:-1]).any() or starts[-1] != columns.size:
        raise FileFormatError(
            f"indptr{suffix} must rise from 0 to the {columns.size} numbers in indices{suffix}"
        )
    if data.shape != columns.shape:
        raise FileFormatError(
            f"data{suffix} has shape {data.shape}: {columns.size} numbers are needed, as in "
            f"indices{suffix}"
        )
    if ((columns < 0) | (columns >= sizes[1])).any():
        raise FileFormatError(f"indices{suffix}: columns are 0 to {sizes[1] - 1}")
    row = np.repeat(np.arange(sizes[0]), np.diff(starts))
    if ((np.diff(columns) <= 0) & (np.diff(row) == 0)).any():
        raise FileFormatError(f"indices{suffix}: the columns of a row must increase")
    return sparse.csr_array((data, columns, starts), shape=tuple(sizes))
