"""The container of a proof: arrays by name in a zip file, as `numpy.load` reads them."""

import io
import json
import zipfile
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

from milpcount.types import Array

_LEVEL = 4
"""Of compression: more takes thrice the time, for files that are smaller by a thirtieth."""
_TIME = (1980, 1, 1, 0, 0, 0)
"""Of all members: the same proof is the same file."""


class Archive:
    """Writes arrays one after the other; only one is held at a time.

    Parameters
    ----------
    stream : binary file
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED)

    def __enter__(self) -> "Archive":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    def put(self, name: str, array: Array) -> None:
        """Append an array, little-endian."""
        content = io.BytesIO()
        array = np.asarray(array)
        np.lib.format.write_array(
            content, array.astype(array.dtype.newbyteorder("<")), allow_pickle=False
        )
        member = zipfile.ZipInfo(f"{name}.npy", _TIME)
        self._zip.writestr(member, content.getbuffer(), zipfile.ZIP_DEFLATED, _LEVEL)

    def put_floats(self, name: str, values: Array) -> None:
        """Append floats, in single precision if they are all of that."""
        short = values.astype(np.float32)
        self.put(name, short if (short == values).all() else values)

    def put_text(self, name: str, value: Any) -> None:
        """Append JSON text."""
        self.put(name, np.array(json.dumps(value)))

    def put_integers(self, name: str, values: Any) -> None:
        """Append integers in the smallest type that holds them, one with signs if there are any."""
        array = np.asarray(values, dtype=np.int64)
        ends = (array.min(initial=0), array.max(initial=0))
        self.put(name, array.astype(np.result_type(*map(np.min_scalar_type, ends))))
