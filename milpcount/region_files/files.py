"""Writing and reading files of kept regions; the format is described in the package."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NoReturn

import numpy as np

from milpcount import caps
from milpcount.domain import Domain
from milpcount.errors import FileFormatError, InputError, OptionError
from milpcount.exact.verify import Verifier, check_network
from milpcount.network import Network
from milpcount.network.npz_archive import read_arrays
from milpcount.network.paths import existing_file, write_atomically
from milpcount.partitions.decisions import subject_of
from milpcount.partitions.verify import verifier_of
from milpcount.region_files import parquet
from milpcount.region_files.domains import domain_arrays, domain_of, exact, kind_of
from milpcount.region_files.writing import write_array, write_regions
from milpcount.result import CountResult, Region
from milpcount.types import Array

FORMAT, VERSION = "milpcount kept regions", 1


def save_regions(result: CountResult, path: str | Path) -> None:
    """Write a result with its kept regions, all or nothing.

    Parameters
    ----------
    result : CountResult
        As `milpcount.count` returned it, with ``keep_regions=True``.
    path : str or Path
        A ``.parquet`` file if it ends so, else an ``.npz`` file; see `milpcount.region_files`.

    Raises
    ------
    OptionError
        If the result has no regions, or is about a domain of a kind that the file does not have.
    NotInstalledError
        Of a Parquet file, without pyarrow.
    FileFormatError
        If the file cannot be written.
    """
    verifier = result.verifier
    if result.regions is None or not isinstance(verifier, Verifier) or verifier.network is None:
        raise OptionError(
            "only a result of milpcount.count with keep_regions=True can be written with regions"
        )
    network = verifier.network
    numbers = domain_arrays(verifier.domain, network.n_inputs)
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "network": network.title,
        "fingerprint": network.fingerprint,
        "domain": kind_of(verifier.domain),
        "result": result.to_record(),
    }
    arrays = numbers | {"metadata": np.array(json.dumps(metadata))}
    regions, subject = result.regions, subject_of(network, result.quantity)

    check_format(path)

    def write(stream: BinaryIO) -> None:
        if is_parquet(path):
            parquet.write(stream, regions, subject, arrays)
            return
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in (arrays | write_regions(archive, regions, subject)).items():
                write_array(archive, name, array)

    write_atomically(path, write)


def load_regions(path: str | Path, network: Network | None = None) -> CountResult:
    """Return the result in a file that `save_regions` wrote.

    Parameters
    ----------
    path : str or Path
    network : Network, optional
        The network that was counted; without it, give it to ``result.verify(network)``.

    Returns
    -------
    CountResult

    Raises
    ------
    FileFormatError
        If the file is none of this kind, damaged, or of the first release.
    DomainError
        If the domain in it is none.
    NetworkError
        If another network was counted.
    """
    arrays = arrays_in(path)
    if is_first_release(arrays):
        raise FileFormatError(
            f"{path} was written by the first release, which did not note the network and the "
            "domain: verify it with 'milpcount verify FILE NET' and the options of the domain, or "
            "count again"
        )
    try:
        metadata = json.loads(str(arrays["metadata"]))
        if metadata["format"] != FORMAT:
            raise ValueError(f"format {metadata['format']!r}")
        if metadata["version"] != VERSION:
            raise FileFormatError(
                f"{path}: version {metadata['version']!r} of the format of kept regions, and "
                f"{VERSION} is what this release reads: use a newer one"
            )
        domain = domain_of(metadata["domain"], arrays)
        result = CountResult.from_record(metadata["result"])
        regions = _regions(arrays, domain)
    except InputError:
        raise
    except (ArithmeticError, KeyError, IndexError, TypeError, ValueError) as error:
        _refuse(path, error)
    verifier = verifier_of(result.quantity, domain, network)
    result = replace(result, regions=regions, verifier=verifier)
    if network is not None:
        check_network(result, network)
    return result


def is_parquet(path: str | Path) -> bool:
    """Return whether a file is a Parquet file by its name."""
    return Path(path).suffix.lower() == parquet.SUFFIX


def check_format(path: str | Path) -> None:
    """Refuse a file that could not be written for the lack of a package.

    Raises
    ------
    NotInstalledError
        Of a Parquet file, without pyarrow.
    """
    if is_parquet(path):
        parquet.arrow()


def first_release_regions(arrays: Mapping[str, Array], network: Network) -> list[Region]:
    """Return the regions in a file of the first release: patterns and rounded witnesses.

    Raises
    ------
    FileFormatError
        If they do not fit the network.
    """
    patterns, witnesses = arrays["patterns"], arrays["witnesses"]
    count = len(patterns)
    if patterns.shape != (count, network.n_units) or witnesses.shape != (count, network.n_inputs):
        raise FileFormatError(
            f"patterns of shape {patterns.shape} and witnesses of shape {witnesses.shape} do not "
            f"fit {network.title}: give the network that was counted"
        )
    return [Region(tuple(p), x) for p, x in zip(patterns.tolist(), witnesses, strict=True)]


def is_first_release(arrays: Mapping[str, Array]) -> bool:
    """Return whether a file is one of the first release."""
    return set(arrays) == {"patterns", "witnesses"}


def arrays_in(path: str | Path) -> dict[str, Array]:
    """Return the arrays of a file; nothing in it is unpickled.

    Raises
    ------
    FileFormatError
        If it is no archive of arrays, or no such Parquet file.
    NotInstalledError
        Of a Parquet file, without pyarrow.
    """
    if is_parquet(path):
        return parquet.read(path)
    return read_arrays(existing_file(path, "an .npz file of kept regions"), caps.KEPT_REGIONS)


def _regions(arrays: Mapping[str, Array], domain: Domain) -> list[Region]:
    on_section = "parameters" in arrays
    patterns, floats = arrays["patterns"], arrays["parameters" if on_section else "witnesses"]
    if patterns.dtype.kind not in "iu" or patterns.ndim != 2:
        raise ValueError(f"patterns of type {patterns.dtype} and shape {patterns.shape}")
    if floats.dtype != np.float64 or floats.ndim != 2 or len(floats) != len(patterns):
        raise ValueError(f"points of type {floats.dtype} and shape {floats.shape}")
    points: list[Array] = list(floats)
    if "rational_index" in arrays:
        numbers = exact(arrays["rational_points"])
        index = arrays["rational_index"]
        if index.dtype.kind not in "iu" or ((index < 0) | (index >= len(points))).any():
            raise ValueError("rational points of regions that are not there")
        for i, x in zip(index.tolist(), numbers, strict=True):
            points[i] = x
    if not on_section:
        return [Region(tuple(p), x) for p, x in zip(patterns.tolist(), points, strict=True)]
    inputs = domain.bind(arrays["domain_p0"].size)
    if floats.shape[1] != inputs.dimension:
        raise ValueError(f"parameters of shape {floats.shape} in {inputs.dimension} dimensions")
    rounded = inputs.to_inputs(floats)
    found = zip(patterns.tolist(), rounded, points, strict=True)
    return [Region(tuple(p), x, t) for p, x, t in found]


def _refuse(path: str | Path, error: Exception) -> NoReturn:
    raise FileFormatError(
        f"{path} is no file of kept regions, or is damaged ({error!r}): write one with "
        "'milpcount count NET .. --keep FILE'"
    ) from None
