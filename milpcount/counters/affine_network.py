"""A network without units: one affine map, so one region, whatever the method."""

from collections.abc import Iterator

from milpcount.backends.cpsat_grid import integer_box
from milpcount.counters.method import Problem, Snapshot
from milpcount.errors import DomainError
from milpcount.exact.rows import ExactNetwork
from milpcount.exact.tree import ExactRegionTree
from milpcount.quantities import Quantity


def the_one_region(problem: Problem) -> Iterator[Snapshot]:
    """Yield the one snapshot there is, after a look at the domain.

    Raises
    ------
    DomainError
        If the domain has no interior or, for `grid_patterns`, no integer point.
    """
    if problem.quantity is Quantity.GRID_PATTERNS:
        integer_box(problem.inputs)
    tree = ExactRegionTree(ExactNetwork(problem.network, problem.inputs))
    root = tree.cell()
    if root is None:
        raise DomainError(
            "the polytope has no interior point: its rows contradict each other or make it flat; "
            "describe a flat set as a Section"
        )
    regions = [tree.region(root)] if problem.keep_regions else None
    yield Snapshot(lower=1, lps=tree.lps, share=1.0, regions=regions)
