"""Counts in balls round many points."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from milpcount import arguments
from milpcount.api import count
from milpcount.counters.method import Method
from milpcount.counters.scheduler import Tasks
from milpcount.domain import Domain
from milpcount.domain.balls import ball
from milpcount.errors import OptionError
from milpcount.events import ignore
from milpcount.limits import Limits
from milpcount.network import Network
from milpcount.quantities import Quantity
from milpcount.result import CountResult
from milpcount.tracking.frames import frame, row_of
from milpcount.workers import Here, Lasting

if TYPE_CHECKING:
    import pandas


def count_many(
    network: Network,
    points: Any,
    *,
    radius: float | Iterable[float],
    norm: str = "linf",
    within: tuple[float, float] | None = None,
    method: Method | None = None,
    quantity: Quantity | str = Quantity.ACTIVATION_REGIONS,
    limits: Limits | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> "pandas.DataFrame":
    """Count in the ball round each of many points.

    Parameters
    ----------
    network : Network
    points : array_like, shape (points, n_inputs) or (points, ...)
    radius : float, or several
        Each radius gives a row for each point.
    norm : {"linf", "l1"}
        The 2-norm's balls are no polytopes and are refused.
    within : (float, float), optional
        Bounds on all inputs, e.g. (0, 1) for pixels: balls are cut with that box.
    method, quantity, limits
        As in `milpcount.count`; limits are those of each count.
    executor : concurrent.futures.Executor, optional
        Counts run on it, several at a time; the table does not depend on its workers.
    progress : callable, optional
        Called with the counts done and their number.

    Returns
    -------
    pandas.DataFrame
        A row for each point and radius: point, radius, lower, upper, exact, seconds, status,
        guarantee.

    Raises
    ------
    InputError
        If what was given does not do.
    """
    network = arguments.network(network)
    given = np.asarray(points)
    if given.ndim < 2:
        raise OptionError(
            f"points of shape {given.shape}: give one row for each point, e.g. points[None] for one"
        )
    radii: list[float] = [radius] if np.ndim(radius) == 0 else list(radius)  # type: ignore[arg-type,list-item]
    jobs = [
        (number, size, ball(point, size, norm, within))
        for number, point in enumerate(given)
        for size in radii
    ]
    quantity = arguments.quantity(quantity)
    results: dict[int, CountResult] = {}
    with Lasting(executor, _quiet) if executor is not None else nullcontext(Here()) as pool:
        tasks: Tasks[int] = Tasks(pool, _quiet)
        waiting = list(enumerate(jobs))[::-1]
        while waiting or len(tasks):
            while waiting and (tasks.idle or not len(tasks)):
                place, (_, _, domain) = waiting.pop()
                tasks.submit(place, _one, network, domain, method, quantity, limits)
            for place, future in tasks.finished(1.0):
                results[place] = future.result()
                if progress is not None:
                    progress(len(results), len(jobs))
    rows = [
        {"point": number, "radius": float(size)} | row_of(results[place])
        for place, (number, size, _) in enumerate(jobs)
    ]
    return frame(rows, ("point", "radius"))


def _one(
    network: Network,
    domain: Domain,
    method: Method | None,
    quantity: Quantity,
    limits: Limits | None,
) -> CountResult:
    return count(network, domain, method, quantity=quantity, limits=limits, listener=ignore)


def _quiet(text: str) -> None:
    """Say nothing: a lost task is done again."""
