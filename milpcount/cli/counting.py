"""One count from the command line: read, count while showing progress, keep what was asked."""

import hashlib
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from milpcount.api import count
from milpcount.cli.outputs import check_target, deliver
from milpcount.cli.progress import listening
from milpcount.counters.method import Method
from milpcount.domain import Domain
from milpcount.errors import Interrupted, OptionError, OutputError
from milpcount.limits import Limits
from milpcount.network import Network
from milpcount.quantities import Quantity
from milpcount.region_files import save_regions
from milpcount.region_files.domains import domain_arrays
from milpcount.region_files.files import check_format
from milpcount.result import CountResult, Guarantee
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
    output : str or None
        Name of the network's output, where it has several.
    proof : Path or None
        Where to write a proof.
    """

    network: Path
    domain: Domain
    method: Method
    quantity: str
    limits: Limits
    seed: int = 0
    keep: Path | None = None
    workers: int = 1
    output: str | None = None
    proof: Path | None = None


def run(request: Request, *, quiet: bool = False) -> CountResult:
    """Return the result of a request; `keep` writes its regions, once it has been printed.

    Raises
    ------
    InputError
        If the network, the domain or an option is wrong.
    """
    network = Network.load(request.network, request.output)
    _check_keep(request, network)
    _check_proof(request, network)
    with terminable(), processes(request.workers) as executor, listening(quiet=quiet) as listener:
        try:
            return count(
                network,
                request.domain,
                request.method,
                quantity=request.quantity,
                limits=_limits(request),
                seed=request.seed,
                keep_regions=request.keep is not None or request.proof is not None,
                listener=listener,
                executor=executor,
            )
        except Interrupted as stop:
            return stop.result


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


def _check_keep(request: Request, network: Network) -> None:
    """Refuse regions that could not be written before hours are spent on finding them."""
    path = request.keep
    if path is None:
        return
    if path.suffix not in (".npz", ".parquet"):
        raise OptionError(
            f"--keep {path}: regions are written as .npz or .parquet, give such a name"
        )
    check_format(path)
    if request.method.guarantee is Guarantee.PROBABILISTIC:
        raise OptionError(f"--keep {path}: method {request.method.name!r} keeps no regions")
    check_target(path, "--keep")
    domain_arrays(request.domain, network.n_inputs)


def keep(request: Request, result: CountResult) -> None:
    """Write the regions of a result, if that was asked for.

    Raises
    ------
    OutputError
        If they cannot be written after all.
    """
    path = request.keep
    if path is not None:
        deliver("--keep", path, lambda: save_regions(result, path))


def _check_proof(request: Request, network: Network) -> None:
    """Refuse a proof that could not be written before hours are spent on the count."""
    if request.proof is not None:
        from milpcount.proof.writing import check_covered, check_method

        check_covered(network, request.domain, Quantity(request.quantity))
        check_method(request.method)
        check_target(request.proof, "--proof")


def prove(request: Request, result: CountResult) -> None:
    """Write the proof of a result, if that was asked for.

    Raises
    ------
    OutputError
        If it cannot be written after all.
    """
    path = request.proof
    if path is None:
        return
    from milpcount.proof import writing

    if not result.regions:
        raise OutputError(f"--proof {path}: not written, no region was found in time")
    source = {
        "file": request.network.name,
        "sha256": hashlib.sha256(request.network.read_bytes()).hexdigest(),
    }
    network = Network.load(request.network, request.output)

    made: list[writing.Proved] = []

    def write() -> None:
        seconds = writing.seconds_left(request.limits, result)
        made.append(writing.prove(path, network, request.domain, result, source, seconds=seconds))

    deliver("--proof", path, write)
    print(f"proof: {path}, of the network in {writing.network_beside(path)}", file=sys.stderr)
    if made and made[0].regions < made[0].of:
        print(f"proof: {made[0].status}", file=sys.stderr)


def _limits(request: Request) -> Limits:
    """Return the limits of the count; with a proof it has a share of the time limit."""
    if request.proof is None:
        return request.limits
    from milpcount.proof.writing import limits_of_count

    return limits_of_count(request.limits) or request.limits
