"""Writes a proof: of the regions that a count has found, and that there are no others.

Whatever method found the regions, the proof is made anew from their patterns. What they leave is a
list of *sides* (see `milpcount.proof.check`), and each is refuted by multipliers: compiled
projections find most of them, exact arithmetic the rest. A side that turns out to hold a region is
left open; of a complete count that would be a fault.
"""

import math
import shutil
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from milpcount.counters.warming import compile_kernel
from milpcount.domain import Domain, Union
from milpcount.errors import ContradictionError, OptionError
from milpcount.events import Listener, Notice, Waiting, log
from milpcount.limits import Deadline, Limits, OutOfTime
from milpcount.network import Network
from milpcount.network.paths import write_atomically
from milpcount.partitions.counting import check_continuous
from milpcount.proof.archive import Archive
from milpcount.proof.header import network_bytes, without_idle_rows
from milpcount.proof.proof_arrays import Writer
from milpcount.quantities import Quantity
from milpcount.result import CountResult, Guarantee

COUNT_SHARE = 0.3
"""Of a time limit, what the count gets where a proof is to be written within it, too."""
_GROWTH = 16.0
"""Times as many regions the next proof has, at most: what the last one took says less of more."""
_CAREFUL = 0.7
"""Of the time that is left, what a larger proof may be expected to take."""

FURTHER = (Quantity.LINEAR_REGIONS, Quantity.CLOSED_LINEAR_REGIONS, Quantity.AFFINE_PIECES)
"""Quantities whose proofs are those of activation regions, and a section that is theirs."""
COVERED = (Quantity.ACTIVATION_REGIONS, Quantity.ACTIVATION_PATTERNS, *FURTHER)
"""Quantities that have proofs."""


def check_covered(network: Network, domain: Domain, quantity: Quantity) -> None:
    """Refuse a proof that could not be written, before anything is counted.

    Raises
    ------
    OptionError
        If the quantity, the domain or a unit of the network is not covered.
    """
    if quantity not in COVERED:
        names = ", ".join(kind.value for kind in COVERED)
        raise OptionError(f"proof: {quantity.value} has no proofs; these have: {names}")
    if isinstance(domain, Union):
        raise OptionError("proof: a union has no proof of its own; prove its parts one by one")
    if not network.n_units:
        raise OptionError("proof: the network has no units, so there is nothing to prove")
    if quantity in FURTHER:
        check_continuous(network)


def check_method(method: Any) -> None:
    """Refuse a method that keeps no regions.

    Raises
    ------
    OptionError
        If its lower bound rests on chance.
    """
    if method.guarantee is Guarantee.PROBABILISTIC or method.name == "section":
        raise OptionError(
            f"proof: method {method.name!r} keeps no regions that it could prove; use 'tree'"
        )


@dataclass(frozen=True)
class Proved:
    """What a proof that was written proves.

    Attributes
    ----------
    lower, upper : int
    regions, of : int
        How many regions it is of, and how many were found: the time limit may leave some out.
    """

    lower: int
    upper: int
    regions: int
    of: int

    @property
    def status(self) -> str:
        """Of which regions the proof is."""
        if self.regions == self.of:
            return "all regions that were found"
        return f"time limit: {self.regions:,} of the {self.of:,} regions that were found"


def limits_of_count(limits: Limits | None) -> Limits | None:
    """Return the limits of a count whose proof is to be written within the time limit, too."""
    if limits is None or limits.seconds is None:
        return limits
    return replace(limits, seconds=limits.seconds * COUNT_SHARE)


def seconds_left(limits: Limits | None, result: CountResult) -> float | None:
    """Return what a count has left of the time limit for its proof; None without a limit."""
    if limits is None or limits.seconds is None:
        return None
    return max(0.0, limits.seconds - result.seconds)


