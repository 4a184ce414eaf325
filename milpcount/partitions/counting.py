"""The four numbers of a partition: regions, linear regions, closed linear regions, affine maps."""

from collections.abc import Iterator, MutableSequence

from milpcount.domain import InputSet
from milpcount.errors import OptionError
from milpcount.exact.rows import ExactNetwork
from milpcount.network import Network
from milpcount.partitions.candidates import CandidateFinder
from milpcount.partitions.cells import Cells
from milpcount.partitions.classes import MapClasses
from milpcount.partitions.closed_linear_regions import Touching
from milpcount.partitions.components import Components
from milpcount.partitions.linear_regions import Merging
from milpcount.quantities import Quantity
from milpcount.result import Region
from milpcount.types import Array


class RegionClasses:
    """Activation regions joined to linear regions, closed linear regions and affine pieces.

    Regions are taken as they come (`take`); when all are there, `run` joins them.

    Parameters
    ----------
    network : Network
    inputs : InputSet
    quantity : Quantity
        What is wanted of the three.

    Attributes
    ----------
    maps : MapClasses
    lower : int
        Proved lower bound on the quantity.
    upper : int or None
        Proved upper bound, provided that all regions were given; None before `run`.
    labels : ndarray of int or None
        For each region the first one of its set, when `run` has ended.
    known : dict of str to int
        The exact numbers of quantities that were found on the way, by their names.
    programs : int
        Linear programs solved.
    """

    def __init__(self, network: Network, inputs: InputSet, quantity: Quantity) -> None:
        check_continuous(network)
        self.network, self.inputs, self.quantity = network, inputs, quantity
        self.maps = MapClasses(network, inputs)
        self.lower = 0
        self.upper: int | None = None
        self.labels: Array | None = None
        self.known: dict[str, int] = {}
        self.programs = 0

    def take(self, patterns: Iterator[tuple[int, ...]]) -> None:
        """Take regions, given by their patterns."""
        self.maps.add(patterns)
        self.lower = self.maps.lower

    def run(self, regions: MutableSequence[Region] | None = None) -> Iterator[None]:
        """Join the regions; yield now and then, with bounds that hold if all were given.

        Parameters
        ----------
        regions : sequence of Region, optional
            The regions that were given, with their witnesses.
        """
        n = self.upper = len(self.maps)
        components, classes = Components(n), list[Array]()
        shared = self.maps.shared()
        # With many inputs exact numbers take a while to make: only where they are needed.
        cells = Cells(ExactNetwork(self.network, self.inputs)) if shared else None
        if cells is not None:
            for members in self.maps.exactly(cells.exact, shared):
                classes.append(members)
                yield
        self.lower = n - sum(len(members) - 1 for members in classes)
        self.known = {
            Quantity.ACTIVATION_REGIONS.value: n,
            Quantity.AFFINE_PIECES.value: self.lower,
        }
        if not classes:
            self.known[Quantity.LINEAR_REGIONS.value] = n  # no two regions have one map
        elif self.quantity is Quantity.AFFINE_PIECES:
            for members in classes:
                for i in members[1:].tolist():
                    components.join(int(members[0]), i)
        else:
            assert cells is not None
            finder = CandidateFinder(self.network, self.inputs)
            merging = Merging(cells, self.maps.patterns, regions, finder)
            components = merging.components
            for _ in merging.run(classes):
                self.upper, self.programs = components.count, cells.programs
                yield
            self.programs = cells.programs
            self.known[Quantity.LINEAR_REGIONS.value] = components.count
            if self.quantity is Quantity.CLOSED_LINEAR_REGIONS:
                touching = Touching(cells, components)
                for members in classes:
                    for _ in touching.run(members, self.maps.patterns.take(members)):
                        self.upper, self.programs = components.count, cells.programs
                        yield
                self.programs = cells.programs
        self.lower = self.upper = components.count
        self.labels = components.labels()


def check_continuous(network: Network) -> None:
    """Refuse units that are not known to be continuous: their regions' maps need not agree.

    Raises
    ------
    OptionError
        Naming the unit.
    """
    for layer in network.layers:
        for kind in layer.activations:
            if not kind.is_maxout and (kind.rank > 1 or not kind.is_continuous):
                raise OptionError(
                    f"activation {kind.name!r} is not known to be continuous, and linear regions, "
                    "closed linear regions and affine pieces are those of continuous functions: "
                    "count activation_regions or activation_patterns"
                )
