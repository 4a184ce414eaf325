"""Activation regions one after the other, as a method finds them."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any, cast

from milpcount.arguments import check_counted
from milpcount.counters import union
from milpcount.counters.affine_network import the_one_region
from milpcount.counters.method import Method, Problem
from milpcount.domain import Domain
from milpcount.errors import OptionError
from milpcount.limits import Deadline, Limits
from milpcount.network import Network
from milpcount.quantities import Quantity
from milpcount.result import Region


def stream(
    network: Network, domain: Domain, method: Method, limits: Limits | None, seed: int
) -> Iterator[Region]:
    """Yield regions as they are found, each once, and forget them.

    Parameters
    ----------
    network : Network
    domain : Domain
    method : Method
    limits : Limits or None
    seed : int

    Raises
    ------
    OptionError
        If the method names no regions.
    """
    quantity, limits = Quantity.ACTIVATION_REGIONS, limits or Limits()
    check_counted(quantity, method.name, method.quantities)
    inputs = union.hull(domain, network.n_inputs)
    method = union.over(method, domain, network)

    def problem() -> Problem:
        deadline = Deadline(limits.seconds)
        return Problem(network, inputs, quantity, limits, deadline, seed, keep_regions=True)

    if network.n_units:
        method.warm_up(problem())
    asked = problem()
    by_itself = network.n_units > 0 or isinstance(method, union.PartByPart)
    run = method.run(asked) if by_itself else the_one_region(asked)
    left = limits.regions
    with closing(cast("Any", run)):
        for snapshot in run:
            found = snapshot.regions
            if found is None:
                raise OptionError(
                    f"method {method.name!r} names no regions: take 'tree', 'exact', 'brute' or "
                    "'pool'"
                )
            some = list(found if left is None else found[:left])
            found.clear()
            yield from some
            if left is not None:
                left -= len(some)
                if left <= 0:
                    return
            if asked.deadline.passed():
                return
