"""The verbs: count."""

from milpcount.counters import driver
from milpcount.counters.method import Method
from milpcount.domain import Domain
from milpcount.events import Listener, ignore
from milpcount.limits import Limits
from milpcount.network import Network
from milpcount.result import CountResult, Quantity


def count(
    network: Network,
    domain: Domain,
    method: Method | None = None,
    *,
    quantity: Quantity | str = Quantity.ACTIVATION_REGIONS,
    limits: Limits | None = None,
    seed: int = 0,
    keep_regions: bool = False,
    listener: Listener = ignore,
) -> CountResult:
    """Count the linear regions of a network over a domain.

    Parameters
    ----------
    network : Network
    domain : Domain
        E.g. ``Box(0, 1)``.
    method : Method, optional
        How; the region tree by default.
    quantity : Quantity or str
        What; activation regions by default.
    limits : Limits, optional
        When to stop early; the bounds found by then are returned.
    seed : int
    keep_regions : bool
        Keep every region (pattern and witness) in ``result.regions``.
    listener : callable
        Receives the events of the run.

    Returns
    -------
    CountResult
        ``lower <= count <= upper``.
    """
    if method is None:
        from milpcount.counters.region_tree import RegionTree

        method = RegionTree()
    return driver.count(
        network,
        domain,
        method,
        quantity=Quantity(quantity),
        limits=limits,
        seed=seed,
        keep_regions=keep_regions,
        listener=listener,
    )
