"""The verbs: count, partition, regions, bound."""

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from milpcount import arguments, region_files
from milpcount.bounds.architecture import parse
from milpcount.bounds.case import Case
from milpcount.bounds.layers import Architecture, of_network
from milpcount.bounds.registry import evaluate
from milpcount.bounds.table import BoundTable
from milpcount.bounds.theorem import BOUNDED
from milpcount.counters import driver
from milpcount.counters.method import Method
from milpcount.counters.region_stream import stream
from milpcount.domain import Domain, InputSet, Plane, Polyline, Segment
from milpcount.errors import Interrupted, OptionError
from milpcount.events import Listener, log
from milpcount.limits import Deadline, Limits
from milpcount.network import Network
from milpcount.partitions.partition import Partition
from milpcount.partitions.verify import verifier_of
from milpcount.preactivation import PreActivationBounds, interval_bounds
from milpcount.quantities import FROM_REGIONS, Quantity
from milpcount.result import CountResult, Region

_AS_IT_IS = (Quantity.ACTIVATION_REGIONS,)
"""What is counted of modules as they are, and on polylines."""


def count(
    network: Network | Any,
    domain: Domain,
    method: Method | None = None,
    *,
    quantity: Quantity | str = Quantity.ACTIVATION_REGIONS,
    limits: Limits | None = None,
    seed: int = 0,
    keep_regions: bool = False,
    listener: Listener = log,
    executor: Executor | None = None,
    proof: str | Path | None = None,
) -> CountResult:
    """Count the linear regions of a network over a domain.

    Parameters
    ----------
    network : Network
        Or a PyTorch module as it is, on a segment, a polyline or in a plane; for other quantities
        than activation regions it is read as a `Network`.
    domain : Domain
        E.g. ``Box(0, 1)``.
    method : Method, optional
        How; by default the region tree, on segments, polylines and planes `SectionWalk`.
    quantity : Quantity or str
        What; activation regions by default.
    limits : Limits, optional
        When to stop early; the bounds found by then are returned.
    seed : int
    keep_regions : bool
        Keep every region (pattern and witness) in ``result.regions``.
    listener : callable
        Receives the events of the run; by default notices, e.g. of compiling, are logged.
    executor : concurrent.futures.Executor, optional
        For methods that work in independent parts, e.g. a ProcessPoolExecutor; the answer does not
        depend on its number of workers.
    proof : str or Path, optional
        A file for a proof of both bounds that `milpcount check`, or the stand-alone program
        ``milpcount/proof/check.py``, verifies; the network is written beside it (``PROOF.npz``).
        A count that a limit or Ctrl-C stops has one, too. It is written once the count has come to
        its end; of a time limit three tenths are the count's and what is left is the proof's. See
        ``details["proof"]``.

    Returns
    -------
    CountResult
        ``lower <= count <= upper``.

    Raises
    ------
    Interrupted
        On Ctrl-C: a `KeyboardInterrupt` whose ``result`` holds what was shown by then.
    InputError
        If what was given is of the wrong type, or the method cannot count it.
    """
    domain = arguments.domain(domain)
    if proof is not None:
        return _proved(
            network, domain, method, arguments.quantity(quantity), limits, seed, keep_regions,
            listener, executor, Path(proof),
        )  # fmt: skip
    if method is None:
        method = _standard(domain, arguments.quantity(quantity))
    is_module = arguments.is_module(network)
    wanted = arguments.quantity(quantity)
    if is_module and isinstance(domain, Segment | Plane) and wanted not in _AS_IT_IS:
        from milpcount.counters.sectioned_network import input_shape

        network, is_module = Network.from_torch(network, input_shape=input_shape(domain)), False
    if isinstance(domain, Polyline) or (is_module and isinstance(domain, Segment | Plane)):
        return _on_section(network, domain, method, quantity, limits, keep_regions, listener)
    network = arguments.network(network)
    keep = arguments.flag(keep_regions, "keep_regions")
    verifier = verifier_of(wanted, domain, network) if keep else None
    try:
        result = driver.count(
            network,
            domain,
            arguments.method(method),
            quantity=wanted,
            limits=arguments.limits(limits),
            seed=seed,
            keep_regions=keep_regions,
            listener=arguments.listener(listener),
            executor=arguments.executor(executor),
        )
    except Interrupted as stop:
        stop.result = replace(stop.result, verifier=verifier)
        raise
    return replace(result, verifier=verifier) if verifier else result


