"""Files with networks: which reader or writer a suffix names."""

from collections.abc import Callable
from pathlib import Path

from milpcount.errors import FileFormatError, InputError, NetworkError
from milpcount.network.foreign_files import FOREIGN
from milpcount.network.network import Network
from milpcount.network.npz import read_npz, write_npz
from milpcount.network.paths import existing_file, write_atomically
from milpcount.network.shipped import located


def _read_onnx(path: Path, output: str | None) -> Network:
    from milpcount.network.onnx_reader import read_onnx

    return read_onnx(path, output)


def _read_nnet(path: Path) -> Network:
    from milpcount.network.nnet_reader import read_nnet

    return read_nnet(path)


def _read_pt2(path: Path, output: str | None) -> Network:
    from milpcount.network.pt2_reader import read_pt2

    return read_pt2(path, output)


_READERS: dict[str, Callable[[Path], Network]] = {".npz": read_npz, ".nnet": _read_nnet}
_CHOOSING: dict[str, Callable[[Path, str | None], Network]] = {
    ".onnx": _read_onnx,
    ".pt2": _read_pt2,
}
"""Readers of formats with several outputs, which have names."""
_READABLE = "a network as .npz, .onnx, .pt2 or .nnet file"


def load(path: str | Path, output: str | None = None) -> Network:
    """Return the network in a file.

    Parameters
    ----------
    path : str or Path
        With suffix ``.npz``, ``.onnx``, ``.onnx.gz``, ``.pt2`` or ``.nnet``; see
        `milpcount.network.npz`, `milpcount.network.onnx_reader`, `milpcount.network.pt2_reader` and
        `milpcount.network.nnet_reader`. ``example:NAME`` is a file that comes with the package; see
        `milpcount.network.shipped`. Other formats are refused with how to export them.

    Returns
    -------
    Network
        Weights in float64; those stored as float32 are converted exactly.

    Raises
    ------
    FileFormatError
        If the file is missing, a directory, of another suffix, truncated or corrupt, or holds
        something that is not supported.
    NetworkError
        If a number is not finite or the shapes do not chain.
    NotInstalledError
        If the package that reads the format is missing.
    """
    source = existing_file(located(path), _READABLE)
    suffix = source.suffix.lower()
    if suffix == ".gz" and Path(source.stem).suffix.lower() == ".onnx":
        suffix = ".onnx"
    if suffix in FOREIGN:
        raise FileFormatError(f"{source} is {FOREIGN[suffix]}")
    if suffix not in {*_READERS, *_CHOOSING}:
        raise FileFormatError(f"{source} has suffix {source.suffix!r}: give {_READABLE}")
    if output is not None and suffix not in _CHOOSING:
        raise FileFormatError(
            f"{source} has one output without a name: leave the output {output!r} out"
        )
    try:
        network = (
            _CHOOSING[suffix](source, output) if suffix in _CHOOSING else _READERS[suffix](source)
        )
    except InputError as error:
        kind = NetworkError if isinstance(error, NetworkError) else FileFormatError
        raise kind(f"{source}: {error}") from error
    return network.identified()


def save(network: Network, path: str | Path) -> None:
    """Write a network to a file that `load` reads back with the same fingerprint.

    Parameters
    ----------
    network : Network
    path : str or Path
        With suffix ``.npz``. An existing file is replaced once the new one is complete.

    Raises
    ------
    FileFormatError
        If the suffix is another one or the file cannot be written.
    """
    suffix = Path(path).suffix
    if suffix.lower() != ".npz":
        raise FileFormatError(
            f"{path} has suffix {suffix!r}: networks are written as .npz files only"
        )
    write_atomically(path, lambda stream: write_npz(network, stream))
