"""The one loop: limits, progress, interruption, statistics and the final status."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from milpcount import integers, interrupts
from milpcount.arguments import check_counted
from milpcount.caps import check_seed
from milpcount.counters import from_regions, union
from milpcount.counters.affine_network import the_one_region
from milpcount.counters.method import COUNTED, SAMPLED, Method, Problem, Snapshot
from milpcount.domain import Domain
from milpcount.errors import Interrupted, LostWorkersError
from milpcount.events import Finished, Listener, Notice, Progress, Started, Waiting, ignore
from milpcount.limits import Deadline, Limits, OutOfTime, memory_in_use
from milpcount.network import Network
from milpcount.partitions.decisions import subject_of
from milpcount.quantities import DECIDED, JOINED, Quantity
from milpcount.result import CountResult, Guarantee, Status, versions
from milpcount.workers import Lasting


def count(
    network: Network,
    domain: Domain,
    method: Method,
    *,
    quantity: Quantity = Quantity.ACTIVATION_REGIONS,
    limits: Limits | None = None,
    seed: int = 0,
    keep_regions: bool = False,
    listener: Listener = ignore,
    executor: Executor | None = None,
) -> CountResult:
    """Run a method to its end or to a limit and return what it has shown.

    Parameters
    ----------
    network : Network
    domain : Domain
    method : Method
    quantity : Quantity
    limits : Limits, optional
    seed : int
    keep_regions : bool
        Keep every region in the result; memory then grows with their number.
    listener : callable
        Receives the events of the run.
    executor : concurrent.futures.Executor, optional
        For methods that work in independent parts. It is used, not owned: it may be broken at the
        end, in which case the count went on in processes of its own, and is not shut down.

    Returns
    -------
    CountResult
        A task that kills its worker again and again ends the run with `Status.WORKERS_LOST` and
        valid bounds.

    Raises
    ------
    Interrupted
        On Ctrl-C during the run, with the result of `Status.INTERRUPTED` and its valid bounds.
    OptionError
        If the method cannot count the quantity, or the limits are of another type.
    DomainError
        If the domain does not fit the network or the method.
    """
    check_counted(quantity, method.name, method.quantities)
    seed = check_seed(seed)
    limits = limits or Limits()
    inputs = union.hull(domain, network.n_inputs)
    counted = subject_of(network, quantity)
    method = union.over(method, domain, counted)
    method = from_regions.over(method, domain, network, quantity)

    def notice(text: str) -> None:
        listener(Notice(text))

    def waiting(text: str, seconds: float) -> None:
        listener(Waiting(text, seconds))

    in_parts = getattr(method, "in_parts", False)
    lasting = Lasting(executor, notice) if executor is not None and in_parts else None

    def problem() -> Problem:
        return Problem(
            network, inputs, quantity, limits, Deadline(limits.seconds), seed, keep_regions,
            notice, waiting, lasting,
        )  # fmt: skip

    listener(Started(f"{network.title} · {domain.title} · {method.name} · seed {seed}"))
    if executor is not None and not in_parts:
        notice(f"method {method.name!r} works in one process: the executor has nothing to do")
    with interrupts.noted(), lasting or nullcontext():
        ready = True
        try:
            with interrupts.unmasked():
                if counted.n_units:
                    method.warm_up(problem())
        except KeyboardInterrupt:  # what is known without a run is an answer, too
            interrupts.heard()
            ready = False
        asked = problem()
        run = _drive(method, asked, listener) if ready else _stopped_before(asked)

    def upper() -> tuple[int, str]:
        return from_regions.upper_over(network, domain, quantity)

    try:
        result = _result(method, asked, domain.title, run, upper)
    except KeyboardInterrupt:  # a theorem for the upper end is not worth what was counted
        run = replace(run, status=Status.INTERRUPTED)
        naive = from_regions.naive_upper(network, domain, quantity)
        result = _result(method, asked, domain.title, run, lambda: naive)
    listener(Finished(result))
    if run.status is Status.INTERRUPTED:
        raise Interrupted(result)
    return result


def _details(found: dict[str, Any], network: Network) -> dict[str, Any]:
    if not network.notes:
        return found
    return found | {"notes": [*network.notes, *found.get("notes", ())]}


@dataclass(frozen=True)
class _Run:
    """How a method's run went."""

    snapshot: Snapshot
    status: Status
    seconds: float
    prepare_seconds: float