def write_proof(
    path: str | Path,
    network: Network,
    domain: Domain,
    result: CountResult,
    source: dict[str, str] | None = None,
    listener: Listener = log,
    seconds: float | None = None,
) -> tuple[int, int]:
    """Write a proof of a count, and the network that it is about beside it (``PATH.npz``).

    Parameters
    ----------
    path : str or Path
    network : Network
    domain : Domain
    result : CountResult
        With its regions.
    source : dict of str, optional
        What is known of the file that the network was read from, for the header.
    listener : callable
        Receives notices, e.g. of compiling.
    seconds : float, optional
        Time that it may take, compilation excluded. Where it is short the proof is of as many of
        the regions as there is time for, and bounds what is left; it takes a second longer at most,
        or the step at hand.

    Returns
    -------
    (int, int)
        The bounds that the proof proves.

    Raises
    ------
    OptionError
        If what was counted is not covered, or the result has no regions.
    ContradictionError
        If exact arithmetic finds a region that a complete count has missed, or does not find one
        that it has.
    FileFormatError
        If the files cannot be written.
    """
    made = prove(path, network, domain, result, source, listener, seconds)
    return made.lower, made.upper


def prove(
    path: str | Path,
    network: Network,
    domain: Domain,
    result: CountResult,
    source: dict[str, str] | None = None,
    listener: Listener = log,
    seconds: float | None = None,
) -> Proved:
    """Do what `write_proof` does, and say how far it went."""
    path = Path(path)
    check_covered(network, domain, result.quantity)
    if not result.regions:
        raise OptionError("proof: the result has no regions; count with keep_regions=True")
    compile_kernel(
        "proof",
        lambda text: listener(Notice(text)),
        lambda text, seconds: listener(Waiting(text, seconds)),
    )
    deadline = Deadline(seconds)
    content = network_bytes(network)
    inputs = without_idle_rows(domain.bind(network.n_inputs))
    quantity = Quantity.ACTIVATION_REGIONS if result.quantity in FURTHER else result.quantity
    writer = Writer(content, network, inputs, quantity, result.regions)
    with ExitStack() as files:
        draft, proved = _longest(writer, result, source, deadline, files)

        def deliver(stream: BinaryIO) -> None:
            draft.seek(0)
            shutil.copyfileobj(draft, stream)

        write_atomically(network_beside(path), lambda stream: _put(stream, content))
        write_atomically(path, deliver)
    return proved


def _longest(
    writer: Writer,
    result: CountResult,
    source: dict[str, str] | None,
    deadline: Deadline,
    files: ExitStack,
) -> tuple[BinaryIO, Proved]:
    """Return a proof of as many regions as there is time for.

    With a deadline proofs grow, as long as the time that the last one took says that a larger one
    can be made; the one of a single region takes no time, and is made in any case.
    """
    limited = deadline.remaining() < math.inf
    done, most, force = None, 1 if limited else writer.total, Deadline()
    while True:
        writer.cut(most)
        draft = files.enter_context(tempfile.TemporaryFile())
        began = time.monotonic()
        try:
            with force.in_force():
                proved = _draft(writer, result, source, draft)
        except OutOfTime:
            assert done is not None, "no deadline was in force"
            return done
        if done is not None:
            done[0].close()
        done, force = (draft, proved), deadline
        took = max(time.monotonic() - began, 1e-3)
        more = int(proved.regions * min(_GROWTH, _CAREFUL * deadline.remaining() / took))
        if proved.regions == writer.total or more <= 1.2 * proved.regions:
            return done
        most = min(writer.total, more)


def _draft(
    writer: Writer, result: CountResult, source: dict[str, str] | None, stream: BinaryIO
) -> Proved:
    """Write a proof of what the writer has been cut to."""
    with Archive(stream) as archive:
        lower, upper = writer.write(archive)
        head = {"lower": str(lower), "upper": str(upper), **writer.header}
        regions = lower
        if result.quantity in FURTHER:
            lower, upper = writer.further(archive, result.quantity, lower, upper)
            head["further"] = {
                "quantity": result.quantity.value, "lower": str(lower), "upper": str(upper)
            }  # fmt: skip
        whole = regions == writer.total and result.is_exact
        if whole and (lower, upper) != (result.lower, result.upper):
            raise ContradictionError(
                f"the count says {result.lower}, its proof {lower} to {upper}: please report this"
            )
        archive.put_text("header", head | ({"source": source} if source else {}))
    return Proved(lower, upper, regions, writer.total)


def network_beside(path: Path) -> Path:
    """Return the name of the network's file that is written beside a proof."""
    return path.with_name(f"{path.name}.npz")


def _put(stream: BinaryIO, content: bytes) -> None:
    stream.write(content)
