"""Partitions in files of kept regions."""

from collections.abc import Callable
from pathlib import Path

from milpcount.domain import Domain
from milpcount.errors import OptionError
from milpcount.exact.verify import Verifier
from milpcount.network import Network
from milpcount.partitions.partition import Partition
from milpcount.region_files.files import load_regions, save_regions
from milpcount.result import CountResult


def save_partition(partition: Partition, path: str | Path) -> None:
    """Write a partition as a file of kept regions, all or nothing; without the network.

    Parameters
    ----------
    partition : Partition
    path : str or Path
        A ``.parquet`` file if it ends so, else an ``.npz`` file.

    Raises
    ------
    NotInstalledError
        Of a Parquet file, without pyarrow.
    FileFormatError
        If the file cannot be written.
    """
    save_regions(partition.result, path)


def load_partition(
    path: str | Path,
    network: Network,
    count: Callable[[Network, Domain], CountResult] | None = None,
) -> Partition:
    """Return the partition in a file that `save_partition` or `save_regions` wrote.

    Parameters
    ----------
    path : str or Path
    network : Network
        The one whose partition it is.
    count : callable, optional
        As of `Partition`.

    Returns
    -------
    Partition

    Raises
    ------
    FileFormatError
        If the file is none of this kind.
    NetworkError
        If it is about another network.
    OptionError
        If it does not hold all activation regions.
    """
    result = load_regions(path, network)
    verifier = result.verifier
    assert isinstance(verifier, Verifier)
    if result.regions is not None and len(result.regions) != result.lower:
        raise OptionError(f"{path} holds {len(result.regions)} of {result.lower} regions")
    return Partition(network, verifier.domain, result, count)
