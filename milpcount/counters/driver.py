"""The one loop: limits, progress, interruption, statistics and the final status."""

import time
from concurrent.futures import Executor
from contextlib import nullcontext
from typing import Any

from milpcount import integers
from milpcount.arguments import check_counted
from milpcount.caps import check_seed
from milpcount.counters import union
from milpcount.counters.method import Method, Problem, Snapshot
from milpcount.counters.no_units import the_one_region
from milpcount.domain import Domain
from milpcount.errors import LostWorkersError
from milpcount.events import Finished, Listener, Notice, Progress, Started, Waiting, ignore
from milpcount.limits import Deadline, Limits
from milpcount.network import Network
from milpcount.result import CountResult, Guarantee, Quantity, Status, versions
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
        Ctrl-C during the run ends it with `Status.INTERRUPTED` and valid bounds, and so does, with
        `Status.WORKERS_LOST`, a task that kills its worker again and again.

    Raises
    ------
    OptionError
        If the method cannot count the quantity.
    DomainError
        If the domain does not fit the network or the method.
    """
    check_counted(quantity, method.name, method.quantities)
    seed = check_seed(seed)
    limits = limits or Limits()
    inputs = union.hull(domain, network.n_inputs)
    method = union.over(method, domain, network)

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
    with lasting or nullcontext():
        if network.n_units:
            method.warm_up(problem())
        snapshot, status, seconds, extra = _drive(method, problem(), listener)
    # Without units there is no chance, and no tolerance, in any method.
    guarantee = method.guarantee if network.n_units else Guarantee.EXACT_ARITHMETIC
    sampled = guarantee is Guarantee.PROBABILISTIC
    if sampled and status is Status.COMPLETE:
        status = Status.SAMPLED
    complete = status.is_complete and snapshot.upper is None and not snapshot.uncertain
    if complete and not sampled:
        upper, source = snapshot.lower, "this count"
    else:
        upper, source = union.upper_over(network, domain, quantity)
        if snapshot.upper is not None and snapshot.upper <= upper:
            upper, source = snapshot.upper, "this count"
    lower = snapshot.lower
    if sampled and lower > upper:
        # The event of probability 1 - confidence has happened, and shows.
        extra["lower_bound_above_upper"] = integers.to_text(lower)
        lower = upper
    result = CountResult(
        quantity=quantity,
        lower=lower,
        upper=upper,
        status=status,
        guarantee=guarantee,
        method={"name": method.name, **method.options()},
        seconds=seconds,
        lps=snapshot.lps,
        share=snapshot.share,
        uncertain=snapshot.uncertain,
        details=_details(snapshot.details | extra, network),
        seed=seed,
        fingerprint=network.fingerprint,
        network=network.title,
        domain=domain.title,
        upper_source=source,
        confidence=snapshot.confidence,
        estimate=snapshot.estimate,
        theorem=method.theorem if sampled else "",
        versions=versions(*method.packages),
        regions=snapshot.regions,
    )
    listener(Finished(result))
    return result


def _details(found: dict[str, Any], network: Network) -> dict[str, Any]:
    if not network.notes:
        return found
    return found | {"notes": [*network.notes, *found.get("notes", ())]}


def _drive(
    method: Method, problem: Problem, listener: Listener
) -> tuple[Snapshot, Status, float, dict[str, Any]]:
    began = time.perf_counter()
    snapshot, status, prepared = Snapshot(), Status.COMPLETE, None
    by_itself = problem.network.n_units > 0 or isinstance(method, union.PartByPart)
    run = method.run(problem) if by_itself else the_one_region(problem)
    try:
        for snapshot in run:
            now = time.perf_counter()
            prepared = prepared if prepared is not None else now - began
            listener(
                Progress(snapshot.lower, snapshot.lps, snapshot.share, now - began, snapshot.note)
            )
            region_limit = problem.limits.regions
            if region_limit is not None and snapshot.lower >= region_limit:
                status = Status.REGION_LIMIT
                break
            if problem.deadline.passed():
                status = Status.TIME_LIMIT
                break
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    except LostWorkersError as error:
        if not snapshot.lps:
            raise  # nothing was done at all
        status = Status.WORKERS_LOST
        listener(Notice(str(error)))
    finally:
        close = getattr(run, "close", None)
        if close is not None:
            close()
    if status is Status.COMPLETE and snapshot.uncertain:
        status = Status.UNCERTAIN
    seconds = time.perf_counter() - began
    return snapshot, status, seconds, {"prepare_seconds": prepared or 0.0}
