"""Count and bound the linear regions of piecewise linear neural networks."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from milpcount.methods import METHODS

if TYPE_CHECKING:
    from milpcount.api import bound, count, partition, regions
    from milpcount.bounds.table import BoundTable
    from milpcount.counters.approximate.approximate import Approximate
    from milpcount.counters.brute_force import BruteForce
    from milpcount.counters.comparison import compare
    from milpcount.counters.exact_tree import ExactTree
    from milpcount.counters.mbound.mbound import MBound
    from milpcount.counters.probing.probing import Probing
    from milpcount.counters.region_tree import RegionTree
    from milpcount.counters.section import SectionWalk
    from milpcount.counters.solution_pool import SolutionPool
    from milpcount.counters.warming import warm_up
    from milpcount.domain import (
        Box,
        Plane,
        Polyline,
        Polytope,
        Section,
        Segment,
        Unbounded,
        Union,
    )
    from milpcount.errors import Interrupted
    from milpcount.formulation.formulate import formulate
    from milpcount.limits import Limits
    from milpcount.listeners import progress
    from milpcount.network import Network
    from milpcount.plots.plot import plot
    from milpcount.proof.writing import write_proof
    from milpcount.quantities import Quantity
    from milpcount.region_files import load_regions, save_partition, save_regions
    from milpcount.result import CountResult, Status
    from milpcount.tracking.many import count_many
    from milpcount.tracking.track import Tracker, track

# Names are imported on first use: `milpcount --help` must not wait for numpy.
_HOMES = {
    "BoundTable": "bounds.table",
    "Box": "domain",
    "CountResult": "result",
    "Interrupted": "errors",
    "Limits": "limits",
    "Network": "network",
    "Plane": "domain",
    "Polyline": "domain",
    "Polytope": "domain",
    "Quantity": "quantities",
    "Section": "domain",
    "Segment": "domain",
    "Status": "result",
    "Tracker": "tracking.track",
    "Unbounded": "domain",
    "Union": "domain",
    "bound": "api",
    "compare": "counters.comparison",
    "count": "api",
    "count_many": "tracking.many",
    "formulate": "formulation",
    "load_partition": "api",
    "load_regions": "region_files",
    "partition": "api",
    "plot": "plots.plot",
    "progress": "listeners",
    "regions": "api",
    "save_partition": "region_files",
    "save_regions": "region_files",
    "track": "tracking.track",
    "warm_up": "counters.warming",
    "write_proof": "proof.writing",
    **{kind: home.split(":")[0] for home in METHODS.values() for kind in [home.split(":")[1]]},
}

__all__ = [
    "Approximate",
    "BoundTable",
    "Box",
    "BruteForce",
    "CountResult",
    "ExactTree",
    "Interrupted",
    "Limits",
    "MBound",
    "Network",
    "Plane",
    "Polyline",
    "Polytope",
    "Probing",
    "Quantity",
    "RegionTree",
    "Section",
    "SectionWalk",
    "Segment",
    "SolutionPool",
    "Status",
    "Tracker",
    "Unbounded",
    "Union",
    "bound",
    "compare",
    "count",
    "count_many",
    "formulate",
    "load_partition",
    "load_regions",
    "partition",
    "plot",
    "progress",
    "regions",
    "save_partition",
    "save_regions",
    "track",
    "warm_up",
    "write_proof",
]
__version__ = "0.2.0"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
