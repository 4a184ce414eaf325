"""`regions` on the command line: the partition of a domain, into a file or as numbers."""

from dataclasses import dataclass
from pathlib import Path

from milpcount import integers
from milpcount.api import partition
from milpcount.cli.counting import processes, terminable
from milpcount.cli.outputs import check_target, deliver
from milpcount.cli.progress import listening
from milpcount.domain import Domain
from milpcount.errors import OptionError
from milpcount.limits import Limits
from milpcount.network import Network
from milpcount.partitions.partition import Partition
from milpcount.region_files import save_partition
from milpcount.region_files.domains import domain_arrays
from milpcount.region_files.files import check_format

_KEPT = (".npz", ".parquet")
_SUFFIXES = (*_KEPT, ".mat", ".json", ".csv")


@dataclass(frozen=True)
class Request:
    """A partition as it was asked for.

    Attributes
    ----------
    network : Path
    domain : Domain
    limits : Limits
    target : Path or None
        Where to write it.
    workers : int
    output : str or None
        Name of the network's output, where it has several.
    """

    network: Path
    domain: Domain
    limits: Limits
    target: Path | None = None
    workers: int = 1
    output: str | None = None


def run(request: Request, *, quiet: bool = False) -> Partition:
    """Return the partition, written to its file.

    Raises
    ------
    InputError
        If the network, the domain, an option or the name of the file is wrong, or a limit was
        reached.
    OutputError
        If the file cannot be written after all.
    """
    network = Network.load(request.network, request.output)
    target = request.target
    if target is not None:
        if target.suffix not in _SUFFIXES:
            raise OptionError(f"-o {target}: give a name that ends in {', '.join(_SUFFIXES)}")
        check_target(target, "-o")
        if target.suffix in _KEPT:
            check_format(target)
            domain_arrays(request.domain, network.n_inputs)
    with terminable(), processes(request.workers) as executor, listening(quiet=quiet) as listener:
        found = partition(
            network, request.domain, limits=request.limits, listener=listener, executor=executor
        )
    if target is not None:
        deliver("-o", target, lambda: _write(found, target))
    return found


def _write(found: Partition, target: Path) -> None:
    if target.suffix in _KEPT:
        save_partition(found, target)
    elif target.suffix == ".csv":
        found.to_frame().to_csv(target)
    else:
        found.export(target)


def facts(found: Partition) -> list[tuple[str, str]]:
    """Return a partition as (name, text) pairs for people."""
    rows = [("activation regions", integers.human(len(found)))]
    if found.inputs.is_boxed:
        rows.append(("bounded", "all: the domain is"))
    else:
        bounded = int(found.bounded.sum())
        rows.append(("bounded", integers.human(bounded)))
        rows.append(("unbounded", integers.human(len(found) - bounded)))
    histogram = found.histogram
    text = ", ".join(f"{k}: {count:,}" for k, count in enumerate(histogram.tolist()) if count)
    rows.append(("active units", text))
    rows += [("network", found.network.title), ("domain", found.domain.title)]
    return rows
