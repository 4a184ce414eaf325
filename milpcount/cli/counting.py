"""One count from the command line: read, count while showing progress, keep what was asked."""

import signal
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from milpcount.api import count
from milpcount.cli.progress import listening
from milpcount.counters.method import Method
from milpcount.domain import Domain
from milpcount.errors import Interrupted, OptionError
from milpcount.limits import Limits
from milpcount.network import Network
from milpcount.result import CountResult, Region
from milpcount.workers import Processes


@dataclass(frozen=True)
class Request:
    """A count as it was asked for.

    Attributes
    ----------
    network : Path
    domain : Domain
    method : Method
    quantity : str
    limits : Limits
    seed : int
    keep : Path or None
        Where to write the regions.
    workers : int
        Processes for methods that work in independent parts.
    """

    network: Path
    domain: Domain
    method: Method
    quantity: str
    limits: Limits
    seed: int = 0
    keep: Path | None = None
    workers: int = 1


def run(request: Request, *, quiet: bool = False) -> CountResult:
    """Return the result of a request.

    Raises
    ------
    InputError
        If the network, the domain or an option is wrong.
    """
    if request.keep is not None:
        _check_target(request.keep)
    network = Network.load(request.network)
    with terminable(), processes(request.workers) as executor, listening(quiet=quiet) as listener:
        try:
            result = count(
                network,
                request.domain,
                request.method,
                quantity=request.quantity,
                limits=request.limits,
                seed=request.seed,
                keep_regions=request.keep is not None,
                listener=listener,
                executor=executor,
            )
        except Interrupted as stop:
            result = stop.result
    if request.keep is not None:
        write_regions(request.keep, result.regions or [], network.n_units, network.n_inputs)
    return result


@contextmanager
def processes(workers: int) -> Iterator[Executor | None]:
    """Give a pool of processes that leaves Ctrl-C to its owner; None for a single worker."""
    if workers == 1:
        yield None
        return
    pool = Processes(workers)
    try:
        yield pool
    finally:
        pool.stop()


@contextmanager
def terminable() -> Iterator[None]:
    """Take a request to terminate, as batch systems send it at their limits, for a Ctrl-C."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _check_target(path: Path) -> None:
    """Refuse a file that could not be written before hours are spent on its content."""
    if path.suffix != ".npz":
        raise OptionError(f"--keep {path}: regions are written as .npz, give such a name")
    if not path.parent.is_dir():
        raise OptionError(f"--keep {path}: there is no folder {path.parent}")


def write_regions(path: Path, regions: list[Region], n_units: int, n_inputs: int) -> None:
    """Write the regions: `patterns` of shape (regions, units), `witnesses` (regions, inputs).

    Parameters
    ----------
    path : Path
        An ``.npz`` file.
    regions : list of Region
    n_units, n_inputs : int
        Shapes, also where there are no regions.
    """
    most = max((max(r.pattern, default=0) for r in regions), default=0)
    kind = np.promote_types(np.int16, np.min_scalar_type(-most - 1))
    shape = len(regions), n_units
    patterns = np.array([r.pattern for r in regions], dtype=kind).reshape(shape)
    witnesses = np.array([r.witness for r in regions], dtype=float).reshape(-1, n_inputs)
    np.savez_compressed(path, patterns=patterns, witnesses=witnesses)