def _drive(method: Method, problem: Problem, listener: Listener) -> _Run:
    began, least = time.perf_counter(), _Least()
    snapshot, status, prepared = Snapshot(), Status.COMPLETE, None
    wrapped = (union.PartByPart, from_regions.FromRegions)
    by_itself = problem.network.n_units > 0 or isinstance(method, wrapped)
    run = method.run(problem) if by_itself else the_one_region(problem)
    try:
        with interrupts.unmasked(), problem.deadline.in_force():
            problem.network.identified()  # by the clock, if it was not yet
            for snapshot in run:
                interrupts.look()
                now = time.perf_counter()
                prepared = prepared if prepared is not None else now - began
                snapshot = least.kept(snapshot)
                listener(
                    Progress(
                        snapshot.lower, snapshot.lps, snapshot.share, now - began, snapshot.note,
                        snapshot.upper if snapshot.upper_source == SAMPLED else least.upper,
                        problem.quantity.title,
                    )
                )  # fmt: skip
                reached = _limit_reached(problem, snapshot)
                if reached is not None:
                    status = reached
                    break
    except OutOfTime:
        status = Status.TIME_LIMIT
    except KeyboardInterrupt:
        interrupts.heard()
        status, snapshot = Status.INTERRUPTED, least.kept(_last_word(run, snapshot))
    except LostWorkersError as error:
        if not snapshot.lps:
            raise  # nothing was done at all
        status = Status.WORKERS_LOST
        listener(Notice(str(error)))
    finally:
        close = getattr(run, "close", None)
        if close is not None:
            close()
    if not status.is_complete:
        snapshot = least.kept(snapshot, also=True)
    if status is Status.COMPLETE and snapshot.uncertain:
        status = Status.UNCERTAIN
    if snapshot.regions is not None and problem.quantity not in JOINED | DECIDED:
        # Some may have come after the last snapshot.
        snapshot = replace(snapshot, lower=max(snapshot.lower, len(snapshot.regions)))
    return _Run(snapshot, status, time.perf_counter() - began, prepared or 0.0)


class _Least:
    """The least upper bound that the snapshots of a run have shown: each of them is valid."""

    def __init__(self) -> None:
        self.upper: int | None = None
        self._source = ""

    def kept(self, snapshot: Snapshot, *, also: bool = False) -> Snapshot:
        """Return a snapshot whose upper bound is no larger than any before.

        One without a bound, as the last one has that counts all, gets one only if asked for.
        """
        if snapshot.upper_source == SAMPLED:
            # What rests on chance may be corrected: the method says which of its ends stand.
            return snapshot
        if snapshot.upper is not None and (self.upper is None or snapshot.upper < self.upper):
            self.upper, self._source = snapshot.upper, snapshot.upper_source
        if self.upper is None or (snapshot.upper is None and not also):
            return snapshot
        return replace(snapshot, upper=self.upper, upper_source=self._source)


def _stopped_before(problem: Problem) -> _Run:
    nothing = Snapshot(regions=[] if problem.keep_regions else None)
    return _Run(nothing, Status.INTERRUPTED, 0.0, 0.0)


def _last_word(run: Iterator[Snapshot], known: Snapshot) -> Snapshot:
    """Return what an interrupted run has to say; the interrupt may have come between its turns."""
    throw = getattr(run, "throw", None)
    try:
        return known if throw is None else throw(KeyboardInterrupt())
    except (KeyboardInterrupt, StopIteration):
        return known


def _limit_reached(problem: Problem, snapshot: Snapshot) -> Status | None:
    limits = problem.limits
    if limits.regions is not None and snapshot.lower >= limits.regions:
        return Status.REGION_LIMIT
    if problem.deadline.passed():
        return Status.TIME_LIMIT
    if limits.memory is not None and (memory_in_use() or 0) >= limits.memory:
        return Status.MEMORY_LIMIT
    return None


def _result(
    method: Method,
    problem: Problem,
    domain: str,
    run: _Run,
    theorem: Callable[[], tuple[int, str]],
) -> CountResult:
    snapshot, status, network = run.snapshot, run.status, problem.network
    extra: dict[str, Any] = {"prepare_seconds": run.prepare_seconds}
    # Without units there is no chance, and no tolerance, in any method.
    rests_on = snapshot.guarantee or method.guarantee
    counted = subject_of(network, problem.quantity)
    guarantee = rests_on if counted.n_units else Guarantee.EXACT_ARITHMETIC
    sampled = guarantee is Guarantee.PROBABILISTIC
    if sampled and status is Status.COMPLETE:
        status = Status.SAMPLED
    complete = status.is_complete and snapshot.upper is None and not snapshot.uncertain
    if complete and not sampled:
        upper, source = snapshot.lower, COUNTED
    else:
        upper, source = theorem()
        if snapshot.upper is not None and snapshot.upper <= upper:
            upper, source = snapshot.upper, snapshot.upper_source
    lower = snapshot.lower
    if sampled and lower > upper:
        # The event of probability 1 - confidence has happened, and shows.
        extra["lower_bound_above_upper"] = integers.to_text(lower)
        lower = upper
    return CountResult(
        quantity=problem.quantity,
        lower=lower,
        upper=upper,
        status=status,
        guarantee=guarantee,
        method={"name": method.name, **method.options()},
        seconds=run.seconds,
        lps=snapshot.lps,
        share=snapshot.share,
        uncertain=snapshot.uncertain,
        details=_details(snapshot.details | extra, network),
        seed=problem.seed,
        fingerprint=network.fingerprint,
        network=network.title,
        domain=domain,
        upper_source=source,
        confidence=snapshot.confidence,
        estimate=snapshot.estimate,
        theorem=method.theorem if sampled else "",
        versions=versions(*method.packages),
        regions=snapshot.regions,
    )
