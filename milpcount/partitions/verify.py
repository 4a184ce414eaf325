"""Verification of counts of linear regions, closed ones, affine pieces and live regions.

Everything is computed anew from the kept activation regions and the raw weights, in rational
arithmetic: each region by its witness, all maps, and what lies behind each facet. No residues, and
nothing of the method that counted, are trusted.
"""

from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import gcd

import numpy as np

from milpcount.domain import Domain, InputSet, Union
from milpcount.errors import OptionError
from milpcount.exact.geometry import ExactBox, Rows
from milpcount.exact.inputs import ExactInputs
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.verify import Verification, Verifier, check_network, verify_over
from milpcount.network import Network
from milpcount.partitions.cells import Cells
from milpcount.partitions.classes import PatternStore
from milpcount.partitions.closed_linear_regions import Touching
from milpcount.partitions.decisions import Decisions, subject_of
from milpcount.partitions.linear_regions import Merging
from milpcount.partitions.union_decisions import PartDecisions
from milpcount.partitions.union_linear_regions import PartClasses
from milpcount.partitions.union_parts import Parts
from milpcount.quantities import DECIDED, FROM_REGIONS, Quantity
from milpcount.result import CountResult, Region, patterns_of
from milpcount.types import Pattern

_SEED = 20180712
"""Of the line on which maps are told apart. Whatever it is, answers are the same."""


def verifier_of(quantity: Quantity, domain: Domain, network: Network | None) -> Verifier:
    """Return what proves a count of a quantity again."""
    return (JoinedVerifier if quantity in FROM_REGIONS else Verifier)(domain, network)


@dataclass(frozen=True)
class JoinedVerifier(Verifier):
    """What `CountResult.verify` calls where activation regions were joined, or only some counted.

    The lower end is proved: regions of different affine maps are in different sets. Two sets of one
    map are proved to be different linear regions if behind none of their facets there is a region
    with that map which the list lacks; and to be different closed ones if behind no facet of any
    region there is a region that it lacks, which makes the list complete.

    Of boundary regions and pieces the cells of cut regions are kept: regions of the network with
    its decision. Each is verified as such.
    """

    def __call__(self, result: CountResult, network: Network | None = None) -> Verification:
        """Return what exact arithmetic says about a result."""
        given = self.network if network is None else network
        if given is None:
            raise OptionError(
                "a result read from a file does not hold its network: verify(network) is needed"
            )
        check_network(result, given)
        regions = result.regions if result.regions is not None else []
        patterns = [tuple(map(int, pattern)) for pattern in patterns_of(regions)]
        subject = subject_of(given, result.quantity)
        as_regions = replace(
            result,
            quantity=Quantity.ACTIVATION_REGIONS,
            lower=0,
            upper=max(result.upper, len(patterns)),
            fingerprint=subject.fingerprint,
        )
        found = verify_over(as_regions, subject, self.domain)
        found = replace(found, claimed=result.lower, most=result.upper)
        if result.quantity is Quantity.LIVE_REGIONS:
            dead = tuple(i for i, p in enumerate(patterns) if not _is_live(given, p))
            alive = found.n_verified - len(dead)
            return replace(
                found, n_verified=alive, n_failed=found.n_failed + len(dead),
                failed=(found.failed + dead)[:10],
            )  # fmt: skip
        if found.n_failed or found.n_repeated or not patterns:
            return replace(found, sets=0)
        if result.quantity in DECIDED:
            return replace(found, sets=_cut(subject, self.domain, patterns, result.quantity))
        return replace(found, sets=_sets(given, self.domain, patterns, result.quantity))


def _is_live(network: Network, pattern: Pattern) -> bool:
    ends = np.cumsum([0, *network.widths]).tolist()
    return all(any(pattern[a:b]) for a, b in pairwise(ends))


def _cut(network: Network, domain: Domain, patterns: Sequence[Pattern], kind: Quantity) -> int:
    """Return how many boundary regions or pieces the cells prove, without floats.

    Two cells of a region that are full-dimensional prove that it is cut; a facet between two of
    them is a piece whatever other cells there are.
    """
    if isinstance(domain, Union) and len(domain.parts) > 1:
        hull, parts = _bound(network, domain)
        over = PartDecisions(network, hull, parts)
        for number, own in enumerate(_cells_of(network, hull, parts, patterns)):
            over.take(number, own)
        for _ in over.run(kind, [None] * len(parts)):
            pass
        return over.number(kind)
    decisions = Decisions(network)
    decisions.take(patterns)
    if kind is Quantity.BOUNDARY_PIECES:
        for _ in decisions.run(domain.bind(network.n_inputs)):
            pass
    return decisions.number(kind)


def _bound(network: Network, domain: Union) -> tuple[InputSet, list[InputSet]]:
    n = network.n_inputs
    return domain.hull(n), [part.bind(n) for part in domain.parts]


def _cells_of(
    network: Network, hull: InputSet, parts: Sequence[InputSet], patterns: Sequence[Pattern]
) -> list[list[Pattern]]:
    """Return for each part the regions that have points inside of it."""
    asked = Parts(Cells(ExactNetwork(network, hull)), list(parts))
    found = [list[Pattern]() for _ in parts]
    for pattern in patterns:
        for i, own in enumerate(found):
            if asked.is_cell(pattern, i):
                own.append(pattern)
    return found