def _proved(
    network: Any,
    domain: Domain,
    method: Any,
    quantity: Quantity,
    limits: Limits | None,
    seed: int,
    keep_regions: bool,
    listener: Listener,
    executor: Executor | None,
    path: Path,
) -> CountResult:
    """Count with the regions kept, and write the proof."""
    from milpcount.counters.region_tree import RegionTree
    from milpcount.proof.writing import (
        check_covered,
        check_method,
        limits_of_count,
        prove,
        seconds_left,
    )

    network, limits = arguments.network(network), arguments.limits(limits)
    method = arguments.method(RegionTree() if method is None else method)
    check_covered(network, domain, quantity)
    check_method(method)
    if not path.parent.is_dir():
        raise OptionError(f"proof: there is no folder {path.parent}")

    def proved(result: CountResult) -> CountResult:
        if result.regions:  # a count may be stopped before the first one
            made = prove(
                path, network, domain, result, listener=arguments.listener(listener),
                seconds=seconds_left(limits, result),
            )  # fmt: skip
            told = {"file": str(path), "lower": str(made.lower), "upper": str(made.upper)}
            told["status"] = made.status
            result = replace(result, details=result.details | {"proof": told})
        return result if keep_regions else replace(result, regions=None, verifier=None)

    try:
        return proved(count(
            network, domain, method, quantity=quantity, limits=limits_of_count(limits), seed=seed,
            keep_regions=True, listener=listener, executor=executor,
        ))  # fmt: skip
    except Interrupted as stop:
        stop.result = proved(stop.result)
        raise


def partition(
    network: Network,
    domain: Domain,
    method: Method | None = None,
    *,
    limits: Limits | None = None,
    listener: Listener = log,
    executor: Executor | None = None,
) -> Partition:
    """Return all activation regions of a network over a domain, as an object.

    Parameters
    ----------
    network : Network
    domain : Domain
        Convex.
    method : Method, optional
        How the regions are found; the region tree by default.
    limits, listener, executor
        As in `count`.

    Returns
    -------
    Partition

    Raises
    ------
    OptionError
        If a limit was reached before all regions were found, or the method names no regions.
    Interrupted
        On Ctrl-C, with the regions found by then in its result.
    """
    domain = arguments.domain(domain)
    if method is None:
        from milpcount.counters.region_tree import RegionTree

        method = RegionTree()
    domain.bind(arguments.network(network).n_inputs)  # refuses a union before anything is counted
    result = count(
        network,
        domain,
        method,
        limits=limits,
        keep_regions=True,
        listener=listener,
        executor=executor,
    )
    return Partition(network, domain, result, partial(count, method=method, keep_regions=True))


def load_partition(path: str | Path, network: Network) -> Partition:
    """Return the partition in a file that `save_partition` or `save_regions` wrote.

    Parameters
    ----------
    path : str or Path
    network : Network
        The one whose partition it is.

    Returns
    -------
    Partition
        Equal to the one that was saved. What takes another count, a decision boundary, is counted
        by the region tree.

    Raises
    ------
    FileFormatError
        If the file is none of this kind.
    NetworkError
        If it is about another network.
    OptionError
        If it does not hold all activation regions.
    """
    from milpcount.counters.region_tree import RegionTree

    again = partial(count, method=RegionTree(), keep_regions=True)
    return region_files.load_partition(path, network, again)


def regions(
    network: Network,
    domain: Domain,
    method: Method | None = None,
    *,
    limits: Limits | None = None,
    seed: int = 0,
) -> Iterator[Region]:
    """Yield the activation regions of a network over a domain as they are found.

    Nothing is kept of what has been yielded, so that there may be any number of them.

    Parameters
    ----------
    network : Network
    domain : Domain
    method : Method, optional
        How they are found; the region tree by default.
    limits : Limits, optional
        It ends at the limit; of seconds those that the regions are read in are counted too.
    seed : int

    Yields
    ------
    Region
        Each once.
    """
    if method is None:
        from milpcount.counters.region_tree import RegionTree

        method = RegionTree()
    return stream(
        arguments.network(network),
        arguments.domain(domain),
        arguments.method(method),
        arguments.limits(limits),
        seed,
    )


def _standard(domain: Domain, quantity: Quantity) -> Any:
    """Return the method by default."""
    is_section = isinstance(domain, Segment | Plane | Polyline)
    if is_section and (quantity in _AS_IT_IS or quantity in FROM_REGIONS):
        from milpcount.counters.section import SectionWalk

        return SectionWalk()
    from milpcount.counters.region_tree import RegionTree

    return RegionTree()


