"""Files with networks: which reader or writer a suffix names."""

from collections.abc import Callable
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import cast

from milpcount.errors import FileFormatError, InputError, NetworkError
from milpcount.network.foreign_files import FOREIGN
from milpcount.network.network import Network
from milpcount.network.npz import write_npz
from milpcount.network.paths import existing_file, write_atomically
from milpcount.network.shipped import located

READERS = {
    ".npz": "npz:read_npz",
    ".onnx": "onnx_reader:read_onnx",
    ".pt2": "pt2_reader:read_pt2",
    ".nnet": "nnet_reader:read_nnet",
}
"""A line for each format: its suffix, and the function of a module here that reads it. One that
has a parameter ``output`` chooses among outputs that have names."""


def _readable() -> str:
    *others, last = READERS
    return f"a network as {', '.join(others)} or {last} file"


def _reader(suffix: str) -> Callable[..., Network]:
    module, function = READERS[suffix].split(":")
    found = getattr(import_module(f"{__package__}.{module}"), function)
    return cast("Callable[..., Network]", found)


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
    source = existing_file(located(path), _readable())
    suffix = source.suffix.lower()
    if suffix == ".gz" and Path(source.stem).suffix.lower() == ".onnx":
        suffix = ".onnx"
    if suffix in FOREIGN:
        raise FileFormatError(f"{source} is {FOREIGN[suffix]}")
    if suffix not in READERS:
        raise FileFormatError(f"{source} has suffix {source.suffix!r}: give {_readable()}")
    read = _reader(suffix)
    chooses = "output" in signature(read).parameters
    if output is not None and not chooses:
        raise FileFormatError(
            f"{source} has one output without a name: leave the output {output!r} out"
        )
    try:
        network = read(source, output) if chooses else read(source)
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