def _sets_over_parts(
    network: Network, domain: Union, patterns: Sequence[Pattern], kind: Quantity
) -> int:
    """Return how many linear regions of a union, or closed ones, the regions are proved to make.

    What is known of each cell's neighbours in its own part does not show what lies behind the
    part's sides, so more than the number of maps is proved only by all cells of all parts.
    """
    hull, parts = _bound(network, domain)
    by_part = _cells_of(network, hull, parts, patterns)
    over = PartClasses(network, hull, parts, kind)
    for number, own in enumerate(by_part):
        over.take(number, iter(own))
    exact = ExactNetwork(network, hull)
    maps = _by_map(exact, over.maps.patterns.tuples(np.arange(len(over.places))))
    classes = [np.array(members) for members in maps if len(members) > 1]
    none: list[MutableSequence[Region] | None] = [None] * len(parts)
    for _ in over.join(Cells(exact), classes, none, None):
        pass
    if over.lower > len(maps):
        for inputs, own in zip(parts, by_part, strict=True):
            if not own or not is_complete(Cells(ExactNetwork(network, inputs)), own):
                return len(maps)
    return over.lower


def _sets(network: Network, domain: Domain, patterns: Sequence[Pattern], kind: Quantity) -> int:
    """Return how many sets of a quantity the regions are proved to be in."""
    if isinstance(domain, Union) and len(domain.parts) > 1 and kind is not Quantity.AFFINE_PIECES:
        return _sets_over_parts(network, domain, patterns, kind)
    n = network.n_inputs
    inputs = domain.hull(n) if isinstance(domain, Union) else domain.bind(n)
    exact = ExactNetwork(network, inputs)
    by_map = _by_map(exact, patterns)
    if kind is Quantity.AFFINE_PIECES or not network.n_units:
        return len(by_map)
    cells, store = Cells(exact), PatternStore(network)
    store.add(np.array(patterns))
    classes = [np.array(members) for members in by_map if len(members) > 1]
    merging = Merging(cells, store)
    for _ in merging.run(classes):
        pass
    components = merging.components
    if kind is Quantity.LINEAR_REGIONS:
        # Of a class that lacks a region no more is proved than that it has one component.
        several = [
            len({components.find(i) for i in classes[number].tolist()})
            for number in merging.unlisted
        ]
        return components.count - sum(several) + len(several)
    touching = Touching(cells, components)
    for members in classes:
        for _ in touching.run(members, store.take(members)):
            pass
    if components.count > len(by_map) and not is_complete(cells, patterns):
        return len(by_map)
    return components.count


def _by_map(exact: ExactNetwork, patterns: Sequence[Pattern]) -> list[list[int]]:
    """Return the regions by their maps, which are compared in rational arithmetic.

    Maps that differ on a line differ, and of a line two numbers an output are composed instead of
    one for each input. Those that agree there are compared as a whole.
    """
    line = ExactNetwork(exact.network, _line(exact.inputs))
    found: list[list[int]] = []
    on_line: dict[tuple[tuple[int, ...], ...], list[int]] = {}
    for i, pattern in enumerate(patterns):
        on_line.setdefault(_key(line.affine_map(pattern)), []).append(i)
    for members in on_line.values():
        if len(members) == 1:
            found.append(members)
            continue
        whole: dict[tuple[tuple[int, ...], ...], list[int]] = {}
        for i in members:
            whole.setdefault(_key(exact.affine_map(patterns[i])), []).append(i)
        found += whole.values()
    return found


def _line(inputs: ExactInputs) -> ExactInputs:
    """Return a line of the input set's affine hull, in no direction that is special."""
    random = np.random.default_rng(_SEED)
    columns = [
        np.array(random.integers(-(2**20), 2**20, size=inputs.dimension).tolist(), dtype=object)
        for _ in range(2)
    ]
    origin = inputs.origin + inputs.directions @ columns[0]
    direction = inputs.directions @ columns[1]
    box = ExactBox.of([-1.0], [1.0])
    return ExactInputs(
        origin, direction[:, None], inputs.denominator, box, Rows.of(np.zeros((0, 2)))
    )


def is_complete(cells: Cells, patterns: Sequence[Pattern]) -> bool:
    """Return whether regions are all that there are: behind each facet of each lies another one.

    The interior of a convex set stays connected without what is of codimension two, so from one
    region all others are reached over facets.
    """
    known = set(patterns)
    for pattern in patterns:
        for plane in cells.hyperplanes(pattern):
            behind = cells.behind(pattern, plane.row)
            if behind is None or behind in known:
                continue
            if cells.point_between((pattern,), plane.row) is not None:
                return False
    return True


def _key(rows: Rows) -> tuple[tuple[int, ...], ...]:
    """Return an affine map in lowest terms."""
    found = []
    for values, q in zip(rows.values.tolist(), rows.denominators, strict=True):
        common = gcd(q, *values)
        found.append((q // common, *(v // common for v in values)))
    return tuple(found)
