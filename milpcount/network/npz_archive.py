"""Archives of arrays as ``.npz`` files hold them, read only after their sizes have been checked."""

import reprlib
import tokenize
import zipfile
import zlib
from math import prod
from pathlib import Path

import numpy as np

from milpcount import caps
from milpcount.errors import FileFormatError, InputError


def read_arrays(path: Path, cap: caps.Cap = caps.ARRAYS) -> dict[str, np.ndarray]:
    """Return the arrays of an archive, read only after their sizes have been seen to fit.

    Parameters
    ----------
    path : Path
    cap : Cap
        The most bytes of all arrays together.

    Raises
    ------
    FileFormatError
        If it is no archive of arrays, or above its cap; nothing in it is unpickled.
    """
    try:
        with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            cap.check(sum(m.file_size for m in members), "unpacked")
            caps.LAYERS.check(len(members) // 2, "its arrays make")
            names = [m.filename.removesuffix(".npy") for m in members]
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise FileFormatError(f"{twice!r} is there twice: give each array once")
            return {
                name: _read_array(archive, member, cap)
                for name, member in zip(names, members, strict=True)
            }
    except InputError:
        raise
    except (
        EOFError,
        MemoryError,
        NotImplementedError,
        OSError,
        OverflowError,
        RecursionError,
        RuntimeError,  # an encrypted archive
        SyntaxError,
        tokenize.TokenError,  # numpy's reader of headers
        TypeError,
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise FileFormatError(
            f"not a readable .npz archive of numbers ({error}): it may be truncated; "
            "write it with numpy.savez"
        ) from None


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, cap: caps.Cap) -> np.ndarray:
    """Return an array whose header claims no more than the archive says there is."""
    # The other ways to compress unpack without bounds; numpy does not write them.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileFormatError(
            f"{member.filename} is packed in a way that numpy does not write: write the file with "
            "numpy.savez or numpy.savez_compressed"
        )
    with archive.open(member) as stream:
        header = (np.lib.format.read_array_header_1_0, np.lib.format.read_array_header_2_0)
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise FileFormatError(f"{member.filename} is in version {version} of the .npy format")
        shape, _, dtype = header[version[0] - 1](stream)
        held = member.file_size - stream.tell()
    if dtype.hasobject:
        raise FileFormatError(
            f"{member.filename} holds Python objects, which are not read since that runs code: "
            "store numbers"
        )
    if any(n < 0 for n in shape) or prod(shape) * dtype.itemsize != held:
        raise FileFormatError(
            f"{member.filename} declares shape {reprlib.repr(shape)} of {dtype.itemsize} bytes "
            f"each, but holds {held} bytes: the file is damaged"
        )
    if cap is caps.ARRAYS:  # they become float64
        caps.NUMBERS.check(prod(shape), member.filename)
    with archive.open(member) as stream:
        return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
