"""Kept regions as a Parquet file: a row a region, for pandas, DuckDB, Polars and what reads tables.

Columns: ``pattern`` (list of unsigned integers), ``witness`` or ``parameters`` (list of float64),
and ``rational``, null but where float64 rounds the point, then its numbers as text ``p/q``. What an
``.npz`` file has besides, the metadata and the numbers of the domain, is JSON in the file's own
metadata under the key ``milpcount``; float64 numbers are there in hexadecimal, so that none is
rounded.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from milpcount import caps, optional
from milpcount.errors import FileFormatError, NotInstalledError
from milpcount.network import Network
from milpcount.network.paths import existing_file
from milpcount.region_files.writing import Points, pieces_type
from milpcount.result import Region
from milpcount.types import Array

SUFFIX = ".parquet"
_KEY = b"milpcount"
_GROUP = 1 << 22
"""Numbers of points, and of pieces, in a group of rows: 32 MiB of each are in memory at a time."""
_ROWS = 4096
"""Rows that are read at a time."""


def arrow(module: str = "pyarrow") -> Any:
    """Return a module of pyarrow.

    Raises
    ------
    NotInstalledError
        Naming the format that needs nothing.
    """
    what = "a Parquet file (an .npz file has the same and needs nothing more)"
    if optional.find("pyarrow", what, extra="parquet") is None:
        raise NotInstalledError(what, "pyarrow", "parquet")
    return optional.load(module)


def write(
    stream: BinaryIO, regions: Sequence[Region], network: Network, arrays: Mapping[str, Array]
) -> None:
    """Write regions and the arrays that are not of single regions.

    Parameters
    ----------
    stream : binary file
    regions : sequence of Region
    network : Network
        Whose patterns they have.
    arrays : mapping of str to ndarray
        Of float64 or text.
    """
    pa = arrow()
    points = Points(regions, network.n_inputs)
    number = pa.from_numpy_dtype(pieces_type(network))
    name = "parameters" if points.name == "parameters" else "witness"
    about = json.dumps({key: _to_json(array) for key, array in arrays.items()})
    schema = pa.schema(
        [
            ("pattern", pa.list_(number)),
            (name, pa.list_(pa.float64())),
            ("rational", pa.list_(pa.string())),
        ],
        metadata={_KEY: about.encode()},
    )
    rows = max(1, _GROUP // max(64, points.width, network.n_units))
    with arrow("pyarrow.parquet").ParquetWriter(stream, schema) as writer:
        for batch in points.batches(rows):
            patterns = np.array([region.pattern for region in batch.regions])
            patterns = patterns.reshape(len(batch.regions), network.n_units)
            rationals = [batch.rationals.get(i) for i in range(len(batch.regions))]
            columns = [
                _lists(pa, patterns.astype(pieces_type(network))),
                _lists(pa, batch.points),
                pa.array(rationals, schema.field("rational").type),
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema), row_group_size=rows)


def read(path: str | Path) -> dict[str, Array]:
    """Return the arrays of a file, as those of an ``.npz`` file.

    Raises
    ------
    NotInstalledError
        Without pyarrow.
    FileFormatError
        If it is no such file.
    """
    file = existing_file(path, "a .parquet file of kept regions")
    pa = arrow()
    try:
        with arrow("pyarrow.parquet").ParquetFile(file) as source:
            return _read(source)
    except FileFormatError:
        raise
    except (pa.ArrowException, KeyError, OSError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise FileFormatError(
            f"{path} is no Parquet file of kept regions, or is damaged ({type(error).__name__}: "
            f"{said}): write one with 'milpcount count NET .. --keep FILE.parquet'"
        ) from None


def _read(source: Any) -> dict[str, Array]:
    schema, about = source.schema_arrow, source.metadata
    record = (schema.metadata or {}).get(_KEY)
    if record is None:
        raise ValueError("it has no metadata of milpcount")
    numbers = sum(
        about.row_group(g).column(c).num_values
        for g in range(about.num_row_groups)
        for c in range(about.num_columns)
    )
    caps.KEPT_REGIONS.check(8 * numbers + about.num_rows, "unpacked")
    found = {key: _from_json(value) for key, value in json.loads(record).items()}
    on_section = "parameters" in schema.names
    name = "parameters" if on_section else "witness"
    patterns, points = list[Array](), list[Array]()
    index, texts, done = list[int](), list[list[str]](), 0
    for batch in source.iter_batches(_ROWS, columns=["pattern", name, "rational"]):
        patterns.append(_table(batch.column("pattern")))
        points.append(_table(batch.column(name)))
        for place, value in enumerate(batch.column("rational").to_pylist()):
            if value is not None:
                index.append(done + place)
                texts.append(value)
        done += batch.num_rows
    found["patterns"] = _joined(patterns, np.uint8)
    found["parameters" if on_section else "witnesses"] = _joined(points, np.float64)
    if index:
        found["rational_index"] = np.array(index, dtype=np.int64)
        found["rational_points"] = np.array(texts, dtype=np.str_)
    return found


def _lists(pa: Any, table: Array) -> Any:
    """Return the rows of a matrix as lists."""
    ends = np.arange(len(table) + 1, dtype=np.int32) * np.int32(table.shape[1])
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(table.ravel()))


def _table(column: Any) -> Array:
    """Return lists of one length as the rows of a matrix."""
    lengths = column.value_lengths().to_numpy(zero_copy_only=False)
    width = int(lengths[0]) if len(lengths) else 0
    if column.null_count or (lengths != width).any():
        raise ValueError("its lists are not of one length")
    values = column.flatten()
    if values.null_count:
        raise ValueError("a number is missing")
    return np.asarray(values.to_numpy(zero_copy_only=False)).reshape(len(lengths), width)


def _joined(parts: list[Array], dtype: Any) -> Array:
    return np.concatenate(parts) if parts else np.zeros((0, 0), dtype=dtype)


def _to_json(array: Array) -> dict[str, Any]:
    """Return an array of float64 numbers or of text."""
    is_text = array.dtype.kind == "U"
    values = array.ravel().tolist()
    if not is_text:
        values = [float(v).hex() for v in values]
    return {"shape": list(array.shape), "text": is_text, "values": values}


def _from_json(given: Mapping[str, Any]) -> Array:
    values = given["values"]
    if given["text"]:
        array = np.array([str(v) for v in values], dtype=np.str_)
    else:
        array = np.array([float.fromhex(v) for v in values], dtype=np.float64)
    return array.reshape(given["shape"])