def _on_section(
    network: Any,
    domain: Domain,
    method: Any,
    quantity: Quantity | str,
    limits: Limits | None,
    keep_regions: bool,
    listener: Listener,
) -> CountResult:
    """Count what the driver does not take: polylines, and modules as they are."""
    from milpcount.counters import section_runs, sectioned_network

    wanted = arguments.quantity(quantity)
    if wanted not in _AS_IT_IS:
        raise OptionError(
            f"on a polyline {arguments.names(_AS_IT_IS)} are counted, not {wanted.value}: count "
            "these on its segments one by one, mc.Segment(a, b)"
        )
    if keep_regions:
        raise OptionError(
            "regions are kept of a milpcount.Network on a segment or a plane: read the module by "
            "mc.Network.from_torch, and count the segments of a polyline one by one"
        )
    given: dict[str, Any] = {
        "quantity": wanted,
        "limits": arguments.limits(limits),
        "listener": arguments.listener(listener),
    }
    if arguments.is_module(network):
        return section_runs.count_module(network, domain, method, **given)
    subject = sectioned_network.of_network(arguments.network(network))
    return section_runs.run(subject, domain, section_runs.section_method(method), **given)


def bound(
    subject: Network | Architecture | str,
    domain: Domain | None = None,
    *,
    quantity: Quantity | str = Quantity.ACTIVATION_REGIONS,
    tighten: str = "interval",
    limits: Limits | None = None,
    family: str | None = None,
) -> BoundTable:
    """Apply every theorem that bounds the regions of a network or an architecture.

    Parameters
    ----------
    subject : Network, Architecture or str
        A network may be a graph; theorems about chains are then left out. A string names an
        architecture, e.g. ``784-11-11-10``: a plain number at its end is the affine output. See
        `milpcount.bounds.architecture` for convolutions and other units.
    domain : Domain, optional
        All of input space by default. A section lowers the dimension; bounds on the inputs let the
        empirical bound leave out units that are stable.
    quantity : Quantity or str
        What; activation regions by default.
    tighten : {"interval", "lp", "milp"}
        How bounds on pre-activations are found for the empirical bound.
    limits : Limits, optional
        Of `tighten`: seconds.
    family : str, optional
        Only theorems of one family, e.g. ``rectifier``.

    Returns
    -------
    BoundTable
        Upper bounds, tightest first; apart from them what the best network of the architecture
        reaches, and what is expected of random ones.

    Raises
    ------
    InputError
        If the architecture cannot be read, or the domain or an option does not fit.
    """
    kind, limits = arguments.quantity(quantity, BOUNDED), arguments.limits(limits) or Limits()
    if kind not in BOUNDED:
        raise OptionError(f"no theorem bounds {kind.value}: give one of {arguments.names(BOUNDED)}")
    if isinstance(subject, str):
        subject = parse(subject)
    architecture: Architecture | None
    if isinstance(subject, Architecture):
        network, architecture, title, n_inputs = None, subject, subject.title, subject.n_inputs
    else:
        network = arguments.network(subject, "the network or architecture")
        architecture = of_network(network) if network.is_chain else None
        title, n_inputs = network.title, network.n_inputs
    inputs = None if domain is None else arguments.domain(domain).bind(n_inputs)
    case = Case(
        architecture,
        n_inputs if inputs is None else inputs.dimension,
        network,
        _ranges(network, inputs, tighten, limits),
        None if inputs is None else _volume(inputs, n_inputs),
        inputs is None or _has_unit_cube(inputs, n_inputs),
        inputs,
    )
    return BoundTable(
        title,
        "" if domain is None else domain.title,
        kind,
        tuple(evaluate(case, family)),
    )


def _ranges(
    network: Network | None, inputs: InputSet | None, tighten: str, limits: Limits
) -> PreActivationBounds | None:
    if tighten == "interval" and (network is None or inputs is None):
        return None
    if network is None or inputs is None:
        raise OptionError(f"tighten={tighten!r} needs a network and a bounded domain: give both")
    if tighten == "interval":
        return interval_bounds(network, inputs)
    from milpcount.formulation.tighten import pre_activation_bounds

    return pre_activation_bounds(network, inputs, tighten, Deadline(limits.seconds))


def _volume(inputs: InputSet, n_inputs: int) -> Fraction | None:
    """Return the exact volume of a box of full dimension, None for other domains."""
    if not inputs.is_boxed or not _is_plain(inputs, n_inputs):
        return None
    box = inputs.exact or inputs
    sides = zip(box.lower.tolist(), box.upper.tolist(), strict=True)
    return prod((Fraction(high) - Fraction(low) for low, high in sides), start=Fraction(1))


def _has_unit_cube(inputs: InputSet, n_inputs: int) -> bool:
    return (
        _is_plain(inputs, n_inputs)
        and bool((inputs.lower <= -inputs.origin).all())
        and bool((inputs.upper >= 1 - inputs.origin).all())
    )


def _is_plain(inputs: InputSet, n_inputs: int) -> bool:
    """Whether the set has no rows and its parameters are the inputs, but for a shift."""
    if inputs.rows.size or inputs.dimension != n_inputs:
        return False
    return bool((inputs.directions == np.eye(n_inputs)).all())
