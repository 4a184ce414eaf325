"""The container of a proof: arrays by name in a zip file, as `numpy.load` reads them."""

import json
import zipfile
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

Array = np.ndarray

_LEVEL = 6
"""Of compression."""
_TIME = (1980, 1, 1, 0, 0, 0)
"""Of all members: the same proof is the same file."""


class Archive:
    """Writes arrays one after the other; only one is held at a time.

    Parameters
    ----------
    stream : binary file
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)

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
        member = zipfile.ZipInfo(f"{name}.npy", _TIME)
        member.compress_type = zipfile.ZIP_DEFLATED
        array = np.asarray(array)
        with self._zip.open(member, "w", force_zip64=array.nbytes > 1 << 30) as stream:
            np.lib.format.write_array(
                stream, array.astype(array.dtype.newbyteorder("<")), allow_pickle=False
            )

    def put_text(self, name: str, value: Any) -> None:
        """Append JSON text."""
        self.put(name, np.array(json.dumps(value)))

    def put_integers(self, name: str, values: Any) -> None:
        """Append integers in the smallest type that holds them, one with signs if there are any."""
        array = np.asarray(values, dtype=np.int64)
        ends = (array.min(initial=0), array.max(initial=0))
        self.put(name, array.astype(np.result_type(*map(np.min_scalar_type, ends))))
